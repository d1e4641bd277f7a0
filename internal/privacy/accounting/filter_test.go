package accounting

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// mustFilter returns a filter.
func mustFilter(t *testing.T, adjacency Adjacency, first Event, epsilon, delta float64) Filter {
	t.Helper()
	f, err := NewFilter(adjacency, first, epsilon, delta)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// total is the filter's ε of events one after the other.
func total(t *testing.T, f Filter, delta float64, events ...Event) float64 {
	t.Helper()
	sum := 0.0
	for _, e := range events {
		cost, err := f.Cost(e)
		if err != nil {
			t.Fatal(err)
		}
		sum += cost
	}
	epsilon, err := f.Epsilon(sum, delta)
	if err != nil {
		t.Fatal(err)
	}
	return epsilon
}

func TestFilterOfGaussiansIsExact(t *testing.T) {
	for _, adjacency := range []Adjacency{ZeroOut, AddOrRemoveOne, ReplaceOne} {
		f := mustFilter(t, adjacency, Gaussian{20}, 3, 1e-5)
		if f.Method != FilterGDP {
			t.Fatalf("%s: NewFilter = %+v, want gdp", adjacency, f)
		}
		a, err := New("pld", adjacency)
		if err != nil {
			t.Fatal(err)
		}
		events := []Event{SelfComposed{Gaussian{20}, 100}, Gaussian{3}, SelfComposed{Gaussian{7}, 2}}
		want, err := a.Epsilon(Composed{events}, 1e-5)
		if err != nil {
			t.Fatal(err)
		}
		if got := total(t, f, 1e-5, events...); got < want.Upper*(1-1e-12) || got > want.Upper*(1+1e-9) {
			t.Errorf("%s: ε = %v, want %v", adjacency, got, want.Upper)
		}
	}
}

func TestFilterOfSampledGaussiansIsRenyi(t *testing.T) {
	first := SelfComposed{PoissonSampled{0.01, Gaussian{1.5}}, 500}
	f := mustFilter(t, ZeroOut, first, 3, 1e-5)
	if f.Method != FilterRenyi || !(f.Order > 1) {
		t.Fatalf("NewFilter = %+v, want renyi", f)
	}
	// At the order chosen the budget of 3 holds as many repetitions as at any order.
	a, err := New("rdp", ZeroOut)
	if err != nil {
		t.Fatal(err)
	}
	fits := func(n int) bool { return total(t, f, 1e-5, SelfComposed{first, n}) <= 3 }
	n := 1
	for fits(n + 1) {
		n++
	}
	best, err := a.Epsilon(SelfComposed{first, n + 1}, 1e-5)
	if err != nil || best.Upper <= 3 {
		t.Errorf("%d runs fit, but by the best order one more costs %v, %v", n, best.Upper, err)
	}
	if n < 2 {
		t.Errorf("%d runs fit, want several", n)
	}
	if got := total(t, f, 1e-5, Gaussian{20}, first, Laplace{30}, EpsilonDelta{0.1, 0}); !(got > 0 && got < 3) {
		t.Errorf("ε of a mixed list = %v", got)
	}
}

// TestFilterIsNeverBelowTheBestOrder: a filter pays for not knowing what comes.
func TestFilterIsNeverBelowTheBestOrder(t *testing.T) {
	a, err := New("rdp", ZeroOut)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Event {
			q := rapid.SampledFrom([]float64{0.001, 0.1, 1}).Draw(t, name+" q")
			sigma := rapid.Float64Range(0.7, 50).Draw(t, name+" sigma")
			return SelfComposed{PoissonSampled{q, Gaussian{sigma}}, rapid.IntRange(1, 300).Draw(t, name+" steps")}
		}
		first, second := draw("first"), draw("second")
		f, err := NewFilter(ZeroOut, first, rapid.Float64Range(0.1, 20).Draw(t, "epsilon"), 1e-6)
		if err != nil {
			t.Fatal(err)
		}
		one, err1 := f.Cost(first)
		two, err2 := f.Cost(second)
		epsilon, err3 := f.Epsilon(one+two, 1e-6)
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		var want Interval
		if f.Method == FilterRenyi {
			want, err = a.Epsilon(Composed{[]Event{first, second}}, 1e-6)
		} else { // exact where nothing is sampled; a bound else
			p, _ := New("pld", ZeroOut)
			want, err = p.Epsilon(Composed{[]Event{first, second}}, 1e-6)
			want.Upper = want.Lower
		}
		if err != nil || epsilon < want.Upper*(1-1e-9) {
			t.Errorf("filter %+v: ε = %v, the accountant says %v, %v", f, epsilon, want.Upper, err)
		}
	})
}

