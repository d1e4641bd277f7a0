package audit

import (
	"math"
	"math/rand/v2"
	"testing"

	"dptrain/internal/privacy/accounting"
)

// gaussian is the family of one step without sampling.
func gaussian(t *testing.T, sigma float64) *Family {
	t.Helper()
	a, err := accounting.New("pld", accounting.ZeroOut)
	if err != nil {
		t.Fatal(err)
	}
	return &Family{Accountant: a, Delta: 1e-5, Claimed: sigma, Event: func(s float64) accounting.Event {
		return accounting.Gaussian{NoiseMultiplier: s}
	}}
}

// TestOneRunMatchesItsPaper has the figures of perfect guesses, p^r = α: ε = log(p/(1−p)), and a partly wrong attack
// worked out by sums of exact binomial terms (Python's fractions).
func TestOneRunMatchesItsPaper(t *testing.T) {
	for _, test := range []struct {
		g            Guesses
		delta, alpha float64
		want         float64
	}{
		{Guesses{1000, 1000, 1000}, 0, 1e-6, 4.2751},
		{Guesses{1000, 100, 100}, 0, 0.05, 3.4930},
		{Guesses{10, 10, 5}, 0, 0.05, 0},
		{Guesses{100, 100, 80}, 0, 0.05, 0.9584},
		{Guesses{1000, 100, 90}, 1e-5, 0.05, 1.6261},
	} {
		if got := OneRun(test.g, test.delta, test.alpha); math.Abs(got-test.want) > 1e-3 {
			t.Errorf("OneRun(%+v, %v, %v) = %.4f, want %.4f", test.g, test.delta, test.alpha, got, test.want)
		}
	}
}

// TestFDPMatchesItsPaper compares with Algorithm 3 as transcribed to Python, its exact inverse for a Gaussian in place of
// the curve; the search stops within 1e-3 of the noise.
func TestFDPMatchesItsPaper(t *testing.T) {
	f := gaussian(t, 1)
	for _, test := range []struct {
		g           Guesses
		alpha, want float64
	}{
		{Guesses{1000, 1000, 830}, 1e-6, 1.1131},
		{Guesses{1000, 1000, 830}, 0.05, 2.6902},
		{Guesses{1000, 1000, 700}, 0.05, 1.3720},
		{Guesses{1000, 200, 180}, 0.05, 2.9012},
		{Guesses{1000, 1000, 999}, 1e-6, 4.4381},
	} {
		if got, err := f.FDP(test.g, test.alpha); err != nil || math.Abs(got/test.want-1) > 2e-3 {
			t.Errorf("FDP(%+v, %v) = %.4f, %v, want %.4f", test.g, test.alpha, got, err, test.want)
		}
	}
}

// TestBoundsGrowWithSuccess, and shrink with the confidence asked for.
func TestBoundsGrowWithSuccess(t *testing.T) {
	f := gaussian(t, 1)
	for name, bound := range map[string]func(Guesses, float64) (float64, error){
		"one run":     func(g Guesses, alpha float64) (float64, error) { return OneRun(g, 1e-5, alpha), nil },
		"f-DP":        f.FDP,
		"independent": f.Independent,
	} {
		last := 0.0
		for _, correct := range []int{0, 500, 560, 620, 680, 740, 800, 900, 999, 1000} {
			g := Guesses{1000, 1000, correct}
			got, err := bound(g, 0.05)
			surer, err2 := bound(g, 1e-6)
			if err != nil || err2 != nil || got < last || surer > got || correct <= 500 && got != 0 {
				t.Errorf("%s: %d of 1000 give %v, and %v at 1e-6; %d fewer gave %v; %v, %v", name, correct, got, surer, 60, last, err, err2)
			}
			last = got
		}
		if last < 2 {
			t.Errorf("%s: perfect guesses give %v, want much", name, last)
		}
	}
}

