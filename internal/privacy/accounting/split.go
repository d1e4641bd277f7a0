package accounting

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Where rare runs have losses far above the others', one lattice is too coarse for these or too long for those, and no tilt
// brings both to the fore. A run is then split at a loss: with B what is at most that, normalised on either side, and J the pair of
// all above it and "not above it", which is one outcome,
//
//	the composition of n runs is dominated by that of n times J and n times B, and
//	dominates that of n times J and n−k times B, but for P's mass of more than k runs above the loss.
//
// Which runs are above it is seen in their outputs, so nothing is lost by telling. Given that, those above have J's outcomes, and the
// m others are m times B. Of B there may be as many as n, since to forget some is post-processing; and there are at least n−k, unless
// more than k runs are above the loss, and to leave out outcomes of mass p lowers a divergence by p at most. That many times B no
// longer depend on which runs they are: they are independent of J's outcomes. Reversed, the pairs do the same; there a run above the loss has
// the lowest loss of all, and is bounded by one that is not.
//
// B's runs are composed by a transform on a fine lattice, and their sum is put on a coarse one. J's runs are composed there term by term, by the number of
// them that are above the loss: without a transform, so that masses far below others are as precise as they.

// body is a pair's outcomes of losses up to top, with P and Q normalised.
type body struct {
	pair
	top   float64
	whole cell // the pair's mass of them
}

// jumps is a pair's outcomes of losses above top, and one outcome for the others.
type jumps struct {
	pair
	top  float64
	rest cell    // the mass of the others
	rare float64 // P's mass above top
}

// splitAt takes p apart. It fails where there is nothing on one of the sides.
func splitAt(p pair, top float64) (b body, j jumps, ok bool) {
	sides := p.cells(top, 1, 0)
	b, j = body{p, top, sides[0]}, jumps{p, top, sides[0], sides[1].p()}
	return b, j, j.rest.q > 0.5 && j.rest.p() > 0.5 && j.rare > 0 && p.infinite() == 0
}

// loss is that of the one outcome.
func (j jumps) loss() float64 { return math.Log1p(j.rest.excess / j.rest.q) }

// shift is what normalising adds to a loss: less the loss of the one outcome.
func (b body) shift() float64 { return -math.Log1p(b.whole.excess / b.whole.q) }

func (b body) span(tail float64) (low, high float64) {
	low, high = b.pair.span(tail / 2)
	return low + b.shift(), min(high, b.top) + b.shift()
}

func (b body) cells(from, width float64, n int) []cell {
	from -= b.shift()
	cells := b.pair.cells(from, width, n)
	for k := range cells {
		low, high := from+float64(k-1)*width, from+float64(k)*width
		switch {
		case k == 0 && high >= b.top:
			cells[k] = b.whole
		case k > 0 && low >= b.top:
			cells[k] = cell{}
		case k > n || k > 0 && high > b.top:
			cells[k] = b.pair.cells(low, b.top-low, 1)[1]
		}
		c := cells[k]
		cells[k] = cell{c.q / b.whole.q, (c.excess - c.q*b.whole.excess/b.whole.q) / b.whole.p()}
	}
	return cells
}

// cells is without the one outcome, beside whose mass those here are too small to be told.
func (j jumps) cells(from, width float64, n int) []cell {
	cells := j.pair.cells(from, width, n)
	for k := range cells {
		low, high := from+float64(k-1)*width, from+float64(k)*width
		switch {
		case k <= n && high <= j.top:
			cells[k] = cell{}
		case k > n && low < j.top:
			cells[k] = j.pair.cells(j.top, 1, 0)[1]
		case k <= n && (k == 0 || low < j.top):
			cells[k] = j.pair.cells(j.top, high-j.top, 1)[1]
		}
	}
	return cells
}

// A division is a list of mechanisms split at a loss.
type division struct {
	bodies  mechanisms
	jumps   []jumps
	most    int     // jumps that are composed; of bodies, the bound below leaves out as many
	missing float64 // P's mass of more
	loss    float64 // of no jump in any run
	p, q    float64 // P's and Q's mass of that
}

// divide splits m at top, such that missing is at most spare.
func (m mechanisms) divide(top, spare float64) (d division, ok bool) {
	expected, p, q := 0.0, 0.0, 0.0
	d.bodies = mechanisms{counts: m.counts, total: m.total}
	for i, each := range m.pairs {
		b, j, ok := splitAt(each, top)
		if !ok {
			return d, false
		}
		d.bodies.pairs, d.jumps = append(d.bodies.pairs, b), append(d.jumps, j)
		n := float64(m.counts[i])
		expected += n * j.rare
		d.loss += n * j.loss()
		p += n * math.Log1p(-j.rare)
		q += n * math.Log(j.rest.q)
	}
	d.p, d.q = math.Exp(p), math.Exp(q)
	// More than k of independent events, of which so many are expected: at most expected^(k+1)/(k+1)!, the sum over sets of k+1.
	for d.missing = expected; d.missing > spare; d.missing *= expected / float64(d.most+1) {
		if d.most++; d.most > mostJumps {
			return d, false
		}
	}
	return d, true
}

// Limits of the work, as in search.go.
const (
	mostJumps = 40
	mostSums  = 1 << 14 // atoms of the jumps' composition
	mostTerms = 1 << 30 // products for it
)

