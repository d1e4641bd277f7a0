package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/data"
	"dptrain/internal/privacy"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train"
)

// tradeoffOptions are the flags of tradeoff.
type tradeoffOptions struct {
	config     configFlags
	eval       string
	epsilons   string
	runs       int
	plot       string
	fresh      bool
	workers    workers
	noProgress bool
	json       bool
}

func (o *tradeoffOptions) addFlags(f *pflag.FlagSet) {
	o.config.addFlags(f)
	o.config.addDataFlag(f)
	f.StringVar(&o.eval, "eval", "", "evaluate on the labelled table `FILE`")
	f.StringVar(&o.epsilons, "epsilon", "0.5,1,2,4,8", "the values of ε to train at, a `LIST`")
	f.IntVar(&o.runs, "runs", 3, "train `N` times at each, to see the spread")
	f.StringVar(&o.plot, "plot", "", "draw the figures over ε into `FILE`, ending in .svg or .png")
	f.BoolVar(&o.fresh, "fresh", false, "overwrite an existing plot")
	o.workers.addFlag(f, "train with `N` goroutines; changes no result")
	f.BoolVar(&o.noProgress, "no-progress", false, "show no progress bar")
	f.BoolVar(&o.json, "json", false, "print the result as one JSON object")
}

func newTradeoffCommand(s *streams) *cobra.Command {
	var o tradeoffOptions
	c := &cobra.Command{
		Use:   "tradeoff -c CONFIG [--data TRAIN] --eval TEST",
		Short: "Show what privacy costs in accuracy, on public or held-out data",
		Long: `tradeoff trains at several values of ε, a few times each, and evaluates every
model: accuracy, AUC and log loss over ε, with their spread over the runs,
beside the same model without privacy and beside always saying the majority
class. It says in words what the price of privacy is.

It is an exploration. What it prints depends on the rows of both tables without
any noise, and one of its models is trained without privacy: it promises nothing
to anybody in them. Use it on data that are public, or held out for this and
never part of a release. It writes no model; it refuses a config that names a
ledger, whose data set is private.

Exit status is 0 when done, 2 for a wrong flag, 3 for an invalid config, 4 for a
table that is missing or not as declared, 5 for a target that cannot be reached
or a config with a ledger, and 9 when the plot cannot be written or is there
already.`,
		Example: `  dptrain tradeoff -c configs/quickstart.yaml --eval testdata/quickstart/test.csv --epsilon 0.5,1,4 --runs 2
  dptrain tradeoff -c configs/adult.yaml --data adult/train.csv --eval adult/test.csv --plot adult.svg`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return runTradeoff(c.Context(), s, &o) },
	}
	o.addFlags(c.Flags())
	return c
}

// tradeoffResult is what tradeoff prints with --json.
type tradeoffResult struct {
	Exploration  bool            `json:"exploration"` // always: nothing here is a promise
	Note         string          `json:"note"`
	Runs         int             `json:"runs"`
	Delta        float64         `json:"delta"`
	Points       []tradeoffPoint `json:"points"`
	NoPrivacy    tradeoffPoint   `json:"no_privacy"`
	Majority     *majority       `json:"majority"`
	TotalEpsilon *float64        `json:"total_epsilon"` // of all private runs together; the run without privacy has none
	Sentences    []string        `json:"sentences"`
}

// tradeoffPoint is the figures of the runs at one ε.
type tradeoffPoint struct {
	Epsilon  *float64 `json:"epsilon"` // null without privacy
	Accuracy spread   `json:"accuracy"`
	AUC      spread   `json:"auc"`
	LogLoss  spread   `json:"log_loss"`
}

// A spread is a figure over several runs.
type spread struct {
	Mean   float64   `json:"mean"`
	SD     *float64  `json:"sd"` // standard deviation; null for a single run
	Values []float64 `json:"values"`
}

// majority is the model that always says the commonest class of the training table, as often as it is there.
type majority struct {
	Class    string  `json:"class"`
	Accuracy float64 `json:"accuracy"`
	LogLoss  float64 `json:"log_loss"`
}

const tradeoffNote = "exploration: exact figures, and a model trained without privacy; nothing is promised to the rows of either table"

