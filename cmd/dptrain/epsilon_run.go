package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
)

// A priced run is a number of steps with what they cost.
type priced struct {
	accountant accounting.Accountant
	adjacency  accounting.Adjacency
	event      func(steps int) accounting.Event
	epsilon    func(a accounting.Accountant, steps int) (accounting.Interval, error)
	delta      float64 // 0 where only --at-epsilon is asked for
	sigma, q   float64
	steps      int
	listed     bool // by --events: sigma, q and steps are not known
}

// priceConfig prices the run that a config plans.
func (o *epsilonOptions) priceConfig() (*priced, error) {
	for _, flag := range []string{"sampling-probability", "rows", "batch-size", "steps", "epochs", "noise-multiplier",
		"target-epsilon", "delta", "solve", "accountant", "adjacency"} {
		if o.given(flag) {
			return nil, usage("--set changes a value of the config", "--%s does not go with --config", flag)
		}
	}
	cfg, err := loadConfig(o.config, os.Getenv)
	if err != nil {
		return nil, err
	}
	p, err := makePlan(cfg)
	if err != nil {
		return nil, err
	}
	accountant, err := o.accountantOf(p.Privacy.Accountant, p.Privacy.Adjacency)
	if err != nil {
		return nil, err
	}
	return &priced{
		accountant: accountant, adjacency: p.Privacy.Adjacency,
		event: p.Mechanism.Event, epsilon: p.Mechanism.Bracket,
		delta: p.Privacy.Delta, sigma: p.Privacy.NoiseMultiplier, q: p.Train.SamplingProbability, steps: p.Train.Steps,
	}, nil
}

// priceFlags prices the run that the flags state, and finds what is left open.
func (o *epsilonOptions) priceFlags() (*priced, error) {
	if len(o.config.Set) > 0 {
		return nil, usage("state --config", "--set needs a config")
	}
	if !o.given("delta") && !o.given("at-epsilon") {
		return nil, usage("δ is the chance that the bound fails; take it well below 1/rows, such as --delta 1e-6", "--delta is missing")
	}
	r := &priced{adjacency: accounting.Adjacency(o.adjacency), delta: o.delta, sigma: o.noiseMultiplier, steps: o.steps}
	var err error
	if r.accountant, err = o.accountantOf(o.accountant, r.adjacency); err != nil {
		return nil, err
	}
	if err := o.sampling(r); err != nil {
		return nil, err
	}
	if err := o.duration(r); err != nil {
		return nil, err
	}
	switch {
	case o.given("target-epsilon"):
		err = o.find(r)
	case !o.given("noise-multiplier"):
		return nil, usage("state the noise, or a target to find it for", "neither --noise-multiplier nor --target-epsilon is given")
	case o.given("solve"):
		return nil, usage("state --target-epsilon", "--solve needs a target")
	}
	r.event = func(steps int) accounting.Event { return dpsgd(r.q, r.sigma, steps) }
	r.epsilon = func(a accounting.Accountant, steps int) (accounting.Interval, error) {
		return a.Epsilon(r.event(steps), r.delta)
	}
	return r, err
}

// accountantOf is the accountant called name, as --relative-width and --group-size want it.
func (o *epsilonOptions) accountantOf(name string, adjacency accounting.Adjacency) (accounting.Accountant, error) {
	a, err := accounting.New(name, adjacency)
	if err == nil && o.given("relative-width") {
		if name != "pld" {
			return nil, usage("only pld narrows its interval", "--relative-width does not go with accountant %s", name)
		}
		a, err = accounting.NewPLD(adjacency, o.relativeWidth)
	}
	if err == nil && o.given("group-size") {
		a, err = accounting.ForGroups(a, o.groupSize)
	}
	return a, err
}

// priceEvents prices the list of events in a file, or those of a report, for its neighbours and at the δ that was left for them unless
// another is asked for.
func (o *epsilonOptions) priceEvents() (*priced, error) {
	for _, flag := range []string{"sampling-probability", "rows", "batch-size", "steps", "epochs", "noise-multiplier",
		"target-epsilon", "solve", "curve", "plot"} {
		if o.given(flag) {
			return nil, usage("the file states all events", "--%s does not go with --events", flag)
		}
	}
	stated := o.given("delta") || o.given("at-epsilon")
	adjacency, delta := accounting.Adjacency(o.adjacency), o.delta
	var text []byte
	report, err := train.ReadReport(o.events)
	switch {
	case err == nil:
		text = report.Accounting.Events
		if !o.given("adjacency") {
			adjacency = report.Adjacency
		}
		if !stated {
			delta = report.Accounting.AccountedDelta
		}
	case !stated:
		return nil, usage("such as --delta 1e-6; a report states its own", "--delta is missing")
	default:
		if text, err = listedEvents(o.events); err != nil {
			return nil, err
		}
	}
	event, err := accounting.UnmarshalEvent(text)
	if err != nil {
		return nil, &failure{statusConfig, fmt.Errorf("%s: %w", o.events, err), "a report's accounting.events shows the form"}
	}
	r := &priced{adjacency: adjacency, delta: delta, steps: 1, listed: true,
		event: func(int) accounting.Event { return event }}
	r.epsilon = func(a accounting.Accountant, _ int) (accounting.Interval, error) { return a.Epsilon(event, r.delta) }
	r.accountant, err = o.accountantOf(o.accountant, r.adjacency)
	return r, err
}

