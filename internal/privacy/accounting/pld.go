package accounting

import (
	"errors"
	"math"
)

// pld brackets the loss distribution itself. It gives the exact Gaussian figure where an event is exactly Gaussian, and never more than
// the Rényi bound where there is one.
type pld struct {
	adjacency Adjacency
	width     float64 // of an interval, relative to its upper end, that is aimed at
	group     int     // how many records neighbours differ in; 0 is 1
}

// defaultWidth is the relative width of the intervals of New("pld").
const defaultWidth = 1e-3

// NewPLD returns the accountant that New calls "pld", with intervals as wide as a fraction relativeWidth of their upper ends, in
// [1e-6, 0.1]; they are wider where that takes more than a bounded amount of work.
func NewPLD(adjacency Adjacency, relativeWidth float64) (Accountant, error) {
	if !(relativeWidth >= 1e-6 && relativeWidth <= 0.1) {
		return nil, &ParameterError{"relative_width", formatFloat(relativeWidth), "a number in [1e-6, 0.1]"}
	}
	if err := checkAdjacency(adjacency); err != nil {
		return nil, err
	}
	return pld{adjacency: adjacency, width: relativeWidth}, nil
}

// maxGroup bounds the components of a mixture.
const maxGroup = 128

// ForGroups returns a, which is a "pld" accountant, for neighbours one of which has up to size records, in [1, 128], that the other has not,
// or has replaced: what is promised to a person who has that many. It is far below size·ε for sampled events, and valid where that is not (Ganesh
// 2024, arXiv:2401.10294).
func ForGroups(a Accountant, size int) (Accountant, error) {
	if size < 1 || size > maxGroup {
		return nil, &ParameterError{"group_size", formatFloat(float64(size)), "an integer in [1, 128]"}
	}
	if p, ok := a.(pld); ok {
		p.group = size
		return p, nil
	}
	return nil, &ParameterError{"accountant", a.Name(), "pld, for groups of records"}
}

func (pld) Name() string { return "pld" }

func (p pld) groupSize() int { return max(1, p.group) }

// distance is how far, in units of C, neighbours can put apart the sums of all records.
func (p pld) distance() float64 { return p.adjacency.sensitivity() * float64(p.groupSize()) }

// moment asks the Rényi accountant, which has an answer for single records and some events, and returns otherwise for the others.
func (p pld) moment(ask func(a rdp) (Interval, error), otherwise Interval) (Interval, error) {
	if p.groupSize() > 1 {
		return otherwise, nil
	}
	interval, err := ask(rdp{p.adjacency})
	if unsupported := new(UnsupportedError); errors.As(err, &unsupported) {
		return otherwise, nil
	}
	return interval, err
}

func (p pld) Epsilon(e Event, delta float64) (Interval, error) {
	if err := checkDelta(delta); err != nil {
		return Interval{}, err
	}
	terms, err := flatten(e)
	if err != nil {
		return Interval{}, err
	}
	if mu, ok := exactGaussian(terms, p.distance()); ok {
		return gaussianEpsilon(mu, delta), nil
	}
	m, err := p.mechanisms(e, terms)
	switch {
	case err != nil:
		return Interval{}, err
	case releases(terms):
		return Interval{math.Inf(1), math.Inf(1)}, nil
	case noiseless(terms):
		return Interval{0, math.Inf(1)}, nil
	}
	moment, err := p.moment(func(a rdp) (Interval, error) { return a.Epsilon(e, delta) }, Interval{0, math.Inf(1)})
	if err != nil || moment.Upper == 0 {
		return moment, err
	}
	return p.search(m, epsilonAt(delta), moment), nil
}

func (p pld) Delta(e Event, epsilon float64) (Interval, error) {
	if err := checkEpsilon(epsilon); err != nil {
		return Interval{}, err
	}
	terms, err := flatten(e)
	if err != nil {
		return Interval{}, err
	}
	if mu, ok := exactGaussian(terms, p.distance()); ok {
		return gaussianDelta(mu, epsilon), nil
	}
	m, err := p.mechanisms(e, terms)
	switch {
	case err != nil:
		return Interval{}, err
	case releases(terms):
		return Interval{1, 1}, nil
	case noiseless(terms):
		return Interval{0, 1}, nil
	}
	moment, err := p.moment(func(a rdp) (Interval, error) { return a.Delta(e, epsilon) }, Interval{0, 1})
	if err != nil {
		return moment, err
	}
	interval := p.search(m, deltaAt(epsilon), moment)
	interval.Upper = max(interval.Upper, 0x1p-1022)
	return interval, nil
}

func (p pld) Curve(e Event) (*Curve, error) {
	terms, err := flatten(e)
	if err != nil {
		return nil, err
	}
	if mu, ok := exactGaussian(terms, p.distance()); ok {
		return gaussianCurve(mu), nil
	}
	m, err := p.mechanisms(e, terms)
	switch {
	case err != nil:
		return nil, err
	case releases(terms) || noiseless(terms):
		return gaussianCurve(math.Inf(1)), nil
	}
	moments := orders{top: math.Inf(1)}
	if r := (rdp{p.adjacency}); p.groupSize() == 1 && r.check(e, terms) == nil {
		moments = r.orders(terms, 32)
	}
	return p.curve(m, moments), nil
}
