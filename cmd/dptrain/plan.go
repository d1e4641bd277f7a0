package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
	"dptrain/internal/train/sheet"
)

// planOptions are the flags of plan.
type planOptions struct {
	config  configFlags
	workers workers
	json    bool
}

func (o *planOptions) addFlags(f *pflag.FlagSet) {
	o.config.addFlags(f)
	o.workers.addFlag(f, "time `N` goroutines, as fit would train with")
	f.BoolVar(&o.json, "json", false, "print the result as one JSON object")
}

func newPlanCommand(s *streams) *cobra.Command {
	var o planOptions
	c := &cobra.Command{
		Use:   "plan -c CONFIG",
		Short: "Say what a fit would cost and could learn, before any data is read",
		Long: `plan calibrates the noise as fit does and says what it means: the noise in a
weight, rows × μ (how the sum over all rows stands against the noise), about how
long the fit takes here and how much memory; and what half or twice the rows, ε,
steps or sampling probability would do. It reads no table. The time is measured
on a few steps over invented rows.

Of the shipped configs, those with a rows × μ for each class above 1,000 lose
next to nothing to privacy, those above 100 one to three points of accuracy, and
those below 100 more than ten. Signal to noise is rows × μ ÷ √parameters, as if
all rows agreed: it says which change helps, not how accurate a model will be.

Exit status is 0 when done, 2 for a wrong flag, 3 for an invalid config, and 5
when the target cannot be reached.`,
		Example: `  dptrain plan -c configs/quickstart.yaml
  dptrain plan -c configs/banking77.yaml --set privacy.target_epsilon=1`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return runPlan(c.Context(), s, &o) },
	}
	o.addFlags(c.Flags())
	return c
}

// planResult is what plan prints with --json.
type planResult struct {
	planFigures
	Delta             float64         `json:"delta"`
	MaxGradNorm       float64         `json:"max_grad_norm"`
	LearningRate      float64         `json:"learning_rate"`
	Rows              int             `json:"rows"` // declared, or their cap
	Classes           int             `json:"classes"`
	Parameters        int             `json:"parameters"`
	Mu                float64         `json:"mu_gdp"`
	RowsMu            float64         `json:"rows_times_mu"`
	RowsMuPerClass    float64         `json:"rows_times_mu_per_class"`
	NoisePerWeight    float64         `json:"noise_per_weight"`
	TrainSeconds      float64         `json:"train_seconds"` // about, here
	ExamplesPerSecond float64         `json:"examples_per_second"`
	MemoryBytes       float64         `json:"memory_bytes"` // about
	Knobs             []planKnob      `json:"knobs"`
	Warnings          []placedWarning `json:"warnings"`
}

// planFigures are those that are compared.
type planFigures struct {
	Epsilon             float64 `json:"epsilon"`
	NoiseMultiplier     float64 `json:"noise_multiplier"`
	Steps               int     `json:"steps"`
	SamplingProbability float64 `json:"sampling_probability"`
	NoisePerStep        float64 `json:"noise_per_step"` // standard deviation in a weight of a mean gradient
	SignalToNoise       float64 `json:"signal_to_noise"`
}

// planKnob is what a change would do.
type planKnob struct {
	Change       string       `json:"change"`
	Plan         *planFigures `json:"plan"` // null where it is impossible
	RelativeTime float64      `json:"relative_time,omitempty"`
	Impossible   string       `json:"impossible,omitempty"` // why
}

func runPlan(ctx context.Context, s *streams, o *planOptions) error {
	if err := o.workers.check(); err != nil {
		return err
	}
	cfg, err := loadConfig(o.config, os.Getenv)
	if err != nil {
		return err
	}
	p, err := makePlan(cfg)
	if err != nil {
		return err
	}
	s.warnOfPlan(cfg, p.Warnings)
	pace, err := measurePace(ctx, p, o.workers.of(p))
	if err != nil {
		return interrupted(ctx, err)
	}
	look := p.Outlook(o.workers.of(p))
	r := &planResult{
		planFigures: figures(p, look), Delta: p.Privacy.Delta, MaxGradNorm: p.Privacy.MaxGradNorm, LearningRate: p.Train.LearningRate,
		Rows: p.Slots(), Classes: len(p.Schema.Classes()), Parameters: look.Parameters,
		Mu: look.Mu, RowsMu: look.RowsMu, RowsMuPerClass: look.RowsMuPerClass, NoisePerWeight: look.NoisePerWeight,
		TrainSeconds: pace.seconds(p), MemoryBytes: look.Memory, Knobs: turnKnobs(cfg, p, pace, o.workers.of(p)), Warnings: placeWarnings(cfg, p.Warnings),
	}
	r.ExamplesPerSecond = p.Divisor() * float64(p.Train.Steps) / r.TrainSeconds
	if o.json {
		return json.NewEncoder(s.out).Encode(r)
	}
	return printPlan(s, cfg, p, r)
}

