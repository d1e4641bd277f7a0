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

// A curve is read off few coarse compositions: at each point it must lie above the truth, and from δ(0) down to 1e-9 of it not far
// above, where single runs decide, where rare samples do, and where the loss is far from 0.
func TestCurveAgreesWithDelta(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	for _, c := range []struct {
		accountant string
		event      Event
		above      float64 // by which fraction of δ a point may lie above
	}{
		{"pld", steps(0.02, 1.2, 400), 0.06},
		{"pld", steps(0.004, 2, 10), 0.06},
		{"pld", steps(0.001, 0.7, 10), 0.06},
		{"pld", steps(0.001, 1, 1000), 0.06},
		{"pld", steps(0.05, 1.5, 1), 0.06},
		{"pld", steps(0.01, 1, 20000), 0.06},
		{"pld", Composed{[]Event{Gaussian{5}, steps(0.01, 1, 1000)}}, 0.06},
		{"rdp", steps(0.02, 1.2, 400), 0.01},
	} {
		a := newAccountant(t, c.accountant, ZeroOut)
		curve, err := a.Curve(c.event)
		if err != nil {
			t.Fatal(err)
		}
		points := curve.Points()
		if last := points[len(points)-1]; points[0].Epsilon != 0 || last.Delta > 1.1e-12 {
			t.Errorf("%s: curve of %s runs from %v to %v, want from ε = 0 to δ = 1e-12", c.accountant, eventName(c.event), points[0], last)
		}
		for i := 0; i < len(points) && points[i].Delta > 1e-9*points[0].Delta; i += 20 {
			want, err := a.Delta(c.event, points[i].Epsilon)
			if err != nil || points[i].Delta < want.Lower || points[i].Delta > want.Upper*(1+c.above) {
				t.Errorf("%s: point %v of %s, want delta %v, %v", c.accountant, points[i], eventName(c.event), want, err)
			}
		}
	}
}

// What an attacker gains from few and rare samples is small, and the bound says so. The figures are those of 15 compositions on lattices
// 50 times finer, at 2,049 values of ε.
func TestCurveIsTight(t *testing.T) {
	for _, c := range []struct {
		event               Event
		mu, rate, advantage float64
	}{
		{steps(0.004, 2, 10), 0.01562239, 0.01022256, 0.002659403},
		{steps(0.001, 1, 1000), 0.05829032, 0.01125636, 0.01646411},
		{steps(0.05, 1.5, 10), 0.2102048, 0.01472863, 0.04536245},
		{steps(0.01, 1, 100000), 4.105803, 0.9600001, 0.9583357},
	} {
		curve, err := newAccountant(t, "pld", ZeroOut).Curve(c.event)
		if err != nil {
			t.Fatal(err)
		}
		mu, errMu := curve.MuGDP(1e-6)
		rate, errRate := curve.TruePositiveRate(0.01)
		if errMu != nil || mu > c.mu*1.004 {
			t.Errorf("MuGDP of %s = %v, %v, want at most %v", eventName(c.event), mu, errMu, c.mu*1.004)
		}
		if errRate != nil || rate > c.rate*1.002 || curve.Advantage() > c.advantage*1.004 {
			t.Errorf("%s: rate %v, %v, advantage %v, want at most %v and %v", eventName(c.event), rate, errRate, curve.Advantage(), c.rate*1.002, c.advantage*1.004)
		}
	}
}
