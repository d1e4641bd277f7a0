package lattice

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// parameters are the s at which the tables are checked: both ends, small ones, and the sizes that Choose gives.
func parameters() []int64 {
	return []int64{minParameter, 9, 21, 1000, 1<<24 + 1, 1 << 38, 1<<39 - 1, 1<<42 + 12345, 1<<45 + 12345, maxParameter}
}

// above compares ρ(z) with height/unit.
func above(z, s int64, height, unit uint64) bool {
	scaled := rho(z, s)
	scaled.Mul(scaled, new(big.Float).SetUint64(unit))
	return scaled.Cmp(new(big.Float).SetUint64(height)) >= 0
}

// TestTableCoversTheCurve is the proof of a table, in exact arithmetic: strips that tile the heights, the right number of
// places for each integer, no integer left out that reaches into a strip, none taken as sure that does not reach through.
func TestTableCoversTheCurve(t *testing.T) {
	for _, s := range parameters() {
		t.Run(fmt.Sprintf("s=%d", s), func(t *testing.T) {
			table := newTable(s)
			used := new(big.Int)
			base := uint64(0)
			for i := strips - 1; i >= 0; i-- {
				strip, at := table.strips[i], table.spans[i]
				if at.base != base {
					t.Fatalf("strip %d begins at %d, want the end %d of the one below", i, at.base, base)
				}
				base += at.height
				outer := int64(strip.width / 2)
				inner := outer - int64(strip.skip)
				if strip.width != uint64(2*outer+1) || strip.sure != uint64(2*inner+1) || inner < 0 || inner > outer {
					t.Fatalf("strip %d = %+v, want 0 ≤ inner ≤ outer in it", i, strip)
				}
				places := new(big.Int).Mul(big.NewInt(int64(at.height)), big.NewInt(int64(strip.width)))
				used.Add(used, places)
				if places.BitLen() > placeBits {
					t.Fatalf("strip %d uses %d places, want fewer than 2^%d", i, places, placeBits)
				}
				accepted := new(big.Int).SetUint64(math.MaxUint64 - strip.refuse)
				if accepted.Cmp(places.Lsh(places, 64-placeBits)) != 0 {
					t.Fatalf("strip %d accepts %d of 2^64 low halves, want %d", i, accepted, places)
				}
				if i == strips-1 {
					if outer != cut*s {
						t.Fatalf("the bottom strip ends at %d, want %d", outer, cut*s)
					}
				} else if at.height > 0 && above(outer+1, s, at.base, table.unit) {
					t.Fatalf("strip %d ends at %d, but the next integer reaches into it", i, outer)
				}
				if at.height > 0 && inner > 0 && !above(inner, s, base, table.unit) {
					t.Fatalf("strip %d takes %d as sure, but it is not under the curve at the upper edge", i, inner)
				}
			}
			for i, q := range table.quick {
				s, widest := table.strips[i], (0.5-table.edge)*0x1p52
				if q.limit == 0 {
					continue
				}
				if table.spans[i].height != (places-1)/s.width || float64(s.width) > widest || q.scale*0x1p64 != float64(s.width) {
					t.Fatalf("quick strip %d = %+v, want it left out, or as wide as %d and at most %g", i, q, s.width, widest)
				}
				most := new(big.Int).Lsh(new(big.Int).SetUint64(s.sure/2), 64)
				if most.Quo(most, new(big.Int).SetUint64(s.width)).Cmp(new(big.Int).SetUint64(q.limit)) != 0 {
					t.Fatalf("quick strip %d has the limit %d, want %d", i, q.limit, most)
				}
			}
			if base != table.unit {
				t.Errorf("the strips end at %d, want %d", base, table.unit)
			}
			share, _ := new(big.Float).SetMantExp(new(big.Float).SetInt(used), -64).Float64()
			if want := 0.99; s > 1<<20 && s < 1<<40 && share < want {
				t.Errorf("the table uses %.4f of the words, want at least %v", share, want)
			}
		})
	}
}

