package lattice

import (
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"testing"

	"dptrain/internal/privacy/rng"
)

// stream returns one of the streams that a run draws its noise from.
func stream(number uint64) *rng.Stream { return rng.TestKey(1).Source(rng.Noise).Stream(0, number) }

// script hands out stated words, at most size at a time, and fails the test when they run out.
type script struct {
	t     testing.TB
	words []uint64
	size  int
}

func (s *script) Next() []byte {
	if len(s.words) == 0 {
		s.t.Fatal("out of words")
	}
	n := min(s.size, len(s.words))
	var chunk []byte
	for _, word := range s.words[:n] {
		chunk = binary.LittleEndian.AppendUint64(chunk, word)
	}
	s.words = s.words[n:]
	return chunk
}

// rho returns exp(−z²/2s²) to about 290 bits, as the inverse of the power series of exp(z²/2s²), whose terms are all
// positive.
func rho(z, s int64) *big.Float {
	const precision = 320
	number := func(x int64) *big.Float { return new(big.Float).SetPrec(precision).SetInt64(x) }
	x := number(z)
	x.Quo(x.Mul(x, x), number(2*s))
	x.Quo(x, number(s))
	sum, term := number(1), number(1)
	for n := int64(1); ; n++ {
		term.Quo(term.Mul(term, x), number(n))
		previous := number(0).Set(sum)
		if sum.Add(sum, term).Cmp(previous) == 0 {
			return sum.Quo(number(1), sum)
		}
	}
}

// mustGaussian returns NewGaussian(s).
func mustGaussian(t testing.TB, s int64) *Gaussian {
	t.Helper()
	g, err := NewGaussian(s)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// canonne draws from the uncut discrete Gaussian of parameter s ≤ 2¹² by other means: Canonne, Kamath and Steinke 2020,
// arXiv:2004.00010, Algorithms 1 to 3, in integer arithmetic.
func canonne(random *rand.Rand, s uint64) int64 {
	t := s + 1
	for {
		y := discreteLaplace(random, t)
		// Accept with probability exp(−(|y| − s²/t)²/2s²) = exp(−(|y|·t − s²)²/(2s²t²)).
		magnitude := uint64(max(y, -y))
		distance := int64(magnitude*t) - int64(s*s)
		if bernoulliExp(random, uint64(distance*distance), 2*s*s*t*t) {
			return y
		}
	}
}

// discreteLaplace is Algorithm 2 with scale t: P(y) ∝ exp(−|y|/t).
func discreteLaplace(random *rand.Rand, t uint64) int64 {
	for {
		u := random.Uint64N(t)
		if !bernoulliExp(random, u, t) {
			continue
		}
		v := uint64(0)
		for bernoulliExp(random, 1, 1) {
			v++
		}
		x := int64(u + t*v)
		if random.Uint64N(2) == 0 {
			return x
		}
		if x != 0 {
			return -x
		}
	}
}

// bernoulliExp is Algorithm 1: true with probability exp(−num/den).
func bernoulliExp(random *rand.Rand, num, den uint64) bool {
	for ; num > den; num -= den {
		if !bernoulliExp(random, 1, 1) {
			return false
		}
	}
	k := uint64(1)
	for random.Uint64N(den*k) < num {
		k++
	}
	return k%2 == 1
}
