package accounting

import (
	"errors"
	"math"
	"testing"
)

func TestCalibrationOfReferenceTable(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	a := newAccountant(t, "pld", ZeroOut)
	for i, r := range readTable(t, "testdata/calibration.csv") {
		q, sigma, delta, target := r.float(t, "q"), r.float(t, "sigma"), r.float(t, "delta"), r.float(t, "target_eps")
		want := int(r.float(t, "steps"))
		switch r["solve_for"] {
		case "sigma":
			got, err := NoiseMultiplier(a, target, delta, func(s float64) Event { return steps(q, s, want) })
			if err != nil || got < sigma || got > sigma*(1+2e-3) {
				t.Errorf("row %d: NoiseMultiplier = %v, %v, want in [1, 1.002]·%v", i+2, got, err, sigma)
			}
		case "steps":
			got, err := Steps(a, target, delta, func(n int) Event { return steps(q, sigma, n) })
			if err != nil || got > want || float64(got) < float64(want)*(1-1e-3) {
				t.Errorf("row %d: Steps = %v, %v, want in [0.999, 1]·%v", i+2, got, err, want)
			}
		}
	}
}

// countingAccountant has ε = 1/σ for a Gaussian of q·σ, and remembers what it was asked.
type countingAccountant struct {
	Accountant
	asked *[]float64
	noise float64 // relative, of the answers
}

func (c countingAccountant) Epsilon(e Event, _ float64) (Interval, error) {
	sigma := e.(Gaussian).NoiseMultiplier
	*c.asked = append(*c.asked, sigma)
	epsilon := 1 / sigma * (1 + c.noise*math.Sin(1e9*sigma))
	return Interval{epsilon, epsilon}, nil
}

// A search ends, asks seldom, and asks once about a number as short as its answer, which is thus on the private side already.
func TestCalibrationAsksSeldom(t *testing.T) {
	for _, target := range []float64{1e-5, 0.1, 1. / 3, 0.7654321, 1, 30} {
		for _, noise := range []float64{0, 1e-4} {
			var asked []float64
			a := countingAccountant{asked: &asked, noise: noise}
			got, err := NoiseMultiplier(a, target, 1e-5, func(s float64) Event { return Gaussian{s} })
			if err != nil || got < (1-noise)/target || got > (1+5*noise+1e-5)/target {
				t.Errorf("NoiseMultiplier(%g) = %v, %v, want %g", target, got, err, 1/target)
			}
			short := 0
			for _, s := range asked {
				if s == RoundUp(s, calibrationDigits) && math.Log2(s) != math.Round(math.Log2(s)) {
					short++
				}
			}
			if len(asked) > 60 || noise == 0 && short > 1 {
				t.Errorf("NoiseMultiplier(%g) asked %d times, of %d short numbers, want at most 60 and 1: %v", target, len(asked), short, asked)
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
				if err != nil || upper(bySigma(sigma)) > target || upper(bySigma(sigma*(1-1e-3))) <= target || sigma != RoundUp(sigma, 6) {
					t.Errorf("%s: NoiseMultiplier(%g, q=%g) = %v, %v, want about the least certified one", name, target, q, sigma, err)
				}
				byCount := func(n int) Event { return steps(q, 2*sigma, n) }
				count, err := Steps(a, target, 1e-6, byCount)
				if err != nil || upper(byCount(count)) > target || upper(byCount(count+1+count/1000)) <= target {
					t.Errorf("%s: Steps(%g, q=%g) = %v, %v, want about the largest certified one", name, target, q, count, err)
				}
				byQ := func(p float64) Event { return steps(p, 0.97*sigma, 300) }
				p, err := SamplingProbability(a, target, 1e-6, byQ)
				if err != nil || upper(byQ(p)) > target || p < 1 && upper(byQ(p*(1+1e-3))) <= target || p != RoundDown(p, 6) {
					t.Errorf("%s: SamplingProbability(%g) = %v, %v, want about the largest certified one", name, target, p, err)
				}
			}
		}
	}
}

func TestCalibrationEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
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
