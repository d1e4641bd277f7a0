package train

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	valueBytes     = 4
	chunkBytes     = 1 << 16 // of a tensor, on the way from or to a file
)

// tensorHeader is a tensor's entry in the header.
type tensorHeader struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// writeSafetensors writes tensors, in the order given, behind a header padded to a multiple of 8 bytes.
func writeSafetensors(w io.Writer, metadata map[string]string, tensors []tensor) error {
	header := map[string]any{metadataKey: metadata}
	size := 0
	for _, t := range tensors {
		end := size + valueBytes*len(t.values)
		header[t.name] = tensorHeader{DType: "F32", Shape: t.shape, Offsets: [2]int{size, end}}
		size = end
	}
	text, err := json.Marshal(header) // map keys are sorted: one model, one file
	if err != nil {
		return err
	}
	for len(text)%lengthBytes != 0 {
		text = append(text, ' ')
	}
	chunk := binary.LittleEndian.AppendUint64(make([]byte, 0, chunkBytes), uint64(len(text)))
	if _, err := w.Write(append(chunk, text...)); err != nil {
		return err
	}
	for _, t := range tensors {
		for values := range slices.Chunk(t.values, chunkBytes/valueBytes) {
			chunk = chunk[:0]
			for _, v := range values {
				chunk = binary.LittleEndian.AppendUint32(chunk, math.Float32bits(v))
			}
			if _, err := w.Write(chunk); err != nil {
				return err
			}
		}
	}
	return nil
}

// A source is a file's content: a *bytes.Reader, a [disk.Reader].
type source interface {
	io.ReaderAt
	Size() int64
}

// An unreadableError is of the file system, and says nothing of what is in a file.
type unreadableError struct{ error }

func (e unreadableError) Unwrap() error { return e.error }

// readAt fills p with a file's bytes from at on.
func readAt(file io.ReaderAt, p []byte, at int64) error {
	switch n, err := file.ReadAt(p, at); {
	case n == len(p):
		return nil
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the file ends early")
	default:
		return unreadableError{err}
	}
}

// readSafetensors reads a file that states a format in its metadata, and trusts nothing in it: the header's length, its keys
// (each once), types, shapes and offsets are checked, the tensors must cover the rest of the file exactly, and every value
// must be finite. It takes memory for the header and the values alone. It errs with an unreadableError where reading fails.
func readSafetensors(file source, format string) (map[string]string, []tensor, error) {
	header, body, err := readHeader(file)
	if err != nil {
		return nil, nil, err
	}
	var metadata map[string]string
	var placed []placedTensor
	for name, raw := range header {
		if name == metadataKey {
			if err := json.Unmarshal(raw, &metadata); err != nil {
				return nil, nil, fmt.Errorf("the metadata is not a map of strings")
			}
			continue
		}
		t, err := placeTensor(name, raw, body.Size())
		if err != nil {
			return nil, nil, err
		}
		placed = append(placed, t)
	}
	if metadata["format"] != format {
		return nil, nil, fmt.Errorf("its format is not %s; the version of dptrain that wrote it may read it", format)
	}
	slices.SortFunc(placed, func(a, b placedTensor) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	end := 0
	for _, t := range placed {
		if t.from != end {
			return nil, nil, fmt.Errorf("the tensors leave a gap or overlap")
		}
		end = t.to
	}
	if int64(end) != body.Size() {
		return nil, nil, fmt.Errorf("the tensors end at byte %d of %d", end, body.Size())
	}
	var tensors []tensor
	for _, t := range placed {
		if err := t.read(body); err != nil {
			return nil, nil, err
		}
		tensors = append(tensors, t.tensor)
	}
	return metadata, tensors, nil
}

// readHeader returns the header's entries and the rest of a file.
func readHeader(file source) (header map[string]json.RawMessage, body *io.SectionReader, err error) {
	var start [lengthBytes]byte
	if file.Size() < lengthBytes {
		return nil, nil, fmt.Errorf("the file is shorter than its header's length")
	}
	if err := readAt(file, start[:], 0); err != nil {
		return nil, nil, err
	}
	length, rest := binary.LittleEndian.Uint64(start[:]), file.Size()-lengthBytes
	if length > maxHeaderBytes || length > uint64(rest) {
		return nil, nil, fmt.Errorf("the header's length is beyond the file")
	}
	text := make([]byte, length)
	if err := readAt(file, text, lengthBytes); err != nil {
		return nil, nil, err
	}
	if length == 0 || text[0] != '{' || !jsontext.Value(text).IsValid() || json.Unmarshal(text, &header) != nil { // duplicate names are not valid here
		return nil, nil, fmt.Errorf("the header is not a JSON object")
	}
	return header, io.NewSectionReader(file, lengthBytes+int64(length), rest-int64(length)), nil
}

// A placedTensor is one whose values are the bytes [from, to) of a file's body.
type placedTensor struct {
	tensor
	from, to int
}

// placeTensor checks one header entry of a body of size bytes.
func placeTensor(name string, raw json.RawMessage, size int64) (placedTensor, error) {
	var h tensorHeader
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&h); err != nil || h.DType != "F32" {
		return placedTensor{}, fmt.Errorf("tensor %q is not described as F32 with a shape and offsets", name)
	}
	want := valueBytes
	for _, d := range h.Shape {
		if d < 0 || d > 0 && want > math.MaxInt32*valueBytes/d {
			return placedTensor{}, fmt.Errorf("tensor %q has an impossible shape", name)
		}
		want *= d
	}
	from, to := h.Offsets[0], h.Offsets[1]
	if from < 0 || to < from || int64(to) > size || to-from != want {
		return placedTensor{}, fmt.Errorf("tensor %q has offsets that do not fit its shape and the file", name)
	}
	return placedTensor{tensor{name: name, shape: h.Shape}, from, to}, nil
}

// read takes the tensor's values from a file's body.
func (t *placedTensor) read(body io.ReaderAt) error {
	t.values = make([]float32, (t.to-t.from)/valueBytes)
	chunk := make([]byte, min(chunkBytes, t.to-t.from))
	at := int64(t.from)
	for values := range slices.Chunk(t.values, chunkBytes/valueBytes) {
		chunk = chunk[:valueBytes*len(values)]
		if err := readAt(body, chunk, at); err != nil {
			return err
		}
		at += int64(len(chunk))
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(chunk[valueBytes*i:]))
		}
		if !finite(values) {
			return fmt.Errorf("tensor %q holds a value that is not finite", t.name)
		}
	}
	return nil
}
