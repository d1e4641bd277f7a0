package accounting

import (
	"math"
	"math/bits"

	"gonum.org/v1/gonum/dsp/fourier"
)

// run is count runs of a mechanism, in one direction.
type run struct {
	loss  *lattice
	count int
}

// tilted is a loss distribution weighted by e^(lambda·loss) and normalised (Esscher's transform).
type tilted struct {
	weight         []float64 // of the lattice's atoms; adds up to 1
	cumulant       float64   // log Σ mass·e^(lambda·loss)
	mean, variance float64   // in steps, of first+k
}

// block is how many atoms share one exact exponential; those between are reached by multiplication, with a relative error
// of 1e-16 for each.
const block = 16

// tilt fails where the weights do not fit a float64.
func (l *lattice) tilt(lambda float64) (t tilted, ok bool) {
	shift := math.Inf(-1)
	for k := 0; k < len(l.mass); k += block {
		end := min(k+block, len(l.mass))
		most := 0.0
		for _, p := range l.mass[k:end] {
			most = max(most, p)
		}
		if most > 0 {
			shift = max(shift, math.Log(most)+lambda*l.loss((k+end)/2))
		}
	}
	if math.IsInf(shift, -1) {
		return t, false
	}
	t.weight = make([]float64, len(l.mass))
	ratio, sum := math.Exp(lambda*l.step), 0.0
	for k := 0; k < len(l.mass); k += block {
		f := math.Exp(lambda*l.loss(k) - shift)
		for j := k; j < min(k+block, len(l.mass)); j++ {
			if p := l.mass[j]; p > 0 {
				w := p * f
				t.weight[j] = w
				sum += w
			}
			f *= ratio
		}
	}
	if !(sum > 0 && sum <= math.MaxFloat64) {
		return t, false
	}
	t.cumulant = shift + math.Log(sum)
	scale, m1, m2 := 1/sum, 0.0, 0.0
	for k := range t.weight {
		t.weight[k] *= scale
		m1 += t.weight[k] * float64(k)
	}
	for k, w := range t.weight {
		m2 += w * (float64(k) - m1) * (float64(k) - m1)
	}
	t.mean, t.variance = float64(l.first)+m1, m2
	return t, true
}

// logMoment returns log Σ weight·e^(h·(first+k−mean)), +Inf where that does not fit.
func (t *tilted) logMoment(first int, h float64) float64 {
	ratio, sum := math.Exp(h), 0.0
	for k := 0; k < len(t.weight); k += block {
		f := math.Exp(h * (float64(first+k) - t.mean))
		for j := k; j < min(k+block, len(t.weight)); j++ {
			if w := t.weight[j]; w > 0 {
				sum += w * f
			}
			f *= ratio
		}
	}
	if !(sum > 0 && sum <= math.MaxFloat64) {
		return math.Inf(1)
	}
	return math.Log(sum)
}

// composition is the loss distribution of all runs together, tilted, on a window outside of which there is little of it.
// With y the loss minus centre, the divergence at ε is
//
//	δ(ε) = infinite + far − e^ε·shadow + e^logScale·Σ v·(e^(−λy) − e^(ε−centre)·e^(−(λ+1)y)),   over the atoms of loss above ε.
//
// Far is what takes at least one run above its lattice, if the lattices are lower ones. Their bound counts it as if all of it had a loss
// above ε; where it has not, 1 − e^(ε−loss) is negative and the bound too low. It is left out where it would add less than nothing.
type composition struct {
	lambda   float64
	centre   float64 // tilted mean of the loss
	start    float64 // y of v[0]
	first    int     // its place on the lattice of the sum of all losses
	step     float64
	v        []float64
	logScale float64
	infinite float64 // mass at +∞
	far      float64
	// logShadow is the logarithm of Q's mass of far.
	logShadow float64
	short     float64 // of the mechanism's divergences, by which those here may be above them
	// Errors: the tilted mass below and above the window, which has wrapped into it; a bound on the Euclidean norm of
	// the rounding errors in v; a relative bound on those of everything else.
	below, above, noise, relative float64
	// wrapped bounds Σ v·e^(−λy) over what has wrapped from below, where that is less than below tells: it has moved up by at least
	// the length of the window, and without tilt it is at most 1.
	wrapped float64
}