func runTradeoff(ctx context.Context, s *streams, o *tradeoffOptions) error {
	epsilons, err := o.check()
	if err != nil {
		return err
	}
	cfg, err := loadConfig(o.config, os.Getenv)
	if err != nil {
		return err
	}
	if cfg.Ledger != nil {
		return refuse("tradeoff is for public or held-out data: take a config without privacy.ledger", "the config names a ledger, so its data set is private")
	}
	e := &exploration{options: o, base: cfg.Options}
	if err := e.plan(cfg, epsilons); err != nil {
		return err
	}
	if err := e.load(ctx, s, cfg); err != nil {
		return err
	}
	r, err := e.run(ctx, s)
	if err != nil {
		return err
	}
	if o.plot != "" {
		if err := o.drawTradeoff(r); err != nil {
			return err
		}
	}
	if o.json {
		return json.NewEncoder(s.out).Encode(r)
	}
	return printTradeoff(s, r)
}

// check reads the list of ε and refuses flags that fit nothing.
func (o *tradeoffOptions) check() (epsilons []float64, err error) {
	for _, field := range strings.Split(o.epsilons, ",") {
		x, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
		if err != nil || !(x > 0 && x <= privacy.MaxEpsilon) {
			return nil, usage("such as --epsilon 0.5,1,4", "--epsilon has %q, want numbers in (0, %v]", field, privacy.MaxEpsilon)
		}
		epsilons = append(epsilons, x)
	}
	slices.Sort(epsilons)
	switch {
	case o.eval == "":
		return nil, usage("a labelled table that was not trained on", "--eval is missing")
	case o.runs < 1 || o.runs > 1000:
		return nil, usage("three show a spread", "--runs is %d, want 1 to 1000", o.runs)
	}
	if err := o.workers.check(); err != nil {
		return nil, err
	}
	return slices.Compact(epsilons), readyFile(o.plot, o.fresh)
}

// An exploration is the plans of a trade-off and the tables they are tried on.
type exploration struct {
	options *tradeoffOptions
	base    train.Options
	plans   []*train.Plan // one for each ε; the last without privacy
	table   *data.Dataset
	eval    evaluation
}

// plan decides every run before a row is read.
func (e *exploration) plan(cfg *config, epsilons []float64) error {
	schema, err := data.NewSchema(cfg.Spec)
	if err != nil {
		return cfg.locate(err)
	}
	e.base.Privacy.NoiseMultiplier = nil
	for _, epsilon := range epsilons {
		o := e.base
		o.Privacy.TargetEpsilon = &epsilon
		p, err := train.NewPlan(o, schema)
		if err != nil {
			return cfg.locate(err)
		}
		e.plans = append(e.plans, p)
	}
	o := e.base
	o.NoPrivacy = true
	p, err := train.NewPlan(o, schema)
	if err != nil {
		return cfg.locate(err)
	}
	e.plans = append(e.plans, p)
	return nil
}

// load reads both tables.
func (e *exploration) load(ctx context.Context, s *streams, cfg *config) (err error) {
	schema, err := withFormat(e.plans[0].Schema, "")
	if err != nil {
		return err
	}
	e.eval = evaluation{path: e.options.eval}
	if err := e.eval.load(ctx, s, schema); err != nil {
		return err
	}
	e.table, err = loadDeclared(ctx, s, cfg, e.plans[0], loadFlags{noProgress: e.options.noProgress})
	return err
}

// run trains and evaluates everything.
func (e *exploration) run(ctx context.Context, s *streams) (*tradeoffResult, error) {
	total := 0
	for _, p := range e.plans {
		total += p.Train.Steps * e.options.runs
	}
	bar := newProgress(s.err, total, progressOptions{off: e.options.noProgress, price: func(int) (float64, bool) { return 0, false }})
	defer bar.clear()
	r := &tradeoffResult{Exploration: true, Note: tradeoffNote, Runs: e.options.runs, Delta: e.plans[0].Privacy.Delta}
	done := 0
	for _, p := range e.plans {
		var point tradeoffPoint
		for range e.options.runs {
			m, err := e.once(ctx, p, func(step int) { bar.step(done + step) })
			if err != nil {
				return nil, err
			}
			done += p.Train.Steps
			point.Accuracy.add(m.Accuracy)
			point.AUC.add(m.AUC)
			point.LogLoss.add(m.LogLoss)
		}
		for _, x := range []*spread{&point.Accuracy, &point.AUC, &point.LogLoss} {
			x.close()
		}
		if p.Noiseless() {
			r.NoPrivacy = point
			continue
		}
		epsilon := accounting.RoundUp(p.Claim.Upper, 6)
		point.Epsilon = &epsilon
		r.Points = append(r.Points, point)
	}
	r.Majority = e.majority()
	r.Sentences = sentences(r)
	var err error
	r.TotalEpsilon, err = e.totalEpsilon()
	return r, err
}

