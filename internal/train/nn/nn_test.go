package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// shapes are the shapes every property is tested on: both input blocks, narrow and wide layers, both activations.
func shapes() []Shape {
	return []Shape{
		{Dense: 5, Classes: 2},
		{Dense: 7, Classes: 4},
		{Sparse: 9, Classes: 2},
		{Sparse: 9, Classes: 20},
		{Dense: 6, Sparse: 11, Classes: 3},
		{Dense: 40, Sparse: 3, Classes: 33},
		{Dense: 8, Hidden: []int{5}, Classes: 2},
		{Dense: 8, Sparse: 6, Hidden: []int{33}, Classes: 3},
		{Sparse: 12, Hidden: []int{20, 7, 18}, Classes: 4},
		{Dense: 17, Hidden: []int{19, 40}, Classes: 2},
	}
}

// each runs f on every shape with both activations, with random parameters and a random table.
func each(t *testing.T, f func(t *testing.T, n *Net, params []float32, table *Table)) {
	for _, s := range shapes() {
		for _, s.Activation = range []Activation{Tanh, ReLU} {
			t.Run(fmt.Sprintf("%d+%d-%v-%d-%s", s.Dense, s.Sparse, s.Hidden, s.Classes, s.Activation), func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, uint64(s.Dense+31*s.Sparse)))
				n, err := New(s)
				if err != nil {
					t.Fatal(err)
				}
				params := make([]float32, n.Params())
				for i := range params {
					params[i] = float32(r.NormFloat64())
				}
				f(t, n, params, randomTable(t, r, s, 37))
			})
		}
	}
}

func randomTable(t *testing.T, r *rand.Rand, s Shape, rows int) *Table {
	table := &Table{Rows: rows, Dense: make([]float32, rows*s.Dense), Indptr: []int{0}}
	for i := range table.Dense {
		table.Dense[i] = float32(r.NormFloat64())
	}
	for range rows {
		for c := range s.Sparse {
			if r.IntN(3) == 0 {
				table.Indices = append(table.Indices, uint32(c))
				table.Values = append(table.Values, float32(r.NormFloat64()))
			}
		}
		table.Indptr = append(table.Indptr, len(table.Indices))
		table.Labels = append(table.Labels, int32(r.IntN(s.Classes)))
	}
	if err := table.Check(s); err != nil {
		t.Fatal(err)
	}
	return table
}

// loss is the reference: one row's loss in float64, written from the definition of the net alone.
func loss(n *Net, params []float64, t *Table, row int) float64 {
	s := n.shape
	x := make([]float64, s.Dense+s.Sparse)
	for j := range s.Dense {
		x[j] = float64(t.Dense[row*s.Dense+j])
	}
	columns, values := t.sparseRow(row)
	for j, c := range columns {
		x[s.Dense+int(c)] = float64(values[j])
	}
	offset := 0
	widths := append(slices.Clone(s.Hidden), n.Outputs())
	for i, out := range widths {
		dense, sparse := len(x), 0
		if i == 0 {
			dense, sparse = s.Dense, s.Sparse
		}
		z := make([]float64, out)
		for o := range out {
			z[o] = params[offset+out*(dense+sparse)+o]
			for j := range dense {
				z[o] += params[offset+out*sparse+o*dense+j] * x[j]
			}
			for j := range sparse {
				z[o] += params[offset+j*out+o] * x[dense+j]
			}
		}
		offset += out * (dense + sparse + 1)
		if i < len(s.Hidden) {
			for o := range z {
				if s.Activation == ReLU {
					z[o] = math.Sqrt(2/float64(out)) * math.Max(0, z[o])
				} else {
					z[o] = 1.5 / math.Sqrt(float64(out)) * math.Tanh(z[o])
				}
			}
		}
		x = z
	}
	label := int(t.Labels[row])
	if s.Classes == 2 {
		x = []float64{0, x[0]}
	}
	var sum float64
	for _, z := range x {
		sum += math.Exp(z - x[label])
	}
	return math.Log(sum)
}

// gradient returns one row's gradient as the batch computes it.
func gradient(n *Net, w *Weights, t *Table, row int32) []float32 {
	sum := make([]float32, n.Params())
	g := n.NewBatch(1).Gradients(w, t, []int32{row})
	g.Scale([]float32{1})
	g.AddTo(sum, 0, len(sum))
	return sum
}

