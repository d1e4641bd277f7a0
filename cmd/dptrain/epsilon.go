package main

import (
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/privacy/accounting"
)

// epsilonOptions are the flags of epsilon. given says which were set.
type epsilonOptions struct {
	config          configFlags
	q               float64
	rows, batchSize int
	steps           int
	epochs          float64
	noiseMultiplier float64
	targetEpsilon   float64
	delta           float64
	solve           string
	accountant      string
	adjacency       string
	atEpsilon       float64
	groupSize       int
	events          string
	relativeWidth   float64
	maxEpsilon      float64
	curve           bool
	plot            string
	fresh           bool
	json            bool
	given           func(flag string) bool
}

func (o *epsilonOptions) addFlags(f *pflag.FlagSet) {
	o.config.addFlags(f)
	f.Float64Var(&o.q, "sampling-probability", 0, "chance `Q` of a row to join a step, in (0, 1]; 1 is full batch")
	f.IntVar(&o.rows, "rows", 0, "`N` rows, with --batch-size")
	f.IntVar(&o.batchSize, "batch-size", 0, "expected batch size `B`, with --rows: Q is B ÷ N")
	f.IntVar(&o.steps, "steps", 0, "`T` steps")
	f.Float64Var(&o.epochs, "epochs", 0, "`P` passes over the rows, instead of --steps")
	f.Float64Var(&o.noiseMultiplier, "noise-multiplier", 0, "σ of `S`: standard deviation of the noise ÷ clipping norm")
	f.Float64Var(&o.targetEpsilon, "target-epsilon", 0, "find what meets the ε of `E`, see --solve")
	f.Float64Var(&o.delta, "delta", 0, "δ, the chance that the bound fails: `D` in (0, 1)")
	f.StringVar(&o.solve, "solve", "noise-multiplier", "`WHAT` --target-epsilon finds: noise-multiplier, steps or batch-size")
	f.StringVar(&o.accountant, "accountant", "pld", "`METHOD` that adds up the steps: pld or rdp")
	f.StringVar(&o.adjacency, "adjacency", string(accounting.ZeroOut), "`WHICH` tables are neighbours: zero_out, add_or_remove_one or replace_one")
	f.Float64Var(&o.atEpsilon, "at-epsilon", 0, "also print the δ at the ε of `E`")
	f.IntVar(&o.groupSize, "group-size", 1, "price the rows of one person who has up to `K` of them, at most 128")
	f.StringVar(&o.events, "events", "", "price the events of a report `FILE`, or a list of such, JSON or YAML")
	f.Float64Var(&o.relativeWidth, "relative-width", 0, "width `W` of the certified interval relative to ε, 1e-6 to 0.1; 0.001 unless given")
	f.StringVar(&o.plot, "plot", "", "draw ε over the steps and over σ into `FILE`, ending in .svg or .png")
	f.BoolVar(&o.fresh, "fresh", false, "overwrite an existing plot")
	f.Float64Var(&o.maxEpsilon, "max-epsilon", 0, "exit with status 5 where ε is above `E`")
	f.BoolVar(&o.curve, "curve", false, "also print ε over the steps")
	f.BoolVar(&o.json, "json", false, "print the result as one JSON object")
}

func newEpsilonCommand(s *streams) *cobra.Command {
	var o epsilonOptions
	c := &cobra.Command{
		Use:   "epsilon (-c CONFIG | --events FILE | --sampling-probability Q --steps T --noise-multiplier S --delta D)",
		Short: "Compute the ε of a run, or the noise that a target needs",
		Long: `epsilon prices a run of DP-SGD without touching data: by a config, or by its
numbers. Every ε printed is an upper bound, rounded up. With --target-epsilon it
finds the noise multiplier, the steps or the batch size that meet the target, on
the private side. --group-size prices what a person with several rows is
promised; --events prices what a report lists as accounting.events, for its
adjacency and at its accounting.accounted_delta, or any such list.

Rough guidance: below 1 very strong, 1 to 10 moderate, above 10 weak; 8 is a
common ceiling.

Exit status is 0 when done, 2 for a wrong flag, 3 for an invalid config, and 5
when ε is above --max-epsilon or the target cannot be reached.`,
		Example: `  dptrain epsilon --sampling-probability 0.01 --steps 1000 --noise-multiplier 1 --delta 1e-5
  dptrain epsilon --rows 60000 --batch-size 256 --epochs 15 --target-epsilon 3 --delta 1e-5
  dptrain epsilon --sampling-probability 0.01 --noise-multiplier 1 --target-epsilon 3 --delta 1e-5 --solve steps
  dptrain epsilon -c configs/adult.yaml --max-epsilon 1 --json
  dptrain epsilon --events runs/quickstart/report.json
  dptrain epsilon -c configs/mnist_mlp.yaml --plot mnist_mlp.svg`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			o.given = c.Flags().Changed
			return runEpsilon(s, &o)
		},
	}
	o.addFlags(c.Flags())
	return c
}

func runEpsilon(s *streams, o *epsilonOptions) error {
	price := o.priceFlags
	switch {
	case o.config.File != "" && o.events != "":
		return usage("state one of the two", "--events does not go with --config")
	case o.config.File != "":
		price = o.priceConfig
	case o.events != "":
		price = o.priceEvents
	}
	run, err := price()
	if err != nil {
		return asUsage(err)
	}
	r, err := o.result(run)
	if err != nil {
		return asUsage(err)
	}
	if err := o.drawPlot(run); err != nil {
		return asUsage(err)
	}
	if r.Epsilon == nil && run.delta > 0 {
		s.warn("epsilon is infinite: nothing is promised")
	}
	if o.json {
		err = json.NewEncoder(s.out).Encode(r)
	} else {
		err = printEpsilon(s, r)
	}
	if err != nil || !o.given("max-epsilon") {
		return err
	}
	switch {
	case run.delta == 0:
		return usage("state --delta", "--max-epsilon needs --delta")
	case r.Epsilon == nil:
		return refuse("more noise, fewer steps or smaller batches lower ε", "epsilon is infinite, above --max-epsilon %v", o.maxEpsilon)
	case *r.Epsilon > o.maxEpsilon:
		return refuse("more noise, fewer steps or smaller batches lower ε", "epsilon is %v, above --max-epsilon %v", *r.Epsilon, o.maxEpsilon)
	}
	return nil
}

// asUsage turns an accountant's complaint about a number into a failure of the command line.
func asUsage(err error) error {
	var parameter *accounting.ParameterError
	var unsupported *accounting.UnsupportedError
	if errors.As(err, &parameter) || errors.As(err, &unsupported) {
		return usage("dptrain epsilon --help shows the ranges", "%w", err)
	}
	return err
}
