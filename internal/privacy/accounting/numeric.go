package accounting

import "math"

// logSum is the logarithm of a sum of exponentials, none of which need fit a float64.
type logSum struct {
	largest float64 // the largest logarithm so far, -Inf at first
	scaled  float64 // the sum divided by e^largest
}

func (s *logSum) add(log float64) {
	switch {
	case log <= s.largest && !math.IsInf(log, -1):
		s.scaled += math.Exp(log - s.largest)
	case log > s.largest:
		s.scaled = s.scaled*math.Exp(s.largest-log) + 1
		s.largest = log
	}
}

func (s *logSum) log() float64 { return s.largest + math.Log(s.scaled) }

// logAdd returns log(e^a + e^b) for finite a, b.
func logAdd(a, b float64) float64 { return max(a, b) + math.Log1p(math.Exp(-math.Abs(a-b))) }

// softplus returns log(1 + e^x).
func softplus(x float64) float64 {
	if x > 36 {
		return x + math.Exp(-x)
	}
	return math.Log1p(math.Exp(x))
}

// logExpm1 returns log(e^x − 1) for x >= 0.
func logExpm1(x float64) float64 {
	if x > 36 {
		return x
	}
	return math.Log(math.Expm1(x))
}

// minimize returns the argument and value of the least f found by golden-section search on [lo, hi], to within tolerance of a
// minimum if f has only one. f may be +Inf towards either end.
func minimize(f func(float64) float64, lo, hi, tolerance float64) (x, fx float64) {
	const ratio = math.Phi - 1
	a, b := hi-ratio*(hi-lo), lo+ratio*(hi-lo)
	fa, fb := f(a), f(b)
	for hi-lo > tolerance {
		if fa <= fb {
			hi, b, fb = b, a, fa
			a = hi - ratio*(hi-lo)
			fa = f(a)
		} else {
			lo, a, fa = a, b, fb
			b = lo + ratio*(hi-lo)
			fb = f(b)
		}
	}
	if fa <= fb {
		return a, fa
	}
	return b, fb
}

// logOf returns log x for x > 0, also where x is subnormal: there math.Log is wrong on amd64, by as much as 36.
func logOf(x float64) float64 {
	fraction, exponent := math.Frexp(x)
	return math.Log(fraction) + float64(exponent)*math.Ln2
}

// probability returns e^log, rounded up, at most 1 and at least 2^-1022, the smallest number of full precision.
func probability(log float64) float64 { return min(1, max(math.Exp(log)*(1+1e-14), 0x1p-1022)) }
