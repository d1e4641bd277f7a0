package accounting

import (
	"math"
)

// question is what to ask of a composition: ε at a δ, or δ at an ε.
type question struct {
	// lost is a mass that does not matter to the answer, of which bound is a bound.
	lost func(bound float64) float64
	// moment bounds the answer, or a monotone function of it, by a moment bound and an allowance for the mass at +∞.
	moment func(k, lambda, infinite float64) float64
	// bound is the answer's bound for the least moment.
	bound func(moment, infinite float64) float64
	// read bounds the answer by a composition.
	read func(c *composition, upper bool) float64
	// far is how much of the answer's δ single runs may have beyond a lattice; 0 where that is not known before the answer.
	far float64
	// again returns the question whose moment bound is best at the tilt that is best for this one, if bound is near the answer.
	again func(bound float64) question
	// near is an ε of which the answer's divergence is, or above it, if bound is a bound.
	near func(bound float64) float64
	// step is the lattice step that gives the relative width, when the answer is guess.
	step func(total, lambda, guess, width float64) float64
}

func epsilonAt(delta float64) question {
	return question{
		lost: func(float64) float64 { return delta },
		far:  delta / 2,
		moment: func(k, lambda, infinite float64) float64 {
			if !(delta > infinite) {
				return math.Inf(1)
			}
			return epsilonFromMoment(k, lambda, delta-infinite)
		},
		bound: func(moment, _ float64) float64 { return max(0, moment) },
		read:  func(c *composition, upper bool) float64 { return c.epsilon(delta, upper) },
		again: deltaAt,
		near:  func(bound float64) float64 { return bound },
		// Connecting the dots adds step²·λ(λ+1)/12 to a run's cumulant on average, and at most 1.5 times that; merging takes
		// half as much, and ε changes by the λth part. The step leaves room for another five times.
		step: func(total, lambda, guess, width float64) float64 {
			return math.Sqrt(1.5 * width * guess / (total * (lambda + 1)))
		},
	}
}

func deltaAt(epsilon float64) question {
	return question{
		lost:   func(bound float64) float64 { return max(1e-3*bound, 1e-280) },
		moment: func(k, lambda, _ float64) float64 { return logDeltaFromMoment(k, lambda, epsilon) },
		bound:  func(moment, infinite float64) float64 { return min(1, math.Exp(moment)+infinite) },
		again:  func(float64) question { return deltaAt(epsilon) },
		near:   func(float64) float64 { return epsilon },
		read: func(c *composition, upper bool) float64 {
			bound := []float64{0}
			if upper {
				bound[0] = 1
			}
			c.deltas(bound, []float64{epsilon}, upper)
			return bound[0]
		},
		step: func(total, lambda, _, width float64) float64 {
			return math.Sqrt(1.5 * width / (total * lambda * (lambda + 1)))
		},
	}
}

// bestTilt returns the λ at which the moment bound of runs is least, and that bound.
func (q question) bestTilt(runs []run) (lambda, bound float64) {
	infinite := infinite(runs)
	x, moment := minimize(func(x float64) float64 {
		lambda := math.Exp(x)
		return q.moment(moments(runs, lambda), lambda, infinite)
	}, -12, 18, 0.02)
	return math.Exp(x), q.bound(moment, infinite)
}
