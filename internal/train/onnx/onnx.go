// Package onnx writes a model as an ONNX graph, so that any ONNX runtime predicts as the program does: of a row's own
// cells, not of encoded columns. It uses standard operators alone, of ai.onnx 13 and ai.onnx.ml 2.
//
// Each feature is an input of N rows, named as it is:
//
//	numeric       double [N, 1]; NaN where the cell is missing
//	categorical   string [N, 1]; values that are not declared count as other
//	vector        float  [N, size]; NaN for a missing element of a vector with impute
//	hashed, text  float  [N, width], named NAME.buckets: 1 in each bucket that is hit, else 0; hashing strings is no
//	              operator of ONNX, and the model's doc string says how it is done
//
// The outputs are label, string [N], and probabilities, float [N, classes].
package onnx

import (
	"fmt"
	"math"
	"strings"

	"dptrain/internal/data"
	"dptrain/internal/train"
	"dptrain/internal/train/nn"
)

// The versions of the format that are written; runtimes since 2021 read them.
const (
	irVersion = 7
	opset     = 13
	mlOpset   = 2
)

// An Input is what the graph wants of a row.
type Input struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Width int    `json:"width"`
	Fill  string `json:"fill"` // with what
}

// Encode is the model as an ONNX file, and the inputs it has.
func Encode(m *train.Model) ([]byte, []Input, error) {
	b := &builder{graph: &graph{}, spec: m.Schema.Spec(), inputs: map[string]string{}}
	for _, f := range b.spec.Features {
		if err := b.feature(f); err != nil {
			return nil, nil, err
		}
	}
	x := b.graph.concat(append(b.dense, b.sparse...))
	if norm := b.spec.RowNorm; norm > 0 {
		x = b.scaleRows(x, float32(norm))
	}
	layers := m.Net.Unpack(m.Params)
	for i, l := range layers {
		x = b.graph.op("Gemm", []string{x, b.graph.floats(l.Weight, l.Out, l.In), b.graph.floats(l.Bias, l.Out)}, intAttr("transB", 1))
		if i < len(layers)-1 {
			x = b.activate(x, m.Model.Activation, l.Out)
		}
	}
	b.predict(x, m.Schema.Classes())
	return encodeModel(b.graph, m.Version, b.doc()), b.listed, nil
}

// A builder adds one part of the model after the other to a graph.
type builder struct {
	graph         *graph
	spec          data.Spec
	inputs        map[string]string // type of each input
	listed        []Input
	dense, sparse []string // the encoded columns of features so far, each [N, width]
	hashes        bool
}

// input declares an input, or finds it where another feature reads it too.
func (b *builder) input(name, typ string, elem, width int, fill string) (string, error) {
	if known, ok := b.inputs[name]; ok {
		if known != typ {
			return "", fmt.Errorf("two features read %q, as %s and as %s, which one input of a graph cannot be", name, known, typ)
		}
		return name, nil
	}
	if strings.HasPrefix(name, inner) {
		return "", fmt.Errorf("the name %q is one of the graph's own", name)
	}
	b.inputs[name] = typ
	b.listed = append(b.listed, Input{name, typ, width, fill})
	b.graph.input(name, elem, width)
	return name, nil
}

// feature adds a feature's encoding: that of package data.
func (b *builder) feature(f data.Feature) error {
	switch f.Kind {
	case data.Numeric:
		x, err := b.input(f.Name, "double", typeDouble, 1, "the number; NaN where it is missing")
		if err != nil {
			return err
		}
		if len(f.Edges) > 0 {
			b.bins(x, f)
		} else {
			b.scaled(x, f)
		}
		return nil
	case data.Categorical:
		x, err := b.input(f.Name, "string", typeString, 1, "the text; as the table has it where it is missing")
		if err != nil {
			return err
		}
		b.categories(x, f)
		return nil
	case data.Vector:
		size := f.Size
		if f.Columns != nil {
			size = f.Columns.Last - f.Columns.First + 1
		}
		x, err := b.input(f.Name, "float", typeFloat, size, "the elements in order")
		if err != nil {
			return err
		}
		b.vector(x, f)
		return nil
	case data.Hashed, data.Text:
		width := f.Buckets
		if f.Kind == data.Hashed {
			width++ // missing
		}
		b.hashes = true
		x, err := b.input(f.Name+".buckets", "float", typeFloat, width, "1 in each bucket that is hit, else 0")
		b.sparse = append(b.sparse, x)
		return err
	}
	return fmt.Errorf("features of kind %s have no ONNX form", f.Kind)
}

