package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

func TestPageFitsItsTerminal(t *testing.T) {
	const (
		fields   = "privacy\tε = 1 for one row\nmodel\t7 parameters, 6 inputs\n\talso wide\n"
		table    = "with\tε\tsteps\tnoise\nthis\t1\t20\t0.5\ntwice ε\t2\t20\t\n"
		sentence = "the quick brown fox jumps over the lazy dog\n"
	)
	for _, test := range []struct {
		name  string
		width int
		text  string
		want  string
	}{
		{"no terminal", 0, fields + "\n" + table + "\n" + sentence,
			"privacy  ε = 1 for one row\nmodel    7 parameters, 6 inputs\n         also wide\n\n" +
				"with     ε  steps  noise\nthis     1  20     0.5\ntwice ε  2  20\n\n" + sentence},
		{"wide enough", 24, table, "with     ε  steps  noise\nthis     1  20     0.5\ntwice ε  2  20\n"},
		{"a table goes on below", 23, table, "with     ε  steps\nthis     1  20\ntwice ε  2  20\n\nwith     noise\nthis     0.5\ntwice ε\n"},
		{"a first column of half the width", 15, "with ten\tε\tsteps\n1\t2\t3\n", "with ten  ε  steps\n1         2  3\n"},
		{"one column at a time", 6, "a\tbbb\tccc\n1\t2\t3\n", "a  bbb\n1  2\n\na  ccc\n1  3\n"},
		{"fields are broken", 33, "model\t7 parameters, 6 inputs, 2 classes\n", "model  7 parameters, 6 inputs, 2\n       classes\n"},
		{"little is left beside a field", 30, "model of all there is\t7 parameters, 6 inputs, 2 classes\n", "model of all there is\n  7 parameters, 6 inputs, 2\n  classes\n"},
		{"a sentence", 20, sentence, "the quick brown fox\njumps over the lazy\ndog\n"},
		{"an indented sentence", 20, "  " + sentence, "  the quick brown\n  fox jumps over the\n  lazy dog\n"},
		{"a sentence over a table", 24, "  off\n" + table, "  off\nwith     ε  steps  noise\nthis     1  20     0.5\ntwice ε  2  20\n"},
		{"a long word", 5, "a sentence\n", "a\nsentence\n"},
		{"a command", 20, "next\tdptrain plan -c config.yaml\n\tdptrain fit -c config.yaml\n", "next  dptrain plan -c config.yaml\n      dptrain fit -c config.yaml\n"},
		{"wide letters", 0, "客户\tx\nrow\ty\n", "客户  x\nrow   y\n"},
		{"nothing", 40, "", ""},
		{"no line end", 0, "a\tb", "a  b\n"},
	} {
		var out strings.Builder
		p := &page{out: &out, width: test.width}
		fmt.Fprint(p, test.text)
		if err := p.Flush(); err != nil || out.String() != test.want {
			t.Errorf("%s: at a width of %d the page is\n%s\nwant\n%s\n(%v)", test.name, test.width, out.String(), test.want, err)
		}
	}
}

// TestCommandsCanBePasted prints each word as part of a command and lets a shell read it.
func TestCommandsCanBePasted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("words are quoted for a Unix shell")
	}
	for _, word := range []string{"runs/a/model.safetensors", "my models/m.safetensors", "it's", `a"b`, "$HOME", "`id`", "a;b", "a&b", "*", "~", "#x",
		"", " ", "a\\b", "(x)", "é", "客户.csv", "data.missing=[\"\", \"?\"]", "!x", "a|b", "<a>", "a\nb", "a\x1b[31m'b\"", "a\u202eb"} {
		shell := "sh"
		if strings.ContainsAny(word, "\n\x1b\u202e") {
			shell = "bash" // whose escapes they are
		}
		if _, err := exec.LookPath(shell); err != nil && shell == "bash" {
			continue // the others have what matters
		}
		c := exec.Command(shell, "-c", `dptrain() { printf %s "$1"; }; `+shellCommand(word))
		c.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		got, err := c.Output()
		if err != nil || string(got) != word {
			t.Errorf("a shell reads %s as %q (%v), want %q", shellWord(word), got, err, word)
		}
		if strings.ContainsAny(shellWord(word), "\n\x1b\u202e") {
			t.Errorf("%q holds what cannot be seen", shellWord(word))
		}
	}
	if got := shellPath("-x"); got == "-x" {
		t.Error("a path that begins with - would be read as a flag")
	}
}

// TestNextCommandsHoldTheirWords goes from step to step by what each prints as next, in a folder and with values that a
// shell would read something else in.
func TestNextCommandsHoldTheirWords(t *testing.T) {
	dir := workshop(t)
	const name = "it's mine & yours.yaml"
	write(t, dir, name, goodConfig)
	set := []string{"--set", `data.missing=["", "?"]`}
	const quoted = `'it'\''s mine & yours.yaml' --set 'data.missing=["", "?"]'`
	for _, test := range []struct {
		args []string
		next string
	}{
		{append([]string{"validate", "-c", name}, set...), "next     dptrain plan -c " + quoted},
		{append([]string{"plan", "-c", name}, set...), "next  dptrain fit -c " + quoted},
		{[]string{"fit", "-c", name, "-o", "my runs"}, "dptrain report 'my runs/report.json' --format html >report.html"},
		{[]string{"fit", "-c", name, "-o", "my runs", "--fresh"}, "dptrain eval -m 'my runs/model.safetensors' --data TEST"},
		{[]string{"eval", "-m", "my runs/model.safetensors", "--data", "train.csv"}, "dptrain export -m 'my runs/model.safetensors' --to onnx"},
		{[]string{"export", "-m", "my runs/model.safetensors", "--to", "onnx"}, "dptrain predict -m 'my runs/model.safetensors' --data TABLE"},
		{[]string{"init", "train.csv", "-o", "my config.yaml"}, "dptrain validate -c 'my config.yaml'"},
	} {
		code, out, stderr := dptrain(t, dir, test.args...)
		if code != 0 || !strings.Contains(out, test.next+"\n") {
			t.Errorf("%q ends with %d and prints\n%s%s\nwant it to print %s", test.args, code, out, stderr, test.next)
		}
	}
	if _, _, stderr := dptrain(t, dir, "fit", name); !strings.Contains(stderr, `did you mean dptrain fit -c 'it'\''s mine & yours.yaml'?`) {
		t.Errorf("fit of a config without -c says\n%s", stderr)
	}
}

// TestOneIsNoPlural trains one step on one feature.
func TestOneIsNoPlural(t *testing.T) {
	dir := workshop(t)
	write(t, dir, "c.yaml", remove(t, goodConfig, "    - {name: age, kind: numeric, min: 0, max: 100}\n"))
	args := []string{"-c", "c.yaml", "--set", "train.steps=1", "--set", "data.row_norm=1", "--set", "privacy.max_rows_per_person=1"}
	for command, wants := range map[string][]string{
		"validate": {"8 rows", "1 feature as 4 inputs", "2 classes", "1 step\n"},
		"plan":     {"1 step at q", "a person with up to 1 row\n"},
		"fit":      {"1 step at q", "a person with up to 1 row\n"},
	} {
		_, out, _ := dptrain(t, dir, append([]string{command}, args...)...)
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("%s prints\n%s\nwant %q", command, out, want)
			}
		}
	}
}
