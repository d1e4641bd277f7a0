package lattice

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// number and the functions on it are exact enough arithmetic, written the long way.
func number(x float64) *big.Float           { return new(big.Float).SetPrec(200).SetFloat64(x) }
func plus(a, b *big.Float) *big.Float       { return number(0).Add(a, b) }
func times(a, b *big.Float) *big.Float      { return number(0).Mul(a, b) }
func over(a, b *big.Float) *big.Float       { return number(0).Quo(a, b) }
func root(n int) *big.Float                 { return number(0).Sqrt(number(float64(n))) }
func atMost(a *big.Float, b float64) bool   { return a.Cmp(number(b)) <= 0 }
func relative(a float64, b *big.Float) bool { return math.Abs(a/mustFloat(b)-1) < 1e-9 }
func mustFloat(x *big.Float) float64        { y, _ := x.Float64(); return y }

// productStep is the smallest power of two of which the bound is at most 2²⁴, and no less than step.
func productStep(d Demand, step float64) float64 {
	h := 0x1p-60
	for h < step || times(number(h), number(1<<24)).Cmp(number(d.Bound)) < 0 {
		h *= 2
	}
	return h
}

// exactly is what Choose promises of a step, without its roundings: η, s, and the largest sum with noise.
func exactly(d Demand, step float64) (eta, noise, largest *big.Float) {
	r, u := number(float64(d.MaxDrawn)), number(0x1p-24)
	eta = times(times(u, times(r, r)), plus(number(1), times(r, u)))
	eta = plus(eta, over(times(root(d.Params), number(step)), number(d.Bound)))
	eta = plus(eta, over(times(root(d.Products), number(productStep(d, step))), number(2*d.Bound)))
	bound := over(times(number(d.Bound), plus(number(1), eta)), number(step))
	noise = times(number(d.NoiseMultiplier), bound)
	largest = plus(times(number(float64(d.Slots)), bound), times(number(64), noise))
	return eta, noise, largest
}

// sound fails unless l keeps what the claims need, in exact arithmetic.
func sound(t *rapid.T, d Demand, l Lattice) {
	if fraction, _ := math.Frexp(l.Step); fraction != 0.5 {
		t.Fatalf("Choose(%+v): step %g is no power of two", d, l.Step)
	}
	if !atMost(times(root(d.Params), number(l.Step)), 0x1p-20*d.Bound) {
		t.Fatalf("Choose(%+v): rounding at step %g adds more than 2^-20 of the bound", d, l.Step)
	}
	if l.ProductStep != productStep(d, l.Step) {
		t.Fatalf("Choose(%+v): products are rounded to %g, want %g", d, l.ProductStep, productStep(d, l.Step))
	}
	eta, noise, _ := exactly(d, l.Step)
	if !atMost(eta, l.Eta) || !relative(l.Eta, eta) {
		t.Fatalf("Choose(%+v): Eta = %g, want at least and close to %g", d, l.Eta, eta)
	}
	if s := float64(l.Parameter); !atMost(noise, s) || s > mustFloat(noise)*(1+1e-9)+1 {
		t.Fatalf("Choose(%+v): Parameter = %d, want at least and close to %g", d, l.Parameter, noise)
	}
	with := plus(number(0), number(64*float64(l.Parameter)))
	with = plus(with, over(times(number(float64(d.Slots)*d.Bound), plus(number(1), eta)), number(l.Step)))
	if !atMost(with, 0x1p62) || l.Parameter < 1<<24 {
		t.Fatalf("Choose(%+v): sum and noise reach %g at s = %d", d, with, l.Parameter)
	}
	if _, err := NewGaussian(l.Parameter); err != nil {
		t.Fatalf("Choose(%+v): %v", d, err)
	}
}

func TestChooseKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := func(name string, low, high float64) float64 {
			return math.Pow(10, rapid.Float64Range(math.Log10(low), math.Log10(high)).Draw(t, name))
		}
		d := Demand{
			Params:          int(log("params", 1, 1e12)),
			Slots:           int(log("slots", 1, 1e12)),
			MaxDrawn:        rapid.IntRange(1, 4096).Draw(t, "drawn"),
			Bound:           math.Min(1e6, math.Max(1e-6, log("bound", 1e-6, 1e6))),
			NoiseMultiplier: math.Min(1e9, math.Max(1e-9, log("noise", 1e-9, 1e9))),
		}
		d.Products = int(rapid.Float64Range(0, 1).Draw(t, "products") * float64(d.Params))
		l, err := Choose(d)
		fine := func(step float64) bool { // as the comment of Choose says, up to its roundings
			_, noise, largest := exactly(d, step)
			return atMost(largest, 0x1p62*(1-1e-9)) && atMost(noise, maxParameter-1)
		}
		if err != nil {
			var refused *NoRoomError
			if !errors.As(err, &refused) || refused.Hint() == "" {
				t.Fatalf("Choose(%+v) = %v, want a NoRoomError with a hint", d, err)
			}
			// No step would have done: the finest that could fit is too coarse.
			for step := powerBelow(0x1p-20 * d.Bound / math.Sqrt(float64(d.Params)) * (1 - 1e-9)); ; step /= 2 {
				if _, noise, _ := exactly(d, step); fine(step) && !atMost(noise, 1<<24) {
					t.Fatalf("Choose(%+v) = %v, but step %g will do", d, err, step)
				} else if !atMost(noise, maxParameter) {
					return
				}
			}
		}
		sound(t, d, l)
		_, noise, _ := exactly(d, l.Step)
		_, coarser, _ := exactly(d, 2*l.Step)
		if wanted := number(1 << 38); noise.Cmp(wanted) >= 0 {
			// No finer than need be.
			if coarser.Cmp(plus(wanted, number(1))) > 0 && atMost(times(root(d.Params), number(2*l.Step)), 0x1p-20*(1-1e-9)*d.Bound) {
				t.Fatalf("Choose(%+v): step %g, but twice that will do", d, l.Step)
			}
		} else if fine(l.Step / 2) {
			t.Fatalf("Choose(%+v): s = %d, but half of step %g still fits", d, l.Parameter, l.Step)
		}
	})
}

func TestChooseOnRunsOfEverySize(t *testing.T) {
	for _, test := range []struct {
		name      string
		demand    Demand
		step      float64
		parameter int64 // to three digits
		refused   bool
	}{
		{"logistic regression", Demand{105, 0, 32561, 256, 1, 50}, 0x1p-33, 431e9, false},
		{"perceptron", Demand{101770, 0, 60000, 256, 1, 2}, 0x1p-37, 276e9, false},
		{"small noise", Demand{1000, 0, 1000, 100, 1, 0.01}, 0x1p-45, 352e9, false},
		{"large clipping norm", Demand{1000, 0, 1000, 100, 1e6, 1}, 0x1p-19, 525e9, false},
		{"fine for its parameters", Demand{1e9, 0, 1000, 100, 1, 1000}, 0x1p-35, 34.4e12, false},
		{"many slots: a coarser lattice", Demand{1000, 0, 1 << 36, 256, 1, 1}, 0x1p-25, 33.7e6, false},
		{"too many slots", Demand{1000, 0, 1 << 38, 256, 1, 1}, 0, 0, true},
		{"just enough room for the noise", Demand{1 << 30, 0, 66_900_000, 1, 1, 2000}, 0x1p-36, 137.4e12, false},
		{"just too little", Demand{1 << 30, 0, 67_040_000, 1, 1, 2000}, 0, 0, true},
		{"too much noise", Demand{1 << 34, 0, 1000, 256, 1, 1e6}, 0, 0, true},
	} {
		l, err := Choose(test.demand)
		var refused *NoRoomError
		if errors.As(err, &refused) != test.refused {
			t.Errorf("%s: Choose error %v, want refused: %v", test.name, err, test.refused)
		}
		if l.Step != test.step || math.Abs(float64(l.Parameter-test.parameter)) > 0.005*float64(test.parameter) {
			t.Errorf("%s: Choose = step 2^%g, s = %g, want 2^%g, %g", test.name,
				math.Log2(l.Step), float64(l.Parameter), math.Log2(test.step), float64(test.parameter))
		}
	}
}

