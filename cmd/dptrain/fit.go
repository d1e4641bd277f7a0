package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/data"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
	"dptrain/internal/train/sheet"
)

// fitOptions are the flags of fit.
type fitOptions struct {
	config         configFlags
	dryRun         bool
	fresh          bool
	resume         bool
	maxEpsilon     float64
	requirePrivate bool
	seed           uint64
	seeded         bool
	noPrivacy      bool
	eval           string
	failUnder      []string
	workers        workers
	noProgress     bool
	quiet          bool
	json           bool
}

func (o *fitOptions) addFlags(f *pflag.FlagSet) {
	o.config.addFlags(f)
	o.config.addDataFlag(f)
	o.config.addOutputFlag(f)
	f.BoolVar(&o.dryRun, "dry-run", false, "plan the run and print what it would promise; read no record")
	f.BoolVar(&o.fresh, "fresh", false, "overwrite an existing model and report, and give up an interrupted run")
	f.BoolVar(&o.resume, "resume", false, "go on with an interrupted run; with nothing to go on with, start anew")
	f.Float64Var(&o.maxEpsilon, "max-epsilon", 0, "refuse a run whose ε is above `E` (exit status 5)")
	f.BoolVar(&o.requirePrivate, "require-private", false, "refuse a run that promises nothing, such as one with --seed (exit status 5)")
	f.Uint64Var(&o.seed, "seed", 0, "draw all randomness from the number `N`, for tests: the model is then not private")
	f.BoolVar(&o.noPrivacy, "no-privacy", false, "train without clipping or noise, to compare: the model is then not private")
	f.StringVar(&o.eval, "eval", "", "evaluate the model on the labelled table `FILE`, whose rows no promise is made to")
	addGateFlag(f, &o.failUnder)
	o.workers.addFlag(f, "train with `N` goroutines; changes no result")
	f.BoolVar(&o.noProgress, "no-progress", false, "show no progress bar")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print neither progress nor warnings")
	f.BoolVar(&o.json, "json", false, "print the result as one JSON object")
}

func newFitCommand(s *streams) *cobra.Command {
	var o fitOptions
	c := &cobra.Command{
		Use:        "fit -c CONFIG",
		SuggestFor: []string{"train", "learn", "run"},
		Short:      "Train a private model and write it with its privacy report",
		Long: `fit trains a differentially private model by a config and writes two files into
the output folder: model.safetensors, and report.json, which states ε, δ, σ, C,
steps and all that is needed to recompute them.

The noise is calibrated before any record is read. Of the records, nothing is
printed but where a table is not as declared, and how long the work took.

A run that is interrupted, killed, or out of disk leaves a log and a checkpoint
in the output folder, and fit --resume goes on with it. The log has every step
before its noise is drawn, so that a resumed run never claims less than was
spent: steps that were lost are charged, and the run has fewer left; a query
whose answer was lost is asked again by steps of the run. Each attempt draws
fresh randomness. fit --resume --dry-run --json tells the steps charged so far.

With --eval the model is evaluated when it is written, and --fail-under holds it
to figures, as dptrain eval does. The table is read before training begins, so
that a fault in it costs nothing; the figures are exact, and tell of its rows.

Exit status is 0 when both files are written, 2 for a wrong flag, 3 for an
invalid config, 4 for a table that is missing or not as declared, 5 for a run
that would promise less than asked or that a budget does not hold, 6 when a
--fail-under is not met, 7 when what --resume finds is of another config or
damaged, 9 when the files cannot be written, are there already, or another fit
is at work in the folder, and 130 when interrupted.`,
		Example: `  dptrain fit -c configs/quickstart.yaml
  dptrain fit -c configs/adult.yaml --data adult/train.csv -o runs/adult
  dptrain fit -c configs/adult.yaml --set privacy.target_epsilon=0.5 --dry-run
  dptrain fit -c configs/adult.yaml --max-epsilon 1 --require-private --json
  dptrain fit -c configs/quickstart.yaml --fresh --eval testdata/quickstart/test.csv --fail-under accuracy=0.8
  dptrain fit -c configs/adult.yaml --resume`,
		Args: noArguments,
	}
	o.addFlags(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		o.seeded = c.Flags().Changed("seed")
		if err := o.workers.check(); err != nil {
			return err
		}
		if c.Flags().Changed("max-epsilon") && !(o.maxEpsilon > 0) {
			return usage("", "--max-epsilon is %v, want a positive number", o.maxEpsilon)
		}
		if o.resume && o.fresh {
			return usage("state one: --resume goes on with a run, --fresh gives it up", "--resume is given beside --fresh")
		}
		if void := o.void(); o.resume && void != "" {
			return usage("a run that promises nothing keeps no log: run it again", "--resume is given beside %s", void)
		}
		if len(o.failUnder) > 0 && o.eval == "" {
			return usage("--eval TABLE", "--fail-under needs a table to evaluate on")
		}
		return runFit(c.Context(), s, &o)
	}
	return c
}

