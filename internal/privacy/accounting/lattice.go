package accounting

import "math"

// lattice is a distribution of the privacy loss under P: mass[k] at loss offset + (first+k)·step, infinite at +∞, in a lower one far in
// one outcome above all atoms, and what is missing from 1 at −∞. In an upper lattice mass has only moved so that every hockey-stick
// divergence grew, in a lower one so that it shrank; composition keeps either.
type lattice struct {
	offset, step float64
	first        int
	mass         []float64
	infinite     float64
	far, shadow  float64 // P's mass of that outcome, and Q's
	dropped      float64 // P's mass at −∞
}

// loss returns the loss of mass[k].
func (l *lattice) loss(k int) float64 { return l.offset + float64(l.first+k)*l.step }

// leastMass is the mass below which an atom is given up: what remains has a tilted weight without overflow.
const leastMass = 1e-290

// grid is where the atoms of a pair go, and the masses between them.
type grid struct {
	offset, step float64
	first, last  int
	infinite     float64 // the pair's
	parts        int     // cells an interval between two atoms is cut into: 2 where lower is asked for, else 1
	cells        []cell  // below the first atom; parts for each interval; above the last atom
}

// mostLoss bounds the losses of grids: their exponentials, times masses of at least leastMass, are numbers of full precision. What lies beyond
// is taken as what lies outside a grid is.
const mostLoss = 690

// span is a pair's span as far as a grid up to top goes; a little of it where all of it lies above.
func span(p pair, tail, top float64) (low, high float64) {
	low, high = p.span(tail)
	low, high = min(max(low, -mostLoss), mostLoss), max(min(high, mostLoss), -mostLoss)
	if top < high {
		high = max(top, low+(high-low)*1e-3)
	}
	return low, high
}

// newGrid covers all but tail of pair up to top. It returns false if that takes more than limit atoms, or a step too large for the bound
// on losses.
func newGrid(p pair, step, tail, top float64, parts, limit int) (*grid, bool) {
	low, high := span(p, tail, top)
	if !((high-low)/step < float64(limit) && step < 10) {
		return nil, false
	}
	g := &grid{step: step, offset: centre(p, step, low, high), infinite: p.infinite(), parts: parts}
	first, last := math.Floor((low-g.offset)/step), math.Ceil((high-g.offset)/step)
	if !(last-first < float64(limit) && math.Abs(first) < 1<<40) {
		return nil, false
	}
	g.first, g.last = int(first), max(int(last), int(first)+1)
	g.cells = p.cells(g.loss(g.first), step/float64(parts), parts*(g.last-g.first))
	return g, true
}

func (g *grid) loss(i int) float64 { return g.offset + float64(i)*g.step }

// centre chooses an offset. Where most of the mass has nearly the same loss, closer than step, an atom is put on it: at the loss of
// everything below a point shortly above the atom, taken as one outcome. The point is where lower balances an atom against the
// next. Any offset is valid.
func centre(p pair, step, low, high float64) float64 {
	c := min(max(0, low), high)
	for range 5 {
		above := p.cells(c, step, 2)
		share := balance(above[1].p(), above[2].p())
		below := p.cells(c+share*step, step, 0)[0]
		next := math.Log1p(below.excess / below.q)
		if !(math.Abs(next) <= 1e300) {
			return c
		}
		c = next
	}
	return c
}

// balance returns the fraction of an interval's lower part that the atom below it should merge if intervals' masses go on to fall
// from this to next: with the next interval split alike, the deficit of the rest is the surplus of that one's lower part.
func balance(this, next float64) float64 {
	if !(next < this) {
		return 0.5
	}
	return 1 / (1 + math.Sqrt(next/this))
}

// upper returns dominating lattices of the pair and of its reverse (Q, P), by connecting the dots (Doroshenko, Ghazi, Kamath,
// Kumar, Manurangsi 2022, arXiv:2207.04380, Algorithm 1): the mass between two atoms goes to these two so that both its
// P and its Q mass are kept. With S the surplus at the lower atom, the upper one gets S/(1−e^−step). What lies above the last
// atom goes to it and to +∞ alike: its surplus there. What lies below the first goes up to it.
func (g *grid) upper() (forward, reverse *lattice) {
	n := g.last - g.first + 1
	below, above := g.cells[0], g.cells[len(g.cells)-1]
	forward = &lattice{offset: g.offset, step: g.step, first: g.first, mass: make([]float64, n), infinite: above.p()}
	reverse = &lattice{offset: -g.offset, step: g.step, first: -g.last, mass: make([]float64, n), infinite: below.q}
	if above.q >= leastMass {
		forward.infinite = min(max(0, above.surplus(math.Expm1(g.loss(g.last)))), above.p())
	}
	forward.mass[0], reverse.mass[0] = below.p(), above.q
	forward.mass[n-1] += above.p() - forward.infinite
	share := -1 / math.Expm1(-g.step)
	ratio := math.Exp(-g.loss(g.first))
	for k := range n - 1 {
		whole := g.cells[1+g.parts*k]
		if g.parts == 2 {
			whole = whole.plus(g.cells[2+g.parts*k])
		}
		p, next := whole.p(), math.Exp(-g.loss(g.first+k+1))
		// Where one of the two is too small to compute with, each goes where it counts more.
		up, lower, higher := p, whole.q, 0.0
		if min(p, whole.q) >= leastMass {
			up = min(max(0, whole.surplus(math.Expm1(g.loss(g.first+k)))*share), p)
			lower, higher = (p-up)*ratio, up*next
		}
		forward.mass[k] += p - up
		forward.mass[k+1] += up
		reverse.mass[n-1-k] += lower
		reverse.mass[n-2-k] += higher
		ratio = next
	}
	forward.trim()
	reverse.trim()
	return forward, reverse
}

