package privacy

import (
	"fmt"
	"math"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/lattice"
)

// A Spec states a private run in public numbers.
type Spec struct {
	Params              int     // length of a gradient
	Sparse              Sparse  // where a row has few coordinates; the zero value: nowhere
	Slots               int     // number of places for rows
	Steps               int     // T; 0 is a run that learns nothing
	SamplingProbability float64 // q in (0, 1]
	NoiseMultiplier     float64 // σ: standard deviation of the noise ÷ clipping norm
	MaxGradNorm         float64 // C
	Delta               float64 // δ of the claim, in (0, 1)
	Queries             []Query // asked before the first step, in this order
}

// Sparse is the first Columns·Width coordinates of gradients that leave most of them 0: Width for each column of sparse inputs.
// They are summed as [lattice.Products].
type Sparse struct{ Columns, Width int }

// coordinates is S, the number of them.
func (s Sparse) coordinates() int { return s.Columns * s.Width }

// arithmeticShare is the part of δ that pays for what the run does beyond the mechanism of the accountant: the chance
// that a range holds more drawn slots than η allows for, and the cut ends of the discrete Gaussian.
const arithmeticShare = 1e-5

// tailShare is the part of δ for the chance that a range holds too many: a two-thousandth of the share, so that two
// thousand runs that share a budget stay within it together.
const tailShare = arithmeticShare / 2000

// The ends of what can be claimed. Beyond them the cut ends of the noise, or what δ is set aside for, would need another
// argument than package lattice gives (claim 3).
const (
	MaxEpsilon      = 1000.0
	minDelta        = 1e-100
	maxExtraEpsilon = 1e-3
)

// AccountedDelta is the δ left for the accountant out of the δ of a claim.
func AccountedDelta(delta float64) float64 { return delta * (1 - arithmeticShare) }

// A Plan is a checked Spec with everything derived from it. It is a function of public numbers alone and immutable.
type Plan struct {
	Spec
	Sampler Sampler
	Clipper Clipper
	Ranges  Ranges
	Lattice lattice.Lattice

	queries []*Plan // of Queries
}

// NewPlan checks s and derives the rest. It errs where the run cannot be done as claimed.
func NewPlan(s Spec) (*Plan, error) {
	sampler, err := NewSampler(s.SamplingProbability)
	if err != nil {
		return nil, err
	}
	clipper, err := NewFlat(s.MaxGradNorm)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Params < 1 || s.Slots < 1 || s.Steps < 0:
		return nil, fmt.Errorf("a run needs at least one parameter, one slot and no negative number of steps")
	case s.Sparse != Sparse{} && (s.Sparse.Width < 1 || s.Sparse.Columns < 1 || s.Sparse.Columns > s.Params/s.Sparse.Width):
		return nil, fmt.Errorf("%d sparse columns of %d coordinates in a gradient of %d", s.Sparse.Columns, s.Sparse.Width, s.Params)
	case s.Slots > math.MaxInt32:
		return nil, fmt.Errorf("%d slots, want at most %d", s.Slots, math.MaxInt32)
	case !(s.Delta >= minDelta && s.Delta < 1):
		return nil, fmt.Errorf("delta is %v, want a number in [%v, 1)", s.Delta, minDelta)
	}
	p := &Plan{Spec: s, Sampler: sampler, Clipper: clipper}
	p.Ranges = planRanges(s.Params-s.Sparse.coordinates(), s.Slots, sampler.Probability(), s.Steps, s.Delta*tailShare)
	p.Lattice, err = lattice.Choose(lattice.Demand{
		Params:          s.Params,
		Products:        s.Sparse.coordinates(),
		Slots:           s.Slots,
		Bound:           clipper.Bound(),
		NoiseMultiplier: s.NoiseMultiplier,
		MaxDrawn:        p.Ranges.MaxDrawn,
	})
	if err != nil {
		return nil, err
	}
	for _, q := range s.Queries {
		asked, err := q.plan(s.Slots, s.Delta)
		if err != nil {
			return nil, err
		}
		p.queries = append(p.queries, asked)
	}
	if extra := p.ExtraEpsilon(s.Steps); extra > maxExtraEpsilon {
		return nil, fmt.Errorf("%d steps of %d parameters on this lattice add %.3g to epsilon, want at most %v", s.Steps, s.Params, extra, maxExtraEpsilon)
	}
	return p, nil
}

