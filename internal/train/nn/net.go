package nn

import (
	"fmt"
	"math"

	"dptrain/internal/train/kernel"
)

// An Activation is the function between hidden layers.
type Activation string

// The activations. Each is scaled by [Activation.Gain], so that a layer whose pre-activations are standard normal passes
// on rows of norm about 1.
const (
	Tanh Activation = "tanh"
	ReLU Activation = "relu"
)

// Gain is the factor on the outputs of a hidden layer of the given width. For a standard normal z, E[tanh²z] = 0.394
// and E[relu²z] = 0.5, so the squared norm of the layer's output is about 0.89 and 1.
func (a Activation) Gain(width int) float32 {
	if a == ReLU {
		return float32(math.Sqrt2 / math.Sqrt(float64(width)))
	}
	return float32(1.5 / math.Sqrt(float64(width)))
}

// A Shape describes a net.
type Shape struct {
	Dense, Sparse int        // widths of the two input blocks; at least one is positive
	Hidden        []int      // widths of the hidden layers; none is logistic regression
	Classes       int        // at least 2; two classes share one logit, that of class 1
	Activation    Activation // of the hidden layers
}

// outputs is the number of logits.
func (s Shape) outputs() int {
	if s.Classes == 2 {
		return 1
	}
	return s.Classes
}

// A layer is the place of one dense layer in the parameter vector.
type layer struct {
	in, sparse, out     int     // inputs in the dense and in the sparse block, outputs
	rows, weights, bias int     // offsets of the sparse weights [sparse×out], the weights [out×in] and the bias [out]
	hidden              bool    // followed by the activation; the last layer is not
	gain                float32 // factor on the activation's outputs
}

// wide reports whether the layer's pre-activations are a matrix product with its packed weights; else they are dot
// products along the inputs, which is faster for a few outputs of many inputs.
func (l layer) wide() bool { return l.in > 0 && (l.out > 16 || 12*l.out > l.in) }

// gatherRow is how far apart gathered rows of dense inputs start. Products walk down columns of them: rows a multiple of a
// kilobyte apart would fall on a few lines of each cache and drive each other out, so those get a line in between. The
// dot products of a layer that is not wide go along the rows.
func (n *Net) gatherRow() int {
	const line, kilobyte = 16, 256 // float32s
	width := n.shape.Dense
	if n.layers[0].wide() && width%kilobyte == 0 {
		return width + line
	}
	return width
}

// A Net is a shape laid out in memory. It is immutable and safe for concurrent use.
type Net struct {
	shape  Shape
	layers []layer
	params int
}

// maxParams keeps every offset, and the lattice that sums gradients, far from overflow.
const maxParams = 1 << 31

// New lays a net out.
func New(s Shape) (*Net, error) {
	if s.Dense < 0 || s.Sparse < 0 || s.Dense+s.Sparse == 0 {
		return nil, fmt.Errorf("a net needs at least one input")
	}
	if s.Classes < 2 {
		return nil, fmt.Errorf("a net needs at least two classes")
	}
	if s.Activation != Tanh && s.Activation != ReLU {
		return nil, fmt.Errorf("activation is %q, want %q or %q", s.Activation, Tanh, ReLU)
	}
	n := &Net{shape: s}
	in, sparse := s.Dense, s.Sparse
	for i := range len(s.Hidden) + 1 {
		l := layer{in: in, sparse: sparse, out: s.outputs(), hidden: i < len(s.Hidden)}
		if l.hidden {
			if l.out = s.Hidden[i]; l.out < 1 {
				return nil, fmt.Errorf("hidden layer %d has %d units, want at least 1", i, l.out)
			}
			l.gain = s.Activation.Gain(l.out)
		}
		if size := float64(in+sparse+1) * float64(l.out); size+float64(n.params) > maxParams {
			return nil, fmt.Errorf("the net has more than %d parameters", maxParams)
		}
		l.rows = n.params
		l.weights = l.rows + l.sparse*l.out
		l.bias = l.weights + l.out*l.in
		n.params = l.bias + l.out
		n.layers = append(n.layers, l)
		in, sparse = l.out, 0
	}
	return n, nil
}