// listedEvents is what a file of JSON or YAML lists, as JSON.
func listedEvents(path string) ([]byte, error) {
	src, err := readConfig(path)
	if err != nil {
		return nil, err
	}
	root, err := parseYAML(src)
	if err != nil {
		return nil, err
	}
	return json.Marshal(root.value())
}

// dpsgd is a number of steps of DP-SGD.
func dpsgd(q, sigma float64, steps int) accounting.Event {
	step := accounting.PoissonSampled{SamplingProbability: q, Event: accounting.Gaussian{NoiseMultiplier: sigma}}
	return accounting.SelfComposed{Event: step, Count: steps}
}

// sampling sets q, unless it is what is to be found.
func (o *epsilonOptions) sampling(r *priced) error {
	switch {
	case o.given("target-epsilon") && o.solve == "batch-size":
		if o.rows < 1 || o.given("batch-size") || o.given("sampling-probability") {
			return usage("the batch size is what is to be found", "--solve batch-size needs --rows, and neither --batch-size nor --sampling-probability")
		}
	case o.given("sampling-probability"):
		if o.given("rows") || o.given("batch-size") {
			return usage("state one of the two", "--sampling-probability does not go with --rows and --batch-size")
		}
		r.q = o.q
	case o.rows < 1 || o.batchSize < 1 || o.batchSize > o.rows:
		return usage("for example --rows 60000 --batch-size 256", "the sampling is not given: want --sampling-probability, or --rows with a --batch-size of 1 to rows")
	default:
		r.q = float64(o.batchSize) / float64(o.rows)
	}
	return nil
}

// duration sets the steps, unless they are what is to be found.
func (o *epsilonOptions) duration(r *priced) error {
	switch {
	case o.given("target-epsilon") && o.solve == "steps":
		if o.given("steps") || o.given("epochs") {
			return usage("the steps are what is to be found", "--solve steps goes with neither --steps nor --epochs")
		}
	case o.given("steps") && o.given("epochs"):
		return usage("state one of the two", "--epochs does not go with --steps")
	case o.given("epochs"):
		if r.q == 0 || !(o.epochs > 0 && o.epochs/r.q < 1e12) {
			return usage("", "--epochs is %v, want a positive number and a known batch size", o.epochs)
		}
		r.steps = int(math.Ceil(o.epochs / r.q))
	case !o.given("steps"):
		return usage("for example --steps 1000", "the number of steps is not given: want --steps or --epochs")
	}
	return nil
}

// find solves for what --solve names.
func (o *epsilonOptions) find(r *priced) (err error) {
	if known := o.given("noise-multiplier"); known == (o.solve == "noise-multiplier") {
		return usage("--target-epsilon finds one of the three: --solve noise-multiplier, steps or batch-size", "--solve %s and --noise-multiplier do not fit", o.solve)
	}
	switch o.solve {
	case "noise-multiplier":
		r.sigma, err = accounting.NoiseMultiplier(r.accountant, o.targetEpsilon, r.delta, func(sigma float64) accounting.Event {
			return dpsgd(r.q, sigma, r.steps)
		})
	case "steps":
		r.steps, err = accounting.Steps(r.accountant, o.targetEpsilon, r.delta, func(steps int) accounting.Event {
			return dpsgd(r.q, r.sigma, steps)
		})
	case "batch-size":
		if r.q, err = accounting.SamplingProbability(r.accountant, o.targetEpsilon, r.delta, func(q float64) accounting.Event {
			return dpsgd(q, r.sigma, r.steps)
		}); err != nil {
			return err
		}
		if o.batchSize = int(r.q * float64(o.rows)); o.batchSize == 0 {
			return refuse("raise --target-epsilon or --noise-multiplier", "epsilon %v cannot be reached with a batch size of 1", o.targetEpsilon)
		}
		r.q = float64(o.batchSize) / float64(o.rows)
	default:
		return usage("dptrain epsilon --help shows the fields", "--solve is %q, want noise-multiplier, steps or batch-size", o.solve)
	}
	return err
}
