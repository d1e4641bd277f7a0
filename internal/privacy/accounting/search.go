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
	finerAtoms  = 4 * coarseAtoms // where few samples decide
	mostPoints  = 1 << 20         // of one lattice or window
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

// build puts all pairs on lattices of one step, leaving out lost of the mass of their composition, and taking what has a loss above top as one outcome. parts is 2 where the bound below is
// wanted too, else 1. ok is false if that takes more points than there are.
func (m mechanisms) build(step, lost, top float64, parts int) (l lattices, points int, ok bool) {
	for i, p := range m.pairs {
		n := m.counts[i]
		g, ok := newGrid(p, step, lost/float64(n)/float64(len(m.pairs)), top, parts, mostPoints/cost(p))
		if !ok {
			return l, points, false
		}
		points += len(g.cells) * cost(p)
		forward, reverse := g.upper()
		l.forward = append(l.forward, run{forward, n})
		l.reverse = append(l.reverse, run{reverse, n})
		if parts == 2 {
			l.lower = append(l.lower, run{g.lower(), n})
		}
	}
	return l, points, true
}

// coarse is build with lattices of few atoms, whose steps differ.
func (m mechanisms) coarse(lost, top float64, atoms int) (forward, reverse []run, ok bool) {
	for i, p := range m.pairs {
		n := m.counts[i]
		tail := lost / float64(n) / float64(len(m.pairs))
		low, high := span(p, tail, top)
		g, ok := newGrid(p, (high-low)/float64(atoms), tail, top, 1, 2*atoms)
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

// far returns about the least loss beyond which single runs have a divergence of at most mass, all added up.
func far(runs []run, mass float64) float64 {
	highest := 0.0
	tails := make([]func(x float64) float64, len(runs))
	for i, r := range runs {
		l := r.loss
		highest = max(highest, l.loss(len(l.mass)-1))
		// P's and Q's masses of the atoms from each on
		p, q := make([]float64, len(l.mass)+1), make([]float64, len(l.mass)+1)
		for k := len(l.mass) - 1; k >= 0; k-- {
			p[k], q[k] = p[k+1]+l.mass[k], q[k+1]+l.mass[k]*math.Exp(-l.loss(k))
		}
		tails[i] = func(x float64) float64 {
			k := min(max(0, int(math.Ceil((x-l.loss(0))/l.step))), len(l.mass))
			return float64(r.count) * (l.infinite + max(0, p[k]-math.Exp(x)*q[k]))
		}
	}
	return crossing(0, highest, func(x float64) bool {
		sum := 0.0
		for _, tail := range tails {
			sum += tail(x)
		}
		return sum <= mass
	})
}

// above returns how many runs have a loss above x, on average under the tilt.
func above(runs []run, lambda, x float64) float64 {
	sum := 0.0
	for _, r := range runs {
		if t, ok := r.loss.tilt(lambda); ok {
			for k := len(t.weight) - 1; k >= 0 && r.loss.loss(k) > x; k-- {
				sum += float64(r.count) * t.weight[k]
			}
		}
	}
	return sum
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
	// far is how much of the answer's δ single runs may have beyond a lattice; 0 where that is not known before the answer.
	far float64
	// again returns the question whose moment bound is best at the tilt that is best for this one, if bound is near the answer.
	again func(bound float64) question
	// step is the lattice step that gives the relative width, when the answer is guess.
	step func(total, lambda, guess, width float64) float64
}

func epsilonAt(delta float64) question {
	return question{
		lost: func(float64) float64 { return delta },
		far:  delta / 2,
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

// start is where compositions begin: tilts, ahead and in reverse, and the moment bounds at them, of lattices up to top.
type start struct {
	top            float64
	lambda, back   float64
	ahead, reverse float64
}

func (s start) bound() float64 { return max(s.ahead, s.reverse) }

// begin finds the start for lattices up to top by ones of few atoms. forward are those ahead.
func (m mechanisms) begin(q question, lost, top float64, atoms int) (s start, forward []run, ok bool) {
	forward, reverse, ok := m.coarse(lost, top, atoms)
	if !ok {
		return s, nil, false
	}
	s.top = top
	s.lambda, s.ahead = q.bestTilt(forward)
	s.back, s.reverse = q.bestTilt(reverse)
	return s, forward, true
}

// capped returns a start with a lower top where that lowers the bound, else s. Rare runs of a large loss, which make moments large and windows
// wide, are then one outcome.
func (s start) capped(m mechanisms, q question, forward []run, lost float64) start {
	best := s
	for q.far > 0 {
		top := far(forward, q.far)
		if above(forward, best.lambda, top) < 0.3 {
			break
		}
		next, below, ok := m.begin(q, lost, top, coarseAtoms)
		if !ok || !(next.bound() < 0.9*best.bound()) {
			break
		}
		best, forward = next, below
	}
	if best == s {
		return s
	}
	next, _, ok := m.begin(q, lost, best.enough(), finerAtoms)
	if !ok {
		return s
	}
	next.ahead, next.reverse = min(next.ahead, best.ahead), min(next.reverse, best.reverse)
	return next
}

// enough is a top so far above the ε that s bounds that few runs are both above it and, by the others, below ε.
func (s start) enough() float64 { return 2*s.bound() + 8/s.lambda }

// search narrows the interval until it has the width asked for or the work is done.
func (p pld) search(m mechanisms, q question, best Interval) Interval {
	plan := fourier.NewFFT(16)
	outside, step, top, reverseBound := p.width*1e-3, 0.0, math.Inf(1), math.Inf(1)
	guess, tries := best.Upper, 0
	tilt, atoms, depth := q, coarseAtoms, 2.0 // the answer is rarely further below the tilted mean
	for work := 0; work < mostWork; work += 8 * atoms {
		lost := q.lost(guess) * 0.1 * p.width
		s, forward, ok := m.begin(tilt, lost, top, atoms)
		if !ok {
			return best
		}
		if step == 0 {
			// What the lattices leave out may be all there is to the bound: its powers are soon where it is not.
			if q.lost(s.bound()) < 0.1*q.lost(guess) {
				best.Upper = min(best.Upper, s.bound())
				tries++
				guess = math.Pow(best.Upper, float64(tries))
				continue
			}
			s = s.capped(m, q, forward, lost)
			if best.Upper = min(best.Upper, s.bound()); math.IsInf(best.Upper, 1) {
				return best
			}
			reverseBound, top = s.reverse, s.top
			step = q.step(m.total, s.lambda, best.Upper, p.width)
		}
		window := 0
		ask := func(runs []run, lambda, otherwise float64, upper bool) float64 {
			c, fits := compose(runs, lambda, outside/(lambda+2), depth, mostPoints, plan)
			if !fits {
				return otherwise
			}
			work += len(c.v)
			window = max(window, len(c.v))
			return q.read(c, upper)
		}
		upper := math.Inf(1)
		l, points, ok := m.build(step, lost, top, 2)
		if work += points; ok {
			upper = ask(l.forward, s.lambda, upper, true)
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
			upper = max(upper, min(reverseBound, ask(l.reverse, s.back, math.Inf(1), true)))
		}
		best.Upper = min(best.Upper, upper)
		guess = best.Upper
		best.Lower = min(best.Upper, max(best.Lower, ask(l.lower, s.lambda, 0, false)))
		width := best.Upper - best.Lower
		if width <= p.width*best.Upper {
			break
		}
		outside = max(1e-3*outside, 1e-100) // far below any δ, and far from underflow
		tilt, depth = q.again(best.Upper), math.Inf(1)
		if top < math.Inf(1) {
			s.ahead, s.reverse, atoms = best.Upper, best.Upper, finerAtoms
			top = min(top, s.enough())
		}
		// Windows grow as the step shrinks, and by a little more.
		finer := max(0.1, math.Sqrt(0.6*p.width*best.Upper/width), 2*float64(window)/mostPoints)
		if finer >= 1 {
			break
		}
		step *= min(0.7, finer)
	}
	return best
}

// A curve is read off compositions in each direction, each at the tilt that is best for one of curveDeltas and on a lattice that keeps δ
// there to a relative curveWidth, on average a tenth of that; their ranges of ε overlap.
const curveWidth = 0.1

// curveDeltas falls from largest, δ(0). What lies below its end is read off its last composition, too.
func curveDeltas(largest float64) []float64 {
	deltas := []float64{0.5 * largest, 0.05 * largest, 2e-3 * largest, 1e-5 * largest, 1e-8 * largest}
	return slices.DeleteFunc(deltas, func(delta float64) bool { return delta < smallestCurveDelta })
}

// curve bounds δ from above by compositions of different tilts, and by the moments.
func (p pld) curve(m mechanisms, moments orders) *Curve {
	forward, reverse, ok := m.coarse(smallestCurveDelta/100, math.Inf(1), coarseAtoms)
	if !ok {
		return moments.curve()
	}
	_, epsilon := epsilonAt(smallestCurveDelta).bestTilt(forward)
	_, back := epsilonAt(smallestCurveDelta).bestTilt(reverse)
	_, largest := deltaAt(0).bestTilt(forward)

	at := curveDeltas(largest)
	forwards, reverses := make([]*composition, len(at)), make([]*composition, len(at)) // nil where there is none
	var group sync.WaitGroup
	for k, delta := range at {
		group.Go(func() { forwards[k], reverses[k] = m.near(delta) })
	}
	group.Wait()
	return newCurve(min(moments.top, max(epsilon, back)), func(epsilons []float64) []float64 {
		read := func(compositions []*composition) []float64 {
			bounds := slices.Repeat([]float64{1}, len(epsilons))
			for _, c := range compositions {
				if c != nil {
					c.deltas(bounds, epsilons, true)
				}
			}
			return bounds
		}
		deltas, ahead, back := moments.deltas(epsilons), read(forwards), read(reverses)
		for i := range deltas {
			deltas[i] = min(deltas[i], max(ahead[i], back[i]))
		}
		return deltas
	})
}

// near composes in both directions, from above, for reading near the ε at which δ is delta; nil where that takes too many points.
func (m mechanisms) near(delta float64) (forward, reverse *composition) {
	lost := curveWidth * 1e-3 * delta
	ahead, _, ok := m.coarse(lost, math.Inf(1), coarseAtoms)
	if !ok {
		return nil, nil
	}
	lambda, _ := epsilonAt(delta).bestTilt(ahead)
	// Where the tilt is small, δ suffers less from what the moment grows by than from what the loss's deviation does. Where few runs
	// decide, all depends on what lies within one step, but points are cheap.
	deviation := deviation(ahead, lambda)
	step := min(deltaAt(0).step(m.total, lambda, 0, curveWidth), 0.05*deviation/math.Sqrt(m.total))
	step = min(step, max(widest(ahead)/2, deviation/400))
	l, _, ok := m.build(step, lost, math.Inf(1), 1)
	if !ok {
		return nil, nil
	}
	plan, outside := fourier.NewFFT(16), curveWidth*1e-3/(lambda+2)
	forward, _ = compose(l.forward, lambda, outside, math.Inf(1), mostPoints, plan)
	reverse, _ = compose(l.reverse, lambda, outside, math.Inf(1), mostPoints, plan)
	return forward, reverse
}

// deviation is the standard deviation of the composed loss, tilted.
func deviation(runs []run, lambda float64) float64 {
	variance := 0.0
	for _, r := range runs {
		if t, ok := r.loss.tilt(lambda); ok {
			variance += float64(r.count) * t.variance * r.loss.step * r.loss.step
		}
	}
	return math.Sqrt(variance)
}

// widest is the largest step of the runs' lattices.
func widest(runs []run) float64 {
	step := 0.0
	for _, r := range runs {
		step = max(step, r.loss.step)
	}
	return step
}
