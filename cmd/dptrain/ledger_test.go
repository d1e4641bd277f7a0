package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dptrain/internal/train"
	"dptrain/internal/train/disk/disktest"
)

// withLedger states a ledger of 3.0 by flags.
func withLedger(args ...string) []string {
	return append(slices.Clone(args), "--set", "privacy.ledger=l.jsonl", "--set", "privacy.dataset=people", "--set", "privacy.max_total_epsilon=3")
}

// ledgerOf is what ledger check --json prints.
func ledgerOf(t *testing.T, dir string) (r ledgerResult) {
	t.Helper()
	code, stdout, stderr := dptrain(t, dir, "ledger", "check", "l.jsonl", "--json")
	if err := json.Unmarshal([]byte(stdout), &r); code != 0 || err != nil {
		t.Fatalf("ledger check = %d, %s%s", code, stdout, stderr)
	}
	return r
}

// TestParallelFitsShareABudget runs ten fits of ε = 1 as processes of their own against a ledger of 3.0.
func TestParallelFitsShareABudget(t *testing.T) {
	dir := workshop(t)
	var fits []*exec.Cmd
	var errs [10]bytes.Buffer
	for i := range 10 {
		c := program(dir, withLedger("fit", "-c", "c.yaml", "-q", "--set", "privacy.target_epsilon=1", "-o", filepath.Join("runs", string(rune('a'+i))))...)
		c.Stderr = &errs[i]
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		fits = append(fits, c)
	}
	done := map[string]bool{}
	for i, c := range fits {
		_ = c.Wait() // by its status
		switch code := c.ProcessState.ExitCode(); code {
		case 0:
			text, err := os.ReadFile(filepath.Join(dir, "runs", string(rune('a'+i)), train.ReportFile))
			if err != nil {
				t.Fatal(err)
			}
			var r train.Report
			if err := json.Unmarshal(text, &r); err != nil || r.Accounting.Ledger == nil {
				t.Fatalf("the report names no entry, %v", err)
			}
			done[r.Accounting.Ledger.Entry] = true
		case int(statusPrivacy):
			if text := errs[i].String(); !strings.Contains(text, "above max_total_epsilon 3") || !strings.Contains(text, "would fit") && !strings.Contains(text, "is left") {
				t.Errorf("fit %d: %s", i, text)
			}
			if left := files(t, filepath.Join(dir, "runs")); strings.Contains(strings.Join(left, " "), filepath.Join("runs", string(rune('a'+i)))+"/") {
				t.Errorf("the refused fit %d leaves files: %v", i, left)
			}
		default:
			t.Errorf("fit %d: exit status = %d\n%s", i, code, errs[i].String())
		}
	}
	l := ledgerOf(t, dir)
	if l.TotalEpsilon > 3 || len(l.Entries) != len(done) || len(done) < 3 {
		t.Errorf("%d fits are done, the ledger has %d: ε = %v", len(done), len(l.Entries), l.TotalEpsilon)
	}
	for _, e := range l.Entries {
		if !done[e.Hash] {
			t.Errorf("entry %s belongs to no fit that is done", e.Run)
		}
	}
}

// TestLedgerCountsARunOnce kills a fit with a ledger at every call to the file system, and resumes it.
func TestLedgerCountsARunOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	for _, fault := range []disktest.Fault{disktest.KilledBefore, disktest.KilledAfter, disktest.NoSpace} {
		for at := 1; ; at++ {
			dir := workshop(t)
			code, _, killed := killedAt(t, dir, &disktest.FS{Fault: fault, At: at}, withLedger("fit", "-c", "c.yaml")...)
			if !killed && code == 0 {
				break
			}
			charged := chargedSoFar(t, dir)
			entries := 0
			if _, err := os.Stat(filepath.Join(dir, "l.jsonl")); err == nil {
				entries = len(ledgerOf(t, dir).Entries)
			}
			if charged > 0 && entries == 0 {
				t.Errorf("%v at call %d: %d steps are charged, and the run is not in the ledger", fault, at, charged)
			}
			code, stderr, _ := killedAt(t, dir, &disktest.FS{}, withLedger("fit", "-c", "c.yaml", "--resume")...)
			// Only where nothing was drawn may the run have been given up, and be entered under another name; it then
			// overspends, as it should.
			if code != 0 && (charged > 0 || code != int(statusPrivacy)) {
				t.Errorf("%v at call %d: fit --resume = %d\n%s", fault, at, code, stderr)
			}
			if l := ledgerOf(t, dir); len(l.Entries) != 1 {
				t.Errorf("%v at call %d: %d entries of one run", fault, at, len(l.Entries))
			}
		}
	}
}

