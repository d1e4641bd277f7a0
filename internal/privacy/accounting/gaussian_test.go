package accounting

import (
	"math"
	"testing"
)

// testdata/gaussian.csv: δ(ε) of the closed form, in 700-digit arithmetic (mpmath 1.3, ncdf).
func TestGaussianMatchesArbitraryPrecision(t *testing.T) {
	for _, r := range readTable(t, "testdata/gaussian.csv") {
		mu, epsilon, delta := r.float(t, "mu"), r.float(t, "epsilon"), r.float(t, "delta")
		if got := gaussianEpsilon(mu, delta); got.Lower > epsilon || got.Upper < epsilon {
			t.Errorf("gaussianEpsilon(%g, %g) = %v, want to contain %g", mu, delta, got, epsilon)
		} else if delta < 0.99 && got.Upper > epsilon*(1+1e-9) {
			t.Errorf("gaussianEpsilon(%g, %g) = %v, want within 1e-9 of %g", mu, delta, got, epsilon)
		}
		if got := gaussianDelta(mu, epsilon); got.Lower > delta || got.Upper < delta || got.Upper > delta*(1+1e-8) {
			t.Errorf("gaussianDelta(%g, %g) = %v, want a bracket of %g within 1e-8", mu, epsilon, got, delta)
		}
		if a := epsilon/mu - mu/2; math.Abs(gaussianLogDelta(mu, a)-math.Log(delta)) > 2e-12+1e-15*mu*math.Abs(a) {
			t.Errorf("gaussianLogDelta(%g, %g) = %v, want %v", mu, a, gaussianLogDelta(mu, a), math.Log(delta))
		}
	}
}

func TestGaussianExtremes(t *testing.T) {
	for _, c := range []struct {
		name      string
		mu, delta float64
		want      Interval
	}{
		{"no mechanism", 0, 1e-5, Interval{0, 0}},
		{"no noise", math.Inf(1), 1e-5, Interval{math.Inf(1), math.Inf(1)}},
		{"total variation below delta", 1e-6, 1e-5, Interval{0, 0}},
		{"tiny mu", 1e-100, 1e-5, Interval{0, 0}},
	} {
		if got := gaussianEpsilon(c.mu, c.delta); got != c.want {
			t.Errorf("%s: gaussianEpsilon(%g, %g) = %v, want %v", c.name, c.mu, c.delta, got, c.want)
		}
	}
	for _, mu := range []float64{1e-100, 1e-9, 1, 1e9, 1e100} {
		for _, delta := range []float64{5e-324, 1e-300, 1e-30, 0.5, math.Nextafter(1, 0)} {
			got := gaussianEpsilon(mu, delta)
			if !(got.Lower >= 0 && got.Lower <= got.Upper) || math.IsInf(got.Upper, 1) {
				t.Errorf("gaussianEpsilon(%g, %g) = %v, want finite and ordered", mu, delta, got)
			}
			if d := gaussianDelta(mu, got.Upper); d.Lower > delta {
				t.Errorf("gaussianDelta(%g, %g) = %v, want at most %g", mu, got.Upper, d, delta)
			}
		}
	}
}
