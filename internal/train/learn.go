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
// What an earlier attempt asked, and lost, the steps of means ask again.
func (p *Plan) learn(d *data.Dataset, r Run, means means) (*Learned, error) {
	if len(p.Privacy.Queries) == 0 {
		return nil, nil
	}
	if r.Attempt != nil && r.Attempt.learned != nil {
		return r.Attempt.learned, nil
	}
	learned := &Learned{}
	// Those that were not asked yet come first: the log has no steps before them.
	for _, again := range []bool{false, true} {
		for i, q := range p.Privacy.Queries {
			if lost := r.Attempt != nil && slices.Contains(r.Attempt.lost, q.Name); lost != again {
				continue
			}
			vectors := labelVectors(d)
			if q.Name == queryMoments {
				vectors = momentVectors(d, p.Schema.Standardized(), q.Length)
			}
			ask := func() (answer, error) { return p.ask(i, d, vectors, r) }
			if again {
				ask = func() (answer, error) { return p.askAgain(i, vectors, r, means) }
			}
			a, err := ask()
			if err != nil {
				return nil, err
			}
			if q.Name == queryMoments {
				learned.Moments = p.moments(a)
			} else {
				learned.ClassWeights = evenWeights(a)
			}
		}
	}
	if r.Attempt != nil {
		return learned, r.Attempt.keep(learned)
	}
	return learned, nil
}

// rowVectors sets v, which is 0, to a row's vector.
type rowVectors func(row int32, v []float32)

// An answer is what a query gave.
type answer struct {
	sum   []float64 // of the rows' vectors, about
	noise float64   // standard deviation of its coordinates
}

// ask reserves query i and takes it; without privacy, its exact answer.
func (p *Plan) ask(i int, d *data.Dataset, vectors rowVectors, r Run) (answer, error) {
	q := p.Privacy.Queries[i]
	if r.Attempt != nil {
		if err := r.Attempt.reserveQuery(q.Name); err != nil {
			return answer{}, err
		}
	}
	a := answer{sum: make([]float64, q.Length), noise: q.NoiseMultiplier}
	if p.Noiseless() {
		v := make([]float32, q.Length)
		for row := range d.Rows {
			clear(v)
			vectors(int32(row), v)
			for j, x := range v {
				a.sum[j] += float64(x)
			}
		}
		return a, nil
	}
	slots, err := p.newSlots(d, r.Key)
	if err != nil {
		return answer{}, err
	}
	query, err := p.newQuery(i, slots, r)
	if err != nil {
		return answer{}, err
	}
	defer query.Close()
	mean, source := make([]float32, q.Length), vectors.source(q.Length, r.Workers, 1)
	query.Step(mean, func(group int, rows []int32) privacy.Gradients { return source(group, rows) }, nil)
	for j, x := range mean {
		a.sum[j] = float64(x) * float64(p.Slots())
	}
	return a, nil
}

// askAgain asks for query i by steps of the run, whose gradients are then the rows' vectors times the clipping norm. To the
// claim they are steps like any other: it holds whatever function of a row a step sums, chosen from whatever was seen
// before. So a query that was lost costs no further ε, but steps: as many as give its noise, and at most a quarter of
// those that are left. It errs with an *ExhaustedError where too few are.
//
// A step's sum is of the rows drawn: over q it is that of all rows, with noise of σ/q and the error of the sample, whose
// variance is (1−q)/q times the sum of the squares of a coordinate. Those of all coordinates are at most 1 a row.
func (p *Plan) askAgain(i int, vectors rowVectors, r Run, means means) (answer, error) {
	query, params := p.Privacy.Queries[i], p.Net.Params()
	parts := (query.Length + params - 1) / params // a step has room for params coordinates
	q, sigma := p.Train.SamplingProbability, p.Privacy.NoiseMultiplier/p.Train.SamplingProbability
	left := p.Train.Steps - r.Attempt.charged
	if left < 4*parts {
		return answer{}, &ExhaustedError{p.Train.Steps}
	}
	wanted := math.Ceil(math.Pow(sigma/query.NoiseMultiplier, 2))
	each := int(math.Max(1, math.Min(wanted, float64(left/(4*parts)))))
	if err := r.Attempt.reserve(each * parts); err != nil {
		return answer{}, err
	}
	sample := (1 - q) / q * float64(p.Slots()) / float64(query.Length)
	a := answer{sum: make([]float64, query.Length), noise: math.Sqrt((sigma*sigma + sample) / float64(each))}
	source := vectors.source(query.Length, newLayout(p, r.Workers).Groups, float32(p.Privacy.MaxGradNorm))
	toSum := float64(p.Slots()) / p.Privacy.MaxGradNorm / float64(each)
	mean := make([]float32, params)
	for lo := 0; lo < query.Length; lo += params {
		part := a.sum[lo:min(lo+params, query.Length)]
		for range each {
			means.Step(mean, func(group int, rows []int32) privacy.Gradients {
				return window{source(group, rows), lo, p.Mechanism.Sparse}
			}, nil)
			for j := range part {
				part[j] += float64(mean[j]) * toSum
			}
		}
	}
	return a, nil
}