// trim moves to +∞ what is too small to compute with.
func (l *lattice) trim() {
	for k, p := range l.mass {
		if p < leastMass {
			l.infinite += p
			l.mass[k] = 0
		}
	}
}

// weaker is c with enough of Q to compute with.
func (c cell) weaker() cell {
	if p := c.p(); p >= leastMass && c.q < leastMass {
		return cell{leastMass, p - leastMass}
	}
	return c
}

// lower returns a lattice that the pair dominates. Ascending, each atom merges the cells below it that no atom has yet with
// as much from the two cells above it as makes the likelihood ratio of the merger that of the atom. Merging, and splitting a
// cell in fixed proportions, is post-processing. Where the cells above do not suffice, the lowest of those below are rounded
// down to the atom before: their losses, hence all divergences, shrink. What lies above the last atom is one outcome, far. The grid has
// two parts an interval.
func (g *grid) lower() *lattice {
	n := g.last - g.first + 1
	l := &lattice{offset: g.offset, step: g.step, first: g.first, mass: make([]float64, n)}
	// What no atom has yet of the half cells between the last atom and this one, and at first of what is below all.
	rest := [2]cell{g.cells[0].weaker(), {}}
	for k := range n {
		expm1 := math.Expm1(g.loss(g.first + k))
		deficit := max(0, -rest[0].surplus(expm1)) + max(0, -rest[1].surplus(expm1))
		var above [2]cell
		if k < n-1 {
			above = [2]cell{g.cells[1+2*k].weaker(), g.cells[2+2*k].weaker()}
		}
		surplus := [2]float64{max(0, above[0].surplus(expm1)), max(0, above[1].surplus(expm1))}
		short := max(0, deficit-surplus[0]-surplus[1])
		for _, c := range rest {
			down := 0.0 // the fraction rounded down
			if s := -c.surplus(expm1); short > 0 && s > 0 {
				down = min(1, short/s)
				short -= down * s
			}
			if k > 0 {
				l.mass[k-1] += down * c.p()
			} else {
				l.dropped += down * c.p()
			}
			l.mass[k] += (1 - down) * c.p()
		}
		take := g.shares(k, above, surplus, deficit)
		for i, c := range above {
			l.mass[k] += take[i] * c.p()
			rest[i] = c.times(1 - take[i])
		}
	}
	above := g.cells[len(g.cells)-1]
	l.infinite = g.infinite
	if l.far = max(0, above.p()-g.infinite); l.far > 0 {
		l.shadow = max(above.q, leastMass) // which may have vanished
	}
	for k, p := range l.mass {
		if p < leastMass {
			l.dropped += p
			l.mass[k] = 0
		}
	}
	return l
}

// shares returns the fractions of the half cells above atom k that it merges: such that their surplus makes up the deficit, as far as it does.
// Taking the lower half first leaves the least deficit to the next atom. That is too little where masses fall: the next one
// then leaves too much, and the one after it has to round down. There, as much is left as balances.
func (g *grid) shares(k int, above [2]cell, surplus [2]float64, deficit float64) [2]float64 {
	var take [2]float64
	d := deficit
	for i, s := range surplus {
		if take[i] = 1; s > d {
			take[i] = d / s
		}
		d = max(0, d-s)
	}
	if 6+2*k >= len(g.cells) {
		return take
	}
	next := g.cells[3+2*k].plus(g.cells[4+2*k])
	after := g.cells[5+2*k].plus(g.cells[6+2*k])
	if !(after.p() < next.p()) {
		return take
	}
	expm1 := math.Expm1(g.loss(g.first + k + 1))
	t := balance(next.p(), after.p())
	want := next.surplus(expm1) * t * t
	left := [2]float64{max(0, -above[0].surplus(expm1)), max(0, -above[1].surplus(expm1))}
	if (1-take[0])*left[0]+(1-take[1])*left[1] >= want {
		return take
	}
	// Solve x·surplus = deficit, (1−x)·left = want, keeping the first exactly.
	det := surplus[0]*left[1] - surplus[1]*left[0]
	if !(det < 0 && surplus[0] > 0 && surplus[1] > 0) {
		return take
	}
	kept := left[0] + left[1] - want
	x := (deficit*left[1] - surplus[1]*kept) / det
	x = min(max(x, (deficit-surplus[1])/surplus[0], 0), take[0])
	return [2]float64{x, min(1, max(0, (deficit-x*surplus[0])/surplus[1]))}
}