// logLeastSpectrum is where a value of the characteristic function counts as 0: all of these together change no v by more than
// e^-60.
const logLeastSpectrum = -60

// compose composes runs on lattices of one step. It fails where the window takes more than limit points. Below and above it, it allows
// these tilted masses; but if depth, in standard deviations, is less than that takes below, there the window is cut.
func compose(runs []run, lambda, below, above, depth float64, limit int, plan *fourier.FFT) (*composition, bool) {
	parts := make([]tilted, len(runs))
	c := &composition{lambda: lambda, step: runs[0].loss.step, below: below, above: above}
	mean, variance, support, total, offset := 0.0, 0.0, [2]float64{}, 0.0, 0.0
	cumulants := 0.0
	for i, r := range runs {
		t, ok := r.loss.tilt(lambda)
		if !ok {
			return nil, false
		}
		n := float64(r.count)
		parts[i] = t
		mean += n * t.mean
		variance += n * t.variance
		support[0] += n * float64(r.loss.first)
		support[1] += n * float64(r.loss.first+len(r.loss.mass)-1)
		total += n
		offset += n * r.loss.offset
		cumulants += n * t.cumulant
	}
	if !(math.Max(math.Abs(support[0]), math.Abs(support[1])) < 1<<60) {
		return nil, false
	}
	c.centre = offset + mean*c.step
	c.logScale = cumulants - lambda*c.centre
	c.infinite = infinite(runs)
	c.far, c.logShadow = farther(runs, 1-c.infinite)
	lo, hi := window(runs, parts, math.Sqrt(variance), -logOf(below), -logOf(above))
	if cut := -depth * math.Sqrt(variance); cut > lo {
		lo, c.below = cut, 1
	}
	if lo, hi = math.Floor(mean+lo), math.Ceil(mean+hi); lo <= support[0] {
		lo, c.below = support[0], 0
	}
	if hi >= support[1] {
		hi, c.above = support[1], 0
	}
	if !(hi-lo < float64(limit)) {
		return nil, false
	}
	n := fastLength(int(hi-lo) + 1)
	first := int64(lo)
	c.start, c.first = (float64(first)-mean)*c.step, int(first)
	c.wrapped = math.Exp(-lambda*float64(n)*c.step - c.logScale)

	if plan.Len() != n {
		plan.Reset(n)
	}
	c.v = spectrumPower(plan, runs, parts)
	rotate(c.v, int(((first%int64(n))+int64(n))%int64(n)))
	norm := 0.0
	for k, v := range c.v {
		c.v[k] = max(0, v/float64(n))
		norm += c.v[k] * c.v[k]
	}
	// A transform errs by less than 2e-16·log₂n of its norm (Higham 2002, Theorem 24.2, with the constant measured); a value
	// of the spectrum, of modulus about 1 where it counts, so raised to a power errs by the count of factors times as much.
	const rounding = 4e-16
	c.noise = rounding * (float64(bits.Len(uint(n))) + 4) * (total + 4) * math.Sqrt(norm)
	c.relative = 1e-10 + rounding*(float64(n)+8*total) + rounding*(math.Abs(cumulants)+lambda*(math.Abs(offset)+math.Abs(mean)*c.step))
	return c, true
}

// infinite is the composed mass at +∞.
func infinite(runs []run) float64 {
	log := 0.0
	for _, r := range runs {
		log += float64(r.count) * math.Log1p(-r.loss.infinite)
	}
	return -math.Expm1(log)
}

// farther returns P's mass of what takes at least one run above its lattice and none to an infinite loss, given the mass of the
// latter's complement, and the logarithm of Q's.
func farther(runs []run, finite float64) (mass, logShadow float64) {
	within, kept, logQ, ratio, any := 0.0, 0.0, 0.0, 0.0, false
	for _, r := range runs {
		n := float64(r.count)
		within += n * math.Log1p(-r.loss.far)
		kept += n * math.Log1p(-r.loss.dropped)
		any = any || r.loss.far > 0
	}
	if !any {
		return 0, math.Inf(-1)
	}
	for _, r := range runs {
		t, ok := r.loss.tilt(-1) // Q's mass of an atom is e^−loss times P's
		if !ok {
			return 0, math.Inf(-1)
		}
		logQ += float64(r.count) * t.cumulant
		ratio += float64(r.count) * math.Log1p(r.loss.shadow*math.Exp(-t.cumulant))
	}
	return -math.Expm1(within) * math.Exp(kept) * finite, logQ + logExpm1(ratio)
}

