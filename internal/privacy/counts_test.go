package privacy

import (
	"math"
	"testing"

	"dptrain/internal/privacy/rng"
)

// TestNoiseOfCountsIsDiscreteLaplace holds a million draws against the distribution: each frequency within 6 standard
// deviations, which 2·10⁻⁹ of honest ones miss; a wrong scale by 2 % is seen. Zero drawn twice as often, a sampler that
// forgets to refuse it, is off by hundreds of them.
func TestNoiseOfCountsIsDiscreteLaplace(t *testing.T) {
	const draws = 1_000_000
	for _, epsilon := range []float64{0.25, 1, 3} {
		counts := make([]int64, draws)
		spent, err := NoisyCounts(counts, epsilon, rng.TestKey(uint64(1000*epsilon)))
		if err != nil || spent > epsilon || spent < epsilon-0x1p-20 {
			t.Fatalf("NoisyCounts(%v) spent %v, %v", epsilon, spent, err)
		}
		frequency := map[int64]float64{}
		for _, z := range counts {
			frequency[z]++
		}
		zero := math.Tanh(spent / 2) // (1−e^−ε)/(1+e^−ε)
		for z := int64(-8); z <= 8; z++ {
			p := zero * math.Exp(-spent*math.Abs(float64(z)))
			deviation := math.Sqrt(draws * p * (1 - p))
			if got := frequency[z]; math.Abs(got-draws*p) > 6*deviation+1 {
				t.Errorf("ε = %v: %d comes %v times, want %.0f ± %.0f", epsilon, z, got, draws*p, deviation)
			}
		}
	}
}

func TestCountsRefuseWrongEpsilon(t *testing.T) {
	for _, epsilon := range []float64{0, -1, 1e-4, 101, math.Inf(1), math.NaN()} {
		if _, err := NoisyCounts(make([]int64, 3), epsilon, rng.TestKey(1)); err == nil {
			t.Errorf("NoisyCounts accepts ε = %v", epsilon)
		}
	}
}
