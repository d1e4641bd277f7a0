package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
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
	maxEpsilon      float64
	curve           bool
	json            bool
	given           func(flag string) bool
}

func (o *epsilonOptions) addFlags(f *pflag.FlagSet) {
	o.config.addFlags(f)
	f.Float64Var(&o.q, "sampling-probability", 0, "chance of a row to join a step, in (0, 1]; 1 is full batch")
	f.IntVar(&o.rows, "rows", 0, "number of rows, with --batch-size")
	f.IntVar(&o.batchSize, "batch-size", 0, "expected batch size, with --rows")
	f.IntVar(&o.steps, "steps", 0, "number of steps")
	f.Float64Var(&o.epochs, "epochs", 0, "passes over the rows, instead of --steps")
	f.Float64Var(&o.noiseMultiplier, "noise-multiplier", 0, "σ: standard deviation of the noise ÷ clipping norm")
	f.Float64Var(&o.targetEpsilon, "target-epsilon", 0, "find what meets this ε, see --solve")
	f.Float64Var(&o.delta, "delta", 0, "δ, in (0, 1)")
	f.StringVar(&o.solve, "solve", "noise-multiplier", "what --target-epsilon finds: noise-multiplier, steps or batch-size")
	f.StringVar(&o.accountant, "accountant", "pld", "pld or rdp")
	f.StringVar(&o.adjacency, "adjacency", string(accounting.ZeroOut), "zero_out, add_or_remove_one or replace_one")
	f.Float64Var(&o.atEpsilon, "at-epsilon", 0, "also print the δ at this ε")
	f.Float64Var(&o.maxEpsilon, "max-epsilon", 0, "exit with status 5 where ε is above this")
	f.BoolVar(&o.curve, "curve", false, "also print ε over the steps")
	f.BoolVar(&o.json, "json", false, "print the result as one JSON object")
}

