package privacy

import (
	"fmt"
	"sync"
	"sync/atomic"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/lattice"
	"dptrain/internal/privacy/rng"
)

// Gradients is a group of B rows' gradients of P parameters, as computed: a row's gradient is a function of the
// parameters and the row alone, bit for bit.
type Gradients interface {
	// SquaredNorms sets dst [B] to upper bounds of the squared L2 norms; not finite where a gradient is not.
	SquaredNorms(dst []float64)
	// AddScaled adds Σ scale[i]·gᵢ to sum [P], the rows in order, one chain of additions a coordinate. scale [B];
	// 0 is a null row, which changes no bit of sum.
	AddScaled(sum, scale []float32)
}

// A Source computes the gradients of rows (in the order given) at the current parameters. It is called by several
// workers at once, each with its own number in [0, workers); what it returns is used up before its next call with
// that number.
type Source func(worker int, rows []int32) Gradients

// A Mechanism runs the steps of a plan: sample, clip, sum, noise, count, in one call, so that neither order nor count
// can be wrong. Gradients go in; only a noisy mean comes out.
type Mechanism struct {
	plan    *Plan
	slots   Slots
	coins   *rng.Source
	noise   noiser
	workers []worker
	first   uint64 // number of its first step among those that share its streams
	drawn   int    // steps whose noise was drawn
}

// A noiser adds a step's noise to block t of the sum; stream is memory for its randomness. It is drawnNoise in every
// run. A [Tape] has its own, which sees what goes in and out.
type noiser interface {
	addNoise(sum []int64, step, t uint64, stream *rng.Stream)
}

// drawnNoise is the discrete Gaussian, for each step and block from a stream of its own.
type drawnNoise struct {
	gaussian *lattice.Gaussian
	source   *rng.Source
}

func (n drawnNoise) addNoise(sum []int64, step, t uint64, stream *rng.Stream) {
	n.source.Open(stream, step, t)
	n.gaussian.Add(sum, stream)
}

// worker is what one goroutine of a step works in. Workers share nothing until their integer sums are added up.
type worker struct {
	range32 []float32 // [P]: sum over one range
	sum     []int64   // [P]: sum over this worker's ranges, in lattice steps
	sampled []int32   // slots drawn in one range, then their rows
	norms   []float64 // [groupRows]
	scale   []float32 // [groupRows]
	coins   rng.Stream
	noise   rng.Stream
}

// NewMechanism readies a run of the plan over slots. groupRows is the largest number of rows a Source is asked for at
// once. Neither it nor workers changes any result.
func NewMechanism(p *Plan, slots Slots, key rng.Key, workers, groupRows int) (*Mechanism, error) {
	return newMechanism(p, slots, key.Source(rng.Coins), key.Source(rng.Noise), workers, groupRows)
}

func newMechanism(p *Plan, slots Slots, coins, noise *rng.Source, workers, groupRows int) (*Mechanism, error) {
	if slots.Count() != p.Slots {
		return nil, fmt.Errorf("%d slots, the plan has %d", slots.Count(), p.Slots)
	}
	if workers < 1 || groupRows < 1 {
		return nil, fmt.Errorf("%d workers and groups of %d rows, want at least 1 of each", workers, groupRows)
	}
	gaussian, err := lattice.NewGaussian(p.Lattice.Parameter)
	if err != nil {
		return nil, err
	}
	m := &Mechanism{
		plan: p, slots: slots,
		coins: coins, noise: drawnNoise{gaussian, noise},
		workers: make([]worker, workers),
	}
	for i := range m.workers {
		m.workers[i] = worker{
			range32: make([]float32, p.Params),
			sum:     make([]int64, p.Params),
			sampled: make([]int32, 0, p.Ranges.MaxDrawn),
			norms:   make([]float64, groupRows),
			scale:   make([]float32, groupRows),
		}
	}
	return m, nil
}

// noiseBlock is the number of coordinates that share a stream of noise.
const noiseBlock = 4096

// Step runs one step and sets dst [P] to the noisy mean: the lattice sum of the drawn rows' clipped gradients, plus
// noise, over the public divisor. It is the only way to learn anything of the gradients, and counts what it does. An
// empty draw is a step like any other.
func (m *Mechanism) Step(dst []float32, gradients Source) {
	step := m.first + uint64(m.drawn)
	m.drawn++
	m.sum(step, gradients)
	blocks := (m.plan.Params + noiseBlock - 1) / noiseBlock
	m.inParallel(blocks, func(w, t int) { m.release(dst, w, t, step) })
}

// sum draws the step's rows and adds their clipped gradients to the workers' sums.
func (m *Mechanism) sum(step uint64, gradients Source) {
	ranges := (m.plan.Slots + m.plan.Ranges.Slots - 1) / m.plan.Ranges.Slots
	m.inParallel(ranges, func(w, t int) { m.sumRange(w, t, step, gradients) })
}

// Spent is what the steps run so far cost.
func (m *Mechanism) Spent() accounting.Event { return m.plan.Event(m.drawn) }

// inParallel calls f(worker, i) for each i in [0, n), in any order, from all workers.
func (m *Mechanism) inParallel(n int, f func(worker, i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for w := range m.workers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(w, i)
			}
		})
	}
	group.Wait()
}

// sumRange adds the clipped gradients of range t's drawn rows to worker w's sum. The float32 sum starts at +0 for each
// range and is rounded to the lattice where the range ends.
func (m *Mechanism) sumRange(w, t int, step uint64, gradients Source) {
	k := &m.workers[w]
	lo := t * m.plan.Ranges.Slots
	hi := min(lo+m.plan.Ranges.Slots, m.plan.Slots)
	m.coins.Open(&k.coins, step, uint64(t))
	k.sampled = m.plan.Sampler.Sample(k.sampled[:0], lo, hi, &k.coins)
	rows := m.slots.resolve(k.sampled)
	if len(rows) == 0 {
		return
	}
	for len(rows) > 0 {
		group := rows[:min(len(rows), len(k.norms))]
		rows = rows[len(group):]
		norms, scale := k.norms[:len(group)], k.scale[:len(group)]
		g := gradients(w, group)
		g.SquaredNorms(norms)
		m.plan.Clipper.Scale(scale, norms)
		g.AddScaled(k.range32, scale)
	}
	lattice.RoundAdd(k.sum, k.range32, 1/m.plan.Lattice.Step)
}

// release sets block t of dst to the workers' sums plus noise, over the divisor, and clears the sums.
func (m *Mechanism) release(dst []float32, w, t int, step uint64) {
	lo := t * noiseBlock
	hi := min(lo+noiseBlock, m.plan.Params)
	sum := m.workers[0].sum[lo:hi]
	for i := range m.workers[1:] {
		lattice.Collect(sum, m.workers[1+i].sum[lo:hi])
	}
	m.noise.addNoise(sum, step, uint64(t), &m.workers[w].noise)
	lattice.Scale(dst[lo:hi], sum, m.plan.Lattice.Step/m.plan.Divisor())
}
