package lattice

import "math/big"

// underExactly decides what [Gaussian.under] could not: whether (base + height·U)/H ≤ exp(−z²/2s²) for U uniform on
// [0, 1] whose first 64 bits are word. It compares intervals of integers and takes words for further bits of U until they
// part, which they do at last: U is equal to the bound with probability 0.
func (g *Gaussian) underExactly(at span, z int64, word uint64, r *reader) bool {
	var (
		base   = new(big.Int).SetUint64(at.base)
		height = new(big.Int).SetUint64(at.height)
		unit   = new(big.Int).SetUint64(g.table.unit)
		square = new(big.Int).Mul(big.NewInt(z), big.NewInt(z))
		twice  = new(big.Int).Mul(big.NewInt(2*g.s), big.NewInt(g.s))
		u      = new(big.Int).SetUint64(word)
	)
	for known := uint(64); ; known += 64 {
		// The height lies in [low, high] and ρ in [rhoLow, rhoHigh], both in units of 2^−(known+64)/H.
		low := new(big.Int).Lsh(base, known)
		low.Add(low, new(big.Int).Mul(height, u))
		high := new(big.Int).Add(low, height)
		low.Lsh(low, 64)
		high.Lsh(high, 64)
		rhoLow, rhoHigh := expBounds(square, twice, known+64)
		rhoLow.Mul(rhoLow, unit)
		rhoHigh.Mul(rhoHigh, unit)
		switch {
		case high.Cmp(rhoLow) <= 0:
			return true
		case low.Cmp(rhoHigh) >= 0:
			return false
		}
		u.Lsh(u, 64)
		u.Add(u, new(big.Int).SetUint64(r.word()))
	}
}

// expBounds returns integers low ≤ exp(−x)·2^precision ≤ high for x = num/den in [0, 2048], close to each other.
//
// With t = x/2¹² ≤ 1/2 it sums the alternating series of exp(−t), whose terms shrink, so that the first one left out
// bounds the rest, and squares the sum twelve times. Every operation rounds against the bound it serves.
func expBounds(num, den *big.Int, precision uint) (low, high *big.Int) {
	const squarings = 12
	guard := uint(32) // twelve squarings cost twelve bits, the roundings before them a few
	p := precision + guard
	one := new(big.Int).Lsh(big.NewInt(1), p)

	tLow := new(big.Int).Lsh(num, p-squarings)
	tHigh := ceilDiv(tLow, den)
	tLow = new(big.Int).Quo(tLow, den)

	low, high = new(big.Int).Set(one), new(big.Int).Set(one)
	termLow, termHigh := new(big.Int).Set(one), new(big.Int).Set(one)
	for j := int64(1); termHigh.Cmp(big.NewInt(1)) > 0; j++ {
		divisor := new(big.Int).Mul(one, big.NewInt(j))
		termLow = termLow.Mul(termLow, tLow)
		termLow.Quo(termLow, divisor)
		termHigh = ceilDiv(termHigh.Mul(termHigh, tHigh), divisor)
		if j%2 == 1 {
			low.Sub(low, termHigh)
			high.Sub(high, termLow)
		} else {
			low.Add(low, termLow)
			high.Add(high, termHigh)
		}
	}
	low.Sub(low, big.NewInt(1))
	high.Add(high, big.NewInt(1))

	for range squarings {
		low.Mul(low, low).Quo(low, one)
		high = ceilDiv(high.Mul(high, high), one)
	}
	scale := new(big.Int).Lsh(big.NewInt(1), guard)
	return low.Quo(low, scale), ceilDiv(high, scale)
}

// ceilDiv returns ⌈a/b⌉ for a ≥ 0 and b > 0.
func ceilDiv(a, b *big.Int) *big.Int {
	quotient, rest := new(big.Int).QuoRem(a, b, new(big.Int))
	if rest.Sign() > 0 {
		quotient.Add(quotient, big.NewInt(1))
	}
	return quotient
}
