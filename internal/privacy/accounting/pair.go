package accounting

import (
	"math"
)

// pair is a dominating pair (P, Q) of distributions on the line whose privacy loss log dP/dQ does not fall along it. P has the record
// and Q has not: for every hockey-stick divergence the mechanism's worst neighbours are no further apart.
type pair interface {
	// span returns losses low and high with P(loss > high) ≤ tail and Q(loss ≤ low) ≤ tail.
	span(tail float64) (low, high float64)

	// cells returns the masses between the losses from, from+width, …, from+n·width: cell 0 has loss ≤ from,
	// cell n+1 has loss > from+n·width.
	cells(from, width float64, n int) []cell

	// symmetric reports whether (Q, P) has the same divergences as (P, Q).
	symmetric() bool
}

// cell is the mass of an interval of outcomes.
type cell struct {
	q      float64 // Q's mass
	excess float64 // P's mass minus Q's, without cancellation where the two are close
}

func (c cell) p() float64 { return max(0, c.q+c.excess) }

// surplus is P's mass minus e^loss times Q's, given expm1(loss).
func (c cell) surplus(expm1 float64) float64 { return c.excess - expm1*c.q }

func (c cell) plus(d cell) cell { return cell{c.q + d.q, c.excess + d.excess} }

func (c cell) times(f float64) cell { return cell{c.q * f, c.excess * f} }

// gaussians is a pair of Gaussian mixtures of one standard deviation: P adds mass to, or takes it from, the components of Q.
type gaussians struct {
	sigma  float64
	at     []float64 // means, rising
	q      []float64 // Q's weight of each
	excess []float64 // P's weight minus Q's; adds up to 0
	// inverse returns an output x whose loss is given, −Inf below and +Inf above all losses.
	inverse func(loss float64) float64
	same    bool // symmetric
}

func (g *gaussians) symmetric() bool { return g.same }

// sampledGaussian is the Poisson-sampled Gaussian mechanism when a record is removed: P = (1−q)·N(0, σ²) + q·N(1, σ²) against
// N(0, σ²). The loss log(1 + q·(e^((2x−1)/2σ²) − 1)) is solved for x.
func sampledGaussian(q, sigma float64) *gaussians {
	s2 := sigma * sigma
	return &gaussians{
		sigma: sigma, at: []float64{0, 1}, q: []float64{1, 0}, excess: []float64{-q, q},
		inverse: func(loss float64) float64 {
			if q == 1 {
				return 0.5 + s2*loss
			}
			if loss > 30 {
				return 0.5 + s2*(loss-logOf(q)+math.Log1p(-(1-q)*math.Exp(-loss)))
			}
			u := math.Expm1(loss) + q
			if u <= 0 {
				return math.Inf(-1)
			}
			return 0.5 + s2*(logOf(u)-logOf(q))
		},
		same: q == 1,
	}
}

// tail is a component's mass on the outer side of x: above if upper, else below.
type tail struct {
	mass  float64
	upper bool
}

func (g *gaussians) tail(x float64, component int) tail {
	z := (x - g.at[component]) / g.sigma
	return tail{0.5 * math.Erfc(math.Abs(z)/math.Sqrt2), z >= 0}
}

// between is the mass between the two points that have these tails, the left one first. It subtracts the smaller tails; what an error of
// a tail takes from a cell it gives to the neighbour.
func between(left, right tail) float64 {
	switch {
	case left.upper:
		return left.mass - right.mass
	case !right.upper:
		return right.mass - left.mass
	default:
		return 1 - left.mass - right.mass
	}
}

func (g *gaussians) cells(from, width float64, n int) []cell {
	cells := make([]cell, n+2)
	left, right := make([]tail, len(g.at)), make([]tail, len(g.at))
	for k := range cells {
		if k <= n {
			x := g.inverse(from + float64(k)*width)
			for j := range right {
				right[j] = g.tail(x, j)
			}
		} else {
			for j := range right {
				right[j] = tail{0, true}
			}
		}
		for j := range right {
			mass := right[j].mass
			if k > 0 {
				mass = between(left[j], right[j])
			} else if right[j].upper {
				mass = 1 - mass
			}
			mass = max(0, mass)
			cells[k].q += g.q[j] * mass
			cells[k].excess += g.excess[j] * mass
		}
		left, right = right, left
	}
	return cells
}

// loss is the loss of output x: log(1 + Σ excess·r / Σ q·r) with r the density of each component divided by that of N(0, σ²).
func (g *gaussians) loss(x float64) float64 {
	// In units of the largest r, so that nothing overflows.
	top := math.Inf(-1)
	log := func(j int) float64 { return (2*x - g.at[j]) * g.at[j] / (2 * g.sigma * g.sigma) }
	for j := range g.at {
		top = max(top, log(j))
	}
	p, q, excess := 0.0, 0.0, 0.0
	for j := range g.at {
		r := math.Exp(log(j) - top)
		q += g.q[j] * r
		p += (g.q[j] + g.excess[j]) * r
		excess += g.excess[j] * (math.Expm1(log(j)) * math.Exp(-top))
	}
	if top < 1 {
		return math.Log1p(excess / q)
	}
	return math.Log(p) - math.Log(q)
}

func (g *gaussians) span(tail float64) (low, high float64) {
	above := func(x float64) (p float64) {
		for j := range g.at {
			p += (g.q[j] + g.excess[j]) * 0.5 * math.Erfc((x-g.at[j])/g.sigma/math.Sqrt2)
		}
		return p
	}
	below := func(x float64) (q float64) {
		for j := range g.at {
			q += g.q[j] * 0.5 * math.Erfc((g.at[j]-x)/g.sigma/math.Sqrt2)
		}
		return q
	}
	first, last := g.at[0], g.at[len(g.at)-1]
	right := crossing(first, last+40*g.sigma, func(x float64) bool { return above(x) <= tail })
	left := -crossing(-last, -first+40*g.sigma, func(x float64) bool { return below(-x) <= tail })
	return g.loss(left), g.loss(right)
}

// crossing returns a point of [lo, hi] near the least at which ok holds, given that it holds from there on: one where it does, or hi.
func crossing(lo, hi float64, ok func(float64) bool) float64 {
	for range 40 {
		if mid := lo + (hi-lo)/2; ok(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}
