package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const initTable = "customer_id,age,town,message,p0,p1,p2,p3,y\n" +
	"s3cr3t1,3141,s3cr3t2,s3cr3t3 s3cr3t4 s3cr3t5 s3cr3t6,1,2,3,4,s3cr3t7\n" +
	"s3cr3t8,3142,s3cr3t2,s3cr3t3 s3cr3t4 s3cr3t5 s3cr3t6,1,2,3,4,s3cr3t9\n" +
	"s3cr3t9,3143,s3cr3t2,s3cr3t3 s3cr3t4 s3cr3t5 s3cr3t6,1,2,3,4,s3cr3t9\n"

// TestInitReadsTheHeaderAlone also gives a table whose records cannot even be read.
func TestInitReadsTheHeaderAlone(t *testing.T) {
	dir := t.TempDir()
	header, _, _ := strings.Cut(initTable, "\n")
	var configs []string
	for _, table := range []string{initTable, header + "\n", header, header + "\n\xff\x00\"\n,,,,,,,,,,,,,"} {
		write(t, dir, "t.csv", table)
		code, stdout, stderr := dptrain(t, dir, "init", "t.csv")
		if code != 0 || stderr != "" {
			t.Fatalf("exit status %d: %s", code, stderr)
		}
		configs = append(configs, stdout)
	}
	for _, c := range configs {
		if c != configs[0] {
			t.Errorf("the config depends on records:\n%s\nand\n%s", configs[0], c)
		}
	}
	for _, want := range []string{
		"no record was read", "  # left out, since it looks like an identifier: - {name: customer_id,", "- {name: age, kind: }",
		`columns: {prefix: "p", first: 0, last: 3}`, "  unit:    ", "customer_id suggests",
	} {
		if !strings.Contains(configs[0], want) {
			t.Errorf("the config has no %q:\n%s", want, configs[0])
		}
	}
}

func TestInitPeeksAndSaysSo(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "t.csv", initTable)
	code, stdout, stderr := dptrain(t, dir, "init", "t.csv", "--peek", "--label", "y")
	if code != 0 || !strings.Contains(stderr, "warning: --peek looks at the first 1000 rows") || !strings.Contains(stdout, "Made with --peek") {
		t.Errorf("exit status %d: %s%s", code, stdout, stderr)
	}
	for _, want := range []string{"{name: age, kind: numeric, min: , max: }", "{name: message, kind: text, ", "    name: y\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the config has no %q:\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "s3cr3t") || strings.Contains(stdout, "314") || strings.Contains(stdout, "{name: y,") {
		t.Errorf("the config holds cells, or the label as a feature:\n%s", stdout)
	}
}

// TestInitIsValidOnceFilledIn fills the blanks in one by one, in the order in which validate asks for them.
func TestInitIsValidOnceFilledIn(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "t.csv", "age,home town,y\n20,Ulm,no\n30,Bern,yes\n40,Ulm,no\n")
	if code, _, stderr := dptrain(t, dir, "init", "t.csv", "-o", "c.yaml"); code != 0 {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	for _, blank := range []struct {
		line, filled string // of the config: a pattern and what replaces it
		want, hint   string // what validate says of it before
	}{
		{`rows:  +#`, "rows: 3 #", "c.yaml:10:3: data.rows is empty, want an integer above 0", "data.rows: the number of rows, which becomes public; also blank: lines 14, 22-24, 28\n"},
		{`name:  +#`, "name: y #", "data.label.name is empty, want text", "data.label.name: the name of the column to predict"},
		{`(age, kind:) `, "$1 numeric, min: 0, max: 100", "data.features[0].kind is empty, want numeric, categorical, hashed, text or vector", "data.features[].kind: how the column is encoded"},
		{`(town, kind:) `, "$1 hashed, buckets: 16", "data.features[1].kind is empty", "data.features[].kind: how"},
		{` *- {name: y, kind: }\n`, "", "data.features[2].kind is empty", "data.features[].kind: how"},
		{`unit:  +#`, "unit: row #", "privacy.unit is empty, want row", "privacy.unit: what one promise protects"},
		{`classes: \[\]`, "classes: [no, yes]", "data.label.classes lists fewer than two classes", "classes are declared, never learned from records"},
	} {
		code, _, stderr := dptrain(t, dir, "validate", "-c", "c.yaml")
		if code != int(statusConfig) || !strings.Contains(stderr, blank.want) || !strings.Contains(stderr, "dptrain: hint: "+blank.hint) {
			t.Fatalf("exit status %d, want %s:\n%s", code, blank.want, stderr)
		}
		text, err := os.ReadFile(filepath.Join(dir, "c.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		filled := regexp.MustCompile(blank.line).ReplaceAllString(string(text), blank.filled)
		if filled == string(text) {
			t.Fatalf("no %s in\n%s", blank.line, text)
		}
		write(t, dir, "c.yaml", filled)
	}
	if code, stdout, stderr := dptrain(t, dir, "validate", "-c", "c.yaml"); code != 0 || !strings.Contains(stdout, "3 rows") {
		t.Errorf("exit status %d: %s%s", code, stdout, stderr)
	}
	if code, _, stderr := dptrain(t, dir, "fit", "-c", "c.yaml", "-q"); code != 0 {
		t.Errorf("fit: exit status %d: %s", code, stderr)
	}
}

// TestInitLeavesSpacesOut takes a header as some programs write it.
func TestInitLeavesSpacesOut(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "t.csv", "age, home town, p0, p1, p2, p3, y\n20, Ulm, 1, 2, 3, 4, no\n")
	code, stdout, stderr := dptrain(t, dir, "init", "t.csv", "--label", "y")
	if code != 0 {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	for _, want := range []string{"  skip_initial_space: true ", "- {name: home town, kind: }", `{prefix: "p", first: 0, last: 3}`, "    name: y\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the config has no %q:\n%s", want, stdout)
		}
	}
	write(t, dir, "t.csv", "age, home town,y\n")
	if _, stdout, _ := dptrain(t, dir, "init", "t.csv"); strings.Contains(stdout, "skip_initial_space") || !strings.Contains(stdout, `{name: " home town",`) {
		t.Errorf("a name's own space is gone:\n%s", stdout)
	}
}

