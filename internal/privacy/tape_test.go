package privacy

import (
	"strings"
	"testing"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
)

// liar is a group whose gradients are longer than it says.
type liar struct{ *constant }

func (l liar) SquaredNorms(dst []float64) { clear(dst) }

// TestTapeSeesFaults breaks what a mechanism may do, one way at a time.
func TestTapeSeesFaults(t *testing.T) {
	spec := Spec{Params: 5000, Slots: 300, Steps: 3, SamplingProbability: 0.4, NoiseMultiplier: 1, MaxGradNorm: 1, Delta: 1e-6}
	honest := func(_ int, rows []int32) Gradients { return constantOf(len(rows), 1) }
	for _, test := range []struct {
		name  string
		steps int // of the second run
		play  func(first, second *Taped)
		want  string
	}{
		{"honest", 3, func(*Taped, *Taped) {}, ""},
		{"a longer run", 4, func(*Taped, *Taped) {}, "more steps"},
		{"another number of slots", 3, func(_, second *Taped) { second.mechanism.plan.Slots-- }, "throws"},
		{"another seed", 3, func(_, second *Taped) {
			second.mechanism.coins = second.mechanism.noise.(tapedNoise).noiser.(drawnNoise).source
		}, "other coins"},
		{"another divisor", 3, func(first, _ *Taped) { first.plan.Slots *= 2 }, "public divisor"},
		{"no noise", 3, func(first, _ *Taped) { first.mechanism.noise = none{} }, "adds noise to 0"},
		{"one noise for all blocks", 3, func(first, _ *Taped) {
			inner := first.mechanism.noise.(tapedNoise)
			first.mechanism.noise = tapedNoise{oneForAll{inner.noiser}, first}
		}, "drawn before"},
	} {
		p, err := NewPlan(spec)
		if err != nil {
			t.Fatal(err)
		}
		tape := NewTape(1)
		first, err := tape.Record(p, OneRowEach(300), testLayout(spec.Params, 2, 16))
		if err != nil {
			t.Fatal(err)
		}
		second, err := tape.Record(p, OneRowEach(300), testLayout(spec.Params, 1, 16))
		if err != nil {
			t.Fatal(err)
		}
		second.Play(7, accounting.ZeroOut)
		test.play(first, second)
		dst := make([]float32, spec.Params)
		for range 3 {
			first.Step(dst, honest, nil)
		}
		for range test.steps {
			second.Step(dst, honest, nil)
		}
		if got := strings.Join(tape.Found().Faults, "; "); !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s: faults are %q, want %q", test.name, got, test.want)
		}
	}
}

// none adds no noise; oneForAll adds that of the first block to all.
type none struct{}

type oneForAll struct{ noiser }

func (none) addNoise([]int64, uint64, uint64, *rng.Stream) {}

func (o oneForAll) addNoise(sum []int64, step, _ uint64, stream *rng.Stream) {
	o.noiser.addNoise(sum, step, 0, stream)
}

// TestTapeMeasuresWhatARowMoves nulls a row that is within its bound, and one that is not.
func TestTapeMeasuresWhatARowMoves(t *testing.T) {
	spec := Spec{Params: 100, Slots: 50, Steps: 1, SamplingProbability: 1, NoiseMultiplier: 1, MaxGradNorm: 1, Delta: 1e-6}
	for _, long := range []bool{false, true} {
		p, err := NewPlan(spec)
		if err != nil {
			t.Fatal(err)
		}
		tape := NewTape(2)
		for run := range 2 {
			taped, err := tape.Record(p, OneRowEach(50), testLayout(spec.Params, 1, 1))
			if err != nil {
				t.Fatal(err)
			}
			if run == 1 {
				taped.Play(7, accounting.ZeroOut)
			}
			taped.Step(make([]float32, spec.Params), func(_ int, rows []int32) Gradients {
				g := constantOf(1, 1)
				switch {
				case rows[0] == 7 && run == 1:
					return constantOf(1, 0)
				case rows[0] == 7 && long:
					return liar{g}
				}
				return g
			}, nil)
		}
		found := tape.Found()
		// 100 coordinates of 1, clipped to 10⁻³ each or not at all.
		want := map[bool]float64{false: 0.01, true: 10}[long] / (1 + p.Lattice.Eta)
		if found.Moved < want*0.999 || found.Moved > want*1.001 || (len(found.Faults) > 0) != long {
			t.Errorf("long = %v: moved %v, faults %v, want %v", long, found.Moved, found.Faults, want)
		}
	}
}
