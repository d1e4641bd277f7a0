package train

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// A tensor is a named row-major block of float32.
type tensor struct {
	name   string
	shape  []int
	values []float32
}

// The safetensors format (huggingface.co/docs/safetensors): 8 bytes of header length, little-endian; a JSON header of
// that length; then the tensors' bytes, little-endian, which the header's offsets cover exactly.
const (
	lengthBytes    = 8
	maxHeaderBytes = 100 << 20
	metadataKey    = "__metadata__"
)

// tensorHeader is a tensor's entry in the header.
type tensorHeader struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// encodeSafetensors lays out tensors, in the order given, behind a header padded to a multiple of 8 bytes.
func encodeSafetensors(metadata map[string]string, tensors []tensor) ([]byte, error) {
	header := map[string]any{metadataKey: metadata}
	size := 0
	for _, t := range tensors {
		end := size + 4*len(t.values)
		header[t.name] = tensorHeader{DType: "F32", Shape: t.shape, Offsets: [2]int{size, end}}
		size = end
	}
	text, err := json.Marshal(header) // map keys are sorted: one model, one file
	if err != nil {
		return nil, err
	}
	for len(text)%lengthBytes != 0 {
		text = append(text, ' ')
	}
	out := make([]byte, 0, lengthBytes+len(text)+size)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(text)))
	out = append(out, text...)
	for _, t := range tensors {
		for _, v := range t.values {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
	}
	return out, nil
}

// decodeSafetensors reads a file and trusts nothing in it: the header's length, its keys (each once), types, shapes
// and offsets are checked, the tensors must cover the rest of the file exactly, and every value must be finite.
func decodeSafetensors(file []byte) (map[string]string, []tensor, error) {
	if len(file) < lengthBytes {
		return nil, nil, fmt.Errorf("the file is shorter than its header's length")
	}
	length := binary.LittleEndian.Uint64(file)
	if length > maxHeaderBytes || length > uint64(len(file)-lengthBytes) {
		return nil, nil, fmt.Errorf("the header's length is beyond the file")
	}
	text, body := file[lengthBytes:lengthBytes+length], file[lengthBytes+length:]
	if len(text) == 0 || text[0] != '{' || !jsontext.Value(text).IsValid() { // duplicate names are not valid here
		return nil, nil, fmt.Errorf("the header is not a JSON object")
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(text, &header); err != nil {
		return nil, nil, fmt.Errorf("the header is not a JSON object")
	}
	var metadata map[string]string
	var tensors []tensor
	offsets := map[string]int{}
	for name, raw := range header {
		if name == metadataKey {
			if err := json.Unmarshal(raw, &metadata); err != nil {
				return nil, nil, fmt.Errorf("the metadata is not a map of strings")
			}
			continue
		}
		t, start, err := decodeTensor(name, raw, body)
		if err != nil {
			return nil, nil, err
		}
		tensors, offsets[name] = append(tensors, t), start
	}
	slices.SortFunc(tensors, func(a, b tensor) int { return offsets[a.name] - offsets[b.name] })
	end := 0
	for _, t := range tensors {
		if offsets[t.name] != end {
			return nil, nil, fmt.Errorf("the tensors leave a gap or overlap")
		}
		end += 4 * len(t.values)
	}
	if end != len(body) {
		return nil, nil, fmt.Errorf("the tensors end at byte %d of %d", end, len(body))
	}
	return metadata, tensors, nil
}

// decodeTensor checks one header entry and reads its values out of body.
func decodeTensor(name string, raw json.RawMessage, body []byte) (tensor, int, error) {
	var h tensorHeader
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&h); err != nil || h.DType != "F32" {
		return tensor{}, 0, fmt.Errorf("tensor %q is not described as F32 with a shape and offsets", name)
	}
	size := 4
	for _, d := range h.Shape {
		if d < 0 || d > 0 && size > math.MaxInt32*4/d {
			return tensor{}, 0, fmt.Errorf("tensor %q has an impossible shape", name)
		}
		size *= d
	}
	from, to := h.Offsets[0], h.Offsets[1]
	if from < 0 || to < from || to > len(body) || to-from != size {
		return tensor{}, 0, fmt.Errorf("tensor %q has offsets that do not fit its shape and the file", name)
	}
	t := tensor{name: name, shape: h.Shape, values: make([]float32, size/4)}
	for i := range t.values {
		v := math.Float32frombits(binary.LittleEndian.Uint32(body[from+4*i:]))
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return tensor{}, 0, fmt.Errorf("tensor %q holds a value that is not finite", name)
		}
		t.values[i] = v
	}
	return t, from, nil
}
