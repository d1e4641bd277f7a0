package lattice

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dptrain/internal/privacy/isa"
)

// atEveryLevel runs a test at each level that this machine supports.
func atEveryLevel(t *testing.T, test func(t *testing.T)) {
	best := active
	t.Cleanup(func() { active = best })
	for l := isa.Generic; l <= best; l++ {
		active = l
		t.Run(l.String(), test)
	}
}

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

func TestRoundAddRoundsToNearestEven(t *testing.T) { atEveryLevel(t, testNearestEven) }

func testNearestEven(t *testing.T) {
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
		// A whole run, in which each lane rounds, and one element beyond it.
		dst, src := slices.Repeat([]int64{1000}, roundBlock+1), slices.Repeat([]float32{test.x}, roundBlock+1)
		RoundAdd(dst, src, math.Ldexp(1, test.exponent))
		for j := range dst {
			if got := dst[j] - 1000; got != test.want {
				t.Errorf("%s: RoundAdd of %g·2^%d added %d to element %d, want %d", test.name, test.x, test.exponent, got, j, test.want)
			}
			if math.Float32bits(src[j]) != 0 {
				t.Errorf("%s: src[%d] is left at %g, want +0", test.name, j, src[j])
			}
		}
	}
}

func TestRoundAddMatchesExactRounding(t *testing.T) { atEveryLevel(t, testExactRounding) }

func testExactRounding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		exponent := rapid.IntRange(-20, 60).Draw(t, "exponent")
		n := rapid.IntRange(0, 100).Draw(t, "length")
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

// TestRoundAddIsItsLoopAtEveryLevel takes words of any kind, at every length: assembly gives the bits
// of the loop even where those are unspecified, and leaves what is around its slices.
func TestRoundAddIsItsLoopAtEveryLevel(t *testing.T) { atEveryLevel(t, testLoop) }

func testLoop(t *testing.T) {
	const fence = 32
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 258 {
		dst, src := make([]int64, n+2*fence), make([]float32, n+2*fence)
		for j := range src {
			dst[j] = int64(random.Uint64())
			src[j] = math.Float32frombits(random.Uint32())
			if j < fence || j >= n+fence {
				src[j] = float32(math.NaN())
			}
		}
		inverseStep := math.Ldexp(1, random.IntN(150)-20)
		want, zeroed := slices.Clone(dst), slices.Clone(src)
		roundAddGeneric(want[fence:][:n], zeroed[fence:][:n], inverseStep)
		RoundAdd(dst[fence:][:n], src[fence:][:n], inverseStep)
		for j := range dst {
			if dst[j] != want[j] || math.Float32bits(src[j]) != math.Float32bits(zeroed[j]) {
				t.Fatalf("length %d, step %g: element %d is %d, %x, want %d, %x", n, 1/inverseStep, j-fence,
					dst[j], math.Float32bits(src[j]), want[j], math.Float32bits(zeroed[j]))
			}
		}
	}
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

// BenchmarkRoundAdd flushes sums that are copied into place before each call, as a range's gradients would fill them; the
// time of that copy alone is what "copy" reports.
func BenchmarkRoundAdd(b *testing.B) {
	for _, n := range []int{1 << 10, 1 << 13, 1 << 16, 1 << 20} {
		dst, src, sums := make([]int64, n), make([]float32, n), make([]float32, n)
		for j := range sums {
			sums[j] = float32(j%1000) * 0x1p-13
		}
		for _, test := range []struct {
			name string
			run  func()
		}{
			{"flush", func() { RoundAdd(dst, src, 0x1p40) }},
			{"copy", func() {}},
		} {
			b.Run(fmt.Sprintf("%s/P=%d", test.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					copy(src, sums)
					test.run()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/coordinate")
			})
		}
	}
}