func TestChooseRefusesFieldsOutOfRange(t *testing.T) {
	good := Demand{Params: 10, Slots: 100, MaxDrawn: 50, Bound: 1, NoiseMultiplier: 1}
	for _, test := range []struct {
		name string
		set  func(*Demand)
		want string
	}{
		{"no parameters", func(d *Demand) { d.Params = 0 }, "parameters is 0"},
		{"too many parameters", func(d *Demand) { d.Params = 1<<40 + 1 }, "parameters is"},
		{"more products than parameters", func(d *Demand) { d.Products = 11 }, "products is 11"},
		{"products below zero", func(d *Demand) { d.Products = -1 }, "products is -1"},
		{"no slots", func(d *Demand) { d.Slots = 0 }, "slots is 0"},
		{"too many slots", func(d *Demand) { d.Slots = 1<<40 + 1 }, "slots is"},
		{"no rows in a range", func(d *Demand) { d.MaxDrawn = 0 }, "range is 0"},
		{"too many rows in a range", func(d *Demand) { d.MaxDrawn = 4097 }, "range is 4097"},
		{"zero norm", func(d *Demand) { d.Bound = 0 }, "clipping norm is 0"},
		{"norm too small", func(d *Demand) { d.Bound = 9e-7 }, "clipping norm is 9e-07"},
		{"norm too large", func(d *Demand) { d.Bound = 1.1e6 }, "clipping norm is 1.1e+06"},
		{"norm NaN", func(d *Demand) { d.Bound = math.NaN() }, "clipping norm is NaN"},
		{"no noise", func(d *Demand) { d.NoiseMultiplier = 0 }, "noise multiplier is 0"},
		{"negative noise", func(d *Demand) { d.NoiseMultiplier = -1 }, "noise multiplier is -1"},
		{"noise NaN", func(d *Demand) { d.NoiseMultiplier = math.NaN() }, "noise multiplier is NaN"},
		{"infinite noise", func(d *Demand) { d.NoiseMultiplier = math.Inf(1) }, "noise multiplier is +Inf"},
	} {
		d := good
		test.set(&d)
		if _, err := Choose(d); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Choose error %v, want %q in it", test.name, err, test.want)
		}
	}
}

// ratio returns log Q(z)/P(z) of claim 3 but for terms in exp(−2π²s²): the logarithm of G, by Gauss-Legendre
// quadrature at 5 points, which is exact to 10⁻¹⁶ for the exponents below 8 that occur here.
func ratio(z, s float64) float64 {
	nodes := []float64{0, 0.5384693101056831, 0.9061798459386640}
	weights := []float64{0.5688888888888889, 0.4786286704993665, 0.2369268850561891}
	g := 0.0
	for i, node := range nodes {
		t := node / 2
		v := z * t / s / s
		half := math.Sinh(v / 2)
		// cosh(v)·exp(−t²/2s²) − 1, without cancellation.
		less := math.Expm1(-t * t / 2 / s / s)
		term := 2*half*half + less + 2*half*half*less
		if i > 0 {
			term *= 2
		}
		g += weights[i] / 2 * term
	}
	return math.Log1p(g)
}

