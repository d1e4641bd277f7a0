package lattice

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestExpBoundsBracketTheExponential(t *testing.T) {
	const precision = 200
	for _, test := range []struct{ z, s int64 }{
		{0, 8}, {1, maxParameter}, {8, 8}, {1 << 38, 1 << 38}, {3<<38 + 12345, 1 << 38}, {90, 8}, {512, 8},
		{cut * maxParameter, maxParameter},
	} {
		num := new(big.Int).Mul(big.NewInt(test.z), big.NewInt(test.z))
		den := new(big.Int).Mul(big.NewInt(2*test.s), big.NewInt(test.s))
		low, high := expBounds(num, den, precision)
		want := rho(test.z, test.s)
		want.SetMantExp(want, precision)
		if new(big.Float).SetInt(low).Cmp(want) > 0 || new(big.Float).SetInt(high).Cmp(want) < 0 {
			t.Errorf("expBounds for z=%d, s=%d = [%d, %d], want %g in it", test.z, test.s, low, high, want)
		}
		if width := new(big.Int).Sub(high, low); width.Cmp(big.NewInt(2)) > 0 {
			t.Errorf("expBounds for z=%d, s=%d are %d apart, want at most 2", test.z, test.s, width)
		}
	}
}

// wedge draws a strip and an integer that is not sure in it.
func wedge(t *rapid.T, g *Gaussian) (at span, z int64) {
	for {
		i := rapid.IntRange(0, strips-1).Draw(t, "strip")
		strip, at := g.table.strips[i], g.table.spans[i]
		outer := int64(strip.width / 2)
		inner := outer - int64(strip.skip)
		if at.height == 0 || inner == outer {
			continue
		}
		z := inner + 1 + rapid.Int64Range(0, outer-inner-1).Draw(t, "z")
		if rapid.Bool().Draw(t, "negative") {
			z = -z
		}
		return at, z
	}
}

// threshold returns the first 192 bits of the U in [0, 1) at which (base+height·U)/H = ρ(z), as three words, or false if
// there is none.
func threshold(g *Gaussian, at span, z int64) (words [3]uint64, ok bool) {
	u := rho(z, g.s)
	u.Mul(u, new(big.Float).SetUint64(g.table.unit))
	u.Sub(u, new(big.Float).SetUint64(at.base))
	u.Quo(u, new(big.Float).SetUint64(at.height))
	if u.Sign() <= 0 || u.Cmp(big.NewFloat(1)) >= 0 {
		return words, false
	}
	bits, _ := u.SetMantExp(u, 192).Int(nil)
	for i := 2; i >= 0; i-- {
		words[i] = bits.Uint64()
		bits.Rsh(bits, 64)
	}
	return words, true
}

// TestUnderDecidesLikeExactArithmetic takes words at every distance from the threshold: far off, about as near as the
// margin, and so near that one word or two are not enough. The exact comparison is held to the same answers throughout.
func TestUnderDecidesLikeExactArithmetic(t *testing.T) {
	for _, s := range parameters() {
		g := mustGaussian(t, s)
		edges := 0
		rapid.Check(t, func(rt *rapid.T) {
			at, z := wedge(rt, g)
			edge, ok := threshold(g, at, z)
			check := func(name string, want bool, taken int, words ...uint64) {
				source := &script{t: t, words: words, size: 1}
				if got := g.under(at, z, &reader{words: source}); got != want {
					rt.Fatalf("s=%d, %+v, z=%d, %s: under = %v, want %v", s, at, z, name, got, want)
				}
				if got := len(words) - len(source.words); got != taken {
					rt.Fatalf("s=%d, %+v, z=%d, %s: under took %d words, want %d", s, at, z, name, got, taken)
				}
				source = &script{t: t, words: words[1:], size: 1}
				if got := g.underExactly(at, z, words[0], &reader{words: source}); got != want {
					rt.Fatalf("s=%d, %+v, z=%d, %s: underExactly = %v, want %v", s, at, z, name, got, want)
				}
			}
			if !ok {
				want := above(z, s, at.base+at.height, g.table.unit)
				for _, word := range []uint64{0, math.MaxUint64, rapid.Uint64().Draw(rt, "word")} {
					check("any word", want, 1, word)
				}
				return
			}
			edges++
			for _, distance := range []uint64{1 << 63, 1 << 40, 1 << 30, 1 << 20, 2} {
				if edge[0] >= distance {
					check(fmt.Sprint("below by ", distance), true, 1, edge[0]-distance)
				}
				if edge[0] <= math.MaxUint64-distance {
					check(fmt.Sprint("above by ", distance), false, 1, edge[0]+distance)
				}
			}
			if edge[1] > 0 && edge[2] > 0 { // far out ρ(z) is below 2⁻⁶⁴, and nothing is below it
				check("first word equal, below", true, 2, edge[0], 0)
				check("two words equal, below", true, 3, edge[0], edge[1], 0)
			}
			check("first word equal, above", false, 2, edge[0], math.MaxUint64)
			check("two words equal, above", false, 3, edge[0], edge[1], math.MaxUint64)
		})
		// Of the smallest s one draw in twelve has an edge: too few for none of them to mean something.
		if edges == 0 && s > 100 {
			t.Errorf("s=%d: no integer had its threshold in the strip", s)
		}
	}
}

// TestMathExpIsAsPreciseAsMarginNeeds holds the one assumption of margin, with 2¹⁰ to spare.
func TestMathExpIsAsPreciseAsMarginNeeds(t *testing.T) {
	const s = 1 << 30
	worst := 0.0
	for z := int64(1); z < 13*s; z += s/40 + 7919 {
		x := float64(z) * float64(z) * (-0.5 / (float64(s) * float64(s)))
		want := rho(z, s)
		got := new(big.Float).SetPrec(320).SetFloat64(math.Exp(x))
		ratio, _ := got.Quo(got.Sub(got, want), want).Float64()
		worst = max(worst, math.Abs(ratio))
	}
	// The argument itself is off by 2⁻⁵¹·|x| here, so what is seen is more than math.Exp's error.
	if worst > 0x1p-43 {
		t.Errorf("relative error of math.Exp on [-85, 0] is %g, want at most 2^-43", worst)
	}
}