func TestGradientsMatchFiniteDifferences(t *testing.T) {
	each(t, func(t *testing.T, n *Net, params []float32, table *Table) {
		w := n.NewWeights(true)
		w.Set(params)
		p := make([]float64, len(params))
		for i, v := range params {
			p[i] = float64(v)
		}
		for row := range 5 {
			got := gradient(n, w, table, int32(row))
			for i := range p {
				const h = 1e-6
				old := p[i]
				p[i] = old + h
				up := loss(n, p, table, row)
				p[i] = old - h
				down := loss(n, p, table, row)
				p[i] = old
				want := (up - down) / (2 * h)
				if math.Abs(float64(got[i])-want) > 2e-4*(1+math.Abs(want)) {
					t.Fatalf("row %d: gradient[%d] = %v, want %v", row, i, got[i], want)
				}
			}
		}
	})
}

func TestNormsMatchGradients(t *testing.T) {
	each(t, func(t *testing.T, n *Net, params []float32, table *Table) {
		w := n.NewWeights(true)
		w.Set(params)
		rows := []int32{3, 1, 20, 36, 7}
		norms := make([]float64, len(rows))
		n.NewBatch(len(rows)).Gradients(w, table, rows).SquaredNorms(norms)
		for i, row := range rows {
			var want float64
			for _, g := range gradient(n, w, table, row) {
				want += float64(g) * float64(g)
			}
			// The gradient's entries are products rounded to float32: each within 2⁻²⁴ of what the norm is taken of.
			if math.Abs(norms[i]-want) > 3e-7*want {
				t.Errorf("row %d: squared norm = %v, want %v", row, norms[i], want)
			}
		}
	})
}

func TestRowsArePure(t *testing.T) {
	each(t, func(t *testing.T, n *Net, params []float32, table *Table) {
		w := n.NewWeights(true)
		w.Set(params)
		all := make([]int32, table.Rows)
		for i := range all {
			all[i] = int32(i)
		}
		scale := make([]float32, len(all))
		for i := range scale {
			scale[i] = float32(i%4) / 3
		}
		want := sums(n, w, table, all, scale, len(all))
		for _, group := range []int{1, 2, 5, 16, 36} {
			if got := sums(n, w, table, all, scale, group); !slices.Equal(got, want) {
				t.Errorf("groups of %d: sum differs from one group of %d", group, len(all))
			}
		}
	})
}

// sums runs rows in groups and returns the scaled sum and the norms behind each other.
func sums(n *Net, w *Weights, table *Table, rows []int32, scale []float32, group int) []float64 {
	b := n.NewBatch(group)
	sum := make([]float32, n.Params())
	norms := make([]float64, len(rows))
	for from := 0; from < len(rows); from += group {
		to := min(from+group, len(rows))
		g := b.Gradients(w, table, rows[from:to])
		g.SquaredNorms(norms[from:to])
		g.Scale(scale[from:to])
		g.AddTo(sum, 0, len(sum))
	}
	for _, v := range sum {
		norms = append(norms, float64(v))
	}
	return norms
}

func TestBlocksAddUpToTheWhole(t *testing.T) {
	each(t, func(t *testing.T, n *Net, params []float32, table *Table) {
		w := n.NewWeights(true)
		w.Set(params)
		g := n.NewBatch(3).Gradients(w, table, []int32{4, 30, 7})
		g.Scale([]float32{1, 0.5, 0.25})
		whole := make([]float32, len(params))
		g.AddTo(whole, 0, len(params))
		for _, size := range []int{1, 20, 100, 1 << 20} {
			got := make([]float32, len(params))
			blocks := n.blocks(size, size)
			for i, lo := range blocks[:len(blocks)-1] {
				g.AddTo(got[lo:blocks[i+1]], lo, blocks[i+1])
			}
			if !slices.Equal(got, whole) {
				t.Errorf("blocks %v: the sum differs from the whole", blocks)
			}
		}
	})
}

// TestProductsAreTheGradientOfSparseInputs holds AddProducts against AddTo, row by row; null rows add nothing.
func TestProductsAreTheGradientOfSparseInputs(t *testing.T) {
	each(t, func(t *testing.T, n *Net, params []float32, table *Table) {
		columns, width := n.SparseWeights()
		if columns == 0 {
			return
		}
		w := n.NewWeights(true)
		w.Set(params)
		for row := range int32(table.Rows) {
			for _, scale := range []float32{1, 0.25, 0} {
				g := n.NewBatch(1).Gradients(w, table, []int32{row})
				g.Scale([]float32{scale})
				want, got := make([]float32, len(params)), make([]float32, len(params))
				g.AddTo(want, 0, len(want))
				g.AddProducts(func(columns []uint32, values, d []float32) {
					for t, c := range columns {
						for j := range width {
							got[int(c)*width+j] += values[t] * d[j]
						}
					}
				})
				if !slices.Equal(got[:columns*width], want[:columns*width]) {
					t.Fatalf("row %d, scale %v: the products are not the gradient", row, scale)
				}
				if scale == 0 && slices.ContainsFunc(got, func(v float32) bool { return v != 0 }) {
					t.Fatalf("row %d is null and has products", row)
				}
			}
		}
	})
}

