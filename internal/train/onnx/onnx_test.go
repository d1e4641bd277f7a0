package onnx

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"dptrain/internal/data"
	"dptrain/internal/train"
)

// What onnxruntime makes of the graphs is held by .ci/onnx/check.sh.

func pointer[T any](v T) *T { return &v }

// model is one of random-looking parameters.
func model(t *testing.T, features []data.Feature, classes []string, hidden []int) *train.Model {
	t.Helper()
	spec := data.Spec{Missing: []string{"", "?"}, RowNorm: 1, Label: data.Label{Name: "y", Classes: classes}, Features: features}
	for _, f := range spec.Standardized() {
		spec.Moments = append(spec.Moments, data.Moments{Feature: f.Name, Mean: 0.5, Deviation: 0.125})
	}
	schema, err := data.NewSchema(spec)
	if err != nil {
		t.Fatal(err)
	}
	p, err := train.NewPlan(train.Options{Rows: 1000, Model: train.ModelOptions{Hidden: hidden},
		Privacy: train.PrivacyOptions{Unit: "row", NoiseMultiplier: pointer(10.0), Delta: 1e-5}}, schema)
	if err != nil {
		t.Fatal(err)
	}
	m := &train.Model{Schema: schema, Net: p.Net, Model: p.Model, Version: "test"}
	for i := range p.Net.Params() {
		m.Params = append(m.Params, float32(i%13)/13)
	}
	return m
}

// fields splits a message into its fields by number.
func fields(t *testing.T, message []byte) map[protowire.Number][][]byte {
	t.Helper()
	all := map[protowire.Number][][]byte{}
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		message = message[n:]
		switch kind {
		case protowire.BytesType:
			value, n := protowire.ConsumeBytes(message)
			if n < 0 {
				t.Fatal(protowire.ParseError(n))
			}
			all[number], message = append(all[number], value), message[n:]
		case protowire.VarintType:
			value, n := protowire.ConsumeVarint(message)
			if n < 0 {
				t.Fatal(protowire.ParseError(n))
			}
			all[number], message = append(all[number], protowire.AppendVarint(nil, value)), message[n:]
		default:
			t.Fatalf("field %d is of wire type %d", number, kind)
		}
	}
	return all
}

func everyKind() []data.Feature {
	return []data.Feature{
		{Name: "age", Kind: data.Numeric, Min: pointer(0.0), Max: pointer(100.0), Edges: []float64{20, 40}},
		{Name: "spent", Kind: data.Numeric, Min: pointer(0.0), Max: pointer(1e5), Transform: "log1p"},
		{Name: "seen", Kind: data.Numeric, Min: pointer(0.0), Max: pointer(8.0), Standardize: "dp", Impute: pointer(1.0)},
		{Name: "town", Kind: data.Categorical, Values: []string{"Ulm"}, Aliases: []data.Alias{{From: "ULM", To: "Ulm"}}},
		{Name: "pixels", Kind: data.Vector, Size: 3, Min: pointer(0.0), Max: pointer(1.0)},
		{Name: "city", Kind: data.Hashed, Buckets: 8},
		{Name: "label", Kind: data.Text, Buckets: 16},
	}
}

// TestGraphIsWellFormed reads the file back by the format alone: every value is made before it is used, and once.
func TestGraphIsWellFormed(t *testing.T) {
	for name, test := range map[string]struct {
		classes []string
		hidden  []int
	}{
		"two classes": {[]string{"no", "yes"}, nil},
		"three":       {[]string{"a", "b", "c"}, []int{4, 3}},
	} {
		file, inputs, err := Encode(model(t, everyKind(), test.classes, test.hidden))
		if err != nil {
			t.Fatal(name, err)
		}
		top := fields(t, file)
		if len(top[7]) != 1 || len(top[8]) != 2 {
			t.Fatalf("%s: %d graphs, %d operator sets, want 1 and 2", name, len(top[7]), len(top[8]))
		}
		if top := binary.LittleEndian.AppendUint64(nil, math.Float64bits(-12)); !bytes.Contains(file, top) { // (-1 - mean)/deviation
			t.Errorf("%s: the graph does not standardize", name)
		}
		if !bytes.Contains(top[6][0], []byte("FNV-1a")) {
			t.Errorf("%s: the doc string does not say how to hash", name)
		}
		graph := fields(t, top[7][0])
		made := map[string]bool{}
		define := func(value []byte) {
			if made[string(value)] {
				t.Errorf("%s: %q is made twice", name, value)
			}
			made[string(value)] = true
		}
		for _, in := range graph[11] {
			define(fields(t, in)[1][0])
		}
		for _, tensor := range graph[5] {
			define(fields(t, tensor)[8][0])
		}
		for _, node := range graph[1] {
			for _, in := range fields(t, node)[1] {
				if !made[string(in)] {
					t.Errorf("%s: node %s reads %q before it is made", name, fields(t, node)[3][0], in)
				}
			}
			define(fields(t, node)[2][0])
		}
		for _, out := range graph[12] {
			if !made[string(fields(t, out)[1][0])] {
				t.Errorf("%s: output %q is never made", name, fields(t, out)[1][0])
			}
		}
		var names []string
		for _, in := range inputs {
			names = append(names, in.Name)
		}
		if want := []string{"age", "spent", "seen", "town", "pixels", "city.buckets", "label.buckets"}; !slices.Equal(names, want) || len(graph[11]) != len(want) {
			t.Errorf("%s: inputs = %q, want %q", name, names, want)
		}
		again, _, _ := Encode(model(t, everyKind(), test.classes, test.hidden))
		if !bytes.Equal(file, again) {
			t.Errorf("%s: one model gives two files", name)
		}
	}
}

func TestOneInputOfTwoKinds(t *testing.T) {
	number := data.Feature{Name: "zip", Kind: data.Numeric, Min: pointer(0.0), Max: pointer(9.0)}
	text := data.Feature{Name: "zip", Kind: data.Categorical, Values: []string{"1"}}
	if _, _, err := Encode(model(t, []data.Feature{number, text}, []string{"a", "b"}, nil)); err == nil || !strings.Contains(err.Error(), `"zip"`) {
		t.Errorf("two kinds of one column: %v, want an error", err)
	}
	number.Name = inner + "1"
	if _, _, err := Encode(model(t, []data.Feature{number}, []string{"a", "b"}, nil)); err == nil {
		t.Error("a feature may have the name of the graph's own values")
	}
}