// window returns bounds, in steps from the mean, below and above which the composed weights have at most e^-below and e^-above of mass:
// Chernoff's, at the best of some tilts.
func window(runs []run, parts []tilted, deviation, below, above float64) (lo, hi float64) {
	side := func(sign, log float64) float64 {
		best := math.Inf(1)
		// For a Gaussian the best tilt is √(2·log) deviations.
		for r := math.Sqrt(2 * log); r > 0.05; r *= 0.7 {
			h := r / max(deviation, 1e-3)
			sum := 0.0
			for i, t := range parts {
				sum += float64(runs[i].count) * t.logMoment(runs[i].loss.first, sign*h)
			}
			t := (sum + log) / h
			if t > best {
				break
			}
			best = t
		}
		return best + 1
	}
	return -side(-1, below), side(1, above)
}

// spectrumPower returns n times the circular convolution of all runs' weights, index 0 first.
func spectrumPower(plan *fourier.FFT, runs []run, parts []tilted) []float64 {
	n := plan.Len()
	buffer := make([]float64, n)
	product := make([]complex128, n/2+1)
	logs := make([]float64, len(product))
	var spectrum []complex128
	for i, r := range runs {
		clear(buffer)
		at := ((r.loss.first % n) + n) % n
		for _, w := range parts[i].weight {
			buffer[at] += w
			if at++; at == n {
				at = 0
			}
		}
		spectrum = plan.Coefficients(spectrum, buffer)
		count := float64(r.count)
		// Above this squared modulus the power counts.
		least := math.Exp(2 * logLeastSpectrum / count)
		for k, z := range spectrum {
			square := real(z)*real(z) + imag(z)*imag(z)
			switch {
			case square < least || i > 0 && product[k] == 0:
				product[k] = 0
				continue
			case i == 0:
				product[k] = 1
			}
			if len(runs) > 1 {
				if logs[k] += count * math.Log(square) / 2; logs[k] < logLeastSpectrum {
					product[k] = 0
					continue
				}
			}
			product[k] *= power(z, r.count)
		}
	}
	return plan.Sequence(buffer, product)
}

// power returns z^n by repeated squaring.
func power(z complex128, n int) complex128 {
	w := complex(1, 0)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			w *= z
		}
		z *= z
	}
	return w
}

// fastLength returns the least length of at least n, and of at least 16, that the transform is fast for.
func fastLength(n int) int {
	best := 16
	for best < n {
		best *= 2
	}
	for _, odd := range []int{3, 5, 9, 15} {
		for m := odd; m < best; m *= 2 {
			if m >= n && m >= 16 && m%2 == 0 {
				best = m
				break
			}
		}
	}
	return best
}

// rotate moves v[k] to v[0].
func rotate(v []float64, k int) {
	w := make([]float64, 0, len(v))
	copy(v, append(append(w, v[k:]...), v[:k]...))
}

// sweep holds the sums over the atoms above a point of the window.
type sweep struct {
	y      float64 // of the point
	weight float64 // e^(−λy)
	b      float64 // Σ v·e^(−λy)·e^(point−y)
	gap    float64 // Σ v·e^(−λy)·(1 − e^(point−y))
	// Σ e^(−2λy)·(1−r)², of (1−r)·r and of r² in place of (1−r)², r = e^(point−y)
	norms  [3]float64
	far    float64 // what far adds to a sum of v·e^(−λy), and what to b
	shadow float64
}

// norm is the Euclidean norm of what v's atoms above the point count with at an ε there.
func (s sweep) norm() float64 { return math.Sqrt(s.norms[0]) }

// withFar returns s with far in its sums, if that raises a lower bound.
func (s sweep) withFar() sweep {
	if s.far > s.shadow {
		s.gap += s.far - s.shadow
		s.b += s.shadow
	}
	return s
}

