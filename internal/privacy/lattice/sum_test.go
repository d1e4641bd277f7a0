package lattice

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// awkwardIntegers are int64 of every size and both signs, near powers of two and where float64 or float32 has a tie.
func awkwardIntegers(n int, random *rand.Rand) []int64 {
	x := []int64{0, 1, -1, math.MinInt64, math.MaxInt64, 1<<53 + 1, -1<<53 - 1, 1<<53 + 3, 1<<54 + 2, 1<<62 + 1<<9, 1<<24 + 1, 1<<25 + 1<<1,
		1 << 31, 1<<31 - 1, -1 << 31, 1 << 32, 1<<32 - 1, -1 << 32, -1<<32 - 1}
	for len(x) < n {
		x = append(x, int64(random.Uint64())>>random.IntN(64), 1<<random.IntN(63)-1+random.Int64N(3))
	}
	random.Shuffle(len(x), func(i, j int) { x[i], x[j] = x[j], x[i] })
	return x[:n]
}

// TestSumsAreTheirLoopsAtEveryLevel holds Collect and Scale to their documented loops at every length, and sees that they
// leave what is around their slices.
func TestSumsAreTheirLoopsAtEveryLevel(t *testing.T) { atEveryLevel(t, testSums) }

func testSums(t *testing.T) {
	const fence = 16
	random := rand.New(rand.NewPCG(3, 4))
	for n := range 258 {
		all, within := n+2*fence, func(j int) bool { return j >= fence && j < n+fence }
		src, dst := awkwardIntegers(all, random), awkwardIntegers(all, random)
		wantSrc, wantDst := slices.Clone(src), slices.Clone(dst)
		floats := slices.Repeat([]float32{-7}, all)
		wantFloats := slices.Clone(floats)
		unit := math.Ldexp(1+random.Float64(), random.IntN(200)-100)
		for j := range src {
			if within(j) {
				wantFloats[j] = float32(float64(src[j]) * unit)
				wantDst[j] += src[j]
				wantSrc[j] = 0
			}
		}
		left := slices.Clone(src)
		Scale(floats[fence:][:n], left[fence:][:n], unit)
		if !slices.Equal(floats, wantFloats) || !slices.Equal(left, wantSrc) {
			t.Fatalf("length %d: Scale gives %v, leaves %d, want %v, %d", n, floats, left, wantFloats, wantSrc)
		}
		Collect(dst[fence:][:n], src[fence:][:n])
		if !slices.Equal(dst, wantDst) || !slices.Equal(src, wantSrc) {
			t.Fatalf("length %d: Collect gives %d, leaves %d, want %d, %d", n, dst, src, wantDst, wantSrc)
		}
	}
}

func TestSumsRefuseOtherLengths(t *testing.T) {
	for name, call := range map[string]func(){
		"Collect": func() { Collect(make([]int64, 8, 16), make([]int64, 9)) },
		"Scale":   func() { Scale(make([]float32, 8, 16), make([]int64, 9), 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of two lengths did not panic", name)
				}
			}()
			call()
		}()
	}
}
