package accounting

import (
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/integrate/quad"
	"pgregory.net/rapid"
)

// hockeyStick integrates (P − e^ε·Q)⁺ for mixtures of Gaussians numerically: independent of inverses, cells and lattices.
func hockeyStick(p, q map[float64]float64, sigma, epsilon float64) float64 {
	density := func(mixture map[float64]float64, x float64) float64 {
		sum := 0.0
		for mean, weight := range mixture {
			z := (x - mean) / sigma
			sum += weight * math.Exp(-z*z/2) / (sigma * math.Sqrt(2*math.Pi))
		}
		return sum
	}
	sum := 0.0
	const pieces = 400
	lo, hi := -8-12*sigma, 8+12*sigma
	for i := range pieces {
		a, b := lo+(hi-lo)*float64(i)/pieces, lo+(hi-lo)*float64(i+1)/pieces
		sum += quad.Fixed(func(x float64) float64 {
			return max(0, density(p, x)-math.Exp(epsilon)*density(q, x))
		}, a, b, 20, quad.Legendre{}, 0)
	}
	return sum
}

// One run of each sampled Gaussian pair has the δ of its definition.
func TestOneRunHasTheDeltaOfItsPair(t *testing.T) {
	const q, sigma = 0.2, 1.3
	for _, c := range []struct {
		name       string
		adjacency  Adjacency
		size       int
		with, less map[float64]float64
	}{
		{"add or remove", AddOrRemoveOne, 1, map[float64]float64{0: 0.8, 1: 0.2}, map[float64]float64{0: 1}},
		{"replace", ReplaceOne, 1, map[float64]float64{0: 0.8, 1: 0.2}, map[float64]float64{0: 0.8, -1: 0.2}},
		{"remove two", ZeroOut, 2, map[float64]float64{0: 0.64, 1: 0.32, 2: 0.04}, map[float64]float64{0: 1}},
		{"replace two", ReplaceOne, 2, map[float64]float64{0: 0.64, 1: 0.32, 2: 0.04}, map[float64]float64{0: 0.64, -1: 0.32, -2: 0.04}},
	} {
		a, err := ForGroups(newAccountant(t, "pld", c.adjacency), c.size)
		if err != nil {
			t.Fatal(err)
		}
		for _, epsilon := range []float64{0, 0.05, 0.3, 1} {
			want := max(hockeyStick(c.with, c.less, sigma, epsilon), hockeyStick(c.less, c.with, sigma, epsilon))
			got, err := a.Delta(steps(q, sigma, 1), epsilon)
			if err != nil || got.Lower > want*(1+1e-4)+1e-12 || got.Upper < want*(1-1e-4)-1e-12 || got.Upper > want*1.01+1e-12 {
				t.Errorf("%s: Delta(%g) = %v, %v, want %g", c.name, epsilon, got, err, want)
			}
		}
	}
}

// The figure at T = 1000 is that of dp_accounting's pessimistic estimate for the same pair.
func TestReplaceOneSampled(t *testing.T) {
	got, err := newAccountant(t, "pld", ReplaceOne).Epsilon(steps(0.01, 1, 1000), 1e-5)
	if err != nil || math.Abs(got.Upper-2.843) > 2e-3 || got.Lower > 2.8435 {
		t.Errorf("Epsilon under replace_one = %v, %v, want about 2.843", got, err)
	}
}

func TestInversesAgreeWithLosses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := math.Pow(10, rapid.Float64Range(-6, -0.01).Draw(t, "log10 q"))
		sigma := math.Pow(10, rapid.Float64Range(-0.7, 1.5).Draw(t, "log10 sigma"))
		x := rapid.Float64Range(-8, 8).Draw(t, "z")*sigma + 0.5
		for name, g := range map[string]*gaussians{
			"sampled": sampledGaussian(q, sigma), "replaced": replacedGaussian(q, sigma),
			"group": groupGaussian(q, sigma, 3, false), "replaced group": groupGaussian(q, sigma, 3, true),
		} {
			loss, _ := g.loss(x)
			back, _ := g.loss(g.inverse(loss, 0))
			// Next to the infimum of losses no x is far enough out.
			if math.Abs(back-loss) > 1e-11*(q+math.Abs(loss)) {
				t.Errorf("%s: loss(inverse(%g)) = %g at q=%g sigma=%g", name, loss, back, q, sigma)
			}
		}
	})
}

