package lattice

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// The statistical tests below have fixed streams. For a fresh one each false alarm has a probability of at most 10⁻⁹ a
// comparison, under 2·10⁻⁷ for all of them.
const (
	falseAlarm = 1e-9
	deviations = 6.2 // a normal variable is further from its mean with probability 6·10⁻¹⁰
)

// draws returns n draws of parameter s.
func draws(t testing.TB, s int64, n int, number uint64) []int64 {
	t.Helper()
	dst := make([]int64, n)
	mustGaussian(t, s).Add(dst, stream(number))
	return dst
}

// matches fails if counts are not those of draws from cells with the given probabilities, which add up to 1. Cells that
// expect fewer than 10 are joined with the next.
func matches(t *testing.T, name string, counts []int, probabilities []float64) {
	t.Helper()
	total := 0
	for _, count := range counts {
		total += count
	}
	statistic, cells, expected, count := 0.0, 0, 0.0, 0.0
	for i, p := range probabilities {
		expected += p * float64(total)
		count += float64(counts[i])
		if expected >= 10 {
			statistic += (count - expected) * (count - expected) / expected
			cells++
			expected, count = 0, 0
		}
	}
	if p := (distuv.ChiSquared{K: float64(cells - 1)}).Survival(statistic); p < falseAlarm {
		t.Errorf("%s: chi-square %.1f over %d cells of %d draws, p = %.1e, want at least %.0e",
			name, statistic, cells, total, p, falseAlarm)
	}
}

func TestNewGaussianRefusesParametersOutOfRange(t *testing.T) {
	for _, s := range []int64{math.MinInt64, -8, 0, minParameter - 1, maxParameter + 1, math.MaxInt64} {
		if _, err := NewGaussian(s); err == nil {
			t.Errorf("NewGaussian(%d) gave no error", s)
		}
	}
}

// TestDrawsFollowRho compares counts with exact probabilities of single integers, 10⁶ draws a parameter. A probability
// near the centre that is off by 4 % is caught, one at 3·s by 25 %.
func TestDrawsFollowRho(t *testing.T) {
	for i, s := range []int64{minParameter, 13, 50} {
		counts, probabilities := make([]int, 2*6*s+1), make([]float64, 2*6*s+1)
		for _, z := range draws(t, s, 1_000_000, uint64(i)) {
			counts[min(max(z+6*s, 0), 12*s)]++
		}
		total := 0.0
		for j := range probabilities {
			probabilities[j], _ = rho(int64(j)-6*s, s).Float64()
			total += probabilities[j]
		}
		for j := range probabilities {
			probabilities[j] /= total
		}
		matches(t, fmt.Sprintf("s=%d", s), counts, probabilities)
	}
}

// TestDrawsMatchCanonne compares with draws made by other means, 2·10⁵ of each: two-sample chi-square.
func TestDrawsMatchCanonne(t *testing.T) {
	const n = 200_000
	random := rand.New(rand.NewPCG(1, 2))
	for i, s := range []int64{minParameter, 40} {
		ours, theirs := make([]float64, 12*s+1), make([]float64, 12*s+1)
		place := func(z int64) int64 { return min(max(z+6*s, 0), 12*s) }
		for _, z := range draws(t, s, n, uint64(10+i)) {
			ours[place(z)]++
			theirs[place(canonne(random, uint64(s)))]++
		}
		statistic, cells, a, b := 0.0, 0, 0.0, 0.0
		for j := range ours {
			a, b = a+ours[j], b+theirs[j]
			if a+b >= 20 {
				statistic += (a - b) * (a - b) / (a + b)
				cells++
				a, b = 0, 0
			}
		}
		if p := (distuv.ChiSquared{K: float64(cells - 1)}).Survival(statistic); p < falseAlarm {
			t.Errorf("s=%d: chi-square %.1f over %d cells, p = %.1e, want at least %.0e", s, statistic, cells, p, falseAlarm)
		}
	}
}

