package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"dptrain/internal/data"
	"dptrain/internal/privacy/accounting"
)

// A VerifyError says which file does not agree with the others, or with what follows from it.
type VerifyError struct {
	File, Msg string
}

func (e *VerifyError) Error() string { return fmt.Sprintf("%s: %s", e.File, e.Msg) }

// Hint is what to do about it.
func (e *VerifyError) Hint() string {
	return "do not rely on these files: get model and report again from where fit wrote them"
}

// Verify holds a model and a report against each other, and the report against what follows from the model's own
// config: the run is planned again from the resolved sections, its events priced again, and every field of the report
// derived again. It returns the report. Its errors are *VerifyError, *ModelError, *ReportError, or of the file system.
//
// It shows that the files are whole, belong together, and claim what the accounting says of the run they describe. It
// cannot show that this run took place: there is no signature, and whoever changes both files and all hashes in them has
// made other files. The config's hash and a ledger's entry tie them to what others know.
func Verify(modelPath, reportPath string) (*Report, error) {
	text, err := os.ReadFile(reportPath)
	if err != nil {
		return nil, err
	}
	file, err := os.ReadFile(modelPath)
	if err != nil {
		return nil, err
	}
	r, err := decodeReport(text)
	if err != nil {
		return nil, &ReportError{File: reportPath, Msg: err.Error()}
	}
	// Hashes come first: they are cheap, and what follows is for files that mean to be right.
	id, err := r.Identity()
	if err != nil {
		return nil, err
	}
	written, err := r.Encode()
	if err != nil {
		return nil, err
	}
	switch {
	case id != r.ReportID, !bytes.Equal(written, text):
		return nil, &VerifyError{reportPath, "was changed after it was written: its content does not have the id it states"}
	case hash(file) != r.Hashes.Model:
		return nil, &VerifyError{modelPath, "is not the model of the report, or one of the two was changed: its hash is another"}
	}
	m, err := decodeModel(bytes.NewReader(file))
	if err != nil {
		return nil, &ModelError{File: modelPath, Msg: err.Error()}
	}
	if m.ReportID != r.ReportID || m.Private != r.Private || m.Version != r.Version {
		return nil, &VerifyError{modelPath, "names another report"}
	}
	if r.Accounting.Version != accounting.Version {
		return nil, &VerifyError{reportPath, fmt.Sprintf("was accounted by version %s of the arithmetic, dptrain %s; this program has version %s",
			r.Accounting.Version, r.Version, accounting.Version)}
	}
	want, err := r.again(m)
	if err != nil {
		return nil, &VerifyError{reportPath, "describes a run that this program would not do: " + err.Error()}
	}
	if field := firstDifference(r, want); field != "" {
		return nil, &VerifyError{reportPath, fmt.Sprintf("%s is not what follows from the model's config and the accounting", field)}
	}
	return r, nil
}

// again derives the report from the model's config. It takes from r what no config decides: where the randomness came
// from, what queries gave, how many steps were applied, the entry in a ledger, the program's version, the model's hash, and
// the warnings, which are about the way the config was written.
func (r *Report) again(m *Model) (*Report, error) {
	p, err := m.plan(r.Declared)
	if err != nil {
		return nil, err
	}
	if r.Mechanism.StepsApplied < 0 || r.Mechanism.StepsApplied > p.Train.Steps {
		return nil, fmt.Errorf("%d of %d steps were applied", r.Mechanism.StepsApplied, p.Train.Steps)
	}
	if (r.Learned != nil) != (len(p.Privacy.Queries) > 0) || r.Learned != nil && !p.canUse(r.Learned) {
		return nil, fmt.Errorf("what was learned is not of the queries")
	}
	encoding, err := p.encoding(r.Learned)
	if err != nil {
		return nil, err
	}
	if field := firstDifference(m.Schema.Spec(), encoding.Spec()); field != "" {
		return nil, fmt.Errorf("%s of the model is another than the report's", field)
	}
	fitted := &Fitted{Params: m.Params, Steps: r.Mechanism.StepsApplied, Learned: r.Learned, Encoding: encoding,
		Ledger: r.Accounting.Ledger, Spent: accounting.NonPrivate{}}
	if !p.Noiseless() {
		fitted.Spent = p.Mechanism.Event(p.Train.Steps)
	}
	want, err := NewReport(p, fitted, r.Mechanism.Randomness == seededRandomness, r.Version)
	if err != nil {
		return nil, err
	}
	want.Hashes.Model = r.Hashes.Model
	want.Warnings = slices.Clone(r.Warnings)
	want.ReportID = r.ReportID // which is that of its content
	return want, nil
}

