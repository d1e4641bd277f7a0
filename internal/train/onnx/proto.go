package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The wire format is that of onnx.proto3 (github.com/onnx/onnx): each message below names its fields' numbers there.

// The element types of tensors.
const (
	typeFloat  = 1
	typeInt64  = 7
	typeString = 8
	typeDouble = 11
)

// message is an encoded protocol buffer message under construction.
type message []byte

func (m message) bytes(field protowire.Number, value []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), value)
}

func (m message) text(field protowire.Number, value string) message {
	return m.bytes(field, []byte(value))
}

func (m message) integer(field protowire.Number, value int64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), uint64(value))
}

// encodeModel is a ModelProto: ir_version 1, producer_name 2, producer_version 3, doc_string 6, graph 7, opset_import 8
// (OperatorSetIdProto: domain 1, version 2).
func encodeModel(g *graph, version, doc string) []byte {
	m := message(nil).integer(1, irVersion).text(2, "dptrain").text(3, version).text(6, doc).bytes(7, g.encode())
	m = m.bytes(8, message(nil).text(1, "").integer(2, opset))
	return m.bytes(8, message(nil).text(1, "ai.onnx.ml").integer(2, mlOpset))
}

// A graph collects the parts of a GraphProto.
type graph struct {
	nodes, initializers, inputs, outputs []message
	names                                int
}

// encode is a GraphProto: node 1, name 2, initializer 5, input 11, output 12.
func (g *graph) encode() message {
	var m message
	for _, node := range g.nodes {
		m = m.bytes(1, node)
	}
	m = m.text(2, "dptrain")
	for _, tensor := range g.initializers {
		m = m.bytes(5, tensor)
	}
	for _, value := range g.inputs {
		m = m.bytes(11, value)
	}
	for _, value := range g.outputs {
		m = m.bytes(12, value)
	}
	return m
}

// inner begins the names of the graph's own values.
const inner = "dptrain/"

// fresh is a name that nothing else has.
func (g *graph) fresh() string {
	g.names++
	return fmt.Sprintf("%s%d", inner, g.names)
}

// op adds a node of the standard domain and returns its output.
func (g *graph) op(kind string, inputs []string, attributes ...message) string {
	return g.named(kind, g.fresh(), inputs, attributes...)
}

// named is op with a stated output.
func (g *graph) named(kind, output string, inputs []string, attributes ...message) string {
	return g.node("", kind, output, inputs, attributes)
}

// mlOp is op of the domain ai.onnx.ml.
func (g *graph) mlOp(kind string, inputs []string, attributes ...message) string {
	return g.mlNamed(kind, g.fresh(), inputs, attributes...)
}

func (g *graph) mlNamed(kind, output string, inputs []string, attributes ...message) string {
	return g.node("ai.onnx.ml", kind, output, inputs, attributes)
}

// node adds a NodeProto: input 1, output 2, name 3, op_type 4, attribute 5, domain 7.
func (g *graph) node(domain, kind, output string, inputs []string, attributes []message) string {
	var m message
	for _, in := range inputs {
		m = m.text(1, in)
	}
	m = m.text(2, output).text(3, fmt.Sprintf("%s %d", kind, len(g.nodes))).text(4, kind)
	for _, a := range attributes {
		m = m.bytes(5, a)
	}
	if domain != "" {
		m = m.text(7, domain)
	}
	g.nodes = append(g.nodes, m)
	return output
}

// concat joins columns.
func (g *graph) concat(parts []string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	return g.op("Concat", parts, intAttr("axis", 1))
}

// Attributes are AttributeProto: name 1, i 3, s 4, ints 8, strings 9, type 20.
func intAttr(name string, v int64) message {
	return message(nil).text(1, name).integer(3, v).integer(20, 2)
}

func stringAttr(name, v string) message {
	return message(nil).text(1, name).text(4, v).integer(20, 3)
}

func intsAttr(name string, values []int64) message {
	m := message(nil).text(1, name)
	for _, v := range values {
		m = m.integer(8, v)
	}
	return m.integer(20, 7)
}

func stringsAttr(name string, values []string) message {
	m := message(nil).text(1, name)
	for _, v := range values {
		m = m.text(9, v)
	}
	return m.integer(20, 8)
}

// initializer adds a TensorProto: dims 1, data_type 2, name 8, raw_data 9 (little-endian).
func (g *graph) initializer(elem int64, raw []byte, dims ...int) string {
	name := g.fresh()
	var m message
	for _, d := range dims {
		m = m.integer(1, int64(d))
	}
	g.initializers = append(g.initializers, m.integer(2, elem).text(8, name).bytes(9, raw))
	return name
}

func (g *graph) floats(values []float32, dims ...int) string {
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return g.initializer(typeFloat, raw, dims...)
}

func (g *graph) float(v float32) string { return g.floats([]float32{v}) }

func (g *graph) double(v float64) string {
	return g.initializer(typeDouble, binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
}

func (g *graph) doubles(values []float64) string {
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
	}
	return g.initializer(typeDouble, raw, len(values))
}

func (g *graph) ints(values []int64) string {
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return g.initializer(typeInt64, raw, len(values))
}

func (g *graph) input(name string, elem, width int) {
	g.inputs = append(g.inputs, value(name, elem, width))
}

func (g *graph) output(name string, elem, width int) {
	g.outputs = append(g.outputs, value(name, elem, width))
}

// value is a ValueInfoProto: name 1, type 2 (TypeProto: tensor_type 1, of elem_type 1 and shape 2, of dim 1, of dim_value 1
// or dim_param 2). Its shape is [N, width], or [N] where width is 0.
func value(name string, elem, width int) message {
	shape := message(nil).bytes(1, message(nil).text(2, "N"))
	if width > 0 {
		shape = shape.bytes(1, message(nil).integer(1, int64(width)))
	}
	tensor := message(nil).integer(1, int64(elem)).bytes(2, shape)
	return message(nil).text(1, name).bytes(2, message(nil).bytes(1, tensor))
}
