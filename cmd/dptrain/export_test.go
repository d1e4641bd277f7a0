package main

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dptrain/internal/train"
)

func TestExport(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir)
	code, out, stderr := dptrain(t, dir, "export", "-m", *r.Model, "--to", "onnx", "--json")
	var result exportResult
	if err := json.Unmarshal([]byte(out), &result); code != 0 || err != nil || len(result.Inputs) != 2 || result.Inputs[0].Type != "double" {
		t.Fatalf("export = %d, %s%s", code, out, stderr)
	}
	if info, err := os.Stat(filepath.Join(dir, "runs", "c", "model.onnx")); err != nil || info.Size() < 500 {
		t.Errorf("the file beside the model: %v, %v", info, err)
	}
	for args, want := range map[string]status{
		"-m " + *r.Model:                          statusResources, // it is there already
		"-m " + *r.Model + " --to pmml":           statusUsage,
		"--to onnx":                               statusUsage,
		"-m train.csv":                            statusIntegrity,
		"-m " + *r.Model + " --fresh -o out.onnx": statusDone,
	} {
		if code, _, stderr := dptrain(t, dir, append([]string{"export"}, strings.Fields(args)...)...); code != int(want) {
			t.Errorf("export %s: exit status = %d, want %d\n%s", args, code, want, stderr)
		}
	}
}

// TestModelOpensByThePublishedFormat reads a model file by the description of safetensors alone, as another language would,
// and predicts with what it finds.
func TestModelOpensByThePublishedFormat(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir)
	file, err := os.ReadFile(*r.Model)
	if err != nil {
		t.Fatal(err)
	}
	length := binary.LittleEndian.Uint64(file)
	var header map[string]json.RawMessage
	if err := json.Unmarshal(file[8:8+length], &header); err != nil {
		t.Fatal(err)
	}
	body := file[8+length:]
	read := func(name string) (shape []int, values []float64) {
		var entry struct {
			DType   string `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}
		if err := json.Unmarshal(header[name], &entry); err != nil || entry.DType != "F32" {
			t.Fatalf("%s: %s, %v", name, header[name], err)
		}
		for at := entry.Offsets[0]; at < entry.Offsets[1]; at += 4 {
			values = append(values, float64(math.Float32frombits(binary.LittleEndian.Uint32(body[at:]))))
		}
		return entry.Shape, values
	}
	var metadata map[string]string
	if err := json.Unmarshal(header["__metadata__"], &metadata); err != nil || metadata["private"] != "true" || len(metadata["report_id"]) != 64 {
		t.Errorf("metadata = %v, %v", metadata, err)
	}
	shape, weight := read("layers.0.weight")
	_, bias := read("layers.0.bias")
	// Inputs: age scaled; then age missing, Ulm, Bern, other, missing.
	if len(shape) != 2 || shape[0] != 1 || shape[1] != 6 || len(bias) != 1 {
		t.Fatalf("weight is %v, bias has %d, want [1 6] and 1", shape, len(bias))
	}
	x := []float64{2*0.2 - 1, 0, 1, 0, 0, 0} // age 20 in Ulm
	norm, logit := 0.0, bias[0]
	for _, v := range x {
		norm += v * v
	}
	for i, v := range x {
		logit += weight[i] * v / math.Max(1, math.Sqrt(norm))
	}
	var got struct {
		Probabilities map[string]float64 `json:"probabilities"`
	}
	write(t, dir, "one.jsonl", `{"age": 20, "town": "Ulm"}`)
	_, out, stderr := dptrain(t, dir, "predict", "-m", *r.Model, "--data", "one.jsonl")
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err, stderr)
	}
	if want := 1 / (1 + math.Exp(-logit)); math.Abs(got.Probabilities["yes"]-want) > 1e-6 {
		t.Errorf("predict = %v, from the file alone %v", got.Probabilities["yes"], want)
	}
	if model, err := train.ReadModel(*r.Model); err != nil || len(model.Params) != 7 {
		t.Errorf("the program itself reads %d parameters, %v", len(model.Params), err)
	}
}
