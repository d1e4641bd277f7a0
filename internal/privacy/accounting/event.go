package accounting

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Event describes one use, or many, of a mechanism on a table of records, in enough detail to bound its privacy loss. The
// set is closed: an accountant that does not know an event refuses it.
//
// In every event a record contributes one vector, whose norm is at most the clipping norm C, or nothing.
type Event interface{ isEvent() }

// Gaussian is the Gaussian mechanism: the sum of all records' vectors plus independent N(0, (NoiseMultiplier·C)²) in
// every coordinate. C is the largest L2 norm that one record can contribute, under every adjacency; that replacing a
// record can move the sum by 2C is the accountant's business, not the multiplier's.
type Gaussian struct {
	// NoiseMultiplier is σ, the noise's standard deviation divided by C: 0, which protects nothing, or in [1e-100, 1e100].
	NoiseMultiplier float64
}

// Laplace is the Laplace mechanism for one number: the sum of all records' numbers plus Laplace noise of density
// e^(−|x|/b)/2b, b = NoiseMultiplier·C. C is the largest absolute number that one record can contribute, under every adjacency.
type Laplace struct {
	// NoiseMultiplier is b/C: 0, which protects nothing, or in [1e-100, 1e100].
	NoiseMultiplier float64
}

// EpsilonDelta is any mechanism that is known to be (Epsilon, Delta)-differentially private, under the adjacency of the accountant that
// is asked, and of which nothing else is known.
type EpsilonDelta struct {
	Epsilon float64 // in [0, 1e6]
	Delta   float64 // in [0, 1)
}

// PoissonSampled runs Event on a random subset of the records, which each record joins independently with the same
// probability, by coins that nobody sees. Records that do not join contribute nothing; the divisor that makes the sum a
// mean is not the subset's size. If Event is a composition, all its parts see the same subset.
type PoissonSampled struct {
	// SamplingProbability is q, in [0, 1].
	SamplingProbability float64
	Event               Event
}

// SelfComposed runs Event Count times with fresh coins and noise, each time on the same table, where each run may depend
// on the outputs of those before it.
type SelfComposed struct {
	Event Event
	// Count is in [0, 1e12].
	Count int
}

// Composed runs Events one after the other with fresh coins and noise, on the same table, where each run may depend on
// the outputs of those before it. No events at all is a no-op.
type Composed struct {
	Events []Event
}

// NonPrivate releases the records themselves: ε is infinite.
type NonPrivate struct{}

// NoOp releases nothing that depends on the records: ε is 0 and δ is 0.
type NoOp struct{}

func (Gaussian) isEvent()       {}
func (Laplace) isEvent()        {}
func (EpsilonDelta) isEvent()   {}
func (PoissonSampled) isEvent() {}
func (SelfComposed) isEvent()   {}
func (Composed) isEvent()       {}
func (NonPrivate) isEvent()     {}
func (NoOp) isEvent()           {}

// Adjacency says which two tables are neighbours, in the spelling of configs and reports.
type Adjacency string

// The adjacencies. The first two have the same pairs of output distributions, hence the same ε.
const (
	ZeroOut        Adjacency = "zero_out"          // one record is replaced by a null one, which contributes nothing
	AddOrRemoveOne Adjacency = "add_or_remove_one" // one record is added or removed
	ReplaceOne     Adjacency = "replace_one"       // one record is replaced by any other
)

// sensitivity is the largest distance, in units of C, that neighbours can put between the sums of all records.
func (a Adjacency) sensitivity() float64 {
	if a == ReplaceOne {
		return 2
	}
	return 1
}

// maxCount bounds how often an event may be composed: rounding errors of 1e-15 a step stay below 1e-3.
const maxCount = 1_000_000_000_000

// term is count runs of one mechanism.
type term struct {
	kind  kind
	q     float64 // in (0, 1]
	sigma float64 // of gaussian and laplace: 0, or in [1e-100, 1e100], and beyond for a merged term
	bound EpsilonDelta
	count int // in [1, maxCount]
}

// kind is what a term runs.
type kind int

const (
	gaussian kind = iota // Poisson sampled with probability q. sigma 0 stands for the release of the sampled records.
	laplace              // likewise
	bounded              // an EpsilonDelta, with q = 1
)

// compare orders terms, the unsampled Gaussians first.
func (t term) compare(u term) int {
	return cmp.Or(cmp.Compare(t.kind, u.kind), cmp.Compare(u.q, t.q), cmp.Compare(t.sigma, u.sigma),
		cmp.Compare(t.bound.Epsilon, u.bound.Epsilon), cmp.Compare(t.bound.Delta, u.bound.Delta))
}

// flatten reduces e to the list of terms it composes, sorted, equal ones merged, all those with q = 1 merged to one
// Gaussian of count 1 in the first place. An empty list is a no-op. The rules, all of them equalities of mechanisms:
//
//	count 0, q = 0                         nothing
//	composed counts                        multiply
//	several Gaussians on the same records  one, 1/σ² = Σ 1/σᵢ²
//	a Poisson sample of a Poisson sample   one, of probability q·q′
//
// A Poisson sample whose event composes further samples is refused: its parts share coins, which no single term can say.
func flatten(e Event) ([]term, error) {
	terms, err := appendTerms(nil, e, 1)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(terms, term.compare)
	merged := terms[:0]
	for _, t := range terms {
		if n := len(merged); n > 0 && merged[n-1].compare(t) == 0 {
			if merged[n-1].count += t.count; merged[n-1].count > maxCount {
				return nil, countError(float64(merged[n-1].count))
			}
			continue
		}
		merged = append(merged, t)
	}
	return mergeUnsampled(merged), nil
}

