package accounting

// pld gives the exact Gaussian figure where an event is exactly Gaussian, and elsewhere the Rényi bound above and 0 below.
type pld struct{ adjacency Adjacency }

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
	return rdp(p).Epsilon(e, delta)
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
	return rdp(p).Delta(e, epsilon)
}

func (p pld) Curve(e Event) (*Curve, error) {
	terms, err := flatten(e)
	if err != nil {
		return nil, err
	}
	if mu, ok := exactGaussian(terms, p.adjacency); ok {
		return gaussianCurve(mu), nil
	}
	return rdp(p).Curve(e)
}