func figures(p *train.Plan, look train.Outlook) planFigures {
	return planFigures{Epsilon: accounting.RoundUp(p.Claim.Upper, 6), NoiseMultiplier: p.Privacy.NoiseMultiplier, Steps: p.Train.Steps,
		SamplingProbability: p.Train.SamplingProbability, NoisePerStep: look.NoisePerStep, SignalToNoise: look.SignalToNoise}
}

// pace is how long a step takes here: for itself, whose noise and optimizer depend on the parameters alone, and for each
// of its rows.
type pace struct{ step, row float64 }

func (c pace) seconds(p *train.Plan) float64 {
	return float64(p.Train.Steps) * (c.step + c.row*p.Divisor())
}

// measurePace times steps over two mock tables, for some tenths of a second.
func measurePace(ctx context.Context, p *train.Plan, workers int) (pace, error) {
	few, many := 64, 4096
	if p.Schema.DenseWidth() > 4096 {
		many = 1024
	}
	perStep := func(rows int) (float64, error) {
		const steps = 8
		best, last := math.Inf(1), time.Now()
		err := p.Rehearse(ctx, p.Mock(rows), steps, workers, func(step int) {
			now := time.Now()
			if step > 1 { // the first warms up
				best = math.Min(best, now.Sub(last).Seconds())
			}
			last = now
		})
		return best, err
	}
	small, err := perStep(few)
	if err != nil {
		return pace{}, err
	}
	large, err := perStep(many)
	if err != nil {
		return pace{}, err
	}
	c := pace{row: math.Max(1e-10, (large-small)/float64(many-few))}
	c.step = math.Max(0, small-float64(few)*c.row)
	return c, nil
}

// turnKnobs plans the same job with half and with twice of what people can change.
func turnKnobs(cfg *config, p *train.Plan, c pace, workers int) (knobs []planKnob) {
	for _, knob := range []struct {
		name string
		turn func(o *train.Options, factor float64) string // why it cannot be turned, or empty
	}{
		{"the rows", func(o *train.Options, factor float64) string {
			o.Rows, o.RowsAtMost = scaled(o.Rows, factor), scaled(o.RowsAtMost, factor)
			return ""
		}},
		{"ε", func(o *train.Options, factor float64) string {
			epsilon := p.Claim.Upper * factor
			o.Privacy.TargetEpsilon, o.Privacy.NoiseMultiplier = &epsilon, nil
			return ""
		}},
		{"the steps", func(o *train.Options, factor float64) string {
			steps := scaled(p.Train.Steps, factor)
			o.Train.Steps, o.Train.Epochs = &steps, nil
			return ""
		}},
		{"q", func(o *train.Options, factor float64) string {
			q := p.Train.SamplingProbability * factor
			if q > 1 {
				return "q is at most 1"
			}
			steps := p.Train.Steps
			o.Train.SamplingProbability, o.Train.BatchSize, o.Train.Steps, o.Train.Epochs = &q, nil, &steps, nil
			return ""
		}},
	} {
		for _, factor := range []float64{0.5, 2} {
			name := map[float64]string{0.5: "half ", 2: "twice "}[factor] + knob.name
			options := cfg.Options
			if why := knob.turn(&options, factor); why != "" {
				knobs = append(knobs, planKnob{Change: name, Impossible: why})
				continue
			}
			turned, err := train.NewPlan(options, p.Schema)
			if err != nil {
				knobs = append(knobs, planKnob{Change: name, Impossible: err.Error()})
				continue
			}
			f := figures(turned, turned.Outlook(workers))
			knobs = append(knobs, planKnob{Change: name, Plan: &f, RelativeTime: c.seconds(turned) / c.seconds(p)})
		}
	}
	return knobs
}

