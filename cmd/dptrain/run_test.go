package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"dptrain/internal/train"
)

// goodConfig is a config for goodTable, which tests spoil one line at a time.
const goodConfig = `version: 1
data:
  train: train.csv
  rows: 8
  label: {name: y, classes: ["no", "yes"]}
  features:
    - {name: age, kind: numeric, min: 0, max: 100}
    - {name: town, kind: categorical, values: [Ulm, Bern]}
privacy:
  unit: row
  target_epsilon: 3
  delta: 1.0e-3
train:
  steps: 20
`

const goodTable = `age,town,y
20,Ulm,no
30,Bern,yes
40,Ulm,no
50,Rome,yes
60,Ulm,no
70,Bern,yes
,Ulm,no
90,,yes
`

// dptrain runs the program in dir and returns what it printed.
func dptrain(t *testing.T, dir string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	t.Chdir(dir)
	var out, err bytes.Buffer
	status = run(context.Background(), args, strings.NewReader(""), &out, &err)
	return status, out.String(), err.String()
}

// write makes a file in dir.
func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// files lists what is below dir.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// workshop makes a folder with the good config and table.
func workshop(t *testing.T) string {
	dir := t.TempDir()
	write(t, dir, "c.yaml", goodConfig)
	write(t, dir, "train.csv", goodTable)
	return dir
}

func TestFitRefusesBadInput(t *testing.T) {
	config := func(old, new string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if !strings.Contains(goodConfig, old) {
				t.Fatalf("the config has no %q", old)
			}
			write(t, dir, "c.yaml", strings.Replace(goodConfig, old, new, 1))
		}
	}
	table := func(old, new string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if !strings.Contains(goodTable, old) {
				t.Fatalf("the table has no %q", old)
			}
			write(t, dir, "train.csv", strings.Replace(goodTable, old, new, 1))
		}
	}
	nothing := func(*testing.T, string) {}
	for _, test := range []struct {
		name   string
		spoil  func(t *testing.T, dir string)
		args   []string
		status status
		want   string // in the error line
	}{
		{"missing table", nothing, []string{"--data", "no.csv"}, statusData, "no.csv: no such file"},
		{"missing config", nothing, []string{"-c", "no.yaml"}, statusConfig, "no.yaml"},
		{"empty table", func(t *testing.T, dir string) { write(t, dir, "train.csv", "") }, nil, statusData, "train.csv"},
		{"header alone", func(t *testing.T, dir string) { write(t, dir, "train.csv", "age,town,y\n") }, nil, statusData, "train.csv"},
		{"empty config", func(t *testing.T, dir string) { write(t, dir, "c.yaml", "") }, nil, statusConfig, "c.yaml"},
		{"ragged row", table("40,Ulm,no", "40,no"), nil, statusData, "train.csv:4"},
		{"text in a numeric column", table("40,", "Elm St,"), nil, statusData, `train.csv:4:1: column "age"`},
		{"label outside the classes", table("40,Ulm,no", "40,Ulm,perhaps"), nil, statusData, `train.csv:4:8: column "y"`},
		{"NaN", table("40,", "NaN,"), nil, statusData, "train.csv:4:1"},
		{"1e400", table("40,", "1e400,"), nil, statusData, "train.csv:4:1"},
		{"invalid UTF-8", table("40,Ulm", "40,U\xfflm"), nil, statusData, "train.csv:4:4"},
		{"no such column", table("age,", "years,"), nil, statusData, `column "age"`},
		{"fewer rows", config("rows: 8", "rows: 9"), nil, statusData, "fewer rows than the declared 9"},
		{"more rows", config("rows: 8", "rows: 7"), nil, statusData, "more rows than the declared 7"},
		{"unknown key", config("  unit: row", "  unit: row\n  sigma: 1"), nil, statusConfig, "c.yaml:11:3"},
		{"mis-cased key", config("delta:", "Delta:"), nil, statusConfig, "c.yaml:12:3"},
		{"duplicate key", config("  unit: row", "  unit: row\n  unit: row"), nil, statusConfig, "c.yaml:11:3"},
		{"steps: 10.5", config("steps: 20", "steps: 10.5"), nil, statusConfig, "c.yaml:14:10"},
		{"delta: 0", config("1.0e-3", "0"), nil, statusConfig, "c.yaml:12:10: privacy.delta"},
		{"epsilon and noise", config("delta", "noise_multiplier: 1\n  delta"), nil, statusConfig, "c.yaml:12:3: privacy.noise_multiplier"},
		{"unreachable target", nothing, []string{"--set", "privacy.target_epsilon=1e-12", "--set", "privacy.delta=1e-14"}, statusPrivacy, "cannot be reached"},
		{"over --max-epsilon", nothing, []string{"--max-epsilon", "1"}, statusPrivacy, "above --max-epsilon"},
		{"--no-privacy under --require-private", nothing, []string{"--no-privacy", "--require-private"}, statusPrivacy, "not private"},
		{"--no-privacy under --max-epsilon", nothing, []string{"--no-privacy", "--max-epsilon", "1"}, statusPrivacy, "has no epsilon"},
		{"--seed under --require-private", nothing, []string{"--seed", "1", "--require-private"}, statusPrivacy, "not private"},
		{"output below a file", nothing, []string{"-o", "train.csv/runs"}, statusResources, "train.csv"},
		{"existing output", func(t *testing.T, dir string) {
			if err := os.MkdirAll(filepath.Join(dir, "runs", "c"), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, dir, "runs/c/report.json", "{}")
		}, nil, statusResources, "is there already"},
		{"no config", nothing, []string{"-c", ""}, statusUsage, "--config"},
		{"unknown flag", nothing, []string{"--epsilon", "1"}, statusUsage, "unknown flag"},
		{"argument", nothing, []string{"train.csv"}, statusUsage, "takes no argument"},
		{"no workers", nothing, []string{"--workers", "0"}, statusUsage, "--workers"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := workshop(t)
			test.spoil(t, dir)
			before := files(t, dir)
			code, stdout, stderr := dptrain(t, dir, append([]string{"fit", "-c", "c.yaml"}, test.args...)...)
			if code != int(test.status) {
				t.Errorf("exit status = %d, want %d", code, test.status)
			}
			if stdout != "" {
				t.Errorf("stdout = %q, want nothing", stdout)
			}
			if n := strings.Count(stderr, "dptrain: error: "); n != 1 || !strings.Contains(stderr, test.want) {
				t.Errorf("stderr has %d error lines, want one with %q:\n%s", n, test.want, stderr)
			}
			if n := strings.Count(stderr, "dptrain: hint: "); n != 1 {
				t.Errorf("stderr has %d hints, want one:\n%s", n, stderr)
			}
			if after := files(t, dir); !slices.Equal(before, after) {
				t.Errorf("files = %v, want %v", after, before)
			}
		})
	}
}

