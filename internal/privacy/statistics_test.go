package privacy

import (
	"fmt"
	"math"
	"sync"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"dptrain/internal/privacy/rng"
)

// The statistical tests of this package and of those below it have fixed seeds: a build passes always or never. For fresh
// seeds the chance that a correct program fails one of them is below
//
//	noise of the step      10 comparisons beyond 6.4 standard deviations     2·10⁻⁹
//	sampler and slots      60 comparisons beyond 6.4 or 6.5                  8·10⁻⁹
//	noise of queries       10 comparisons beyond 6.3                         4·10⁻⁹
//	attacks (audit)         4 comparisons beyond 6.5                         10⁻⁹, and 3·10⁻⁸ for one alarm of the command
//	package rng            15 comparisons at 10⁻⁹                            2·10⁻⁸
//	package lattice       140 comparisons at 10⁻⁹                            2·10⁻⁷
//
// and so below 10⁻⁶ for all together.
const tooFar = 6.5 // standard deviations: 8·10⁻¹¹, both sides together

// noiseOf draws a step's noise: the noisy mean of no gradients, in units of its claimed standard deviation.
func noiseOf(m *Mechanism, dst []float32) []float64 {
	m.Step(dst, func(_ int, rows []int32) Gradients { return constantOf(len(rows), 0) }, nil)
	unit := m.plan.Divisor() / (m.plan.NoiseMultiplier * m.plan.MaxGradNorm * (1 + m.plan.Lattice.Eta))
	noise := make([]float64, len(dst))
	for j, v := range dst {
		noise[j] = float64(v) * unit
	}
	return noise
}

// TestStepDrawsNormalNoise compares the noise of the real step with the normal distribution in 64 cells of equal
// probability: 10⁶ draws, chi-square at 10⁻⁹. Cells off by 1.2 % on average are caught; a sum of twelve uniform numbers,
// noise cut at 2.5 standard deviations, or one of a hundred draws being zero all are.
func TestStepDrawsNormalNoise(t *testing.T) {
	const params, steps, cells = 20_000, 50, 64
	m := newTestMechanism(t, Spec{Params: params, Slots: 10, Steps: steps, SamplingProbability: 0.5, NoiseMultiplier: 3, MaxGradNorm: 0.7, Delta: 1e-6}, 21, 2)
	var counts [cells]float64
	dst := make([]float32, params)
	for range steps {
		for _, x := range noiseOf(m, dst) {
			counts[min(cells-1, int(cells*distuv.UnitNormal.CDF(x)))]++
		}
	}
	const mean = float64(params) * steps / cells
	statistic := 0.0
	for _, n := range counts {
		statistic += (n - mean) * (n - mean) / mean
	}
	if p := (distuv.ChiSquared{K: cells - 1}).Survival(statistic); p < 1e-9 {
		t.Errorf("chi-square %.1f over %d cells, p = %.1e, want at least 1e-9", statistic, cells, p)
	}
}

// TestNoiseIsIndependent correlates the noise of a run, and its squares, with that of other steps, of a resumption with
// a fresh key and another number of workers, and of the same coordinates under coins of another q. Half a million draws a
// comparison: a correlation above 0.9 % is caught, and so is noise of which one draw in a hundred is shared.
func TestNoiseIsIndependent(t *testing.T) {
	const params, steps = 20_000, 25
	spec := Spec{Params: params, Slots: 10, Steps: steps, SamplingProbability: 0.5, NoiseMultiplier: 3, MaxGradNorm: 0.7, Delta: 1e-6}
	run := newTestMechanism(t, spec, 22, 2)
	resumed := newTestMechanism(t, spec, 23, 3)
	spec.SamplingProbability = 0.2
	other := newTestMechanism(t, spec, 24, 1)
	type sums struct{ product, squares float64 }
	found := map[string]*sums{"the step before": {}, "two steps before": {}, "the resumption": {}, "another q": {}, "a block on": {}}
	block := run.layout.Blocks[1]
	history := [2][]float64{make([]float64, params), make([]float64, params)}
	dst := make([]float32, params)
	for range steps {
		now := noiseOf(run, dst)
		against := map[string][]float64{"the step before": history[0], "two steps before": history[1],
			"the resumption": noiseOf(resumed, dst), "another q": noiseOf(other, dst), "a block on": append(now[block:len(now):len(now)], now[:block]...)}
		for name, noise := range against {
			s := found[name]
			for j, x := range now {
				s.product += x * noise[j]
				s.squares += (x*x - 1) * (noise[j]*noise[j] - 1)
			}
		}
		history[1], history[0] = history[0], now
	}
	const n = params * steps
	for name, s := range found {
		// The first steps have nothing before them, which leaves (0−1)·(x²−1) in the squares: less than the others' variance.
		if got := s.product / math.Sqrt(n); math.Abs(got) > tooFar {
			t.Errorf("the noise and that of %s: %v standard deviations from independent", name, got)
		}
		if got := s.squares / (2 * math.Sqrt(n)); math.Abs(got) > tooFar {
			t.Errorf("the squares of the noise and of that of %s: %v standard deviations from independent", name, got)
		}
	}
}

