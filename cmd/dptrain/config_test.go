package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"dptrain/internal/data"
	"dptrain/internal/train"
)

// noEnv is an environment without variables.
func noEnv(string) string { return "" }

// parseConfig is loadConfig for a config.yaml of that text.
func parseConfig(text string, f configFlags) (*config, error) {
	return newConfig(&source{name: "config.yaml", text: text, file: true}, f, noEnv)
}

// smallConfig states no more than it must, in the styles that people use. Tests count its lines from 1.
const smallConfig = `version: 1
data:
  train: t.csv
  rows: 1000
  label: {name: y, classes: [no, yes]}
  features:
    - {name: age, kind: numeric, min: 17, max: 90}
    - name: job
      kind: categorical
      values: [clerk, 39, true]
privacy:
  unit: row
  target_epsilon: 1.0
  delta: 1e-5
train:
  steps: 200
`

// fullConfig states every key of the table but those that exclude another.
const fullConfig = `# every key
version: 1
data:
  train: tables/adult.csv   # a comment
  format: csv
  delimiter: ";"
  quote: "'"
  comment: "#"
  names: [age, "Work Class", income]
  skip_initial_space: true
  rows: 32561
  rows_at_most: 40000
  missing: ["", "?", NA]
  on_bad_row: null
  cache: true
  label:
    name: income
    classes: ["<=50K", '>50K']
    aliases: [{from: "<=50K.", to: "<=50K"}, {from: "", to: ">50K"}]
  features:
    - {name: age, kind: numeric, min: 17, max: 90, edges: [25, 30.5, 4e1], impute: -1}
    - {name: "hours.per-week", kind: numeric, min: 1, max: 99, transform: log1p, standardize: dp}
    - name: Work Class
      kind: categorical
      values: [Private, State-gov, 39, true, no, 1e-5, "null", <none>]
      aliases:
      - from: Priv
        to: Private
    - {name: occupation, kind: hashed, buckets: 64}
    - {name: message, kind: text, buckets: 4096, ngrams: 2, stop_words: english}
    - {name: embedding, kind: vector, size: 384}
    - {name: pixels, kind: vector, columns: {prefix: "", first: 0, last: 783}, min: 0, max: 255, to: [0, 1]}
  split: {test: 0.2, by: customer.id, key: "2026"}
  row_norm: none
model: {hidden: [128, 64], activation: relu}
privacy:
  unit: row
  adjacency: add_or_remove_one
  target_epsilon: 0.5
  delta: 1.0e-5
  max_grad_norm: 2
  accountant: rdp
  max_rows_per_person: 4
  ledger: ledger.jsonl
  dataset: customers
  max_total_epsilon: 3
  standardize: {share: 0.05}
  class_weights: {share: 0.04}
train:
  class_weights: [1, 2.5]
  steps: 300
  sampling_probability: 0.25
  optimizer: adam
  learning_rate: 1E-2
  momentum: 0
  average_last: 0.25
  weight_decay: 1e-05
output: {dir: runs/x}
`

// fullJSON is fullConfig as JSON.
const fullJSON = `{
	"version": 1,
	"data": {
		"train": "tables/adult.csv", "format": "csv", "delimiter": ";", "quote": "'", "comment": "#",
		"names": ["age", "Work Class", "income"], "skip_initial_space": true, "rows": 32561, "rows_at_most": 40000,
		"missing": ["", "?", "NA"], "on_bad_row": null, "cache": true,
		"label": {"name": "income", "classes": ["<=50K", "\u003e50K"],
			"aliases": [{"from": "<=50K.", "to": "<=50K"}, {"from": "", "to": ">50K"}]},
		"features": [
			{"name": "age", "kind": "numeric", "min": 17, "max": 90, "edges": [25, 30.5, 40.0], "impute": -1},
			{"name": "hours.per-week", "kind": "numeric", "min": 1, "max": 99, "transform": "log1p", "standardize": "dp"},
			{"name": "Work Class", "kind": "categorical", "values": ["Private", "State-gov", "39", "true", "no", "1e-5", "null", "<none>"],
				"aliases": [{"from": "Priv", "to": "Private"}]},
			{"name": "occupation", "kind": "hashed", "buckets": 64},
			{"name": "message", "kind": "text", "buckets": 4096, "ngrams": 2, "stop_words": "english"},
			{"name": "embedding", "kind": "vector", "size": 384},
			{"name": "pixels", "kind": "vector", "columns": {"prefix": "", "first": 0, "last": 783}, "min": 0, "max": 255, "to": [0, 1]}
		],
		"split": {"test": 0.2, "by": "customer.id", "key": "2026"},
		"row_norm": "none"
	},
	"model": {"hidden": [128, 64], "activation": "relu"},
	"privacy": {"unit": "row", "adjacency": "add_or_remove_one", "target_epsilon": 0.5, "delta": 1e-5, "max_grad_norm": 2.0, "accountant": "rdp", "max_rows_per_person": 4,
		"ledger": "ledger.jsonl", "dataset": "customers", "max_total_epsilon": 3,
		"standardize": {"share": 0.05}, "class_weights": {"share": 0.04}},
	"train": {"class_weights": [1, 2.5], "steps": 300, "sampling_probability": 0.25, "optimizer": "adam", "learning_rate": 0.01, "momentum": 0, "average_last": 0.25,
		"weight_decay": 0.00001},
	"output": {"dir": "runs/x"}
}`

