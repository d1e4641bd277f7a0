package accounting

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

type unknownEvent struct{}

func (unknownEvent) isEvent() {}

// TestConformance holds for every accountant that New can build.
func TestConformance(t *testing.T) {
	for _, name := range []string{"pld", "rdp"} {
		for _, adjacency := range []Adjacency{ZeroOut, AddOrRemoveOne, ReplaceOne} {
			t.Run(name+"/"+string(adjacency), func(t *testing.T) {
				conformance(t, newAccountant(t, name, adjacency), name, adjacency)
			})
		}
	}
}

func conformance(t *testing.T, a Accountant, name string, adjacency Adjacency) {
	if a.Name() != name {
		t.Errorf("Name() = %q, want %q", a.Name(), name)
	}
	g := Gaussian{3}
	for _, c := range []struct {
		name           string
		e              Event
		epsilon, delta Interval
	}{
		{"no-op", NoOp{}, Interval{0, 0}, Interval{0, 0}},
		{"nothing composed", Composed{}, Interval{0, 0}, Interval{0, 0}},
		{"count 0", SelfComposed{g, 0}, Interval{0, 0}, Interval{0, 0}},
		{"q = 0", steps(0, 1, 10), Interval{0, 0}, Interval{0, 0}},
		{"q = 0 of everything", PoissonSampled{0, NonPrivate{}}, Interval{0, 0}, Interval{0, 0}},
		{"not private", NonPrivate{}, Interval{math.Inf(1), math.Inf(1)}, Interval{1, 1}},
		{"not private in a list", Composed{[]Event{g, NonPrivate{}}}, Interval{math.Inf(1), math.Inf(1)}, Interval{1, 1}},
		{"a bound of nothing", SelfComposed{EpsilonDelta{}, 7}, Interval{0, 0}, Interval{0, 0}},
		{"no laplace noise", Laplace{0}, Interval{math.Inf(1), math.Inf(1)}, Interval{1, 1}},
		{"no noise", SelfComposed{Gaussian{0}, 3}, Interval{math.Inf(1), math.Inf(1)}, Interval{1, 1}},
	} {
		if got, err := a.Epsilon(c.e, 1e-5); err != nil || got != c.epsilon {
			t.Errorf("%s: Epsilon(%v) = %v, %v, want %v", c.name, c.e, got, err, c.epsilon)
		}
		if got, err := a.Delta(c.e, 1); err != nil || got != c.delta {
			t.Errorf("%s: Delta(%v) = %v, %v, want %v", c.name, c.e, got, err, c.delta)
		}
	}
	if adjacency != ReplaceOne {
		if got, err := a.Epsilon(steps(0.1, 0, 1), 1e-5); err != nil || !math.IsInf(got.Upper, 1) {
			t.Errorf("Epsilon(sampled, no noise) = %v, %v, want an infinite upper end", got, err)
		}
	}

	for _, e := range []Event{nil, unknownEvent{}, PoissonSampled{0.5, EpsilonDelta{1, 0}}, PoissonSampled{0.5, Composed{[]Event{g, Laplace{1}}}}, Composed{[]Event{NoOp{}, unknownEvent{}}}, SelfComposed{unknownEvent{}, 0},
		PoissonSampled{0.5, Composed{[]Event{PoissonSampled{0.5, g}, g}}}, PoissonSampled{0.5, SelfComposed{PoissonSampled{0.5, g}, 2}}} {
		var unsupported *UnsupportedError
		if got, err := a.Epsilon(e, 1e-5); !errors.As(err, &unsupported) {
			t.Errorf("Epsilon(%#v) = %v, %v, want an UnsupportedError", e, got, err)
		}
		if got, err := a.Delta(e, 1); !errors.As(err, &unsupported) {
			t.Errorf("Delta(%#v) = %v, %v, want an UnsupportedError", e, got, err)
		}
		if _, err := a.Curve(e); !errors.As(err, &unsupported) {
			t.Errorf("Curve(%#v) = %v, want an UnsupportedError", e, err)
		}
	}
	wrongNumbers(t, a, g)
}