func TestGroupOfOneIsARecord(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		one := sampledGaussian(0.1, 2)
		if replaced {
			one = replacedGaussian(0.1, 2)
		}
		group := groupGaussian(0.1, 2, 1, replaced)
		a, b := one.cells(-0.05, 0.01, 40), group.cells(-0.05, 0.01, 40)
		for i := range a {
			if math.Abs(a[i].q-b[i].q) > 1e-12 || math.Abs(a[i].excess-b[i].excess) > 1e-12 {
				t.Errorf("replaced %t: cell %d of a group of one = %v, want %v", replaced, i, b[i], a[i])
			}
		}
	}
}

func TestGroups(t *testing.T) {
	a := newAccountant(t, "pld", ZeroOut)
	previous := 0.0
	for _, size := range []int{1, 2, 5} {
		g, err := ForGroups(a, size)
		if err != nil {
			t.Fatal(err)
		}
		got, err := g.Epsilon(steps(0.01, 1, 100), 1e-5)
		if err != nil || got.Lower <= previous {
			t.Errorf("size %d: Epsilon = %v, %v, want more than the smaller group's %g", size, got, err, previous)
		}
		previous = got.Upper
		full, err := g.Epsilon(Gaussian{4}, 1e-5)
		if want := gaussianEpsilon(float64(size)/4, 1e-5); err != nil || full != want {
			t.Errorf("size %d: Epsilon(Gaussian{4}) = %v, %v, want %v", size, full, err, want)
		}
		if laplace, err := g.Epsilon(Laplace{4}, 1e-12); err != nil || math.Abs(laplace.Upper-float64(size)/4) > 1e-3 {
			t.Errorf("size %d: Epsilon(Laplace{4}) = %v, %v, want %g", size, laplace, err, float64(size)/4)
		}
	}
	var parameter *ParameterError
	for _, size := range []int{-1, 0, 129} {
		if _, err := ForGroups(a, size); !errors.As(err, &parameter) {
			t.Errorf("ForGroups(%d) = %v, want a ParameterError", size, err)
		}
	}
	if _, err := ForGroups(newAccountant(t, "rdp", ZeroOut), 2); !errors.As(err, &parameter) {
		t.Errorf("ForGroups(rdp) = %v, want a ParameterError", err)
	}
	var unsupported *UnsupportedError
	two, err := ForGroups(a, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []Event{EpsilonDelta{1, 0}, PoissonSampled{0.5, Laplace{1}}} {
		if got, err := two.Epsilon(e, 1e-5); !errors.As(err, &unsupported) {
			t.Errorf("Epsilon(%v) for two = %v, %v, want an UnsupportedError", e, got, err)
		}
	}
}

// Closed forms: a Laplace mechanism has δ(ε) = 1 − e^((ε−1/b)/2); sampled, with the record, q·δ′ at e^ε′ = 1 + (e^ε−1)/q (Balle,
// Barthe, Gaboardi 2018, arXiv:1807.01647, Theorem 8). Of n randomised responses, the loss is a binomial's.
func TestLaplaceAndRandomisedResponse(t *testing.T) {
	a := newAccountant(t, "pld", ZeroOut)
	laplace := func(b, epsilon float64) float64 { return -math.Expm1((epsilon - 1/b) / 2) }
	const e, d, n = 0.3, 1e-4, 9
	responses := func(epsilon float64) float64 {
		sum := 0.0
		for k := range n + 1 {
			in, _ := math.Lgamma(n + 1)
			x, _ := math.Lgamma(float64(k + 1))
			y, _ := math.Lgamma(float64(n - k + 1))
			log := in - x - y + float64(k)*e - n*math.Log1p(math.Exp(e))
			sum += max(0, math.Exp(log)-math.Exp(epsilon+log-float64(2*k-n)*e))
		}
		return 1 - math.Pow(1-d, n) + math.Pow(1-d, n)*sum
	}
	for _, c := range []struct {
		name          string
		e             Event
		epsilon, want float64
	}{
		{"laplace", Laplace{2}, 0.2, laplace(2, 0.2)},
		{"laplace at 0", Laplace{2}, 0, laplace(2, 0)},
		{"sampled laplace", PoissonSampled{0.1, Laplace{0.5}}, 0.1, 0.1 * laplace(0.5, math.Log1p(math.Expm1(0.1)/0.1))},
		{"randomised responses", SelfComposed{EpsilonDelta{e, d}, n}, 1, responses(1)},
		{"randomised responses at 0", SelfComposed{EpsilonDelta{e, d}, n}, 0, responses(0)},
		{"beyond", SelfComposed{EpsilonDelta{e, d}, n}, 3, 1 - math.Pow(1-d, n)},
	} {
		got, err := a.Delta(c.e, c.epsilon)
		if err != nil || got.Lower > c.want*(1+1e-9) || got.Upper < c.want*(1-1e-9) || got.Upper > c.want*1.002 {
			t.Errorf("%s: Delta(%g) = %v, %v, want %g", c.name, c.epsilon, got, err, c.want)
		}
	}
	// Both are dominated by the Rényi bound where there is one, and compose with the rest.
	for _, e := range []Event{SelfComposed{Laplace{10}, 50}, SelfComposed{EpsilonDelta{0.1, 0}, 50}} {
		got, err := a.Epsilon(e, 1e-6)
		moment, _ := newAccountant(t, "rdp", ZeroOut).Epsilon(e, 1e-6)
		if err != nil || got.Upper > moment.Upper || got.Upper < 0.5*moment.Upper {
			t.Errorf("Epsilon(%v) = %v, %v, want in [0.5, 1]·%v", e, got, err, moment.Upper)
		}
	}
	impossible, err := a.Epsilon(EpsilonDelta{1, 1e-4}, 1e-5)
	if err != nil || !math.IsInf(impossible.Upper, 1) {
		t.Errorf("Epsilon beyond delta = %v, %v, want an infinite upper end", impossible, err)
	}
}

// A lattice knows nothing of the closed form of the Gaussian mechanism, nor of the sum of two compositions.
func TestLatticesBracketGaussians(t *testing.T) {
	p := pld{adjacency: ZeroOut, width: 1e-3}
	for _, c := range []struct {
		mu, delta float64
		count     int
	}{{1, 1e-5, 1}, {0.1, 1e-10, 30}, {0.01, 1e-30, 1000}, {3, 1e-3, 7}} {
		m, err := p.mechanisms(nil, []term{{q: 1, sigma: 1 / c.mu, count: c.count}})
		if err != nil {
			t.Fatal(err)
		}
		want := gaussianEpsilon(c.mu*math.Sqrt(float64(c.count)), c.delta)
		got := p.search(m, epsilonAt(c.delta), Interval{0, 10 * want.Upper})
		if got.Lower > want.Upper || got.Upper < want.Lower || got.Upper-got.Lower > 1e-3*got.Upper {
			t.Errorf("%d runs of mu %g at %g: %v, want %v", c.count, c.mu, c.delta, got, want)
		}
		deltas := p.search(m, deltaAt(want.Upper), Interval{0, 1})
		if deltas.Lower > c.delta || deltas.Upper < c.delta*(1-1e-9) || deltas.Upper > c.delta*1.002 {
			t.Errorf("%d runs of mu %g: delta at %g is %v, want %g", c.count, c.mu, want.Upper, deltas, c.delta)
		}
	}
}

func TestNearlySampledIsNearlyGaussian(t *testing.T) {
	near, err := newAccountant(t, "pld", ZeroOut).Epsilon(steps(0.9999, 5, 20), 1e-6)
	if want := gaussianEpsilon(math.Sqrt(20)/5, 1e-6); err != nil || near.Lower > want.Upper || near.Upper < want.Lower*(1-1e-3) {
		t.Errorf("Epsilon(q=0.9999) = %v, %v, want close to %v", near, err, want)
	}
}

// Masses and likelihood ratios that every lattice keeps, for random pairs.
func TestLatticesKeepMass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := math.Pow(10, rapid.Float64Range(-5, -0.01).Draw(t, "log10 q"))
		sigma := math.Pow(10, rapid.Float64Range(-0.4, 1).Draw(t, "log10 sigma"))
		p := sampledGaussian(q, sigma)
		low, high := p.span(1e-12)
		g, ok := newGrid(p, (high-low)/rapid.Float64Range(5, 2000).Draw(t, "atoms"), 1e-12, math.Inf(1), 2, 4000)
		if !ok {
			t.Fatal("no grid")
		}
		forward, reverse := g.upper()
		lower := g.lower()
		for name, l := range map[string]*lattice{"upper": forward, "reverse": reverse, "lower": lower} {
			sum, dual := l.infinite+l.far, l.shadow
			for k, m := range l.mass {
				if m < 0 {
					t.Errorf("%s: mass[%d] = %g", name, k, m)
				}
				sum += m
				dual += m * math.Exp(-l.loss(k))
			}
			if math.Abs(sum-1) > 1e-10 || name == "upper" && dual > 1+1e-10 {
				t.Errorf("%s: mass %.15g, dual %.15g at q=%g sigma=%g", name, sum, dual, q, sigma)
			}
		}
		// One run: δ by the lattice is above, or below, the closed form everywhere, and not only on its atoms.
		for _, share := range []float64{0, 0.1, 0.35, 0.8} {
			epsilon := share * high
			truth := singleStepDelta(q, sigma, epsilon)
			if up := forward.delta(epsilon); up < truth*(1-1e-9)-1e-15 {
				t.Errorf("upper δ(%g) = %g, below %g at q=%g sigma=%g", epsilon, up, truth, q, sigma)
			}
			if down := lower.delta(epsilon); down > truth*(1+1e-9)+1e-15 {
				t.Errorf("lower δ(%g) = %g, above %g at q=%g sigma=%g", epsilon, down, truth, q, sigma)
			}
			x := sampledGaussian(q, sigma).inverse(-epsilon, 0)
			added := math.Erfc(-x/sigma/math.Sqrt2)/2 - math.Exp(epsilon)*((1-q)*math.Erfc(-x/sigma/math.Sqrt2)/2+q*math.Erfc((1-x)/sigma/math.Sqrt2)/2)
			if up := reverse.delta(epsilon); up < added*(1-1e-9)-1e-14 {
				t.Errorf("reverse δ(%g) = %g, below %g at q=%g sigma=%g", epsilon, up, added, q, sigma)
			}
		}
	})
}

