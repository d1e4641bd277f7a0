package accounting

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Properties that hold between the answers for different settings, each answer with its certified ends: 100 settings in a plain
// run, 10,000 and more by `make accounting-long`.

// setting is count Poisson-sampled Gaussian steps asked for at delta.
type setting struct {
	q, sigma, delta float64
	count           int
}

func (s setting) event() Event { return steps(s.q, s.sigma, s.count) }

// drawSetting draws from all that a user could ask for and more, evenly in logarithms.
func drawSetting(t *rapid.T) setting {
	power := func(name string, lo, hi float64) float64 {
		return math.Pow(10, rapid.Float64Range(lo, hi).Draw(t, "log10 "+name))
	}
	s := setting{power("q", -7, 0), power("sigma", -0.5, 1.7), power("delta", -30, -2), int(power("count", 0, 7))}
	if rapid.IntRange(0, 9).Draw(t, "full batch") == 0 {
		s.q = 1
	}
	return s
}

// bracket asks for ε, and checks what holds for every single answer: an ordered interval, and no more than Rényi.
func (s setting) bracket(t *rapid.T) Interval {
	got, err := pld{adjacency: ZeroOut, width: 0.1}.Epsilon(s.event(), s.delta)
	if err != nil {
		t.Fatal(err)
	}
	second, err := rdp{ZeroOut}.Epsilon(s.event(), s.delta)
	if err != nil || !(got.Lower >= 0 && got.Lower <= got.Upper && got.Upper <= second.Upper) {
		t.Errorf("Epsilon(%+v) = %v, Rényi %v, %v, want an ordered interval, not above", s, got, second, err)
	}
	return got
}

func TestMonotone(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	rapid.Check(t, func(t *rapid.T) {
		s := drawSetting(t)
		// From a factor that a wide interval hides to one that only a wrong end does not survive.
		f := math.Exp(math.Pow(10, rapid.Float64Range(-3, 0.3).Draw(t, "log10 log factor")))
		less := s
		switch rapid.SampledFrom([]string{"q", "sigma", "delta", "count"}).Draw(t, "knob") {
		case "q":
			less.q /= f
		case "sigma":
			less.sigma *= f
		case "delta":
			less.delta = min(s.delta*f, 0.99)
		case "count":
			less.count = int(float64(s.count) / f)
		}
		if base, got := s.bracket(t), less.bracket(t); got.Lower > base.Upper {
			t.Errorf("Epsilon(%+v) = %v, above Epsilon(%+v) = %v", less, got, s, base)
		}
	})
}

// Two parts of a run compose to the run: as two terms of a list, whose σ differ by one unit in the last place so that they
// stay two; and each at a share of δ, by the sum of their ε.
func TestPartsBracketTheWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	rapid.Check(t, func(t *rapid.T) {
		s := drawSetting(t)
		whole := s.bracket(t)
		first, second := s, s
		first.count = rapid.IntRange(0, s.count).Draw(t, "count of the first part")
		second.count -= first.count
		second.sigma = math.Nextafter(s.sigma, 1)
		got, err := pld{adjacency: ZeroOut, width: 0.1}.Epsilon(Composed{[]Event{first.event(), second.event()}}, s.delta)
		const rounding = 1e-9
		if err != nil || got.Lower > whole.Upper*(1+rounding) || got.Upper < whole.Lower*(1-rounding) {
			t.Errorf("Epsilon of %d and %d steps of %+v = %v, %v, want an interval that meets %v", first.count, second.count, s, got, err, whole)
		}
		share := rapid.Float64Range(0.01, 0.99).Draw(t, "share of delta")
		first.delta, second.delta, second.sigma = s.delta*share, s.delta*(1-share)*(1-1e-15), s.sigma
		if a, b := first.bracket(t), second.bracket(t); whole.Lower > (a.Upper+b.Upper)*(1+rounding) {
			t.Errorf("Epsilon(%+v) = %v, above the sum of its parts %v and %v", s, whole, a, b)
		}
	})
}
