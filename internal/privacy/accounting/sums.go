package accounting

import "math"

// jumpSum is how the losses of some runs add up beyond that of the one outcome of each. Its masses are in units of what none of
// them jumping has, P's and Q's alike, so that atom k has a loss of k steps.
type jumpSum struct {
	step        float64
	mass        []float64 // P's
	far, shadow float64   // P's and Q's mass of losses of len(mass) steps and more, as one outcome
	infinite    float64   // P's mass of an infinite loss
}

// total returns P's mass, but for the infinite one, and Q's.
func (s jumpSum) total() (p, q float64) {
	p, q = s.far, s.shadow
	for k, mass := range s.mass {
		p += mass
		q += mass * math.Exp(-float64(k)*s.step)
	}
	return p, q
}

// with is the composition of s and t, which are of one length.
func (s jumpSum) with(t jumpSum) jumpSum {
	n := len(s.mass)
	u := jumpSum{step: s.step, mass: make([]float64, n)}
	// P's and Q's mass of t from each atom on
	beyond, shadow := make([]float64, n+1), make([]float64, n+1)
	for j := n - 1; j >= 0; j-- {
		beyond[j] = beyond[j+1] + t.mass[j]
		shadow[j] = shadow[j+1] + t.mass[j]*math.Exp(-float64(j)*s.step)
	}
	for i, p := range s.mass {
		if p == 0 {
			continue
		}
		for j, q := range t.mass[:n-i] {
			u.mass[i+j] += p * q
		}
		u.far += p * beyond[n-i]
		u.shadow += p * math.Exp(-float64(i)*s.step) * shadow[n-i]
	}
	sp, sq := s.total()
	tp, tq := t.total()
	u.far += s.far*tp + (sp-s.far)*t.far
	u.shadow += s.shadow*tq + (sq-s.shadow)*t.shadow
	u.infinite = s.infinite*(tp+t.infinite) + sp*t.infinite
	return u
}

// add adds f times t to s.
func (s *jumpSum) add(f float64, t jumpSum) {
	for k, p := range t.mass {
		s.mass[k] += f * p
	}
	s.far += f * t.far
	s.shadow += f * t.shadow
	s.infinite += f * t.infinite
}

// nothing is the sum of no runs.
func nothing(step float64, size int) jumpSum {
	s := jumpSum{step: step, mass: make([]float64, size)}
	s.mass[0] = 1
	return s
}

// composed is the sum of n runs of which at most most jump, on size atoms, leaving out tail of the mass of each. It fails where one
// jump can be larger.
func (j jumps) composed(n, most int, step, tail, top float64, size int, upper bool) (jumpSum, bool) {
	_, high := span(j.pair, tail, top)
	g := &grid{step: step, offset: j.loss(), parts: 2, last: int(math.Ceil((high - j.loss()) / step))}
	if !(g.last >= 1 && g.last < size && step < 10) {
		return jumpSum{}, false
	}
	g.cells = j.cells(g.offset, step/2, 2*g.last)
	l := g.lower()
	if upper {
		l, _ = g.upper()
	}
	one := jumpSum{step: step, mass: make([]float64, size), far: l.far / j.rest.p(), shadow: l.shadow / j.rest.q, infinite: l.infinite / j.rest.p()}
	for k, p := range l.mass {
		one.mass[k] = p / j.rest.p()
	}
	all, power, ways := nothing(step, size), nothing(step, size), 1.0
	for k := 1; k <= min(n, most); k++ {
		power = power.with(one)
		ways *= float64(n-k+1) / float64(k)
		all.add(ways, power)
	}
	return all, true
}

// discrete is a composition as a pair: a bound on the one that it stands for.
type discrete struct {
	first, step float64   // loss of the first atom, and between two
	mass        []float64 // of P
	beyond      float64   // P's mass of an infinite loss
}

// asPair bounds the composition's masses, its errors counted against (upper) or for the mechanism. It fails where they do not fit.
func (c *composition) asPair(upper bool) (s discrete, ok bool) {
	s = discrete{first: c.centre + c.start, step: c.step, mass: make([]float64, len(c.v))}
	sure := 0.0
	for k := range c.v {
		least, most := c.massAt(k)
		sure += least
		if s.mass[k] = least; upper {
			s.mass[k] = most
		}
		if !(s.mass[k] < 1e100) {
			return s, false
		}
	}
	if upper {
		// What has wrapped was moved, from below with another mass.
		s.mass[0] += max(0, 1-sure)
		s.beyond = c.beyond()
	}
	return s, true
}

// massAt bounds P's mass of v[k]'s atom.
func (c *composition) massAt(k int) (least, most float64) {
	scale := math.Exp(c.logScale - c.lambda*(c.start+float64(k)*c.step))
	return max(0, c.v[k]-c.noise-c.below-c.above) * scale * (1 - c.relative), (c.v[k] + c.noise) * scale * (1 + c.relative)
}

// beyond bounds P's mass above the window.
func (c *composition) beyond() float64 {
	return (c.infinite + c.above*math.Exp(c.logScale-c.lambda*c.end())) * (1 + c.relative)
}

// sharpen lowers the upper bounds s of a composition's masses, whose window begins at first, by another composition of the same runs, at a
// larger tilt: its rounding errors are small where the first one's are not.
func (s *discrete) sharpen(first int, c *composition) {
	at := c.first - first
	if at < 0 || at > len(s.mass) {
		return // of what lies between the windows, neither tells
	}
	if at+len(c.v) > len(s.mass) {
		s.beyond = c.beyond()
	}
	for k := range c.v {
		if at+k == 0 {
			continue // which has what was moved from below the window
		}
		if _, most := c.massAt(k); at+k < len(s.mass) {
			s.mass[at+k] = min(s.mass[at+k], most)
		} else {
			s.mass = append(s.mass, most)
		}
	}
}

func (s discrete) infinite() float64 { return s.beyond }

func (s discrete) span(float64) (low, high float64) {
	return s.first - s.step, s.first + float64(len(s.mass))*s.step
}

func (s discrete) cells(from, width float64, n int) []cell {
	cells := make([]cell, n+2)
	for i, p := range s.mass {
		loss := s.first + float64(i)*s.step
		k := min(max(0, math.Ceil((loss-from)/width)), float64(n+1))
		cells[int(k)] = cells[int(k)].plus(cell{p * math.Exp(-loss), -p * math.Expm1(-loss)})
	}
	cells[n+1].excess += s.beyond
	return cells
}

// coarser puts a composition's bounds on a lattice of another step.
func (s discrete) coarser(step float64, upper bool) (*lattice, bool) {
	g, ok := newGrid(s, step, 0, math.Inf(1), 2, mostPoints)
	if !ok {
		return nil, false
	}
	if upper {
		forward, _ := g.upper()
		return forward, true
	}
	return g.lower(), true
}
