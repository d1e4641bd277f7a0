package audit

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"dptrain/internal/privacy/accounting"
)

// Guesses are an attacker's guesses at the coins of canaries.
type Guesses struct {
	Canaries int // m, in the experiment
	Made     int // r, in [0, m]
	Correct  int // v, in [0, r]
}

// OneRun is the lower bound on ε at confidence 1−alpha for a run that is (ε, delta)-private; 0 where nothing is refuted.
func OneRun(g Guesses, delta, alpha float64) float64 {
	const most = 50.0
	return largest(most, func(epsilon float64) bool { return oneRunPValue(g, epsilon, delta) <= alpha })
}

// oneRunPValue bounds the probability that so many guesses at an (ε, δ)-private run are correct: Theorem 5.2,
//
//	P[B ≥ v] + 2mδ·max P[v > B ≥ v−i]/i over 1 ≤ i ≤ v,   B ~ Binomial(r, e^ε/(1+e^ε)).
func oneRunPValue(g Guesses, epsilon, delta float64) float64 {
	p := 1 / (1 + math.Exp(-epsilon))
	tail := binomialTail(g.Made, p, g.Correct)
	steepest := 0.0
	for i := 1; i <= g.Correct; i++ {
		steepest = math.Max(steepest, (binomialTail(g.Made, p, g.Correct-i)-tail)/float64(i))
	}
	return math.Min(1, tail+2*float64(g.Canaries)*delta*steepest)
}

// A Family is the runs of one kind, by their noise.
type Family struct {
	Accountant accounting.Accountant
	Event      func(noiseMultiplier float64) accounting.Event
	Delta      float64 // of the claim
	Claimed    float64 // noise multiplier of the run that is audited
}

// Independent is the lower bound at confidence 1−alpha from independent canaries, of which every one was guessed.
func (f *Family) Independent(g Guesses, alpha float64) (float64, error) {
	return f.lower(func(noiseMultiplier float64) (bool, error) {
		distance, err := f.Accountant.Delta(f.Event(noiseMultiplier), 0)
		return binomialTail(g.Made, (1+math.Min(1, distance.Upper))/2, g.Correct) <= alpha, err
	})
}

// FDP is the lower bound at confidence 1−alpha for any canaries and any choice of guesses.
func (f *Family) FDP(g Guesses, alpha float64) (float64, error) {
	return f.lower(func(noiseMultiplier float64) (bool, error) {
		curve, err := f.Accountant.Curve(f.Event(noiseMultiplier))
		if err != nil {
			return false, err
		}
		return fdpRefutes(g, alpha, func(fpr float64) float64 {
			switch {
			case fpr <= 0:
				fpr = math.SmallestNonzeroFloat64
			case fpr >= 1:
				return 1
			}
			rate, _ := curve.TruePositiveRate(fpr) // of a rate in (0, 1): no error
			return rate
		}), nil
	})
}

// fdpRefutes reports whether so many correct guesses have a probability below alpha in every run in which no attack of
// false-positive rate x has a true-positive rate above roof(x): Algorithm 3 for two alternatives.
//
// Let rᵢ be the probability that at least i guesses are correct and that a guess at random, out of those at all
// canaries, is one of these, and hᵢ that it is one of the wrong ones. Were alpha the probability of v correct guesses and
// no more, r and h at i = v would be known. The curve bounds how fast h must grow towards smaller i, and r with it; the claim is
// refuted if at i = 0 they add up to more than r/m, the probability that the canary was guessed at all.
func fdpRefutes(g Guesses, alpha float64, roof func(float64) float64) bool {
	made, m := float64(g.Made), float64(g.Canaries)
	if g.Correct == g.Made { // the last step of the recursion would divide by 0
		g.Correct--
	}
	if g.Correct < 1 {
		return false
	}
	alpha *= made / m
	right := alpha * float64(g.Correct) / made
	wrong := alpha * (made - float64(g.Correct)) / made
	for i := g.Correct - 1; i >= 0; i-- {
		// The smallest false-positive rate that a true-positive rate needs; the curve is its own mirror image.
		needed := math.Max(wrong, 1-roof(1-right))
		right += float64(i) / (made - float64(i)) * (needed - wrong)
		wrong = needed
	}
	return right+wrong > made/m
}

// The noise multipliers looked at, relative to the claimed one, and how closely.
const (
	leastNoise = 1.0 / 64
	mostNoise  = 1 << 12
	closeness  = 1e-3
)

// lower is the ε of the run with the least noise that is refuted; 0 where none is. More noise promises more, and is
// refuted more easily.
func (f *Family) lower(refutes func(noiseMultiplier float64) (bool, error)) (float64, error) {
	kept, refuted := leastNoise*f.Claimed, mostNoise*f.Claimed
	for i, noiseMultiplier := range []float64{refuted, kept} {
		no, err := refutes(noiseMultiplier)
		if err != nil || !no && i == 0 {
			return 0, err
		}
		if no && i == 1 { // whatever the attack, it is stronger than what is looked at
			refuted = kept
		}
	}
	for refuted > kept*(1+closeness) {
		middle := math.Sqrt(kept * refuted)
		no, err := refutes(middle)
		if err != nil {
			return 0, err
		}
		if no {
			refuted = middle
		} else {
			kept = middle
		}
	}
	interval, err := f.Accountant.Epsilon(f.Event(refuted), f.Delta)
	return interval.Lower, err
}

// largest is the largest x in [0, most] for which refutes holds, to twelve digits, rounded down; 0 where it does not hold
// at 0. Where it holds, it holds below.
func largest(most float64, refutes func(x float64) bool) float64 {
	if !refutes(0) {
		return 0
	}
	low, high := 0.0, most
	for range 60 {
		if middle := (low + high) / 2; refutes(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// binomialTail is P[Binomial(n, p) ≥ k], by the regularised incomplete beta function.
func binomialTail(n int, p float64, k int) float64 {
	switch {
	case k <= 0, p >= 1 && k <= n:
		return 1
	case k > n, p <= 0:
		return 0
	}
	return mathext.RegIncBeta(float64(k), float64(n-k+1), p)
}
