package accounting

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Limits of the work for one answer, in points: atoms of lattices and points of windows. They bound time and memory; where they do not
// let an interval get as narrow as was asked for, it is valid and wider.
const (
	coarseAtoms = 1000
	finerAtoms  = 4 * coarseAtoms // where few samples decide
	mostCoarse  = 1 << 17
	mostBlur    = 5.0     // that coarse lattices may add to a cumulant
	mostPoints  = 1 << 21 // of one lattice or window
	longLattice = 1 << 17 // from which on runs are split first
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

// build puts all pairs on lattices of one step, leaving out lost of the mass of their composition, and taking what has a loss above
// top as one outcome. parts is 2 where the bound below is wanted too, else 1. ok is false if that takes more points than there are.
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

// search narrows the interval until it has the width asked for or the work is done.
func (p pld) search(m mechanisms, q question, best Interval) Interval {
	plan := fourier.NewFFT(16)
	outside, step, top, reverseBound := p.width*1e-3, 0.0, math.Inf(1), math.Inf(1)
	guess, tries, narrowed := best.Upper, 0, false
	var rare func() Interval                  // by splitting runs; nil before the start, and once done
	tilt, atoms, depth := q, coarseAtoms, 2.0 // the answer is rarely further below the tilted mean
	for work := 0; work < mostWork; {
		lost := q.lost(guess) * 0.1 * p.width
		s, forward, ok := m.begin(tilt, lost, top, atoms)
		if !ok {
			return best
		}
		for _, r := range forward {
			work += 8 * len(r.loss.mass) // of some tens of tilts
		}
		if step == 0 {
			// What the lattices leave out may be all there is to the bound: its powers are soon where it is not.
			if q.lost(s.bound()) < 0.1*q.lost(guess) {
				best.Upper = min(best.Upper, s.bound())
				tries++
				guess = math.Pow(best.Upper, float64(tries))
				continue
			}
			s, forward = s.capped(m, q, forward, lost)
			if best.Upper = min(best.Upper, s.bound()); math.IsInf(best.Upper, 1) {
				return best
			}
			reverseBound, top = s.reverse, s.top
			step = q.step(m.total, s.lambda, best.Upper, p.width)
			first := s
			rare = func() Interval { return p.divided(m, q, best, first, forward, lost) }
			if points := min(top, highest(forward)) / step; points > longLattice {
				if best, rare = rare(), nil; best.Upper-best.Lower <= p.width*best.Upper {
					return best
				}
			}
		}
		window := 0
		ask := func(runs []run, lambda, otherwise float64, upper bool) float64 {
			c, fits := compose(runs, lambda, outside/(lambda+2), outside/(lambda+2), depth, mostPoints, plan)
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
			if narrowed {
				break
			}
			step *= 3
			work += mostWork / 32
			continue
		}
		narrowed = true
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
	if rare != nil && best.Upper-best.Lower > p.width*best.Upper {
		best = rare()
	}
	return best
}