// once trains one model, which is thrown away, and evaluates it.
func (e *exploration) once(ctx context.Context, p *train.Plan, progress func(step int)) (*train.Metrics, error) {
	key, err := rng.NewKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	fitted, err := train.Fit(ctx, p, e.table, train.Run{Key: key, Workers: e.options.workers.of(p), Progress: progress})
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	e.eval.model = &train.Model{Schema: fitted.Encoding, Net: p.Net, Params: fitted.Params}
	result, err := e.eval.run(ctx)
	if err != nil {
		return nil, err
	}
	return result.Metrics, nil
}

// totalEpsilon is what all private runs cost a row together, at the config's δ; nil where that has no bound.
func (e *exploration) totalEpsilon() (*float64, error) {
	var all accounting.Composed
	var extra, arithmetic float64
	for _, p := range e.plans {
		if p.Noiseless() {
			continue
		}
		for range e.options.runs {
			all.Events = append(all.Events, p.Mechanism.Event(p.Train.Steps))
			extra += p.Mechanism.ExtraEpsilon(p.Train.Steps)
			arithmetic += p.Privacy.Delta - p.Mechanism.AccountedDelta()
		}
	}
	p := e.plans[0]
	delta := p.Privacy.Delta - arithmetic
	if delta <= 0 {
		return nil, nil
	}
	interval, err := p.Accountant.Epsilon(all, delta)
	if err != nil {
		return nil, err
	}
	return finite(accounting.RoundUp(interval.Upper+extra, 6)), nil
}

// majority evaluates the shares of the training table's classes as if they were a model.
func (e *exploration) majority() *majority {
	classes := e.plans[0].Schema.Classes()
	counts := make([]float64, len(classes))
	for _, label := range e.table.Labels {
		if label >= 0 {
			counts[label]++
		}
	}
	best, all := 0, 0.0
	for c, n := range counts {
		all += n
		if n > counts[best] {
			best = c
		}
	}
	m := &majority{Class: classes[best]}
	for _, label := range e.eval.table.Labels {
		if int(label) == best {
			m.Accuracy++
		}
		m.LogLoss -= math.Log((counts[label] + 1) / (all + float64(len(classes))))
	}
	rows := float64(len(e.eval.table.Labels))
	m.Accuracy, m.LogLoss = m.Accuracy/rows, m.LogLoss/rows
	return m
}

// add takes the figure of a run; one that does not exist counts for nothing.
func (x *spread) add(value *float64) {
	if value != nil {
		x.Values = append(x.Values, *value)
	}
}

// close computes mean and standard deviation.
func (x *spread) close() {
	n := float64(len(x.Values))
	for _, v := range x.Values {
		x.Mean += v / n
	}
	if n < 2 {
		return
	}
	squares := 0.0
	for _, v := range x.Values {
		squares += (v - x.Mean) * (v - x.Mean)
	}
	sd := math.Sqrt(squares / (n - 1))
	x.SD = &sd
}

// sentences say what the price of privacy is.
func sentences(r *tradeoffResult) (all []string) {
	base := r.NoPrivacy.Accuracy.Mean
	for _, p := range r.Points {
		lost := 100 * (base - p.Accuracy.Mean)
		epsilon := accounting.FormatUp(*p.Epsilon, 4)
		switch {
		case lost < 0.05:
			all = append(all, fmt.Sprintf("at ε = %s the model loses nothing of %.1f", epsilon, 100*base))
		default:
			all = append(all, fmt.Sprintf("at ε = %s the model loses %.1f points of %.1f", epsilon, lost, 100*base))
		}
		if gained := p.Accuracy.Mean - r.Majority.Accuracy; gained < 0.005 {
			all[len(all)-1] += ", and is no better than always saying the majority class"
		}
	}
	return all
}