// source gives out rows' vectors of a length, times scale, to a mechanism of so many groups.
func (vectors rowVectors) source(length, groups int, scale float32) func(group int, rows []int32) privacy.Vectors {
	buffers := make([][]float32, groups)
	return func(group int, rows []int32) privacy.Vectors {
		values := slices.Grow(buffers[group][:0], len(rows)*length)[:len(rows)*length]
		clear(values)
		for k, row := range rows {
			vectors(row, values[k*length:(k+1)*length])
		}
		for j := range values {
			values[j] *= scale
		}
		buffers[group] = values
		return privacy.Vectors{Length: length, Values: values}
	}
}

// window is what a step sees of vectors longer than its gradients: the coordinates from one on, and 0 behind the last.
// Norms stay those of whole vectors, which are no smaller.
type window struct {
	privacy.Vectors
	from   int
	sparse privacy.Sparse // of the step's coordinates
}

// AddTo adds the coordinates [lo, hi) of the window to sum, as the vectors do.
func (w window) AddTo(sum []float32, lo, hi int) {
	if lo, hi = w.from+lo, min(w.from+hi, w.Length); lo < hi {
		w.Vectors.AddTo(sum[:hi-lo], lo, hi)
	}
}

// AddProducts adds the first coordinates of the window, each column by itself, times 1.
func (w window) AddProducts(add func(columns []uint32, values, d []float32)) {
	one, d := []float32{1}, make([]float32, w.sparse.Width)
	for row := range slices.Chunk(w.Values, w.Length) {
		for column := range w.sparse.Columns {
			from := w.from + column*w.sparse.Width
			if from >= w.Length {
				break
			}
			clear(d[copy(d, row[from:]):])
			add([]uint32{uint32(column)}, one, d)
		}
	}
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
func momentVectors(d *data.Dataset, columns []int, length int) rowVectors {
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
func labelVectors(d *data.Dataset) rowVectors {
	return func(row int32, v []float32) { v[d.Labels[row]] = 1 }
}

// moments turns the noisy sums into the mean and deviation of each standardized feature. With τ the standard deviation
// of the noise of a mean, that of mean² + variance is about τ·√(1+4·mean²): no variance below it can be told from 0, and the
// column is then scaled by less than it could be.
func (p *Plan) moments(a answer) []data.Moments {
	spec := p.Schema.Spec()
	features := spec.Standardized()
	sum, scale, rows := a.sum, math.Sqrt(float64(len(a.sum))), float64(p.Rows)
	if len(sum)%2 == 1 {
		rows = math.Max(1, scale*sum[0])
		sum = sum[1:]
	}
	noise := a.noise * scale / rows
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
func evenWeights(histogram answer) []float64 {
	weights := make([]float64, len(histogram.sum))
	for k, rows := range histogram.sum {
		weights[k] = 1 / math.Max(rows, math.Max(2*histogram.noise, 1))
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
