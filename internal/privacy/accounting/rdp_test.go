package accounting

import (
	"math"
	"testing"
)

// testdata/moments.csv: K(λ) by adaptive quadrature in 40-digit arithmetic (mpmath 1.3).
func TestMomentsMatchArbitraryPrecision(t *testing.T) {
	for _, r := range readTable(t, "testdata/moments.csv") {
		q, sigma, lambda, want := r.float(t, "q"), r.float(t, "sigma"), r.float(t, "lambda"), r.float(t, "cumulant")
		exact, ok := sampledCumulant(q, sigma, lambda)
		if !ok || math.Abs(exact-want) > 2e-12*want {
			t.Errorf("sampledCumulant(%g, %g, %g) = %v, %v, want %v", q, sigma, lambda, exact, ok, want)
		}
		if got := (term{q: q, sigma: sigma, count: 1}).cumulant(lambda, 1); got < want || got > want*(1+2e-10) {
			t.Errorf("term{%g, %g}.cumulant(%g) = %v, want in [%v, +2e-10]", q, sigma, lambda, got, want)
		}
	}
}

// binomialCumulant is the moment at an integer order, a finite sum of positive terms (Mironov, Talwar, Zhang 2019,
// Section 3.3). Its error grows with that of the logarithm of alpha!.
func binomialCumulant(q, sigma float64, alpha int) float64 {
	sum := logSum{largest: math.Inf(-1)}
	for k := range alpha + 1 {
		a, _ := math.Lgamma(float64(alpha + 1))
		b, _ := math.Lgamma(float64(k + 1))
		c, _ := math.Lgamma(float64(alpha - k + 1))
		sum.add(a - b - c + float64(alpha-k)*math.Log1p(-q) + float64(k)*math.Log(q) + float64(k*k-k)/(2*sigma*sigma))
	}
	return sum.log()
}

func TestMomentsMatchBinomialSum(t *testing.T) {
	check := func(q, sigma float64, alpha int, tolerance float64) {
		want := binomialCumulant(q, sigma, alpha)
		if got, ok := sampledCumulant(q, sigma, float64(alpha-1)); !ok || math.Abs(got-want) > 1e-11*want+tolerance {
			t.Errorf("sampledCumulant(%g, %g, %d) = %v, %v, want %v", q, sigma, alpha-1, got, ok, want)
		}
	}
	for _, q := range []float64{1e-6, 1e-3, 0.05, 0.3, 0.99} {
		for _, sigma := range []float64{0.3, 0.8, 2, 10, 100} {
			for _, alpha := range []int{2, 3, 7, 40, 256} {
				check(q, sigma, alpha, 3e-12)
			}
		}
	}
	check(0.01, 200, 308_001, 1e-8) // the lower of two maxima lies far to the right of both bulks
}

// The direction in which Q has the record has no larger Rényi divergence (Mironov, Talwar, Zhang 2019, Theorem 5).
func TestRemovingCostsMostAtEveryOrder(t *testing.T) {
	for _, q := range []float64{1e-3, 0.1, 0.7} {
		for _, sigma := range []float64{0.5, 1, 5} {
			for _, lambda := range []float64{0.1, 1, 4.5, 20} {
				// log ∫ Q·(P/Q)^−λ by a fine sum; the integrand is at most Q·(1−q)^−λ.
				const h = 1. / 64
				sum, in := 0.0, integrand{q: q, logQ: math.Log(q), log1mQ: math.Log1p(-q), s2: sigma * sigma}
				for x := -12 * sigma; x < 12*sigma; x += h * sigma {
					_, log := in.ratio(x)
					sum += h / math.Sqrt(2*math.Pi) * math.Exp(-x*x/(2*sigma*sigma)-lambda*log)
				}
				if add, remove := math.Log(sum), (term{q: q, sigma: sigma, count: 1}).cumulant(lambda, 1); add > remove+1e-12 {
					t.Errorf("q=%g sigma=%g lambda=%g: cumulant = %g, below that of adding, %g", q, sigma, lambda, remove, add)
				}
			}
		}
	}
}

func TestConversionFormsAgree(t *testing.T) {
	for _, lambda := range []float64{1e-6, 0.3, 1, 17, 1e6} {
		// Proposition 12 as printed: δ = e^((α−1)(ρ−ε))/(α−1)·(1−1/α)^α.
		k, epsilon, alpha := 0.3*lambda, 1.25, lambda+1
		want := lambda*(0.3-epsilon) - math.Log(lambda) + alpha*math.Log1p(-1/alpha)
		got := logDeltaFromMoment(k, lambda, epsilon)
		if math.Abs(got-want) > 1e-10*(1+math.Abs(want)) {
			t.Errorf("logDeltaFromMoment(%g, %g, %g) = %v, want %v", k, lambda, epsilon, got, want)
		}
		if back := epsilonFromMoment(k, lambda, math.Exp(got)); lambda >= 0.3 && lambda < 100 && math.Abs(back-epsilon) > 1e-12 {
			t.Errorf("epsilonFromMoment(%g, %g, %g) = %v, want %v", k, lambda, math.Exp(got), back, epsilon)
		}
	}
}