// bins cuts a number at edges: with gᵢ = (x ≥ edgeᵢ), bin i is gᵢ₋₁ − gᵢ. NaN is below every edge.
func (b *builder) bins(x string, f data.Feature) {
	g := b.graph
	absent := ""
	if f.Impute != nil {
		x = b.imputed(x, g.double(*f.Impute))
	} else {
		absent = g.op("Cast", []string{b.isNaN(x)}, intAttr("to", typeFloat))
	}
	above := g.op("Cast", []string{g.op("GreaterOrEqual", []string{x, g.doubles(f.Edges)})}, intAttr("to", typeFloat))
	one := g.op("Cast", []string{g.op("Equal", []string{x, x})}, intAttr("to", typeFloat)) // 1, or 0 where missing
	zero := g.op("Sub", []string{one, one})
	bins := g.op("Sub", []string{g.concat([]string{one, above}), g.concat([]string{above, zero})})
	if absent != "" {
		bins = g.concat([]string{bins, absent})
	}
	b.sparse = append(b.sparse, bins)
}

// scaled maps a number onto [-1, 1], or onto what that is standardized to; 0 where it is missing, and a column that says so.
func (b *builder) scaled(x string, f data.Feature) {
	g := b.graph
	for i := range b.spec.Moments {
		if m := &b.spec.Moments[i]; f.Standardize != "" && m.Feature == f.Name {
			to := m.To()
			f.To = &to
		}
	}
	if f.Impute != nil {
		b.dense = append(b.dense, b.scale(b.imputed(x, g.double(*f.Impute)), f, g.double))
		return
	}
	absent := b.isNaN(x)
	b.dense = append(b.dense, g.op("Where", []string{absent, g.float(0), b.scale(x, f, g.double)}))
	b.sparse = append(b.sparse, g.op("Cast", []string{absent}, intAttr("to", typeFloat)))
}

// scale clamps and maps x as declared, in the precision of number, and returns floats.
func (b *builder) scale(x string, f data.Feature, number func(float64) string) string {
	g := b.graph
	x = g.op("Clip", []string{x, number(*f.Min), number(*f.Max)})
	lo, hi, to := *f.Min, *f.Max, [2]float64{-1, 1}
	if f.To != nil {
		to = *f.To
	}
	if f.Transform == "log1p" {
		x = g.op("Log", []string{g.op("Add", []string{x, number(1)})})
		lo, hi = math.Log1p(lo), math.Log1p(hi)
	}
	x = g.op("Mul", []string{g.op("Sub", []string{x, number(lo)}), number((to[1] - to[0]) / (hi - lo))})
	return g.op("Cast", []string{g.op("Add", []string{x, number(to[0])})}, intAttr("to", typeFloat))
}

// categories is a column for each declared value, one for others and one for missing.
func (b *builder) categories(x string, f data.Feature) {
	g := b.graph
	other := int64(len(f.Values))
	var keys []string
	var places []int64
	known := map[string]int64{}
	add := func(key string, place int64) {
		if _, ok := known[key]; !ok {
			known[key] = place
			keys, places = append(keys, key), append(places, place)
		}
	}
	for i, value := range f.Values {
		add(value, int64(i))
	}
	for _, alias := range f.Aliases {
		add(alias.From, known[alias.To])
	}
	for _, text := range b.spec.Missing {
		add(text, other+1)
	}
	place := g.mlOp("LabelEncoder", []string{x}, stringsAttr("keys_strings", keys), intsAttr("values_int64s", places), intAttr("default_int64", other))
	all := make([]int64, other+2)
	for i := range all {
		all[i] = int64(i)
	}
	b.sparse = append(b.sparse, g.op("Cast", []string{g.op("Equal", []string{place, g.ints(all)})}, intAttr("to", typeFloat)))
}

