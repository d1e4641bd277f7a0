package accounting

import (
	"errors"
	"math"
	"testing"
)

// Rényi accounting is above the truth, so its σ is above the reference's and its steps below, by its typical excess; at q
// of 1e-3 and below it can be far above.
func TestCalibrationOfReferenceTable(t *testing.T) {
	for i, r := range readTable(t, "testdata/calibration.csv") {
		q, sigma, delta, target := r.float(t, "q"), r.float(t, "sigma"), r.float(t, "delta"), r.float(t, "target_eps")
		want, a := int(r.float(t, "steps")), newAccountant(t, "pld", ZeroOut)
		switch r["solve_for"] {
		case "sigma":
			got, err := NoiseMultiplier(a, target, delta, func(s float64) Event { return steps(q, s, want) })
			if err != nil || got < sigma || got > 1.15*sigma {
				t.Errorf("row %d: NoiseMultiplier = %v, %v, want in [1, 1.15]·%v", i+2, got, err, sigma)
			}
		case "steps":
			got, err := Steps(a, target, delta, func(n int) Event { return steps(q, sigma, n) })
			if err != nil || got > want || q > 1e-3 && float64(got) < 0.6*float64(want) {
				t.Errorf("row %d: Steps = %v, %v, want in [0.6, 1]·%v", i+2, got, err, want)
			}
		}
	}
}

// What is returned holds; a little less private does not.
func TestCalibrationIsTight(t *testing.T) {
	for _, name := range []string{"pld", "rdp"} {
		a := newAccountant(t, name, ZeroOut)
		upper := func(e Event) float64 {
			got, err := a.Epsilon(e, 1e-6)
			if err != nil {
				t.Fatal(err)
			}
			return got.Upper
		}
		for _, q := range []float64{1, 0.02} {
			for _, target := range []float64{0.1, 1, 20} {
				bySigma := func(s float64) Event { return Composed{[]Event{Gaussian{400}, steps(q, s, 300)}} }
				sigma, err := NoiseMultiplier(a, target, 1e-6, bySigma)
				if err != nil || upper(bySigma(sigma)) > target || upper(bySigma(sigma*(1-2e-5))) <= target || sigma != RoundUp(sigma, 6) {
					t.Errorf("%s: NoiseMultiplier(%g, q=%g) = %v, %v, want the least certified one", name, target, q, sigma, err)
				}
				byCount := func(n int) Event { return steps(q, 2*sigma, n) }
				count, err := Steps(a, target, 1e-6, byCount)
				if err != nil || upper(byCount(count)) > target || upper(byCount(count+1)) <= target {
					t.Errorf("%s: Steps(%g, q=%g) = %v, %v, want the largest certified one", name, target, q, count, err)
				}
				byQ := func(p float64) Event { return steps(p, 0.97*sigma, 300) }
				p, err := SamplingProbability(a, target, 1e-6, byQ)
				if err != nil || upper(byQ(p)) > target || p < 1 && upper(byQ(p*(1+2e-5))) <= target || p != RoundDown(p, 6) {
					t.Errorf("%s: SamplingProbability(%g) = %v, %v, want the largest certified one", name, target, p, err)
				}
			}
		}
	}
}

func TestCalibrationEnds(t *testing.T) {
	a := newAccountant(t, "pld", ZeroOut)
	var unreachable *UnreachableError
	costly := func(s float64) Event { return Composed{[]Event{Gaussian{1}, steps(0.1, s, 10)}} }
	if got, err := NoiseMultiplier(a, 1, 1e-5, costly); !errors.As(err, &unreachable) || unreachable.Setting != 1e6 || unreachable.Hint() == "" {
		t.Errorf("NoiseMultiplier beside a costly query = %v, %v, want an UnreachableError at 1e6", got, err)
	}
	if got, err := SamplingProbability(a, 1, 1e-5, func(q float64) Event { return Composed{[]Event{Gaussian{1}, steps(q, 1, 10)}} }); !errors.As(err, &unreachable) {
		t.Errorf("SamplingProbability beside a costly query = %v, %v, want an UnreachableError", got, err)
	}
	if got, err := Steps(a, 1, 1e-5, func(n int) Event { return Composed{[]Event{Gaussian{1}, steps(0.1, 1, n)}} }); !errors.As(err, &unreachable) {
		t.Errorf("Steps beside a costly query = %v, %v, want an UnreachableError", got, err)
	}
	if got, err := Steps(a, 0.1, 1e-5, func(n int) Event { return steps(1, 1, n) }); err != nil || got != 0 {
		t.Errorf("Steps that cannot afford one = %v, %v, want 0", got, err)
	}
	if got, err := Steps(a, 1, 1e-5, func(int) Event { return NoOp{} }); err != nil || got != 1e12 {
		t.Errorf("Steps of nothing = %v, %v, want 1e12", got, err)
	}
	if got, err := NoiseMultiplier(a, 1, 1e-5, func(float64) Event { return NoOp{} }); err != nil || got != 0.01 {
		t.Errorf("NoiseMultiplier of nothing = %v, %v, want 0.01", got, err)
	}
	if got, err := SamplingProbability(a, 1, 1e-5, func(q float64) Event { return steps(q, 1e4, 1) }); err != nil || got != 1 {
		t.Errorf("SamplingProbability under much noise = %v, %v, want 1", got, err)
	}
	var parameter *ParameterError
	for _, target := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if got, err := NoiseMultiplier(a, target, 1e-5, costly); !errors.As(err, &parameter) {
			t.Errorf("NoiseMultiplier(%g) = %v, %v, want a ParameterError", target, got, err)
		}
	}
}
