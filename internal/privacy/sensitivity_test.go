package privacy_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"dptrain/internal/privacy"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train/nn"
)

// shapes are the nets whose sums are tested: both input blocks, narrow and wide, with and without hidden layers.
func shapes() []nn.Shape {
	return []nn.Shape{
		{Dense: 30, Classes: 2, Activation: nn.Tanh},
		{Dense: 12, Classes: 10, Activation: nn.Tanh},
		{Sparse: 50, Classes: 20, Activation: nn.Tanh},
		{Sparse: 400, Classes: 17, Activation: nn.Tanh}, // of which a range's rows have a part
		{Dense: 9, Sparse: 14, Hidden: []int{18}, Classes: 3, Activation: nn.Tanh},
		{Dense: 20, Hidden: []int{33, 17}, Classes: 2, Activation: nn.ReLU},
	}
}

// table makes rows of which some are hard: all zero, tiny, huge, overflowing in every product, and doubles.
func table(t *testing.T, r *rand.Rand, s nn.Shape, rows int) *nn.Table {
	table := &nn.Table{Rows: rows, Dense: make([]float32, rows*s.Dense), Indptr: []int{0}, Labels: make([]int32, rows)}
	for i := range rows {
		size := []float64{1, 1, 1, 0, 1e-30, 1e4, 1e18, 3e38}[i%8]
		value := func() float32 {
			return float32(math.Max(-3e38, math.Min(3e38, size*r.NormFloat64())))
		}
		for j := range s.Dense {
			table.Dense[i*s.Dense+j] = value()
		}
		if i%11 == 10 {
			copy(table.Dense[i*s.Dense:(i+1)*s.Dense], table.Dense[(i-1)*s.Dense:])
		}
		for c := range s.Sparse {
			if r.IntN(max(4, s.Sparse/4)) == 0 || c == 5 && size == 1 {
				table.Indices = append(table.Indices, uint32(c))
				table.Values = append(table.Values, value())
			}
		}
		table.Indptr = append(table.Indptr, len(table.Indices))
		table.Labels[i] = int32(r.IntN(s.Classes))
	}
	if err := table.Check(s); err != nil {
		t.Fatal(err)
	}
	return table
}

// run is one configured mechanism over a net and a table.
type run struct {
	plan    *privacy.Plan
	net     *nn.Net
	weights *nn.Weights
	table   *nn.Table
	slots   privacy.Slots
}

