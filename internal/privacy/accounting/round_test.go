package accounting

import (
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestFormatUp(t *testing.T) {
	for _, c := range []struct {
		x      float64
		digits int
		up     string
		down   string
	}{
		{1, 4, "1", "1"},
		{0.1, 4, "0.1", "0.1"},
		{1.00001, 4, "1.001", "1"},
		{0.99999, 4, "1", "0.9999"},
		{9.9999, 3, "10", "9.99"},
		{123456, 4, "123500", "123400"},
		{0.000123456, 2, "0.00013", "0.00012"},
		{1.23456e-7, 3, "1.24e-07", "1.23e-07"},
		{0, 4, "0", "0"},
		{math.Inf(1), 4, "+Inf", "+Inf"},
	} {
		if got := FormatUp(c.x, c.digits); got != c.up {
			t.Errorf("FormatUp(%v, %d) = %q, want %q", c.x, c.digits, got, c.up)
		}
		if got := FormatDown(c.x, c.digits); got != c.down {
			t.Errorf("FormatDown(%v, %d) = %q, want %q", c.x, c.digits, got, c.down)
		}
	}
}

func TestRoundingNeverCrosses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(1e-300, 1e300).Draw(t, "x")
		digits := rapid.IntRange(1, 15).Draw(t, "digits")
		up, err := strconv.ParseFloat(FormatUp(x, digits), 64)
		if unit := math.Pow(10, float64(1-digits)); err != nil || up < x || up > x*(1+unit*(1+1e-9)) {
			t.Errorf("FormatUp(%v, %d) = %q, want at most one digit above", x, digits, FormatUp(x, digits))
		}
		down, err := strconv.ParseFloat(FormatDown(x, digits), 64)
		if err != nil || down > x || RoundUp(down, digits) != down || RoundDown(up, digits) != up {
			t.Errorf("FormatDown(%v, %d) = %q", x, digits, FormatDown(x, digits))
		}
	})
}
