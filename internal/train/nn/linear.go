package nn

import "fmt"

// A Linear is one dense layer in the layout of files: both input blocks side by side, a row of weights an output.
type Linear struct {
	In, Out int
	Weight  []float32 // [Out×In]: the columns of the dense block, then those of the sparse block
	Bias    []float32 // [Out]
}

// Unpack brings params [Params] into file layout. Where the two are the same, it shares the memory of params.
func (n *Net) Unpack(params []float32) []Linear {
	var out []Linear
	for _, l := range n.layers {
		f := Linear{In: l.in + l.sparse, Out: l.out, Weight: params[l.weights:l.bias], Bias: params[l.bias : l.bias+l.out]}
		if l.sparse == 0 {
			out = append(out, f)
			continue
		}
		f.Weight = make([]float32, f.Out*f.In)
		for o := range l.out {
			row := f.Weight[o*f.In : (o+1)*f.In]
			copy(row, params[l.weights+o*l.in:l.weights+(o+1)*l.in])
			for j := range l.sparse {
				row[l.in+j] = params[l.rows+j*l.out+o]
			}
		}
		out = append(out, f)
	}
	return out
}

// Pack is the inverse of Unpack. It errs where the layers are not of the net's shape.
func (n *Net) Pack(layers []Linear) ([]float32, error) {
	if len(layers) != len(n.layers) {
		return nil, fmt.Errorf("%d layers, want %d", len(layers), len(n.layers))
	}
	for i, l := range n.layers { // before anything is allocated: the layers may come from a hostile file
		f := layers[i]
		if f.In != l.in+l.sparse || f.Out != l.out || len(f.Weight) != f.In*f.Out || len(f.Bias) != f.Out {
			return nil, fmt.Errorf("layer %d is %d×%d, want %d×%d", i, f.Out, f.In, l.out, l.in+l.sparse)
		}
	}
	params := make([]float32, n.params)
	for i, l := range n.layers {
		f := layers[i]
		copy(params[l.bias:], f.Bias)
		for o := range l.out {
			row := f.Weight[o*f.In : (o+1)*f.In]
			copy(params[l.weights+o*l.in:], row[:l.in])
			for j := range l.sparse {
				params[l.rows+j*l.out+o] = row[l.in+j]
			}
		}
	}
	return params, nil
}

// A Tensor is the stretch [From, To) of the parameter vector that holds one matrix or vector.
type Tensor struct{ From, To int }

// Tensors lists the net's tensors that are not empty, in order: of each layer the sparse weights, the dense weights and
// the bias.
func (n *Net) Tensors() []Tensor {
	var tensors []Tensor
	for _, l := range n.layers {
		for _, b := range []Tensor{{l.rows, l.weights}, {l.weights, l.bias}, {l.bias, l.bias + l.out}} {
			if b.To > b.From {
				tensors = append(tensors, b)
			}
		}
	}
	return tensors
}
