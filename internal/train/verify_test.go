package train

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train/disk/disktest"
)

// released is a fit's model and report, in a folder.
type released struct {
	model, report string
	m             *Model
	r             *Report
	plan          *Plan
}

func release(t *testing.T, o Options, seeded bool) released {
	t.Helper()
	m, p, f := fitted(t, o, rng.TestKey(3), 1)
	r, err := NewReport(p, f, seeded, "test")
	if err != nil {
		t.Fatal(err)
	}
	m.Private = r.Private
	dir := t.TempDir()
	if err := Write(&disktest.FS{}, dir, m, r); err != nil {
		t.Fatal(err)
	}
	return released{filepath.Join(dir, ModelFile), filepath.Join(dir, ReportFile), m, r, p}
}

// TestVerifyTakesWhatFitWrites verifies fits of every kind of config: each section of the model must lead back to its plan.
func TestVerifyTakesWhatFitWrites(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	for name, change := range map[string]func(*Options){
		"default":           func(*Options) {},
		"noise multiplier":  func(o *Options) { o.Privacy.TargetEpsilon, o.Privacy.NoiseMultiplier = nil, pointer(3.0) },
		"add_or_remove_one": func(o *Options) { o.Privacy.Adjacency, o.Rows, o.RowsAtMost = "add_or_remove_one", 0, 500 },
		"replace_one":       func(o *Options) { o.Privacy.Adjacency = "replace_one" },
		"poisson":           func(o *Options) { o.Train.SamplingProbability = pointer(0.3) },
		"epochs":            func(o *Options) { o.Train.BatchSize, o.Train.Epochs = pointer(100), pointer(5.0) },
		"adam": func(o *Options) {
			o.Train.Optimizer, o.Train.LearningRate, o.Train.Momentum = Adam, pointer(0.05), pointer(0.8)
		},
		"mlp":           func(o *Options) { o.Model = ModelOptions{Hidden: []int{4, 3}, Activation: "relu"} },
		"rdp":           func(o *Options) { o.Privacy.Accountant = "rdp" },
		"person":        func(o *Options) { o.Privacy.MaxRowsPerPerson = 3 },
		"average":       func(o *Options) { o.Train.AverageLast, o.Train.WeightDecay = pointer(0.0), 0.01 },
		"norm":          func(o *Options) { o.Privacy.MaxGradNorm, o.Train.Steps = 0.5, pointer(7) },
		"class weights": func(o *Options) { o.Train.ClassWeights = []float64{1, 3} },
		"even classes":  func(o *Options) { o.Train.EvenClasses, o.Privacy.HistogramShare = true, pointer(0.1) },
		"noiseless":     func(o *Options) { o.NoPrivacy = true },
		"noiseless, stated": func(o *Options) {
			o.NoPrivacy, o.Privacy.TargetEpsilon, o.Privacy.NoiseMultiplier = true, nil, pointer(2.0)
		},
	} {
		for _, seeded := range []bool{false, true} {
			o := testOptions()
			change(&o)
			d := release(t, o, seeded)
			r, err := Verify(d.model, d.report)
			if err != nil {
				t.Errorf("%s, seeded %v: %v", name, seeded, err)
				continue
			}
			if r.ReportID != d.r.ReportID {
				t.Errorf("%s: Verify returns another report", name)
			}
			if err := VerifyConfig(d.report, r, d.plan); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			o.Train.Steps, o.Train.Epochs = pointer(8), nil
			other, err := NewPlan(o, d.m.Schema)
			if err != nil {
				t.Fatal(err)
			}
			if err := VerifyConfig(d.report, r, other); err == nil {
				t.Errorf("%s: another config passes", name)
			}
		}
	}
}

