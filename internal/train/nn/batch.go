package nn

import (
	"math"

	"dptrain/internal/train/kernel"
)

// A Batch is one worker's scratch for groups of rows: it runs the net forward and backward and then hands over the
// rows' gradients as norms and as scaled sums. It is not safe for concurrent use.
type Batch struct {
	net     *Net
	weights *Weights
	table   *Table
	rows    []int32 // the group's rows, in order
	count   int

	gathered []float32 // [rows×gatherRow]: the dense inputs, where they do not lie together in the table
	input    []float32 // the group's dense inputs, inputRow apart: gathered, or the table's own memory
	inputRow int
	outputs  [][]float32   // outputs[l] [rows×out]: activations of layer l; the logits for the last
	deltas   [][]float32   // deltas[l] [rows×out]: derivative of the loss by the inputs of layer l's activation
	labels   []int32       // [rows]
	sparse   []entries     // [rows]; nil: the net has no sparse inputs
	asked    uint32        // means nothing: so that what loads it is not left out
	panel    kernel.Packed // of the weights, where they are not kept packed

	inputSquares, deltaSquares []float64 // [rows]: squared norms of one layer's inputs and deltas
}

// entries are the nonzeros of a sparse row.
type entries struct {
	columns []uint32
	values  []float32
}

// NewBatch allocates scratch for groups of at most maxRows rows.
func (n *Net) NewBatch(maxRows int) *Batch {
	b := &Batch{
		net:      n,
		gathered: make([]float32, maxRows*n.gatherRow()),
		labels:   make([]int32, maxRows),

		inputSquares: make([]float64, maxRows),
		deltaSquares: make([]float64, maxRows),
	}
	if n.shape.Sparse > 0 {
		b.sparse = make([]entries, maxRows)
	}
	for _, l := range n.layers {
		b.outputs = append(b.outputs, make([]float32, maxRows*l.out))
		b.deltas = append(b.deltas, make([]float32, maxRows*l.out))
	}
	return b
}

// Logits runs the net forward over rows of t and returns the logits [len(rows)×Outputs], valid until the next call.
func (b *Batch) Logits(w *Weights, t *Table, rows []int32) []float32 {
	b.weights, b.table, b.rows, b.count = w, t, rows, len(rows)
	b.loadInputs()
	b.loadSparse()
	in := b.input
	for i, l := range b.net.layers {
		out := b.outputs[i][:b.count*l.out]
		b.forward(i, out, in)
		if l.hidden {
			b.activate(out, l.gain)
		}
		in = out
	}
	return in
}

// Gradients runs the net forward and backward over labelled rows of t, in the order given. The batch then answers
// SquaredNorms, Scale, AddTo and AddProducts for them until the next call.
func (b *Batch) Gradients(w *Weights, t *Table, rows []int32) *Batch {
	logits := b.Logits(w, t, rows)
	for i, r := range rows {
		b.labels[i] = t.Labels[r]
	}
	last := len(b.net.layers) - 1
	delta := b.deltas[last][:len(logits)]
	if out := b.net.layers[last].out; out == 1 {
		kernel.SigmoidDelta(delta, logits, b.labels[:b.count])
	} else {
		kernel.SoftmaxDelta(delta, logits, b.labels[:b.count], b.count, out)
	}
	for i := last; i > 0; i-- {
		l, below := b.net.layers[i], b.net.layers[i-1]
		back := b.deltas[i-1][:b.count*below.out]
		kernel.Product(back, b.deltas[i][:b.count*l.out], w.params[l.weights:l.bias], nil, b.count, l.out, l.in)
		b.differentiate(back, b.outputs[i-1][:b.count*below.out], below.gain)
	}
	return b
}

// loadInputs sets input to the group's dense rows: in place where they lie together, else copied.
func (b *Batch) loadInputs() {
	width := b.net.shape.Dense
	b.inputRow = width
	if width == 0 || b.count == 0 {
		b.input = nil
		return
	}
	first := int(b.rows[0])
	if int(b.rows[b.count-1])-first == b.count-1 && ascending(b.rows) {
		b.input = b.table.Dense[first*width : (first+b.count)*width]
		return
	}
	b.inputRow = b.net.gatherRow()
	b.input = b.gathered[:b.count*b.inputRow]
	kernel.Gather(b.input, b.table.Dense, b.rows, width, b.inputRow)
}

