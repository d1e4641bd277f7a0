package accounting

import "math"

// rdp is Rényi differential privacy at the best real order: an upper end for every event of Gaussian kind, and 0 below.
type rdp struct{ adjacency Adjacency }

func (rdp) Name() string { return "rdp" }

// Orders searched: α = 1 + e^x for x in this range. Any order is valid; the best one lies inside for ε from 1e-9 to 1e13.
const (
	minLogLambda = -16
	maxLogLambda = 25
	// logLambdaTolerance costs at most the square of it, relatively, in ε.
	logLambdaTolerance = 1e-4
)

// epsilonFromMoment returns the ε that the moment bound k ≥ K(lambda) gives at delta: Proposition 12 of Canonne, Kamath,
// Steinke 2020, arXiv:2004.00010, at α = λ+1 and with K = λ·ρ,
//
//	ε = [K − log δ + λ·log(λ/(λ+1)) − log(λ+1)] / λ.
//
// The numerator is convex and positive at λ = 0 (K is convex, the rest has second derivative 1/(λ(λ+1))), so ε is
// quasi-convex in λ: it has a single minimum.
func epsilonFromMoment(k, lambda, delta float64) float64 {
	reward := conversion(lambda)
	numerator := k - logOf(delta) + reward
	return (numerator + 1e-15*(k-logOf(delta)-reward)) / lambda // the second part covers roundings
}

// logDeltaFromMoment is the same bound solved for log δ at a given ε. It is convex in λ.
func logDeltaFromMoment(k, lambda, epsilon float64) float64 {
	return logDelta(k, lambda, conversion(lambda), epsilon)
}

// logDelta is logDeltaFromMoment where conversion(lambda), the reward, is known.
func logDelta(k, lambda, reward, epsilon float64) float64 {
	return k - lambda*epsilon + reward + 1e-15*(k+lambda*epsilon-reward)
}

// conversion returns λ·log(λ/(λ+1)) − log(λ+1), which is negative and at least −1 − log(λ+1).
func conversion(lambda float64) float64 { return -lambda*math.Log1p(1/lambda) - math.Log1p(lambda) }

// check refuses what has no moment bound for the adjacency.
func (r rdp) check(e Event, terms []term) error {
	for _, t := range terms {
		switch {
		case t.kind == gaussian && t.q < 1 && r.adjacency == ReplaceOne:
			return &UnsupportedError{Event: e, Reason: "is Poisson sampled, which has no Rényi bound here under replace_one"}
		case t.kind == laplace && t.q < 1:
			return &UnsupportedError{Event: e, Reason: "samples a Laplace mechanism, which has no Rényi bound here"}
		case t.kind == bounded && t.bound.Delta > 0:
			return &UnsupportedError{Event: e, Reason: "may fail with probability delta, which has no Rényi bound"}
		}
	}
	return nil
}

// bestOrder returns λ and ε at the order that is best for delta. terms are not empty.
func (r rdp) bestOrder(terms []term, delta float64) (lambda, epsilon float64) {
	x, epsilon := minimize(func(x float64) float64 {
		lambda := math.Exp(x)
		return epsilonFromMoment(cumulant(terms, lambda, r.adjacency.sensitivity()), lambda, delta)
	}, minLogLambda, maxLogLambda, logLambdaTolerance)
	return math.Exp(x), max(0, epsilon)
}

func (r rdp) Epsilon(e Event, delta float64) (Interval, error) {
	if err := checkDelta(delta); err != nil {
		return Interval{}, err
	}
	terms, err := r.terms(e)
	switch {
	case err != nil:
		return Interval{}, err
	case len(terms) == 0:
		return Interval{0, 0}, nil
	case releases(terms):
		return Interval{math.Inf(1), math.Inf(1)}, nil
	}
	_, upper := r.bestOrder(terms, delta)
	return Interval{0, upper}, nil
}

func (r rdp) Delta(e Event, epsilon float64) (Interval, error) {
	if err := checkEpsilon(epsilon); err != nil {
		return Interval{}, err
	}
	terms, err := r.terms(e)
	switch {
	case err != nil:
		return Interval{}, err
	case len(terms) == 0:
		return Interval{0, 0}, nil
	case releases(terms):
		return Interval{1, 1}, nil
	}
	_, log := minimize(func(x float64) float64 {
		lambda := math.Exp(x)
		return logDeltaFromMoment(cumulant(terms, lambda, r.adjacency.sensitivity()), lambda, epsilon)
	}, minLogLambda, maxLogLambda, logLambdaTolerance)
	return Interval{0, probability(log)}, nil
}

func (r rdp) Curve(e Event) (*Curve, error) {
	terms, err := r.terms(e)
	if err != nil {
		return nil, err
	}
	if len(terms) == 0 {
		return gaussianCurve(0), nil
	}
	return r.orders(terms, 256).curve(), nil
}

// orders is the moments at a fixed set of orders, which a curve takes the best of at each ε.
type orders struct {
	lambdas, moments, rewards []float64 // rewards are the conversions
	top                       float64   // ε at smallestCurveDelta
}

func (r rdp) orders(terms []term, count int) orders {
	least, _ := r.bestOrder(terms, 0.9)
	most, top := r.bestOrder(terms, smallestCurveDelta)
	o := orders{make([]float64, count), make([]float64, count), make([]float64, count), top}
	for i := range count {
		o.lambdas[i] = least / 2 * math.Pow(4*most/least, float64(i)/float64(count-1))
		o.moments[i] = cumulant(terms, o.lambdas[i], r.adjacency.sensitivity())
		o.rewards[i] = conversion(o.lambdas[i])
	}
	return o
}

func (o orders) deltas(epsilons []float64) []float64 {
	deltas := make([]float64, len(epsilons))
	for k, epsilon := range epsilons {
		log := 0.0
		for i, lambda := range o.lambdas {
			log = min(log, logDelta(o.moments[i], lambda, o.rewards[i], epsilon))
		}
		deltas[k] = probability(log)
	}
	return deltas
}

func (o orders) curve() *Curve { return newCurve(o.top, o.deltas) }

// terms flattens e and refuses what has no moment bound.
func (r rdp) terms(e Event) ([]term, error) {
	terms, err := flatten(e)
	if err != nil {
		return nil, err
	}
	return terms, r.check(e, terms)
}
