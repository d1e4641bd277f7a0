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

	// infinite is P's mass where Q has none.
	infinite() float64
}

// cost is how much longer than others the cells of a pair take.
func cost(p pair) int {
	if b, ok := p.(body); ok {
		p = b.pair
	}
	if g, ok := p.(*gaussians); ok && g.group {
		return 4 + len(g.at)
	}
	return 1
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
	group  bool      // inverse is by search
	// inverse returns an output x whose loss is given, −Inf below and +Inf above all losses. guess is one near it.
	inverse func(loss, guess float64) float64
}

func (*gaussians) infinite() float64 { return 0 }

// sampledGaussian is the Poisson-sampled Gaussian mechanism when a record is removed: P = (1−q)·N(0, σ²) + q·N(1, σ²) against
// N(0, σ²). The loss log(1 + q·(e^((2x−1)/2σ²) − 1)) is solved for x.
func sampledGaussian(q, sigma float64) *gaussians {
	s2 := sigma * sigma
	return &gaussians{
		sigma: sigma, at: []float64{0, 1}, q: []float64{1, 0}, excess: []float64{-q, q},
		inverse: func(loss, _ float64) float64 {
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
	}
}

// replacedGaussian is the Poisson-sampled Gaussian mechanism when a record is replaced: (1−q)·N(0, σ²) + q·N(1, σ²) against
// (1−q)·N(0, σ²) + q·N(−1, σ²). The loss is a function of sinh(x/σ²), and odd:
//
//	x = σ²·(ε/2 + asinh((1−q)/q·e^(1/2σ²)·sinh(ε/2))).
func replacedGaussian(q, sigma float64) *gaussians {
	s2 := sigma * sigma
	log := math.Log1p(-q) - logOf(q) + 1/(2*s2)
	return &gaussians{
		sigma: sigma, at: []float64{-1, 0, 1}, q: []float64{q, 1 - q, 0}, excess: []float64{-q, 0, q},
		inverse: func(loss, _ float64) float64 {
			half := math.Abs(loss) / 2
			// The argument's logarithm, which may be too large to take the exponential of; asinh(y) is then log 2y.
			t := half + log + logOf(-math.Expm1(-2*half)/2)
			if half == 0 {
				t = math.Inf(-1)
			}
			if t > 300 {
				t += math.Ln2
			} else {
				t = math.Asinh(math.Exp(t))
			}
			return math.Copysign(s2*(half+t), loss)
		},
	}
}

// groupGaussian is the Poisson-sampled Gaussian mechanism for a group of records: P is a mixture of N(j, σ²) with j binomial, against
// N(0, σ²) if the group is removed and the mixture of N(−j, σ²) if it is replaced.
func groupGaussian(q, sigma float64, size int, replaced bool) *gaussians {
	g := &gaussians{sigma: sigma, group: true}
	for j := -size; j <= size; j++ {
		// log of the binomial probability of |j|
		k := math.Abs(float64(j))
		all, _ := math.Lgamma(float64(size + 1))
		in, _ := math.Lgamma(k + 1)
		out, _ := math.Lgamma(float64(size) - k + 1)
		weight := math.Exp(all - in - out + k*logOf(q) + (float64(size)-k)*math.Log1p(-q))
		switch {
		case j > 0:
			g.add(j, 0, weight)
		case j == 0 && !replaced:
			g.add(j, 1, math.Expm1(float64(size)*math.Log1p(-q)))
		case j == 0:
			g.add(j, weight, 0)
		case replaced:
			g.add(j, weight, -weight)
		}
	}
	g.inverse = g.solve
	return g
}

func (g *gaussians) add(at int, q, excess float64) {
	g.at, g.q, g.excess = append(g.at, float64(at)), append(g.q, q), append(g.excess, excess)
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
	x := 0.0
	for k := range cells {
		if k <= n {
			x = g.inverse(from+float64(k)*width, x)
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

// loss is the loss at output x, log Σ (q+excess)·r / Σ q·r with r the density of each component divided by that of N(0, σ²), and its
// derivative.
func (g *gaussians) loss(x float64) (loss, slope float64) {
	s2 := g.sigma * g.sigma
	log := func(j int) float64 { return (2*x - g.at[j]) * g.at[j] / (2 * s2) }
	// Each sum in units of its largest r, so that neither overflows nor vanishes.
	topP, topQ := math.Inf(-1), math.Inf(-1)
	for j := range g.at {
		if g.q[j]+g.excess[j] > 0 {
			topP = max(topP, log(j))
		}
		if g.q[j] > 0 {
			topQ = max(topQ, log(j))
		}
	}
	var p, q, excess, meanP, meanQ float64
	for j, at := range g.at {
		if weight := g.q[j] + g.excess[j]; weight > 0 {
			r := weight * math.Exp(log(j)-topP)
			p += r
			meanP += r * at
		}
		if g.q[j] > 0 {
			r := g.q[j] * math.Exp(log(j)-topQ)
			q += r
			meanQ += r * at
		}
		if max(topP, topQ) < 300 {
			excess += g.excess[j] * math.Expm1(log(j))
		}
	}
	slope = (meanP/p - meanQ/q) / s2
	// Close to 0 the difference of P and Q is known better than both.
	if ratio := excess * math.Exp(-topQ) / q; max(topP, topQ) < 300 && math.Abs(ratio) < 0.5 {
		return math.Log1p(ratio), slope
	}
	return math.Log(p) - math.Log(q) + topP - topQ, slope
}

// solve inverts loss by Newton's method between bounds.
func (g *gaussians) solve(loss, guess float64) float64 {
	if g.at[0] == 0 && loss <= math.Log1p(g.excess[0]) {
		return math.Inf(-1)
	}
	lo, hi := math.Inf(-1), math.Inf(1)
	x := min(max(guess, -1e3*(g.sigma+1)), 1e3*(g.sigma+1))
	for range 200 {
		at, slope := g.loss(x)
		if at < loss {
			lo = x
		} else {
			hi = x
		}
		next := x + (loss-at)/slope
		if !(next > lo && next < hi) || math.Abs(next-x) > 1e3*(g.sigma+1) {
			switch {
			case math.IsInf(lo, -1):
				next = x - (g.sigma + math.Abs(x))
			case math.IsInf(hi, 1):
				next = x + (g.sigma + math.Abs(x))
			default:
				next = lo + (hi-lo)/2
			}
		}
		if math.Abs(next-x) <= 1e-14*(math.Abs(x)+g.sigma) {
			return next
		}
		x = next
	}
	return x
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
	low, _ = g.loss(left)
	high, _ = g.loss(right)
	return low, high
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
