package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTradeoff(t *testing.T) {
	dir := workshop(t)
	write(t, dir, "test.csv", evalTable())
	code, out, stderr := dptrain(t, dir, "tradeoff", "-c", "c.yaml", "--eval", "test.csv", "--epsilon", "8,0.5,2", "--runs", "3", "--json", "--plot", "p.svg")
	var r tradeoffResult
	if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil {
		t.Fatalf("tradeoff = %d, %v\n%s", code, err, stderr)
	}
	if !r.Exploration || !strings.Contains(r.Note, "nothing is promised") || len(r.Points) != 3 || len(r.Sentences) != 3 {
		t.Errorf("tradeoff = %s", out)
	}
	before := 0.0
	for _, p := range r.Points {
		if *p.Epsilon <= before || len(p.Accuracy.Values) != 3 || p.Accuracy.SD == nil {
			t.Errorf("point %+v after ε = %v", p, before)
		}
		before = *p.Epsilon
	}
	if r.NoPrivacy.Epsilon != nil || len(r.NoPrivacy.LogLoss.Values) != 3 {
		t.Errorf("without privacy: %+v", r.NoPrivacy)
	}
	// Half of the training rows are of each class, and the first of equals is no: three rows of four in test.csv are.
	if r.Majority.Class != "no" || r.Majority.Accuracy != 0.75 || math.Abs(r.Majority.LogLoss-math.Log(2)) > 1e-12 {
		t.Errorf("majority = %+v", r.Majority)
	}
	if r.TotalEpsilon == nil || *r.TotalEpsilon <= 8 {
		t.Errorf("all runs together cost %v, want more than the dearest", r.TotalEpsilon)
	}
	if picture, err := os.ReadFile(filepath.Join(dir, "p.svg")); err != nil || !strings.Contains(string(picture), "<svg") {
		t.Errorf("no plot: %v", err)
	}
	for _, name := range files(t, dir) {
		if strings.HasSuffix(name, "model.safetensors") {
			t.Errorf("tradeoff writes %s", name)
		}
	}
	code, out, _ = dptrain(t, dir, "tradeoff", "-c", "c.yaml", "--eval", "test.csv", "--epsilon", "1", "--runs", "1")
	if code != 0 || !strings.Contains(out, "points of") && !strings.Contains(out, "loses nothing") || !strings.Contains(out, "exploration:") {
		t.Errorf("tradeoff prints %s", out)
	}
}

func TestTradeoffRefuses(t *testing.T) {
	dir := workshop(t)
	write(t, dir, "test.csv", evalTable())
	ledger := []string{"--set", "privacy.ledger=l.jsonl", "--set", "privacy.dataset=d", "--set", "privacy.max_total_epsilon=9"}
	for _, test := range []struct {
		name   string
		args   []string
		status status
		stderr string
	}{
		{"a private data set", append([]string{"--eval", "test.csv"}, ledger...), statusPrivacy, "names a ledger"},
		{"no table", nil, statusUsage, "--eval is missing"},
		{"no number", []string{"--eval", "test.csv", "--epsilon", "1,much"}, statusUsage, `"much"`},
		{"zero", []string{"--eval", "test.csv", "--epsilon", "0"}, statusUsage, "--epsilon"},
		{"no runs", []string{"--eval", "test.csv", "--runs", "0"}, statusUsage, "--runs"},
		{"missing table", []string{"--eval", "no.csv"}, statusData, "no.csv"},
	} {
		code, _, stderr := dptrain(t, dir, append([]string{"tradeoff", "-c", "c.yaml"}, test.args...)...)
		if code != int(test.status) || !strings.Contains(stderr, test.stderr) {
			t.Errorf("%s: exit status = %d, want %d, with %q:\n%s", test.name, code, test.status, test.stderr, stderr)
		}
	}
}