// scaled is n times factor, and at least 1 where n is.
func scaled(n int, factor float64) int {
	return max(min(n, 1), int(math.Round(float64(n)*factor)))
}

// printPlan prints the result for people.
func printPlan(s *streams, cfg *config, p *train.Plan, r *planResult) error {
	w := newPage(s.out)
	fmt.Fprintf(w, "privacy\tε = %s at δ = %g for one row (%s)\n", accounting.FormatUp(r.Epsilon, 4), r.Delta, p.Privacy.Adjacency)
	if p.Person > 0 {
		fmt.Fprintf(w, "\tε = %s for a person with up to %s\n", accounting.FormatUp(p.Person, 4), sheet.Count(p.Privacy.MaxRowsPerPerson, "row"))
	}
	fmt.Fprintf(w, "model\t%s, %s, %s\n", sheet.Count(r.Parameters, "parameter"), sheet.Count(p.Schema.DenseWidth()+p.Schema.SparseWidth(), "input"), sheet.Count(r.Classes, "class"))
	fmt.Fprintf(w, "run\t%s at q = %.4g, %.6g rows a step, learning rate %.4g\n", sheet.Count(r.Steps, "step"), r.SamplingProbability, p.Divisor(), r.LearningRate)
	fmt.Fprintf(w, "noise\tσ = %g, C = %g: %.3g in a weight each step, %.3g over the run\n", r.NoiseMultiplier, r.MaxGradNorm, r.NoisePerStep, r.NoisePerWeight)
	fmt.Fprintf(w, "signal\trows × μ = %d × %.3g = %.4g; for each class %.4g: %s\n", r.Rows, r.Mu, r.RowsMu, r.RowsMuPerClass, expectation(r.RowsMuPerClass))
	fmt.Fprintf(w, "\tsignal to noise %.3g if all rows agreed\n", r.SignalToNoise)
	fmt.Fprintf(w, "time\tabout %s here, %.2g examples a second\n", about(r.TrainSeconds), r.ExamplesPerSecond)
	fmt.Fprintf(w, "memory\tabout %s\n", bytesOf(r.MemoryBytes))
	fmt.Fprintln(w, "\nwith\tε\tσ\tsteps\tq\tnoise a step\tsignal to noise\ttime")
	row := func(name string, f *planFigures, time float64) {
		fmt.Fprintf(w, "%s\t%s\t%.4g\t%d\t%.4g\t%.3g\t%.3g\t× %.2g\n", name, accounting.FormatUp(f.Epsilon, 4), f.NoiseMultiplier, f.Steps, f.SamplingProbability, f.NoisePerStep, f.SignalToNoise, time)
	}
	row("this config", &r.planFigures, 1)
	impossible := ""
	for _, k := range r.Knobs {
		if k.Plan == nil {
			impossible += fmt.Sprintf("%s is not possible: %s\n", k.Change, k.Impossible)
			continue
		}
		row(k.Change, k.Plan, k.RelativeTime)
	}
	if impossible != "" {
		fmt.Fprint(w, "\n"+impossible)
	}
	fmt.Fprintf(w, "\nnext\t%s\n", cfg.command("fit"))
	return w.Flush()
}

// expectation is what rows × μ for each class has meant on the shipped configs.
func expectation(perClass float64) string {
	switch {
	case perClass >= 1000:
		return "privacy should cost next to nothing"
	case perClass >= 100:
		return "privacy may cost a few points of accuracy"
	}
	return "privacy may cost much of the accuracy: more rows, a larger ε or fewer classes help"
}

// about is a time in words.
func about(seconds float64) string {
	switch {
	case seconds < 0.1:
		return "0.1 s"
	case seconds < 100:
		return fmt.Sprintf("%.2g s", seconds)
	case seconds < 6000:
		return fmt.Sprintf("%.2g min", seconds/60)
	}
	return fmt.Sprintf("%.2g h", seconds/3600)
}

// bytesOf is an amount of memory in words.
func bytesOf(n float64) string {
	if n < 1e9 {
		return fmt.Sprintf("%.0f MB", math.Max(1, n/1e6))
	}
	return fmt.Sprintf("%.1f GB", n/1e9)
}
