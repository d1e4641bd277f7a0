package accounting

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Point is one certified statement of a [Curve]: the event is (Epsilon, Delta)-differentially private.
type Point struct{ Epsilon, Delta float64 }

// Curve bounds δ(ε) from above for one event, in both directions of its adjacency, and from it what an attacker can achieve
// who wants to tell two neighbours apart by the output (a membership attacker who knows all the other records). It is
// immutable.
type Curve struct {
	points []Point // ε rising from 0
	mu     float64 // the event is exactly mu-GDP; NaN if it is not known to be
}

// smallestCurveDelta is the δ at which a curve ends.
const smallestCurveDelta = 1e-12

// newCurve samples deltas, which returns an upper bound on δ for each of some rising ε, at ε from 0 to top: half of the points evenly,
// half of them densely towards 0.
func newCurve(top float64, deltas func(epsilons []float64) []float64) *Curve {
	const half = 256
	epsilons := []float64{0}
	if top > 0 && !math.IsInf(top, 1) {
		for i := 1; i <= half; i++ {
			epsilons = append(epsilons, top*float64(i)/half, top*math.Pow(1e-6, float64(i)/half))
		}
	}
	slices.Sort(epsilons)
	epsilons = slices.Compact(epsilons)
	c := &Curve{mu: math.NaN()}
	least := 1.0 // δ does not rise
	for i, delta := range deltas(epsilons) {
		least = min(least, delta)
		c.points = append(c.points, Point{epsilons[i], least})
	}
	return c
}

// gaussianCurve is the curve of a Gaussian mechanism of any mu in [0, ∞].
func gaussianCurve(mu float64) *Curve {
	c := newCurve(gaussianEpsilon(mu, smallestCurveDelta).Upper, func(epsilons []float64) []float64 {
		deltas := make([]float64, len(epsilons))
		for i, epsilon := range epsilons {
			deltas[i] = gaussianDelta(mu, epsilon).Upper
		}
		return deltas
	})
	c.mu = mu
	return c
}

// Points returns points of the curve, ε rising from 0 to where δ is 1e-12. The caller owns the slice.
func (c *Curve) Points() []Point { return slices.Clone(c.points) }

// Advantage is an upper bound on the attacker's true-positive rate minus false-positive rate: δ(0), the total variation
// distance. The accuracy against a fair coin is at most (1 + Advantage)/2.
func (c *Curve) Advantage() float64 { return c.points[0].Delta }

// TruePositiveRate is an upper bound on the true-positive rate of any attack whose false-positive rate is fpr, in (0, 1). For
// every ε ≥ 0, with H(ε) ≤ δ in both directions,
//
//	TPR ≤ e^ε·fpr + δ    and    TPR ≤ 1 − e^−ε·(1 − δ − fpr),
//
// where the second is the first for −ε, by H(−ε) = 1 − e^−ε·(1 − H′(ε)) with H′ the other direction's (Dong, Roth, Su
// 2022, Proposition 2.5). It is exact for a Gaussian event, Φ(Φ⁻¹(fpr) + μ).
func (c *Curve) TruePositiveRate(fpr float64) (float64, error) {
	if !(fpr > 0 && fpr < 1) {
		return 0, &ParameterError{"false_positive_rate", formatFloat(fpr), "a number in (0, 1)"}
	}
	if !math.IsNaN(c.mu) {
		return gaussianRate(c.mu, fpr), nil
	}
	rate := 1.0
	for _, l := range c.lines() {
		rate = min(rate, l.at(fpr))
	}
	return rate, nil
}

// MuGDP is the smallest μ for which N(μ, 1) against N(0, 1) is at least as easy to attack as the event, by this curve, at
// every false-positive rate from minRate up and every true-positive rate up to 1 − minRate (μ-GDP of Dong, Roth, Su 2022,
// Definition 2.6, on that range). It is exact, on any range, for a Gaussian event; sampled events are not μ-GDP on all of (0, 1) for
// any useful μ. minRate is in (0, 0.5); 1e-6 is usual.
//
// The curve's bound on the true-positive rate is a polygon and the Gaussian one is concave: it is enough to
// compare the two at the polygon's corners and at the ends of the range. The result is rounded up by 1e-9.
func (c *Curve) MuGDP(minRate float64) (float64, error) {
	if !(minRate > 0 && minRate < 0.5) {
		return 0, &ParameterError{"minimum rate", formatFloat(minRate), "a number in (0, 0.5)"}
	}
	if !math.IsNaN(c.mu) {
		return c.mu, nil
	}
	mu := 0.0
	compare := func(fpr, tpr float64) {
		if tpr = min(tpr, 1-minRate); tpr > fpr {
			mu = max(mu, mathext.NormalQuantile(tpr)-mathext.NormalQuantile(fpr))
		}
	}
	roof := roofOf(c.lines())
	rate := 1.0
	for _, l := range roof {
		rate = min(rate, l.at(minRate))
	}
	compare(minRate, rate)
	for i := 1; i < len(roof); i++ {
		if fpr := roof[i-1].meets(roof[i]); fpr > minRate && fpr < 1-minRate {
			compare(fpr, max(roof[i-1].at(fpr), roof[i].at(fpr)))
		}
	}
	return mu * (1 + 1e-9), nil
}

// line is a bound TPR ≤ intercept + slope·FPR.
type line struct{ slope, intercept float64 }

func (l line) at(fpr float64) float64 { return l.intercept + l.slope*fpr }

// meets returns where l and a less steep m cross.
func (l line) meets(m line) float64 { return (m.intercept - l.intercept) / (l.slope - m.slope) }

// lines returns the bounds of all points for both signs of ε, and TPR ≤ 1, in falling order of slope.
func (c *Curve) lines() []line {
	const steepest = 50 // e^50·fpr > 1 at any rate of interest
	var lines []line
	for _, p := range slices.Backward(c.points) {
		if p.Epsilon <= steepest {
			lines = append(lines, line{math.Exp(p.Epsilon), p.Delta})
		}
	}
	for _, p := range c.points {
		if p.Epsilon > 0 && p.Epsilon <= steepest {
			slope := math.Exp(-p.Epsilon)
			lines = append(lines, line{slope, p.Delta*slope - math.Expm1(-p.Epsilon)})
		}
	}
	return append(lines, line{0, 1})
}

// roofOf returns those of lines, which fall in slope, that form their lower envelope, in the order in which they do
// from left to right.
func roofOf(lines []line) []line {
	var roof []line
	for _, l := range lines {
		for n := len(roof); n > 0; n = len(roof) {
			if l.intercept > roof[n-1].intercept && (n == 1 || roof[n-1].meets(l) > roof[n-2].meets(roof[n-1])) {
				break
			}
			roof = roof[:n-1]
		}
		roof = append(roof, l)
	}
	return roof
}
