package accounting

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Limits of the work for one answer, in points: atoms of lattices and points of windows. They bound time and memory; where they do not
// let an interval get as narrow as was asked for, it is valid and wider.
const (
	coarseAtoms = 1000
	mostPoints  = 1 << 20 // of one lattice or window
	mostWork    = 1 << 22
)

// mechanisms is a list of pairs with their counts.
type mechanisms struct {
	pairs  []pair
	counts []int
	total  float64 // Σ counts
}

func (p pld) mechanisms(terms []term) mechanisms {
	var m mechanisms
	for _, t := range terms {
		m.pairs = append(m.pairs, sampledGaussian(t.q, t.sigma))
		m.counts = append(m.counts, t.count)
		m.total += float64(t.count)
	}
	return m
}

// lattices is three views of every pair: bounds above in both directions, a bound below in the first.
type lattices struct{ forward, reverse, lower []run }

// build puts all pairs on lattices of one step, leaving out lost of the mass of their composition. ok is false if that takes more points
// than there are.
func (m mechanisms) build(step, lost float64) (l lattices, points int, ok bool) {
	for i, p := range m.pairs {
		n := m.counts[i]
		g, ok := newGrid(p, step, lost/float64(n)/float64(len(m.pairs)), mostPoints)
		if !ok {
			return l, points, false
		}
		points += len(g.halves)
		forward, reverse := g.upper()
		l.forward = append(l.forward, run{forward, n})
		l.reverse = append(l.reverse, run{reverse, n})
		l.lower = append(l.lower, run{g.lower(), n})
	}
	return l, points, true
}

// coarse puts every pair on a small lattice with a step of its own.
func (m mechanisms) coarse(lost float64) (forward, reverse []run, ok bool) {
	for i, p := range m.pairs {
		n := m.counts[i]
		tail := lost / float64(n) / float64(len(m.pairs))
		low, high := p.span(tail)
		g, ok := newGrid(p, (high-low)/coarseAtoms, tail, 2*coarseAtoms)
		if !ok {
			return nil, nil, false
		}
		f, r := g.upper()
		forward, reverse = append(forward, run{f, n}), append(reverse, run{r, n})
	}
	return forward, reverse, true
}

// moments sums the runs' cumulants.
func moments(runs []run, lambda float64) float64 {
	sum := 0.0
	for _, r := range runs {
		t, ok := r.loss.tilt(lambda)
		if !ok {
			return math.Inf(1)
		}
		sum += float64(r.count) * t.cumulant
	}
	return sum
}

// infinite is the composed mass at +∞.
func infinite(runs []run) float64 {
	log := 0.0
	for _, r := range runs {
		log += float64(r.count) * math.Log1p(-r.loss.infinite)
	}
	return -math.Expm1(log)
}

// question is what to ask of a composition: ε at a δ, or δ at an ε.
type question struct {
	// lost is a mass that does not matter to the answer, of which bound is a bound.
	lost func(bound float64) float64
	// moment bounds the answer by the runs' moment at lambda.
	moment func(runs []run, lambda float64) float64
	// read bounds the answer by a composition.
	read func(c *composition, upper bool) float64
	// again returns the question whose moment bound is best at the tilt that is best for this one, if bound is near the answer.
	again func(bound float64) question
	// step is the lattice step that gives the relative width, when the answer is guess.
	step func(total, lambda, guess, width float64) float64
}

func epsilonAt(delta float64) question {
	return question{
		lost: func(float64) float64 { return delta },
		moment: func(runs []run, lambda float64) float64 {
			allowed := delta - infinite(runs)
			if !(allowed > 0) {
				return math.Inf(1)
			}
			return max(0, epsilonFromMoment(moments(runs, lambda), lambda, allowed))
		},
		read:  func(c *composition, upper bool) float64 { return c.epsilon(delta, upper) },
		again: deltaAt,
		// Connecting the dots adds at most step²·λ(λ+1)/8 to a run's cumulant, step²·λ(λ+1)/12 on average, merging takes as
		// much, and ε changes by the λth part.
		step: func(total, lambda, guess, width float64) float64 {
			return math.Sqrt(5 * width * guess / (total * (lambda + 1)))
		},
	}
}

