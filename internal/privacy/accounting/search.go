package accounting

import (
	"math"
	"slices"
	"sync"

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

// mechanisms returns the terms' pairs, and an error for one that has none.
//
// All the Gaussian ones dominate by one argument. Given the outputs so far and who else was sampled, P is a mixture of N(v, σ²·I) over
// the sampled subsets of the records in question, with |v| at most the subset's size j, and Q a mixture of N(w, σ²·I) alike, or
// N(0, σ²·I). By the lemma of Neyman and Pearson, a test of level Φ(z) under N(0, σ²·I) has a power of at most
// Φ(z+j/σ) under N(v, σ²·I) and of at least Φ(z−j/σ) under N(w, σ²·I); half-spaces across one line attain all of these
// at once. Hence no test has a larger P − e^ε·Q than the best half-space of the pair on a line whose means are j and −j, or 0.
// Averages over who else was sampled are no larger (joint convexity), and compositions are dominated by those of the pairs (Zhu,
// Dong, Wang 2022, arXiv:2106.08567, Theorem 10).
func (p pld) mechanisms(e Event, terms []term) (mechanisms, error) {
	var m mechanisms
	distance := p.distance()
	for _, t := range terms {
		var pair pair
		switch {
		case t.kind == gaussian && t.q == 1:
			pair = sampledGaussian(1, t.sigma/distance)
		case t.kind == gaussian && p.groupSize() == 1 && p.adjacency != ReplaceOne:
			pair = sampledGaussian(t.q, t.sigma)
		case t.kind == gaussian && p.groupSize() == 1:
			pair = replacedGaussian(t.q, t.sigma)
		case t.kind == gaussian:
			pair = groupGaussian(t.q, t.sigma, p.groupSize(), p.adjacency == ReplaceOne)
		case t.kind == laplace && (t.q == 1 || distance == 1):
			pair = laplaceNoise{t.q, t.sigma / distance}
		case t.kind == laplace:
			return m, &UnsupportedError{Event: e, Reason: "samples a Laplace mechanism, which has a bound here only for one record added or removed"}
		case p.groupSize() > 1:
			return m, &UnsupportedError{Event: e, Reason: "has an epsilon and delta known for one record only, not for a group"}
		default:
			pair = randomisedResponse{t.bound.Epsilon, t.bound.Delta}
		}
		m.pairs = append(m.pairs, pair)
		m.counts = append(m.counts, t.count)
		m.total += float64(t.count)
	}
	return m, nil
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
	// moment bounds the answer, or a monotone function of it, by a moment bound and an allowance for the mass at +∞.
	moment func(k, lambda, infinite float64) float64
	// bound is the answer's bound for the least moment.
	bound func(moment, infinite float64) float64
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
		moment: func(k, lambda, infinite float64) float64 {
			if !(delta > infinite) {
				return math.Inf(1)
			}
			return epsilonFromMoment(k, lambda, delta-infinite)
		},
		bound: func(moment, _ float64) float64 { return max(0, moment) },
		read:  func(c *composition, upper bool) float64 { return c.epsilon(delta, upper) },
		again: deltaAt,
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

// search narrows the interval until it has the width asked for or the work is done.
func (p pld) search(m mechanisms, q question, best Interval) Interval {
	plan := fourier.NewFFT(16)
	outside, step, reverseBound := p.width*1e-3, 0.0, math.Inf(1)
	tilt, depth := q, 2.0 // the answer is rarely further below the tilted mean
	for work := 0; work < mostWork; work += 8 * coarseAtoms {
		lost := q.lost(best.Upper) * 0.1 * p.width
		forward, reverse, ok := m.coarse(lost)
		if !ok {
			return best
		}
		lambda, moment := tilt.bestTilt(forward)
		back, reverseMoment := tilt.bestTilt(reverse)
		if step == 0 {
			bound := max(moment, reverseMoment)
			if q.lost(bound) < 0.1*q.lost(best.Upper) {
				best.Upper = bound
				continue
			}
			if best.Upper = min(best.Upper, bound); math.IsInf(best.Upper, 1) {
				return best
			}
			reverseBound = reverseMoment
			step = q.step(m.total, lambda, best.Upper, p.width)
		}
		ask := func(runs []run, lambda, otherwise float64, upper bool) float64 {
			c, fits := compose(runs, lambda, outside/(lambda+2), depth, mostPoints, plan)
			if !fits {
				return otherwise
			}
			work += len(c.v)
			return q.read(c, upper)
		}
		upper := math.Inf(1)
		l, points, ok := m.build(step, lost)
		if work += points; ok {
			upper = ask(l.forward, lambda, upper, true)
		}
		if math.IsInf(upper, 1) { // too many points, most likely
			if best.Lower > 0 {
				break
			}
			step *= 3
			work += mostWork / 32
			continue
		}
		if reverseBound > upper {
			upper = max(upper, min(reverseBound, ask(l.reverse, back, math.Inf(1), true)))
		}
		best.Upper = min(best.Upper, upper)
		best.Lower = min(best.Upper, max(best.Lower, ask(l.lower, lambda, 0, false)))
		width := best.Upper - best.Lower
		if width <= p.width*best.Upper {
			break
		}
		outside *= 1e-3
		tilt, depth = q.again(best.Upper), math.Inf(1)
		step *= min(0.7, max(0.1, math.Sqrt(0.6*p.width*best.Upper/width)))
	}
	return best
}

// A curve takes curveTilts compositions in each direction, whose ranges of ε overlap; each has a lattice that keeps δ to a
// relative curveWidth where its tilt is best, on average a tenth of that. One fine lattice for 12 tilts takes four times as
// long and lowers the rates of [Curve] by less than 0.1 %.
const (
	curveTilts = 6
	curveWidth = 0.04
)

// curve bounds δ from above by compositions of different tilts, each of which is tight around its own mean loss, and by the moments.
func (p pld) curve(m mechanisms, moments orders) *Curve {
	const lost = smallestCurveDelta / 100
	top := epsilonAt(smallestCurveDelta)
	forward, reverse, ok := m.coarse(lost)
	if !ok {
		return moments.curve()
	}
	most, epsilon := top.bestTilt(forward)
	_, back := top.bestTilt(reverse)
	least, _ := deltaAt(0).bestTilt(forward)
	return newCurve(min(moments.top, max(epsilon, back)), func(epsilons []float64) []float64 {
		var bounds [2][]float64
		var group sync.WaitGroup
		for i := range bounds {
			bounds[i] = slices.Repeat([]float64{1}, len(epsilons))
			group.Go(func() {
				plan := fourier.NewFFT(16)
				for k := range curveTilts {
					lambda := least * math.Pow(most/least, float64(k)/(curveTilts-1))
					l, _, ok := m.build(deltaAt(0).step(m.total, lambda, 0, curveWidth), lost)
					if !ok {
						continue
					}
					runs := [][]run{l.forward, l.reverse}[i]
					if c, ok := compose(runs, lambda, curveWidth*1e-3/(lambda+2), math.Inf(1), mostPoints, plan); ok {
						c.deltas(bounds[i], epsilons, true)
					}
				}
			})
		}
		group.Wait()
		deltas := moments.deltas(epsilons)
		for i := range deltas {
			deltas[i] = min(deltas[i], max(bounds[0][i], bounds[1][i]))
		}
		return deltas
	})
}