func newEpsilonCommand(s *streams) *cobra.Command {
	var o epsilonOptions
	c := &cobra.Command{
		Use:   "epsilon (-c CONFIG | --sampling-probability Q --steps T --noise-multiplier S --delta D)",
		Short: "Compute the ε of a run, or the noise that a target needs",
		Long: `epsilon prices a run of DP-SGD without touching data: by a config, or by its
numbers. Every ε printed is an upper bound, rounded up. With --target-epsilon it
finds the noise multiplier, the steps or the batch size that meet the target, on
the private side.

Rough guidance: below 1 very strong, 1 to 10 moderate, above 10 weak; 8 is a
common ceiling.

Exit status is 0 when done, 2 for a wrong flag, 3 for an invalid config, and 5
when ε is above --max-epsilon or the target cannot be reached.`,
		Example: `  dptrain epsilon --sampling-probability 0.01 --steps 1000 --noise-multiplier 1 --delta 1e-5
  dptrain epsilon --rows 60000 --batch-size 256 --epochs 15 --target-epsilon 3 --delta 1e-5
  dptrain epsilon -c configs/adult.yaml --max-epsilon 1 --json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			o.given = c.Flags().Changed
			return runEpsilon(s, &o)
		},
	}
	o.addFlags(c.Flags())
	return c
}

// A priced run is a number of steps with what they cost.
type priced struct {
	accountant accounting.Accountant
	adjacency  accounting.Adjacency
	event      func(steps int) accounting.Event
	epsilon    func(a accounting.Accountant, steps int) (accounting.Interval, error)
	delta      float64 // 0 where only --at-epsilon is asked for
	sigma, q   float64
	steps      int
}

// epsilonResult is what epsilon prints with --json.
type epsilonResult struct {
	Epsilon             *float64     `json:"epsilon"`
	EpsilonLower        *float64     `json:"epsilon_lower"`
	Delta               *float64     `json:"delta"`
	NoiseMultiplier     float64      `json:"noise_multiplier"`
	SamplingProbability float64      `json:"sampling_probability"`
	BatchSize           *int         `json:"batch_size,omitempty"`
	Steps               int          `json:"steps"`
	Accountant          string       `json:"accountant"`
	Adjacency           string       `json:"adjacency"`
	EpsilonRDP          *float64     `json:"epsilon_rdp"`
	MuGDP               *float64     `json:"mu_gdp"`
	AttackSuccess       *float64     `json:"tpr_at_1pct_fpr"`
	Statement           string       `json:"statement"`
	AtEpsilon           *float64     `json:"at_epsilon,omitempty"`
	DeltaAtEpsilon      *float64     `json:"delta_at_epsilon,omitempty"`
	Curve               []curvePoint `json:"curve,omitempty"`
}

// curvePoint is ε after a number of steps.
type curvePoint struct {
	Steps   int      `json:"steps"`
	Epsilon *float64 `json:"epsilon"`
}

func runEpsilon(s *streams, o *epsilonOptions) error {
	price := o.priceFlags
	if o.config.File != "" {
		price = o.priceConfig
	}
	run, err := price()
	if err != nil {
		return asUsage(err)
	}
	r, err := o.result(run)
	if err != nil {
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
	return &priced{
		accountant: p.Accountant, adjacency: p.Privacy.Adjacency,
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
	if r.accountant, err = accounting.New(o.accountant, r.adjacency); err != nil {
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
		return usage("want noise-multiplier, steps or batch-size", "--solve is %q", o.solve)
	}
	return err
}

// result computes all that is printed.
func (o *epsilonOptions) result(run *priced) (*epsilonResult, error) {
	r := &epsilonResult{
		NoiseMultiplier: run.sigma, SamplingProbability: run.q, Steps: run.steps,
		Accountant: run.accountant.Name(), Adjacency: string(run.adjacency),
	}
	if o.batchSize > 0 {
		r.BatchSize = &o.batchSize
	}
	event := run.event(run.steps)
	if o.given("at-epsilon") {
		interval, err := run.accountant.Delta(event, o.atEpsilon)
		if err != nil {
			return nil, err
		}
		delta := math.Min(1, accounting.RoundUp(interval.Upper, 6))
		r.AtEpsilon, r.DeltaAtEpsilon = &o.atEpsilon, &delta
	}
	if run.delta == 0 && !o.given("delta") {
		return r, nil
	}
	r.Delta = &run.delta
	interval, err := run.epsilon(run.accountant, run.steps)
	if err != nil {
		return nil, err
	}
	if r.Curve, err = o.points(run); err != nil || math.IsInf(interval.Upper, 1) {
		r.Statement = "Nothing is promised: ε is infinite."
		return r, err
	}
	upper, lower := accounting.RoundUp(interval.Upper, 6), accounting.RoundDown(interval.Lower, 6)
	r.Epsilon, r.EpsilonLower = &upper, &lower
	second, err := accounting.New("rdp", run.adjacency)
	if err != nil {
		return nil, err
	}
	if rdp, err := run.epsilon(second, run.steps); err == nil {
		r.EpsilonRDP = finite(accounting.RoundUp(rdp.Upper, 6))
	}
	curve, err := run.accountant.Curve(event)
	if err != nil {
		return nil, err
	}
	mu, err := curve.MuGDP(1e-6)
	if err != nil {
		return nil, err
	}
	rate, err := curve.TruePositiveRate(0.01)
	if err != nil {
		return nil, err
	}
	rate = math.Min(1, accounting.RoundUp(rate, 6))
	r.MuGDP, r.AttackSuccess = finite(accounting.RoundUp(mu, 6)), &rate
	r.Statement = train.Statement(upper, run.delta, rate)
	return r, nil
}

// points is ε at up to 20 numbers of steps, the last that of the run.
func (o *epsilonOptions) points(run *priced) ([]curvePoint, error) {
	if !o.curve {
		return nil, nil
	}
	const most = 20
	var points []curvePoint
	for i := 1; i <= most; i++ {
		steps := int(math.Ceil(float64(run.steps) * float64(i) / most))
		if n := len(points); steps == 0 || n > 0 && points[n-1].Steps == steps {
			continue
		}
		interval, err := run.epsilon(run.accountant, steps)
		if err != nil {
			return nil, err
		}
		points = append(points, curvePoint{steps, finite(accounting.RoundUp(interval.Upper, 6))})
	}
	return points, nil
}

// finite is x, or nil where it is infinite.
func finite(x float64) *float64 {
	if math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// printEpsilon prints the result for people: four digits, rounded up.
func printEpsilon(s *streams, r *epsilonResult) error {
	up := func(x *float64) string {
		if x == nil {
			return "infinite"
		}
		return accounting.FormatUp(*x, 4)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	if r.Delta != nil {
		fmt.Fprintf(w, "ε\t%s at δ = %g\t%s\n", up(r.Epsilon), *r.Delta, strength(r.Epsilon))
	}
	if r.DeltaAtEpsilon != nil {
		fmt.Fprintf(w, "δ\t%s at ε = %g\n", up(r.DeltaAtEpsilon), *r.AtEpsilon)
	}
	fmt.Fprintf(w, "noise multiplier σ\t%g\nsampling probability q\t%g\n", r.NoiseMultiplier, r.SamplingProbability)
	if r.BatchSize != nil {
		fmt.Fprintf(w, "batch size\t%d\n", *r.BatchSize)
	}
	fmt.Fprintf(w, "steps\t%d\naccountant\t%s\nadjacency\t%s\n", r.Steps, r.Accountant, r.Adjacency)
	if r.Epsilon != nil {
		fmt.Fprintf(w, "ε by RDP\t%s\nμ-GDP\t%s\nattack success at 1 %% false alarms\tat most %.3g %%\n", up(r.EpsilonRDP), up(r.MuGDP), 100**r.AttackSuccess)
	}
	if len(r.Curve) > 0 {
		fmt.Fprintln(w, "\nsteps\tε")
		for _, p := range r.Curve {
			fmt.Fprintf(w, "%s\t%s\n", strconv.Itoa(p.Steps), up(p.Epsilon))
		}
	}
	if r.Statement != "" {
		fmt.Fprintf(w, "\n%s\n", r.Statement)
	}
	return w.Flush()
}

// strength is what people call an ε.
func strength(epsilon *float64) string {
	switch {
	case epsilon == nil:
		return ""
	case *epsilon < 1:
		return "(very strong)"
	case *epsilon <= 10:
		return "(moderate)"
	}
	return "(weak)"
}
