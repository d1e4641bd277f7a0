package accounting

import "math"

// pld brackets the loss distribution itself. It gives the exact Gaussian figure where an event is exactly Gaussian, and never more than
// the Rényi bound.
type pld struct {
	adjacency Adjacency
	width     float64 // of an interval, relative to its upper end, that is aimed at
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
	return pld{adjacency, relativeWidth}, nil
}

func (pld) Name() string { return "pld" }

func (p pld) Epsilon(e Event, delta float64) (Interval, error) {
	if err := checkDelta(delta); err != nil {
		return Interval{}, err
	}
	terms, err := flatten(e)
	if err != nil {
		return Interval{}, err
	}
	if mu, ok := exactGaussian(terms, p.adjacency); ok {
		return gaussianEpsilon(mu, delta), nil
	}
	moment, err := rdp{p.adjacency}.Epsilon(e, delta)
	if err != nil || math.IsInf(moment.Upper, 1) || moment.Upper == 0 {
		return moment, err
	}
	return p.search(terms, epsilonAt(delta), moment), nil
}

func (p pld) Delta(e Event, epsilon float64) (Interval, error) {
	if err := checkEpsilon(epsilon); err != nil {
		return Interval{}, err
	}
	terms, err := flatten(e)
	if err != nil {
		return Interval{}, err
	}
	if mu, ok := exactGaussian(terms, p.adjacency); ok {
		return gaussianDelta(mu, epsilon), nil
	}
	moment, err := rdp{p.adjacency}.Delta(e, epsilon)
	if err != nil {
		return moment, err
	}
	interval := p.search(terms, deltaAt(epsilon), moment)
	interval.Upper = max(interval.Upper, 0x1p-1022)
	return interval, nil
}

func (p pld) Curve(e Event) (*Curve, error) {
	terms, err := flatten(e)
	if err != nil {
		return nil, err
	}
	if mu, ok := exactGaussian(terms, p.adjacency); ok {
		return gaussianCurve(mu), nil
	}
	if err := (rdp{p.adjacency}).check(e, terms); err != nil {
		return nil, err
	}
	return p.curve(terms), nil
}
