package privacy

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
)

// queryPlan is a plan of one query of a length over slots, beside steps of which nothing is run.
func queryPlan(t *testing.T, length, slots int, sigma float64) *Plan {
	t.Helper()
	p, err := NewPlan(Spec{Params: 10, Slots: slots, Steps: 5, SamplingProbability: 0.3, NoiseMultiplier: 4, MaxGradNorm: 7, Delta: 1e-6,
		Queries: []Query{{Name: "first", Length: 3, NoiseMultiplier: 11}, {Name: "test", Length: length, NoiseMultiplier: sigma}}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// hardVectors are vectors [rows×length] of which some are at the bound, tiny, huge, zero, infinite or no numbers.
func hardVectors(r *rand.Rand, rows, length int) []float32 {
	values := make([]float32, rows*length)
	for i := range rows {
		v := values[i*length : (i+1)*length]
		size := []float64{0.3, 1, 1, 3, 1e-30, 1e-42, 1e18, 1e38, 0}[i%9]
		norm := 0.0
		for j := range v {
			x := r.NormFloat64()
			v[j] = float32(x)
			norm += x * x
		}
		for j := range v {
			v[j] = float32(float64(v[j]) * size / math.Sqrt(norm))
		}
		switch i % 13 {
		case 11:
			v[r.IntN(length)] = float32(math.NaN())
		case 12:
			v[r.IntN(length)] = float32(math.Inf(-1))
		}
	}
	return values
}

// querySum is the lattice sum of the query, with row null (or none, at -1) left out, or null by a NaN in its place.
func querySum(t *testing.T, p *Plan, slots Slots, values []float32, length, workers, null int, zeroed bool) []int64 {
	t.Helper()
	m, err := NewQuery(p, 1, slots, rng.TestKey(3), workers)
	if err != nil {
		t.Fatal(err)
	}
	return m.TestOnlySum(0, func(_ int, rows []int32) Gradients {
		v := Vectors{Length: length, Values: make([]float32, 0, len(rows)*length)}
		for _, row := range rows {
			v.Values = append(v.Values, values[int(row)*length:(int(row)+1)*length]...)
		}
		if at := slices.Index(rows, int32(null)); at >= 0 {
			for j := range length {
				v.Values[at*length+j] = float32(math.NaN())
			}
			if !zeroed {
				return without{v, at}
			}
		}
		return v
	})
}

// without is a group whose row at is not there: it is left out of the sum.
type without struct {
	Vectors
	at int
}

func (w without) AddTo(sum []float32, lo, hi int) {
	n := w.Length
	Vectors{n, w.Values[:w.at*n]}.AddTo(sum, lo, hi)
	Vectors{n, w.Values[(w.at+1)*n:]}.AddTo(sum, lo, hi)
}

// TestNullingARowMovesAQueryByItsBoundAtMost is claim 2 for queries, in exact integers: at most 1+η, for vectors at the
// bound, beyond it and not finite. And the bound is nearly reached: the test sees the rows.
func TestNullingARowMovesAQueryByItsBoundAtMost(t *testing.T) {
	for _, length := range []int{1, 2, 7, 200} {
		for _, slots := range []int{300, 1000} {
			t.Run(fmt.Sprintf("%d numbers in %d slots", length, slots), func(t *testing.T) {
				const rows = 300
				r := rand.New(rand.NewPCG(uint64(length), 1))
				values := hardVectors(r, rows, length)
				p := queryPlan(t, length, slots, 2)
				where := OneRowEach(rows)
				if slots != rows {
					var err error
					if where, err = Scatter(rows, slots, rng.TestKey(1).Source(rng.Slots).Stream(0, 0)); err != nil {
						t.Fatal(err)
					}
				}
				lattice := p.queries[1].Lattice
				full := querySum(t, p, where, values, length, 2, -1, false)
				var worst float64
				for row := range 60 {
					absent := querySum(t, p, where, values, length, 3, row, false)
					if null := querySum(t, p, where, values, length, 1, row, true); !slices.Equal(absent, null) {
						t.Fatalf("row %d null and not there give different sums", row)
					}
					square := new(big.Int)
					for j := range full {
						d := big.NewInt(full[j] - absent[j])
						square.Add(square, d.Mul(d, d))
					}
					moved, _ := new(big.Float).Sqrt(new(big.Float).SetPrec(200).SetInt(square)).Float64()
					moved *= lattice.Step
					worst = max(worst, moved)
					if moved > 1+lattice.Eta {
						t.Errorf("nulling row %d moves the sum by %v, want at most %v", row, moved, 1+lattice.Eta)
					}
					if i := row % 13; (i == 11 || i == 12) && moved != 0 {
						t.Errorf("row %d is not finite and moves the sum by %v", row, moved)
					}
				}
				if worst < 0.999 {
					t.Errorf("no row moves the sum by more than %v: the test sees too little", worst)
				}
			})
		}
	}
}

// TestQueriesDrawTheNoiseTheyClaim asks 2,000 queries of 500 numbers of a table whose sum is known: 10⁶ draws, variance
// to 0.9 % and mean to 6.4 standard deviations, as in TestStepDrawsTheNoiseItClaims.
func TestQueriesDrawTheNoiseTheyClaim(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	const length, slots, asks, sigma = 500, 40, 2000, 3.0
	p := queryPlan(t, length, slots, sigma)
	value := float32(0.5 / math.Sqrt(length)) // a vector of norm 0.5: not clipped
	vectors := Vectors{Length: length, Values: slices.Repeat([]float32{value}, queryGroup*length)}
	want := float64(value) * slots
	var sum, square float64
	for i := range asks {
		m, err := NewQuery(p, 1, OneRowEach(slots), rng.TestKey(uint64(i)), 2)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, length)
		m.Step(got, func(_ int, rows []int32) Gradients {
			return Vectors{Length: length, Values: slices.Clone(vectors.Values[:len(rows)*length])}
		}, nil)
		for _, x := range got {
			z := (float64(x)*slots - want) / (sigma * (1 + p.queries[1].Lattice.Eta))
			sum += z
			square += z * z
		}
	}
	const n = length * asks
	if got := square / n; math.Abs(got-1) > 0.009 {
		t.Errorf("variance ÷ claimed variance = %v, want 1 ± 0.009", got)
	}
	if got := sum / math.Sqrt(n); math.Abs(got) > 6.4 {
		t.Errorf("mean: %v standard deviations from the sum, want at most 6.4", got)
	}
}

// TestQueriesShareNoNoise compares what queries and the first steps draw from one key, at equal noise: no two are equal,
// nor correlated. Correlations of 1000 draws have a standard deviation of 0.032; a bound of 0.2 is 6.3 of them.
func TestQueriesShareNoNoise(t *testing.T) {
	const length = 1000
	p, err := NewPlan(Spec{Params: length, Slots: 5, Steps: 5, SamplingProbability: 1, NoiseMultiplier: 2, MaxGradNorm: 1, Delta: 1e-6,
		Queries: []Query{{"a", length, 2}, {"b", length, 2}}})
	if err != nil {
		t.Fatal(err)
	}
	key := rng.TestKey(8)
	nothing := func(_ int, rows []int32) Gradients { return constantOf(len(rows), 0) }
	var draws [][]float32
	take := func(m *Mechanism, err error) {
		if err != nil {
			t.Fatal(err)
		}
		draw := make([]float32, length)
		m.Step(draw, nothing, nil)
		draws = append(draws, draw)
	}
	for i := range 2 {
		take(NewQuery(p, i, OneRowEach(5), key, 1))
	}
	m, err := NewMechanism(p, OneRowEach(5), key, testLayout(p.Params, 1, 8))
	for range 3 {
		take(m, err)
	}
	for i := range draws {
		for j := range i {
			var product, a, b float64
			for k := range length {
				x, y := float64(draws[i][k]), float64(draws[j][k])
				product += x * y
				a += x * x
				b += y * y
			}
			if c := product / math.Sqrt(a*b); math.Abs(c) > 0.2 {
				t.Errorf("the noise of draws %d and %d has correlation %v", i, j, c)
			}
		}
	}
}

func TestQueriesAreCharged(t *testing.T) {
	p := queryPlan(t, 7, 100, 2)
	a, err := accounting.New("pld", accounting.ZeroOut)
	if err != nil {
		t.Fatal(err)
	}
	for steps, want := range map[int]accounting.Event{
		0: accounting.Composed{Events: []accounting.Event{accounting.Gaussian{NoiseMultiplier: 11}, accounting.Gaussian{NoiseMultiplier: 2}}},
		5: accounting.Composed{Events: []accounting.Event{accounting.Gaussian{NoiseMultiplier: 11}, accounting.Gaussian{NoiseMultiplier: 2},
			accounting.SelfComposed{Count: 5, Event: accounting.PoissonSampled{SamplingProbability: p.Sampler.Probability(), Event: accounting.Gaussian{NoiseMultiplier: 4}}}}},
	} {
		got, err := p.Epsilon(a, steps)
		if err != nil {
			t.Fatal(err)
		}
		interval, err := a.Epsilon(want, p.AccountedDelta())
		if err != nil {
			t.Fatal(err)
		}
		if got < interval.Upper || got > interval.Upper*(1+1e-9) {
			t.Errorf("ε of the queries and %d steps = %v, want %v", steps, got, interval.Upper)
		}
	}
	if p.ExtraEpsilon(5) <= p.Lattice.ExtraEpsilon(10, 5) {
		t.Error("the lattices of the queries add nothing to ε")
	}
	m, err := NewMechanism(p, OneRowEach(100), rng.TestKey(1), testLayout(p.Params, 1, 8))
	if err != nil {
		t.Fatal(err)
	}
	spent, err := a.Epsilon(m.Spent(), p.AccountedDelta())
	if err != nil || spent.Upper < 1 {
		t.Errorf("before the first step ε = %v, %v was spent, want that of the queries", spent, err)
	}
}

func TestNewPlanRefusesQueries(t *testing.T) {
	for name, q := range map[string]Query{
		"no numbers": {"x", 0, 1}, "no noise": {"x", 1, 0}, "negative noise": {"x", 1, -1}, "no number as noise": {"x", 1, math.NaN()},
	} {
		if _, err := NewPlan(Spec{Params: 10, Slots: 10, Steps: 5, SamplingProbability: 1, NoiseMultiplier: 4, MaxGradNorm: 1, Delta: 1e-6,
			Queries: []Query{q}}); err == nil {
			t.Errorf("%s: NewPlan accepts the query", name)
		}
	}
}

// TestWeightsOnlyShorten holds products of weights and factors against the factors, for every kind of weight.
func TestWeightsOnlyShorten(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var weights, scale []float32
	for range 20_000 {
		weights = append(weights, []float32{r.Float32(), 1, 0, 2, -1, float32(math.NaN()), float32(math.Inf(1)), 1e-30, 1 - 0x1p-24}[r.IntN(9)])
		scale = append(scale, []float32{r.Float32(), 1, 0, 1e-38, 1 - 0x1p-24}[r.IntN(5)])
	}
	inner := &constant{}
	Weighted{inner, weights, make([]float32, len(scale))}.Scale(scale)
	for i, got := range inner.scale {
		weight := min(float64(weights[i]), 1)
		if !(weight > 0) {
			weight = 0
		}
		exact := weight * float64(scale[i])
		if !(float64(got) <= exact) || got < 0 || exact > 0x1p-125 && float64(got) < exact*(1-0x1p-23) {
			t.Fatalf("weight %v of factor %v gives %v, want %v rounded down", weights[i], scale[i], got, exact)
		}
	}
}

// TestWeightedRowsKeepTheBound is claim 2 with weights: class weights 0.3 and 1, and some that no caller should give.
func TestWeightedRowsKeepTheBound(t *testing.T) {
	const length, rows = 7, 200
	values := hardVectors(rand.New(rand.NewPCG(2, 2)), rows, length)
	p := queryPlan(t, length, rows, 2)
	lattice := p.queries[1].Lattice
	sum := func(null int) []int64 {
		m, err := NewQuery(p, 1, OneRowEach(rows), rng.TestKey(3), 1)
		if err != nil {
			t.Fatal(err)
		}
		return m.TestOnlySum(0, func(_ int, rows []int32) Gradients {
			v := Vectors{Length: length}
			var weights []float32
			for _, row := range rows {
				v.Values = append(v.Values, values[int(row)*length:(int(row)+1)*length]...)
				weights = append(weights, []float32{0.3, 1, 5, -2, float32(math.NaN())}[row%5])
				if int(row) == null {
					v.Values[len(v.Values)-1] = float32(math.NaN())
				}
			}
			return Weighted{v, weights, make([]float32, len(weights))}
		})
	}
	full := sum(-1)
	for row := range rows {
		var square float64
		for j, x := range sum(row) {
			d := float64(full[j]-x) * lattice.Step
			square += d * d
		}
		bound := []float64{0.3, 1, 1, 0, 0}[row%5] * (1 + lattice.Eta)
		if row%5 < 3 {
			bound += lattice.Eta // what one row's rounding can move
		}
		if math.Sqrt(square) > min(bound, 1+lattice.Eta) {
			t.Errorf("nulling row %d moves the sum by %v, want at most %v", row, math.Sqrt(square), bound)
		}
	}
}
