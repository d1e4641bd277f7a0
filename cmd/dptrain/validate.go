package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

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
shown, by their place alone. It trains nothing, writes nothing and costs no
privacy. A table that the config names but that is not there is left out; one
given by --data must be there.

Warnings are what a careful reader should know, each with a code that dptrain
explain explains. They change no exit status.

With --json there is one object for a config or a table that is not valid, too:
"valid" is false, and "errors" lists file, line, column, message and hint of
what standard error shows; what could not be planned is left out.

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
	Valid  bool    `json:"valid"`
	Config string  `json:"config"`
	Table  *string `json:"table"` // null where none was checked
	Rows   *int    `json:"rows"`  // of the table; null where none was checked, where it is not valid, and where their number is private
	*validatePlan
	Warnings []placedWarning `json:"warnings"`
	Errors   []placedError   `json:"errors"` // none where all is valid
}

// validatePlan is the run that a config stands for; the fields are absent where it stands for none.
type validatePlan struct {
	Features        int     `json:"features"`
	Inputs          int     `json:"inputs"` // columns of the encoded table
	Classes         int     `json:"classes"`
	Parameters      int     `json:"parameters"`
	Epsilon         float64 `json:"epsilon"`
	Delta           float64 `json:"delta"`
	NoiseMultiplier float64 `json:"noise_multiplier"`
	Steps           int     `json:"steps"`
}

// placedError is an error with its place.
type placedError struct {
	File    *string `json:"file"`   // or the flag or variable that set the key; null where the error has no place
	Line    *int    `json:"line"`   // from 1; null where the whole file is meant
	Column  *int    `json:"column"` // from 1, of a config in characters, of a table in bytes; null where the whole line is meant
	Message string  `json:"message"`
	Hint    string  `json:"hint"`
}

// placedWarning is a warning with its place in the config.
type placedWarning struct {
	Code  string `json:"code"`
	Key   string `json:"key"`
	Place string `json:"place"` // file:line:column, or the flag that set the key
	Text  string `json:"text"`
}

func runValidate(ctx context.Context, s *streams, o *validateOptions) error {
	result := &validateResult{Config: o.config.File, Warnings: []placedWarning{}, Errors: []placedError{}}
	cfg, plan, err := o.check(ctx, s, result)
	result.Valid = err == nil
	switch {
	case o.json && err == nil:
		return json.NewEncoder(s.out).Encode(result)
	case err == nil:
		return printValidate(s, cfg, plan, result)
	}
	// A verdict is a result, too. Whatever else ended the command is none.
	if code := exitStatus(err); o.json && (code == statusConfig || code == statusData || code == statusPrivacy) {
		result.Errors = placeErrors(err, result.Table)
		if failed := json.NewEncoder(s.out).Encode(result); failed != nil {
			return failed
		}
	}
	return err
}

// check checks config and table, and fills in the result as far as it comes.
func (o *validateOptions) check(ctx context.Context, s *streams, result *validateResult) (*config, *train.Plan, error) {
	cfg, err := loadConfig(o.config, os.Getenv)
	if err != nil {
		return nil, nil, err
	}
	plan, err := makePlan(cfg)
	if err != nil {
		return nil, nil, err
	}
	result.validatePlan, result.Warnings = newValidatePlan(cfg, plan), placeWarnings(cfg, plan.Warnings)
	if !o.quiet {
		s.warnOfPlan(cfg, plan.Warnings)
	}
	if cfg.hasTable() {
		name := cfg.table()
		result.Table = &name
		table, err := loadDeclared(ctx, s, cfg, plan, loadFlags{check: true, quiet: o.quiet})
		if err != nil {
			return nil, nil, err
		}
		if plan.Privacy.Adjacency != accounting.AddOrRemoveOne {
			rows := table.Places()
			result.Rows = &rows
		}
	}
	return cfg, plan, nil
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

func newValidatePlan(cfg *config, p *train.Plan) *validatePlan {
	return &validatePlan{
		Features: len(cfg.Spec.Features), Inputs: p.Schema.DenseWidth() + p.Schema.SparseWidth(),
		Classes: len(p.Schema.Classes()), Parameters: p.Net.Params(),
		Epsilon: accounting.RoundUp(p.Claim.Upper, 6), Delta: p.Privacy.Delta,
		NoiseMultiplier: p.Privacy.NoiseMultiplier, Steps: p.Train.Steps,
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

// placeErrors lists what is wrong, each with its place and its hint; table is the one that was checked, or nil.
func placeErrors(err error, table *string) (placed []placedError) {
	var faults data.Faults
	if errors.As(err, &faults) {
		for _, fault := range faults {
			placed = append(placed, placeError(fault, table))
		}
		return placed
	}
	return []placedError{placeError(err, table)}
}

func placeError(err error, table *string) placedError {
	known := func(n int) *int {
		if n == 0 {
			return nil
		}
		return &n
	}
	placed := placedError{Message: oneLine(inWords(err)), Hint: oneLine(hintOf(err, exitStatus(err)))}
	var ofConfig *configError
	var ofTable *data.Error
	switch {
	case errors.As(err, &ofConfig):
		placed.File, placed.Line, placed.Column, placed.Message = &ofConfig.File, known(ofConfig.Line), known(ofConfig.Column), oneLine(ofConfig.msg)
	case errors.As(err, &ofTable):
		placed.File, placed.Line, placed.Column, placed.Message = &ofTable.File, known(ofTable.Line), known(ofTable.Column), oneLine(ofTable.Message())
	case table != nil && strings.HasPrefix(placed.Message, *table+": "):
		placed.File, placed.Message = table, strings.TrimPrefix(placed.Message, *table+": ")
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
