package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
	"dptrain/internal/train/sheet"
)

// epsilonResult is what epsilon prints with --json.
type epsilonResult struct {
	Epsilon             *float64     `json:"epsilon"`
	EpsilonLower        *float64     `json:"epsilon_lower"`
	Delta               *float64     `json:"delta"`
	NoiseMultiplier     *float64     `json:"noise_multiplier"`     // null with --events, as are
	SamplingProbability *float64     `json:"sampling_probability"` // this
	Steps               *int         `json:"steps"`                // and this
	BatchSize           *int         `json:"batch_size,omitempty"`
	GroupSize           *int         `json:"group_size,omitempty"`
	Accountant          string       `json:"accountant"`
	Adjacency           string       `json:"adjacency"`
	EpsilonRDP          *float64     `json:"epsilon_rdp"`
	MuGDP               *float64     `json:"mu_gdp"`
	AttackSuccess       *float64     `json:"tpr_at_1pct_fpr"`
	Advantage           *float64     `json:"advantage"` // largest true-positive rate minus false-positive rate of any attack
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

// result computes all that is printed.
func (o *epsilonOptions) result(run *priced) (*epsilonResult, error) {
	r := &epsilonResult{Accountant: run.accountant.Name(), Adjacency: string(run.adjacency)}
	if !run.listed {
		r.NoiseMultiplier, r.SamplingProbability, r.Steps = &run.sigma, &run.q, &run.steps
	}
	if o.given("group-size") {
		r.GroupSize = &o.groupSize
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
	// The curve takes about as long as ε itself: on another processor, people wait for one of them.
	var curve *accounting.Curve
	var curveErr error
	var group sync.WaitGroup
	group.Go(func() { curve, curveErr = run.accountant.Curve(event) })
	interval, err := run.epsilon(run.accountant, run.steps)
	group.Wait()
	if err = errors.Join(err, curveErr); err != nil {
		return nil, err
	}
	if r.Curve, err = o.points(run); err != nil || math.IsInf(interval.Upper, 1) {
		r.Statement = "Nothing is promised: ε is infinite."
		return r, err
	}
	upper, lower := accounting.RoundUp(interval.Upper, 6), accounting.RoundDown(interval.Lower, 6)
	r.Epsilon, r.EpsilonLower = &upper, &lower
	if !o.given("group-size") { // RDP has no bound for groups
		second, err := accounting.New("rdp", run.adjacency)
		if err != nil {
			return nil, err
		}
		if rdp, err := run.epsilon(second, run.steps); err == nil {
			r.EpsilonRDP = finite(accounting.RoundUp(rdp.Upper, 6))
		}
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
	advantage := math.Min(1, accounting.RoundUp(curve.Advantage(), 6))
	r.MuGDP, r.AttackSuccess, r.Advantage = finite(accounting.RoundUp(mu, 6)), &rate, &advantage
	r.Statement = train.Statement(upper, run.delta, rate, o.groupSize)
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
	w := newPage(s.out)
	if r.Delta != nil {
		fmt.Fprintf(w, "ε\t%s at δ = %g  %s\n", up(r.Epsilon), *r.Delta, strength(r.Epsilon))
	}
	if r.DeltaAtEpsilon != nil {
		fmt.Fprintf(w, "δ\t%s at ε = %g\n", up(r.DeltaAtEpsilon), *r.AtEpsilon)
	}
	if r.GroupSize != nil {
		fmt.Fprintf(w, "rows of one person\t%d\n", *r.GroupSize)
	}
	if r.Steps != nil {
		fmt.Fprintf(w, "noise multiplier σ\t%g\nsampling probability q\t%g\nsteps\t%d\n", *r.NoiseMultiplier, *r.SamplingProbability, *r.Steps)
	}
	if r.BatchSize != nil {
		fmt.Fprintf(w, "batch size\t%d\n", *r.BatchSize)
	}
	fmt.Fprintf(w, "accountant\t%s\nadjacency\t%s\n", r.Accountant, r.Adjacency)
	if r.EpsilonRDP != nil {
		fmt.Fprintf(w, "ε by RDP\t%s\n", up(r.EpsilonRDP))
	}
	if r.Epsilon != nil {
		fmt.Fprintf(w, "certified interval of ε\t%s to %s\nμ-GDP\t%s\nattack success at 1 %% false alarms\tat most %.3g %%\nattacker's advantage\tat most %.3g %%\n",
			accounting.FormatDown(*r.EpsilonLower, 4), up(r.Epsilon), up(r.MuGDP), 100**r.AttackSuccess, 100**r.Advantage)
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

// strength is what people call an ε, in brackets.
func strength(epsilon *float64) string {
	if epsilon == nil {
		return ""
	}
	return "(" + sheet.Strength(*epsilon) + ")"
}
