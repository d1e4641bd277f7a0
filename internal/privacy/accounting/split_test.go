package accounting

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// onlyDivided is ε by splitting runs alone.
func onlyDivided(t *testing.T, e Event, delta float64, adjacency Adjacency, width float64) Interval {
	t.Helper()
	p := pld{adjacency: adjacency, width: width}
	terms, err := flatten(e)
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.mechanisms(e, terms)
	if err != nil {
		t.Fatal(err)
	}
	q, lost := epsilonAt(delta), delta*0.1*width
	s, forward, ok := m.begin(q, lost, math.Inf(1), coarseAtoms)
	if !ok {
		t.Fatal("no start")
	}
	s, forward = s.capped(m, q, forward, lost)
	return p.divided(m, q, Interval{0, s.bound()}, s, forward, lost)
}

func sampled(q, sigma float64, n int) Event {
	return SelfComposed{PoissonSampled{q, Gaussian{sigma}}, n}
}

// TestDividedBracketsOneRun holds splitting to the closed form of one run, down to δ that no transform could reach beside a bulk of 1.
func TestDividedBracketsOneRun(t *testing.T) {
	narrow := 0
	for _, q := range []float64{1e-9, 1e-7, 1e-5, 1e-3} {
		for _, sigma := range []float64{0.4, 1, 2} {
			for _, delta := range []float64{1e-8, 1e-15, 1e-30, 1e-60} {
				pair := sampledGaussian(q, sigma)
				want := crossing(0, 300, func(epsilon float64) bool {
					return pair.cells(epsilon, 1, 0)[1].surplus(math.Expm1(epsilon)) <= delta
				})
				got := onlyDivided(t, sampled(q, sigma, 1), delta, AddOrRemoveOne, defaultWidth)
				if got.Lower > want*(1+1e-9)+1e-9 || got.Upper < want*(1-1e-9)-1e-9 {
					t.Errorf("q %v, sigma %v, delta %v: [%v, %v], want %v in it", q, sigma, delta, got.Lower, got.Upper, want)
				}
				if want > 0 && got.Upper <= want*1.002 && got.Lower >= want/1.002 {
					narrow++
				}
			}
		}
	}
	if narrow < 15 {
		t.Errorf("%d intervals are narrow, want at least 15", narrow)
	}
}

// TestDividedAgrees holds splitting to the lattices of whole runs where these can tell, for lists of two mechanisms and under every adjacency too.
func TestDividedAgrees(t *testing.T) {
	both, all := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		power := func(low, high float64, name string) float64 {
			return math.Pow(10, rapid.Float64Range(low, high).Draw(rt, name))
		}
		e := sampled(power(-7, -3, "log10 q"), power(-0.4, 0.3, "log10 sigma"), int(power(0, 5, "log10 steps")))
		if rapid.Bool().Draw(rt, "two") {
			e = Composed{[]Event{e, sampled(power(-7, -3, "log10 q"), power(-0.4, 0.3, "log10 sigma"), int(power(0, 4, "log10 steps")))}}
		}
		adjacency := rapid.SampledFrom([]Adjacency{AddOrRemoveOne, ReplaceOne}).Draw(rt, "adjacency")
		delta := power(-14, -4, "log10 delta")
		split := onlyDivided(t, e, delta, adjacency, 0.02)
		whole, err := pld{adjacency: adjacency, width: 0.02}.Epsilon(e, delta)
		if err != nil {
			rt.Fatal(err)
		}
		if split.Lower > whole.Upper*(1+1e-9) || split.Upper < whole.Lower*(1-1e-9) {
			rt.Fatalf("split [%v, %v], whole [%v, %v]", split.Lower, split.Upper, whole.Lower, whole.Upper)
		}
		if all++; split.Upper > 0 && split.Upper-split.Lower < 0.05*split.Upper {
			both++
		}
	})
	if 10*both < all { // about half of them are
		t.Errorf("%d of %d intervals are narrow, want at least a tenth", both, all)
	}
}

// TestEpsilonOfRareRuns is a table of settings in which few runs decide: intervals are narrow there too.
func TestEpsilonOfRareRuns(t *testing.T) {
	for _, test := range []struct {
		q, sigma float64
		steps    int
		delta    float64
	}{
		{1e-7, 1, 10_000, 1e-30}, {1e-7, 1, 10_000_000, 1e-30}, {1e-7, 0.5, 10_000_000, 1e-5}, {1e-7, 3, 1_000_000, 1e-5},
		{1e-6, 1, 1_000_000, 1e-20}, {1e-6, 1, 1_000_000, 1e-30}, {1e-5, 1, 10_000, 1e-30}, {1e-5, 1, 10_000_000, 1e-30},
	} {
		got, err := pld{adjacency: AddOrRemoveOne, width: defaultWidth}.Epsilon(sampled(test.q, test.sigma, test.steps), test.delta)
		if err != nil || !(got.Upper-got.Lower <= 2e-3*got.Upper) {
			t.Errorf("%+v: [%v, %v], %v", test, got.Lower, got.Upper, err)
		}
	}
}

// TestJumpsKeepTheirMasses composes sums on atoms too few for all of it.
func TestJumpsKeepTheirMasses(t *testing.T) {
	s := jumpSum{step: 0.1, mass: []float64{1, 0.5, 0, 0.25}, far: 0.01, shadow: 0.001, infinite: 1e-3}
	u := jumpSum{step: 0.1, mass: []float64{1, 0, 0.125, 2}, far: 0.02, shadow: 0.003, infinite: 1e-4}
	got := s.with(u)
	sp, sq := s.total()
	up, uq := u.total()
	p, q := got.total()
	if math.Abs(p-sp*up) > 1e-15*p || math.Abs(q-sq*uq) > 1e-15*q {
		t.Errorf("masses %v and %v, want %v and %v", p, q, sp*up, sq*uq)
	}
	if want := (sp+s.infinite)*(up+u.infinite) - sp*up; math.Abs(got.infinite-want) > 1e-15 {
		t.Errorf("infinite %v, want %v", got.infinite, want)
	}
	for k, want := range []float64{1, 0.5, 0.125, 0.25 + 0.0625 + 2} {
		if math.Abs(got.mass[k]-want) > 1e-15 {
			t.Errorf("atom %d has %v, want %v", k, got.mass[k], want)
		}
	}
}

// TestFarAboveTheWindow asks for an ε at which the outcome above all atoms has no divergence.
func TestFarAboveTheWindow(t *testing.T) {
	c := &composition{step: 0.1, v: []float64{0.5, 0.4}, far: 1e-3, logShadow: math.Log(1e-3) - 5}
	bounds := []float64{0, 0}
	c.deltas(bounds, []float64{4, 10}, false)
	if want := 1e-3 * -math.Expm1(-1); math.Abs(bounds[0]-want) > 1e-12 || bounds[1] != 0 {
		t.Errorf("δ(4) and δ(10) are at least %v, want %v and 0", bounds, want)
	}
}
