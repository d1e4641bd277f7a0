package privacy

import (
	"fmt"
	"math"
	"math/bits"

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
//
// A coin is a uniform 64-bit number that is compared with the threshold, drawn only as far as it takes to tell: its
// first byte decides, but for one value in 256, where the other 56 bits do.
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

// coinsAtOnce is the number of coins whose first bytes are drawn together, a multiple of 8.
const coinsAtOnce = 1024

// drawnSlack is the room that Sample may need beside the slots it draws.
const drawnSlack = coinsAtOnce

// Sample draws the first bytes of coinsAtOnce coins, eight a word from the low byte up, then what the undecided among
// them lack, in the low bits of a word each; then those of the next.
func (p poisson) Sample(dst []int32, lo, hi int, coins *rng.Stream) []int32 {
	top, rest := byte(p.threshold>>56), p.threshold&(1<<56-1)
	for ; lo < hi; lo += coinsAtOnce {
		end := min(lo+coinsAtOnce, hi)
		at := len(dst)
		for slot := lo; slot < end; slot += 8 {
			word := coins.Uint64()
			candidates := bytesAtMost(word, top)
			if end-slot < 8 {
				candidates &= 1<<(8*(end-slot)) - 1
			}
			for ; candidates != 0; candidates &= candidates - 1 {
				bit := bits.TrailingZeros64(candidates) // the highest of its byte
				i := int32(slot + bit/8)
				if byte(word>>(bit-7)) == top {
					i = ^i // undecided
				}
				dst = append(dst, i)
			}
		}
		drawn := dst[:at]
		for _, i := range dst[at:] {
			if i < 0 {
				if coins.Uint64()&(1<<56-1) >= rest {
					continue
				}
				i = ^i
			}
			drawn = append(drawn, i)
		}
		dst = drawn
	}
	return dst
}

// bytesAtMost sets the highest bit of each byte of the result where that byte of word is at most top.
func bytesAtMost(word uint64, top byte) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	if top < 0x7f { // at most top: the highest bit is 0, and the other seven are below top+1
		return ^(word | highs - uint64(top+1)*ones | word) & highs
	}
	// The highest bit is 0, or the other seven are below top+1−128.
	return ^((word | highs - uint64(top-0x7f)*ones) & word) & highs
}

func (p poisson) Probability() float64 { return p.probability }

func (p poisson) Event(step accounting.Event) accounting.Event {
	return accounting.PoissonSampled{SamplingProbability: p.probability, Event: step}
}
