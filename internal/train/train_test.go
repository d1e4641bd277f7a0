package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dptrain/internal/data"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train/disk"
	"dptrain/internal/train/nn"
)

// pointer makes optional values.
func pointer[T any](v T) *T { return &v }

// testSchema is a schema with both input blocks.
func testSchema(t testing.TB) *data.Schema {
	t.Helper()
	s, err := data.NewSchema(data.Spec{
		Missing: []string{""},
		Label:   data.Label{Name: "y", Classes: []string{"no", "yes"}},
		Features: []data.Feature{
			{Name: "x", Kind: data.Numeric, Min: pointer(-1.0), Max: pointer(1.0)},
			{Name: "c", Kind: data.Categorical, Values: []string{"a", "b"}},
		},
		RowNorm: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testOptions() Options {
	return Options{Rows: 400, Privacy: PrivacyOptions{Unit: "row", TargetEpsilon: pointer(2.0), Delta: 1e-4}}
}

// testTable writes and loads a table in which x > 0 says yes and c says nothing.
func testTable(t *testing.T, s *data.Schema, rows int) *data.Dataset {
	t.Helper()
	var b strings.Builder
	b.WriteString("x,c,y\n")
	for i := range rows {
		b.WriteString([]string{"0.9,a,yes\n", "-0.9,b,no\n", "0.4,b,yes\n", "-0.6,a,no\n"}[i%4])
	}
	path := filepath.Join(t.TempDir(), "t.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := data.Load(context.Background(), []string{path}, s, data.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func fitted(t *testing.T, o Options, key rng.Key, workers int) (*Model, *Plan, *Fitted) {
	t.Helper()
	s := testSchema(t)
	p, err := NewPlan(o, s)
	if err != nil {
		t.Fatal(err)
	}
	rows := o.Rows
	if rows == 0 {
		rows = 400
	}
	f, err := Fit(context.Background(), p, testTable(t, s, rows), Run{Key: key, Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	return &Model{Schema: s, Net: p.Net, Params: f.Params, Model: p.Model, Privacy: p.Privacy, Train: p.Train, Private: true, Version: "test"}, p, f
}

func TestFitLearnsUnderEveryAdjacencyAndOptimizer(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"default":           func(*Options) {},
		"add_or_remove_one": func(o *Options) { o.Privacy.Adjacency, o.Rows, o.RowsAtMost = "add_or_remove_one", 0, 500 },
		"replace_one":       func(o *Options) { o.Privacy.Adjacency, o.Privacy.TargetEpsilon = "replace_one", pointer(4.0) },
		"poisson":           func(o *Options) { o.Train.SamplingProbability = pointer(0.3) },
		"epochs":            func(o *Options) { o.Train.BatchSize, o.Train.Epochs = pointer(100), pointer(50.0) },
		"adam":              func(o *Options) { o.Train.Optimizer, o.Train.LearningRate = Adam, pointer(0.05) },
		"mlp":               func(o *Options) { o.Model.Hidden = []int{8}; o.Privacy.TargetEpsilon = pointer(8.0) },
		"relu": func(o *Options) {
			o.Model = ModelOptions{Hidden: []int{8, 4}, Activation: "relu"}
			o.Privacy.TargetEpsilon = pointer(8.0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := testOptions()
			change(&o)
			m, _, _ := fitted(t, o, rng.TestKey(1), 2)
			d := testTable(t, m.Schema, 400)
			p, err := m.Predict(context.Background(), d)
			if err != nil {
				t.Fatal(err)
			}
			if got := Evaluate(p, d.Labels, m.Schema.Classes()); *got.Accuracy < 0.9 {
				t.Errorf("accuracy = %v, want at least 0.9", *got.Accuracy)
			}
		})
	}
}

func TestFitIsAFunctionOfItsKey(t *testing.T) {
	one, _, _ := fitted(t, testOptions(), rng.TestKey(1), 1)
	for workers := range 8 {
		again, _, _ := fitted(t, testOptions(), rng.TestKey(1), workers+1)
		if !slices.Equal(one.Params, again.Params) {
			t.Errorf("%d workers give another model than 1", workers+1)
		}
	}
	other, _, _ := fitted(t, testOptions(), rng.TestKey(2), 1)
	if slices.Equal(one.Params, other.Params) {
		t.Error("another key gives the same model")
	}
}

func TestFitStopsWithItsContext(t *testing.T) {
	s := testSchema(t)
	p, err := NewPlan(testOptions(), s)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	f, err := Fit(ctx, p, testTable(t, s, 400), Run{Key: rng.TestKey(1), Workers: 1, Progress: func(done int) {
		if done == 3 {
			cancel()
		}
	}})
	if f != nil || err == nil {
		t.Errorf("Fit = %v, %v, want nothing and an error", f, err)
	}
}

func TestModelRoundTrip(t *testing.T) {
	for name, hidden := range map[string][]int{"logistic": nil, "mlp": {20, 5}} {
		o := testOptions()
		o.Model.Hidden = hidden
		m, p, f := fitted(t, o, rng.TestKey(3), 1)
		r, err := NewReport(p, f, false, "test")
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "a", "b")
		model, report := filepath.Join(dir, ModelFile), filepath.Join(dir, ReportFile)
		if err := Write(disk.OS{}, dir, m, r); err != nil {
			t.Fatal(err)
		}
		got, err := ReadModel(model)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !slices.Equal(got.Params, m.Params) || got.ReportID != r.ReportID || !reflect.DeepEqual(got.Train, m.Train) {
			t.Errorf("%s: the model read is not the model written", name)
		}
		bytes, err := os.ReadFile(model)
		if err != nil {
			t.Fatal(err)
		}
		if hash(bytes) != r.Hashes.Model {
			t.Errorf("%s: the report's hash is not that of the model", name)
		}
		if _, err := os.Stat(report); err != nil {
			t.Error(err)
		}
	}
}

// TestWriteLeavesNoStrangerBeside fails each file operation after the first in turn, by a folder in the file's place: at
// the end a model never stands beside a report that is not its own.
func TestWriteLeavesNoStrangerBeside(t *testing.T) {
	m, p, f := fitted(t, testOptions(), rng.TestKey(3), 1)
	report := func() *Report {
		r, err := NewReport(p, f, false, "test")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, blocked := range []string{ModelFile, ReportFile} {
		dir := t.TempDir()
		if err := Write(disk.OS{}, dir, m, report()); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, blocked)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(path, "full"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := Write(disk.OS{}, dir, m, report()); err == nil {
			t.Errorf("Write over a folder at %s = nil error, want one", blocked)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			// The old model may stay where the new report has no place: it stands alone.
			if name := e.Name(); name != blocked && (name != ModelFile || blocked != ReportFile) {
				t.Errorf("%s is left beside the folder at %s", name, blocked)
			}
		}
	}
}

func TestFitRefusesADivergedModel(t *testing.T) {
	o := testOptions()
	o.Train.LearningRate, o.Train.Momentum = pointer(3e38), pointer(0.0)
	s := testSchema(t)
	p, err := NewPlan(o, s)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Fit(context.Background(), p, testTable(t, s, 400), Run{Key: rng.TestKey(1), Workers: 1})
	if _, ok := err.(*DivergedError); !ok {
		t.Errorf("Fit at learning rate 3e38 = %v, want a *DivergedError", err)
	}
}

func TestReportIDIsOfTheReportWithoutIt(t *testing.T) {
	_, p, f := fitted(t, testOptions(), rng.TestKey(3), 1)
	r, err := NewReport(p, f, false, "test")
	if err != nil {
		t.Fatal(err)
	}
	id := r.ReportID
	r.ReportID = ""
	if got, err := hashJSON(r); err != nil || got != id {
		t.Errorf("hash without the id = %v, %v, want %v", got, err, id)
	}
	if *r.Epsilon > 2 || *r.Epsilon < 1.999 || !r.Private || r.Steps != p.Train.Steps {
		t.Errorf("report claims ε %v, private %v, %d steps", *r.Epsilon, r.Private, r.Steps)
	}
	seeded, err := NewReport(p, f, true, "test")
	if err != nil || seeded.Private || seeded.Epsilon != nil || seeded.Claim.EpsilonUpper != nil {
		t.Errorf("a seeded run claims %+v, %v", seeded.Claim, err)
	}
}

func FuzzDecodeModel(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"))
	f.Add(written(f, func(w io.Writer) error {
		return writeSafetensors(w, map[string]string{"format": modelFormat}, []tensor{{"layers.0.bias", []int{2}, []float32{1, 2}}})
	}))
	f.Fuzz(func(t *testing.T, file []byte) {
		if m, err := decodeModel(bytes.NewReader(file)); err == nil && (m.Net == nil || len(m.Params) != m.Net.Params()) {
			t.Error("a model without its parameters was accepted")
		}
	})
}

// written is the file that write writes.
func written(t testing.TB, write func(w io.Writer) error) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := write(&file); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestReadSafetensorsRefuses(t *testing.T) {
	good := func() []tensor { return []tensor{{"a", []int{2, 1}, []float32{1, 2}}, {"b", []int{1}, []float32{3}}} }
	file := written(t, func(w io.Writer) error { return writeSafetensors(w, map[string]string{"k": "v"}, good()) })
	metadata, tensors, err := readSafetensors(bytes.NewReader(file), "")
	if err != nil || metadata["k"] != "v" || len(tensors) != 2 || !slices.Equal(tensors[0].values, []float32{1, 2}) {
		t.Fatalf("read(write) = %v, %v, %v", metadata, tensors, err)
	}
	edit := func(old, new string) []byte { return []byte(strings.Replace(string(file), old, new, 1)) }
	nan := written(t, func(w io.Writer) error {
		return writeSafetensors(w, nil, []tensor{{"a", []int{1}, []float32{float32(math.NaN())}}})
	})
	for name, bad := range map[string][]byte{
		"empty":              {},
		"cut":                file[:len(file)-1],
		"longer":             append(slices.Clone(file), 0),
		"length beyond file": append([]byte{0, 0, 0, 0, 1, 0, 0, 0}, file[8:]...),
		"overlap":            edit(`"data_offsets":[8,12]`, `"data_offsets":[4,8] `),
		"wrong shape":        edit(`"shape":[2,1]`, `"shape":[3,1]`),
		"negative shape":     edit(`"shape":[2,1]`, `"shape":[-2,-1]`)[:len(file)],
		"other type":         edit(`"F32"`, `"F64"`),
		"two names":          edit(`"b":`, `"a":`),
		"not a number":       nan,
	} {
		if _, _, err := readSafetensors(bytes.NewReader(bad), ""); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestEvaluate(t *testing.T) {
	// Scores of "yes" 0.9, 0.8, 0.4, 0.4, 0.1: of the 6 pairs of a yes and a no, 4 are in order and 1 is a tie.
	scores := []float64{0.9, 0.8, 0.4, 0.4, 0.1}
	labels := []int32{1, 0, 1, 0, 0}
	var p []float64
	for _, s := range scores {
		p = append(p, 1-s, s)
	}
	m := Evaluate(p, labels, []string{"no", "yes"})
	near := func(name string, got *float64, want float64) {
		if got == nil || math.Abs(*got-want) > 1e-12 {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	near("accuracy", m.Accuracy, 3.0/5)
	near("AUC", m.AUC, 4.5/6)
	near("log loss", m.LogLoss, -(math.Log(0.9)+math.Log(0.2)+math.Log(0.4)+math.Log(0.6)+math.Log(0.9))/5)
	near("precision of yes", m.Classes[1].Precision, 1.0/2)
	near("recall of yes", m.Classes[1].Recall, 1.0/2)
	near("average precision", m.AveragePrecision, (1+2.0/4)/2) // ranks 1 of 1, then 2 of 4 at the tie
	near("balanced accuracy", m.BalancedAccuracy, (2.0/3+1.0/2)/2)
	near("F1 of no", m.Classes[0].F1, 4.0/6)
	near("macro F1", m.MacroF1, (4.0/6+2.0/4)/2)
	// Confidences 0.9, 0.8, 0.6, 0.6, 0.9 in bins of 1/15: two right at 0.9, one wrong at 0.8, one of two right at 0.6.
	near("calibration error", m.CalibrationError, (2*(1-0.9)+0.8+math.Abs(1.2-1))/5)
	if m.Confusion[0][1] != 1 || m.Confusion[1][0] != 1 || m.Classes[0].Support != 3 {
		t.Errorf("confusion = %v", m.Confusion)
	}
	if none := Evaluate(nil, nil, []string{"no", "yes"}); none.Accuracy != nil || none.AUC != nil || none.Rows != 0 {
		t.Errorf("metrics of no rows = %+v, want none", none)
	}
}

// TestNoisyMetricsFollowFromNoisyCounts: the counts differ from the exact ones by noise of the stated size, and what follows
// from single rows is not there.
func TestNoisyMetricsFollowFromNoisyCounts(t *testing.T) {
	const rows = 4000
	var p []float64
	labels := make([]int32, rows)
	for i := range rows {
		labels[i] = int32(i % 2)
		p = append(p, 0.9, 0.1)
		if i%2 == 1 && i%8 != 1 {
			p[2*i], p[2*i+1] = 0.2, 0.8
		}
	}
	exact := Evaluate(p, labels, []string{"no", "yes"})
	changed := false
	for seed := range uint64(20) {
		m, spent, err := EvaluateNoisy(p, labels, []string{"no", "yes"}, 0.5, rng.TestKey(seed+1))
		if err != nil || spent != 0.5 {
			t.Fatalf("spent %v, %v", spent, err)
		}
		if m.AUC != nil || m.LogLoss != nil || m.AveragePrecision != nil || m.CalibrationError != nil || m.Calibration != nil {
			t.Error("a metric of single rows is there")
		}
		sum := 0
		for i, row := range m.Confusion {
			for j, n := range row {
				sum += n
				if n < 0 || math.Abs(float64(n-exact.Confusion[i][j])) > 60 { // e^-30
					t.Errorf("count = %d, exact %d", n, exact.Confusion[i][j])
				}
				changed = changed || n != exact.Confusion[i][j]
			}
		}
		if m.Rows != sum || m.Classes[0].Support != m.Confusion[0][0]+m.Confusion[0][1] {
			t.Errorf("rows = %d, the noisy counts add up to %d", m.Rows, sum)
		}
	}
	if !changed {
		t.Error("no count has noise")
	}
}

// TestReadModelOfWhatIsNoFile reads a model from a pipe, which has no size, and from a folder, which is no unusable model.
func TestReadModelOfWhatIsNoFile(t *testing.T) {
	m, _, _ := fitted(t, testOptions(), rng.TestKey(1), 1)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		_ = m.encode(w)
		_ = w.Close()
	}()
	if path := fmt.Sprintf("/dev/fd/%d", r.Fd()); runtime.GOOS == "linux" {
		if got, err := ReadModel(path); err != nil || !slices.Equal(got.Params, m.Params) {
			t.Errorf("ReadModel of a pipe: %v", err)
		}
	}
	var unusable *ModelError
	if _, err := ReadModel(t.TempDir()); err == nil || errors.As(err, &unusable) {
		t.Errorf("ReadModel of a folder = %v, want an error of the file system", err)
	}
}

// TestOptimizersReachTheBottomOfABowl minimises Σ (w−1)²/2.
func TestOptimizersReachTheBottomOfABowl(t *testing.T) {
	for name, train := range map[string]PlanTrain{
		"sgd":              {Optimizer: SGD, LearningRate: 0.3},
		"sgd and momentum": {Optimizer: SGD, LearningRate: 0.3, Momentum: 0.9},
		"adam":             {Optimizer: Adam, LearningRate: 0.05, Momentum: 0.9},
	} {
		o := newOptimizer(&Plan{Train: train}, [][]float32{make([]float32, 2), make([]float32, 2)})
		w, g := []float32{5, -3}, make([]float32, 2)
		for n := range 500 {
			for i := range g {
				g[i] = w[i] - 1
			}
			o.step(n+1, w, g, 0)
		}
		if math.Abs(float64(w[0])-1) > 0.01 || math.Abs(float64(w[1])-1) > 0.01 {
			t.Errorf("%s: w = %v, want [1 1]", name, w)
		}
	}
}

// TestTailAverageStaysClose averages many iterates that wander, as its bound on rounding allows.
func TestTailAverageStaysClose(t *testing.T) {
	const steps = 20_000
	a, r := newTailAverage(make([]float32, 1), steps, 1), rand.New(rand.NewPCG(3, 4))
	sum, most := 0.0, 0.0
	for step := range steps {
		w := []float32{float32(1 + 1e-4*float64(step) + r.NormFloat64())}
		a.add(step, w, 0, 1)
		a.added(step)
		sum, most = sum+float64(w[0]), max(most, math.Abs(float64(w[0])))
	}
	if off := math.Abs(float64(a.mean[0]) - sum/steps); off > steps*0x1p-24*most || off > 1e-5 {
		t.Errorf("the mean of %d iterates is off by %.2g", steps, off)
	}
}

func TestTailAverage(t *testing.T) {
	for _, test := range []struct {
		share float64
		want  float32
	}{{0, 9}, {0.5, 7}, {1, 4.5}, {0.01, 9}} {
		a := newTailAverage(make([]float32, 1), 10, test.share)
		w := []float32{0}
		for step := range 10 {
			w[0] = float32(step)
			a.add(step, w, 0, 1)
			a.added(step)
		}
		if math.Abs(float64(a.mean[0]-test.want)) > 1e-6 {
			t.Errorf("the last %v of 0..9 averages %v, want %v", test.share, a.mean[0], test.want)
		}
	}
}

func TestNewPlanRefuses(t *testing.T) {
	for _, test := range []struct {
		key    string
		change func(*Options)
	}{
		{"privacy.unit", func(o *Options) { o.Privacy.Unit = "person" }},
		{"privacy.delta", func(o *Options) { o.Privacy.Delta = 0 }},
		{"privacy.delta", func(o *Options) { o.Privacy.Delta = math.NaN() }},
		{"privacy.adjacency", func(o *Options) { o.Privacy.Adjacency = "none" }},
		{"privacy.target_epsilon", func(o *Options) { o.Privacy.TargetEpsilon = pointer(-1.0) }},
		{"privacy.noise_multiplier", func(o *Options) { o.Privacy.NoiseMultiplier = pointer(1.0) }},
		{"privacy.noise_multiplier", func(o *Options) { o.Privacy.TargetEpsilon, o.Privacy.NoiseMultiplier = nil, pointer(0.0) }},
		{"privacy", func(o *Options) { o.Privacy.TargetEpsilon = nil }},
		{"privacy.noise_multiplier", func(o *Options) { o.Privacy.TargetEpsilon, o.Privacy.NoiseMultiplier = nil, pointer(0.005) }},
		{"privacy.delta", func(o *Options) { o.Privacy.Delta = 1e-200 }},
		{"privacy.max_grad_norm", func(o *Options) { o.Privacy.MaxGradNorm = 1e9 }},
		{"privacy.accountant", func(o *Options) { o.Privacy.Accountant = "moments" }},
		{"data.rows", func(o *Options) { o.Rows = 0 }},
		{"data.rows_at_most", func(o *Options) { o.RowsAtMost = 5 }},
		{"data.rows_at_most", func(o *Options) { o.Privacy.Adjacency, o.Rows = "add_or_remove_one", 0 }},
		{"data.rows", func(o *Options) { o.Privacy.Adjacency, o.RowsAtMost = "add_or_remove_one", 500 }},
		{"train.batch_size", func(o *Options) {
			o.Privacy.Adjacency, o.Rows, o.RowsAtMost, o.Train.BatchSize = "add_or_remove_one", 0, 500, pointer(10)
		}},
		{"train.epochs", func(o *Options) {
			o.Privacy.Adjacency, o.Rows, o.RowsAtMost, o.Train.Epochs = "add_or_remove_one", 0, 500, pointer(1.0)
		}},
		{"train.batch_size", func(o *Options) { o.Train.BatchSize = pointer(401) }},
		{"train.batch_size", func(o *Options) { o.Train.BatchSize, o.Train.SamplingProbability = pointer(4), pointer(0.5) }},
		{"train.sampling_probability", func(o *Options) { o.Train.SamplingProbability = pointer(0.0) }},
		{"train.steps", func(o *Options) { o.Train.Steps = pointer(-1) }},
		{"train.epochs", func(o *Options) { o.Train.Steps, o.Train.Epochs = pointer(1), pointer(1.0) }},
		{"train.optimizer", func(o *Options) { o.Train.Optimizer = "newton" }},
		{"train.momentum", func(o *Options) { o.Train.Momentum = pointer(1.0) }},
		{"train.average_last", func(o *Options) { o.Train.AverageLast = pointer(1.5) }},
		{"train.learning_rate", func(o *Options) { o.Train.LearningRate = pointer(0.0) }},
		{"train.weight_decay", func(o *Options) { o.Train.WeightDecay = -1 }},
		{"model.hidden[0]", func(o *Options) { o.Model.Hidden = []int{0} }},
	} {
		o := testOptions()
		test.change(&o)
		_, err := NewPlan(o, testSchema(t))
		if spec, ok := err.(*data.SpecError); !ok || spec.Key != test.key {
			t.Errorf("NewPlan with a bad %s = %v, want an error of that key", test.key, err)
		}
	}
}

// TestPlanIsCalibratedToTheTarget also says that the recipe does not look at anything but the config.
func TestPlanIsCalibratedToTheTarget(t *testing.T) {
	for _, epsilon := range []float64{0.01, 0.5, 3, 50} {
		for _, q := range []float64{0.05, 1} {
			o := testOptions()
			o.Privacy.TargetEpsilon, o.Train.SamplingProbability = &epsilon, &q
			p, err := NewPlan(o, testSchema(t))
			if err != nil {
				t.Fatalf("ε = %v, q = %v: %v", epsilon, q, err)
			}
			if got := p.Claim.Upper; got > epsilon || got < epsilon*(1-3e-3) {
				t.Errorf("q = %v: the plan costs ε %v, want just below %v", q, got, epsilon)
			}
		}
	}
}

// TestWorkersPay shares steps of milliseconds, and those of microseconds not.
func TestWorkersPay(t *testing.T) {
	for _, test := range []struct {
		shape       nn.Shape
		rows, batch int
		want        int
	}{
		{nn.Shape{Dense: 2, Classes: 2}, 40, 40, 1},
		{nn.Shape{Dense: 100, Classes: 2}, 16_000, 32, 1},
		{nn.Shape{Dense: 100, Classes: 2}, 16_000, 256, 3},
		{nn.Shape{Dense: 100, Classes: 2}, 16_000, 8000, 8},
		{nn.Shape{Dense: 784, Hidden: []int{1000}, Classes: 10}, 100, 1, 8},
		{nn.Shape{Sparse: 4096, Classes: 77}, 100, 10, 8},
	} {
		test.shape.Activation = nn.ReLU
		j := newBenchJob(t, test.shape, test.rows, test.batch, 1)
		j.plan.Train.SamplingProbability = j.plan.Mechanism.SamplingProbability
		if got := j.plan.Workers(8); got != test.want {
			t.Errorf("%s, batch %d: %d workers, want %d", layersOf(test.shape), test.batch, got, test.want)
		}
	}
}