// Blocks cuts the parameter vector into blocks that can be summed and moved each on its own: block b is the parameters
// [Blocks[b], Blocks[b+1]). A bound is the end of an output's dense weights, of an input column's sparse weights or of a
// layer; the end of all sparse weights is one. There are enough blocks to share, and each is small enough for a second-level cache.
func (n *Net) Blocks() []int {
	return n.blocks(min(maxBlock, max(minBlock, n.params/16)), minBlock)
}

// The size of blocks, in parameters, and the outputs of which they hold a multiple where they hold so many, so that tiles
// of sums come out even at both vector widths.
const (
	minBlock  = 2048
	maxBlock  = 24576
	blockRows = 24

	sparseBlock = 4096 // of sparse weights, which no rows pass: they are noised and moved alone, in a first-level cache
)

// blocks returns blocks of about size parameters; what is left of a layer and smaller than least goes with the next.
func (n *Net) blocks(size, least int) []int {
	blocks := []int{0}
	cut := func(start, rows, width, size int) { // a matrix's place
		if width == 0 {
			return
		}
		if start-blocks[len(blocks)-1] >= least {
			blocks = append(blocks, start)
		}
		step := max(1, size/width)
		if step > blockRows {
			step = step / blockRows * blockRows
		}
		for r := step; r < rows; r += step {
			blocks = append(blocks, start+r*width)
		}
	}
	for _, l := range n.layers {
		cut(l.rows, l.sparse, l.out, min(size, sparseBlock))
		if l.sparse > 0 {
			blocks = append(blocks, l.weights)
		}
		cut(l.weights, l.out, l.in, size)
		cut(l.bias, 1, l.out, size)
	}
	return append(blocks, n.params)
}

// SparseWeights is how many weights there are of sparse inputs, the first of all parameters: a row of so many for each column.
func (n *Net) SparseWeights() (columns, width int) {
	if columns = n.shape.Sparse; columns > 0 {
		width = n.layers[0].out
	}
	return columns, width
}

// Params is the length of the parameter vector.
func (n *Net) Params() int { return n.params }

// Shape is the shape the net was made from.
func (n *Net) Shape() Shape { return n.shape }

// Outputs is the number of logits: 1 for two classes, else the number of classes.
func (n *Net) Outputs() int { return n.shape.outputs() }

// initialDeviation is the standard deviation of a hidden layer's first weights: rows of norm 1 then give pre-activations of
// that deviation, where tanh bends but does not saturate.
const initialDeviation = 0.5

// Init fills params [Params] with the starting point: zero, but for the weights of hidden layers, which are normal with
// standard deviation 0.5. normal returns one standard normal number a call.
func (n *Net) Init(params []float32, normal func() float64) {
	clear(params)
	for _, l := range n.layers {
		if !l.hidden {
			continue
		}
		for i := l.rows; i < l.bias; i++ {
			params[i] = float32(initialDeviation * normal())
		}
	}
}

// Weights is one parameter vector made ready for the kernels. Set it once a step; it may then be read concurrently.
type Weights struct {
	net     *Net
	params  []float32       // [Params], the caller's
	forward []kernel.Packed // by layer: the dense weights transposed, where the layer is wide; nil: packed as they are used
}

// NewWeights allocates weights for the net. Kept packed they take as much memory as the parameters; otherwise each group of rows
// packs a panel after the other as it goes, to the same bits, which for groups of 48 rows takes a tenth more time.
func (n *Net) NewWeights(keepPacked bool) *Weights {
	w := &Weights{net: n}
	if keepPacked {
		w.forward = make([]kernel.Packed, len(n.layers))
	}
	return w
}

// Set takes params [Params], which must not change but where [Weights.Update] hears of it.
func (w *Weights) Set(params []float32) {
	w.params = params
	for i, l := range w.net.layers {
		if w.forward != nil && l.wide() {
			w.forward[i].Resize(l.in, l.out)
		}
	}
	w.Update(0, len(params))
}

// Update takes note of the parameters [lo, hi), bounds of [Net.Blocks], having changed. Several goroutines may call it
// at once for different blocks, but nobody may use the weights meanwhile.
func (w *Weights) Update(lo, hi int) {
	if w.forward == nil {
		return
	}
	for i, l := range w.net.layers {
		from, to := max(lo, l.weights), min(hi, l.bias)
		if from < to && l.wide() {
			w.forward[i].SetColumns(w.params[from:to], (from-l.weights)/l.in, (to-from)/l.in)
		}
	}
}