// attack plays the experiment on independent Gaussian canaries of the given μ, and guesses all coins.
func attack(r *rand.Rand, m int, mu float64) Guesses {
	g := Guesses{Canaries: m, Made: m}
	for range m {
		in := r.IntN(2) == 1
		x := r.NormFloat64()
		if in {
			x += mu
		}
		if (x > mu/2) == in {
			g.Correct++
		}
	}
	return g
}

// TestBoundsHold attacks a run that is what it claims, 4,000 times with 200 canaries, at α = 0.05: the claim may be refuted
// in 5 % of them, 200; the bound of 290 is 6.5 standard deviations, a false alarm of 4e-11. For 1,000 attacks by the f-DP
// bound, which is slower, it is 95. The runs refuted are counted at the claim itself, without search.
func TestBoundsHold(t *testing.T) {
	f := gaussian(t, 1)
	r := rand.New(rand.NewPCG(1, 1))
	claimed, err := f.Accountant.Curve(f.Event(1))
	if err != nil {
		t.Fatal(err)
	}
	roof := func(fpr float64) float64 {
		rate, _ := claimed.TruePositiveRate(math.Min(1-1e-16, math.Max(fpr, 1e-300)))
		return rate
	}
	delta, err := f.Accountant.Delta(f.Event(1), 0)
	if err != nil {
		t.Fatal(err)
	}
	epsilon, err := f.Accountant.Epsilon(f.Event(1), 1e-5)
	if err != nil {
		t.Fatal(err)
	}
	independent, fdp, oneRun := 0, 0, 0
	for i := range 4000 {
		g := attack(r, 200, 1)
		if binomialTail(g.Made, (1+delta.Upper)/2, g.Correct) <= 0.05 {
			independent++
		}
		if i < 1000 && fdpRefutes(g, 0.05, roof) {
			fdp++
		}
		if oneRunPValue(g, epsilon.Upper, 1e-5) <= 0.05 {
			oneRun++
		}
	}
	if independent > 290 || independent < 60 {
		t.Errorf("independent canaries refute a kept claim %d times of 4000, want 60 to 290", independent)
	}
	if fdp > 95 {
		t.Errorf("f-DP refutes a kept claim %d times of 1000, want at most 95", fdp)
	}
	if oneRun > 290 {
		t.Errorf("one run refutes a kept claim %d times of 4000, want at most 290", oneRun)
	}
	t.Logf("refuted: independent %d of 4000, f-DP %d of 1000, one run %d of 4000", independent, fdp, oneRun)
}

// TestHalvedNoiseIsSeen attacks a run of σ/2 with 1,000 canaries: at α = 10⁻⁶ the bound for independent ones exceeds the
// claim. The others cannot: both allow runs that are as private as claimed and, with a small probability, reveal nearly
// everybody at once.
func TestHalvedNoiseIsSeen(t *testing.T) {
	f := gaussian(t, 1)
	claim, err := f.Accountant.Epsilon(f.Event(1), f.Delta)
	if err != nil {
		t.Fatal(err)
	}
	g := attack(rand.New(rand.NewPCG(2, 2)), 1000, 2)
	if got, err := f.Independent(g, 1e-6); err != nil || got <= claim.Upper {
		t.Errorf("%d of 1000 correct at half the noise give ε ≥ %v, %v, want above the claim %v", g.Correct, got, err, claim.Upper)
	}
}

func TestBinomialTail(t *testing.T) {
	for _, test := range []struct {
		n    int
		p    float64
		k    int
		want float64
	}{{3, 0.5, 2, 0.5}, {10, 0.25, 0, 1}, {10, 0.25, 11, 0}, {4, 1, 4, 1}, {4, 0, 1, 0}, {20, 0.9, 20, math.Pow(0.9, 20)}} {
		if got := binomialTail(test.n, test.p, test.k); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("P[Binomial(%d, %v) ≥ %d] = %v, want %v", test.n, test.p, test.k, got, test.want)
		}
	}
}
