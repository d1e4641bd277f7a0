package train

import (
	"fmt"
	"math"
	"slices"

	"dptrain/internal/data"
	"dptrain/internal/privacy"
)

// Learned is what a fit learns of its records before the first step. It is made of the noisy answers of the plan's
// queries and of public numbers: post-processing.
type Learned struct {
	Moments      []data.Moments `json:"moments,omitempty"`       // of the standardized features
	ClassWeights []float64      `json:"class_weights,omitempty"` // in (0, 1]
}

// learn asks the plan's queries of a table, or takes what an earlier attempt learned. It returns nil where there are none.
//
// Each query is reserved on disk before its noise is drawn, and what was learned is on disk before anything depends on it.
func (p *Plan) learn(d *data.Dataset, r Run) (*Learned, error) {
	if len(p.Privacy.Queries) == 0 {
		return nil, nil
	}
	if r.Attempt != nil && r.Attempt.learned != nil {
		return r.Attempt.learned, nil
	}
	learned := &Learned{}
	for i, q := range p.Privacy.Queries {
		if r.Attempt != nil {
			if err := r.Attempt.reserveQuery(q.Name); err != nil {
				return nil, err
			}
		}
		vectors := labelVectors(d)
		if q.Name == queryMoments {
			vectors = momentVectors(d, p.Schema.Standardized(), q.Length)
		}
		sum, err := p.ask(i, d, vectors, r)
		if err != nil {
			return nil, err
		}
		if q.Name == queryMoments {
			learned.Moments = p.moments(sum, q)
		} else {
			learned.ClassWeights = evenWeights(sum, q.NoiseMultiplier)
		}
	}
	if r.Attempt != nil {
		return learned, r.Attempt.keep(learned)
	}
	return learned, nil
}

// ask takes query i; without privacy, its exact answer.
func (p *Plan) ask(i int, d *data.Dataset, vectors func(row int32, v []float32), r Run) ([]float64, error) {
	length := p.Privacy.Queries[i].Length
	if p.Noiseless() {
		sum, v := make([]float64, length), make([]float32, length)
		for row := range d.Rows {
			clear(v)
			vectors(int32(row), v)
			for j, x := range v {
				sum[j] += float64(x)
			}
		}
		return sum, nil
	}
	slots, err := p.newSlots(d, r.Key)
	if err != nil {
		return nil, err
	}
	query, err := p.newQuery(i, slots, r)
	if err != nil {
		return nil, err
	}
	defer query.Close()
	groups := make([][]float32, r.Workers)
	mean := make([]float32, length)
	query.Step(mean, func(group int, rows []int32) privacy.Gradients {
		values := slices.Grow(groups[group][:0], len(rows)*length)[:len(rows)*length]
		clear(values)
		for k, row := range rows {
			vectors(row, values[k*length:(k+1)*length])
		}
		groups[group] = values
		return privacy.Vectors{Length: length, Values: values}
	}, nil)
	sum := make([]float64, length)
	for j, x := range mean {
		sum[j] = float64(x) * float64(p.Slots())
	}
	return sum, nil
}

// newQuery readies query i.
func (p *Plan) newQuery(i int, slots privacy.Slots, r Run) (means, error) {
	if r.watchQuery != nil {
		return r.watchQuery(i, slots)
	}
	return privacy.NewQuery(p.Mechanism, i, slots, r.Key, r.Workers)
}

// momentVectors gives a row's [z, z²]/√(2d), z in [-1, 1] its d standardized features, which stand in some columns of the
// dense block; or with a count, where length is odd, [1, z, z²]/√(2d+1). Either has an L2 norm of at most 1: the squares of
// 2d, or 2d+1, numbers of at most 1, over as many. (By a rounding more, for which clipping makes up.)
func momentVectors(d *data.Dataset, columns []int, length int) func(row int32, v []float32) {
	scale := 1 / math.Sqrt(float64(length))
	return func(row int32, v []float32) {
		if length%2 == 1 {
			v[0] = float32(scale)
			v = v[1:]
		}
		for j, column := range columns {
			z := float64(d.Dense[int(row)*d.DenseWidth+column])
			v[j] = float32(z * scale)
			v[len(columns)+j] = float32(z * z * scale)
		}
	}
}