// TestVerifyTakesWhatQueriesGave verifies a fit that learned scales, and not one that says it learned others.
func TestVerifyTakesWhatQueriesGave(t *testing.T) {
	o := testOptions()
	o.Rows, o.Train.SamplingProbability = 500, pointer(0.3)
	p, err := NewPlan(o, standardizedSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	f, err := Fit(context.Background(), p, load(t, standardizedTable(t, 500), p.Schema), Run{Key: rng.TestKey(1), Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReport(p, f, false, "test")
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{Schema: f.Encoding, Net: p.Net, Params: f.Params, Model: p.Model, Privacy: p.Privacy, Train: p.Train, Private: true, Version: "test"}
	dir := t.TempDir()
	write := func() error {
		if r.ReportID, err = r.Identity(); err != nil {
			t.Fatal(err)
		}
		if err := Write(&disktest.FS{}, dir, m, r); err != nil {
			t.Fatal(err)
		}
		_, err := Verify(filepath.Join(dir, ModelFile), filepath.Join(dir, ReportFile))
		return err
	}
	if err := write(); err != nil {
		t.Error(err)
	}
	learned := *r.Learned
	r.Learned = &learned
	learned.Moments = slices.Clone(learned.Moments)
	learned.Moments[0].Mean += 0.1
	if err := write(); err == nil {
		t.Error("other moments than the model's pass")
	}
	r.Learned = nil
	if err := write(); err == nil {
		t.Error("queries without answers pass")
	}
}

// TestVerifyFindsEveryChangedByte changes each third byte of model and report, from another one on in each run of the
// tests, and here and there drops one, doubles one, or cuts the file.
func TestVerifyFindsEveryChangedByte(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	d := release(t, testOptions(), false)
	for _, path := range []string{d.model, d.report} {
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := int(time.Now().UnixNano() % 3); i < len(good); i += 3 {
			changes := [][]byte{append(append(bytes.Clone(good[:i]), good[i]^1<<(i/3%8)), good[i+1:]...)}
			if i/3%16 == 0 {
				changes = append(changes, append(bytes.Clone(good[:i]), good[i+1:]...), append(bytes.Clone(good[:i+1]), good[i:]...), good[:i])
			}
			for _, bad := range changes {
				if bytes.Equal(bad, good) {
					continue
				}
				if err := os.WriteFile(path, bad, 0o600); err != nil {
					t.Fatal(err)
				}
				if _, err := Verify(d.model, d.report); err == nil {
					t.Fatalf("%s: a change at byte %d of %d is not found", filepath.Base(path), i, len(good))
				}
			}
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Verify(d.model, d.report); err != nil {
		t.Error(err)
	}
}

// TestVerifyDerivesEveryField forges reports whose hashes are all right, and models to go with them.
func TestVerifyDerivesEveryField(t *testing.T) {
	for field, change := range map[string]func(*Report, *Model){
		"claim.epsilon_upper": func(r *Report, _ *Model) { *r.Epsilon /= 2; *r.Claim.EpsilonUpper = *r.Epsilon },
		"claim.epsilon_lower": func(r *Report, _ *Model) { *r.Claim.EpsilonLower /= 2 },
		"delta":               func(r *Report, _ *Model) { r.Delta /= 10 },
		"noise_multiplier":    func(r *Report, _ *Model) { r.NoiseMultiplier *= 2 },
		"max_grad_norm":       func(r *Report, _ *Model) { r.MaxGradNorm *= 2 },
		"steps":               func(r *Report, _ *Model) { r.Steps-- },
		"claim.mu_gdp":        func(r *Report, _ *Model) { *r.Claim.MuGDP /= 2 },
		"claim.statement":     func(r *Report, _ *Model) { r.Claim.Statement = "Nothing is revealed." },
		"claim.definition":    func(r *Report, _ *Model) { r.Claim.Definition = "all is well" },
		"claim.delta_at_epsilon.2.delta": func(r *Report, _ *Model) {
			r.Claim.Deltas[2].Delta /= 2
		},
		"claim.tpr_at_1pct_fpr":      func(r *Report, _ *Model) { *r.Claim.AttackSuccess = 0.01 },
		"claim.person":               func(r *Report, _ *Model) { r.Claim.Person = &ReportPerson{MaxRows: 3, Epsilon: pointer(1.0)} },
		"setting.not_covered":        func(r *Report, _ *Model) { r.Setting.NotCovered = nil },
		"adjacency":                  func(r *Report, _ *Model) { r.Adjacency = accounting.ReplaceOne },
		"unit":                       func(r *Report, _ *Model) { r.Unit = "person" },
		"mechanism.eta":              func(r *Report, _ *Model) { r.Mechanism.Eta = 0 },
		"mechanism.steps_charged":    func(r *Report, _ *Model) { r.Mechanism.StepsCharged-- },
		"mechanism.steps_planned":    func(r *Report, _ *Model) { r.Mechanism.StepsPlanned-- },
		"mechanism.divisor":          func(r *Report, _ *Model) { r.Mechanism.Divisor++ },
		"mechanism.noise_parameter":  func(r *Report, _ *Model) { r.Mechanism.NoiseParameter++ },
		"mechanism.randomness":       func(r *Report, _ *Model) { r.Mechanism.Randomness = "dice" },
		"accounting.events.count":    func(r *Report, _ *Model) { r.Accounting.Events = rawEvent(r, `"count":200`, `"count":199`) },
		"accounting.accounted_delta": func(r *Report, _ *Model) { r.Accounting.AccountedDelta = r.Delta },
		"accounting.epsilon_rdp":     func(r *Report, _ *Model) { *r.Accounting.EpsilonRDP /= 2 },
		"accounting.assumptions":     func(r *Report, _ *Model) { r.Accounting.Assumptions = nil },
		"training.train.momentum":    func(r *Report, _ *Model) { r.Training.Train.Momentum = 0 },
		"training.parameters":        func(r *Report, _ *Model) { r.Training.Parameters++ },
		"hashes.config":              func(r *Report, _ *Model) { r.Hashes.Config = strings.Repeat("0", 64) },
		"hashes.schema":              func(r *Report, _ *Model) { r.Hashes.Schema = strings.Repeat("0", 64) },
		"declared_public.data.row_norm": func(r *Report, _ *Model) {
			r.Declared.Data.RowNorm = 2
		},
		"rows of another number":  func(r *Report, _ *Model) { r.Declared.Rows = 401 },
		"another version":         func(r *Report, _ *Model) { r.Accounting.Version = "0" },
		"the model's own noise":   func(_ *Report, m *Model) { m.Privacy.NoiseMultiplier *= 2 },
		"the model's own target":  func(_ *Report, m *Model) { m.Privacy.TargetEpsilon = pointer(0.1) },
		"the model's own steps":   func(_ *Report, m *Model) { m.Train.Steps = 0 },
		"more steps than planned": func(r *Report, _ *Model) { r.Mechanism.StepsApplied = r.Mechanism.StepsPlanned + 1 },
		"a seeded run made private": func(r *Report, m *Model) {
			r.Mechanism.Randomness = seededRandomness
		},
	} {
		d := release(t, testOptions(), false)
		change(d.r, d.m)
		var err error
		if d.r.ReportID, err = d.r.Identity(); err != nil {
			t.Fatal(err)
		}
		if err := Write(&disktest.FS{}, filepath.Dir(d.model), d.m, d.r); err != nil {
			t.Fatal(err)
		}
		_, err = Verify(d.model, d.report)
		var found *VerifyError
		if !errors.As(err, &found) {
			t.Errorf("%s: Verify = %v, want that it is found", field, err)
		} else if strings.Contains(err.Error(), "is not what follows") && strings.Contains(field, ".") && !strings.Contains(err.Error(), ": "+field+" ") {
			t.Errorf("%s: Verify = %v, want that it names the field", field, err)
		}
	}
}

// rawEvent is the report's list of events with a part replaced.
func rawEvent(r *Report, old, to string) json.RawMessage {
	var compact bytes.Buffer
	_ = json.Compact(&compact, r.Accounting.Events) // it was made by MarshalEvent
	return json.RawMessage(strings.Replace(compact.String(), old, to, 1))
}

// TestVerifyTakesNoMoreMemoryThanTheFiles gives it files that ask for much: reading takes a file's own size, and its
// numbers a second time, and a fixed amount for JSON.
func TestVerifyTakesNoMoreMemoryThanTheFiles(t *testing.T) {
	d := release(t, testOptions(), false)
	report, err := os.ReadFile(d.report)
	if err != nil {
		t.Fatal(err)
	}
	header := func(text string) []byte {
		b := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
		return append(append(b, text...), make([]byte, 4<<20)...)
	}
	for name, file := range map[string][]byte{
		"zeros":          make([]byte, 4<<20),
		"a huge header":  append(bytes.Repeat([]byte{0xff}, 8), make([]byte, 4<<20)...),
		"a huge tensor":  header(`{"x":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}}`),
		"many zero rows": header(`{"x":{"dtype":"F32","shape":[9000000000000000000,0],"data_offsets":[0,0]}}`),
		"one tensor":     header(`{"x":{"dtype":"F32","shape":[1048576],"data_offsets":[0,4194304]}}`),
	} {
		if err := os.WriteFile(d.model, file, 0o600); err != nil {
			t.Fatal(err)
		}
		// With the hash right, so that the file is looked at.
		r := *d.r
		r.Hashes.Model = hash(file)
		text, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(d.report, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Verify(d.model, d.report); err == nil {
			t.Errorf("%s is taken for a model", name)
		}
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; taken > uint64(2*len(file)+64*len(report)) {
			t.Errorf("%s: %d bytes are allocated for files of %d", name, taken, len(file)+len(report))
		}
	}
}

// FuzzVerify looks at model and report past their hashes: what is in them is held against the accounting.
func FuzzVerify(f *testing.F) {
	s := testSchema(f)
	p, err := NewPlan(testOptions(), s)
	if err != nil {
		f.Fatal(err)
	}
	r, err := NewReport(p, &Fitted{Steps: p.Train.Steps, Spent: p.Mechanism.Event(p.Train.Steps)}, false, "test")
	if err != nil {
		f.Fatal(err)
	}
	m := &Model{Schema: s, Net: p.Net, Params: make([]float32, p.Net.Params()), Model: p.Model, Privacy: p.Privacy, Train: p.Train,
		Private: true, Version: "test", ReportID: r.ReportID}
	model := written(f, m.encode)
	report, err := r.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(model, report)
	f.Add(model[:100], report[:100])
	f.Add(bytes.Replace(model, []byte(`\"steps\":200`), []byte(`\"steps\":999`), 1), bytes.Replace(report, []byte(`"count": 200`), []byte(`"count": 999`), 1))
	f.Fuzz(func(_ *testing.T, model, report []byte) {
		r, err := decodeReport(report)
		if err != nil {
			return
		}
		m, err := decodeModel(bytes.NewReader(model))
		if err != nil {
			return
		}
		if want, err := r.again(m); err == nil {
			_ = firstDifference(r, want)
		}
	})
}
