package lattice

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// nearestEven rounds x/2^−exponent to an integer in exact arithmetic.
func nearestEven(x float32, exponent int) int64 {
	product := new(big.Float).SetMantExp(big.NewFloat(float64(x)), exponent)
	floor, _ := new(big.Float).Copy(product).Int(nil)
	if product.Sign() < 0 && !product.IsInt() {
		floor.Sub(floor, big.NewInt(1))
	}
	rest := new(big.Float).SetPrec(400).Sub(product, new(big.Float).SetInt(floor))
	half := rest.Cmp(big.NewFloat(0.5))
	if half > 0 || half == 0 && floor.Bit(0) == 1 {
		floor.Add(floor, big.NewInt(1))
	}
	return floor.Int64()
}

func TestRoundAddRoundsToNearestEven(t *testing.T) {
	smallest, largest := math.Float32frombits(1), math.Float32frombits(0x7fffff)
	for _, test := range []struct {
		name     string
		x        float32
		exponent int // of inverseStep
		want     int64
	}{
		{"zero", 0, 40, 0},
		{"negative zero", float32(math.Copysign(0, -1)), 40, 0},
		{"one", 1, 40, 1 << 40},
		{"tie to even below", 0.5, 0, 0},
		{"tie to even above", 1.5, 0, 2},
		{"negative tie to even", -0.5, 0, 0},
		{"negative tie to even above", -1.5, 0, -2},
		{"tie at 2.5", 2.5, 0, 2},
		{"just above a tie", math.Nextafter32(0.5, 1), 0, 1},
		{"just below a tie", math.Nextafter32(1.5, 0), 0, 1},
		{"negative, just beyond a tie", math.Nextafter32(-0.5, -1), 0, -1},
		{"last tie of 24 bits", 8388607.5, 0, 8388608},
		{"tie times a power of two", 3 * 0x1p-41, 40, 2},
		{"smallest subnormal vanishes", smallest, 60, 0},
		{"smallest subnormal as one step", smallest, 149, 1},
		{"smallest subnormal as a tie", smallest, 148, 0},
		{"largest subnormal", largest, 149, 0x7fffff},
		{"largest below 2^62", math.Nextafter32(1, 0), 62, 1<<62 - 1<<38},
		{"negative near 2^62", math.Nextafter32(-1, 0), 62, -(1<<62 - 1<<38)},
		{"where the trick's constant cancels", -0x1.8p0, 52, -3 << 51},
		{"at 2^51", math.Nextafter32(-1, 0), 51, -(1<<51 - 1<<27)},
	} {
		if reference := nearestEven(test.x, test.exponent); reference != test.want {
			t.Errorf("%s: exact rounding gives %d, the table says %d", test.name, reference, test.want)
		}
		dst, src := []int64{1000}, []float32{test.x}
		RoundAdd(dst, src, math.Ldexp(1, test.exponent))
		if got := dst[0] - 1000; got != test.want {
			t.Errorf("%s: RoundAdd of %g·2^%d added %d, want %d", test.name, test.x, test.exponent, got, test.want)
		}
		if math.Float32bits(src[0]) != 0 {
			t.Errorf("%s: src is left at %g, want +0", test.name, src[0])
		}
	}
}

func TestRoundAddMatchesExactRounding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		exponent := rapid.IntRange(-20, 60).Draw(t, "exponent")
		n := rapid.IntRange(0, 40).Draw(t, "length")
		dst, src, want := make([]int64, n), make([]float32, n), make([]int64, n)
		for j := range src {
			// Products of every size below 2⁶², most of them with a fraction.
			size := rapid.IntRange(-3, 61).Draw(t, "size")
			mantissa := 1 + float64(rapid.Uint32Range(0, 1<<23-1).Draw(t, "mantissa"))*0x1p-23
			src[j] = float32(math.Ldexp(mantissa, size-exponent))
			if rapid.Bool().Draw(t, "negative") {
				src[j] = -src[j]
			}
			dst[j] = rapid.Int64Range(-1<<62, 1<<62).Draw(t, "sum")
			want[j] = dst[j] + nearestEven(src[j], exponent)
		}
		RoundAdd(dst, src, math.Ldexp(1, exponent))
		for j := range dst {
			if dst[j] != want[j] || math.Float32bits(src[j]) != 0 {
				t.Fatalf("coordinate %d: sum %d, src %g, want %d, +0", j, dst[j], src[j], want[j])
			}
		}
	})
}

func TestRoundAddKeepsToItsCoordinates(t *testing.T) {
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32} {
		dst, src := []int64{1, 2, 3}, []float32{4, bad, 5}
		RoundAdd(dst, src, 1)
		if dst[0] != 5 || dst[2] != 8 || src[0] != 0 || src[1] != 0 || src[2] != 0 {
			t.Errorf("around %g: dst %d, src %g, want 5 and 8 at the ends, zeros", bad, dst, src)
		}
	}
	for _, lengths := range [][2]int{{2, 3}, {3, 2}, {0, 1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("lengths %d did not panic", lengths)
				}
			}()
			RoundAdd(make([]int64, lengths[0], 8), make([]float32, lengths[1], 8), 1)
		}()
	}
}

func BenchmarkRoundAdd(b *testing.B) {
	for _, n := range []int{1 << 10, 1 << 13, 1 << 20} {
		b.Run(fmt.Sprintf("P=%d", n), func(b *testing.B) {
			dst, src := make([]int64, n), make([]float32, n)
			b.SetBytes(int64(12 * n))
			b.ReportAllocs()
			for b.Loop() {
				RoundAdd(dst, src, 0x1p40)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/coordinate")
		})
	}
}
