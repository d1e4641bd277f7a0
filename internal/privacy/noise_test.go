package privacy

import (
	"math"
	"slices"
	"sync"
	"testing"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
)

// constant is a group of rows whose gradients are all value in every coordinate.
type constant struct {
	rows  int
	value float32
	scale []float32
}

func constantOf(rows int, value float32) *constant { return &constant{rows: rows, value: value} }

func (c *constant) SquaredNorms(dst []float64) {
	for i := range dst {
		dst[i] = float64(c.value) * float64(c.value) * 1e6 // far above any clipping norm here
	}
}

func (c *constant) Scale(scale []float32) { c.scale = slices.Clone(scale) }

func (c *constant) AddTo(sum []float32, lo, hi int) {
	for _, s := range c.scale {
		for j := range sum {
			sum[j] += s * c.value
		}
	}
}

func (c *constant) AddProducts(func(columns []uint32, values, d []float32)) {}

// testLayout gives each worker ranges of its own.
func testLayout(params, workers, groupRows int) Layout {
	return Layout{Workers: workers, GroupRows: groupRows, Groups: workers, Blocks: EvenBlocks(params)}
}

func newTestMechanism(t testing.TB, s Spec, seed uint64, workers int) *Mechanism {
	t.Helper()
	p, err := NewPlan(s)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMechanism(p, OneRowEach(s.Slots), rng.TestKey(seed), testLayout(s.Params, workers, 8))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// TestStepDrawsTheNoiseItClaims measures the noise of the real step: 10⁶ draws of zero gradients. The variance has a
// relative standard deviation of √(2/10⁶); the bound of 0.9 % is 6.4 of them, a false alarm of 2e-10. A σ off by 0.5 %
// is caught. The mean, and the correlations of neighbours, of blocks and of successive steps, have bounds of 6.4 as well.
func TestStepDrawsTheNoiseItClaims(t *testing.T) {
	const params, steps = 20_000, 50
	spec := Spec{Params: params, Slots: 10, Steps: steps, SamplingProbability: 0.5, NoiseMultiplier: 3, MaxGradNorm: 0.7, Delta: 1e-6}
	m := newTestMechanism(t, spec, 4, 2)
	want := spec.NoiseMultiplier * spec.MaxGradNorm * (1 + m.plan.Lattice.Eta) / m.plan.Divisor()
	var sum, square, neighbours, blocks, successive float64
	noise, last := make([]float32, params), make([]float32, params)
	for range steps {
		m.Step(noise, func(_ int, rows []int32) Gradients { return constantOf(len(rows), 0) }, nil)
		for j, v := range noise {
			x := float64(v) / want
			sum += x
			square += x * x
			neighbours += x * float64(noise[(j+1)%params]) / want
			blocks += x * float64(noise[(j+m.layout.Blocks[1])%params]) / want
			successive += x * float64(last[j]) / want
		}
		noise, last = last, noise
	}
	const n = params * steps
	if got := square / n; math.Abs(got-1) > 0.009 {
		t.Errorf("variance ÷ claimed variance = %v, want 1 ± 0.009", got)
	}
	for name, got := range map[string]float64{"mean": sum, "neighbours": neighbours, "blocks": blocks, "successive steps": successive} {
		if got /= math.Sqrt(n); math.Abs(got) > 6.4 {
			t.Errorf("%s: %v standard deviations from 0, want at most 6.4", name, got)
		}
	}
}

// TestStepIsTheMeanOfClippedRows takes the noise away in the average: C/√P a coordinate for full batch.
func TestStepIsTheMeanOfClippedRows(t *testing.T) {
	const params, slots = 4000, 100
	m := newTestMechanism(t, Spec{Params: params, Slots: slots, Steps: 1, SamplingProbability: 1, NoiseMultiplier: 0.1, MaxGradNorm: 1, Delta: 1e-6}, 1, 3)
	mean := make([]float32, params)
	m.Step(mean, func(_ int, rows []int32) Gradients { return constantOf(len(rows), 2) }, nil)
	var sum float64
	for _, v := range mean {
		sum += float64(v)
	}
	// A row is scaled by 1/(2·10³), so each coordinate's mean is 10⁻³; the noise of the average is 0.1/(100·√4000).
	if got := sum / params; math.Abs(got-1e-3) > 6.5*0.1/(slots*math.Sqrt(params)) {
		t.Errorf("mean of the noisy mean = %v, want 0.001", got)
	}
}

func TestStepDoesNotDependOnWorkers(t *testing.T) {
	spec := Spec{Params: 9000, Slots: 1000, Steps: 3, SamplingProbability: 0.4, NoiseMultiplier: 1, MaxGradNorm: 1, Delta: 1e-6}
	var want []float32
	for _, workers := range []int{1, 2, 8} {
		m := newTestMechanism(t, spec, 9, workers)
		got := make([]float32, spec.Params)
		for range spec.Steps {
			m.Step(got, func(_ int, rows []int32) Gradients { return constantOf(len(rows), 1) }, nil)
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d workers give another result than 1", workers)
		}
	}
}

func TestEveryStepIsCharged(t *testing.T) {
	m := newTestMechanism(t, Spec{Params: 1, Slots: 3, Steps: 5, SamplingProbability: 1e-9, NoiseMultiplier: 1, MaxGradNorm: 1, Delta: 1e-6}, 1, 1)
	dst := make([]float32, 1)
	for range 4 {
		m.Step(dst, func(int, []int32) Gradients { t.Error("a row was drawn at q = 1e-9"); return constantOf(0, 0) }, nil)
		if dst[0] == 0 {
			t.Error("an empty draw adds no noise")
		}
	}
	if got, want := m.Spent(), m.plan.Event(4); got != want {
		t.Errorf("Spent() = %v, want %v", got, want)
	}
}

// TestStepsDrawTheirOwnRows counts the slots drawn in two successive steps of the real mechanism, over ranges and
// workers: N·q² of them, within 6.4 standard deviations, a false alarm of 2e-10. Coins that repeat from one step to the
// next, or from one range to the next, make it N·q.
func TestStepsDrawTheirOwnRows(t *testing.T) {
	const slots, steps, q = 20_000, 20, 0.1
	m := newTestMechanism(t, Spec{Params: 1, Slots: slots, Steps: steps, SamplingProbability: q, NoiseMultiplier: 1, MaxGradNorm: 1, Delta: 1e-6}, 2, 2)
	size := m.plan.Ranges.Slots
	if slots/size < 3 {
		t.Fatalf("%d slots are in ranges of %d: too few to compare", slots, size)
	}
	var both, ranges float64
	last := make([]bool, slots)
	for range steps {
		var mutex sync.Mutex
		drawn := make([]bool, slots)
		m.Step(make([]float32, 1), func(_ int, rows []int32) Gradients {
			mutex.Lock()
			defer mutex.Unlock()
			for _, row := range rows {
				drawn[row] = true
			}
			return constantOf(len(rows), 1)
		}, nil)
		for i, d := range drawn {
			if d && last[i] {
				both++
			}
			if d && i >= size && drawn[i-size] {
				ranges++
			}
		}
		last = drawn
	}
	for name, got := range map[string][2]float64{"steps": {both, slots * (steps - 1)}, "ranges": {ranges, float64(slots-size) * steps}} {
		want := got[1] * q * q
		if math.Abs(got[0]-want) > 6.4*math.Sqrt(want*(1+2*q)) {
			t.Errorf("slots drawn in both of two successive %s: %v, want %v", name, got[0], want)
		}
	}
}

func TestPlanAccountsForWhatItRuns(t *testing.T) {
	for _, q := range []float64{0.02, 1} {
		// So many coordinates that what the lattice adds to ε shows in a float64.
		spec := Spec{Params: 1 << 30, Slots: 5000, Steps: 70, SamplingProbability: q, NoiseMultiplier: 1.3, MaxGradNorm: 2, Delta: 1e-5}
		p, err := NewPlan(spec)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := p.Divisor(), p.Sampler.Probability()*5000; got != want {
			t.Errorf("q = %v: Divisor() = %v, want %v", q, got, want)
		}
		var step accounting.Event = accounting.Gaussian{NoiseMultiplier: 1.3}
		if q < 1 {
			step = accounting.PoissonSampled{SamplingProbability: p.Sampler.Probability(), Event: step}
		}
		for _, name := range []string{"pld", "rdp"} {
			a, err := accounting.New(name, accounting.ZeroOut)
			if err != nil {
				t.Fatal(err)
			}
			want, err := a.Epsilon(accounting.SelfComposed{Count: 70, Event: step}, spec.Delta*(1-arithmeticShare))
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Bracket(a, 70)
			if least := want.Upper + p.Lattice.ExtraEpsilon(spec.Params, 70); err != nil || got.Upper < least || got.Upper > least*(1+1e-12) {
				t.Errorf("q = %v, %s: Epsilon(70) = %v, %v, want %v", q, name, got.Upper, err, least)
			}
			delta, err := p.DeltaAt(a, 70, got.Upper)
			if err != nil || delta > spec.Delta*(1+1e-5) {
				t.Errorf("q = %v, %s: DeltaAt(70, Epsilon) = %v, %v, want at most %v", q, name, delta, err, spec.Delta)
			}
		}
	}
}

func TestNewPlanRefuses(t *testing.T) {
	good := Spec{Params: 10, Slots: 10, Steps: 10, SamplingProbability: 0.5, NoiseMultiplier: 1, MaxGradNorm: 1, Delta: 1e-5}
	if _, err := NewPlan(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Spec){
		"no parameters":      func(s *Spec) { s.Params = 0 },
		"no slots":           func(s *Spec) { s.Slots = 0 },
		"negative steps":     func(s *Spec) { s.Steps = -1 },
		"q 0":                func(s *Spec) { s.SamplingProbability = 0 },
		"q above 1":          func(s *Spec) { s.SamplingProbability = 1.5 },
		"q not a number":     func(s *Spec) { s.SamplingProbability = math.NaN() },
		"no noise":           func(s *Spec) { s.NoiseMultiplier = 0 },
		"infinite noise":     func(s *Spec) { s.NoiseMultiplier = math.Inf(1) },
		"clipping norm 0":    func(s *Spec) { s.MaxGradNorm = 0 },
		"clipping norm huge": func(s *Spec) { s.MaxGradNorm = 1e7 },
		"delta 0":            func(s *Spec) { s.Delta = 0 },
		"delta tiny":         func(s *Spec) { s.Delta = 1e-200 },
		"delta 1":            func(s *Spec) { s.Delta = 1 },
		"too long a run":     func(s *Spec) { s.Slots, s.NoiseMultiplier, s.Steps = 1<<31-1, 0.01, 1e9 },
	} {
		s := good
		spoil(&s)
		if _, err := NewPlan(s); err == nil {
			t.Errorf("%s: NewPlan = nil error, want one", name)
		}
	}
}

// TestBlocksKeepToSparseColumns: a column is collected whole, by one worker.
func TestBlocksKeepToSparseColumns(t *testing.T) {
	p, err := NewPlan(Spec{Params: 20, Sparse: Sparse{Columns: 4, Width: 3}, Slots: 10, Steps: 1, SamplingProbability: 1,
		NoiseMultiplier: 1, MaxGradNorm: 1, Delta: 1e-6})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		blocks []int
		good   bool
	}{
		{[]int{0, 12, 20}, true},
		{[]int{0, 3, 9, 12, 13, 20}, true},
		{[]int{0, 20}, false},
		{[]int{0, 4, 12, 20}, false},
		{[]int{0, 9, 15, 20}, false},
	} {
		m, err := NewMechanism(p, OneRowEach(10), rng.TestKey(1), Layout{Workers: 1, GroupRows: 4, Groups: 1, Blocks: test.blocks})
		if (err == nil) != test.good {
			t.Errorf("blocks %v: %v", test.blocks, err)
		}
		if err == nil {
			m.Close()
		}
	}
	for _, sparse := range []Sparse{{4, 6}, {4, 0}, {0, 4}, {-1, -1}, {1 << 62, 4}} {
		if _, err := NewPlan(Spec{Params: 20, Sparse: sparse, Slots: 10, Steps: 1, SamplingProbability: 1, NoiseMultiplier: 1, MaxGradNorm: 1, Delta: 1e-6}); err == nil {
			t.Errorf("%+v of 20 coordinates is taken", sparse)
		}
	}
}

// TestEtaCountsSparseCoordinates holds the plan's η against claim 2 (package lattice), with the largest number of rows in a range and S
// as the plan has them.
func TestEtaCountsSparseCoordinates(t *testing.T) {
	p, err := NewPlan(Spec{Params: 1<<30 + 10, Sparse: Sparse{Columns: 1 << 20, Width: 1 << 10}, Slots: 1000, Steps: 1, SamplingProbability: 1,
		NoiseMultiplier: 1, MaxGradNorm: 1, Delta: 1e-6})
	if err != nil {
		t.Fatal(err)
	}
	const u = 0x1p-24
	r, l := float64(p.Ranges.MaxDrawn), p.Lattice
	want := u*r*r*(1+r*u) + math.Sqrt(1<<30+10)*l.Step + math.Sqrt(1<<30)*l.ProductStep/2
	if l.Eta < want || l.Eta > want*(1+1e-9) {
		t.Errorf("η is %v, want %v", l.Eta, want)
	}
	if noise := float64(l.Parameter) * l.Step; noise < 1+want {
		t.Errorf("the noise is %v, want at least %v", noise, 1+want)
	}
}