// delta is the hockey-stick divergence of one run.
func (l *lattice) delta(epsilon float64) float64 {
	sum := l.infinite + max(0, l.far-math.Exp(epsilon)*l.shadow)
	for k, p := range l.mass {
		if x := l.loss(k); x > epsilon {
			sum += p * -math.Expm1(epsilon-x)
		}
	}
	return sum
}

// convolve composes two lattices of one step without a transform.
func convolve(a, b *lattice) *lattice {
	c := &lattice{offset: a.offset + b.offset, step: a.step, first: a.first + b.first, mass: make([]float64, len(a.mass)+len(b.mass)-1)}
	for i, x := range a.mass {
		for j, y := range b.mass {
			c.mass[i+j] += x * y
		}
	}
	c.infinite = a.infinite + b.infinite - a.infinite*b.infinite
	return c
}

// The certified ends of a composition contain what plain convolution of the same lattices gives, for tilts that fit and for others, and
// where the window is so narrow that much has wrapped into it.
func TestCompositionBracketsConvolution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.Float64Range(0.05, 0.9).Draw(t, "q")
		sigma := rapid.Float64Range(0.6, 3).Draw(t, "sigma")
		p := sampledGaussian(q, sigma)
		tail := math.Pow(10, rapid.Float64Range(-12, -5).Draw(t, "log10 tail"))
		low, high := p.span(tail)
		g, ok := newGrid(p, (high-low)/60, tail, math.Inf(1), 1, 200)
		if !ok {
			t.Fatal("no grid")
		}
		l, _ := g.upper()
		want := convolve(l, l)
		want = convolve(want, want)
		want = convolve(want, want)
		delta := math.Pow(10, rapid.Float64Range(-10, -1).Draw(t, "log10 delta"))
		lambda, _ := epsilonAt(delta).bestTilt([]run{{l, 8}})
		lambda *= math.Exp(rapid.Float64Range(-1, 1).Draw(t, "log tilt"))
		outside := math.Pow(10, rapid.Float64Range(-12, -1).Draw(t, "log10 outside"))
		depth := rapid.SampledFrom([]float64{0.5, 2, math.Inf(1)}).Draw(t, "depth")
		c, ok := compose([]run{{l, 3}, {l, 5}}, lambda, outside, outside, depth, 1<<16, fourier.NewFFT(16))
		if !ok {
			t.Fatal("no composition")
		}
		const rounding = 1e-9
		upper, lower := c.epsilon(delta, true), c.epsilon(delta, false)
		if upper < math.Inf(1) && want.delta(upper) > delta*(1+rounding) {
			t.Errorf("upper ε %g has δ %g, want at most %g (lambda %g, outside %g, depth %g)", upper, want.delta(upper), delta, lambda, outside, depth)
		}
		if lower > 0 && want.delta(lower) < delta*(1-rounding) {
			t.Errorf("lower ε %g has δ %g, want at least %g (lambda %g, outside %g, depth %g)", lower, want.delta(lower), delta, lambda, outside, depth)
		}
		epsilons, above, below := []float64{0, 0.1, 0.5, 2, 5}, []float64{1, 1, 1, 1, 1}, make([]float64, 5)
		c.deltas(above, epsilons, true)
		c.deltas(below, epsilons, false)
		for i, epsilon := range epsilons {
			if d := want.delta(epsilon); above[i] < d*(1-rounding) || below[i] > d*(1+rounding) {
				t.Errorf("δ(%g) in [%g, %g], want %g (lambda %g, outside %g, depth %g)", epsilon, below[i], above[i], d, lambda, outside, depth)
			}
		}
	})
}

