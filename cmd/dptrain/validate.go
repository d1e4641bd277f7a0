package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/data"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
	"dptrain/internal/train/sheet"
)

// validateOptions are the flags of validate.
type validateOptions struct {
	config configFlags
	quiet  bool
	json   bool
}

func (o *validateOptions) addFlags(f *pflag.FlagSet) {
	o.config.addFlags(f)
	f.StringVar(&o.config.Data, "data", "", "check the table `FILE` instead of the config's; - is standard input")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no warnings")
	f.BoolVar(&o.json, "json", false, "print the result as one JSON object")
}

func newValidateCommand(s *streams) *cobra.Command {
	var o validateOptions
	c := &cobra.Command{
		Use:   "validate -c CONFIG [--data TABLE]",
		Short: "Check a config and the table it declares; train nothing",
		Long: `validate reads a config as fit does, plans the run, and reads the whole table
where there is one: every row must be as declared; the first 20 that are not are
shown, by their place alone. It trains nothing, writes
nothing and costs no privacy. A table that the config names but that is not
there is left out; one given by --data must be there.

Warnings are what a careful reader should know, each with a code that dptrain
explain explains. They change no exit status.

Exit status is 0 when config and table are valid, 2 for a wrong flag, 3 for an
invalid config, 4 for a table that is missing or not as declared, and 5 for a
target that cannot be reached.`,
		Example: `  dptrain validate -c configs/quickstart.yaml
  dptrain validate -c configs/adult.yaml --data adult/train.csv --json
  dptrain validate -c configs/adult.yaml --set privacy.target_epsilon=20`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return runValidate(c.Context(), s, &o) },
	}
	o.addFlags(c.Flags())
	return c
}

// validateResult is what validate prints with --json.
type validateResult struct {
	Config          string          `json:"config"`
	Table           *string         `json:"table"` // null where none was checked
	Rows            *int            `json:"rows"`  // of the table; null where none was checked, and where their number is private
	Features        int             `json:"features"`
	Inputs          int             `json:"inputs"` // columns of the encoded table
	Classes         int             `json:"classes"`
	Parameters      int             `json:"parameters"`
	Epsilon         float64         `json:"epsilon"`
	Delta           float64         `json:"delta"`
	NoiseMultiplier float64         `json:"noise_multiplier"`
	Steps           int             `json:"steps"`
	Warnings        []placedWarning `json:"warnings"`
}

// placedWarning is a warning with its place in the config.
type placedWarning struct {
	Code  string `json:"code"`
	Key   string `json:"key"`
	Place string `json:"place"` // file:line:column, or the flag that set the key
	Text  string `json:"text"`
}

func runValidate(ctx context.Context, s *streams, o *validateOptions) error {
	if o.config.File == "" {
		return usage("dptrain validate -c CONFIG; dptrain init writes one to start from", "--config is missing")
	}
	cfg, err := loadConfig(o.config, os.Getenv)
	if err != nil {
		return err
	}
	plan, err := makePlan(cfg)
	if err != nil {
		return err
	}
	result := newValidateResult(cfg, plan)
	if !o.quiet {
		s.warnOfPlan(cfg, plan.Warnings)
	}
	if cfg.hasTable() {
		table, err := loadDeclared(ctx, s, cfg, plan, loadFlags{check: true, quiet: o.quiet})
		if err != nil {
			return err
		}
		name := cfg.table()
		result.Table = &name
		if plan.Privacy.Adjacency != accounting.AddOrRemoveOne {
			rows := table.Places()
			result.Rows = &rows
		}
	}
	if o.json {
		return json.NewEncoder(s.out).Encode(result)
	}
	return printValidate(s, cfg, plan, result)
}

// hasTable reports whether there is a table to check: the file's need not be there.
func (c *config) hasTable() bool {
	if _, set := c.set["data.train"]; set {
		return true
	}
	return !slices.ContainsFunc(c.DataTrain, func(path string) bool {
		files, err := data.Files([]string{path})
		if err != nil { // none matches
			return true
		}
		_, err = os.Stat(files[0])
		return files[0] != data.Stdin && errors.Is(err, fs.ErrNotExist)
	})
}

func newValidateResult(cfg *config, p *train.Plan) *validateResult {
	return &validateResult{
		Config: cfg.Path, Features: len(cfg.Spec.Features), Inputs: p.Schema.DenseWidth() + p.Schema.SparseWidth(),
		Classes: len(p.Schema.Classes()), Parameters: p.Net.Params(),
		Epsilon: accounting.RoundUp(p.Claim.Upper, 6), Delta: p.Privacy.Delta,
		NoiseMultiplier: p.Privacy.NoiseMultiplier, Steps: p.Train.Steps, Warnings: placeWarnings(cfg, p.Warnings),
	}
}

// placeWarnings finds the warnings' places in the config.
func placeWarnings(cfg *config, warnings []train.Warning) []placedWarning {
	placed := []placedWarning{}
	for _, w := range warnings {
		placed = append(placed, placedWarning{Code: w.Code, Key: w.Key, Place: cfg.place(w.Key), Text: w.Text})
	}
	return placed
}

// printValidate prints the result for people.
func printValidate(s *streams, cfg *config, p *train.Plan, r *validateResult) error {
	w := newPage(s.out)
	fmt.Fprintf(w, "config\t%s is valid\n", r.Config)
	switch {
	case r.Table == nil:
		fmt.Fprintf(w, "table\t%s is not there: it was not checked\n", cfg.table())
	case r.Rows == nil:
		fmt.Fprintf(w, "table\t%s is as declared\n", *r.Table)
	default:
		fmt.Fprintf(w, "table\t%s is as declared: %s\n", *r.Table, sheet.Count(*r.Rows, "row"))
	}
	fmt.Fprintf(w, "model\t%s as %s, %s, %s\n", sheet.Count(r.Features, "feature"), sheet.Count(r.Inputs, "input"), sheet.Count(r.Classes, "class"), sheet.Count(r.Parameters, "parameter"))
	fmt.Fprintf(w, "privacy\tε = %s at δ = %g for one row (%s): σ = %g, %s\n",
		accounting.FormatUp(r.Epsilon, 4), r.Delta, p.Privacy.Adjacency, r.NoiseMultiplier, sheet.Count(r.Steps, "step"))
	fmt.Fprintf(w, "next\t%s\n", cfg.command("plan"))
	return w.Flush()
}