// loadSparse finds the group's sparse rows, and asks for the first and the last of each one's columns and values, all rows at once:
// they stand anywhere in the table, and the kernels, who take one after another, would wait for each.
func (b *Batch) loadSparse() {
	if b.sparse == nil {
		return
	}
	for i, r := range b.rows {
		b.sparse[i].columns, b.sparse[i].values = b.table.sparseRow(int(r))
	}
	for _, e := range b.sparse[:b.count] {
		if last := len(e.columns) - 1; last >= 0 {
			b.asked += e.columns[0] + e.columns[last] + math.Float32bits(e.values[0]) + math.Float32bits(e.values[last])
		}
	}
}

// rowOf is how far apart the dense inputs of layer number i start.
func (b *Batch) rowOf(i int) int {
	if i == 0 {
		return b.inputRow
	}
	return b.net.layers[i].in
}

// ascending reports whether rows are strictly ascending.
func ascending(rows []int32) bool {
	for i := 1; i < len(rows); i++ {
		if rows[i] <= rows[i-1] {
			return false
		}
	}
	return true
}

// forward computes the pre-activations out [count×out] of layer number i from its dense inputs in [count×in] and, in
// the first layer, the group's sparse rows.
func (b *Batch) forward(i int, out, in []float32) {
	l := b.net.layers[i]
	p, bias := b.weights.params, b.weights.params[l.bias:l.bias+l.out]
	switch {
	case l.wide() && b.weights.forward == nil:
		kernel.ProductTransposed(out, in, p[l.weights:l.bias], bias, &b.panel, b.count, l.in, l.out, b.rowOf(i))
	case l.wide():
		kernel.ProductPacked(out, in, &b.weights.forward[i], bias, b.count, b.rowOf(i))
	case l.in > 0:
		kernel.Dots(out, in, p[l.weights:l.bias], bias, b.count, l.in, l.out)
	default:
		for i := range b.count {
			copy(out[i*l.out:(i+1)*l.out], bias)
		}
	}
	if l.sparse > 0 {
		for i, e := range b.sparse[:b.count] {
			kernel.SparseProduct(out[i*l.out:(i+1)*l.out], e.columns, e.values, p[l.rows:l.weights], l.out)
		}
	}
}

// activate replaces pre-activations by activations.
func (b *Batch) activate(x []float32, gain float32) {
	if b.net.shape.Activation == ReLU {
		kernel.Relu(x, gain)
		return
	}
	kernel.Tanh(x, gain)
}

// differentiate multiplies derivatives by the activation's slope, known from the activations y.
func (b *Batch) differentiate(delta, y []float32, gain float32) {
	if b.net.shape.Activation == ReLU {
		kernel.ReluBackward(delta, y, gain)
		return
	}
	kernel.TanhBackward(delta, y, gain)
}

// SquaredNorms sets dst [group] to upper bounds of the squared L2 norms of the rows' gradients as computed, summed in
// float64 and rounded up by (1 + K·2⁻⁵²), K the number of operations behind the sum. A row whose gradient is not
// finite has a norm that is not finite.
func (b *Batch) SquaredNorms(dst []float64) {
	operations := 0
	inputs, deltas := b.inputSquares[:b.count], b.deltaSquares[:b.count]
	clear(dst)
	b.rowNorms(inputs)
	for i, l := range b.net.layers {
		if i > 0 {
			kernel.SquaredNorms(inputs, b.outputs[i-1][:b.count*l.in], b.count, l.in)
		}
		kernel.SquaredNorms(deltas, b.deltas[i][:b.count*l.out], b.count, l.out)
		for j := range dst {
			dst[j] += deltas[j] * (inputs[j] + 1)
		}
		operations += l.in + l.sparse + l.out + 3
	}
	up := 1 + float64(operations)*0x1p-52
	for j := range dst {
		dst[j] *= up
	}
}

