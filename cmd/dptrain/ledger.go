package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train/disk"
	"dptrain/internal/train/ledger"
	"dptrain/internal/train/sheet"
)

func newLedgerCommand(s *streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "ledger show|check FILE",
		Short: "Show or check the budget that all fits on a data set share",
		Long: `A ledger is the file named by privacy.ledger in a config. Every fit on the data
set is entered in it before it draws noise, and a fit that would take the total
above privacy.max_total_epsilon is refused. The total holds even where each fit
was chosen after the models of those before it were seen.

show prints what was spent. check reads the whole file, follows the chain of its
lines, prices every entry again, and holds the totals against the budget.

Exit status is 0 when done, 2 for a wrong argument, 7 for a ledger that was
changed, cut, or does not add up, and 9 when it cannot be read.`,
		Example: `  dptrain ledger show privacy-ledger.jsonl
  dptrain ledger check privacy-ledger.jsonl --json`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("dptrain ledger show FILE, or dptrain ledger check FILE", "unknown command %q", "ledger "+args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		newLedgerPartCommand(s, "show", "Print the terms of a ledger and what was spent",
			"ledger show prints the terms of a ledger, what was spent, and each run with its\nε alone and the ε of all up to it. It checks the ledger as ledger check does", printLedger),
		newLedgerPartCommand(s, "check", "Check the chain and the arithmetic of a ledger",
			"ledger check reads the whole file, follows the chain of its lines, prices every\nentry again, and holds the totals against the budget", printLedgerCheck),
	)
	return c
}

// newLedgerPartCommand is one of the two commands, which differ in what they print of a ledger that holds.
func newLedgerPartCommand(s *streams, name, short, long string, print func(*streams, string, *ledger.Ledger) error) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     name + " FILE",
		Short:   short,
		Long:    long + ".\n\nExit status is 0 when done, 2 for a wrong argument, 7 for a ledger that was\nchanged, cut, or does not add up, and 9 when it cannot be read.",
		Example: "  dptrain ledger " + name + " privacy-ledger.jsonl",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("dptrain ledger "+name+" privacy-ledger.jsonl", "%s takes one ledger, not %d", c.CommandPath(), len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := readLedger(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(s.out).Encode(newLedgerResult(args[0], l))
			}
			return print(s, args[0], l)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the result as one JSON object")
	return c
}

// readLedger reads a whole ledger; one that ends inside a line is not whole.
func readLedger(path string) (*ledger.Ledger, error) {
	l, err := ledger.Read(disk.OS{}, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &failure{statusResources, fmt.Errorf("%s: no such file", path), "fit writes it, where the config names it as privacy.ledger"}
	}
	if err != nil {
		return nil, err
	}
	if l.Cut {
		return nil, &failure{statusIntegrity, fmt.Errorf("%s:%d: ends inside a line", path, len(l.Lines)+2),
			"where a fit was killed while it was entered, it never began: the next fit takes the part off. Otherwise the file was changed"}
	}
	return l, nil
}

// ledgerResult is what ledger prints with --json.
type ledgerResult struct {
	File            string               `json:"file"`
	Dataset         string               `json:"dataset"`
	Unit            string               `json:"unit"`
	Adjacency       accounting.Adjacency `json:"adjacency"`
	Delta           float64              `json:"delta"`
	MaxTotalEpsilon float64              `json:"max_total_epsilon"`
	TotalEpsilon    float64              `json:"total_epsilon"`
	Filter          accounting.Filter    `json:"filter"`
	Entries         []ledgerEntry        `json:"entries"`
}

// ledgerEntry is one run of a ledger.
type ledgerEntry struct {
	Time         string          `json:"time"`
	Run          string          `json:"run"`
	Config       string          `json:"config"`
	Events       json.RawMessage `json:"events"`
	Epsilon      float64         `json:"epsilon"` // of the run alone, as the ledger counts
	TotalEpsilon float64         `json:"total_epsilon"`
	Hash         string          `json:"hash"`
}

func newLedgerResult(path string, l *ledger.Ledger) *ledgerResult {
	r := &ledgerResult{File: path, Dataset: l.Dataset, Unit: l.Unit, Adjacency: l.Adjacency, Delta: l.Delta,
		MaxTotalEpsilon: l.MaxTotalEpsilon, TotalEpsilon: accounting.RoundUp(l.Spent().Epsilon, 6), Filter: l.Filter, Entries: []ledgerEntry{}}
	for _, line := range l.Lines {
		r.Entries = append(r.Entries, ledgerEntry{line.Time, line.Run, line.Config, line.Events,
			accounting.RoundUp(line.Alone.Epsilon, 6), accounting.RoundUp(line.Total.Epsilon, 6), line.Hash})
	}
	return r
}

// printLedger prints a ledger for people.
func printLedger(s *streams, _ string, l *ledger.Ledger) error {
	counted := "Σμ² of Gaussian noise on all rows (gdp)"
	if l.Filter.Method == accounting.FilterRenyi {
		counted = fmt.Sprintf("Rényi divergence of order %.4g", l.Filter.Order)
	}
	w := newPage(s.out)
	fmt.Fprintf(w, "data set\t%s\n", l.Dataset)
	fmt.Fprintf(w, "promise\tε = %v at δ = %g for one %s (%s), all runs together\n", l.MaxTotalEpsilon, l.Delta, l.Unit, l.Adjacency)
	fmt.Fprintf(w, "spent\tε = %s in %s\n", accounting.FormatUp(l.Spent().Epsilon, 4), sheet.Count(len(l.Lines), "run"))
	fmt.Fprintf(w, "counted in\t%s\n", counted)
	if err := w.Flush(); err != nil {
		return err
	}
	if len(l.Lines) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nentered\trun\tε alone\tε in all\n")
	for _, line := range l.Lines {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", line.Time, line.Run,
			accounting.FormatUp(line.Alone.Epsilon, 4), accounting.FormatUp(line.Total.Epsilon, 4))
	}
	return w.Flush()
}

// printLedgerCheck says that a ledger holds, as one that does not was an error.
func printLedgerCheck(s *streams, path string, l *ledger.Ledger) error {
	_, err := fmt.Fprintf(s.out, "%s: the chain and the arithmetic of %s hold: ε = %s of %v spent\n",
		path, sheet.Count(len(l.Lines), "run"), accounting.FormatUp(l.Spent().Epsilon, 4), l.MaxTotalEpsilon)
	return err
}