// fitResult is what fit prints with --json.
type fitResult struct {
	Model           *string  `json:"model"`  // null in a dry run
	Report          *string  `json:"report"` // null in a dry run
	Private         bool     `json:"private"`
	Epsilon         *float64 `json:"epsilon"`
	PersonEpsilon   *float64 `json:"person_epsilon,omitempty"` // for a person with privacy.max_rows_per_person rows
	Delta           float64  `json:"delta"`
	Steps           int      `json:"steps"`         // planned
	StepsApplied    *int     `json:"steps_applied"` // in the model; null in a dry run
	StepsCharged    int      `json:"steps_charged"` // so far: in a dry run, those that an interrupted run may have drawn
	NoiseMultiplier float64  `json:"noise_multiplier"`
	MaxGradNorm     float64  `json:"max_grad_norm"`
	// Ledger is what the ledger says of the run; absent where the config names none.
	Ledger *fitLedger `json:"ledger,omitempty"`
	// The times are null in a dry run, and where the number of rows is private.
	LoadSeconds       *float64 `json:"load_seconds"`
	TrainSeconds      *float64 `json:"train_seconds"`
	ExamplesPerSecond *float64 `json:"examples_per_second"`

	Eval *evalResult `json:"eval,omitempty"` // with --eval
}

func runFit(ctx context.Context, s *streams, o *fitOptions) error {
	cfg, err := loadConfig(o.config, os.Getenv)
	if err != nil {
		return err
	}
	cfg.Options.NoPrivacy = o.noPrivacy
	plan, err := makePlan(cfg)
	if err != nil {
		return err
	}
	if err := o.refuseUnlessPrivate(plan); err != nil {
		return err
	}
	trial, err := o.newTrial(ctx, s, plan)
	if err != nil {
		return err
	}
	result := fitResult{
		Private: o.void() == "", Delta: plan.Privacy.Delta, Steps: plan.Train.Steps,
		NoiseMultiplier: plan.Privacy.NoiseMultiplier, MaxGradNorm: plan.Privacy.MaxGradNorm,
	}
	if result.Private {
		epsilon := accounting.RoundUp(plan.Claim.Upper, 6)
		result.Epsilon = &epsilon
		if plan.Person > 0 {
			result.PersonEpsilon = finite(accounting.RoundUp(plan.Person, 6))
		}
	}
	if !o.quiet {
		s.warnOfPlan(cfg, o.warnings(plan))
	}
	if o.dryRun {
		err = o.foresee(s, cfg, plan, &result)
	} else {
		err = o.fitInto(ctx, s, cfg, plan, &result)
	}
	if err == nil && trial != nil {
		result.Eval, err = trial.run(ctx, *result.Model)
	}
	if err != nil {
		return err
	}
	if o.json {
		err = json.NewEncoder(s.out).Encode(result)
	} else {
		err = printFit(s, plan, &result)
	}
	if err != nil || trial == nil {
		return err
	}
	return firstFailure(checkGates(trial.gates, result.Eval))
}

// warnings are those of the plan and of the flags.
func (o *fitOptions) warnings(p *train.Plan) []train.Warning {
	warnings := p.Warnings
	if o.seeded {
		warnings = append(slices.Clone(warnings), train.SeededRun())
	}
	return warnings
}

// makePlan turns a config into a plan; errors point into the config.
func makePlan(cfg *config) (*train.Plan, error) {
	schema, err := data.NewSchema(cfg.Spec)
	if err != nil {
		return nil, cfg.locate(err)
	}
	plan, err := train.NewPlan(cfg.Options, schema)
	return plan, cfg.locate(err)
}

// void is the flag for which the run promises nothing, or empty.
func (o *fitOptions) void() string {
	switch {
	case o.noPrivacy:
		return "--no-privacy"
	case o.seeded:
		return "--seed"
	}
	return ""
}