// mergeUnsampled replaces the leading Gaussian terms of q = 1 by the one Gaussian they amount to.
func mergeUnsampled(terms []term) []term {
	n, precision := 0, 0.0
	for n < len(terms) && terms[n].kind == gaussian && terms[n].q == 1 {
		precision += float64(terms[n].count) / (terms[n].sigma * terms[n].sigma)
		n++
	}
	if n == 0 || n == 1 && terms[0].count == 1 {
		return terms
	}
	terms[n-1] = term{q: 1, sigma: 1 / math.Sqrt(precision), count: 1}
	return terms[n-1:]
}

// appendTerms appends the terms of count runs of e. It checks the parameters of every event, also of those that run 0
// times, so that a wrong number is never an answer.
func appendTerms(dst []term, e Event, count int) ([]term, error) {
	switch e := e.(type) {
	case NoOp:
		return dst, nil
	case NonPrivate:
		return appendTerm(dst, term{q: 1, sigma: 0, count: count}), nil
	case Gaussian:
		return appendTerm(dst, term{q: 1, sigma: e.NoiseMultiplier, count: count}), checkNoise(e.NoiseMultiplier)
	case Laplace:
		return appendTerm(dst, term{kind: laplace, q: 1, sigma: e.NoiseMultiplier, count: count}), checkNoise(e.NoiseMultiplier)
	case EpsilonDelta:
		if !(e.Epsilon >= 0 && e.Epsilon <= 1e6) {
			return nil, &ParameterError{"epsilon", formatFloat(e.Epsilon), "a number in [0, 1e6]"}
		}
		if !(e.Delta >= 0 && e.Delta < 1) {
			return nil, &ParameterError{"delta", formatFloat(e.Delta), "a number in [0, 1)"}
		}
		if e == (EpsilonDelta{}) {
			return dst, nil
		}
		return appendTerm(dst, term{kind: bounded, q: 1, bound: e, count: count}), nil
	case PoissonSampled:
		return appendSampled(dst, e, count)
	case SelfComposed:
		if e.Count < 0 || e.Count > maxCount {
			return nil, countError(float64(e.Count))
		}
		// The product is bounded before it is formed, since it may not fit an int.
		if float64(count)*float64(e.Count) > maxCount {
			return nil, countError(float64(count) * float64(e.Count))
		}
		return appendTerms(dst, e.Event, count*e.Count)
	case Composed:
		var err error
		for _, part := range e.Events {
			if dst, err = appendTerms(dst, part, count); err != nil {
				return nil, err
			}
		}
		return dst, nil
	default:
		return nil, &UnsupportedError{Event: e, Reason: "is not a known event"}
	}
}

// appendSampled appends count runs of a Poisson-sampled event.
func appendSampled(dst []term, e PoissonSampled, count int) ([]term, error) {
	q := e.SamplingProbability
	if !(q >= 0 && q <= 1) {
		return nil, &ParameterError{"sampling_probability", formatFloat(q), "a number in [0, 1]"}
	}
	inner, err := flatten(e.Event)
	if err != nil {
		return nil, err
	}
	switch {
	case q == 0 || len(inner) == 0:
		return dst, nil
	case q == 1 && float64(count)*float64(slices.MaxFunc(inner, byCount).count) > maxCount:
		return nil, countError(float64(count) * float64(slices.MaxFunc(inner, byCount).count))
	case q == 1:
		for _, t := range inner {
			t.count *= count
			dst = appendTerm(dst, t)
		}
		return dst, nil
	case len(inner) == 1 && inner[0].kind == bounded:
		return nil, &UnsupportedError{Event: e, Reason: "samples an event of which only epsilon and delta are known"}
	case len(inner) == 1 && inner[0].count == 1:
		// A product that underflows is rounded up to the smallest probability there is.
		t := inner[0]
		t.q, t.count = max(q*t.q, math.SmallestNonzeroFloat64), count
		return appendTerm(dst, t), nil
	default:
		return nil, &UnsupportedError{Event: e, Reason: "composes on one Poisson sample what is not Gaussian or is sampled again"}
	}
}

func checkNoise(s float64) error {
	if s != 0 && !(s >= 1e-100 && s <= 1e100) {
		return &ParameterError{"noise_multiplier", formatFloat(s), "0, or a number in [1e-100, 1e100]"}
	}
	return nil
}

func byCount(a, b term) int { return cmp.Compare(a.count, b.count) }

func appendTerm(dst []term, t term) []term {
	if t.count == 0 {
		return dst
	}
	return append(dst, t)
}

func countError(count float64) error {
	return &ParameterError{"count", fmt.Sprintf("%.0f", count), "an integer in [0, 1e12]"}
}

// releases reports whether terms release the records themselves.
func releases(terms []term) bool {
	return slices.ContainsFunc(terms, func(t term) bool { return t.kind != bounded && t.q == 1 && t.sigma == 0 })
}

// noiseless reports whether a term is without noise.
func noiseless(terms []term) bool {
	return slices.ContainsFunc(terms, func(t term) bool { return t.kind != bounded && t.sigma == 0 })
}