func pointer[T any](v T) *T { return &v }

func TestEveryKeyReachesItsField(t *testing.T) {
	c, err := parseConfig(fullConfig, configFlags{})
	if err != nil {
		t.Fatalf("newConfig: %v", err)
	}
	wantSpec := data.Spec{
		Format: "csv", Delimiter: ";", Quote: "'", Comment: "#", Names: []string{"age", "Work Class", "income"}, SkipInitialSpace: true, OnBadRow: "null",
		Missing: []string{"", "?", "NA"},
		Label: data.Label{Name: "income", Classes: []string{"<=50K", ">50K"},
			Aliases: []data.Alias{{From: "<=50K.", To: "<=50K"}, {From: "", To: ">50K"}}},
		Features: []data.Feature{
			{Name: "age", Kind: data.Numeric, Min: pointer(17.), Max: pointer(90.), Edges: []float64{25, 30.5, 40}, Impute: pointer(-1.)},
			{Name: "hours.per-week", Kind: data.Numeric, Min: pointer(1.), Max: pointer(99.), Transform: "log1p", Standardize: "dp"},
			{Name: "Work Class", Kind: data.Categorical,
				Values:  []string{"Private", "State-gov", "39", "true", "no", "1e-5", "null", "<none>"},
				Aliases: []data.Alias{{From: "Priv", To: "Private"}}},
			{Name: "occupation", Kind: data.Hashed, Buckets: 64},
			{Name: "message", Kind: data.Text, Buckets: 4096, NGrams: 2, StopWords: "english"},
			{Name: "embedding", Kind: data.Vector, Size: 384},
			{Name: "pixels", Kind: data.Vector, Columns: &data.ColumnRun{First: 0, Last: 783}, Min: pointer(0.), Max: pointer(255.), To: &[2]float64{0, 1}},
		},
		RowNorm: 0,
		Split:   &data.Split{Test: 0.2, By: "customer.id", Key: "2026"},
	}
	if !reflect.DeepEqual(c.Spec, wantSpec) {
		t.Errorf("Spec = %+v, want %+v", c.Spec, wantSpec)
	}
	wantOptions := train.Options{
		Rows: 32561, RowsAtMost: 40000,
		Model: train.ModelOptions{Hidden: []int{128, 64}, Activation: "relu"},
		Privacy: train.PrivacyOptions{Unit: "row", Adjacency: "add_or_remove_one", TargetEpsilon: pointer(0.5), Delta: 1e-5,
			MaxGradNorm: 2, Accountant: "rdp", MaxRowsPerPerson: 4,
			StandardizeShare: pointer(0.05), HistogramShare: pointer(0.04)},
		Train: train.TrainOptions{ClassWeights: []float64{1, 2.5}, Steps: pointer(300), SamplingProbability: pointer(0.25), Optimizer: "adam", LearningRate: pointer(0.01),
			Momentum: pointer(0.), AverageLast: pointer(0.25), WeightDecay: 1e-5},
	}
	if !reflect.DeepEqual(c.Options, wantOptions) {
		t.Errorf("Options = %+v, want %+v", c.Options, wantOptions)
	}
	if !c.Cache || c.table() != "tables/adult.csv" || c.OutputDir != "runs/x" {
		t.Errorf("DataTrain, OutputDir = %q, %q, want tables/adult.csv, runs/x", c.DataTrain, c.OutputDir)
	}

	// The keys that exclude those above.
	c, err = parseConfig(fullConfig, configFlags{Set: []string{"privacy.noise_multiplier=3", "train.epochs=2.5", "train.batch_size=64"}})
	if err != nil {
		t.Fatalf("newConfig: %v", err)
	}
	wantOptions.Privacy.TargetEpsilon, wantOptions.Privacy.NoiseMultiplier = nil, pointer(3.)
	wantOptions.Train.Steps, wantOptions.Train.Epochs = nil, pointer(2.5)
	wantOptions.Train.SamplingProbability, wantOptions.Train.BatchSize = nil, pointer(64)
	if !reflect.DeepEqual(c.Options, wantOptions) {
		t.Errorf("Options = %+v, want %+v", c.Options, wantOptions)
	}

	c, err = parseConfig(fullConfig, configFlags{Set: []string{"train.class_weights=dp"}})
	if err != nil || !c.Options.Train.EvenClasses || c.Options.Train.ClassWeights != nil {
		t.Errorf("class_weights=dp gives %+v, %v", c.Options.Train, err)
	}

	for _, k := range keyTable() {
		excluded := k.path == "privacy.noise_multiplier" || k.path == "train.epochs" || k.path == "train.batch_size"
		if !excluded && !strings.Contains(fullConfig, k.name()+":") {
			t.Errorf("fullConfig does not state %s", k.path)
		}
	}
}

