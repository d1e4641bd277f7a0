package main

import (
	"strings"
	"testing"
)

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
