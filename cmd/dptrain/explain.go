package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"dptrain/internal/train"
)

func newExplainCommand(s *streams) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Explain a warning's code or an exit status",
		Long: `explain says what a warning (DP103) or an exit status (4) means, why it matters
and what to do, with an example. Without a code it lists all.

Exit status is 0 when done, and 2 for a code that there is not.`,
		Example: `  dptrain explain DP103
  dptrain explain 4
  dptrain explain`,
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && asJSON:
				return json.NewEncoder(s.out).Encode(explanations())
			case len(args) == 0:
				return listExplanations(s)
			case len(args) > 1:
				return usage("dptrain explain lists all codes", "explain takes one code")
			}
			for _, e := range explanations() {
				if !strings.EqualFold(e.Code, args[0]) {
					continue
				}
				if asJSON {
					return json.NewEncoder(s.out).Encode(e)
				}
				return e.print(s)
			}
			return usage("dptrain explain lists all codes", "there is no code %q", args[0])
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object, or a list of all")
	return c
}

// An explanation is what explain prints about a code.
type explanation struct {
	Code    string `json:"code"` // of a warning, or an exit status
	Title   string `json:"title"`
	Why     string `json:"why"`
	Do      string `json:"do"`
	Example string `json:"example"`
}

// explanations lists those of the warnings, then those of the exit statuses.
func explanations() []explanation {
	var all []explanation
	for _, a := range train.Advices() {
		all = append(all, explanation{Code: a.Code, Title: a.Title, Why: a.Why, Do: a.Do, Example: a.Example})
	}
	return append(all, statusExplanations()...)
}

// statusExplanations explains every exit status.
func statusExplanations() []explanation {
	of := func(code status, title, why, do, example string) explanation {
		return explanation{strconv.Itoa(int(code)), title, why, do, example}
	}
	return []explanation{
		of(statusDone, "done", "The command did what it was asked, and whatever it writes is written whole.",
			"Nothing. Warnings on standard error do not change the status.", "dptrain validate -c config.yaml && dptrain fit -c config.yaml"),
		of(statusFault, "a fault of the program", "Something happened that dptrain has no better word for. Nothing is half written.",
			"Run it again; if it happens again, report the command, dptrain version and the error line. Leave the table out.", "dptrain version --json"),
		of(statusUsage, "a wrong flag or argument", "The command line does not say what to do; nothing was read.",
			"The hint names what is wanted; --help of the command lists its flags with examples.", "dptrain fit            # --config is missing\ndptrain fit -c config.yaml"),
		of(statusConfig, "the config is invalid, or a learning rate made the model diverge",
			"Every key, type and range is checked before a record is read. The error has file, line and column, with a caret below the place.",
			"Mend the line. dptrain validate -c CONFIG checks again, and dptrain schema config gives editors the same rules.",
			"config.yaml:14:3: unknown key \"dleta\" in privacy\n  14 |   dleta: 1e-5\n     |   ^"),
		of(statusData, "the table is missing or not as declared",
			"A row that cannot be read as declared ends the run: guessing would learn from records what the config must declare. The error has file, "+
				"line and column, and never the cell.",
			"Mend the row, or declare what it holds: data.missing for absent values, aliases for spellings, data.rows for the number of rows.",
			"train.csv:812:1: column \"age\" is not a number        # data: {missing: [\"\", \"n/a\"]}"),
		of(statusPrivacy, "refused in the name of privacy",
			"The run would promise less than was asked (--max-epsilon, --require-private), no noise reaches the target, or the budget in "+
				"privacy.ledger does not hold the run, or was opened on other terms.",
			"Lower target_epsilon or raise the limit, on purpose; leave out --seed and --no-privacy; for an unreachable target take fewer steps or a larger δ.",
			"dptrain fit -c config.yaml --max-epsilon 1       # config.yaml asks for 3"),
		of(statusQuality, "a quality gate failed", "A metric of eval is worse than a --fail-under.",
			"More rows, a larger ε or better features raise quality; the figures are printed before the gate is held against them.",
			"dptrain eval -m model.safetensors --data test.csv --fail-under accuracy=0.85"),
		of(statusIntegrity, "a file is not what it should be", "A model cannot be used: it was cut, changed, or written by another program. Or fit --resume "+
			"found a run by another config, or its log or checkpoint are not as they were written. Or a ledger was changed, or does not add up. Or verify found that "+
			"model, report, config and ledger do not agree.",
			"Copy it again from where fit wrote it, or train anew; for --resume, restore the config, or give the run up with --fresh.", "dptrain eval -m report.json --data test.csv      # not a model"),
		of(statusAudit, "a test contradicts the claim", "A selftest saw a run do what the guarantee rules out, or an audit's attack succeeded more often than the claim "+
			"permits, which chance explains once in a million times: this build does not keep its promise.",
			"Train on no records with it. Report dptrain version and what was printed; no table was read, so nothing of one is in it.", "dptrain selftest"),
		of(statusResources, "a resource is missing", "A file cannot be written or is there already, the disk is full, permission is denied, or another "+
			"fit is at work in the folder. Nothing is overwritten without --fresh, and nothing is half written.",
			"Make room and go on with --resume, name another folder with -o, or overwrite with --fresh.", "dptrain fit -c config.yaml -o runs/second"),
		of(statusSignal+status(syscall.SIGINT), "interrupted", "Ctrl-C, or SIGINT, ended the command.", "Run it again; fit goes on with --resume.", "timeout -s INT 60 dptrain fit -c config.yaml"),
		of(statusSignal+status(syscall.SIGTERM), "terminated", "SIGTERM ended the command, as schedulers send it.", "Run it again; fit goes on with --resume.", "timeout 60 dptrain fit -c config.yaml"),
	}
}

// print prints an explanation for people.
func (e *explanation) print(s *streams) error {
	const width = 80
	_, err := fmt.Fprintf(s.out, "%s: %s\n\n%s\n\nWhat to do: %s\n\nExample:\n  %s\n",
		e.Code, e.Title, wrap(e.Why, width), wrap(e.Do, width-12), strings.ReplaceAll(e.Example, "\n", "\n  "))
	return err
}

// listExplanations prints a line for each code.
func listExplanations(s *streams) error {
	for _, e := range explanations() {
		if _, err := fmt.Fprintf(s.out, "%-6s %s\n", e.Code, e.Title); err != nil {
			return err
		}
	}
	return nil
}

// wrap breaks text into lines of at most width characters, where words allow it.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+utf8.RuneCountInString(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += utf8.RuneCountInString(word)
	}
	return b.String()
}