// fit trains on the workshop's table and returns what fit --json prints.
func fit(t *testing.T, dir string, args ...string) (r fitResult) {
	t.Helper()
	code, stdout, stderr := dptrain(t, dir, append([]string{"fit", "-c", "c.yaml", "--json"}, args...)...)
	if code != 0 {
		t.Fatalf("fit exits with %d:\n%s", code, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFitWritesModelAndReport(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir)
	if !r.Private || r.Epsilon == nil || *r.Epsilon > 3 || r.Steps != 20 || r.LoadSeconds == nil || r.ExamplesPerSecond == nil {
		t.Errorf("fit --json = %+v", r)
	}
	var report train.Report
	text, err := os.ReadFile(*r.Report)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	if *report.Epsilon != *r.Epsilon || report.Steps != 20 || !report.Private || report.Delta != 1e-3 {
		t.Errorf("report says ε %v in %d steps, fit %v", *report.Epsilon, report.Steps, *r.Epsilon)
	}
	if got := files(t, filepath.Join(dir, "runs")); len(got) != 2 {
		t.Errorf("files = %v, want a model and a report", got)
	}
	if again := fit(t, dir, "--fresh"); *again.Model != *r.Model {
		t.Errorf("--fresh writes %s, want %s", *again.Model, *r.Model)
	}
}

func TestPersonIsPricedBesideRow(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir, "--set", "privacy.max_rows_per_person=3", "--set", "train.sampling_probability=0.5")
	if r.PersonEpsilon == nil || *r.PersonEpsilon < *r.Epsilon || *r.PersonEpsilon > 15 {
		t.Errorf("ε for a person = %v, want above ε for a row, %v, and not far from three times it", r.PersonEpsilon, *r.Epsilon)
	}
	text, err := os.ReadFile(*r.Report)
	if err != nil || !strings.Contains(string(text), `"max_rows_per_person": 3`) {
		t.Errorf("the report does not have the person's claim, %v", err)
	}
}

func TestRunsDifferUnlessSeeded(t *testing.T) {
	dir := workshop(t)
	content := func(args ...string) string {
		fit(t, dir, append(args, "--fresh", "-q")...)
		model, err := os.ReadFile(filepath.Join(dir, "runs", "c", train.ModelFile))
		if err != nil {
			t.Fatal(err)
		}
		report, err := os.ReadFile(filepath.Join(dir, "runs", "c", train.ReportFile))
		if err != nil {
			t.Fatal(err)
		}
		return string(model) + string(report)
	}
	first, second := content(), content()
	if first == second {
		t.Error("two runs are equal")
	}
	one := content("--seed", "7", "--workers", "1")
	if one != content("--seed", "7", "--workers", "8") {
		t.Error("one seed gives different files for 1 and 8 workers")
	}
	if !strings.Contains(one, `"private": false`) || !strings.Contains(one, `"epsilon": null`) {
		t.Error("a seeded run does not say that it is not private")
	}
}

func TestFitWithoutPrivacySaysSo(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir, "--no-privacy")
	if r.Private || r.Epsilon != nil || r.NoiseMultiplier != 0 {
		t.Errorf("fit --no-privacy --json = %+v", r)
	}
	report, err := os.ReadFile(*r.Report)
	if err != nil || !strings.HasPrefix(string(report), "{\n  \"private\": false,\n") {
		t.Errorf("the report begins with %.40q, %v", report, err)
	}
	model, err := train.ReadModel(*r.Model)
	if err != nil || model.Private {
		t.Errorf("the model says that it is private, %v", err)
	}
	_, stdout, stderr := dptrain(t, dir, "fit", "-c", "c.yaml", "--no-privacy", "--fresh")
	if !strings.HasPrefix(stdout, "privacy  none") || !strings.Contains(stderr, "warning: DP110: trained without privacy") {
		t.Errorf("fit --no-privacy prints %s%s", stdout, stderr)
	}
}

