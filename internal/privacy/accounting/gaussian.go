package accounting

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mathext"
)

// exactGaussian reports whether the composition of terms is exactly one Gaussian mechanism, and its μ: the distance between
// the neighbours' means in standard deviations, 0 for a no-op, +Inf for a release without noise.
func exactGaussian(terms []term, sensitivity float64) (mu float64, ok bool) {
	switch {
	case len(terms) == 0:
		return 0, true
	case len(terms) == 1 && terms[0].kind == gaussian && terms[0].q == 1:
		return sensitivity / terms[0].sigma, true
	default:
		return 0, false
	}
}

// The curve of the Gaussian mechanism is (Balle, Wang 2018, arXiv:1805.06530, Theorem 8)
//
//	δ(ε) = Φ(μ/2 − ε/μ) − e^ε·Φ(−μ/2 − ε/μ).
//
// With a = ε/μ − μ/2, b = a + μ and Mills' ratio m(x) = Φ(−x)/φ(x), e^ε·φ(b) = φ(a) and therefore
//
//	δ = φ(a)·(m(a) − m(b)) = Φ(−a) − φ(a)·m(b),
//
// where no exponential overflows: the size of ε and of 1/δ does not matter.

// gaussianLogError bounds the error of gaussianLogDelta for a ≤ 45, which is δ ≥ 1e-400. Its parts are a²/2 with 3
// roundings, below 4e-13, and a relative 1e-12 for the difference of Mills' ratios; measured against 60-digit arithmetic it
// is below 2e-13.
const gaussianLogError = 1e-11

// gaussianLogDelta returns log δ for a in [−mu/2, ∞), with an absolute error of at most gaussianLogError at a ≤ 45.
func gaussianLogDelta(mu, a float64) float64 {
	if a < -1 {
		return math.Log(0.5*math.Erfc(a/math.Sqrt2) - math.Exp(-a*a/2)/math.Sqrt(2*math.Pi)*millsRatio(a+mu))
	}
	difference := millsRatio(a) - millsRatio(a+mu)
	if mu < 0.5 {
		// Close arguments cancel: integrate −m′(t) = 1 − t·m(t) instead. Eight points are exact to 1e-16 on half a unit.
		slope := func(u float64) float64 { t := a + mu*u; return 1 - t*millsRatio(t) }
		difference = mu * quad.Fixed(slope, 0, 1, 8, quad.Legendre{}, 0)
	}
	return -a*a/2 - 0.5*math.Log(2*math.Pi) + math.Log(difference)
}

// gaussianEpsilon brackets ε at delta in (0, 1) for a Gaussian mechanism of any mu in [0, ∞].
func gaussianEpsilon(mu, delta float64) Interval {
	switch {
	case mu == 0:
		return Interval{0, 0}
	case math.IsInf(mu, 1):
		return Interval{mu, mu}
	}
	// At a = √(2·log 1/δ), Φ(−a) ≤ δ/2: above the root, by more than the error allowed for.
	logDelta := logOf(delta)
	top := math.Sqrt(-2 * logDelta)
	solve := func(slack float64) (below, above float64) {
		below, above = -mu/2, top
		if gaussianLogDelta(mu, below)+slack <= logDelta {
			return below, below
		}
		for range 200 {
			mid := below + (above-below)/2
			if mid == below || mid == above {
				break
			}
			if gaussianLogDelta(mu, mid)+slack <= logDelta {
				above = mid
			} else {
				below = mid
			}
		}
		return below, above
	}
	_, upper := solve(gaussianLogError)
	lower, _ := solve(-gaussianLogError)
	// The factors cover the roundings of the last line.
	return Interval{(lower + mu/2) * mu * (1 - 1e-14), (upper + mu/2) * mu * (1 + 1e-14)}
}

// gaussianDelta brackets δ at a finite epsilon >= 0 for a Gaussian mechanism of any mu in [0, ∞].
func gaussianDelta(mu, epsilon float64) Interval {
	switch {
	case mu == 0:
		return Interval{0, 0}
	case math.IsInf(mu, 1):
		return Interval{1, 1}
	}
	a := epsilon/mu - mu/2
	if a > 45 {
		return Interval{0, probability(math.Inf(-1))} // Φ(−45) < 1e-400
	}
	// a itself is off by a few roundings of its parts; |d log δ / da| is the normal hazard, at most a + 1.
	slack := gaussianLogError + 4e-16*(epsilon/mu+mu)*(max(a, 0)+1)
	logDelta := gaussianLogDelta(mu, a)
	return Interval{math.Exp(logDelta-slack) * (1 - 1e-14), probability(logDelta + slack)}
}

// gaussianRate is the largest true-positive rate of a test of a Gaussian mechanism with false-positive rate fpr in (0, 1):
// Φ(Φ⁻¹(fpr) + mu) (Dong, Roth, Su 2022, Definition 2.6), rounded up by a relative 1e-12.
func gaussianRate(mu, fpr float64) float64 {
	return min(1, normalCDF(mathext.NormalQuantile(fpr)+mu)*(1+1e-12))
}

func normalCDF(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

// millsRatio returns m(x) = Φ(−x)/φ(x) for x >= -1, to a relative 1e-14.
func millsRatio(x float64) float64 {
	if x < 4 {
		return math.Sqrt(math.Pi/2) * math.Exp(x*x/2) * math.Erfc(x/math.Sqrt2)
	}
	// Laplace's continued fraction 1/(x + 1/(x + 2/(x + 3/(x + …)))), from the inside out.
	f := x
	for k := 8 + int(800/(x*x)); k >= 1; k-- {
		f = x + float64(k)/f
	}
	return 1 / f
}