func TestJSONIsYAML(t *testing.T) {
	a, err := parseConfig(fullConfig, configFlags{})
	if err != nil {
		t.Fatalf("YAML: %v", err)
	}
	var compact strings.Builder
	for line := range strings.SplitSeq(fullJSON, "\n") {
		compact.WriteString(strings.TrimSpace(line))
	}
	for name, text := range map[string]string{
		"tabs":       fullJSON,
		"one line":   compact.String(),
		"CRLF":       strings.ReplaceAll(fullJSON, "\n", "\r\n"),
		"no blanks":  strings.NewReplacer(": ", ":", ", ", ",").Replace(compact.String()),
		"with marks": "---\n" + fullJSON + "\n...\n",
	} {
		b, err := parseConfig(text, configFlags{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(a.Spec, b.Spec) || !reflect.DeepEqual(a.Options, b.Options) {
			t.Errorf("%s: %+v %+v, want %+v %+v", name, b.Spec, b.Options, a.Spec, a.Options)
		}
	}
}

func TestDefaults(t *testing.T) {
	c, err := parseConfig(smallConfig, configFlags{})
	if err != nil {
		t.Fatalf("newConfig: %v", err)
	}
	if want := []string{"", "?"}; !reflect.DeepEqual(c.Spec.Missing, want) {
		t.Errorf("Missing = %q, want %q", c.Spec.Missing, want)
	}
	if c.Spec.RowNorm != 1 {
		t.Errorf("RowNorm = %v, want 1", c.Spec.RowNorm)
	}
	if want := filepath.Join("runs", "config"); c.OutputDir != want {
		t.Errorf("OutputDir = %q, want %q", c.OutputDir, want)
	}
	want := train.Options{Rows: 1000, Privacy: train.PrivacyOptions{Unit: "row", TargetEpsilon: pointer(1.), Delta: 1e-5}, Train: train.TrainOptions{Steps: pointer(200)}}
	if !reflect.DeepEqual(c.Options, want) {
		t.Errorf("Options = %+v, want %+v", c.Options, want)
	}
}

func TestSectionsMayBeEmpty(t *testing.T) {
	text := strings.Replace(smallConfig, "  steps: 200", "  # steps: 200", 1) + "model:\noutput: {}\n"
	c, err := parseConfig(text, configFlags{})
	if err != nil {
		t.Fatalf("newConfig: %v", err)
	}
	if !reflect.DeepEqual(c.Options.Train, train.TrainOptions{}) {
		t.Errorf("Train = %+v, want none stated", c.Options.Train)
	}
}

func TestPrecedence(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("conf", 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("conf", "a.b.yaml")
	writeFile(t, path, smallConfig+"output:\n  dir: from/file\n")
	bare := filepath.Join("conf", "bare.yaml")
	writeFile(t, bare, smallConfig)
	environment := func(name string) string {
		return map[string]string{"DPTRAIN_DATA_TRAIN": "env.csv", "DPTRAIN_OUTPUT_DIR": "env/dir",
			"DPTRAIN_PRIVACY_DELTA": "0.5", "DPTRAIN_TRAIN_STEPS": "1"}[name]
	}
	for _, test := range []struct {
		name              string
		flags             configFlags
		getenv            func(string) string
		wantData, wantDir string
	}{
		{"default", configFlags{File: bare}, noEnv, "conf/t.csv", "runs/bare"},
		{"file", configFlags{File: path}, noEnv, "conf/t.csv", "from/file"},
		{"environment", configFlags{File: path}, environment, "env.csv", "env/dir"},
		{"set", configFlags{File: path, Set: []string{"data.train=set.csv", "output.dir=set/dir"}}, environment, "set.csv", "set/dir"},
		{"later set", configFlags{File: path, Set: []string{"data.train=set.csv", "data.train=later.csv"}}, noEnv, "later.csv", "from/file"},
		{"flag", configFlags{File: path, Set: []string{"data.train=set.csv", "output.dir=set/dir"}, Data: "flag.csv", OutputDir: "flag/dir"},
			environment, "flag.csv", "flag/dir"},
	} {
		c, err := loadConfig(test.flags, test.getenv)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if c.table() != filepath.FromSlash(test.wantData) || c.OutputDir != filepath.FromSlash(test.wantDir) {
			t.Errorf("%s: DataTrain, OutputDir = %q, %q, want %q, %q", test.name, c.DataTrain, c.OutputDir, test.wantData, test.wantDir)
		}
		if c.Options.Privacy.Delta != 1e-5 || *c.Options.Train.Steps != 200 {
			t.Errorf("%s: delta, steps = %v, %v, want the file's", test.name, c.Options.Privacy.Delta, *c.Options.Train.Steps)
		}
	}
}

func TestDataTrainMayComeFromOutside(t *testing.T) {
	text := strings.Replace(smallConfig, "  train: t.csv\n", "", 1)
	c, err := parseConfig(text, configFlags{Data: "x.csv"})
	if err != nil {
		t.Fatalf("newConfig: %v", err)
	}
	if c.table() != "x.csv" {
		t.Errorf("DataTrain = %q, want x.csv", c.DataTrain)
	}
	if _, err := parseConfig(text, configFlags{}); err == nil {
		t.Error("newConfig takes a config without data.train, want an error")
	}
}

func TestAbsoluteDataTrain(t *testing.T) {
	c, err := newConfig(&source{name: "conf/c.yaml", text: strings.Replace(smallConfig, "t.csv", "/data/t.csv", 1), file: true}, configFlags{}, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if c.table() != "/data/t.csv" {
		t.Errorf("DataTrain = %q, want /data/t.csv", c.DataTrain)
	}
}

func TestUnreadableConfig(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("folder", 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, "huge.yaml", strings.Repeat("# filler\n", maxConfigBytes/9+1))
	for _, test := range []struct {
		path, want string
		is         error
	}{
		{"absent.yaml", "absent.yaml: no such file or directory", fs.ErrNotExist},
		{"folder", "folder: is a directory", nil},
		{"huge.yaml", "huge.yaml: the config has more than 1048576 bytes", nil},
	} {
		_, err := loadConfig(configFlags{File: test.path}, noEnv)
		checkConfigError(t, test.path, err, test.want)
		if test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("errors.Is(%v, %v) = false, want true", err, test.is)
		}
	}
}

// checkConfigError checks the line of an error, and that it is a *configError with a hint of one line.
func checkConfigError(t *testing.T, name string, err error, want string) {
	t.Helper()
	var bad *configError
	if !errors.As(err, &bad) {
		t.Errorf("%s: error %v, want *configError %s", name, err, want)
		return
	}
	if bad.Error() != want {
		t.Errorf("%s: error\n\t%s, want\n\t%s", name, bad.Error(), want)
	}
	if bad.Hint() == "" || strings.Contains(bad.Hint(), "\n") {
		t.Errorf("%s: hint %q, want one line", name, bad.Hint())
	}
}

// writeFile writes a file of the working directory.
func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