// compose composes the bodies' sum with the jumps, without tilt.
func (d division) compose(bodies *lattice, jumps jumpSum, upper bool) *composition {
	n := len(jumps.mass)
	c := &composition{step: jumps.step, start: bodies.loss(0) + d.loss, v: make([]float64, len(bodies.mass)+n), relative: 1e-8 + 4e-15*d.bodies.total, logShadow: math.Inf(-1)}
	inside := 0.0
	for _, p := range bodies.mass {
		inside += p
	}
	c.infinite = bodies.infinite
	if upper {
		// The outcome above all others has the divergences up to the loss of the next atom that this one and +∞ have.
		next := jumps.shadow * math.Exp(float64(n)*jumps.step)
		jumps.mass = append(jumps.mass, next)
		c.infinite += (inside+bodies.infinite)*(jumps.infinite+max(0, jumps.far-next))*d.p + d.missing
	} else {
		c.infinite += inside * jumps.infinite * d.p
		c.far, c.logShadow, c.short = inside*jumps.far*d.p, math.Log(max(jumps.shadow*d.q, leastMass)), d.missing
	}
	for j, p := range jumps.mass {
		if p > 0 {
			for k, mass := range bodies.mass {
				c.v[k+j] += mass * p * d.p
			}
		}
	}
	return c
}

// threshold is the least loss at which to split, of some: such that the tilted sum of what lies below it deviates by a few times less. It
// is +Inf where there is none.
func threshold(runs []run, lambda float64) float64 {
	tilts := make([]tilted, len(runs))
	for i, r := range runs {
		var ok bool
		if tilts[i], ok = r.loss.tilt(lambda); !ok {
			return math.Inf(1)
		}
	}
	most := highest(runs)
	for top := most * 0x1p-20; top < most; top *= 1.2 {
		variance := 0.0
		for i, r := range runs {
			weight, m1, m2 := 0.0, 0.0, 0.0
			for k, w := range tilts[i].weight {
				loss := r.loss.loss(k)
				if loss > top {
					break
				}
				weight += w
				m1 += w * loss
				m2 += w * loss * loss
			}
			if weight > 0 {
				variance += float64(r.count) * max(0, m2/weight-m1*m1/(weight*weight))
			}
		}
		if 3*math.Sqrt(variance) < top {
			return top
		}
	}
	return math.Inf(1)
}

// divided narrows the interval by splitting the runs where losses are rare, from a start on lattices of forward.
func (p pld) divided(m mechanisms, q question, best Interval, s start, forward []run, lost float64) Interval {
	most, spare := highest(forward), 1e-3*p.width*lost
	d, ok := m.divide(threshold(forward, s.lambda), spare)
	if !ok {
		return best
	}
	plan := fourier.NewFFT(16)
	fine, coarse := q.step(m.total, s.lambda, best.Upper, p.width/2), q.step(2, s.lambda, best.Upper, p.width/2)
	read := func(bodies []run, upper bool) (bound float64, ok bool) {
		c, ok := compose(bodies, s.lambda, 1e-13, spare, math.Inf(1), mostPoints, plan)
		if !ok {
			return 0, false
		}
		sum, ok := c.asPair(upper)
		if !ok {
			return 0, false
		}
		if noise := c.noise * float64(len(c.v)) * math.Exp(c.logScale-c.lambda*(0.8*q.near(best.Upper)-c.centre)); upper && noise > spare {
			if alone, _, ok := d.bodies.begin(q, lost, math.Inf(1), coarseAtoms); ok && alone.lambda > s.lambda {
				if sharp, ok := compose(bodies, alone.lambda, 1e-13, spare, math.Inf(1), mostPoints, plan); ok {
					sum.sharpen(c.first, sharp)
				}
			}
		}
		body, ok := sum.coarser(coarse, upper)
		size := 1.5*most/coarse + 2
		if !ok || !(size < mostSums && size*size*float64(d.most+1) < mostTerms) {
			return 0, false
		}
		jumps := nothing(coarse, int(size))
		for i, j := range d.jumps {
			each, ok := j.composed(m.counts[i], d.most, coarse, lost/m.total, most, int(size), upper)
			if !ok {
				return 0, false
			}
			jumps = jumps.with(each)
		}
		return q.read(d.compose(body, jumps, upper), upper), true
	}
	for done, work := false, 0; work < mostWork/2; {
		bodies, points, ok := d.bodies.build(fine, lost/2, math.Inf(1), 2)
		work += 2*points + mostWork/16
		upper := 0.0
		if ok {
			upper, ok = read(bodies.forward, true)
		}
		switch {
		case !ok && done:
			return best
		case !ok: // too many points, most likely
			fine, coarse = 2*fine, 1.2*coarse
			continue
		}
		done = true
		// The pairs of replaced records are their own reverse, mirrored.
		if p.adjacency != ReplaceOne && s.reverse > upper {
			reverse := s.reverse
			if c, ok := compose(bodies.reverse, s.back, 1e-13, 1e-3*p.width/(s.back+2), math.Inf(1), mostPoints, plan); ok {
				c.centre -= d.loss
				reverse = min(reverse, q.read(c, true))
			}
			upper = max(upper, reverse)
		}
		best.Upper = min(best.Upper, upper)
		for i := range bodies.lower {
			bodies.lower[i].count -= min(d.most, bodies.lower[i].count)
		}
		if lower, ok := read(bodies.lower, false); ok {
			best.Lower = min(best.Upper, max(best.Lower, lower))
		}
		width := best.Upper - best.Lower
		if width <= p.width*best.Upper {
			return best
		}
		finer := min(0.7, max(0.1, math.Sqrt(0.6*p.width*best.Upper/width)))
		fine, coarse = fine*finer, coarse*finer
	}
	return best
}