func TestLedgerRefuses(t *testing.T) {
	dir := workshop(t)
	fit(t, dir, withLedger()...)
	table := filepath.Join(dir, "train.csv")
	if err := os.Remove(table); err != nil { // refused before a record is read
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		args   []string
		status status
		want   string
	}{
		{"overspent", nil, statusPrivacy, "above max_total_epsilon 3"},
		{"overspent in a dry run", []string{"--dry-run"}, statusPrivacy, "above max_total_epsilon 3"},
		{"seed", []string{"--seed", "1"}, statusPrivacy, "no epsilon for a ledger"},
		{"no privacy", []string{"--no-privacy"}, statusPrivacy, "no epsilon for a ledger"},
		{"another delta", []string{"--set", "privacy.delta=1e-4"}, statusPrivacy, "privacy.delta 0.001, the config states 0.0001"},
		{"another data set", []string{"--set", "privacy.dataset=others"}, statusPrivacy, "privacy.dataset people"},
		{"another budget", []string{"--set", "privacy.max_total_epsilon=30"}, statusPrivacy, "privacy.max_total_epsilon 3"},
	} {
		code, stdout, stderr := dptrain(t, dir, withLedgerFirst(append([]string{"fit", "-c", "c.yaml", "-o", "other"}, test.args...))...)
		if code != int(test.status) || stdout != "" || !strings.Contains(stderr, test.want) || strings.Count(stderr, "dptrain: hint: ") != 1 {
			t.Errorf("%s: exit status = %d, want %d; %s%s", test.name, code, test.status, stdout, stderr)
		}
	}
	if n := len(ledgerOf(t, dir).Entries); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
	text := content(t, dir, "l.jsonl")
	write(t, dir, "l.jsonl", strings.Replace(text, `"count":20`, `"count":10`, 1))
	if code, _, stderr := dptrain(t, dir, "ledger", "check", "l.jsonl"); code != int(statusIntegrity) || !strings.Contains(stderr, "l.jsonl:2: was changed") {
		t.Errorf("ledger check of a changed line = %d, %s", code, stderr)
	}
	write(t, dir, "l.jsonl", text[:len(text)-10])
	if code, _, stderr := dptrain(t, dir, "ledger", "check", "l.jsonl"); code != int(statusIntegrity) || !strings.Contains(stderr, "l.jsonl:2: ends inside a line") {
		t.Errorf("ledger check of a cut line = %d, %s", code, stderr)
	}
	if code, _, _ := dptrain(t, dir, "ledger", "show", "none.jsonl"); code != int(statusResources) {
		t.Errorf("ledger show of no file = %d", code)
	}
}

// withLedgerFirst puts the ledger's flags before those of a test, which win.
func withLedgerFirst(args []string) []string {
	return append(withLedger(args[:5]...), args[5:]...)
}

// TestLedgerSaysWhatFits takes the hint of a refusal at its word.
func TestLedgerSaysWhatFits(t *testing.T) {
	dir := workshop(t)
	fit(t, dir, withLedger("--set", "privacy.target_epsilon=2.5")...)
	_, _, stderr := dptrain(t, dir, withLedger("fit", "-c", "c.yaml", "-o", "two")...)
	_, hint, _ := strings.Cut(stderr, "--set privacy.target_epsilon=")
	target, _, found := strings.Cut(hint, " would fit")
	if !found {
		t.Fatalf("stderr = %q, want what fits", stderr)
	}
	r := fit(t, dir, withLedger("-o", "two", "--set", "privacy.target_epsilon="+target)...)
	if r.Ledger == nil || r.Ledger.TotalEpsilon > 3 || r.Ledger.TotalEpsilon < 2.9 {
		t.Errorf("after %s: %+v", target, r.Ledger)
	}
	if code, out, _ := dptrain(t, dir, "ledger", "show", "l.jsonl"); code != 0 || !strings.Contains(out, "in 2 runs") {
		t.Errorf("ledger show = %d, %s", code, out)
	}
}