func TestDryRunReadsAndWritesNothing(t *testing.T) {
	dir := workshop(t)
	if err := os.Remove(filepath.Join(dir, "train.csv")); err != nil {
		t.Fatal(err)
	}
	if r := fit(t, dir, "--dry-run"); r.Model != nil || *r.Epsilon > 3 {
		t.Errorf("fit --dry-run = %+v", r)
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("files = %v, want the config alone", got)
	}
}

func TestPrivateRowCountIsNotTold(t *testing.T) {
	dir := workshop(t)
	write(t, dir, "c.yaml", strings.Replace(strings.Replace(goodConfig, "rows: 8", "rows_at_most: 20", 1), "unit: row", "unit: row\n  adjacency: add_or_remove_one", 1))
	r := fit(t, dir)
	if r.LoadSeconds != nil || r.TrainSeconds != nil || r.ExamplesPerSecond != nil {
		t.Errorf("fit --json = %+v, want no times", r)
	}
	report, err := os.ReadFile(*r.Report)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(report), `"rows": `) {
		t.Error("the report has a number of rows")
	}
}

// TestNoRowIsANumberOfRows: where the number of rows is private, a table without rows must not be told from one with.
func TestNoRowIsANumberOfRows(t *testing.T) {
	for _, table := range []string{"age,town,y\n", "age,town,y\n20,Ulm,no\n"} {
		dir := workshop(t)
		write(t, dir, "c.yaml", strings.Replace(strings.Replace(goodConfig, "rows: 8", "rows_at_most: 20", 1), "unit: row", "unit: row\n  adjacency: add_or_remove_one", 1))
		write(t, dir, "train.csv", table)
		if r := fit(t, dir); r.Epsilon == nil {
			t.Errorf("fit --json = %+v", r)
		}
	}
}