// plan is the plan that the model's resolved sections are of, for a table as declared.
func (m *Model) plan(declared ReportDeclared) (*Plan, error) {
	schema, err := data.NewSchema(declared.Data)
	if err != nil {
		return nil, err
	}
	p, err := NewPlan(m.options(declared), schema)
	if err != nil {
		return nil, err
	}
	// Each section must come back as it was: nothing in it was ignored.
	for _, pair := range [][2]any{{m.Model, p.Model}, {m.Privacy, p.Privacy}, {m.Train, p.Train}, {declared, p.declared()}} {
		if field := firstDifference(pair[0], pair[1]); field != "" {
			return nil, &data.SpecError{Key: field, Msg: "is not what a config resolves to"}
		}
	}
	return p, nil
}

// options states what the resolved sections say. Where a target is stated, the noise is to follow from it again.
func (m *Model) options(declared ReportDeclared) Options {
	s, t := m.Privacy, m.Train
	o := Options{
		Rows: declared.Rows, RowsAtMost: declared.RowsAtMost,
		NoPrivacy: s.NoiseMultiplier == 0,
		Model:     ModelOptions{Hidden: m.Model.Hidden, Activation: string(m.Model.Activation)},
		Privacy: PrivacyOptions{
			Unit: s.Unit, Adjacency: string(s.Adjacency), TargetEpsilon: s.TargetEpsilon, Delta: s.Delta,
			MaxGradNorm: s.MaxGradNorm, Accountant: s.Accountant, MaxRowsPerPerson: s.MaxRowsPerPerson,
		},
		Train: TrainOptions{
			Steps: &t.Steps, SamplingProbability: &t.SamplingProbability, Optimizer: t.Optimizer, LearningRate: &t.LearningRate,
			Momentum: &t.Momentum, AverageLast: &t.AverageLast, WeightDecay: t.WeightDecay, ClassWeights: t.ClassWeights,
		},
	}
	if s.TargetEpsilon == nil {
		noise := s.NoiseMultiplier
		if o.NoPrivacy {
			noise = 1 // one was stated, and not used
		}
		o.Privacy.NoiseMultiplier = &noise
	}
	for _, q := range s.Queries {
		switch q.Name {
		case queryMoments:
			o.Privacy.StandardizeShare = &q.Share
		case queryHistogram:
			o.Privacy.HistogramShare, o.Train.EvenClasses = &q.Share, true
		}
	}
	return o
}

// VerifyConfig errs with a *VerifyError where the report is not of a run by the plan of a config.
func VerifyConfig(path string, r *Report, p *Plan) error {
	config, err := p.ConfigHash()
	if err != nil || config == r.Hashes.Config {
		return err
	}
	for _, section := range []struct {
		name         string
		theirs, ours any
	}{{"data", r.Declared, p.declared()}, {"model", r.Training.Model, p.Model}, {"train", r.Training.Train, p.Train}} {
		if field := firstDifference(section.theirs, section.ours); field != "" {
			return &VerifyError{path, fmt.Sprintf("is not of this config: %s.%s differs", section.name, field)}
		}
	}
	return &VerifyError{path, "is not of this config: its privacy section differs"}
}

// firstDifference is the path of a field in which the JSON of two values differs; empty where there is none.
func firstDifference(a, b any) string {
	var trees [2]any
	for i, v := range []any{a, b} {
		text, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&trees[i]); err != nil {
			return err.Error()
		}
	}
	path, _ := difference(trees[0], trees[1])
	return path
}

// difference is firstDifference of JSON trees; differ is also true where the trees themselves do, and path is empty.
func difference(a, b any) (path string, differ bool) {
	join := func(name, below string) string {
		if below == "" {
			return name
		}
		return name + "." + below
	}
	switch a := a.(type) {
	case map[string]any:
		other, same := b.(map[string]any)
		if !same {
			return "", true
		}
		names := []string{}
		for name := range a {
			names = append(names, name)
		}
		for name := range other {
			if _, both := a[name]; !both {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			if below, differ := difference(a[name], other[name]); differ {
				return join(name, below), true
			}
		}
		return "", false
	case []any:
		other, same := b.([]any)
		if !same || len(a) != len(other) {
			return "", true
		}
		for i := range a {
			if below, differ := difference(a[i], other[i]); differ {
				return join(fmt.Sprint(i), below), true
			}
		}
		return "", false
	}
	return "", a != b
}