func wrongNumbers(t *testing.T, a Accountant, g Event) {
	var parameter *ParameterError
	nan, inf := math.NaN(), math.Inf(1)
	for _, e := range []Event{Gaussian{-1}, Gaussian{nan}, Gaussian{inf}, Gaussian{1e101}, Gaussian{1e-101}, PoissonSampled{-0.1, g},
		PoissonSampled{1.1, g}, PoissonSampled{nan, g}, PoissonSampled{inf, g}, SelfComposed{g, -1}, SelfComposed{g, 1e12 + 1},
		SelfComposed{Gaussian{nan}, 0}, Laplace{-1}, Laplace{nan}, EpsilonDelta{-1, 0}, EpsilonDelta{nan, 0}, EpsilonDelta{inf, 0}, EpsilonDelta{1, 1}, EpsilonDelta{1, nan}, EpsilonDelta{1, -0.1}, PoissonSampled{0, Gaussian{nan}}, SelfComposed{SelfComposed{g, 1e9}, 1e9},
		PoissonSampled{1, SelfComposed{PoissonSampled{0.5, SelfComposed{SelfComposed{g, 1e12}, 1e12}}, 1}},
		Composed{[]Event{steps(0.5, 3, 1e12), steps(0.5, 3, 1e12)}}} {
		if got, err := a.Epsilon(e, 1e-5); !errors.As(err, &parameter) {
			t.Errorf("Epsilon(%v) = %v, %v, want a ParameterError", e, got, err)
		}
	}
	for _, x := range []float64{nan, inf, -inf, -1, 0, 1, 2} {
		if got, err := a.Epsilon(g, x); !errors.As(err, &parameter) {
			t.Errorf("Epsilon(%v, %g) = %v, %v, want a ParameterError", g, x, got, err)
		}
	}
	for _, x := range []float64{nan, inf, -inf, -1, 1e101} {
		if got, err := a.Delta(g, x); !errors.As(err, &parameter) {
			t.Errorf("Delta(%v, %g) = %v, %v, want a ParameterError", g, x, got, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	var parameter *ParameterError
	if _, err := New("prv", ZeroOut); !errors.As(err, &parameter) {
		t.Errorf("New(prv) = %v, want a ParameterError", err)
	}
	if _, err := New("pld", "swap"); !errors.As(err, &parameter) {
		t.Errorf("New(swap) = %v, want a ParameterError", err)
	}
	var unsupported *UnsupportedError
	if _, err := newAccountant(t, "rdp", ReplaceOne).Epsilon(steps(0.5, 1, 1), 1e-5); !errors.As(err, &unsupported) {
		t.Errorf("Epsilon(sampled) under replace_one = %v, want an UnsupportedError", err)
	}
}

// Replacing moves a sum twice as far: σ under replace_one protects as σ/2 does under zero_out.
func TestReplaceOneDoublesTheDistance(t *testing.T) {
	for _, name := range []string{"pld", "rdp"} {
		replace, errR := newAccountant(t, name, ReplaceOne).Epsilon(steps(1, 4, 9), 1e-6)
		zero, errZ := newAccountant(t, name, ZeroOut).Epsilon(steps(1, 2, 9), 1e-6)
		if errR != nil || errZ != nil || math.Abs(replace.Upper/zero.Upper-1) > 1e-12 {
			t.Errorf("%s: replace_one = %v, want %v", name, replace, zero)
		}
	}
}

func TestNestingDoesNotMatter(t *testing.T) {
	p, r, g, h := PoissonSampled{0.01, Gaussian{1.5}}, PoissonSampled{0.01, Gaussian{9}}, Gaussian{30}, Gaussian{47}
	want := Composed{[]Event{SelfComposed{p, 60}, SelfComposed{r, 6}, SelfComposed{g, 3}, h}}
	same := []Event{
		Composed{[]Event{h, SelfComposed{g, 3}, SelfComposed{r, 6}, SelfComposed{p, 60}}},
		Composed{[]Event{SelfComposed{Composed{[]Event{SelfComposed{p, 20}, r, g, r}}, 3}, NoOp{}, h, Composed{}}},
		Composed{[]Event{SelfComposed{SelfComposed{p, 12}, 5}, SelfComposed{SelfComposed{r, 3}, 2}, g, h, g, g}},
		Composed{[]Event{SelfComposed{r, 3}, SelfComposed{p, 60}, SelfComposed{r, 3}, SelfComposed{g, 3}, h}},
		PoissonSampled{1, want},
		SelfComposed{Composed{[]Event{want}}, 1},
		Composed{[]Event{SelfComposed{PoissonSampled{0.02, PoissonSampled{0.5, Gaussian{1.5}}}, 60}, SelfComposed{r, 6}, SelfComposed{g, 3}, h}},
		Composed{[]Event{want, SelfComposed{NonPrivate{}, 0}, PoissonSampled{0, h}}},
	}
	for _, name := range []string{"pld", "rdp"} {
		a := newAccountant(t, name, ZeroOut)
		first, err := a.Epsilon(want, 1e-6)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range same {
			if got, err := a.Epsilon(e, 1e-6); err != nil || got != first {
				t.Errorf("%s: nesting %d: Epsilon = %v, %v, want %v", name, i, got, err, first)
			}
		}
	}
}

func TestFlattenMergesEqualTerms(t *testing.T) {
	p, r, g := PoissonSampled{0.01, Gaussian{1.5}}, PoissonSampled{0.01, Gaussian{9}}, Gaussian{30}
	e := Composed{[]Event{r, g, p, SelfComposed{Composed{[]Event{r, g}}, 3}, p}}
	want := []term{{q: 1, sigma: 15, count: 1}, {q: 0.01, sigma: 1.5, count: 2}, {q: 0.01, sigma: 9, count: 4}}
	if got, err := flatten(e); err != nil || !slices.Equal(got, want) {
		t.Errorf("flatten(%v) = %v, %v, want %v", e, got, err, want)
	}
}

// Gaussians on one sample are one Gaussian: 1/σ² = 1/σ₁² + 1/σ₂².
func TestGaussiansOnOneSampleMerge(t *testing.T) {
	a := newAccountant(t, "rdp", ZeroOut)
	joint, err := a.Epsilon(PoissonSampled{0.1, Composed{[]Event{Gaussian{5}, SelfComposed{Gaussian{10}, 3}}}}, 1e-6)
	want, _ := a.Epsilon(PoissonSampled{0.1, Gaussian{1 / math.Sqrt(1./25+3./100)}}, 1e-6)
	if err != nil || math.Abs(joint.Upper/want.Upper-1) > 1e-12 {
		t.Errorf("Epsilon(joint) = %v, %v, want %v", joint, err, want)
	}
}

// At T = 1, δ(ε) in the direction of removal is exact: with x the output whose loss is ε, δ = P(X > x) − e^ε·Q(X > x).
func singleStepDelta(q, sigma, epsilon float64) float64 {
	u := math.Expm1(epsilon) + q
	x := 0.5 + sigma*sigma*math.Log(u/q)
	f0, f1 := 0.5*math.Erfc(x/sigma/math.Sqrt2), 0.5*math.Erfc((x-1)/sigma/math.Sqrt2)
	return q*f1 - f0*u
}

func drawSampled(t *rapid.T) (q, sigma, delta float64, count int) {
	q = math.Pow(10, rapid.Float64Range(-5, -0.01).Draw(t, "log10 q"))
	sigma = math.Pow(10, rapid.Float64Range(-0.3, 2).Draw(t, "log10 sigma"))
	delta = math.Pow(10, rapid.Float64Range(-15, -0.5).Draw(t, "log10 delta"))
	count = int(math.Pow(10, rapid.Float64Range(0, 4).Draw(t, "log10 count")))
	return q, sigma, delta, count
}

func TestSingleStepIsBracketed(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	rapid.Check(t, func(t *rapid.T) {
		q, sigma, delta, _ := drawSampled(t)
		got, err := coarsePLD().Epsilon(steps(q, sigma, 1), delta)
		if err != nil {
			t.Fatal(err)
		}
		if truth := singleStepDelta(q, sigma, got.Upper); truth > delta*(1+1e-9) {
			t.Errorf("Epsilon(q=%g, sigma=%g, delta=%g) = %v, whose true delta is %g", q, sigma, delta, got, truth)
		}
		if truth := singleStepDelta(q, sigma, got.Lower); got.Lower > 0 && truth < delta*(1-1e-9) {
			t.Errorf("Epsilon(q=%g, sigma=%g, delta=%g) = %v, whose lower end has delta %g", q, sigma, delta, got, truth)
		}
		at, err := coarsePLD().Delta(steps(q, sigma, 1), got.Upper)
		if truth := singleStepDelta(q, sigma, got.Upper); err != nil || truth > at.Upper || at.Lower > truth*(1+1e-9) {
			t.Errorf("Delta(q=%g, sigma=%g, epsilon=%g) = %v, %v, truth %g", q, sigma, got.Upper, at, err, truth)
		}
	})
}

// coarsePLD is an accountant for random settings, faster than the default.
func coarsePLD() pld { return pld{adjacency: ZeroOut, width: 0.01} }

// Extremes must neither hang nor return anything but an ordered interval.
func FuzzEpsilon(f *testing.F) {
	f.Add(0.01, 1.0, 1e-5, int64(1000), 0.5)
	f.Add(1e-300, 1e-100, 5e-324, int64(1e12), 1e300)
	f.Add(0.999999, 1e100, 0.999, int64(7), 1e-300)
	f.Add(1e-9, 1e-3, 1e-300, int64(1e9), 0.0)
	f.Fuzz(func(t *testing.T, q, sigma, delta float64, count int64, epsilon float64) {
		e := Composed{[]Event{steps(q, sigma, int(count)), Gaussian{sigma * 3}, steps(q/2, 2*sigma, 3)}}
		f := Composed{[]Event{e, SelfComposed{Laplace{sigma}, int(count % 100)}, EpsilonDelta{epsilon, delta / 100}}}
		if a, err := (pld{adjacency: ZeroOut, width: 0.1}).Epsilon(f, delta); err == nil && !(a.Lower >= 0 && a.Lower <= a.Upper) {
			t.Errorf("Epsilon(%v, %g) = %v", f, delta, a)
		}
		for _, a := range []Accountant{pld{adjacency: ZeroOut, width: 0.1}, pld{adjacency: ReplaceOne, width: 0.1}, rdp{AddOrRemoveOne}} {
			if got, err := a.Epsilon(e, delta); err == nil && !(got.Lower >= 0 && got.Lower <= got.Upper) {
				t.Errorf("Epsilon(%v, %g) = %v", e, delta, got)
			}
			if got, err := a.Delta(e, epsilon); err == nil && !(got.Lower >= 0 && got.Lower <= got.Upper && got.Upper <= 1) {
				t.Errorf("Delta(%v, %g) = %v", e, epsilon, got)
			}
		}
	})
}
