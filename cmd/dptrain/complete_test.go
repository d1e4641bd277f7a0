package main

import (
	"strings"
	"testing"
)

// TestCompletions asks what the scripts of all four shells ask: the hidden command that prints the candidates, one a line,
// and the directive in the last.
func TestCompletions(t *testing.T) {
	const (
		none    = ":4\n"  // no files
		partial = ":6\n"  // no files, and no space after
		byExt   = ":8\n"  // files with one of the extensions
		dirs    = ":16\n" // folders
		anyFile = ":0\n"
	)
	for _, test := range []struct {
		args      string
		want      string // lines among those printed
		directive string
	}{
		{"report --format ", "text\nmd\nhtml\njson\n", none},
		{"predict --format ", "csv\ntsv\njsonl\nparquet\n", none},
		{"export --to ", "onnx\n", none},
		{"epsilon --solve ", "noise-multiplier\nsteps\nbatch-size\n", none},
		{"epsilon --accountant ", "pld\nrdp\n", none},
		{"epsilon --adjacency ", "zero_out\nadd_or_remove_one\nreplace_one\n", none},
		{"epsilon --delta ", "", none},
		{"epsilon --plot ", "svg\npng\n", byExt},
		{"eval --plot ", "", dirs},
		{"eval --fail-under ", "accuracy=\n", partial},
		{"eval --fail-under ", "f1.\n", partial},
		{"eval --split ", "test\ntrain\n", none},
		{"eval --label-alias ", "", none},
		{"eval --data ", "", anyFile},
		{"eval -m ", "safetensors\n", byExt},
		{"fit -c ", "yaml\nyml\njson\n", byExt},
		{"fit --set ", "privacy.delta=\n", partial},
		{"fit -o ", "", dirs},
		{"fit ", "", none},
		{"init ", "", anyFile},
		{"report ", "json\n", byExt},
		{"ledger show ", "jsonl\n", byExt},
		{"explain ", "130\tinterrupted\n", none},
		{"help ", "fit\tTrain a private model and write it with its privacy report\n", none},
		{"help ledger ", "show\tPrint the terms of a ledger and what was spent\n", none},
		{"explain 4 ", "", none},
		{"schema ", "config\nreport\n", none},
	} {
		code, stdout, stderr := dptrain(t, t.TempDir(), append([]string{"__complete"}, strings.Split(test.args, " ")...)...)
		if code != 0 || !strings.Contains("\n"+stdout, "\n"+test.want) || !strings.HasSuffix("\n"+stdout, "\n"+test.directive) {
			t.Errorf("%s: exit status %d, want %q and %q in:\n%s%s", test.args, code, test.want, test.directive, stdout, stderr)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if code, stdout, _ := dptrain(t, t.TempDir(), "completion", shell); code != 0 || !strings.Contains(stdout, "__complete") {
			t.Errorf("completion %s: exit status %d, %d bytes", shell, code, len(stdout))
		}
	}
}
