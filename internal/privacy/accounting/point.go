package accounting

import "math"

// laplaceNoise is the Poisson-sampled Laplace mechanism of scale b when a record is removed: (1−q)·Lap(0, b) + q·Lap(1, b) against
// Lap(0, b). The unsampled loss (|x|−|x−1|)/b has atoms at −1/b, of all x ≤ 0, and at 1/b, of all x ≥ 1. q is 1 where a
// record is replaced, with twice the distance.
type laplaceNoise struct{ q, b float64 }

func (laplaceNoise) infinite() float64 { return 0 }

// margin keeps the atoms at the ends of a span off its ends.
const margin = 1e-9

func (l laplaceNoise) span(float64) (low, high float64) {
	low = math.Log1p(l.q * math.Expm1(-1/l.b))
	high = math.Log1p(l.q * math.Expm1(1/l.b))
	if 1/l.b > 700 {
		high = 1/l.b + logOf(l.q)
	}
	return low - margin*(high-low), high + margin*(high-low)
}

// point returns the x in [0, 1] at which the loss is given, 0 below and 1 above all losses, and on which side that is.
func (l laplaceNoise) point(loss float64) (x float64, below, above bool) {
	a := loss - logOf(l.q)
	if l.q < 1 && loss < 30 {
		a = math.Log1p(math.Expm1(loss) / l.q)
	}
	switch {
	case !(a >= -1/l.b):
		return 0, true, false
	case a >= 1/l.b:
		return 1, false, true
	}
	return (a*l.b + 1) / 2, false, false
}

func (l laplaceNoise) cells(from, width float64, n int) []cell {
	cells := make([]cell, n+2)
	left, wasBelow, wasAbove := 0.0, true, false
	far := math.Exp(-1 / l.b)
	for k := range cells {
		right, below, above := 1.0, false, true
		if k <= n {
			right, below, above = l.point(from + float64(k)*width)
		}
		// Between the atoms the densities are e^(−x/b)/2b and e^((x−1)/b)/2b.
		shrink := -math.Expm1(-(right-left)/l.b) / 2
		f0 := math.Exp(-left/l.b) * shrink
		excess := f0 * math.Expm1((left+right-1)/l.b)
		if 1/l.b > 700 { // where the exponential might overflow
			excess = math.Exp((right-1)/l.b)*shrink - f0
		}
		if wasBelow && !below {
			f0, excess = f0+0.5, excess+math.Expm1(-1/l.b)/2
		}
		if !wasAbove && above {
			f0, excess = f0+far/2, excess-math.Expm1(-1/l.b)/2
		}
		cells[k] = cell{f0, l.q * excess}
		left, wasBelow, wasAbove = right, below, above
	}
	return cells
}

// randomisedResponse is the pair that dominates every (ε, δ)-differentially private mechanism (Kairouz, Oh, Viswanath 2015, arXiv:1311.0776,
// where it attains Theorem 3.3): with probability δ it tells, else it answers with odds e^ε.
type randomisedResponse struct{ epsilon, delta float64 }

func (r randomisedResponse) infinite() float64 { return r.delta }

func (r randomisedResponse) span(float64) (low, high float64) {
	edge := r.epsilon + margin*(r.epsilon+1e-3)
	return -edge, edge
}

func (r randomisedResponse) cells(from, width float64, n int) []cell {
	cells := make([]cell, n+2)
	likely := (1 - r.delta) / (1 + math.Exp(-r.epsilon))
	unlikely := (1 - r.delta) * math.Exp(-r.epsilon) / (1 + math.Exp(-r.epsilon))
	excess := -likely * math.Expm1(-r.epsilon)
	put := func(loss, q, excess float64) {
		k := int(min(max(math.Ceil((loss-from)/width), 0), float64(n+1)))
		cells[k] = cells[k].plus(cell{q, excess})
	}
	put(r.epsilon, unlikely, excess)
	put(-r.epsilon, likely, -excess)
	cells[n+1] = cells[n+1].plus(cell{0, r.delta})
	cells[0] = cells[0].plus(cell{r.delta, -r.delta})
	return cells
}
