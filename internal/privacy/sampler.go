package privacy

import (
	"fmt"
	"math"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
)

// A Sampler decides which slots join a step, and knows how that is accounted for. Both in one type: a sampler without
// an accountant cannot be run.
type Sampler interface {
	// Sample appends the slots of [lo, hi) that join the step to dst, ascending. coins is the stream of this step
	// and range alone.
	Sample(dst []int32, lo, hi int, coins *rng.Stream) []int32
	// Probability is the probability with which a slot joins a step, as accounted.
	Probability() float64
	// Event is what a step of the given event becomes under this sampling.
	Event(step accounting.Event) accounting.Event
}

// NewSampler returns the sampler of probability q in (0, 1]: every slot at q = 1, Poisson sampling below.
func NewSampler(q float64) (Sampler, error) {
	switch {
	case q == 1:
		return fullBatch{}, nil
	case q > 0 && q < 1:
		return newPoisson(q), nil
	}
	return nil, fmt.Errorf("sampling probability is %v, want a number in (0, 1]", q)
}

// fullBatch lets every slot join every step: DP gradient descent.
type fullBatch struct{}

func (fullBatch) Sample(dst []int32, lo, hi int, _ *rng.Stream) []int32 {
	for i := lo; i < hi; i++ {
		dst = append(dst, int32(i))
	}
	return dst
}

func (fullBatch) Probability() float64                         { return 1 }
func (fullBatch) Event(step accounting.Event) accounting.Event { return step }

// poisson lets each slot join each step independently, with a coin that is exactly Bernoulli(threshold/2⁶⁴).
type poisson struct {
	threshold   uint64  // ⌈q·2⁶⁴⌉
	probability float64 // threshold/2⁶⁴, exactly
}

// newPoisson rounds q in (0, 1) up to the coin's grid. Every step is exact: a float64 below 1 times 2⁶⁴, rounded up to
// an integer, still has at most 53 significant bits.
func newPoisson(q float64) poisson {
	threshold := math.Ceil(math.Ldexp(q, 64))
	return poisson{threshold: uint64(threshold), probability: math.Ldexp(threshold, -64)}
}

func (p poisson) Sample(dst []int32, lo, hi int, coins *rng.Stream) []int32 {
	for i := lo; i < hi; i++ {
		if coins.Uint64() < p.threshold {
			dst = append(dst, int32(i))
		}
	}
	return dst
}

func (p poisson) Probability() float64 { return p.probability }

func (p poisson) Event(step accounting.Event) accounting.Event {
	return accounting.PoissonSampled{SamplingProbability: p.probability, Event: step}
}
