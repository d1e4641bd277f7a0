package train

import (
	"errors"
	"os"
	"path/filepath"
)

// The names of the files a fit writes into its output folder.
const (
	ModelFile  = "model.safetensors"
	ReportFile = "report.json"
)

// Write puts model and report into dir, which it creates, each whole or not at all. It sets the report's hash and the
// model's report id. At no moment does a model stand beside a report that is not its own: both are on disk under
// temporary names before an older report is removed, then the model gets its name, then the report. Where that fails,
// neither is left.
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
	stagedModel, err := stage(modelPath, model)
	if err != nil {
		return "", "", err
	}
	stagedReport, err := stage(reportPath, report)
	if err != nil {
		return "", "", errors.Join(err, stagedModel.discard())
	}
	if err := remove(reportPath); err != nil {
		return "", "", errors.Join(err, stagedModel.discard(), stagedReport.discard())
	}
	if err := stagedModel.commit(); err != nil {
		return "", "", errors.Join(err, stagedReport.discard())
	}
	if err := stagedReport.commit(); err != nil {
		return "", "", errors.Join(err, remove(modelPath))
	}
	return modelPath, reportPath, nil
}
