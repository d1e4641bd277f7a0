package train

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"dptrain/internal/data"
	"dptrain/internal/privacy"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
)

// Training without privacy shows what privacy costs. It never meets the mechanism: a plan without privacy has none
// ([Plan.Noiseless]), so no noise multiplier, event or ε can be had from it, a fit by it says that the records themselves
// were spent, and a report of either claims nothing.

// means gives out the mean gradient of one step after another, and says what that cost.
type means interface {
	Step(dst []float32, gradients privacy.Source, released func(lo int, mean []float32))
	Spent() accounting.Event
	Close()
}

// newMeans is the plan's mechanism over the rows of a table; for a plan without privacy, exact means.
func (p *Plan) newMeans(d *data.Dataset, r Run, layout privacy.Layout) (means, error) {
	if p.Noiseless() {
		return newExactMeans(p, d.Rows, r, layout)
	}
	slots, err := p.newSlots(d, r.Key)
	if err != nil {
		return nil, err
	}
	if r.watch != nil {
		return r.watch(slots, layout)
	}
	return privacy.NewMechanism(p.Mechanism, slots, r.Key, layout)
}

// newSlots puts the rows of a table into slots, as the adjacency asks for. It is the same map for queries and steps of one
// key.
func (p *Plan) newSlots(d *data.Dataset, key rng.Key) (privacy.Slots, error) {
	if p.Privacy.Adjacency == accounting.AddOrRemoveOne { // where a null row is none
		return privacy.Scatter(d.Rows, p.RowsAtMost, key.Source(rng.Slots).Stream(0, 0))
	}
	return privacy.OneRowEachBut(d.Null, d.Rows)
}

// The parts that the coins of a step without privacy are cut into, whatever the number of workers, and the sums: one for each part
// where there is memory for them. Neither changes with the number of workers, so that what is learned does not.
const (
	noiselessRanges = 16
	noiselessSums   = 2       // of more than manyParams parameters where there are no waves; no more workers then sum
	manyParams      = 1 << 19 // whose sixteen sums take 32 MiB
)

// exactMeans gives out exact means of the drawn rows' gradients, neither clipped nor noised. As in [privacy.Mechanism], workers take
// ranges of their own, or waves of groups together.
type exactMeans struct {
	rows    int
	sampler privacy.Sampler
	coins   *rng.Source
	layout  privacy.Layout
	workers []exactWorker
	sums    [][]float32         // [P] each
	wave    []privacy.Gradients // by group; nil where workers take ranges of their own
	drawn   []int32             // the step's rows, in waves
	count   []int               // of rows drawn, by sum
	steps   uint64
}

// exactWorker is what one goroutine of a step works in.
type exactWorker struct {
	sampled []int32
	norms   []float64
	scale   []float32
	block   []float32 // of a sum, or of the mean
	coins   rng.Stream
}

func newExactMeans(p *Plan, rows int, r Run, layout privacy.Layout) (*exactMeans, error) {
	if r.Workers < 1 {
		return nil, fmt.Errorf("%d workers, want at least 1", r.Workers)
	}
	sampler, err := privacy.NewSampler(p.Train.SamplingProbability)
	if err != nil {
		return nil, &data.SpecError{Key: "train.sampling_probability", Msg: err.Error()}
	}
	e := &exactMeans{rows: rows, sampler: sampler, coins: r.Key.Source(rng.Coins), layout: layout, workers: make([]exactWorker, r.Workers)}
	for i := range e.workers {
		e.workers[i].norms, e.workers[i].scale = make([]float64, layout.GroupRows), make([]float32, layout.GroupRows)
		e.workers[i].block = make([]float32, layout.WidestBlock())
	}
	sums := noiselessRanges
	switch params := p.Net.Params(); {
	case layout.Waves:
		e.wave, sums = make([]privacy.Gradients, layout.Groups), 1
	case params > manyParams:
		sums = noiselessSums
	}
	e.sums, e.count = make([][]float32, sums), make([]int, sums)
	for t := range e.sums {
		e.sums[t] = make([]float32, p.Net.Params())
	}
	return e, nil
}

// Spent says that the records themselves were used: no ε bounds that.
func (e *exactMeans) Spent() accounting.Event { return accounting.NonPrivate{} }

// Close does nothing.
func (e *exactMeans) Close() {}