func TestInitFiles(t *testing.T) {
	for _, test := range []struct {
		name   string
		args   []string
		status status
		want   string // on standard error
	}{
		{"existing output", []string{"t.csv", "-o", "c.yaml"}, statusResources, "c.yaml is there already"},
		{"fresh output", []string{"t.csv", "-o", "c.yaml", "--fresh"}, statusDone, ""},
		{"no such folder", []string{"t.csv", "-o", "c.yaml/c.yaml"}, statusResources, "c.yaml"},
		{"no table", []string{"no.csv"}, statusData, "no.csv: no such file"},
		{"no header", []string{"rows.csv"}, statusData, "rows.csv:1: field 1 of the first line is a number"},
		{"JSONL", []string{"t.jsonl"}, statusData, "has no header to read"},
		{"JSONL at a peek", []string{"t.jsonl", "--peek"}, statusDone, "--peek looks"},
		{"label", []string{"t.csv", "--label", "z"}, statusUsage, `--label is "z", which is no column of t.csv`},
		{"format", []string{"t.csv", "--format", "xml"}, statusUsage, `--format is "xml"`},
		{"two tables", []string{"t.csv", "t.csv"}, statusUsage, "init takes one table"},
		{"no table at all", nil, statusDone, ""},
	} {
		dir := t.TempDir()
		write(t, dir, "t.csv", initTable)
		write(t, dir, "rows.csv", "39,s3cr3t\n")
		write(t, dir, "t.jsonl", `{"age": 39, "town": "s3cr3t"}`+"\n")
		write(t, dir, "c.yaml", "mine")
		code, stdout, stderr := dptrain(t, dir, append([]string{"init"}, test.args...)...)
		if code != int(test.status) || !strings.Contains(stderr, test.want) || strings.Contains(stdout+stderr, "s3cr3t") {
			t.Errorf("%s: exit status %d, want %d: %s%s", test.name, code, test.status, stdout, stderr)
		}
		text, err := os.ReadFile(filepath.Join(dir, "c.yaml"))
		if err != nil || (string(text) == "mine") == (test.name == "fresh output") {
			t.Errorf("%s: c.yaml holds %.20q, %v", test.name, text, err)
		}
	}
}

func TestInitStatesTheTableRelativeToTheConfig(t *testing.T) {
	dir := t.TempDir()
	for _, folder := range []string{"tables", "configs"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, "tables/t.csv", initTable)
	dptrain(t, dir, "init", "tables/t.csv", "-o", "configs/c.yaml")
	text, err := os.ReadFile(filepath.Join(dir, "configs/c.yaml"))
	if err != nil || !strings.Contains(string(text), "  train: ../tables/t.csv   # relative to this file\n") {
		t.Errorf("%v:\n%s", err, text)
	}
}

// TestTextsOfADraftParseBack gives names that a header may hold.
func TestTextsOfADraftParseBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(
			rapid.StringMatching(`[a-z0-9 _.:#"'\[\]{},&*!|>%@~<=?-]{1,8}`), rapid.SampledFrom([]string{"null", "true", "~", "yes", "1e5", "- a", "a: b", "<<"}),
			rapid.StringMatching(`\PC{1,6}`),
		).Draw(t, "name")
		root, err := parseYAML(&source{name: "x", text: "- {name: " + yamlText(name) + ", kind: }\n"})
		if err != nil || root.items[0].child("name").value.text != name || root.items[0].child("name").value.isNull() {
			t.Fatalf("%q is written as %s, which reads as %v, %v", name, yamlText(name), root, err)
		}
	})
}