// Where the noise is so small that one run's loss is hundreds, e^loss and the masses it multiplies leave the range of a float64: the
// ends must stay on their sides, at the price of width. The truth is the closed form with the exponentials taken together.
func TestLossesBeyondExponentialsAreBracketed(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	truth := func(q, sigma, epsilon float64) float64 {
		x := 0.5 + sigma*sigma*(epsilon-math.Log(q)+math.Log1p(-(1-q)*math.Exp(-epsilon)))
		logTail := func(z float64) float64 { return -z*z/2 - math.Log(2*math.Pi)/2 + math.Log(millsRatio(z)) }
		with := 0.5 * math.Erfc((x-1)/sigma/math.Sqrt2)
		return q*with - math.Exp(epsilon+logTail(x/sigma)) + (1-q)*math.Exp(logTail(x/sigma))
	}
	for _, q := range []float64{1e-3, 0.3, 0.9} {
		for _, sigma := range []float64{0.03, 0.0285, 0.026, 0.02, 0.01} {
			for _, delta := range []float64{q / 2, q / 100, 1e-6} {
				for _, a := range []Accountant{coarsePLD(), rdp{ZeroOut}} {
					got, err := a.Epsilon(steps(q, sigma, 1), delta)
					if err != nil {
						t.Fatal(err)
					}
					if d := truth(q, sigma, got.Upper); !(d <= delta*(1+1e-9)) {
						t.Errorf("%s: Epsilon(q=%g, sigma=%g, delta=%g) = %v, whose true delta is %g", a.Name(), q, sigma, delta, got, d)
					}
					if d := truth(q, sigma, got.Lower); got.Lower > 0 && !(d >= delta*(1-1e-9)) {
						t.Errorf("%s: Epsilon(q=%g, sigma=%g, delta=%g) = %v, whose lower end has delta %g", a.Name(), q, sigma, delta, got, d)
					}
				}
			}
		}
	}
	// The figures of the replaced record and of groups are by bisection on the definition in 900-digit arithmetic (mpmath 1.3).
	for _, c := range []struct {
		adjacency Adjacency
		size      int
		event     Event
		truth     float64
	}{
		{ReplaceOne, 1, steps(0.5, 0.05, 1), 281.24},
		{ZeroOut, 3, steps(0.5, 0.07, 1), 1077.1},
		{ReplaceOne, 3, steps(0.5, 0.07, 1), 1079.1},
		{ZeroOut, 1, Composed{[]Event{Gaussian{0.5}, EpsilonDelta{1000, 0}}}, 1000},
		{ZeroOut, 1, Composed{[]Event{Gaussian{0.5}, Laplace{1e-3}}}, 1000},
	} {
		a, err := ForGroups(newAccountant(t, "pld", c.adjacency), c.size)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := a.Epsilon(c.event, 1e-5); err != nil || got.Upper < c.truth || got.Lower > c.truth*1.1 {
			t.Errorf("Epsilon(%s) for %d under %s = %v, %v, want a bracket of at least %g", eventName(c.event), c.size, c.adjacency, got, err, c.truth)
		}
	}
}

