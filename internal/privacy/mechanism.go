package privacy

import (
	"fmt"
	"slices"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/lattice"
	"dptrain/internal/privacy/rng"
)

// Gradients is a group of B rows' gradients of P parameters, as computed: a row's gradient is a function of the
// parameters and the row alone, bit for bit.
type Gradients interface {
	// SquaredNorms sets dst [B] to upper bounds of the squared L2 norms; not finite where a gradient is not.
	SquaredNorms(dst []float64)
	// Scale multiplies the gradient of row i by scale[i]; scale [B]. What is subnormal then becomes 0, so that nothing grows by
	// rounding. A row of scale 0 is null from then on.
	Scale(scale []float32)
	// AddTo adds the coordinates [lo, hi) of the scaled gradients to sum [hi−lo], the rows in order, one chain of
	// additions a coordinate. A null row changes no bit of sum. lo and hi are bounds of blocks ([Layout]), or the end of the
	// plan's Sparse coordinates. Several goroutines may call it at once.
	AddTo(sum []float32, lo, hi int)
	// AddProducts calls add with the scaled gradient of each row in the plan's [Sparse] coordinates, as outer products whose sum
	// it is: coordinate columns[t]·Width + j of one is values[t]·d[j], exactly. The columns of one ascend, and those of all of a row
	// differ; where there are none the gradient is 0. Values and d are finite, and no d[j] is longer than the clipping norm. Of a null
	// row there is no product, or one of d = 0.
	AddProducts(add func(columns []uint32, values, d []float32))
}

// A Source computes the gradients of rows (in the order given) at the current parameters. What it returns must last
// until its next call with that group number. It is called by several workers at once, each with another group.
type Source func(group int, rows []int32) Gradients

// A Layout says how a step's work is cut up. It changes no sum and no distribution, but the blocks are part of what a
// seed determines: each has a stream of noise of its own.
type Layout struct {
	Workers   int  // goroutines of a step
	GroupRows int  // the largest number of rows in a group
	Waves     bool // whether workers share ranges: see [Mechanism]
	Groups    int  // group numbers of a Source: one for each worker, or enough for a range where they share
	// Blocks are bounds: block b is the coordinates [Blocks[b], Blocks[b+1]). From 0 to P, the end of the plan's Sparse coordinates
	// and none within one of their columns among them; a function of the config alone.
	Blocks []int
}

