package accounting

import (
	"fmt"
	"math"
)

// A Filter bounds what events cost together where each was chosen after the outputs of those before it were seen: not its
// outputs alone may depend on them, as in [Composed], but q, σ, how often, and whether there is a further one. It counts
// each event in one currency, and ε follows from the sum.
//
// # Why the sum may be adaptive
//
// Let the budget be ε at δ, D and D′ neighbours, L the likelihood ratio of D to D′ of all outputs so far, and E the mean
// under D′. The sequence is (ε, δ)-private in this direction if E(L − e^ε)₊ ≤ δ in the end, for whoever chooses the events.
// Take a function V(L, b) of L and of the budget b that is left, with V(L, b) ≥ (L − e^ε)₊ for every b ≥ 0, with
// V(1, b₀) ≤ δ for the whole budget b₀, and such that an event of cost c ≤ b keeps E V(L·ℓ, b−c) ≤ V(L, b), where ℓ is its own likelihood
// ratio, given all that came before. Then V is a supermartingale while the costs are within the budget, so E(L − e^ε)₊ ≤ V(1, b₀) ≤ δ
// whenever the sequence stops. The function must be one and the same from the first event on: taking, at the end, the
// best of several is not covered.
//
//	renyi  at one order α = λ+1: the cost is K(λ), V(L, b) = γ·L^α·e^b, where γ is the least number with
//	       γ·x^α ≥ (x − e^ε)₊ for all x. E ℓ^α ≤ e^K is what K says, so the third condition holds with equality or
//	       better. V(1, b₀) = γ·e^b₀ = δ is Proposition 12 of Canonne, Kamath, Steinke 2020, arXiv:2004.00010, solved for b₀.
//	       This is the filter of Feldman, Zrnic 2021, arXiv:2008.11193, section 4.
//	gdp    for Gaussians without sampling: the cost is μ², V(L, b) = E(L·e^Z − e^ε)₊, Z normal of mean −b/2 and
//	       variance b. Normal variables add up, so an event whose ℓ is that of the Gaussian mechanism at full sensitivity keeps the
//	       mean of V; one of less is post-processing of it, and V(·, b) is convex, so by Blackwell's theorem the mean is
//	       less; and V grows in b, being the mean of a convex function of a martingale. V(1, b₀) is the δ of the Gaussian
//	       mechanism of μ² = b₀. It was first shown by Smith, Thakurta 2022, arXiv:2210.17520. A Poisson-sampled
//	       Gaussian is post-processing of the one that is not: keep its output with probability q, else put noise
//	       around the other rows' sum in its place, which both neighbours have. So it costs at most as much, and is counted as if it
//	       were not sampled, which is dear.
//
// Both hold in the other direction, with D and D′ exchanged, by the same words. Events that run side by side are
// one sequence of steps in the order in which they were drawn; what is charged for each before its first step is at least what
// its steps so far cost, so the sum of charges bounds the sum of costs at every moment.
type Filter struct {
	Method FilterMethod `json:"method"`
	// Order is α > 1 of renyi, and 0 of gdp.
	Order     float64   `json:"order,omitempty"`
	Adjacency Adjacency `json:"adjacency"`
}

// FilterMethod is the currency of a filter.
type FilterMethod string

// The methods.
const (
	FilterGDP   FilterMethod = "gdp"
	FilterRenyi FilterMethod = "renyi"
)

// NewFilter returns the filter that suits the budget of epsilon at delta and the event that comes first: gdp where it is a
// Gaussian without sampling; else renyi, at the order at which the budget holds the first event most often. The choice
// depends on nothing but these, and holds for all events that follow.
func NewFilter(adjacency Adjacency, first Event, epsilon, delta float64) (Filter, error) {
	f := Filter{Method: FilterGDP, Adjacency: adjacency}
	if err := checkAdjacency(adjacency); err != nil {
		return f, err
	}
	if err := checkDelta(delta); err != nil {
		return f, err
	}
	if err := checkTarget(epsilon); err != nil {
		return f, err
	}
	terms, err := flatten(first)
	if err != nil {
		return f, err
	}
	if _, ok := exactGaussian(terms, 1); ok {
		return f, nil
	}
	f.Method = FilterRenyi
	if err := (rdp{adjacency}).check(first, terms); err != nil {
		return f, err
	}
	// The share of the budget that the first event takes. {K ≤ t·budget} is an interval for each t, since
	// K/t − log δ + λ·log(λ/(λ+1)) − log(λ+1) − λ·ε is convex in λ, as in epsilonFromMoment: there is one minimum.
	share := func(x float64) float64 {
		lambda := math.Exp(x)
		budget := lambda*epsilon + logOf(delta) - conversion(lambda)
		if budget <= 0 {
			return 1e200 * (1 - budget) // no budget at so small an order: the way up is the way out
		}
		return min(1e199, cumulant(terms, lambda, adjacency.sensitivity())/budget)
	}
	x, _ := minimize(share, minLogLambda, maxLogLambda, 1e-6)
	f.Order = math.Exp(x) + 1
	return f, nil
}

// check refuses a filter that NewFilter would not return.
func (f Filter) check() error {
	if err := checkAdjacency(f.Adjacency); err != nil {
		return err
	}
	switch {
	case f.Method != FilterGDP && f.Method != FilterRenyi:
		return &ParameterError{"method", string(f.Method), "gdp or renyi"}
	case f.Method == FilterGDP && f.Order != 0:
		return &ParameterError{"order", formatFloat(f.Order), "none, with method gdp"}
	case f.Method == FilterRenyi && !(f.Order-1 >= 1e-7 && f.Order <= 1e11):
		return &ParameterError{"order", formatFloat(f.Order), "a number above 1"}
	}
	return nil
}

// Cost is an upper bound on what an event costs: μ² with gdp, K(λ) with renyi; +Inf for a release without noise. It
// errs with an *[UnsupportedError] for an event that the method cannot count.
func (f Filter) Cost(e Event) (float64, error) {
	if err := f.check(); err != nil {
		return 0, err
	}
	terms, err := flatten(e)
	if err != nil {
		return 0, err
	}
	if f.Method == FilterRenyi {
		if err := (rdp{f.Adjacency}).check(e, terms); err != nil {
			return 0, err
		}
		return cumulant(terms, f.Order-1, f.Adjacency.sensitivity()) * (1 + 1e-14), nil
	}
	cost := 0.0
	for _, t := range terms {
		if t.kind != gaussian {
			return 0, &UnsupportedError{Event: e, Reason: "is not Gaussian, and this budget counts Gaussian noise alone"}
		}
		mu := f.Adjacency.sensitivity() / t.sigma
		cost += float64(t.count) * mu * mu
	}
	return cost * (1 + 1e-14), nil
}

// Epsilon is an upper bound on the ε at delta of events whose costs add up to cost. Held against a budget that was
// fixed before the first of them, it is a filter; on its own, it is what they cost had they been fixed in advance.
func (f Filter) Epsilon(cost, delta float64) (float64, error) {
	if err := f.check(); err != nil {
		return 0, err
	}
	if err := checkDelta(delta); err != nil {
		return 0, err
	}
	if !(cost >= 0) {
		return 0, fmt.Errorf("cost is %v, want a number of at least 0", cost)
	}
	switch {
	case cost == 0:
		return 0, nil
	case math.IsInf(cost, 1):
		return cost, nil
	case f.Method == FilterRenyi:
		return max(0, epsilonFromMoment(cost, f.Order-1, delta)), nil
	}
	return gaussianEpsilon(math.Sqrt(cost)*(1+1e-15), delta).Upper, nil
}