func deltaAt(epsilon float64) question {
	return question{
		lost: func(bound float64) float64 { return max(1e-3*bound, 1e-280) },
		moment: func(runs []run, lambda float64) float64 {
			return min(1, math.Exp(logDeltaFromMoment(moments(runs, lambda), lambda, epsilon))+infinite(runs))
		},
		again: func(float64) question { return deltaAt(epsilon) },
		read: func(c *composition, upper bool) float64 {
			bound := []float64{0}
			if upper {
				bound[0] = 1
			}
			c.deltas(bound, []float64{epsilon}, upper)
			return bound[0]
		},
		step: func(total, lambda, _, width float64) float64 {
			return math.Sqrt(5 * width / (total * lambda * (lambda + 1)))
		},
	}
}

// bestTilt returns the λ at which the moment bound of runs is least, and that bound.
func (q question) bestTilt(runs []run) (lambda, bound float64) {
	x, bound := minimize(func(x float64) float64 { return q.moment(runs, math.Exp(x)) }, -12, 18, 0.02)
	return math.Exp(x), bound
}

// search narrows the interval until it has the width asked for or the work is done.
func (p pld) search(terms []term, q question, best Interval) Interval {
	m := p.mechanisms(terms)
	lost := q.lost(best.Upper) * 0.1 * p.width
	forward, reverse, ok := m.coarse(lost)
	if !ok {
		return best
	}
	lambda, moment := q.bestTilt(forward)
	back, reverseMoment := q.bestTilt(reverse)
	best.Upper = min(best.Upper, max(moment, reverseMoment))
	outside := p.width * 1e-3 / (lambda + 2)
	step := q.step(m.total, lambda, best.Upper, p.width)
	plan := fourier.NewFFT(16)
	for work, fits := 0, false; work < mostWork; {
		l, points, ok := m.build(step, lost)
		work += points
		ask := func(runs []run, lambda, otherwise float64, upper bool) float64 {
			c, fit := compose(runs, lambda, outside, mostPoints, plan)
			if !fit {
				return otherwise
			}
			work += len(c.v)
			return q.read(c, upper)
		}
		upper := math.Inf(1)
		if ok {
			upper = ask(l.forward, lambda, upper, true)
		}
		if math.IsInf(upper, 1) { // too many points, most likely
			if fits {
				break
			}
			step *= 3
			work += mostWork / 32
			continue
		}
		fits = true
		if reverseMoment > upper {
			upper = max(upper, min(reverseMoment, ask(l.reverse, back, math.Inf(1), true)))
		}
		best.Upper = min(best.Upper, upper)
		best.Lower = min(best.Upper, max(best.Lower, ask(l.lower, lambda, 0, false)))
		width := best.Upper - best.Lower
		if width <= p.width*best.Upper {
			break
		}
		outside *= 1e-3
		lost = min(lost, q.lost(best.Upper)*0.1*p.width)
		lambda, _ = q.again(best.Upper).bestTilt(forward)
		back, _ = q.again(best.Upper).bestTilt(reverse)
		step *= min(0.7, max(0.1, math.Sqrt(0.6*p.width*best.Upper/width)))
	}
	return best
}

// curveTilts is how many compositions a curve takes: their ranges overlap.
const curveTilts = 12

// curve bounds δ from above by compositions of different tilts, each of which is tight around its own mean loss, and by the moments.
func (p pld) curve(terms []term) *Curve {
	moments := rdp{p.adjacency}.orders(terms)
	m := p.mechanisms(terms)
	const lost = smallestCurveDelta / 100
	top := epsilonAt(smallestCurveDelta)
	forward, reverse, ok := m.coarse(lost)
	if !ok {
		return moments.curve()
	}
	most, epsilon := top.bestTilt(forward)
	_, back := top.bestTilt(reverse)
	least, _ := deltaAt(0).bestTilt(forward)
	l, _, ok := m.build(deltaAt(0).step(m.total, most, 0, 10*p.width), lost)
	if !ok {
		return moments.curve()
	}
	return newCurve(min(moments.top, max(epsilon, back)), func(epsilons []float64) []float64 {
		plan := fourier.NewFFT(16)
		var bounds [2][]float64
		for i, runs := range [][]run{l.forward, l.reverse} {
			bounds[i] = slices.Repeat([]float64{1}, len(epsilons))
			for k := range curveTilts {
				lambda := least * math.Pow(most/least, float64(k)/(curveTilts-1))
				if c, ok := compose(runs, lambda, p.width*1e-6/(lambda+2), mostPoints, plan); ok {
					c.deltas(bounds[i], epsilons, true)
				}
			}
		}
		deltas := moments.deltas(epsilons)
		for i := range deltas {
			deltas[i] = min(deltas[i], max(bounds[0][i], bounds[1][i]))
		}
		return deltas
	})
}