// TestDrawsFillTheirCells compares with the normal distribution over cells of s/8 out to 5·s, at the sizes of s in use,
// where the two agree to 10⁻¹⁵, and looks at the low bits and at signs. 2²² draws; a cell near the centre whose probability is
// off by 1 % is caught, and the mass beyond 4·s off by half.
func TestDrawsFillTheirCells(t *testing.T) {
	for i, s := range []int64{1 << 24, 1<<38 + 98765, 1<<45 + 1, maxParameter} {
		const perS, reach = 8, 5
		sample := draws(t, s, 1<<22, uint64(20+i))
		edges := make([]float64, 0, 2*reach*perS+1)
		for e := -reach * perS; e <= reach*perS; e++ {
			edges = append(edges, float64(e)/perS)
		}
		cumulative := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
		probabilities := []float64{cumulative(edges[0])}
		for j := range edges[1:] {
			probabilities = append(probabilities, cumulative(edges[j+1])-cumulative(edges[j]))
		}
		probabilities = append(probabilities, cumulative(edges[0]))
		counts := make([]int, len(probabilities))
		low, signs := make([]int, 256), make([]int, 2)
		for _, z := range sample {
			cell := int(math.Floor(float64(z)/float64(s)*perS)) + reach*perS + 1
			counts[min(max(cell, 0), len(counts)-1)]++
			low[uint8(z)]++
			signs[uint64(z)>>63]++
		}
		name := fmt.Sprintf("s=%d", s)
		matches(t, name+", cells", counts, probabilities)
		matches(t, name+", low bits", low, slices.Repeat([]float64{1.0 / 256}, 256))
		matches(t, name+", signs", signs, []float64{0.5, 0.5})
	}
}

// TestMomentsAreThoseOfTheGaussian takes 2²² draws: variance within 0.43 %, fourth moment within 1 %, correlation of
// neighbours within 0.31 %.
func TestMomentsAreThoseOfTheGaussian(t *testing.T) {
	for i, s := range []int64{minParameter, 1<<38 + 98765, maxParameter} {
		sample := draws(t, s, 1<<22, uint64(30+i))
		var mean, square, fourth, product, previous float64
		for _, z := range sample {
			x := float64(z) / float64(s)
			mean += x
			square += x * x
			fourth += x * x * x * x
			product += x * previous
			previous = x
		}
		n := float64(len(sample))
		for _, test := range []struct {
			name                 string
			sum, want, deviation float64
		}{
			{"mean", mean, 0, 1},
			{"variance", square, 1, math.Sqrt(2)},
			{"fourth moment", fourth, 3, math.Sqrt(96)},
			{"product of neighbours", product, 0, 1},
		} {
			got, tolerance := test.sum/n, deviations*test.deviation/math.Sqrt(n)
			if math.Abs(got-test.want) > tolerance {
				t.Errorf("s=%d: %s is %.5f, want %.5f within %.5f", s, test.name, got, test.want, tolerance)
			}
		}
	}
}

func TestAddDoesNotAllocate(t *testing.T) {
	g, words, dst := mustGaussian(t, 1<<38), stream(1), make([]int64, 4096)
	if got := testing.AllocsPerRun(10, func() { g.Add(dst, words) }); got > 0 {
		t.Errorf("Add allocates %v times, want 0", got)
	}
}

func BenchmarkAdd(b *testing.B) {
	const n = 4096
	for _, s := range []int64{1 << 24, 1<<38 + 98765, maxParameter} {
		b.Run(fmt.Sprintf("s=%d", s), func(b *testing.B) {
			g, words, dst := mustGaussian(b, s), stream(1), make([]int64, n)
			b.SetBytes(8 * n)
			b.ReportAllocs()
			for b.Loop() {
				g.Add(dst, words)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/coordinate")
		})
	}
	b.Run("words alone", func(b *testing.B) {
		words := stream(1)
		b.SetBytes(8 * n)
		for b.Loop() {
			for taken := 0; taken < 8*n; {
				taken += len(words.Next())
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/coordinate")
	})
}