// A Mechanism runs the steps of a plan: sample, clip, sum, noise, count, in one call, so that neither order nor count
// can be wrong. Gradients go in; only a noisy mean comes out.
//
// Ranges are summed in one of two ways, to the same bits. Few parameters: each worker takes ranges of its own from coins to
// lattice, while the rows are in its caches, and the workers' integer sums are added up at the end. Many parameters: a
// sum for each worker would leave the caches for every range, so the workers take a wave of ranges together, its rows
// group by group, then its sum block by block; a block stays in the cache while the wave's rows pass.
//
// The plan's Sparse coordinates are summed in neither: each worker adds the rows that it clips, product by product, to integers
// of its own.
type Mechanism struct {
	plan    *Plan
	slots   Slots
	layout  Layout
	coins   *rng.Source
	noise   noiser
	crew    *crew
	shared  []int64 // [P−S]: sum of the coordinates that are not Sparse, in waves; else nil
	workers []worker
	wave    *wave  // nil where each worker takes ranges of its own
	first   uint64 // number of its first step among those that share its streams
	drawn   int    // steps whose noise was drawn

	// Of the step at hand.
	step      uint64
	gradients Source
	dst       []float32
	released  func(lo int, mean []float32)
	tasks     tasks
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

// tasks are the parts of a step, as functions that need not be made anew.
type tasks struct{ sumRange, draw, clip, sumBlock, release func(worker, i int) }

// worker is what one goroutine of a step works in.
type worker struct {
	products   *lattice.Products                           // sum of the Sparse coordinates; nil: there are none
	addProduct func(columns []uint32, values, d []float32) // products.Add, made once
	range32    []float32                                   // sum over one range: of all other coordinates, or of one block
	sum        []int64                                     // [P−S]: of the others over this worker's ranges, in lattice steps; in waves the shared one
	block      []int64                                     // sum of one block of Sparse coordinates, of all workers
	mean       []float32                                   // noisy mean of one block
	drawn      []int32                                     // slots drawn in one range, then their rows
	norms      []float64                                   // [GroupRows]
	scale      []float32                                   // [GroupRows]
	coins      rng.Stream
	noise      rng.Stream
}

// NewMechanism readies a run of the plan over slots. It starts goroutines, which end with [Mechanism.Close].
func NewMechanism(p *Plan, slots Slots, key rng.Key, layout Layout) (*Mechanism, error) {
	return newMechanism(p, slots, key.Source(rng.Coins), key.Source(rng.Noise), layout)
}

func newMechanism(p *Plan, slots Slots, coins, noise *rng.Source, layout Layout) (*Mechanism, error) {
	if slots.Count() != p.Slots {
		return nil, fmt.Errorf("%d slots, the plan has %d", slots.Count(), p.Slots)
	}
	if err := layout.check(p); err != nil {
		return nil, err
	}
	gaussian, err := lattice.NewGaussian(p.Lattice.Parameter)
	if err != nil {
		return nil, err
	}
	m := &Mechanism{
		plan: p, slots: slots, layout: layout,
		coins: coins, noise: drawnNoise{gaussian, noise},
		crew:    newCrew(layout.Workers),
		workers: make([]worker, layout.Workers),
		wave:    newWave(p, layout),
	}
	if m.wave != nil {
		m.shared = make([]int64, p.Params-p.Sparse.coordinates())
	}
	m.tasks = tasks{m.sumRange, m.drawRange, m.clipGroup, m.sumBlock, m.release}
	for i := range m.workers {
		m.workers[i] = m.newWorker()
	}
	return m, nil
}

// newWorker is the memory of a worker.
func (m *Mechanism) newWorker() worker {
	p, l := m.plan, m.layout
	k := worker{norms: make([]float64, l.GroupRows), scale: make([]float32, l.GroupRows), mean: make([]float32, l.WidestBlock())}
	if p.Sparse != (Sparse{}) {
		k.products = lattice.NewProducts(p.Lattice, p.Sparse.Columns, p.Sparse.Width)
		k.addProduct = k.products.Add
		k.block = make([]int64, l.WidestBlock())
	}
	if m.wave != nil {
		k.range32, k.sum = make([]float32, l.WidestBlock()), m.shared
		return k
	}
	rest := p.Params - p.Sparse.coordinates()
	k.range32, k.sum = make([]float32, rest), make([]int64, rest)
	k.drawn = make([]int32, 0, p.Ranges.MaxDrawn+drawnSlack)
	return k
}

// check refuses a layout that does not fit the plan.
func (l Layout) check(p *Plan) error {
	if l.Workers < 1 || l.GroupRows < 1 {
		return fmt.Errorf("%d workers and groups of %d rows, want at least 1 of each", l.Workers, l.GroupRows)
	}
	need := l.Workers
	if l.Waves {
		need = l.groupsPerRange(p)
	}
	if l.Groups < need {
		return fmt.Errorf("%d groups, want at least %d", l.Groups, need)
	}
	last := len(l.Blocks) - 1
	if last < 1 || l.Blocks[0] != 0 || l.Blocks[last] != p.Params {
		return fmt.Errorf("blocks do not go from 0 to %d", p.Params)
	}
	for b := range last {
		if l.Blocks[b] >= l.Blocks[b+1] {
			return fmt.Errorf("block %d is empty", b)
		}
		if from := l.Blocks[b]; from < p.Sparse.coordinates() && from%p.Sparse.Width != 0 {
			return fmt.Errorf("block %d begins within a column", b)
		}
	}
	if !slices.Contains(l.Blocks, p.Sparse.coordinates()) {
		return fmt.Errorf("no block ends with the sparse coordinates")
	}
	return nil
}

// groupsPerRange is the number of groups that a range of the plan can need.
func (l Layout) groupsPerRange(p *Plan) int {
	return (p.Ranges.MaxDrawn + l.GroupRows - 1) / l.GroupRows
}

// EvenBlocks cuts params coordinates into blocks of a length that suits noise.
func EvenBlocks(params int) []int {
	const length = 4096
	blocks := []int{0}
	for b := length; b < params; b += length {
		blocks = append(blocks, b)
	}
	return append(blocks, params)
}

// WidestBlock is the length of the longest block.
func (l Layout) WidestBlock() int {
	widest := 0
	for b := range len(l.Blocks) - 1 {
		widest = max(widest, l.Blocks[b+1]-l.Blocks[b])
	}
	return widest
}

// Step runs one step and gives out the noisy mean: the lattice sum of the drawn rows' clipped gradients, plus
// noise, over the public divisor. It is the only way to learn anything of the gradients, and counts what it does. An
// empty draw is a step like any other.
//
// dst [P], unless nil, is set to the noisy mean. released, unless nil, is called for each block of it, the coordinates from lo
// on, once no gradient is asked for any more, by several workers at once: for what is done with them next. mean is valid until
// released returns. Where there is no dst, memory for a few blocks does, which stays in the cache.
func (m *Mechanism) Step(dst []float32, gradients Source, released func(lo int, mean []float32)) {
	m.step, m.gradients, m.dst, m.released = m.first+uint64(m.drawn), gradients, dst, released
	m.drawn++
	m.sum()
	m.crew.each(len(m.layout.Blocks)-1, m.tasks.release)
}

// Close ends the mechanism's goroutines. No step may follow.
func (m *Mechanism) Close() { m.crew.dismiss() }

// Spent is what the steps run so far cost.
func (m *Mechanism) Spent() accounting.Event { return m.plan.Event(m.drawn) }

// release gives out block b of the workers' sums plus noise, over the divisor, and clears the sums.
func (m *Mechanism) release(w, b int) {
	lo, hi := m.layout.Blocks[b], m.layout.Blocks[b+1]
	sum := m.collect(w, lo, hi)
	m.noise.addNoise(sum, m.step, uint64(b), &m.workers[w].noise)
	mean := m.workers[w].mean[:hi-lo]
	if m.dst != nil {
		mean = m.dst[lo:hi]
	}
	lattice.Scale(mean, sum, m.plan.Lattice.Step/m.plan.Divisor())
	if m.released != nil {
		m.released(lo, mean)
	}
}

// collect is the sum of all workers over block [lo, hi), which they no longer have. Whoever takes it clears it.
func (m *Mechanism) collect(w, lo, hi int) []int64 {
	sparse, width := m.plan.Sparse.coordinates(), m.plan.Sparse.Width
	if lo < sparse {
		sum := m.workers[w].block[:hi-lo]
		for i := range m.workers {
			m.workers[i].products.CollectTo(sum, lo/width, hi/width)
		}
		return sum
	}
	sum := m.workers[0].sum[lo-sparse : hi-sparse]
	if m.wave == nil {
		for i := range m.workers[1:] {
			lattice.Collect(sum, m.workers[1+i].sum[lo-sparse:hi-sparse])
		}
	}
	return sum
}