// TestTableGivesTheDistribution adds up, over the strips, the exact probability that a round returns z.
func TestTableGivesTheDistribution(t *testing.T) {
	const precision = 300
	number := func(x uint64) *big.Float { return new(big.Float).SetPrec(precision).SetUint64(x) }
	for _, s := range []int64{minParameter, 13, 64} {
		table := newTable(s)
		for z := range 14 * s {
			sum := number(0) // in places: of 2⁶⁴
			want := rho(z, s)
			want.Mul(want, number(table.unit))
			for i, strip := range table.strips {
				at := table.spans[i]
				outer := int64(strip.width / 2)
				switch {
				case z > outer:
				case z <= outer-int64(strip.skip):
					sum.Add(sum, number(at.height))
				default: // the part of the strip's height that is under ρ(z)
					under := new(big.Float).Sub(want, number(at.base))
					if under.Cmp(number(at.height)) > 0 {
						under = number(at.height)
					}
					if under.Sign() > 0 {
						sum.Add(sum, under)
					}
				}
			}
			difference := new(big.Float).Sub(sum, want)
			if ratio, _ := difference.Quo(difference, want).Float64(); math.Abs(ratio) > 1e-60 {
				t.Fatalf("s=%d: a round returns %d with probability off by a factor 1%+g", s, z, ratio)
			}
		}
	}
}

// TestEdgeLeavesItsErrorToSlack takes heights at which a careless logarithm would lose its digits.
func TestEdgeLeavesItsErrorToSlack(t *testing.T) {
	const s = maxParameter
	for _, unit := range []uint64{1 << 15, 1 << 40, 1<<60 - 1} {
		for _, height := range []uint64{1, 2, unit/2 - 1, unit/2 + 1, unit - 1000, unit - 1} {
			z := edge(s, height, unit)
			inside, outside := int64(math.Floor(z*(1-slack)))-1, int64(math.Ceil(z*(1+slack)))+1
			if !above(inside, s, height, unit) || above(outside, s, height, unit) {
				t.Errorf("edge(2^47, %d, %d) = %g, want it between %d and %d", height, unit, z, inside, outside)
			}
		}
		if z := edge(s, unit, unit); z != 0 {
			t.Errorf("edge(2^47, %d, %d) = %g, want 0", unit, unit, z)
		}
	}
}

// wordOf is the word of a strip and a number r.
func wordOf(strip int, r uint64) uint64 { return (r<<(64-placeBits) | uint64(strip)) ^ 1<<63 }

// TestAttemptGivesEachIntegerItsPlaces finds, in exact arithmetic, the k words of a strip that are to give an integer z
// and checks the first and last of them and the words on either side; and that all but the sure integers take a height.
func TestAttemptGivesEachIntegerItsPlaces(t *testing.T) {
	for _, s := range parameters() {
		g := mustGaussian(t, s)
		rapid.Check(t, func(rt *rapid.T) {
			i := rapid.IntRange(0, strips-1).Draw(rt, "strip")
			strip, k := g.table.strips[i], g.table.spans[i].height
			if k == 0 {
				return
			}
			outer := int64(strip.width / 2)
			inner := outer - int64(strip.skip)
			ends := []int64{-outer, -inner - 1, -inner, 0, inner, inner + 1, outer}
			z := rapid.OneOf(rapid.SampledFrom(ends), rapid.Int64Range(-outer, outer)).Draw(rt, "z")
			if z < -outer || z > outer {
				return
			}
			attempt := func(r uint64) (got int64, taken int) {
				source := &script{t: t, words: []uint64{1 << 63, 1 << 63}, size: 1}
				got, ok := g.attempt(wordOf(i, r), &reader{words: source})
				taken = 3 - len(source.words)
				if !ok && taken == 1 {
					return math.MaxInt64, 0 // refused
				}
				return got, taken
			}
			// The numbers r with ⌊r·N/2^placeBits⌋ = z+X end at last, and the last k of them are accepted.
			next := new(big.Int).Lsh(big.NewInt(z+outer+1), placeBits)
			last := next.Sub(ceilDiv(next, new(big.Int).SetUint64(strip.width)), big.NewInt(1)).Uint64()
			heights := 1
			if z < -inner || z > inner {
				heights = 2
			}
			for _, r := range []uint64{last, last - k + 1} {
				if got, taken := attempt(r); got != z || taken != heights {
					rt.Fatalf("s=%d, strip %d: place %d gives %d from %d words, want %d from %d", s, i, r, got, taken, z, heights)
				}
			}
			if got, taken := attempt(last + 1); last+1 < places && taken > 0 && got != z+1 {
				rt.Fatalf("s=%d, strip %d: place %d gives %d, want %d or a refusal", s, i, last+1, got, z+1)
			}
			if got, taken := attempt(last - k); last >= k && taken > 0 && got != z-1 {
				rt.Fatalf("s=%d, strip %d: place %d gives %d, want %d or a refusal", s, i, last-k, got, z-1)
			}
		})
	}
}

func BenchmarkNewGaussian(b *testing.B) {
	for b.Loop() {
		mustGaussian(b, 1<<38)
	}
}
