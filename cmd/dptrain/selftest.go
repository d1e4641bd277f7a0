package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/train"
)

// selftestOptions are the flags of selftest.
type selftestOptions struct {
	config configFlags
	json   bool
}

func (o *selftestOptions) addFlags(f *pflag.FlagSet) {
	o.config.addFlags(f)
	f.BoolVar(&o.json, "json", false, "print the result as one JSON object")
}

func newSelftestCommand(s *streams) *cobra.Command {
	var o selftestOptions
	c := &cobra.Command{
		Use:   "selftest [-c CONFIG]",
		Short: "Replay fits on neighbouring tables and compare what they do",
		Long: `selftest runs the real fit on pairs of neighbouring tables, both on one tape of
randomness, and compares the two runs: the same coins, the same noise, the same
model, report and progress, and exact sums that differ by no more than one row
may change, C(1+η). Where noise is drawn, the second run is given what the first
one was given; whatever then still differs has leaked around the noise.

The tables are invented, many of their rows hostile: absent values, numbers at
the ends of their range, rows that overflow, undeclared categories, empty texts,
rows twice. No table is read. Without --config, models of every shape are tried
under each adjacency, sampled and full batch; with it, the config's own.

All randomness comes from stated seeds: a build passes always or never.

Exit status is 0 when nothing was found, 2 for a wrong flag, 3 for an invalid
config, and 8 when a run did what the guarantee rules out.`,
		Example: `  dptrain selftest
  dptrain selftest -c configs/adult.yaml
  dptrain selftest -c configs/quickstart.yaml --set model.hidden=[32] --json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return runSelftest(c.Context(), s, &o) },
	}
	o.addFlags(c.Flags())
	return c
}

// selftestResult is what selftest prints with --json.
type selftestResult struct {
	Passed bool                    `json:"passed"`
	Checks []*train.SelftestResult `json:"checks"`
}

func runSelftest(ctx context.Context, s *streams, o *selftestOptions) error {
	cases, err := o.cases()
	if err != nil {
		return err
	}
	result := selftestResult{Passed: true}
	for _, c := range cases {
		check, err := train.Selftest(ctx, c)
		if err != nil {
			return interrupted(ctx, err)
		}
		result.Checks = append(result.Checks, check)
		result.Passed = result.Passed && len(check.Faults) == 0
	}
	if o.json {
		err = json.NewEncoder(s.out).Encode(result)
	} else {
		err = printSelftest(s, &result)
	}
	if err == nil && !result.Passed {
		err = &failure{statusAudit, errors.New("a run did what the guarantee rules out"),
			"do not trust this build with records; report what it printed"}
	}
	return err
}

// cases are those of the config, or all.
func (o *selftestOptions) cases() ([]train.SelftestCase, error) {
	if o.config.File == "" {
		if len(o.config.Set) > 0 {
			return nil, usage("dptrain selftest -c CONFIG --set KEY=VALUE", "--set needs --config")
		}
		return train.SelftestCases(), nil
	}
	cfg, err := loadConfig(o.config, os.Getenv)
	if err != nil {
		return nil, err
	}
	if _, err := makePlan(cfg); err != nil { // with its place in the config
		return nil, err
	}
	return []train.SelftestCase{{Name: cfg.Path, Options: cfg.Options, Spec: cfg.Spec}}, nil
}

// printSelftest prints the result for people.
func printSelftest(s *streams, r *selftestResult) error {
	w := newPage(s.out)
	fmt.Fprintln(w, "run\tpairs\tmoved\tvariance\tresult")
	for _, c := range r.Checks {
		result := "same"
		if len(c.Faults) > 0 {
			result = "FAULT"
		}
		fmt.Fprintf(w, "%s\t%d\t%.2f %%\t%.3f\t%s\n", c.Name, c.Pairs, 100*c.Moved, c.Noise, result)
		for _, fault := range c.Faults {
			fmt.Fprintf(w, "  %s\n", fault)
		}
	}
	fmt.Fprint(w, "\nmoved: how far one row moved a sum, in % of what it may\nvariance: of the noise, over what is claimed\n")
	return w.Flush()
}
