package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMisdirectedCalls calls commands with folders for files, with files and flags that there are not, and with values of
// the wrong type: none is a fault of the program, and each says what would be right.
func TestMisdirectedCalls(t *testing.T) {
	dir := workshop(t)
	fit(t, dir)
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	const m, r = "runs/c/model.safetensors", "runs/c/report.json"
	for _, test := range []struct {
		args string
		want status
		says string
	}{
		{"eval -m runs/c --data train.csv", statusResources, "error: runs/c: is a directory\ndptrain: hint: did you mean runs/c/model.safetensors?\n"},
		{"predict -m folder --data train.csv", statusResources, "error: folder: is a directory\ndptrain: hint: fit prints the paths of the files it writes\n"},
		{"export -m runs/c --to onnx", statusResources, "did you mean runs/c/model.safetensors?"},
		{"report runs/c", statusResources, "did you mean runs/c/report.json?"},
		{"verify -m runs/c -r " + r, statusResources, "did you mean runs/c/model.safetensors?"},
		{"verify -m " + m + " -r runs/c", statusResources, "did you mean runs/c/report.json?"},
		{"verify -m " + m, statusUsage, "--report is missing"},
		{"verify -r " + r, statusUsage, "--model is missing"},
		{"eval -m no.safetensors --data train.csv", statusResources, "error: no.safetensors: no such file or directory\ndptrain: hint: fit prints"},
		{"report no.json", statusResources, "error: no.json: no such file or directory\ndptrain: hint: fit prints"},
		{"ledger show folder", statusResources, "error: folder: is a directory"},
		{"init folder", statusData, "error: folder: is a directory\ndptrain: hint: name one of the files in it"},
		{"fit -c c.yaml -o train.csv", statusResources, "error: train.csv: not a directory"},
		{"report " + r + " --format pdf", statusUsage, "want text, md, html or json"},
		{"export -m " + m + " --to pt", statusUsage, "want onnx"},
		{"eval -m " + m + " --data train.csv --format xls", statusUsage, "want csv, tsv, jsonl or parquet"},
		{"init train.csv --format xls", statusUsage, "want csv, tsv, jsonl or parquet"},
		{"fit -c c.yaml --seed abc", statusUsage, `--seed is "abc", want an integer from 0 on`},
		{"fit -c c.yaml --workers x", statusUsage, `--workers is "x", want an integer` + "\n"},
		{"fit -c c.yaml --max-epsilon x", statusUsage, `--max-epsilon is "x", want a number`},
		{"fit -c c.yaml --json=maybe", statusUsage, `--json is "maybe", want true or false`},
		{"fit", statusUsage, "--config is missing"},
		{"plan", statusUsage, "--config is missing"},
		{"validate", statusUsage, "--config is missing"},
		{"-c c.yaml", statusUsage, "flags come after a command"},
		{"help no", statusUsage, `unknown command "no"`},
		{"help ledger no", statusUsage, `unknown command "ledger no"`},
		{"completion no", statusUsage, `unknown command "completion no"`},
		{"eval -m " + m + " --data empty.csv", statusData, "empty.csv: is empty\ndptrain: hint: a table has a row at least"},
	} {
		write(t, dir, "empty.csv", "")
		code, out, stderr := dptrain(t, dir, strings.Fields(test.args)...)
		if status(code) != test.want || out != "" || !strings.Contains(stderr, test.says) {
			t.Errorf("%s ends with %d, want %d, and prints\n%s%s\nwant %s", test.args, code, test.want, out, stderr, test.says)
		}
	}
	for args, want := range map[string]string{"--version": "dptrain ", "help ledger show": "Usage:\n  dptrain ledger show FILE", "help": "From a table to a decision"} {
		if code, out, stderr := dptrain(t, dir, strings.Fields(args)...); code != 0 || !strings.Contains(out, want) || stderr != "" {
			t.Errorf("%s ends with %d and prints\n%s%s", args, code, out, stderr)
		}
	}
}

// TestResultsMakeTheirFolders writes results into folders that are not there.
func TestResultsMakeTheirFolders(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir)
	for file, args := range map[string][]string{
		"a/b/labels.csv": {"predict", "-m", *r.Model, "--data", "train.csv", "-o"},
		"c/d/m.onnx":     {"export", "-m", *r.Model, "--to", "onnx", "-o"},
		"e/f/c.yaml":     {"init", "train.csv", "-o"},
		"g/h/eval.xml":   {"eval", "-m", *r.Model, "--data", "train.csv", "--junit"},
	} {
		code, _, stderr := dptrain(t, dir, append(args, file)...)
		if _, err := os.Stat(file); code != 0 || err != nil {
			t.Errorf("%q into %s ends with %d, %v: %s", args, file, code, err, stderr)
		}
	}
}