func TestBlocksAreOfASize(t *testing.T) {
	for _, s := range []Shape{
		{Dense: 100, Classes: 2}, {Dense: 1024, Classes: 10}, {Dense: 100, Hidden: []int{128, 64}, Classes: 2}, {Sparse: 4096, Classes: 77},
		{Dense: 784, Hidden: []int{1000}, Classes: 10}, {Dense: 1024, Hidden: []int{512, 512}, Classes: 100},
		{Dense: 1, Hidden: []int{1 << 15}, Classes: 2}, {Dense: 5, Sparse: 100_000, Hidden: []int{1, 1, 1, 50}, Classes: 1000},
	} {
		s.Activation = Tanh
		n, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		blocks := n.Blocks()
		if blocks[0] != 0 || blocks[len(blocks)-1] != n.Params() {
			t.Errorf("%v: blocks go from %d to %d, want 0 to %d", s, blocks[0], blocks[len(blocks)-1], n.Params())
		}
		for i, lo := range blocks[:len(blocks)-1] {
			if size := blocks[i+1] - lo; size < 1 || size > 3*maxBlock {
				t.Errorf("%v: block %d has %d parameters, want 1 to %d", s, i, size, 3*maxBlock)
			}
		}
	}
}

// TestUpdateTakesNoteOfBlocks changes the parameters block by block, in any order.
func TestUpdateTakesNoteOfBlocks(t *testing.T) {
	each(t, func(t *testing.T, n *Net, params []float32, table *Table) {
		rows := []int32{1, 2, 3, 4}
		moved := slices.Clone(params)
		for i := range moved {
			moved[i] = 1 - moved[i]
		}
		want := n.NewWeights(true)
		want.Set(moved)
		w := n.NewWeights(true)
		w.Set(params)
		copy(params, moved)
		blocks := n.blocks(40, 40)
		for i := len(blocks) - 1; i > 0; i-- {
			w.Update(blocks[i-1], blocks[i])
		}
		if got, want := n.NewBatch(4).Logits(w, table, rows), n.NewBatch(4).Logits(want, table, rows); !slices.Equal(got, want) {
			t.Errorf("logits = %v, want %v", got, want)
		}
	})
}

func TestNullRowsChangeNoBit(t *testing.T) {
	each(t, func(t *testing.T, n *Net, params []float32, table *Table) {
		// Row 2 overflows everywhere: its logits, activations and deltas are infinite or NaN.
		for j := range n.shape.Dense {
			table.Dense[2*n.shape.Dense+j] = 3e38 * float32(1-2*(j%2))
		}
		for j := table.Indptr[2]; j < table.Indptr[3]; j++ {
			table.Values[j] = 3e38
		}
		if err := table.Check(n.shape); err != nil {
			t.Fatal(err)
		}
		w := n.NewWeights(true)
		w.Set(params)
		with := sums(n, w, table, []int32{0, 1, 2, 3, 4}, []float32{1, 0.5, 0, 0.25, 1}, 3)
		without := sums(n, w, table, []int32{0, 1, 3, 4}, []float32{1, 0.5, 0.25, 1}, 2)
		if !slices.Equal(with[5:], without[4:]) {
			t.Error("a null row changes the sum")
		}
	})
}

func TestPackIsTheInverseOfUnpack(t *testing.T) {
	each(t, func(t *testing.T, n *Net, params []float32, _ *Table) {
		got, err := n.Pack(n.Unpack(params))
		if err != nil || !slices.Equal(got, params) {
			t.Errorf("Pack(Unpack(params)) = %v, %v, want the parameters", got, err)
		}
	})
}

func TestCheckRefusesWhatBreaksNorms(t *testing.T) {
	shape := Shape{Dense: 1, Sparse: 4, Classes: 2, Activation: Tanh}
	good := func() *Table {
		return &Table{Rows: 1, Dense: []float32{1}, Indptr: []int{0, 2}, Indices: []uint32{1, 3}, Values: []float32{1, 1}}
	}
	if err := good().Check(shape); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Table){
		"repeated column":   func(t *Table) { t.Indices[1] = 1 },
		"descending column": func(t *Table) { t.Indices[0] = 3; t.Indices[1] = 1 },
		"column too large":  func(t *Table) { t.Indices[1] = 4 },
		"infinite value":    func(t *Table) { t.Dense[0] = float32(math.Inf(1)) },
		"NaN":               func(t *Table) { t.Values[0] = float32(math.NaN()) },
		"short block":       func(t *Table) { t.Dense = nil },
	} {
		table := good()
		spoil(table)
		if table.Check(shape) == nil {
			t.Errorf("%s: Check = nil, want an error", name)
		}
	}
}
