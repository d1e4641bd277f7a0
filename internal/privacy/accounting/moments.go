package accounting

import "math"

// cumulant returns an upper bound on Σ K(lambda) over terms, where
//
//	K(λ) = log E_Q[(P/Q)^(λ+1)] = λ·D_(λ+1)(P ‖ Q),    λ > 0,
//
// in the direction in which P has the record: by Theorem 5 of Mironov, Talwar, Zhang 2019, arXiv:1908.10530, it is the
// larger one at every order α = λ+1 >= 1. K is convex in λ, and K(0) = 0. The bound exceeds K by at most a
// relative 2e-10 where the value matters; it is +Inf for a release without noise.
func cumulant(terms []term, lambda, sensitivity float64) float64 {
	sum := 0.0
	for _, t := range terms {
		sum += float64(t.count) * t.cumulant(lambda, sensitivity)
	}
	return sum
}

// cumulant bounds K for one run of t. The sensitivity is 1 if t.q < 1. If it is not Gaussian, q is 1 and it has a bound with δ 0.
func (t term) cumulant(lambda, sensitivity float64) float64 {
	if t.kind == bounded {
		// Randomised response with these odds, which is as private as the bound says and no more (Kairouz, Oh, Viswanath 2015,
		// arXiv:1311.0776, where it attains Theorem 3.3).
		e := t.bound.Epsilon
		return max(0, logAdd(lambda*e, -(lambda+1)*e)-math.Log1p(math.Exp(-e))) + 1e-15*(1+(lambda+1)*e)
	}
	if t.sigma == 0 {
		return math.Inf(1)
	}
	d := sensitivity / t.sigma
	if t.kind == laplace {
		// Mironov 2017, arXiv:1702.07476, Proposition 6.
		a, b := lambda*d, (lambda+1)*d
		if a < 1 {
			return math.Log1p(((lambda+1)*math.Expm1(a)+lambda*math.Expm1(-b))/(2*lambda+1)) + 1e-15*b
		}
		return logAdd(a+math.Log((lambda+1)/(2*lambda+1)), -b+math.Log(lambda/(2*lambda+1))) + 1e-15*(1+b)
	}
	unsampled := lambda * (lambda + 1) / 2 * d * d * (1 + 1e-15)
	if t.q == 1 {
		return unsampled
	}
	// (1−q + q·r)^α ≤ 1−q + q·r^α by convexity: loose, but never wrong, and all that is left where the integral would
	// take too long.
	loose := softplus(logOf(t.q)+logExpm1(unsampled)) * (1 + 1e-12)
	k, ok := sampledCumulant(t.q, t.sigma, lambda)
	if !ok {
		return loose
	}
	return min(loose, k*(1+1e-10)+1e-24*(2+lambda))
}