// TestProgressHidesTheRate draws the bar on a buffer: rate and time left tell of the number of rows.
func TestProgressHidesTheRate(t *testing.T) {
	for _, hide := range []bool{false, true} {
		var b bytes.Buffer
		bar := newBar(&b, 10, hide)
		for i := range 9 {
			if err := bar.Set(i); err != nil {
				t.Fatal(err)
			}
			time.Sleep(30 * time.Millisecond)
		}
		if told := strings.Contains(b.String(), "steps/") || strings.Contains(b.String(), "s]"); told == hide {
			t.Errorf("hide %v: the bar is %q", hide, b.String())
		}
	}
}

// TestShortWorkShowsNoBar finishes at once.
func TestShortWorkShowsNoBar(t *testing.T) {
	var b bytes.Buffer
	bar := newBar(&b, 10, false)
	for i := range 10 {
		if err := bar.Set(i + 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := bar.Finish(); err != nil || b.Len() > 0 {
		t.Errorf("after no time the bar is %q, %v", b.String(), err)
	}
}

// TestEvalFindsColumns evaluates on columns in another order, with more of them, and with a category never seen.
func TestEvalFindsColumns(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir)
	write(t, dir, "test.csv", "note,y,town,age\nx,no,Oslo,20\nx,yes,Ulm,70\n")
	write(t, dir, "test.jsonl", `{"y": "no", "town": "Oslo", "age": 20}`+"\n"+`{"age": 70, "town": "Ulm", "more": [1], "y": "yes"}`+"\n")
	_, csv, _ := dptrain(t, dir, "eval", "-m", *r.Model, "--data", "test.csv", "--json")
	_, jsonl, _ := dptrain(t, dir, "eval", "-m", *r.Model, "--data", "test.jsonl", "--json")
	var m train.Metrics
	if err := json.Unmarshal([]byte(csv), &m); err != nil || m.Rows != 2 || m.Accuracy == nil {
		t.Errorf("eval --json = %s, %v", csv, err)
	}
	if csv != jsonl {
		t.Errorf("eval on CSV = %s, on JSONL = %s", csv, jsonl)
	}
	code, out, stderr := dptrain(t, dir, "predict", "-m", *r.Model, "--data", "test.jsonl")
	if lines := strings.Split(strings.TrimSpace(out), "\n"); code != 0 || len(lines) != 2 || !strings.HasPrefix(lines[0], `{"label":`) {
		t.Errorf("predict on JSONL = %d, %s%s", code, out, stderr)
	}
	code, out, stderr = dptrain(t, dir, "predict", "-m", *r.Model, "--data", "test.csv", "-o", "p.csv")
	text, _ := os.ReadFile(filepath.Join(dir, "p.csv"))
	if code != 0 || out != "" || !strings.HasPrefix(string(text), "label,probability_no,probability_yes\n") {
		t.Errorf("predict on CSV = %d, %s%s%s", code, out, stderr, text)
	}
}

func TestEvalGates(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir)
	for _, test := range []struct {
		gate   string
		status status
	}{
		{"accuracy=0", statusDone},
		{"accuracy=1.1", statusQuality},
		{"log_loss=100", statusDone},
		{"log_loss=0", statusQuality},
		{"auc=2", statusQuality},
		{"beauty=1", statusUsage},
		{"accuracy", statusUsage},
	} {
		code, _, stderr := dptrain(t, dir, "eval", "-m", *r.Model, "--data", "train.csv", "--fail-under", test.gate)
		if code != int(test.status) {
			t.Errorf("--fail-under %s: exit status = %d, want %d\n%s", test.gate, code, test.status, stderr)
		}
	}
	write(t, dir, "bad.safetensors", "no model")
	if code, _, _ := dptrain(t, dir, "eval", "-m", "bad.safetensors", "--data", "train.csv"); code != int(statusIntegrity) {
		t.Errorf("eval of no model: exit status = %d, want %d", code, statusIntegrity)
	}
	if code, out, _ := dptrain(t, dir, "eval", "-m", *r.Model, "--data", "train.csv", "--by", "town", "--json"); code != 0 || !strings.Contains(out, `"group":"Bern"`) {
		t.Errorf("eval --by town = %d, %s", code, out)
	}
}

