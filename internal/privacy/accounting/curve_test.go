package accounting

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mathext"
)

func TestGaussianCurveIsExact(t *testing.T) {
	for _, mu := range []float64{0, 0.01, 1, 5} {
		c, err := newAccountant(t, "pld", ZeroOut).Curve(Gaussian{1 / mu})
		if mu == 0 {
			c, err = newAccountant(t, "pld", ZeroOut).Curve(NoOp{})
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.MuGDP(1e-6); err != nil || math.Abs(got-mu) > 1e-15*mu {
			t.Errorf("MuGDP of mu %g = %v, %v", mu, got, err)
		}
		want := normalCDF(mathext.NormalQuantile(0.01) + mu)
		if got, err := c.TruePositiveRate(0.01); err != nil || got < want || got > want*(1+1e-11) {
			t.Errorf("TruePositiveRate of mu %g = %v, %v, want %v", mu, got, err, want)
		}
		if want := math.Erf(mu / 2 / math.Sqrt2); math.Abs(c.Advantage()-want) > 1e-10 {
			t.Errorf("Advantage of mu %g = %v, want %v", mu, c.Advantage(), want)
		}
		// The polygon alone, as for other events, lies above the exact answers and close to them.
		c.mu = math.NaN()
		if got, err := c.MuGDP(1e-6); err != nil || got < mu || got > mu*1.003+1e-9 {
			t.Errorf("MuGDP of the polygon of mu %g = %v, %v", mu, got, err)
		}
		for _, fpr := range []float64{1e-5, 0.01, 0.3, 0.5, 0.9} {
			want := normalCDF(mathext.NormalQuantile(fpr) + mu)
			if got, err := c.TruePositiveRate(fpr); err != nil || got < want-1e-15 || got > want*1.003+1e-9 {
				t.Errorf("TruePositiveRate(%g) of the polygon of mu %g = %v, %v, want %v", fpr, mu, got, err, want)
			}
		}
	}
}

// The likelihood-ratio test on one sampled step is a real attack: no bound may lie below it.
func TestCurveIsAboveARealAttack(t *testing.T) {
	for _, c := range []struct{ q, sigma float64 }{{0.5, 1}, {0.1, 0.7}, {0.01, 0.5}, {0.9, 3}} {
		curve, err := newAccountant(t, "pld", ZeroOut).Curve(steps(c.q, c.sigma, 1))
		if err != nil {
			t.Fatal(err)
		}
		for _, fpr := range []float64{1e-6, 1e-3, 0.01, 0.2, 0.5, 0.95} {
			x := -c.sigma * mathext.NormalQuantile(fpr)
			attack := (1-c.q)*fpr + c.q*normalCDF((1-x)/c.sigma)
			got, err := curve.TruePositiveRate(fpr)
			if err != nil || got < attack || got > 1 {
				t.Errorf("TruePositiveRate(%g) at q=%g, sigma=%g = %v, %v, below an attack's %v", fpr, c.q, c.sigma, got, err, attack)
			}
			mu, err := curve.MuGDP(1e-6)
			if err != nil || gaussianRate(mu, fpr) < attack {
				t.Errorf("MuGDP at q=%g, sigma=%g = %v, %v, whose rate at %g is below an attack's %v", c.q, c.sigma, mu, err, fpr, attack)
			}
		}
	}
}

func TestCurveOfNothingPrivate(t *testing.T) {
	for _, name := range []string{"pld", "rdp"} {
		for _, e := range []Event{NonPrivate{}, steps(0.1, 0, 1)} {
			c, err := newAccountant(t, name, ZeroOut).Curve(e)
			if err != nil {
				t.Fatal(err)
			}
			tpr, errT := c.TruePositiveRate(0.01)
			mu, errM := c.MuGDP(1e-6)
			if errT != nil || errM != nil || tpr != 1 || c.Advantage() != 1 || math.IsNaN(mu) || mu < 4 {
				t.Errorf("%s: Curve(%v): rate %v %v, mu %v %v, advantage %v, want no protection", name, e, tpr, errT, mu, errM, c.Advantage())
			}
		}
	}
}

func TestCurveAgreesWithDelta(t *testing.T) {
	for _, name := range []string{"pld", "rdp"} {
		a, e := newAccountant(t, name, ZeroOut), steps(0.02, 1.2, 400)
		c, err := a.Curve(e)
		if err != nil {
			t.Fatal(err)
		}
		points := c.Points()
		if last := points[len(points)-1]; points[0].Epsilon != 0 || last.Delta > 1.1e-12 {
			t.Errorf("%s: curve runs from %v to %v, want from ε = 0 to δ = 1e-12", name, points[0], last)
		}
		for i := 0; i < len(points); i += 40 {
			want, err := a.Delta(e, points[i].Epsilon)
			if err != nil || points[i].Delta < want.Lower || math.Abs(points[i].Delta/want.Upper-1) > 0.01 {
				t.Errorf("%s: point %v, want delta %v, %v", name, points[i], want, err)
			}
		}
	}
}
