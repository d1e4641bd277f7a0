package accounting

import (
	"math"
	"math/rand/v2"
	"testing"
)

// drawEvent nests events with numbers from those that break things and from the usual range.
func drawEvent(r *rand.Rand, depth int) Event {
	number := func(lo, hi float64) float64 {
		switch r.IntN(12) {
		case 0:
			odd := []float64{0, 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), 5e-324, 1e-300, 1e-100, 1e100, math.MaxFloat64, math.Nextafter(1, 0), 1e-17}
			return odd[r.IntN(len(odd))]
		default:
			return math.Pow(10, lo+(hi-lo)*r.Float64())
		}
	}
	kind := r.IntN(10)
	if depth == 0 {
		kind = r.IntN(6)
	}
	switch kind {
	case 0, 1:
		return PoissonSampled{number(-9, 0), Gaussian{number(-3, 3)}}
	case 2:
		return Gaussian{number(-3, 3)}
	case 3:
		return Laplace{number(-4, 4)}
	case 4:
		return EpsilonDelta{number(-6, 4), number(-20, 0)}
	case 5:
		return []Event{NoOp{}, NonPrivate{}, PoissonSampled{number(-5, 0), Laplace{number(-3, 3)}}}[r.IntN(3)]
	case 6:
		return PoissonSampled{number(-6, 0), drawEvent(r, depth-1)}
	case 7, 8:
		return SelfComposed{drawEvent(r, depth-1), int(number(0, 9))}
	default:
		var c Composed
		for range r.IntN(4) {
			c.Events = append(c.Events, drawEvent(r, depth-1))
		}
		return c
	}
}

// Any event and any number: every question ends soon, in an error or in an ordered interval of numbers.
func FuzzAccountants(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, 1e-5, 1.0)
	}
	f.Add(uint64(20), 1e-300, 1e100)
	f.Fuzz(func(t *testing.T, seed uint64, delta, epsilon float64) {
		r := rand.New(rand.NewPCG(seed, 0))
		e := drawEvent(r, 3)
		adjacency := []Adjacency{ZeroOut, AddOrRemoveOne, ReplaceOne}[r.IntN(3)]
		a := Accountant(pld{adjacency: adjacency, width: 0.1, group: r.IntN(4)})
		if r.IntN(4) == 0 {
			a = rdp{adjacency}
		}
		switch r.IntN(4) { // one question each: what takes ten seconds counts as hanging
		case 0:
			if got, err := a.Epsilon(e, delta); err == nil && !(got.Lower >= 0 && got.Lower <= got.Upper) {
				t.Errorf("Epsilon(%#v, %g) = %v", e, delta, got)
			}
		case 1:
			if got, err := a.Delta(e, epsilon); err == nil && !(got.Lower >= 0 && got.Lower <= got.Upper && got.Upper <= 1) {
				t.Errorf("Delta(%#v, %g) = %v", e, epsilon, got)
			}
		case 2:
			if c, err := a.Curve(e); err == nil {
				checkCurve(t, c)
			}
		default:
			calibrateAnything(t, a, r, delta)
		}
	})
}

func checkCurve(t *testing.T, c *Curve) {
	previous := Point{math.Inf(-1), 1}
	for _, p := range c.Points() {
		if !(p.Epsilon > previous.Epsilon && p.Delta >= 0 && p.Delta <= previous.Delta) {
			t.Errorf("a curve has %v after %v", p, previous)
		}
		previous = p
	}
	rate, errRate := c.TruePositiveRate(0.01)
	mu, errMu := c.MuGDP(1e-6)
	if errRate != nil || errMu != nil || !(rate >= 0.01*(1-1e-9) && rate <= 1 && mu >= 0) {
		t.Errorf("rate %v, %v, mu %v, %v", rate, errRate, mu, errMu)
	}
}

func calibrateAnything(t *testing.T, a Accountant, r *rand.Rand, delta float64) {
	target, q, sigma, n := r.Float64()*10, r.Float64(), math.Exp(4*r.Float64()-2), 1+r.IntN(1000)
	switch r.IntN(3) {
	case 0:
		if got, err := NoiseMultiplier(a, target, delta, func(s float64) Event { return steps(q, s, n) }); err == nil && !(got > 0) {
			t.Errorf("NoiseMultiplier(%g, %g) = %g", target, delta, got)
		}
	case 1:
		if got, err := Steps(a, target, delta, func(n int) Event { return steps(q, sigma, n) }); err == nil && got < 0 {
			t.Errorf("Steps(%g, %g) = %d", target, delta, got)
		}
	default:
		if got, err := SamplingProbability(a, target, delta, func(q float64) Event { return steps(q, sigma, n) }); err == nil && !(got > 0 && got <= 1) {
			t.Errorf("SamplingProbability(%g, %g) = %g", target, delta, got)
		}
	}
}