// TestATableGivenForAConfigIsNotPrinted gives every command that takes a config a table instead: errors quote configs, but
// never a table.
func TestATableGivenForAConfigIsNotPrinted(t *testing.T) {
	dir := t.TempDir()
	tables := map[string]string{
		"t.csv":   "name,y\nzebra: 1\nzebra\n",
		"t.jsonl": `{"name": "zebra", "data": 1}` + "\n" + `{"name": "zebra"}` + "\n",
		"t.data":  "zebra, no\n\tzebra: [\n",
		"t.json":  `{"zebra": "zebra"}`,
		"t":       "zebra: 1\nzebra: 2\n",
		"t.tsv":   "version: 1\nzebra\n",
		"t.txt":   "PAR1\x15\x04zebra",
	}
	for name, text := range tables {
		write(t, dir, name, text)
		for _, command := range []string{"fit", "validate", "plan", "epsilon", "selftest", "audit", "tradeoff --eval x --epsilon 1"} {
			args := append(strings.Fields(command), "-c", name)
			code, out, stderr := dptrain(t, dir, args...)
			if status(code) != statusConfig || strings.Contains(out+stderr, "zebra") || !strings.Contains(stderr, "dptrain init TABLE") {
				t.Errorf("%q ends with %d and prints\n%s%s", args, code, out, stderr)
			}
		}
	}
}

// TestTypicalMistakes makes the mistakes of a first hour, and holds what is said of them: where, what is, what is wanted, and
// what to do.
func TestTypicalMistakes(t *testing.T) {
	for _, test := range []struct {
		name, config, table string // what is replaced in the config and in the table, as old => new
		args                []string
		want                status
		says                []string
	}{
		{"the config without -c", "", "", []string{"fit", "c.yaml"}, statusUsage,
			[]string{`dptrain fit takes no argument "c.yaml"`, "did you mean dptrain fit -c c.yaml?"}},
		{"a command of other programs", "", "", []string{"train", "-c", "c.yaml"}, statusUsage,
			[]string{`unknown command "train"`, "did you mean fit?"}},
		{"a misspelt key", "target_epsilon: => target_epsilom:", "", []string{"fit", "-c", "c.yaml"}, statusConfig,
			[]string{`c.yaml:11:3: unknown key "target_epsilom" in privacy`, "did you mean target_epsilon?"}},
		{"unit left out", "  unit: row\n => ", "", []string{"fit", "-c", "c.yaml"}, statusConfig,
			[]string{"c.yaml:9:1: privacy.unit is missing", "row protects each row, not a person who has several"}},
		{"a class that is not declared", "", "90,,yes => 90,,maybe", []string{"fit", "-c", "c.yaml"}, statusData,
			[]string{`train.csv:9:5: column "y" is not one of the declared classes`, "add the class to data.label.classes, or map it onto one under data.label.aliases"}},
		{"another number of rows", "rows: 8 => rows: 9", "", []string{"fit", "-c", "c.yaml"}, statusData,
			[]string{"train.csv: has fewer rows than the declared 9", "declare the table's number of rows as data.rows; it becomes public"}},
		{"a budget below the run's", "", "", []string{"fit", "-c", "c.yaml", "--max-epsilon", "1"}, statusPrivacy,
			[]string{"the run would cost epsilon 3, above --max-epsilon 1", "lower privacy.target_epsilon"}},
	} {
		dir := workshop(t)
		for file, change := range map[string]string{"c.yaml": test.config, "train.csv": test.table} {
			text := map[string]string{"c.yaml": goodConfig, "train.csv": goodTable}[file]
			from, to, _ := strings.Cut(change, " => ")
			if !strings.Contains(text, from) {
				t.Fatalf("%s: %s has no %q", test.name, file, from)
			}
			write(t, dir, file, strings.Replace(text, from, to, 1))
		}
		code, out, stderr := dptrain(t, dir, test.args...)
		for _, says := range test.says {
			if !strings.Contains(stderr, says) {
				t.Errorf("%s: standard error is\n%s\nwant it to say %q", test.name, stderr, says)
			}
		}
		if status(code) != test.want || out != "" {
			t.Errorf("%s: exit status %d and output %q, want %d and none", test.name, code, out, test.want)
		}
	}
}
