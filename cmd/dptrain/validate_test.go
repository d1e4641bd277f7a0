package main

import (
	"encoding/json"
	"fmt"
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
	r := validateResult{validatePlan: &validatePlan{}}
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	// 8 rows and 2 classes: too few.
	if !r.Valid || r.Errors == nil || *r.Rows != 8 || *r.Table != "train.csv" || r.Features != 2 || r.Classes != 2 || r.Inputs != 6 || r.Parameters != 7 ||
		r.Epsilon > 3 || len(r.Warnings) != 1 || r.Warnings[0].Code != "DP106" || r.Warnings[0].Place != "c.yaml:5:20" {
		t.Errorf("validate --json = %s", stdout)
	}
}

// TestValidateJSONSaysWhatIsWrong holds the verdict of a config or a table that is not valid against what standard error
// says, and finds none where a command could not come to one.
func TestValidateJSONSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		name   string
		table  string // instead of the good one
		args   []string
		status status
		want   string // places and messages, one a line; empty: no object
		plan   bool   // the fields of the run are there
	}{
		{"config", "", []string{"-c", "c.yaml", "--set", "data.rows=-1"}, statusConfig, "--set data.rows=-1:0:0: data.rows is -1, want an integer above 0\n", false},
		{"config's file", "", []string{"-c", "bad.yaml"}, statusConfig, "bad.yaml:2:1: unknown key \"x\"\n", false},
		{"no config", "", []string{"-c", "no.yaml"}, statusConfig, "no.yaml:0:0: no such file or directory\n", false},
		{"target", "", []string{"-c", "c.yaml", "--set", "privacy.target_epsilon=1e-12", "--set", "privacy.delta=1e-14"}, statusPrivacy,
			":0:0: epsilon 1e-12 at delta 1e-14 cannot be reached: noise_multiplier 1e+06 still costs", false},
		{"two rows", strings.NewReplacer("20,", "x,", "90,,yes", "90,,maybe").Replace(goodTable), []string{"-c", "c.yaml"}, statusData,
			"train.csv:2:1: column \"age\" is not a number\ntrain.csv:9:5: column \"y\" is not one of the declared classes\n", true},
		{"fewer rows", remove(t, goodTable, "20,Ulm,no\n"), []string{"-c", "c.yaml"}, statusData, "train.csv:0:0: has fewer rows than the declared 8\n", true},
		{"no table", "", []string{"-c", "c.yaml", "--data", "no.csv"}, statusData, "no.csv:0:0: no such file\n", true},
		{"empty table", "", []string{"-c", "c.yaml", "--data", "empty.csv"}, statusData, "empty.csv:0:0: is empty\n", true},
		{"a wrong flag", "", []string{"-c", "c.yaml", "--rows", "8"}, statusUsage, "", false},
		{"no flag", "", nil, statusUsage, "", false},
	} {
		dir := workshop(t)
		write(t, dir, "empty.csv", "")
		write(t, dir, "bad.yaml", "version: 1\nx: 1\n")
		if test.table != "" {
			write(t, dir, "train.csv", test.table)
		}
		code, stdout, stderr := dptrain(t, dir, append([]string{"validate", "--json"}, test.args...)...)
		if code != int(test.status) || !strings.Contains(stderr, "dptrain: error: ") {
			t.Errorf("%s: exit status %d, want %d, and an error: %s", test.name, code, test.status, stderr)
		}
		if test.want == "" {
			if stdout != "" {
				t.Errorf("%s: prints %s", test.name, stdout)
			}
			continue
		}
		r := validateResult{validatePlan: &validatePlan{}}
		if err := json.Unmarshal([]byte(stdout), &r); err != nil || strings.Count(stdout, "\n") != 1 || r.Valid || strings.Contains(stdout, `"features":`) != test.plan {
			t.Errorf("%s: prints %s (%v), want an object that is not valid", test.name, stdout, err)
		}
		var got strings.Builder
		or := func(n *int) int {
			if n == nil {
				return 0
			}
			return *n
		}
		for _, e := range r.Errors {
			if e.File != nil {
				got.WriteString(*e.File)
			}
			fmt.Fprintf(&got, ":%d:%d: %s\n", or(e.Line), or(e.Column), e.Message)
			if e.Hint == "" {
				t.Errorf("%s: %q has no hint", test.name, e.Message)
			}
		}
		if !strings.HasPrefix(got.String(), test.want) || len(r.Errors) > strings.Count(test.want, "\n")+1 {
			t.Errorf("%s: errors are\n%swant\n%s", test.name, got.String(), test.want)
		}
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