// refuseUnlessPrivate holds the plan against --require-private and --max-epsilon.
func (o *fitOptions) refuseUnlessPrivate(p *train.Plan) error {
	void := o.void()
	if void != "" && o.requirePrivate {
		return refuse(fmt.Sprintf("leave %s out", void), "a run with %s is not private", void)
	}
	if o.maxEpsilon == 0 {
		return nil
	}
	if void != "" {
		return refuse(fmt.Sprintf("leave %s out", void), "a run with %s has no epsilon to hold against --max-epsilon", void)
	}
	if epsilon := accounting.RoundUp(p.Claim.Upper, 6); epsilon > o.maxEpsilon {
		return refuse("lower privacy.target_epsilon, or raise privacy.noise_multiplier",
			"the run would cost epsilon %v, above --max-epsilon %v", epsilon, o.maxEpsilon)
	}
	return nil
}

// printFit prints the result for people.
func printFit(s *streams, p *train.Plan, r *fitResult) error {
	promise := "none: the randomness came from a stated seed"
	if p.Noiseless() {
		promise = "none: trained without clipping or noise"
	}
	if r.Epsilon != nil {
		promise = fmt.Sprintf("ε = %s at δ = %g for one row (%s)", accounting.FormatUp(*r.Epsilon, 4), r.Delta, p.Privacy.Adjacency)
	}
	lines := [][2]string{
		{"privacy", promise},
		{"noise", fmt.Sprintf("σ = %g, C = %g, %s at q = %.4g", r.NoiseMultiplier, r.MaxGradNorm, sheet.Count(r.Steps, "step"), p.Train.SamplingProbability)},
	}
	for _, q := range p.Privacy.Queries {
		lines = append(lines, [2]string{"query", fmt.Sprintf("%s before the first step, σ = %g, within the ε above", q.Name, q.NoiseMultiplier)})
	}
	if r.PersonEpsilon != nil {
		person := fmt.Sprintf("ε = %s for a person with up to %s", accounting.FormatUp(*r.PersonEpsilon, 4), sheet.Count(p.Privacy.MaxRowsPerPerson, "row"))
		lines = slices.Insert(lines, 1, [2]string{"", person})
	}
	if l := r.Ledger; l != nil {
		spent := "has spent"
		if r.Model == nil {
			spent = "would have spent"
		}
		lines = append(lines, [2]string{"ledger", fmt.Sprintf("%s %s ε = %s of %v, this run included", l.Dataset, spent, accounting.FormatUp(l.TotalEpsilon, 4), l.MaxTotalEpsilon)})
	}
	if r.Model == nil {
		if r.StepsCharged > 0 {
			lines = append(lines, [2]string{"charged", sheet.Count(r.StepsCharged, "step") + " so far"})
		}
		lines = append(lines, [2]string{"written", "nothing: this was a dry run"})
	} else {
		if r.TrainSeconds != nil {
			lines = append(lines, [2]string{"time", fmt.Sprintf("%.1f s, %.3g examples a second", *r.TrainSeconds, *r.ExamplesPerSecond)})
		}
		if *r.StepsApplied < r.StepsCharged {
			lines = append(lines, [2]string{"steps", fmt.Sprintf("%d of %d are in the model; the others, lost when the run was interrupted or asking again what was, are charged", *r.StepsApplied, r.StepsCharged)})
		}
		next := shellCommand("eval", "-m", *r.Model, "--data", "TEST")
		if p.Schema.Spec().Split != nil {
			next = shellCommand("eval", "-m", *r.Model, "--data", "TABLE", "--split", "test")
		}
		lines = append(lines,
			[2]string{"model", *r.Model},
			[2]string{"report", *r.Report},
			[2]string{"next", shellCommand("report", shellPath(*r.Report), "--format", "html") + " >report.html"},
			[2]string{"", next})
	}
	if e := r.Eval; e != nil {
		lines[len(lines)-1] = [2]string{"eval", fmt.Sprintf("accuracy %s, log loss %s, AUC %s on %s (exact: no promise is made to them)",
			show(e.Accuracy), show(e.LogLoss), show(e.AUC), sheet.Count(e.Rows, "row"))}
	}
	w := newPage(s.out)
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\n", l[0], l[1])
	}
	return w.Flush()
}
