package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"dptrain/internal/data"
	"dptrain/internal/train/disk"
	"dptrain/internal/train/nn"
)

// modelFormat names the layout of a model file's metadata.
const modelFormat = "dptrain.model/1"

// A Model is a trained net together with all that is needed to apply it to a new table.
type Model struct {
	Schema   *data.Schema
	Net      *nn.Net
	Params   []float32 // [Net.Params]
	Model    PlanModel
	Privacy  PlanPrivacy
	Train    PlanTrain
	Private  bool   // false: the randomness came from a stated seed, and the privacy section promises nothing
	ReportID string // of the report that belongs to it
	Version  string // of the program that wrote it
}

// A ModelError says why a file is not a model this program can use.
type ModelError struct {
	File, Msg string
}

func (e *ModelError) Error() string { return fmt.Sprintf("%s: not a usable model: %s", e.File, e.Msg) }

// Hint is what to do about it.
func (e *ModelError) Hint() string { return "fit writes such files as model.safetensors" }

// encode writes the model as a safetensors file. It is a function of the parameters and the resolved config: no path,
// time, host or number of workers is in it.
func (m *Model) encode(w io.Writer) error {
	metadata := map[string]string{"format": modelFormat, "version": m.Version, "report_id": m.ReportID, "private": strconv.FormatBool(m.Private)}
	for key, section := range m.sections() {
		text, err := json.Marshal(section)
		if err != nil {
			return err
		}
		metadata[key] = string(text)
	}
	var tensors []tensor
	for i, l := range m.Net.Unpack(m.Params) {
		tensors = append(tensors,
			tensor{name: weightName(i), shape: []int{l.Out, l.In}, values: l.Weight},
			tensor{name: biasName(i), shape: []int{l.Out}, values: l.Bias})
	}
	return writeSafetensors(w, metadata, tensors)
}

// sections are the parts of the resolved config that a model file carries, by metadata key. The data section is read
// back into a spec, the others into the fields pointed to.
func (m *Model) sections() map[string]any {
	sections := map[string]any{"model": &m.Model, "privacy": &m.Privacy, "train": &m.Train}
	if m.Schema != nil {
		sections["data"] = m.Schema.Spec()
	}
	return sections
}

func weightName(layer int) string { return fmt.Sprintf("layers.%d.weight", layer) }
func biasName(layer int) string   { return fmt.Sprintf("layers.%d.bias", layer) }

// ReadModel reads a model file. Its errors are *ModelError, or of the file system.
func ReadModel(path string) (*Model, error) {
	file, err := disk.OS{}.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	m, err := decodeModel(file)
	if errors.As(err, new(unreadableError)) {
		return nil, err
	}
	if err != nil {
		return nil, &ModelError{File: path, Msg: err.Error()}
	}
	return m, nil
}

// decodeModel is the inverse of encode. It trusts nothing in the file.
func decodeModel(file source) (*Model, error) {
	metadata, tensors, err := readSafetensors(file, modelFormat)
	if err != nil {
		return nil, err
	}
	m := &Model{ReportID: metadata["report_id"], Version: metadata["version"], Private: metadata["private"] == "true"}
	for key, section := range m.sections() {
		if err := json.Unmarshal([]byte(metadata[key]), section); err != nil {
			return nil, fmt.Errorf("its %s section cannot be read", key)
		}
	}
	var spec data.Spec
	if err := json.Unmarshal([]byte(metadata["data"]), &spec); err != nil {
		return nil, fmt.Errorf("its data section cannot be read")
	}
	if m.Schema, err = data.NewSchema(spec); err != nil {
		return nil, fmt.Errorf("its data section cannot be used: %w", err)
	}
	if m.Net, err = newNet(m.Schema, m.Model); err != nil {
		return nil, fmt.Errorf("its model section cannot be used: %w", err)
	}
	byName := map[string]tensor{}
	for _, t := range tensors {
		byName[t.name] = t
	}
	if len(tensors) != 2*(len(m.Model.Hidden)+1) {
		return nil, fmt.Errorf("it has %d tensors, want %d", len(tensors), 2*(len(m.Model.Hidden)+1))
	}
	var layers []nn.Linear
	for i := range len(m.Model.Hidden) + 1 {
		weight, bias := byName[weightName(i)], byName[biasName(i)]
		if len(weight.shape) != 2 || len(bias.shape) != 1 {
			return nil, fmt.Errorf("layer %d is not there as a weight matrix and a bias", i)
		}
		layers = append(layers, nn.Linear{In: weight.shape[1], Out: weight.shape[0], Weight: weight.values, Bias: bias.values})
	}
	m.Params, err = m.Net.Pack(layers)
	return m, err
}
