package accounting

import (
	"errors"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/dsp/fourier"
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

// A curve is read off compositions in each direction, each at the tilt that is best for one of curveDeltas and on a lattice that keeps δ
// there to a relative curveWidth, on average a tenth of that; their ranges of ε overlap.
const curveWidth = 0.1

// curveDeltas falls from largest, δ(0). What lies below its end is read off its last composition, too.
func curveDeltas(largest float64) []float64 {
	deltas := []float64{0.5 * largest, 0.05 * largest, 2e-3 * largest, 1e-5 * largest, 1e-8 * largest}
	return slices.DeleteFunc(deltas, func(delta float64) bool { return delta < smallestCurveDelta })
}

// curve bounds δ from above by compositions of different tilts, and by the moments.
func (p pld) curve(m mechanisms, moments orders) *Curve {
	forward, reverse, ok := m.coarse(smallestCurveDelta/100, math.Inf(1), coarseAtoms)
	if !ok {
		return moments.curve()
	}
	_, epsilon := epsilonAt(smallestCurveDelta).bestTilt(forward)
	_, back := epsilonAt(smallestCurveDelta).bestTilt(reverse)
	_, largest := deltaAt(0).bestTilt(forward)

	at := curveDeltas(largest)
	forwards, reverses := make([]*composition, len(at)), make([]*composition, len(at)) // nil where there is none
	var group sync.WaitGroup
	for k, delta := range at {
		group.Go(func() { forwards[k], reverses[k] = m.near(delta) })
	}
	group.Wait()
	return newCurve(min(moments.top, max(epsilon, back)), func(epsilons []float64) []float64 {
		read := func(compositions []*composition) []float64 {
			bounds := slices.Repeat([]float64{1}, len(epsilons))
			for _, c := range compositions {
				if c != nil {
					c.deltas(bounds, epsilons, true)
				}
			}
			return bounds
		}
		deltas, ahead, back := moments.deltas(epsilons), read(forwards), read(reverses)
		for i := range deltas {
			deltas[i] = min(deltas[i], max(ahead[i], back[i]))
		}
		return deltas
	})
}

// near composes in both directions, from above, for reading near the ε at which δ is delta; nil where that takes too many points.
func (m mechanisms) near(delta float64) (forward, reverse *composition) {
	lost := curveWidth * 1e-3 * delta
	s, ahead, ok := m.begin(epsilonAt(delta), lost, math.Inf(1), coarseAtoms)
	if !ok {
		return nil, nil
	}
	lambda := s.lambda
	// Where the tilt is small, δ suffers less from what the moment grows by than from what the loss's deviation does. Where few runs
	// decide, all depends on what lies within one step, but points are cheap.
	deviation := deviation(ahead, lambda)
	step := min(deltaAt(0).step(m.total, lambda, 0, curveWidth), 0.05*deviation/math.Sqrt(m.total))
	step = min(step, max(widest(ahead)/2, deviation/400))
	l, _, ok := m.build(step, lost, math.Inf(1), 1)
	if !ok {
		return nil, nil
	}
	plan, outside := fourier.NewFFT(16), curveWidth*1e-3/(lambda+2)
	forward, _ = compose(l.forward, lambda, outside, outside, math.Inf(1), mostPoints, plan)
	reverse, _ = compose(l.reverse, lambda, outside, outside, math.Inf(1), mostPoints, plan)
	return forward, reverse
}
