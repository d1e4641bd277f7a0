package privacy

import "math"

// Ranges are how slots are cut for summation. Range t is the slots [t·Slots, (t+1)·Slots): a function of public
// numbers alone, because a boundary that moved with the drawn rows would let one row change the rounding of others.
type Ranges struct {
	// Slots is the number of slots in a range (the last may have fewer).
	Slots int
	// MaxDrawn is R: no range of any step holds more drawn slots, but for the probability Tail.
	MaxDrawn int
	// Tail bounds the probability that some range of some step holds more than MaxDrawn drawn slots; it is part of δ.
	Tail float64
}

// count is the number of ranges that slots are cut into.
func (r Ranges) count(slots int) int { return (slots + r.Slots - 1) / r.Slots }

// The expected number of drawn slots in a range. More make the sum's rounding, and so the noise, larger (η is about
// MaxDrawn²·2⁻²⁴: 0.4 % at 256, 0.95 % at 400); fewer make the sum go to the lattice more often, at a cost that goes with
// the parameters.
const (
	minExpectedDrawn  = 16
	maxExpectedDrawn  = 128 // of few parameters
	manyExpectedDrawn = 224 // of many
	maxDrawn          = 400 // of which η is 0.95 %
)

// fewParams is the number of parameters up to which going to the lattice is cheap: each worker sums ranges of its own
// then, and small batches are cut into several for every worker.
const fewParams = 1 << 14

// planRanges cuts slots into ranges for sums of params coordinates and steps drawn with probability q, with Tail at most tail.
func planRanges(params, slots int, q float64, steps int, tail float64) Ranges {
	batch := q * float64(slots)
	most := float64(manyExpectedDrawn)
	if params <= fewParams {
		most = math.Min(maxExpectedDrawn, math.Max(minExpectedDrawn, batch/16))
	}
	expected := math.Max(1, batch/math.Ceil(batch/most))
	for ; ; expected *= 0.9 {
		if r := cutRanges(slots, q, steps, tail, expected); r.MaxDrawn <= maxDrawn || expected < 1 {
			return r
		}
	}
}

// cutRanges cuts slots into ranges with the expected number of drawn slots in each.
func cutRanges(slots int, q float64, steps int, tail, expected float64) Ranges {
	size := int(math.Min(float64(slots), math.Ceil(expected/q)))
	if q == 1 {
		return Ranges{Slots: size, MaxDrawn: size}
	}
	ranges := math.Ceil(float64(slots)/float64(size)) * float64(steps)
	if math.IsInf(ranges, 0) || ranges < 1 {
		ranges = 1
	}
	for drawn := max(1, int(q*float64(size))); drawn < size; drawn++ {
		if bound := math.Exp(math.Log(ranges) + logBinomialTail(size, q, drawn)); bound <= tail {
			return Ranges{Slots: size, MaxDrawn: drawn, Tail: bound}
		}
	}
	return Ranges{Slots: size, MaxDrawn: size}
}

// logBinomialTail is the Chernoff bound on log P[Binomial(n, q) > k]: −n·KL((k+1)/n ‖ q), and 0 where k+1 ≤ nq.
func logBinomialTail(n int, q float64, k int) float64 {
	if k >= n {
		return math.Inf(-1)
	}
	a := float64(k+1) / float64(n)
	if a <= q {
		return 0
	}
	divergence := a * math.Log(a/q)
	if a < 1 {
		divergence += (1 - a) * (math.Log1p(-a) - math.Log1p(-q))
	}
	return -float64(n) * divergence
}
