package privacy

import (
	"fmt"
	"math"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/lattice"
	"dptrain/internal/privacy/rng"
)

// A Query is a sum over all slots of one vector a row, taken once, before the first step: what a run may learn of its
// records beside gradients, such as the moments of columns or a histogram of labels.
//
// It is a step at q = 1 whose gradients are the rows' vectors and whose clipping norm is 1, run by [Mechanism.Step] on a
// lattice of its own. So the claims of the package hold for it as they stand: a vector longer than 1 is scaled to 1, one
// that is not finite is null; [Vectors] gives upper bounds of norms; nulling a slot moves the integer sum, times the
// lattice step, by at most 1+η; and the noise is a discrete Gaussian of σ·(1+η). Its event is the Gaussian mechanism of
// σ. What is learned is the noisy sum, and the steps that follow may depend on it: they are one adaptive composition, on
// neighbours that differ in the same slot throughout.
//
// Its noise has streams of a purpose of their own. Drawn from those of the steps, it would be the noise of one of them,
// and the difference of two sums without any.
type Query struct {
	Name            string  // in logs and reports
	Length          int     // of a row's vector
	NoiseMultiplier float64 // σ
}

// plan is the query as a run of one step.
func (q Query) plan(slots int, delta float64) (*Plan, error) {
	p, err := NewPlan(Spec{
		Params: q.Length, Slots: slots, Steps: 1, SamplingProbability: 1,
		NoiseMultiplier: q.NoiseMultiplier, MaxGradNorm: 1, Delta: delta,
	})
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", q.Name, err)
	}
	return p, nil
}

// event is what the query costs.
func (q Query) event() accounting.Event {
	return accounting.Gaussian{NoiseMultiplier: q.NoiseMultiplier}
}

// queryGroup is the number of rows whose vectors are asked for at once.
const queryGroup = 256

// NewQuery readies query i of the plan over slots: one step of the mechanism that it returns gives the noisy mean [Length]
// of the rows' vectors over all slots, and [Mechanism.Close] ends it. Taken again with the same key it has the same noise; with another it is another
// query, which the plan does not pay for.
func NewQuery(p *Plan, i int, slots Slots, key rng.Key, workers int) (*Mechanism, error) {
	layout := Layout{Workers: workers, GroupRows: queryGroup, Groups: workers, Blocks: EvenBlocks(p.queries[i].Params)}
	m, err := newMechanism(p.queries[i], slots, key.Source(rng.Coins), key.Source(rng.Queries), layout)
	if err != nil {
		return nil, err
	}
	m.first = uint64(i) // so that queries of one run share no noise either
	return m, nil
}

// QueryLattice is the lattice of query i.
func (p *Plan) QueryLattice(i int) lattice.Lattice { return p.queries[i].Lattice }

// Vectors are the vectors of a group of rows: a [Gradients] for a query.
type Vectors struct {
	Length int
	Values []float32 // [B×Length]: a function of each row alone, until they are scaled
}

// SquaredNorms sets dst [B] to upper bounds of the squared L2 norms: the squares of float32s are exact in float64, and
// the factor pays for the roundings of their sum.
func (v Vectors) SquaredNorms(dst []float64) {
	upward := 1 + float64(v.Length)*0x1p-52
	for i := range dst {
		sum := 0.0
		for _, x := range v.Values[i*v.Length : (i+1)*v.Length] {
			sum += float64(x) * float64(x)
		}
		dst[i] = sum * upward
	}
}

// Scale multiplies the vectors by scale [B]. Each product is rounded, on every processor; one that would be subnormal is 0.
func (v Vectors) Scale(scale []float32) {
	for i, s := range scale {
		row := v.Values[i*v.Length : (i+1)*v.Length]
		if s == 0 {
			clear(row) // what is not finite must not meet a product
			continue
		}
		for j := range row {
			if row[j] *= s; math.Abs(float64(row[j])) < 0x1p-126 {
				row[j] = 0
			}
		}
	}
}

// AddTo adds the coordinates [lo, hi) of the vectors to sum, in row order. A null row adds +0 to sums that start at +0, and
// so are never −0.
func (v Vectors) AddTo(sum []float32, lo, hi int) {
	for ; len(v.Values) > 0; v.Values = v.Values[v.Length:] {
		for j, x := range v.Values[lo:hi] {
			sum[j] += x
		}
	}
}

// AddProducts adds nothing: a query has no sparse coordinates.
func (v Vectors) AddProducts(func(columns []uint32, values, d []float32)) {}

// Weighted scales rows' clipped gradients by weights, such as those of their classes.
//
// Whatever the weights, the sensitivity is that of clipping alone: they count as numbers in [0, 1], so that the product of
// weight and factor, exact in float64 and rounded down to float32, is at most the factor. For a row that is scaled, what
// [Flat.Scale] says of the factor holds of every smaller one; a row that is not, of norm N ≤ C(1−2⁻²²), becomes no longer than
// (1+2⁻²⁴)N < C by the rounding of its scaled deltas. So claim 1 holds.
type Weighted struct {
	Gradients
	Weights []float32 // [B]: a function of each row alone; above 1 counts as 1, below 0 or NaN as 0
	Scratch []float32 // [B]
}

// Scale multiplies the gradient of row i by weightᵢ·scale[i].
func (w Weighted) Scale(scale []float32) {
	product := w.Scratch[:len(scale)]
	for i, s := range scale {
		weight := w.Weights[i]
		if !(weight > 0) {
			weight = 0
		}
		product[i] = roundDown(float64(min(weight, 1)) * float64(s))
	}
	w.Gradients.Scale(product)
}