// descend calls visit at each atom from the top of the window down and at the place of one more below, with the sums over the
// atoms above it, until visit returns false.
func (c *composition) descend(visit func(s sweep) bool) {
	s := sweep{far: math.Exp(math.Log(c.far)-c.logScale) * (1 - c.relative)}
	decay, grow := math.Exp(-c.step), math.Exp(c.lambda*c.step)
	less := -math.Expm1(-c.step) // 1 − decay, to which the sums below add up without cancellation
	for k := len(c.v) - 1; k >= -1; k-- {
		s.y = c.start + float64(k)*c.step
		s.weight *= grow
		s.shadow *= decay
		if k%block == 0 || k == len(c.v)-1 {
			s.weight = math.Exp(-c.lambda * s.y)
			s.shadow = math.Exp(c.logShadow+c.centre+s.y-c.logScale) * (1 + c.relative)
		}
		if !visit(s.withFar()) || k < 0 {
			return
		}
		s.b += c.v[k] * s.weight
		s.gap += s.b * less
		s.b *= decay
		s.norms[2] += s.weight * s.weight
		s.norms[0] += 2*less*s.norms[1] + less*less*s.norms[2]
		s.norms[1] = decay * (s.norms[1] + less*s.norms[2])
		s.norms[2] *= decay * decay
	}
}

// end is the first place above the window.
func (c *composition) end() float64 { return c.start + float64(len(c.v))*c.step }

// missing bounds what the sum at s lacks for an ε at y: by rounding, and of the atoms above the window, which should count where they
// are above y, with less than the weight of its end and of y each.
func (c *composition) missing(s sweep, y float64) float64 {
	return c.noise*s.norm() + c.above*math.Exp(-c.lambda*max(y, c.end()))
}

// added bounds what the sum at s has too much: by rounding, and of what has wrapped into the window, which counts with at most
// e^(−λy)·max(e^(−λt) − e^(−(λ+1)t)) over t ≥ 0.
func (c *composition) added(s sweep) float64 {
	most := 1.0
	if c.lambda > 0 {
		most = math.Exp(-c.lambda*math.Log1p(1/c.lambda)) / (c.lambda + 1)
	}
	return c.noise*s.norm() + c.above*s.weight*most + min(c.below*s.weight*most, c.wrapped)
}

// epsilon returns the least ε ≥ 0 with δ(ε) ≤ delta, by the sums with their errors counted against (upper) or for the mechanism.
// It is +Inf where there is none.
func (c *composition) epsilon(delta float64, upper bool) float64 {
	allowed := delta*(1-c.relative) - c.infinite*(1+1e-12)
	if !upper {
		allowed = delta*(1+c.relative) + c.short - c.infinite*(1-1e-12)
	}
	if allowed <= 0 {
		return math.Inf(1)
	}
	target := math.Exp(math.Log(allowed) - c.logScale)
	result := 0.0
	c.descend(func(s sweep) bool {
		top := c.centre + s.y + c.step // of the ε that this visit decides
		if top <= 0 {
			return false
		}
		sum := s.gap
		if upper {
			sum += c.missing(s, s.y)
		} else if sum > target {
			sum -= c.added(s)
		}
		if sum <= target {
			if upper {
				result = max(0, c.centre+s.y)
			}
			return true
		}
		// Where the window ends too low to tell, or weights did not fit, this is not a number.
		switch epsilon := c.centre + s.y + math.Log1p((sum-target)/s.b); {
		case !math.IsNaN(epsilon) && s.b > 0:
			result = max(0, min(top, epsilon))
		case upper:
			result = math.Inf(1)
		default:
			result = 0
		}
		return false
	})
	return result
}

// deltas lowers each of bounds to the upper (or, lower, raises it to the lower) bound on δ at the ε beside it. The ε rise.
func (c *composition) deltas(bounds, epsilons []float64, upper bool) {
	i := len(epsilons) - 1
	scale := math.Exp(c.logScale)
	c.descend(func(s sweep) bool {
		for ; i >= 0 && epsilons[i] >= c.centre+s.y; i-- {
			y := epsilons[i] - c.centre
			sum := s.gap
			if s.b > 0 {
				sum -= s.b * math.Expm1(y-s.y)
			}
			if upper {
				bound := (sum+c.missing(s, y))*scale*(1+c.relative) + c.infinite*(1+1e-12)
				if bound < bounds[i] {
					bounds[i] = bound
				}
			} else {
				bound := (sum-c.added(s))*scale*(1-c.relative) + c.infinite*(1-1e-12) - c.short
				if bound > bounds[i] && bound <= 1 {
					bounds[i] = bound
				}
			}
		}
		return i >= 0
	})
}