// Divisor is the public constant that turns a sum into a mean: the expected number of drawn slots.
func (p *Plan) Divisor() float64 { return p.Sampler.Probability() * float64(p.Slots) }

// Event is what all queries and a number of steps of the run cost, as an accountant reads it.
func (p *Plan) Event(steps int) accounting.Event {
	step := p.Sampler.Event(accounting.Gaussian{NoiseMultiplier: p.NoiseMultiplier})
	return EventOf(p.Queries, step, steps)
}

// EventOf is what queries, and then a number of steps of one event, cost.
func EventOf(queries []Query, step accounting.Event, steps int) accounting.Event {
	all := accounting.SelfComposed{Event: step, Count: steps}
	if len(queries) == 0 {
		return all
	}
	var list accounting.Composed
	for _, q := range queries {
		list.Events = append(list.Events, q.event())
	}
	list.Events = append(list.Events, all)
	return list
}

// AccountedDelta is the δ left for the accountant out of the claim's.
func (p *Plan) AccountedDelta() float64 { return AccountedDelta(p.Delta) }

// ExtraEpsilon is what the noise of all queries and a number of steps differs from the Gaussian mechanism's (package
// lattice, claim 3): the factors of all draws multiply, whatever their lattices.
func (p *Plan) ExtraEpsilon(steps int) float64 {
	extra := p.Lattice.ExtraEpsilon(p.Params, steps)
	for _, q := range p.queries {
		extra += q.ExtraEpsilon(1)
	}
	return extra
}

// TotalVariation bounds the distance in total variation between the noise of all queries and a number of steps and
// continuous noise, rounded (package lattice, claim 3).
func (p *Plan) TotalVariation(steps int) float64 {
	total := p.Lattice.TotalVariation(p.Params, steps)
	for _, q := range p.queries {
		total += q.TotalVariation(1)
	}
	return total
}

// Epsilon is the ε of a number of steps at the plan's δ, to be claimed: the accountant's upper end at AccountedDelta, and
// ExtraEpsilon on top. It is +Inf where that is above MaxEpsilon.
func (p *Plan) Epsilon(a accounting.Accountant, steps int) (float64, error) {
	interval, err := a.Epsilon(p.Event(steps), p.AccountedDelta())
	if epsilon := interval.Upper + p.ExtraEpsilon(steps); epsilon <= MaxEpsilon {
		return epsilon, err
	}
	return math.Inf(1), err
}

// Bracket is Epsilon with a lower bound on the ε of the mechanism as accounted, at the plan's δ.
func (p *Plan) Bracket(a accounting.Accountant, steps int) (accounting.Interval, error) {
	upper, err := p.Epsilon(a, steps)
	if err != nil {
		return accounting.Interval{}, err
	}
	interval, err := a.Epsilon(p.Event(steps), p.Delta)
	return accounting.Interval{Lower: min(interval.Lower, upper), Upper: upper}, err
}

// DeltaAt is an upper bound on the δ of a number of steps at another ε than the claim's: the accountant's answer there,
// less ExtraEpsilon, and the share of δ that the arithmetic takes.
func (p *Plan) DeltaAt(a accounting.Accountant, steps int, epsilon float64) (float64, error) {
	extra := p.ExtraEpsilon(steps)
	interval, err := a.Delta(p.Event(steps), max(0, epsilon-extra))
	return min(1, interval.Upper*math.Exp(extra)+p.Delta*arithmeticShare), err
}

// ArithmeticDelta is an upper bound on the δ that a number of steps takes beyond the accountant's mechanism: what several
// runs take adds up, where they share a budget.
func (p *Plan) ArithmeticDelta(steps int) float64 {
	return p.Ranges.Tail + p.Delta*math.Expm1(p.ExtraEpsilon(steps))
}
