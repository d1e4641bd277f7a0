package train

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"path/filepath"

	"dptrain/internal/train/disk"
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
func Write(fsys disk.FS, dir string, m *Model, r *Report) error {
	m.ReportID = r.ReportID
	if err := fsys.MkdirAll(dir); err != nil {
		return err
	}
	modelPath, reportPath := filepath.Join(dir, ModelFile), filepath.Join(dir, ReportFile)
	sum := sha256.New()
	stagedModel, err := disk.Stage(fsys, modelPath, disk.Public, func(w io.Writer) error { return m.encode(io.MultiWriter(w, sum)) })
	if err != nil {
		return err
	}
	r.Hashes.Model = hex.EncodeToString(sum.Sum(nil))
	stagedReport, err := disk.Stage(fsys, reportPath, disk.Public, func(w io.Writer) error {
		report, err := r.Encode()
		if err != nil {
			return err
		}
		_, err = w.Write(report)
		return err
	})
	if err != nil {
		return errors.Join(err, stagedModel.Discard())
	}
	if err := disk.Remove(fsys, reportPath); err != nil {
		return errors.Join(err, stagedModel.Discard(), stagedReport.Discard())
	}
	if err := stagedModel.Commit(); err != nil {
		return errors.Join(err, stagedReport.Discard())
	}
	if err := stagedReport.Commit(); err != nil {
		return errors.Join(err, disk.Remove(fsys, modelPath))
	}
	return nil
}