func newRun(t *testing.T, s nn.Shape, seed uint64, rows, slots int, q, clip float64) *run {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	net, err := nn.New(s)
	if err != nil {
		t.Fatal(err)
	}
	params := make([]float32, net.Params())
	for i := range params {
		params[i] = float32(r.NormFloat64())
	}
	weights := net.NewWeights(true)
	weights.Set(params)
	columns, width := net.SparseWeights()
	plan, err := privacy.NewPlan(privacy.Spec{
		Params: net.Params(), Sparse: privacy.Sparse{Columns: columns, Width: width}, Slots: slots, Steps: 100, SamplingProbability: q, NoiseMultiplier: 1, MaxGradNorm: clip, Delta: 1e-5,
	})
	if err != nil {
		t.Fatal(err)
	}
	where := privacy.OneRowEach(rows)
	if slots != rows {
		if where, err = privacy.Scatter(rows, slots, rng.TestKey(seed).Source(rng.Slots).Stream(0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	return &run{plan: plan, net: net, weights: weights, table: table(t, r, s, rows), slots: where}
}

// layout cuts a step of the run up; groups is the number of groups of rows that are held at once in waves, or 0 for none.
func (r *run) layout(workers, rows, groups int) privacy.Layout {
	l := privacy.Layout{Workers: workers, GroupRows: rows, Groups: workers, Blocks: r.net.Blocks()}
	if groups > 0 {
		l.Waves, l.Groups = true, groups
	}
	return l
}

// sum is the lattice sum of a step in which row null (or none, at -1) is null, computed as absent or, with zeroed, as
// drawn with a scale of 0.
func (r *run) sum(t *testing.T, l privacy.Layout, null int, zeroed bool) []int64 {
	t.Helper()
	m, err := privacy.NewMechanism(r.plan, r.slots, rng.TestKey(5), l)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	batches := make([]*nn.Batch, l.Groups)
	for i := range batches {
		batches[i] = r.net.NewBatch(l.GroupRows)
	}
	return m.TestOnlySum(3, func(group int, rows []int32) privacy.Gradients {
		if at := slices.Index(rows, int32(null)); at >= 0 {
			if zeroed {
				return nulled{batches[group].Gradients(r.weights, r.table, rows), at}
			}
			without := slices.Delete(slices.Clone(rows), at, at+1)
			return shorter{batches[group].Gradients(r.weights, r.table, without), at}
		}
		return batches[group].Gradients(r.weights, r.table, rows)
	})
}

// nulled is a group whose row at has a gradient that is not finite.
type nulled struct {
	*nn.Batch
	at int
}

func (n nulled) SquaredNorms(dst []float64) {
	n.Batch.SquaredNorms(dst)
	dst[n.at] = math.NaN()
}

// shorter is a group without its row at, as if it had not been drawn.
type shorter struct {
	*nn.Batch
	at int
}

func (s shorter) SquaredNorms(dst []float64) {
	s.Batch.SquaredNorms(dst[:len(dst)-1])
	copy(dst[s.at+1:], dst[s.at:len(dst)-1])
}

func (s shorter) Scale(scale []float32) {
	s.Batch.Scale(slices.Delete(slices.Clone(scale), s.at, s.at+1))
}

// distance is the L2 norm of a − b, exactly squared, times g.
func distance(a, b []int64, g float64) float64 {
	square := new(big.Int)
	for i := range a {
		d := big.NewInt(a[i] - b[i])
		square.Add(square, d.Mul(d, d))
	}
	root := new(big.Float).SetPrec(200).SetInt(square)
	f, _ := root.Sqrt(root).Float64()
	return f * g
}

// TestNullingARowMovesTheSumByTheClippingNormAtMost is claim 2 (package lattice) on real gradients: at most C(1+η),
// for every row, hard ones included.
func TestNullingARowMovesTheSumByTheClippingNormAtMost(t *testing.T) {
	for i, s := range shapes() {
		for _, q := range []float64{1, 0.3} {
			for _, clip := range []float64{1, 1e-4, 50} {
				t.Run(fmt.Sprintf("%d/q=%v/C=%v", i, q, clip), func(t *testing.T) {
					r := newRun(t, s, uint64(i), 600, 600, q, clip)
					l := r.layout(2, 16, 0)
					full := r.sum(t, l, -1, false)
					bound := clip * (1 + r.plan.Lattice.Eta)
					var worst float64
					for row := range 40 {
						moved := distance(full, r.sum(t, l, row*13, false), r.plan.Lattice.Step)
						worst = max(worst, moved)
						if moved > bound {
							t.Errorf("nulling row %d moves the sum by %v, want at most %v", row*13, moved, bound)
						}
					}
					if worst == 0 {
						t.Error("no row moves the sum: the test sees nothing")
					}
				})
			}
		}
	}
}

// TestDrawnNullEqualsNotDrawn is the premise of Poisson accounting (package lattice, claim 2): bit for bit.
func TestDrawnNullEqualsNotDrawn(t *testing.T) {
	for i, s := range shapes() {
		for _, slots := range []int{300, 500} {
			for _, q := range []float64{1, 0.3} {
				r := newRun(t, s, uint64(i), 300, slots, q, 1)
				for _, l := range []privacy.Layout{r.layout(1, 8, 0), r.layout(2, 8, 100)} {
					for row := range 30 {
						absent, null := r.sum(t, l, row*10, false), r.sum(t, l, row*10, true)
						if !slices.Equal(absent, null) {
							t.Errorf("shape %d, %d slots, q = %v, waves %v: row %d drawn null differs from not drawn", i, slots, q, l.Waves, row*10)
						}
					}
				}
			}
		}
	}
}

// TestWorkersAndGroupsDoNotChangeTheSum compares with the sum of one worker, a row at a time.
func TestWorkersAndGroupsDoNotChangeTheSum(t *testing.T) {
	for i, s := range shapes() {
		r := newRun(t, s, uint64(i), 700, 900, 0.5, 1)
		want := r.sum(t, r.layout(1, 1, 0), -1, false)
		for _, workers := range []int{1, 2, 8} {
			for _, group := range []int{1, 3, 64} {
				perRange := (r.plan.Ranges.MaxDrawn + group - 1) / group
				for _, groups := range []int{0, perRange, 3*perRange + 1} {
					l := r.layout(workers, group, groups)
					if got := r.sum(t, l, -1, false); !slices.Equal(got, want) {
						t.Errorf("shape %d: %+v gives another sum", i, l)
					}
				}
			}
		}
	}
}

// TestSparseCoordinatesAreSumsOfRoundedProducts adds up, in exact arithmetic, what each row's products are on the lattice. A column
// that all rows have is in it, which takes more of them than an int32 holds.
func TestSparseCoordinatesAreSumsOfRoundedProducts(t *testing.T) {
	for i, s := range shapes() {
		if s.Sparse == 0 {
			continue
		}
		r := newRun(t, s, uint64(i), 700, 700, 1, 1)
		columns, width := r.net.SparseWeights()
		h := r.plan.Lattice.ProductStep
		want := make([]int64, columns*width)
		batch := r.net.NewBatch(1)
		for row := range int32(r.table.Rows) {
			g := batch.Gradients(r.weights, r.table, []int32{row})
			norm, scale := make([]float64, 1), make([]float32, 1)
			g.SquaredNorms(norm)
			r.plan.Clipper.Scale(scale, norm)
			g.Scale(scale)
			g.AddProducts(func(columns []uint32, values, d []float32) {
				for t, c := range columns {
					for j := range width {
						want[int(c)*width+j] += int64(math.RoundToEven(float64(values[t]*d[j])/h)) * int64(h/r.plan.Lattice.Step)
					}
				}
			})
		}
		for _, l := range []privacy.Layout{r.layout(1, 16, 0), r.layout(3, 16, 60)} {
			if got := r.sum(t, l, -1, false)[:columns*width]; !slices.Equal(got, want) {
				t.Errorf("shape %d, waves %v: the sum is not that of the rows' products", i, l.Waves)
			}
		}
	}
}
