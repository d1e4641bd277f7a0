package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"dptrain/internal/train"
)

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		name   string
		config string // instead of the good one
		table  string // instead of the good one
		args   []string
		status status
		stdout string // contains
		stderr string // contains
	}{
		{name: "valid", stdout: "train.csv is as declared: 8 rows"},
		{name: "no table", args: []string{"--set", "privacy.delta=1e-6"}, table: "-", stdout: "train.csv is not there: it was not checked"},
		{name: "no table by flag", table: "-", args: []string{"--data", "train.csv"}, status: statusData, stderr: "train.csv: no such file"},
		{name: "another table", args: []string{"--data", "no.csv"}, status: statusData, stderr: "no.csv: no such file"},
		{name: "config", config: remove(t, goodConfig, "  unit: row\n"), status: statusConfig, stderr: "c.yaml:9:1: privacy.unit is missing"},
		{name: "last row", table: goodTable + "x,Ulm,no\n", status: statusData, stderr: "more rows than the declared 8"},
		{name: "last cell", table: strings.Replace(goodTable, "90,,yes", "90,,maybe", 1), status: statusData, stderr: `train.csv:9:5: column "y"`},
		{name: "two rows", table: strings.NewReplacer("20,", "x,", "90,,yes", "90,,maybe").Replace(goodTable), status: statusData,
			stderr: "train.csv:2:1: column \"age\" is not a number\ndptrain: error: train.csv:9:5: column \"y\""},
		{name: "fewer rows", table: remove(t, goodTable, "20,Ulm,no\n"), status: statusData, stderr: "fewer rows than the declared 8"},
		{name: "warnings", args: []string{"--set", "privacy.target_epsilon=20"}, stdout: "ε = 20", stderr: "DP104: epsilon is 20"},
		{name: "quiet", args: []string{"--set", "privacy.target_epsilon=20", "--quiet"}, stdout: "ε = 20"},
		{name: "usage", args: []string{"extra"}, status: statusUsage, stderr: "takes no argument"},
	} {
		dir := workshop(t)
		if test.config != "" {
			write(t, dir, "c.yaml", test.config)
		}
		switch test.table {
		case "":
		case "-":
			if err := os.Remove(filepath.Join(dir, "train.csv")); err != nil {
				t.Fatal(err)
			}
		default:
			write(t, dir, "train.csv", test.table)
		}
		code, stdout, stderr := dptrain(t, dir, append([]string{"validate", "-c", "c.yaml"}, test.args...)...)
		if code != int(test.status) || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
			t.Errorf("%s: exit status %d, want %d; printed\n%s%s", test.name, code, test.status, stdout, stderr)
		}
		if test.status != statusDone && stdout != "" {
			t.Errorf("%s: printed %q beside the error", test.name, stdout)
		}
		if test.name == "quiet" && stderr != "" {
			t.Errorf("--quiet printed %q", stderr)
		}
		if left := files(t, dir); len(left) > 2 {
			t.Errorf("%s: validate left %q", test.name, left)
		}
	}
}

func TestValidateJSON(t *testing.T) {
	dir := workshop(t)
	_, stdout, _ := dptrain(t, dir, "validate", "-c", "c.yaml", "--json")
	var r validateResult
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	// 8 rows and 2 classes: too few.
	if *r.Rows != 8 || *r.Table != "train.csv" || r.Features != 2 || r.Classes != 2 || r.Inputs != 6 || r.Parameters != 7 ||
		r.Epsilon > 3 || len(r.Warnings) != 1 || r.Warnings[0].Code != "DP106" || r.Warnings[0].Place != "c.yaml:5:20" {
		t.Errorf("validate --json = %s", stdout)
	}
}

// TestValidateKeepsAPrivateRowCount gives two tables of which one has a row more: what is printed is the same.
func TestValidateKeepsAPrivateRowCount(t *testing.T) {
	private := strings.Replace(goodConfig, "  rows: 8\n", "  rows_at_most: 20\n", 1)
	private = strings.Replace(private, "unit: row", "unit: row\n  adjacency: add_or_remove_one", 1)
	var printed []string
	for _, table := range []string{goodTable, goodTable + "10,Ulm,no\n", "age,town,y\n"} {
		dir := workshop(t)
		write(t, dir, "c.yaml", private)
		write(t, dir, "train.csv", table)
		for _, format := range [][]string{nil, {"--json"}} {
			code, stdout, stderr := dptrain(t, dir, append([]string{"validate", "-c", "c.yaml"}, format...)...)
			if code != 0 {
				t.Fatalf("exit status %d: %s", code, stderr)
			}
			printed = append(printed, stdout+stderr)
		}
	}
	for i := range printed {
		if printed[i] != printed[i%2] {
			t.Errorf("with other rows validate prints\n%s, else\n%s", printed[i], printed[i%2])
		}
	}
}

func TestShippedConfigsAreValidWithoutWarnings(t *testing.T) {
	paths, err := filepath.Glob("../../configs/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no shipped configs: %v", err)
	}
	for _, path := range paths {
		code, _, stderr := dptrain(t, ".", "validate", "-c", path)
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit status %d: %s", path, code, stderr)
		}
	}
}

func TestExplainKnowsEveryCode(t *testing.T) {
	var codes []string
	for _, a := range train.Advices() {
		codes = append(codes, a.Code)
	}
	for _, code := range []status{statusDone, statusFault, statusUsage, statusConfig, statusData, statusPrivacy, statusQuality,
		statusIntegrity, statusAudit, statusResources, statusSignal + status(syscall.SIGINT), statusSignal + status(syscall.SIGTERM)} {
		codes = append(codes, strconv.Itoa(int(code)))
	}
	_, list, _ := dptrain(t, ".", "explain")
	if lines := strings.Count(list, "\n"); lines != len(codes) {
		t.Errorf("explain lists %d codes, want %d", lines, len(codes))
	}
	for _, code := range codes {
		status, stdout, stderr := dptrain(t, ".", "explain", code)
		if status != 0 || !strings.HasPrefix(stdout, code+": ") || !strings.Contains(stdout, "\nExample:\n") || stderr != "" {
			t.Errorf("explain %s: exit status %d, printed\n%s%s", code, status, stdout, stderr)
		}
		for line := range strings.Lines(stdout) {
			if len([]rune(line)) > 121 {
				t.Errorf("explain %s prints a long line: %s", code, line)
			}
		}
	}
	if status, _, stderr := dptrain(t, ".", "explain", "DP999"); status != int(statusUsage) || !strings.Contains(stderr, "explain lists all codes") {
		t.Errorf("explain DP999: exit status %d, %s", status, stderr)
	}
}