// TestFilterHoldsAgainstAnAdaptiveAnalyst lets an analyst see the likelihood ratio after a first event, and choose the
// second to raise δ most, out of all that the budget allows. With the whole budget, δ is met; with an order or a split chosen
// afterwards it would not be.
func TestFilterHoldsAgainstAnAdaptiveAnalyst(t *testing.T) {
	const epsilon, delta = 2.0, 1e-3
	for _, method := range []FilterMethod{FilterGDP, FilterRenyi} {
		f := Filter{Method: method, Adjacency: ZeroOut}
		if method == FilterRenyi {
			f.Order = 6
		}
		budget := 0.0 // the largest cost within epsilon
		for step := 1.0; step > 1e-9; {
			if e, err := f.Epsilon(budget+step, delta); err != nil || e > epsilon {
				step /= 2
			} else {
				budget += step
			}
		}
		// The cost of a Gaussian of parameter μ is μ²·unit.
		unit := 1.0
		if method == FilterRenyi {
			unit = f.Order * (f.Order - 1) / 2
		}
		// hockeyStick is E(L·e^Z − e^ε)₊ for the Gaussian of parameter mu after a likelihood ratio e^l.
		hockeyStick := func(l, mu float64) float64 {
			if mu == 0 {
				return max(0, math.Exp(l)-math.Exp(epsilon))
			}
			return math.Exp(l)*normalCDF((l-epsilon)/mu+mu/2) - math.Exp(epsilon)*normalCDF((l-epsilon)/mu-mu/2)
		}
		for _, share := range []float64{0.1, 0.5, 0.9} {
			mu, left := math.Sqrt(share*budget/unit), (1-share)*budget/unit
			sum := 0.0
			const h = 1e-3
			for z := -9.0; z <= 9; z += h {
				l, best := mu*z-mu*mu/2, 0.0
				for part := 0.0; part <= 1; part += 0.25 {
					best = max(best, hockeyStick(l, math.Sqrt(part*left)))
				}
				sum += best * math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) * h
			}
			if sum > delta*(1+1e-6) {
				t.Errorf("%s: an analyst who spends %v of the budget first has δ = %v, want at most %v", method, share, sum, delta)
			}
		}
	}
}

func TestFilterRefuses(t *testing.T) {
	poisson := PoissonSampled{0.1, Gaussian{1}}
	if _, err := NewFilter(ReplaceOne, poisson, 1, 1e-5); err == nil {
		t.Error("a sampled Gaussian under replace_one has a filter")
	}
	if _, err := NewFilter(ZeroOut, EpsilonDelta{1, 1e-6}, 1, 1e-5); err == nil {
		t.Error("an event that may fail has a filter")
	}
	gdp := mustFilter(t, ZeroOut, Gaussian{1}, 1, 1e-5)
	if _, err := gdp.Cost(Laplace{1}); err == nil {
		t.Error("gdp counts Laplace noise")
	}
	sampled, err1 := gdp.Cost(poisson)
	whole, err2 := gdp.Cost(Gaussian{1})
	if err1 != nil || err2 != nil || sampled != whole {
		t.Errorf("gdp counts a sampled Gaussian as %v, want as the one that is not, %v", sampled, whole)
	}
	if cost, err := gdp.Cost(NonPrivate{}); err != nil || !math.IsInf(cost, 1) {
		t.Errorf("the cost of the records = %v, %v", cost, err)
	}
	for _, bad := range []Filter{{}, {Method: FilterGDP, Order: 2, Adjacency: ZeroOut}, {Method: FilterRenyi, Order: 1, Adjacency: ZeroOut},
		{Method: FilterRenyi, Order: math.NaN(), Adjacency: ZeroOut}, {Method: "best", Adjacency: ZeroOut}, {Method: FilterGDP}} {
		if _, err := bad.Cost(Gaussian{1}); err == nil {
			t.Errorf("%+v counts", bad)
		}
	}
	for _, cost := range []float64{-1, math.NaN()} {
		if _, err := gdp.Epsilon(cost, 1e-5); err == nil {
			t.Errorf("a cost of %v has an ε", cost)
		}
	}
}