// Step gives out the mean gradient of the rows drawn, as [privacy.Mechanism.Step] does its.
func (e *exactMeans) Step(dst []float32, gradients privacy.Source, released func(lo int, mean []float32)) {
	if e.wave != nil {
		e.sumWaves(gradients)
	} else {
		e.each(len(e.sums), func(w, t int) { e.sumRanges(w, t, gradients) })
	}
	e.steps++
	drawn := 0
	for _, n := range e.count {
		drawn += n
	}
	unit := 1 / float64(max(1, drawn))
	e.each(len(e.layout.Blocks)-1, func(w, b int) {
		lo, hi := e.layout.Blocks[b], e.layout.Blocks[b+1]
		mean := e.workers[w].block[:hi-lo]
		if dst != nil {
			mean = dst[lo:hi]
		}
		for j := range mean {
			sum := 0.0
			for t := range e.sums {
				sum += float64(e.sums[t][lo+j])
				e.sums[t][lo+j] = 0
			}
			mean[j] = float32(sum * unit)
		}
		if released != nil {
			released(lo, mean)
		}
		if dst == nil {
			clear(mean)
		}
	})
}

// each calls task(worker, i) for each i in [0, n), in any order, from all workers, and returns when all is done.
func (e *exactMeans) each(n int, task func(worker, i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for w := range e.workers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				task(w, i)
			}
		})
	}
	group.Wait()
}

// draw appends the rows drawn in range t to dst.
func (e *exactMeans) draw(dst []int32, w, t int) []int32 {
	e.coins.Open(&e.workers[w].coins, e.steps, uint64(t))
	return e.sampler.Sample(dst, t*e.rows/noiselessRanges, (t+1)*e.rows/noiselessRanges, &e.workers[w].coins)
}

// sumRanges sets sum s to that of its ranges' drawn rows' gradients.
func (e *exactMeans) sumRanges(w, s int, gradients privacy.Source) {
	k := &e.workers[w]
	e.count[s] = 0
	for t := s * noiselessRanges / len(e.sums); t < (s+1)*noiselessRanges/len(e.sums); t++ {
		k.sampled = e.draw(k.sampled[:0], w, t)
		e.count[s] += len(k.sampled)
		for rows := range slices.Chunk(k.sampled, e.layout.GroupRows) {
			e.gradients(w, w, rows, gradients).AddTo(e.sums[s], 0, len(e.sums[s]))
		}
	}
}

// sumWaves sets the sum to that of all drawn rows' gradients. That of a wave is taken first, which keeps more digits.
func (e *exactMeans) sumWaves(gradients privacy.Source) {
	e.drawn = e.drawn[:0]
	for t := range noiselessRanges {
		e.drawn = e.draw(e.drawn, 0, t)
	}
	e.count[0] = len(e.drawn)
	for wave := range slices.Chunk(e.drawn, e.layout.Groups*e.layout.GroupRows) {
		// A share for every worker, of whole tiles, as far as there are groups.
		share := (len(wave)/(2*len(e.workers)) + privacy.TileRows) / privacy.TileRows * privacy.TileRows
		size := min(e.layout.GroupRows, max(share, (len(wave)+e.layout.Groups-1)/e.layout.Groups))
		groups := (len(wave) + size - 1) / size
		e.each(groups, func(w, i int) {
			e.wave[i] = e.gradients(w, i, wave[i*size:min((i+1)*size, len(wave))], gradients)
		})
		e.each(len(e.layout.Blocks)-1, func(w, b int) {
			lo, hi := e.layout.Blocks[b], e.layout.Blocks[b+1]
			block := e.workers[w].block[:hi-lo]
			for _, g := range e.wave[:groups] {
				g.AddTo(block, lo, hi)
			}
			for j, v := range block {
				e.sums[0][lo+j] += v
			}
			clear(block)
		})
	}
}

// gradients are those of a group's rows; one that is not finite counts as zero.
func (e *exactMeans) gradients(w, group int, rows []int32, source privacy.Source) privacy.Gradients {
	norms, scale := e.workers[w].norms[:len(rows)], e.workers[w].scale[:len(rows)]
	g := source(group, rows)
	g.SquaredNorms(norms)
	for i, square := range norms {
		scale[i] = 1
		if math.IsNaN(square) || math.IsInf(square, 0) {
			scale[i] = 0
		}
	}
	g.Scale(scale)
	return g
}