// TestNoCellIsPrinted plants a marker in every cell, one bad cell after another.
func TestNoCellIsPrinted(t *testing.T) {
	for column := range 3 {
		for line := range 3 {
			dir := workshop(t)
			rows := strings.Split(goodTable, "\n")
			cells := strings.Split(rows[line], ",")
			cells[column] = marker
			rows[line] = strings.Join(cells, ",")
			write(t, dir, "train.csv", strings.Join(rows, "\n"))
			_, stdout, stderr := dptrain(t, dir, "fit", "-c", "c.yaml")
			checkHidden(t, dir, stdout+stderr, "train.csv")
		}
	}
}

// TestCacheChangesNoModel fits twice with a cache, the second time from it, and once without.
func TestCacheChangesNoModel(t *testing.T) {
	dir := workshop(t)
	hourAgo := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "train.csv"), hourAgo, hourAgo); err != nil {
		t.Fatal(err)
	}
	var models []string
	for _, cache := range []string{"true", "true", "false"} {
		code, _, stderr := dptrain(t, dir, "fit", "-c", "c.yaml", "--seed", "1", "--fresh", "--set", "data.cache="+cache)
		if code != 0 || strings.Contains(stderr, "train.csv.dptrain-cache holds the encoded records") != (cache == "true") {
			t.Fatalf("cache: %s: exit status %d\n%s", cache, code, stderr)
		}
		text, err := os.ReadFile(filepath.Join(dir, "runs", "c", train.ModelFile))
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, string(text))
	}
	if models[0] != models[1] || models[0] != models[2] {
		t.Error("the model depends on the cache")
	}
	if code, _, stderr := dptrain(t, dir, "fit", "-c", "c.yaml", "--data", "-", "--fresh", "--set", "data.cache=true"); code != int(statusConfig) || !strings.Contains(stderr, "data.cache") {
		t.Errorf("cache of standard input: exit status %d, want 3\n%s", code, stderr)
	}
}

func TestInterruptedFitWritesNothing(t *testing.T) {
	dir := workshop(t)
	t.Chdir(dir)
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(&interruption{syscall.SIGINT})
	var out, err bytes.Buffer
	if code := run(ctx, []string{"fit", "-c", "c.yaml"}, strings.NewReader(""), &out, &err); code != 130 {
		t.Errorf("exit status = %d, want 130\n%s", code, err.String())
	}
	if got := files(t, dir); len(got) != 2 {
		t.Errorf("files = %v, want config and table alone", got)
	}
}