// TestNoiseIsAsCloseToContinuousAsClaimed computes, for s small enough to see, the distances that claim 3 bounds.
func TestNoiseIsAsCloseToContinuousAsClaimed(t *testing.T) {
	for _, s := range []int64{8, 16, 64} {
		total, distance, divergence := 0.0, 0.0, 0.0
		for z := -12 * s; z <= 12*s; z++ {
			p, _ := rho(z, s).Float64()
			r := ratio(float64(z), float64(s))
			total += p
			distance += p * math.Abs(math.Expm1(r)) / 2
			divergence -= p * r
		}
		distance, divergence = distance/total, divergence/total
		l := Lattice{Parameter: s}
		if bound := l.TotalVariation(1, 1); distance > bound || distance < bound/3 {
			t.Errorf("s=%d: total variation of one draw is %g, want at most %g and at least a third", s, distance, bound)
		}
		// Over many draws it is bounded by way of the divergence, which is 1/(576·s⁴) to leading order.
		fourth := math.Pow(float64(s), 4)
		if bound := 1 / (320 * fourth); divergence > bound || divergence < bound/2 {
			t.Errorf("s=%d: divergence of one draw is %g, want at most %g and at least half", s, divergence, bound)
		}
		for _, n := range []int{1, 100, 1e6} {
			if pinsker, bound := math.Sqrt(float64(n)*divergence/2), l.TotalVariation(n, 1); pinsker > bound || pinsker < bound/2 {
				t.Errorf("s=%d, %d draws: Pinsker's bound is %g, want at most %g and at least half", s, n, pinsker, bound)
			}
		}
		if a, b := l.TotalVariation(12, 10), l.TotalVariation(10, 12); math.Abs(a/b-1) > 1e-12 {
			t.Errorf("s=%d: TotalVariation(12, 10) = %g, of (10, 12) %g, want the same", s, a, b)
		}
	}
	for _, s := range []int64{1 << 10, 1 << 24} {
		lowest, highest := 0.0, 0.0
		for i := range 1001 {
			r := ratio(float64(cut*s)*float64(i)/1000, float64(s))
			lowest, highest = min(lowest, r), max(highest, r)
		}
		square := float64(s) * float64(s)
		if lowest < -0.05/square || highest > 171/square {
			t.Errorf("s=%d: log ratios times s² are from %g to %g, want -0.05 to 171", s, lowest*square, highest*square)
		}
		l := Lattice{Parameter: s}
		if got, want := l.ExtraEpsilon(1, 1), highest-lowest; got < want || got > 1.02*want {
			t.Errorf("s=%d: ExtraEpsilon of one draw is %g, want %g or up to 2 %% more", s, got, want)
		}
		if got, want := l.ExtraEpsilon(30, 7), 210*l.ExtraEpsilon(1, 1); math.Abs(got/want-1) > 1e-12 {
			t.Errorf("s=%d: ExtraEpsilon(30, 7) = %g, want %g", s, got, want)
		}
	}
}

// The ratio that the test above relies on, against the normal distribution function where that has digits to spare.
func TestRatioIsThatOfRoundedNormal(t *testing.T) {
	const s = 8
	total := 0.0
	for z := int64(-12 * s); z <= 12*s; z++ {
		p, _ := rho(z, s).Float64()
		total += p
	}
	for z := int64(0); z <= 5*s; z++ {
		upper := func(x float64) float64 { return math.Erfc(x/s/math.Sqrt2) / 2 }
		q := upper(float64(z)-0.5) - upper(float64(z)+0.5)
		p, _ := rho(z, s).Float64()
		if got, want := ratio(float64(z), s), math.Log(q/(p/total)); math.Abs(got-want) > 1e-12*math.Exp(3) {
			t.Errorf("ratio(%d, %d) = %g, want %g", z, s, got, want)
		}
	}
}

func ExampleChoose() {
	l, err := Choose(Demand{Params: 101770, Slots: 60000, MaxDrawn: 256, Bound: 1, NoiseMultiplier: 2})
	fmt.Printf("g = 2^%g, s = %.4g, eta = %.3f %%, %v\n", math.Log2(l.Step), float64(l.Parameter), 100*l.Eta, err)
	fmt.Printf("300 steps: %.1g more epsilon, %.1g total variation\n", l.ExtraEpsilon(101770, 300), l.TotalVariation(101770, 300))
	// Output:
	// g = 2^-37, s = 2.76e+11, eta = 0.391 %, <nil>
	// 300 steps: 7e-14 more epsilon, 3e-21 total variation
}