// vector is the elements themselves, clamped and mapped where that is declared.
func (b *builder) vector(x string, f data.Feature) {
	if f.Impute != nil {
		x = b.imputed(x, b.graph.float(float32(*f.Impute)))
	}
	if f.Min != nil {
		x = b.scale(x, f, func(v float64) string { return b.graph.float(float32(v)) })
	}
	b.dense = append(b.dense, x)
}

// isNaN says where x is no number.
func (b *builder) isNaN(x string) string {
	return b.graph.op("Not", []string{b.graph.op("Equal", []string{x, x})})
}

// imputed is x, and value where x is missing.
func (b *builder) imputed(x, value string) string {
	return b.graph.op("Where", []string{b.isNaN(x), value, x})
}

// scaleRows scales rows down to norm where they are longer.
func (b *builder) scaleRows(x string, norm float32) string {
	g := b.graph
	length := g.op("ReduceL2", []string{x}, intsAttr("axes", []int64{1}), intAttr("keepdims", 1))
	longest := g.float(norm)
	return g.op("Mul", []string{x, g.op("Div", []string{longest, g.op("Max", []string{length, longest})})})
}

// activate is a hidden layer's activation and its factor.
func (b *builder) activate(x string, a nn.Activation, width int) string {
	kind := "Tanh"
	if a == nn.ReLU {
		kind = "Relu"
	}
	return b.graph.op("Mul", []string{b.graph.op(kind, []string{x}), b.graph.float(a.Gain(width))})
}

// free is a name, with underscores behind it where a feature has it.
func (b *builder) free(name string) string {
	for b.inputs[name] != "" {
		name += "_"
	}
	return name
}

// predict turns logits into the two outputs. Two classes share one logit, that of the second.
func (b *builder) predict(logits string, classes []string) {
	g := b.graph
	label, probabilities := b.free("label"), b.free("probabilities")
	if len(classes) == 2 {
		second := g.op("Sigmoid", []string{logits})
		first := g.op("Sigmoid", []string{g.op("Neg", []string{logits})})
		g.named("Concat", probabilities, []string{first, second}, intAttr("axis", 1))
	} else {
		g.named("Softmax", probabilities, []string{logits}, intAttr("axis", 1))
	}
	places := make([]int64, len(classes))
	for i := range places {
		places[i] = int64(i)
	}
	best := g.op("ArgMax", []string{probabilities}, intAttr("axis", 1), intAttr("keepdims", 0))
	g.mlNamed("LabelEncoder", label, []string{best}, intsAttr("keys_int64s", places), stringsAttr("values_strings", classes), stringAttr("default_string", ""))
	g.output(label, typeString, 0)
	g.output(probabilities, typeFloat, len(classes))
}

// doc says what a caller must know.
func (b *builder) doc() string {
	var text strings.Builder
	text.WriteString("A classifier trained by dptrain. Inputs, one row of the table a row:\n")
	for _, in := range b.listed {
		fmt.Fprintf(&text, "  %s: %s [N, %d]: %s\n", in.Name, in.Type, in.Width, in.Fill)
	}
	if b.hashes {
		text.WriteString(Hashing)
	}
	return text.String()
}

// Hashing says how hashed and text columns become buckets, for who does it outside of the graph.
const Hashing = `Buckets: 64-bit FNV-1a (offset 0xcbf29ce484222325, prime 0x100000001b3) over the feature's name in UTF-8, the byte 0xff, and
the value; then h ^= h>>33, h *= 0xff51afd7ed558ccd, h ^= h>>33, h *= 0xc4ceb9fe1a85ec53, h ^= h>>33; the bucket is the high 64
bits of h times the number of buckets. A hashed column has one bucket more, the last, for a missing value.
Words of a text: the longest runs of letters, digits and apostrophes (U+2019 counts as one), with combining marks after them,
in lower case; for ASCII, the matches of [a-z0-9']+ in the lower-cased text. A letter of Han, Hiragana, Katakana, Thai, Lao,
Khmer or Myanmar is a word of its own. Stop words are left out, if declared; then every run of up to ngrams words, joined by one
space, is a value. A bucket that is hit twice counts once, and a missing text hits none.
`