func TestEpsilon(t *testing.T) {
	dir := workshop(t)
	write(t, dir, "fixed.yaml", "- {event: sampled_without_replacement, sampling_probability: 0.1, of: {event: gaussian, noise_multiplier: 2}}\n")
	write(t, dir, "events.yaml", "- {event: self_composed, count: 100, of: {event: gaussian, noise_multiplier: 20}}\n")
	claimed := fit(t, dir, "--set", "privacy.adjacency=replace_one", "-o", "claimed")
	for _, test := range []struct {
		name   string
		args   string
		status status
		check  func(r epsilonResult) bool
	}{
		{"full batch", "--sampling-probability 1 --steps 100 --noise-multiplier 20 --delta 1e-5", statusDone, func(r epsilonResult) bool {
			// Gaussian mechanism of μ = 1/2: ε = 1.99309141… by Balle and Wang 2018, Theorem 8.
			return *r.Epsilon == 1.9931 && *r.MuGDP == 0.5
		}},
		{"rows and epochs", "--rows 1000 --batch-size 100 --epochs 3 --noise-multiplier 1 --delta 1e-5", statusDone, func(r epsilonResult) bool {
			return *r.Steps == 30 && *r.SamplingProbability == 0.1 && *r.BatchSize == 100
		}},
		{"target", "--sampling-probability 0.1 --steps 100 --target-epsilon 1 --delta 1e-5", statusDone, func(r epsilonResult) bool {
			return *r.Epsilon <= 1 && *r.Epsilon > 0.99 && *r.NoiseMultiplier > 1
		}},
		{"solve steps", "--sampling-probability 1 --noise-multiplier 20 --target-epsilon 3 --delta 1e-5 --solve steps", statusDone, func(r epsilonResult) bool {
			return *r.Epsilon <= 3 && *r.Steps > 100
		}},
		{"solve batch size", "--rows 1000 --steps 100 --noise-multiplier 2 --target-epsilon 3 --delta 1e-5 --solve batch-size", statusDone, func(r epsilonResult) bool {
			return *r.Epsilon <= 3 && *r.BatchSize > 50
		}},
		{"curve", "--sampling-probability 1 --steps 5 --noise-multiplier 20 --delta 1e-5 --curve", statusDone, func(r epsilonResult) bool {
			return len(r.Curve) == 5 && *r.Curve[4].Epsilon == *r.Epsilon && *r.Curve[0].Epsilon < *r.Epsilon
		}},
		{"at epsilon", "--sampling-probability 1 --steps 100 --noise-multiplier 20 --at-epsilon 1", statusDone, func(r epsilonResult) bool {
			return r.Epsilon == nil && *r.DeltaAtEpsilon > 0 && *r.DeltaAtEpsilon < 0.1
		}},
		{"no noise", "--sampling-probability 1 --steps 1 --noise-multiplier 0 --delta 1e-5", statusDone, func(r epsilonResult) bool {
			return r.Epsilon == nil
		}},
		{"config", "-c c.yaml", statusDone, func(r epsilonResult) bool { return *r.Epsilon <= 3 && *r.Steps == 20 }},
		{"config over", "-c c.yaml --max-epsilon 1", statusPrivacy, nil},
		{"over", "--sampling-probability 1 --steps 100 --noise-multiplier 20 --delta 1e-5 --max-epsilon 0.5", statusPrivacy, nil},
		{"group", "--sampling-probability 0.01 --steps 100 --noise-multiplier 1 --delta 1e-5 --group-size 3", statusDone, func(r epsilonResult) bool {
			return *r.GroupSize == 3 && *r.Epsilon > 1 && r.EpsilonRDP == nil
		}},
		{"width", "--sampling-probability 0.01 --steps 100 --noise-multiplier 1 --delta 1e-5 --relative-width 1e-5", statusDone, func(r epsilonResult) bool {
			return *r.Epsilon-*r.EpsilonLower < 1.2e-5**r.Epsilon
		}},
		{"events", "--events events.yaml --delta 1e-5", statusDone, func(r epsilonResult) bool {
			return *r.Epsilon == 1.9931 && r.Steps == nil // 100 Gaussians of σ = 20
		}},
		{"a report", "--events claimed/report.json", statusDone, func(r epsilonResult) bool {
			return r.Adjacency == "replace_one" && *r.Epsilon == *claimed.Epsilon && *r.Delta < 1e-3 && *r.Delta > 0.99e-3
		}},
		{"a report, asked otherwise", "--events claimed/report.json --delta 1e-4 --adjacency zero_out", statusDone, func(r epsilonResult) bool {
			return r.Adjacency == "zero_out" && *r.Epsilon < *claimed.Epsilon && *r.Delta == 1e-4
		}},
		{"events without delta", "--events events.yaml", statusUsage, nil},
		{"plot", "--sampling-probability 1 --steps 100 --noise-multiplier 20 --delta 1e-5 --plot p.svg", statusDone, func(epsilonResult) bool {
			text, err := os.ReadFile("p.svg")
			return err == nil && strings.Contains(string(text), "<svg")
		}},
		{"plot there already", "--sampling-probability 1 --steps 100 --noise-multiplier 20 --delta 1e-5 --plot p.svg", statusResources, nil},
		{"events without a bound", "--events fixed.yaml --delta 1e-5", statusConfig, nil},
		{"bad events", "--events train.csv --delta 1e-5", statusConfig, nil},
		{"bad group", "--sampling-probability 1 --steps 1 --noise-multiplier 1 --delta 1e-5 --group-size 1000", statusUsage, nil},
		{"bad width", "--sampling-probability 1 --steps 1 --noise-multiplier 1 --delta 1e-5 --relative-width 1", statusUsage, nil},
		{"bad delta", "--sampling-probability 1 --steps 1 --noise-multiplier 1 --delta 2", statusUsage, nil},
		{"bad q", "--sampling-probability 2 --steps 1 --noise-multiplier 1 --delta 1e-5", statusUsage, nil},
		{"no delta", "--sampling-probability 1 --steps 1 --noise-multiplier 1", statusUsage, nil},
		{"no steps", "--sampling-probability 1 --noise-multiplier 1 --delta 1e-5", statusUsage, nil},
		{"no noise given", "--sampling-probability 1 --steps 1 --delta 1e-5", statusUsage, nil},
		{"config and flags", "-c c.yaml --steps 3", statusUsage, nil},
		{"unreachable", "--sampling-probability 1 --steps 1000000 --target-epsilon 1e-9 --delta 1e-12", statusPrivacy, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := dptrain(t, dir, append([]string{"epsilon", "--json"}, strings.Fields(test.args)...)...)
			if code != int(test.status) {
				t.Fatalf("exit status = %d, want %d\n%s", code, test.status, stderr)
			}
			if test.check == nil {
				return
			}
			var r epsilonResult
			if err := json.Unmarshal([]byte(stdout), &r); err != nil || !test.check(r) {
				t.Errorf("epsilon --json = %s, %v", stdout, err)
			}
		})
	}
}