// rowNorms sets dst [group] to the squared norms of the group's rows. They are computed anew for each group, whose rows are in
// the cache: kept, they would take as much memory as two columns of the table.
func (b *Batch) rowNorms(dst []float64) {
	width := b.net.shape.Dense
	if b.inputRow == width {
		kernel.SquaredNorms(dst, b.input, b.count, width)
	} else {
		for i := range dst {
			kernel.SquaredNorms(dst[i:i+1], b.input[i*b.inputRow:], 1, width)
		}
	}
	for i := range min(len(b.sparse), b.count) {
		for _, v := range b.sparse[i].values {
			dst[i] += float64(v) * float64(v)
		}
	}
}

// Scale multiplies the gradient of row i by scale[i]. A row of scale 0 is null from then on, whatever its gradient,
// infinite and NaN included.
func (b *Batch) Scale(scale []float32) {
	for i, l := range b.net.layers {
		kernel.ScaleRows(b.deltas[i][:b.count*l.out], scale, b.count, l.out)
		if !l.hidden {
			continue
		}
		for r, s := range scale {
			if s == 0 {
				clear(b.outputs[i][r*l.out : (r+1)*l.out]) // an infinite activation times a zero delta would be NaN
			}
		}
	}
}

// AddTo adds the coordinates [lo, hi) of the sum of the group's scaled gradients, the rows in order, to sum [hi−lo]: one
// chain of additions a coordinate. A null row changes no bit of sum. lo and hi are bounds of [Net.Blocks]. Any number of
// goroutines may call it at once.
func (b *Batch) AddTo(sum []float32, lo, hi int) {
	in := b.input
	for i, l := range b.net.layers {
		delta := b.deltas[i][:b.count*l.out]
		if from, to := max(lo, l.rows), min(hi, l.weights); from < to {
			b.addSparse(sum[from-lo:to-lo], delta, uint32((from-l.rows)/l.out), uint32((to-l.rows)/l.out))
		}
		if from, to := max(lo, l.weights), min(hi, l.bias); from < to {
			first := (from - l.weights) / l.in
			kernel.AddOuter(sum[from-lo:to-lo], delta[first:], in, b.count, (to-from)/l.in, l.in, l.out, b.rowOf(i))
		}
		if lo <= l.bias && l.bias < hi {
			kernel.AddRows(sum[l.bias-lo:l.bias-lo+l.out], delta, b.count, l.out)
		}
		in = b.outputs[i]
	}
}

// addSparse is AddTo for the weights of the sparse columns [first, end).
func (b *Batch) addSparse(sum, delta []float32, first, end uint32) {
	out := b.net.layers[0].out
	for i, e := range b.sparse[:b.count] {
		d := delta[i*out : (i+1)*out]
		if first == 0 && int(end) == b.net.shape.Sparse {
			kernel.SparseAddOuter(sum, e.columns, e.values, d, out)
			continue
		}
		for t, c := range e.columns {
			if c >= first && c < end {
				kernel.SparseAddOuter(sum[int(c-first)*out:], []uint32{0}, e.values[t:t+1], d, out)
			}
		}
	}
}

// AddProducts calls add with each row's scaled gradient in [Net.SparseWeights], which is the outer product of its sparse inputs and
// its deltas: values[t]·d[j] for output j of column columns[t], and 0 for other columns. Columns ascend and values are finite, as
// [Table.Check] sees; d is the gradient of the bias, too, and so no longer than all of it.
func (b *Batch) AddProducts(add func(columns []uint32, values, d []float32)) {
	out := b.net.layers[0].out
	for i, e := range b.sparse[:b.count] {
		add(e.columns, e.values, b.deltas[0][i*out:(i+1)*out])
	}
}

// Probabilities turns logits [rows×Outputs] into class probabilities dst [rows×Classes].
func (n *Net) Probabilities(dst []float64, logits []float32) {
	classes, out := n.shape.Classes, n.Outputs()
	if out == 1 {
		for i, z := range logits {
			p := 1 / (1 + math.Exp(-float64(z)))
			dst[2*i], dst[2*i+1] = 1/(1+math.Exp(float64(z))), p
		}
		return
	}
	for i := 0; i < len(logits)/out; i++ {
		row, p := logits[i*out:(i+1)*out], dst[i*classes:(i+1)*classes]
		top := math.Inf(-1)
		for _, z := range row {
			top = math.Max(top, float64(z))
		}
		var sum float64
		for j, z := range row {
			p[j] = math.Exp(float64(z) - top)
			sum += p[j]
		}
		for j := range p {
			p[j] /= sum
		}
	}
}
