package privacy

import (
	"fmt"
	"math"

	"dptrain/internal/privacy/rng"
)

// The ends of what [NoisyCounts] takes. ε is rounded down to a multiple of 2⁻²⁰, so that every number of the sampler is a
// small integer.
const (
	countsUnit       = 1 << 20
	minCountsEpsilon = 1e-3
	maxCountsEpsilon = 100.0
)

// NoisyCounts adds to each count independent noise of the discrete Laplace distribution, P(z) ∝ e^(−ε|z|) on all integers,
// and returns the ε that was spent, at most the one asked for.
//
// Where each row of a table counts in at most one of counts, by one, adding or removing a row moves them by 1 in L1 norm,
// so what comes out is ε-differentially private (δ = 0) for that adjacency, the number of rows included; replacing a row
// moves them by 2 and costs 2ε. The sampler is exact, with integers alone (Canonne, Kamath and Steinke 2020,
// arXiv:2004.00010, algorithms 1 and 2). How long it takes depends on what it draws.
func NoisyCounts(counts []int64, epsilon float64, key rng.Key) (float64, error) {
	if !(epsilon >= minCountsEpsilon && epsilon <= maxCountsEpsilon) {
		return 0, fmt.Errorf("epsilon of counts is %v, want a number in [%v, %v]", epsilon, minCountsEpsilon, maxCountsEpsilon)
	}
	numerator := uint64(math.Floor(epsilon * countsUnit))
	stream := key.Source(rng.Noise).Stream(0, 0)
	for i := range counts {
		counts[i] += discreteLaplace(numerator, stream)
	}
	return float64(numerator) / countsUnit, nil
}

// discreteLaplace draws z with P(z) ∝ exp(−|z|·numerator/countsUnit).
func discreteLaplace(numerator uint64, stream *rng.Stream) int64 {
	for {
		u := stream.Uint64n(countsUnit)
		if !bernoulliExp(u, stream) {
			continue
		}
		v := uint64(0)
		for bernoulliExp(countsUnit, stream) {
			v++
		}
		size := int64((u + countsUnit*v) / numerator)
		if stream.Uint64n(2) == 0 {
			return size
		}
		if size > 0 { // zero must not come twice
			return -size
		}
	}
}

// bernoulliExp is true with probability exp(−u/countsUnit), u at most countsUnit: the number of successes in a row of coins
// of probability u/(countsUnit·k), k = 1, 2, ..., is even with that probability.
func bernoulliExp(u uint64, stream *rng.Stream) bool {
	for k := uint64(1); ; k++ {
		if stream.Uint64n(countsUnit*k) >= u {
			return k%2 == 1
		}
	}
}
