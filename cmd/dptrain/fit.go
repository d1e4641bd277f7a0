package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/data"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train"
)

// fitOptions are the flags of fit.
type fitOptions struct {
	config         configFlags
	dryRun         bool
	fresh          bool
	maxEpsilon     float64
	requirePrivate bool
	seed           uint64
	seeded         bool
	noPrivacy      bool
	workers        int
	noProgress     bool
	quiet          bool
	json           bool
}

func (o *fitOptions) addFlags(f *pflag.FlagSet) {
	o.config.addFlags(f)
	o.config.addDataFlag(f)
	o.config.addOutputFlag(f)
	f.BoolVar(&o.dryRun, "dry-run", false, "plan the run and print what it would promise; read no record")
	f.BoolVar(&o.fresh, "fresh", false, "overwrite an existing model and report")
	f.Float64Var(&o.maxEpsilon, "max-epsilon", 0, "refuse a run whose ε is above this (exit status 5)")
	f.BoolVar(&o.requirePrivate, "require-private", false, "refuse a run that promises nothing, such as one with --seed (exit status 5)")
	f.Uint64Var(&o.seed, "seed", 0, "draw all randomness from this number, for tests: the model is then not private")
	f.BoolVar(&o.noPrivacy, "no-privacy", false, "train without clipping or noise, to compare: the model is then not private")
	f.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "goroutines to train with; changes no result")
	f.BoolVar(&o.noProgress, "no-progress", false, "show no progress bar")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print neither progress nor warnings")
	f.BoolVar(&o.json, "json", false, "print the result as one JSON object")
}

// maxWorkers bounds the memory that a mistyped --workers asks for.
const maxWorkers = 1024

func newFitCommand(s *streams) *cobra.Command {
	var o fitOptions
	c := &cobra.Command{
		Use:   "fit -c CONFIG",
		Short: "Train a private model and write it with its privacy report",
		Long: `fit trains a differentially private model by a config and writes two files into
the output folder: model.safetensors, and report.json, which states ε, δ, σ, C,
steps and all that is needed to recompute them.

The noise is calibrated before any record is read. Of the records, nothing is
printed but where a table is not as declared, and how long the work took.

Exit status is 0 when both files are written, 2 for a wrong flag, 3 for an
invalid config, 4 for a table that is missing or not as declared, 5 for a run
that would promise less than asked, 9 when the files cannot be written or are
there already, and 130 when interrupted: then nothing is written.`,
		Example: `  dptrain fit -c configs/quickstart.yaml
  dptrain fit -c configs/adult.yaml --data adult/train.csv -o runs/adult
  dptrain fit -c configs/adult.yaml --set privacy.target_epsilon=0.5 --dry-run
  dptrain fit -c configs/adult.yaml --max-epsilon 1 --require-private --json`,
		Args: noArguments,
	}
	o.addFlags(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		o.seeded = c.Flags().Changed("seed")
		if o.workers < 1 || o.workers > maxWorkers {
			return usage("leave --workers out to use every processor", "--workers is %d, want 1 to %d", o.workers, maxWorkers)
		}
		if c.Flags().Changed("max-epsilon") && !(o.maxEpsilon > 0) {
			return usage("", "--max-epsilon is %v, want a positive number", o.maxEpsilon)
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
	Steps           int      `json:"steps"`
	NoiseMultiplier float64  `json:"noise_multiplier"`
	MaxGradNorm     float64  `json:"max_grad_norm"`
	// The times are null in a dry run, and where the number of rows is private.
	LoadSeconds       *float64 `json:"load_seconds"`
	TrainSeconds      *float64 `json:"train_seconds"`
	ExamplesPerSecond *float64 `json:"examples_per_second"`
}

func runFit(ctx context.Context, s *streams, o *fitOptions) error {
	if o.config.File == "" {
		return usage("dptrain fit -c CONFIG; configs/quickstart.yaml is one to start from", "--config is missing")
	}
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
	if !o.dryRun {
		if err := o.fitAndWrite(ctx, s, cfg, plan, &result); err != nil {
			return err
		}
	}
	if o.json {
		return json.NewEncoder(s.out).Encode(result)
	}
	return printFit(s, plan, &result)
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

// fitAndWrite loads the table, trains and writes; it fills in the rest of result.
func (o *fitOptions) fitAndWrite(ctx context.Context, s *streams, cfg *config, p *train.Plan, result *fitResult) error {
	if err := readyOutput(cfg.OutputDir, o.fresh); err != nil {
		return err
	}
	key, err := o.key()
	if err != nil {
		return err
	}
	began := time.Now()
	secretRows := p.Privacy.Adjacency == accounting.AddOrRemoveOne
	table, err := loadDeclared(ctx, s, cfg.DataTrain, p)
	if err != nil {
		return err
	}
	loaded := time.Now()
	bar := newProgress(s.err, p.Train.Steps, progressOptions{
		off: o.noProgress || o.quiet, hideRate: secretRows,
		price: func(steps int) (float64, bool) {
			if o.void() != "" {
				return 0, false
			}
			epsilon, err := p.Mechanism.Epsilon(p.Accountant, steps)
			return epsilon, err == nil
		},
	})
	fitted, err := train.Fit(ctx, p, table, train.Run{Key: key, Workers: o.workers, Progress: bar.step})
	bar.clear()
	if err != nil {
		return interrupted(ctx, err)
	}
	trained := time.Now()
	report, err := train.NewReport(p, fitted, o.seeded, version())
	if err != nil {
		return err
	}
	model := &train.Model{Schema: p.Schema, Net: p.Net, Params: fitted.Params,
		Model: p.Model, Privacy: p.Privacy, Train: p.Train, Private: report.Private, Version: version()}
	modelPath, reportPath, err := train.Write(cfg.OutputDir, model, report)
	if err != nil {
		return err
	}
	load, seconds := loaded.Sub(began).Seconds(), trained.Sub(loaded).Seconds()
	rate := p.Divisor() * float64(fitted.Steps) / seconds
	result.Model, result.Report = &modelPath, &reportPath
	if !secretRows { // times tell of the number of rows
		result.LoadSeconds, result.TrainSeconds, result.ExamplesPerSecond = &load, &seconds, &rate
	}
	return nil
}

// key is the source of all randomness of the run.
func (o *fitOptions) key() (rng.Key, error) {
	if o.seeded {
		return rng.TestKey(o.seed), nil
	}
	return rng.NewKey(rand.Reader)
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
		{"noise", fmt.Sprintf("σ = %g, C = %g, %d steps at q = %.4g", r.NoiseMultiplier, r.MaxGradNorm, r.Steps, p.Train.SamplingProbability)},
	}
	if r.PersonEpsilon != nil {
		person := fmt.Sprintf("ε = %s for a person with up to %d rows", accounting.FormatUp(*r.PersonEpsilon, 4), p.Privacy.MaxRowsPerPerson)
		lines = slices.Insert(lines, 1, [2]string{"", person})
	}
	if r.Model == nil {
		lines = append(lines, [2]string{"written", "nothing: this was a dry run"})
	} else {
		if r.TrainSeconds != nil {
			lines = append(lines, [2]string{"time", fmt.Sprintf("%.1f s, %.3g examples a second", *r.TrainSeconds, *r.ExamplesPerSecond)})
		}
		lines = append(lines,
			[2]string{"model", *r.Model},
			[2]string{"report", *r.Report},
			[2]string{"next", fmt.Sprintf("dptrain eval -m %s --data TEST", *r.Model)})
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(s.out, "%-8s %s\n", l[0], l[1]); err != nil {
			return err
		}
	}
	return nil
}