// sampledCumulant returns K(λ) of the Poisson-sampled Gaussian, and false if that would take more than maxNodes. With
// r(x) = (P/Q)(x) = 1 + u, u = q·(e^((2x−1)/2s²) − 1), E_Q[u] = 0 and Q = N(0, s²),
//
//	e^K − 1 = ∫ Q(x)·[(1+u)^α − 1 − α·u] dx,
//
// whose integrand is nowhere negative (Bernoulli): K keeps its relative precision however small it is.
//
// The trapezoidal sum with step h over all x is in error by at most 2M/(e^(2πy/h) − 1), where M bounds the integral
// of the modulus along any line |Im x| ≤ y < πs² (Trefethen, Weideman 2014, Theorem 5.1). There |1+u(x+iy)| ≤ 1+u(x)
// and |Q(x+iy)| = Q(x)·e^(y²/2s²): the error is a relative 2·e^(y²/2s² − 2πy/h) of the three parts of the integral. h is
// chosen to make the exponent −60, hence the error below 1e-25 of e^K.
//
// The sum is cut where Q·(1+u)^α is e^-60 of its largest value and falling. Its logarithm is stationary where x = α·w(x),
// w = q·e^a/(1+u) rising from 0 to 1: there are at most two maxima, both in [0, α].
func sampledCumulant(q, s, lambda float64) (float64, bool) {
	const exponent, maxNodes = 60, 1 << 14
	h := 2 * math.Pi * math.Pi * s * s / (exponent + math.Pi*math.Pi*s*s/2) // y = πs²
	if g := math.Pi * s * math.Sqrt(2./exponent); g >= 2 {
		h = g // y = 2πs²/h, less than πs²
	}
	if !(24*s/h+1/h < maxNodes) { // also where s² is 0
		return 0, false
	}
	in := integrand{lambda: lambda, q: q, logQ: logOf(q), log1mQ: math.Log1p(-q), s2: s * s}
	sum, peak, nodes := logSum{largest: math.Inf(-1)}, math.Inf(-1), 0
	// walk adds the nodes from, from+step, … up to the cut, and none at or beyond to. It returns where it stopped. On the
	// way from far down to the upper maximum, the integrand may be below the cut but rises.
	walk := func(from, to, step float64) float64 {
		previous := math.Inf(-1)
		for j := from; (to-j)*step > 0 && nodes < maxNodes; j += step {
			moment, excess := in.at(j * h)
			peak = max(peak, moment)
			sum.add(excess)
			nodes++
			if moment < peak-exponent && (step > 0 || moment < previous) {
				return j + step
			}
			previous = moment
		}
		return to
	}
	// The bulks of N(0, s²) and N(1, s²), for the sake of the parts 1 and α·u; then each maximum, to both sides. near
	// rises towards the lower maximum and far falls towards the upper one; neither passes it.
	end := math.Ceil((1 + 11*s) / h)
	for j := math.Floor(-11 * s / h); j < end; j++ {
		walk(j, j+1, 1)
	}
	near, far := 0.0, lambda+1
	for range 60 {
		before := [2]float64{near, far}
		near, far = (lambda+1)*in.weight(near), (lambda+1)*in.weight(far)
		if before == [2]float64{near, far} {
			break
		}
	}
	start := max(end, math.Floor(far/h))
	walk(start, math.Inf(1), 1)
	below := walk(start-1, end-1, -1)
	start = max(end, math.Floor(near/h))
	walk(start, below+1, 1)
	walk(min(start, below+1)-1, end-1, -1)
	return softplus(sum.log() + math.Log(h) - 0.5*math.Log(2*math.Pi*s*s)), nodes < maxNodes
}

// integrand is the integrand of sampledCumulant without the constant factor of Q.
type integrand struct {
	lambda, q, s2 float64
	logQ, log1mQ  float64 // log q, log(1−q)
}

// ratio returns u and log(1+u) at x. u overflows to +Inf where its logarithm does not.
func (in integrand) ratio(x float64) (u, log float64) {
	a := (2*x - 1) / (2 * in.s2)
	if a <= 30 {
		u = in.q * math.Expm1(a)
		return u, math.Log1p(u)
	}
	log = logAdd(in.log1mQ, in.logQ+a)
	return math.Expm1(log), log
}

// weight is w(x), the probability that the record was sampled given the output x.
func (in integrand) weight(x float64) float64 {
	_, log := in.ratio(x)
	return math.Exp(in.logQ + (2*x-1)/(2*in.s2) - log)
}

// at returns the logarithms of e^(−x²/2s²)·(1+u)^α and of e^(−x²/2s²)·[(1+u)^α − 1 − α·u].
func (in integrand) at(x float64) (moment, excess float64) {
	u, log := in.ratio(x)
	alpha, bell := in.lambda+1, -x*x/(2*in.s2)
	moment = bell + alpha*log
	switch {
	case alpha*math.Abs(u) <= 0.3:
		// Binomial series from the square on; each term is less than a third of the one before it.
		term := alpha * in.lambda / 2 * u * u
		sum := term
		for k := 2.0; math.Abs(term) > 1e-17*sum; k++ {
			term *= (alpha - k) / (k + 1) * u
			sum += term
		}
		excess = bell + math.Log(sum)
	case alpha*log <= 50:
		excess = bell + math.Log((1+u)*math.Expm1(in.lambda*log)-in.lambda*u)
	default:
		// The same, with (1+u)^α taken out.
		excess = moment + math.Log(in.lambda*math.Exp(-alpha*log)-math.Expm1(-in.lambda*log)-in.lambda*math.Exp(-in.lambda*log))
	}
	if math.IsNaN(excess) {
		return moment, math.Inf(-1) // u = 0 within rounding
	}
	return moment, excess
}