// labelVectors gives a row's class as a one in its place: of L2 norm 1.
func labelVectors(d *data.Dataset) func(row int32, v []float32) {
	return func(row int32, v []float32) { v[d.Labels[row]] = 1 }
}

// moments turns the noisy sums into the mean and deviation of each standardized feature. With τ the standard deviation
// of the noise of a mean, that of mean² + variance is about τ·√(1+4·mean²): no variance below it can be told from 0, and the
// column is then scaled by less than it could be.
func (p *Plan) moments(sum []float64, q PlanQuery) []data.Moments {
	spec := p.Schema.Spec()
	features := spec.Standardized()
	scale, rows := math.Sqrt(float64(q.Length)), float64(p.Rows)
	if q.Length%2 == 1 {
		rows = math.Max(1, scale*sum[0])
		sum = sum[1:]
	}
	noise := q.NoiseMultiplier * scale / rows
	var list []data.Moments
	for j, f := range features {
		mean := clamp(scale*sum[j]/rows, -1, 1)
		second := clamp(scale*sum[len(features)+j]/rows, 0, 1)
		least := math.Max(noise*math.Sqrt(1+4*mean*mean), leastVariance)
		variance := clamp(second-mean*mean, math.Min(least, 1), 1)
		list = append(list, data.Moments{Feature: f.Name, Mean: mean, Deviation: math.Sqrt(variance)})
	}
	return list
}

// leastVariance keeps a column without noise, of one value, from being scaled without end.
const leastVariance = 1e-6

func clamp(x, low, high float64) float64 { return math.Max(low, math.Min(high, x)) }

// evenWeights are class weights by which all classes count alike: in proportion to 1/rows, the largest of them 1. A
// class counts as having at least two standard deviations of the noise: of a smaller one, the histogram cannot tell.
func evenWeights(histogram []float64, noise float64) []float64 {
	weights := make([]float64, len(histogram))
	for k, rows := range histogram {
		weights[k] = 1 / math.Max(rows, math.Max(2*noise, 1))
	}
	largest := slices.Max(weights)
	for k := range weights {
		weights[k] /= largest
	}
	return weights
}

// relativeWeights divides weights by the largest of them.
func relativeWeights(weights []float64) []float32 {
	largest := slices.Max(weights)
	relative := make([]float32, len(weights))
	for k, w := range weights {
		relative[k] = float32(w / largest)
	}
	return relative
}

// encoding is the schema by which the model that comes of a run encodes tables: the plan's, with what was learned.
func (p *Plan) encoding(learned *Learned) (*data.Schema, error) {
	if learned == nil || learned.Moments == nil {
		return p.Schema, nil
	}
	spec := p.Schema.Spec()
	spec.Moments = learned.Moments
	encoding, err := data.NewSchema(spec)
	if err != nil {
		return nil, fmt.Errorf("what was learned cannot be used: %w", err)
	}
	return encoding, nil
}

// canUse reports whether learned is of the plan's queries. It trusts nothing in it.
func (p *Plan) canUse(learned *Learned) bool {
	var moments, weights bool
	for _, q := range p.Privacy.Queries {
		moments = moments || q.Name == queryMoments
		weights = weights || q.Name == queryHistogram
	}
	if moments != (learned.Moments != nil) || weights != (learned.ClassWeights != nil) {
		return false
	}
	if weights && len(learned.ClassWeights) != len(p.Schema.Classes()) {
		return false
	}
	for _, w := range learned.ClassWeights {
		if !(w > 0 && w <= 1) {
			return false
		}
	}
	_, err := p.encoding(learned)
	return err == nil
}

// classWeights are those declared or learned, divided by the largest; nil where all classes count alike.
func (p *Plan) classWeights(learned *Learned) []float32 {
	switch {
	case learned != nil && learned.ClassWeights != nil:
		return relativeWeights(learned.ClassWeights)
	case p.Train.ClassWeights != nil:
		return relativeWeights(p.Train.ClassWeights)
	}
	return nil
}