// TestHelp holds every command's help against the house rules: an example, its exit statuses, lines of 80 columns at most,
// and a word for what each flag takes.
func TestHelp(t *testing.T) {
	for _, c := range append(newRootCommand(&streams{}).Commands(), newLedgerCommand(&streams{}).Commands()...) {
		if c.Example == "" {
			t.Errorf("%s has no example", c.Name())
		}
		if c.Name() != "version" && !strings.Contains(c.Long, "Exit status is 0") {
			t.Errorf("the help of %s does not list its exit statuses", c.Name())
		}
		for _, line := range strings.Split(c.Long, "\n") {
			if n := utf8.RuneCountInString(line); n > 80 {
				t.Errorf("the help of %s has a line of %d columns: %s", c.Name(), n, line)
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if word, _ := pflag.UnquoteUsage(f); f.Value.Type() != "bool" && word != strings.ToUpper(word) {
				t.Errorf("the help of %s says that --%s takes a %s", c.Name(), f.Name, word)
			}
		})
	}
}

// remove is text without the first part.
func remove(t *testing.T, text, part string) string {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Fatalf("the text has no %q", part)
	}
	return strings.Replace(text, part, "", 1)
}

// TestFitLearnsUnderTheBudget standardizes a column and evens out classes: the report has both queries among its events,
// within the target, and the model encodes tables as fit did.
func TestFitLearnsUnderTheBudget(t *testing.T) {
	dir := workshop(t)
	args := []string{"--set", "train.class_weights=dp", "--set",
		"data.features=[{name: age, kind: numeric, min: 0, max: 1000, standardize: dp, impute: 50}]"}
	r := fit(t, dir, args...)
	text, err := os.ReadFile(*r.Report)
	if err != nil {
		t.Fatal(err)
	}
	var report train.Report
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	if *r.Epsilon > 3 || *r.Epsilon < 2.99 || len(report.Learned.Moments) != 1 || len(report.Learned.ClassWeights) != 2 {
		t.Errorf("ε = %v, learned %+v", *r.Epsilon, report.Learned)
	}
	for i, q := range report.Mechanism.Queries {
		if want := []string{"moments", "label_histogram"}[i]; q.Name != want || q.NoiseMultiplier <= 0 {
			t.Errorf("query %d is %+v, want %s", i, q, want)
		}
		if event := fmt.Sprintf(`"noise_multiplier":%v`, q.NoiseMultiplier); !strings.Contains(strings.ReplaceAll(string(report.Accounting.Events), " ", ""), event) {
			t.Errorf("the events %s have no %s", report.Accounting.Events, event)
		}
	}
	model, err := train.ReadModel(*r.Model)
	if err != nil {
		t.Fatal(err)
	}
	if got := model.Schema.Spec().Moments; !slices.Equal(got, report.Learned.Moments) {
		t.Errorf("the model has the moments %v, the report %v", got, report.Learned.Moments)
	}
	if status, _, stderr := dptrain(t, dir, "eval", "-m", *r.Model, "--data", "train.csv"); status != 0 {
		t.Errorf("eval: exit status %d: %s", status, stderr)
	}
	// fit --eval reads its table before the moments are known, eval after: both must encode it alike.
	var both [2]struct {
		LogLoss float64 `json:"log_loss"`
		Eval    *struct {
			LogLoss float64 `json:"log_loss"`
		}
	}
	_, first, _ := dptrain(t, dir, append([]string{"fit", "-c", "c.yaml", "--fresh", "--eval", "train.csv", "--json"}, args...)...)
	_, second, _ := dptrain(t, dir, "eval", "-m", *r.Model, "--data", "train.csv", "--json")
	for i, text := range []string{first, second} {
		if err := json.Unmarshal([]byte(text), &both[i]); err != nil {
			t.Fatal(err)
		}
	}
	if both[0].Eval == nil || both[0].Eval.LogLoss != both[1].LogLoss {
		t.Errorf("fit --eval gives %s, eval %s", first, second)
	}
	status, stdout, stderr := dptrain(t, dir, append([]string{"fit", "-c", "c.yaml", "--dry-run"}, args...)...)
	if status != 0 || !strings.Contains(stdout, "query    moments before the first step, σ = ") {
		t.Errorf("dry run: exit status %d, printed\n%s%s", status, stdout, stderr)
	}
}

