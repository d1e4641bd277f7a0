package accounting

import (
	"math"
)

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

// start is where compositions begin: tilts, ahead and in reverse, and the moment bounds at them, of lattices up to top.
type start struct {
	top            float64
	lambda, back   float64
	ahead, reverse float64
}

func (s start) bound() float64 { return max(s.ahead, s.reverse) }

// begin finds the start for lattices up to top by ones of few atoms. forward are those ahead.
func (m mechanisms) begin(q question, lost, top float64, atoms int) (s start, forward []run, ok bool) {
	s.top = top
	for {
		forward, reverse, ok := m.coarse(lost, top, atoms)
		if !ok {
			return s, nil, false
		}
		s.lambda, s.ahead = q.bestTilt(forward)
		s.back, s.reverse = q.bestTilt(reverse)
		finer := math.Sqrt(blur(forward, s.lambda) / mostBlur)
		if finer <= 1 || atoms >= mostCoarse {
			return s, forward, true
		}
		atoms = min(mostCoarse, int(float64(atoms)*min(2*finer, 8)))
	}
}

// blur is about what the width of the lattices adds to the cumulant of all runs.
func blur(runs []run, lambda float64) float64 {
	sum := 0.0
	for _, r := range runs {
		sum += float64(r.count) * lambda * (lambda + 1) * r.loss.step * r.loss.step / 12
	}
	return sum
}

// capped returns a start with a lower top where that lowers the bound, else s. Rare runs of a large loss, which make moments large and windows
// wide, are then one outcome.
func (s start) capped(m mechanisms, q question, forward []run, lost float64) (start, []run) {
	best, ahead := s, forward
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
		return s, ahead
	}
	next, ahead, ok := m.begin(q, lost, best.enough(), finerAtoms)
	if !ok {
		return s, forward
	}
	next.ahead, next.reverse = min(next.ahead, best.ahead), min(next.reverse, best.reverse)
	return next, ahead
}

// enough is a top so far above the ε that s bounds that few runs are both above it and, by the others, below ε.
func (s start) enough() float64 { return 2*s.bound() + 8/s.lambda }

// highest is the highest loss of runs.
func highest(runs []run) float64 {
	most := 0.0
	for _, r := range runs {
		most = max(most, r.loss.loss(len(r.loss.mass)-1))
	}
	return most
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
