package train

import (
	"os"
	"path/filepath"
)

// The names of the files a fit writes into its output folder.
const (
	ModelFile  = "model.safetensors"
	ReportFile = "report.json"
)

// Write puts model and report into dir, which it creates, each whole or not at all: the model first, then the report
// that carries its hash. It sets the report's hash and the model's report id.
func Write(dir string, m *Model, r *Report) (modelPath, reportPath string, err error) {
	m.ReportID = r.ReportID
	model, err := m.Encode()
	if err != nil {
		return "", "", err
	}
	r.Hashes.Model = hash(model)
	report, err := r.Encode()
	if err != nil {
		return "", "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", "", err
	}
	modelPath, reportPath = filepath.Join(dir, ModelFile), filepath.Join(dir, ReportFile)
	if err := WriteFile(modelPath, model); err != nil {
		return "", "", err
	}
	return modelPath, reportPath, WriteFile(reportPath, report)
}
