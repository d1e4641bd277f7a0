package train

import (
	"fmt"
	"math"
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
		return newExactMeans(p, d.Rows, r, layout.GroupRows)
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

// noiselessRanges is into how many parts a step's rows are cut, whatever the number of workers: sums do not depend on it.
const noiselessRanges = 16

// exactMeans gives out exact means of the drawn rows' gradients, neither clipped nor noised.
type exactMeans struct {
	rows    int
	sampler privacy.Sampler
	coins   *rng.Source
	group   int
	workers []exactWorker
	sums    [noiselessRanges][]float32 // [P] each
	mean    []float32                  // [P]
	drawn   [noiselessRanges]int
	steps   uint64
}

// exactWorker is what one goroutine of a step works in.
type exactWorker struct {
	sampled []int32
	norms   []float64
	scale   []float32
	coins   rng.Stream
}

func newExactMeans(p *Plan, rows int, r Run, group int) (*exactMeans, error) {
	if r.Workers < 1 {
		return nil, fmt.Errorf("%d workers, want at least 1", r.Workers)
	}
	sampler, err := privacy.NewSampler(p.Train.SamplingProbability)
	if err != nil {
		return nil, &data.SpecError{Key: "train.sampling_probability", Msg: err.Error()}
	}
	e := &exactMeans{rows: rows, sampler: sampler, coins: r.Key.Source(rng.Coins), group: group, workers: make([]exactWorker, r.Workers),
		mean: make([]float32, p.Net.Params())}
	for i := range e.workers {
		e.workers[i].norms, e.workers[i].scale = make([]float64, group), make([]float32, group)
	}
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
	if dst == nil {
		dst = e.mean
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for w := range e.workers {
		group.Go(func() {
			for t := int(next.Add(1)) - 1; t < noiselessRanges; t = int(next.Add(1)) - 1 {
				e.sumRange(w, t, gradients)
			}
		})
	}
	group.Wait()
	e.steps++
	drawn := 0
	for _, n := range e.drawn {
		drawn += n
	}
	unit := 1 / float64(max(1, drawn))
	for j := range dst {
		sum := 0.0
		for t := range e.sums {
			sum += float64(e.sums[t][j])
		}
		dst[j] = float32(sum * unit)
	}
	if released != nil {
		released(0, dst)
	}
}

// sumRange sets the sum of range t to that of its drawn rows' gradients; one that is not finite counts as zero.
func (e *exactMeans) sumRange(w, t int, gradients privacy.Source) {
	k := &e.workers[w]
	clear(e.sums[t])
	e.coins.Open(&k.coins, e.steps, uint64(t))
	k.sampled = e.sampler.Sample(k.sampled[:0], t*e.rows/noiselessRanges, (t+1)*e.rows/noiselessRanges, &k.coins)
	e.drawn[t] = len(k.sampled)
	for rows := k.sampled; len(rows) > 0; {
		group := rows[:min(len(rows), e.group)]
		rows = rows[len(group):]
		norms, scale := k.norms[:len(group)], k.scale[:len(group)]
		g := gradients(w, group)
		g.SquaredNorms(norms)
		for i, square := range norms {
			scale[i] = 1
			if math.IsNaN(square) || math.IsInf(square, 0) {
				scale[i] = 0
			}
		}
		g.Scale(scale)
		g.AddTo(e.sums[t], 0, len(e.sums[t]))
	}
}