// TestSplitHoldsRowsOut trains on a table whose held-out rows are then changed, and left out of a report: the model, the
// report and all that fit prints are the same. The noise is that of a seed.
func TestSplitHoldsRowsOut(t *testing.T) {
	split := strings.Replace(goodConfig, "rows: 8", "rows: 60\n  split: {test: 0.4, by: id}", 1)
	type outputs struct{ stdout, model, report string }
	var all []outputs
	held := 0
	for _, change := range []bool{false, true} {
		dir := t.TempDir()
		write(t, dir, "c.yaml", split)
		var table strings.Builder
		table.WriteString("id,age,town,y\n")
		held = 0
		for i := range 60 {
			id, age, y := fmt.Sprint("customer", i%20), i, []string{"no", "yes"}[i%2]
			mac := hmac.New(sha256.New, nil)
			mac.Write([]byte(id))
			if binary.BigEndian.Uint64(mac.Sum(nil)) < uint64(math.Ldexp(0.4, 64)) {
				held++
				if change {
					age, y = 99-i, []string{"yes", "no"}[i%2]
				}
			}
			fmt.Fprintf(&table, "%s,%d,Ulm,%s\n", id, age, y)
		}
		write(t, dir, "train.csv", table.String())
		status, stdout, stderr := dptrain(t, dir, "fit", "-c", "c.yaml", "--seed", "1")
		if status != 0 || !strings.Contains(stdout, "--split test") {
			t.Fatalf("exit status %d: %s%s", status, stdout, stderr)
		}
		var o outputs
		for _, line := range strings.SplitAfter(stdout, "\n") {
			if !strings.HasPrefix(line, "time") {
				o.stdout += line
			}
		}
		for name, to := range map[string]*string{"model.safetensors": &o.model, "report.json": &o.report} {
			text, err := os.ReadFile(filepath.Join(dir, "runs/c", name))
			if err != nil {
				t.Fatal(err)
			}
			*to = string(text)
		}
		all = append(all, o)

		rows := map[string]int{}
		for _, side := range []string{"", "test", "train"} {
			args := []string{"eval", "-m", "runs/c/model.safetensors", "--data", "train.csv", "--json"}
			if side != "" {
				args = append(args, "--split", side)
			}
			status, stdout, stderr := dptrain(t, dir, args...)
			var r struct{ Rows int }
			if err := json.Unmarshal([]byte(stdout), &r); err != nil || status != 0 {
				t.Fatalf("eval --split %s: exit status %d, %v: %s", side, status, err, stderr)
			}
			rows[side] = r.Rows
		}
		if rows[""] != 60 || rows["test"] != held || rows["train"] != 60-held {
			t.Errorf("eval sees %v rows, want 60 of which %d are held out", rows, held)
		}
	}
	if held < 10 || held > 40 {
		t.Fatalf("%d rows are held out: choose another key", held)
	}
	if all[0] != all[1] {
		t.Errorf("a change of held-out rows shows: %t %t %t", all[0].stdout != all[1].stdout, all[0].model != all[1].model, all[0].report != all[1].report)
	}
}

func TestEvalRefusesSplits(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir)
	for _, side := range []string{"test", "both"} {
		if status, _, stderr := dptrain(t, dir, "eval", "-m", *r.Model, "--data", "train.csv", "--split", side); status != int(statusUsage) {
			t.Errorf("eval --split %s of a model without a split: exit status %d: %s", side, status, stderr)
		}
	}
}