// Where rare samples decide, losses far above ε are one outcome, and both ends stay close. The truths are the closed form at T = 1
// (mpmath 1.3, 50 digits), else a contour integral.
func TestRareSamplesAreBracketed(t *testing.T) {
	const width = 0.02
	a := pld{adjacency: ZeroOut, width: width}
	for _, c := range []struct {
		q, sigma     float64
		count        int
		delta, truth float64
	}{
		{1e-7, 0.5, 1, 1e-15, 0.03384971315},
		{1e-6, 0.5, 1, 1e-15, 0.5625970099},
		{1e-5, 1, 1, 1e-15, 0.006943777036},
		{1e-6, 0.5, 1e4, 1e-10, 0.2958709932},
		{1e-6, 0.5, 1e6, 1e-10, 0.9486774579},
		{1e-6, 0.5, 1e7, 1e-5, 0.08099},
	} {
		got, err := a.Epsilon(steps(c.q, c.sigma, c.count), c.delta)
		if err != nil || got.Upper < c.truth*(1-1e-5) || got.Lower > c.truth*(1+1e-5) || got.Upper-got.Lower > width*got.Upper {
			t.Errorf("Epsilon(%g, %g, %d, %g) = %v, %v, want %g in a relative %g", c.q, c.sigma, c.count, c.delta, got, err, c.truth, width)
		}
	}
}
