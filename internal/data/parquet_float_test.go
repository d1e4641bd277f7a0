package data

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

func TestParquetText(t *testing.T) {
	for _, c := range []struct {
		x    float64
		bits int
		want string
	}{
		{5, 64, "5"}, {0.1, 64, "0.1"}, {float64(float32(0.1)), 32, "0.1"}, {-1e6, 64, "-1000000"}, {1e21, 64, "1e+21"}, {1e-7, 64, "1e-07"},
		{1e-6, 64, "0.000001"}, {0, 64, "0"}, {math.NaN(), 64, "NaN"}, {math.Inf(-1), 64, "-Inf"}, {1e300, 64, "1e+300"},
	} {
		if got := string(appendShortest(nil, c.x, c.bits)); got != c.want {
			t.Errorf("appendShortest(%v, %d) = %s, want %s", c.x, c.bits, got, c.want)
		}
	}
}

// TestShortestDecimal compares with the text, for floats of all kinds; and hardly any of those that tables have are left to it.
func TestShortestDecimal(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	left, all := 0, 0
	check := func(f float32) {
		want, err := strconv.ParseFloat(string(appendShortest(nil, float64(f), 32)), 64)
		got, ok := shortestDecimal(f)
		if ok && (err != nil || math.Float64bits(got) != math.Float64bits(want)) {
			t.Fatalf("shortestDecimal(%v) = %v, want %v", f, got, want)
		}
		if all++; !ok {
			left++
		}
	}
	for _, f := range []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0.1, 1 << 24, 1<<24 - 1, 1e-6, 1e9, 16777217, 33554450, math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.NaN()), float32(math.Inf(-1))} {
		check(f)
	}
	for range 200_000 {
		check(math.Float32frombits(random.Uint32()))
	}
	left, all = 0, 0
	for i := range 300_000 {
		check(random.Float32() - 0.5)
		check(float32(random.NormFloat64()))
		check(float32(i-1000) / 100)
	}
	if left > all/1000 {
		t.Errorf("%d of %d floats are left to the text, want at most one in 1,000", left, all)
	}
}

// TestWidened compares with the definition: of 10 bits behind a leading one, or a zero where the exponent has none.
func TestWidened(t *testing.T) {
	for i := range 1 << 16 {
		exponent, fraction := i>>10&31, float64(i&1023)
		want := math.Ldexp(1024+fraction, exponent-25)
		switch {
		case exponent == 31 && fraction > 0:
			want = math.NaN()
		case exponent == 31:
			want = math.Inf(1)
		case exponent == 0:
			want = math.Ldexp(fraction, -24)
		}
		if i >= 1<<15 {
			want = -want
		}
		if got := float64(widened(uint16(i))); math.Float64bits(got) != math.Float64bits(want) && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Fatalf("widened(%#04x) = %v, want %v", i, got, want)
		}
	}
}