func TestLedgerIsBesideTheConfig(t *testing.T) {
	dir := workshop(t)
	write(t, dir, "c.yaml", strings.Replace(goodConfig, "  unit: row", "  unit: row\n  ledger: books/l.jsonl\n  dataset: people\n  max_total_epsilon: 3", 1))
	if err := os.Mkdir(filepath.Join(dir, "elsewhere"), 0o700); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := dptrain(t, filepath.Join(dir, "elsewhere"), "fit", "-c", "../c.yaml"); code != 0 {
		t.Fatal(stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "books", "l.jsonl")); err != nil {
		t.Error(err)
	}
}

// TestVerifyTiesTheFilesTogether verifies a resumed fit with its config and its ledger, and with others.
func TestVerifyTiesTheFilesTogether(t *testing.T) {
	dir := workshop(t)
	for at := 1; ; at++ { // killed when half of its steps are done
		_, _, killed := killedAt(t, dir, &disktest.FS{Fault: disktest.KilledAfter, At: at}, withLedger("fit", "-c", "c.yaml", "--resume")...)
		if _, err := os.Stat(filepath.Join(dir, "runs", "c", train.CheckpointFile)); !killed || err == nil {
			break
		}
	}
	r := fit(t, dir, withLedger("--resume")...)
	write(t, dir, "other.jsonl", "")
	fit(t, dir, "-o", "other", "--set", "privacy.ledger=o.jsonl", "--set", "privacy.dataset=people", "--set", "privacy.max_total_epsilon=3")
	good := []string{"verify", "-m", *r.Model, "-r", *r.Report}
	for _, test := range []struct {
		name   string
		args   []string
		status status
		want   string
	}{
		{"alone", good, statusDone, `"verified":true`},
		{"with config and ledger", append(slices.Clone(good), "-c", "c.yaml", "--ledger", "l.jsonl"), statusDone, `"config":true,"ledger_epsilon":3}`},
		{"another config", append(slices.Clone(good), "-c", "c.yaml", "--set", "train.steps=21"), statusIntegrity, "is not of this config: train."},
		{"another data section", append(slices.Clone(good), "-c", "c.yaml", "--set", "data.missing=[x]"), statusIntegrity, "is not of this config: data.data.missing"},
		{"another ledger", append(slices.Clone(good), "--ledger", "o.jsonl"), statusIntegrity, "does not have the entry"},
		{"no ledger", append(slices.Clone(good), "--ledger", "other.jsonl"), statusIntegrity, "other.jsonl: is empty"},
		{"another report", []string{"verify", "-m", *r.Model, "-r", "other/report.json"}, statusIntegrity, "is not the model of the report"},
		{"a model for a report", []string{"verify", "-m", *r.Model, "-r", *r.Model}, statusIntegrity, "not a usable report"},
		{"no report", []string{"verify", "-m", *r.Model}, statusUsage, "--report is missing"},
		{"missing report", []string{"verify", "-m", *r.Model, "-r", "none.json"}, statusResources, "none.json"},
		{"set without config", append(slices.Clone(good), "--set", "train.steps=3"), statusUsage, "--set is given without --config"},
	} {
		code, stdout, stderr := dptrain(t, dir, append(test.args, "--json")...)
		if code != int(test.status) || !strings.Contains(stdout+stderr, test.want) {
			t.Errorf("%s: exit status = %d, want %d with %q; %s%s", test.name, code, test.status, test.want, stdout, stderr)
		}
		var refusal verifyRefusal
		if err := json.Unmarshal([]byte(stdout), &refusal); test.status == statusIntegrity &&
			(err != nil || refusal.Verified || refusal.Report != test.args[4] || !strings.Contains(refusal.Error, test.want)) {
			t.Errorf("%s: standard output is %q, want an object with the error", test.name, stdout)
		}
	}
	if code, out, stderr := dptrain(t, dir, append(good, "--ledger", "l.jsonl")...); code != 0 || !strings.Contains(out, "computed again from the events") {
		t.Errorf("verify = %d, %s%s", code, out, stderr)
	}
}