// TestCoinsAreIndependent throws the coins of 400 real steps over 6,000 slots in many ranges, and compares with Bernoulli(q): how
// often each end of the table is drawn, the variance of the batch size and its correlation from step to step, and pairs of slots at
// distances from 1 to a range and more, in the same step and in the next. A q off by 1 %, a batch size of fixed variance, or pairs that
// are drawn together 1 % too often are caught.
func TestCoinsAreIndependent(t *testing.T) {
	const slots, steps = 6000, 400
	for _, q := range []float64{0.03, 0.5} {
		m := newTestMechanism(t, Spec{Params: 1, Slots: slots, Steps: steps, SamplingProbability: q, NoiseMultiplier: 1, MaxGradNorm: 1, Delta: 1e-6}, 25, 2)
		distances := []int{1, 2, 3, 64, m.plan.Ranges.Slots, m.plan.Ranges.Slots + 1}
		var total, squares, successive, lastSize float64
		ends := map[int]float64{0: 0, m.plan.Ranges.Slots - 1: 0, m.plan.Ranges.Slots: 0, slots - 1: 0}
		pairs, next := make([]float64, len(distances)), make([]float64, len(distances))
		before := make([]float64, slots)
		for step := range steps {
			drawn := drawnSlots(m, slots, q)
			size := 0.0
			for i, x := range drawn {
				size += x
				for k, d := range distances {
					pairs[k] += x * drawn[(i+d)%slots]
					if step > 0 {
						next[k] += before[i] * drawn[(i+d-1)%slots]
					}
				}
			}
			for slot := range ends {
				ends[slot] += drawn[slot]
			}
			total += size
			squares += size * size
			if step > 0 {
				successive += size * lastSize
			}
			lastSize, before = size, drawn
		}
		check := func(name string, value, deviation float64) {
			if math.Abs(value) > tooFar*deviation {
				t.Errorf("q = %v: %s is %.2f standard deviations off", q, name, value/deviation)
			}
		}
		v := q * (1 - q) // the variance of a coin
		check("the number of drawn slots", total, math.Sqrt(slots*steps*v))
		check("the variance of the batch size", squares/(slots*v)-steps, math.Sqrt(2*steps))
		check("the batch size beside the step before", successive/(slots*v), math.Sqrt(steps))
		for slot, sum := range ends {
			check(fmt.Sprint("slot ", slot), sum, math.Sqrt(steps*v))
		}
		for k := range distances {
			check("a pair in one step", pairs[k], v*math.Sqrt(slots*steps))
			check("a pair in two steps", next[k], v*math.Sqrt(slots*(steps-1)))
		}
	}
}

// drawnSlots runs a step and returns for each slot 1 − q where it was drawn, and −q where not.
func drawnSlots(m *Mechanism, slots int, q float64) []float64 {
	drawn := make([]float64, slots)
	for i := range drawn {
		drawn[i] = -q
	}
	var mutex sync.Mutex
	m.Step(make([]float32, 1), func(_ int, rows []int32) Gradients {
		mutex.Lock()
		defer mutex.Unlock()
		for _, row := range rows {
			drawn[row] += 1
		}
		return constantOf(len(rows), 1)
	}, nil)
	return drawn
}

// TestScatterIsUniformOverPairs counts in which order two rows stand, and how far apart: 20,000 draws of 3 rows in 12
// slots. An order that is kept 3 % too often is caught.
func TestScatterIsUniformOverPairs(t *testing.T) {
	const count, draws = 12, 20_000
	source := rng.TestKey(26).Source(rng.Slots)
	var before float64
	var apart [count]float64
	for draw := range draws {
		s, err := Scatter(3, count, source.Stream(uint64(draw), 0))
		if err != nil {
			t.Fatal(err)
		}
		slot := slotsOf(s, 3)
		if slot[0] < slot[2] {
			before++
		}
		apart[(slot[2]-slot[0]+count)%count]++
	}
	if math.Abs(before-draws/2) > tooFar*math.Sqrt(draws)/2 {
		t.Errorf("the first row stands before the last in %v of %d draws", before, draws)
	}
	for d, n := range apart[1:] {
		const p = 1.0 / (count - 1)
		if math.Abs(n-draws*p) > tooFar*math.Sqrt(draws*p*(1-p)) {
			t.Errorf("the last row is %d slots behind the first in %v of %d draws, want %v", d+1, n, draws, draws*p)
		}
	}
}
