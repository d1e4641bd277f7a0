package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sumBlock is the number of elements of a range's sum that are looked at together: a cache line.
const sumBlock = 16

// roundAdd emits the rounding of a range's sum to the lattice, past blocks of zeros.
func roundAdd(v isa) {
	v.function("roundAdd", "func(dst *int64, src *float32, blocks int, inverseStep float64)",
		"is the loop of RoundAdd for blocks > 0 of 16 elements.")
	dst, src, blocks := v.param("dst"), v.param("src"), v.param("blocks")
	toLattice := v.rounding()
	zero := v.zero()

	v.Label("blocks")
	v.jumpIfZeros(src, "next")
	doubles := v.lanes / 2
	for i := 0; i < sumBlock; i += doubles {
		x, to := v.reg(), Mem{Base: dst, Disp: 8 * i}
		v.VCVTPS2PD(Mem{Base: src, Disp: 4 * i}, x)
		z := toLattice(x)
		v.addIntegers(to, z)
		v.VMOVUPS(z, to)
	}
	for i := 0; i < sumBlock; i += v.lanes {
		v.VMOVUPS(zero, Mem{Base: src, Disp: 4 * i})
	}
	v.Label("next")
	v.ADDQ(Imm(4*sumBlock), src)
	v.ADDQ(U32(8*sumBlock), dst)
	v.DECQ(blocks)
	v.JNZ(LabelRef("blocks"))
	v.done()
}

// jumpIfZeros jumps if all bits of the block at p are 0.
func (v isa) jumpIfZeros(p reg.Register, label string) {
	x := v.reg()
	v.VMOVUPS(Mem{Base: p}, x)
	if v.lanes == 16 {
		k := v.K()
		v.VPTESTMD(x, x, k)
		v.KORTESTW(k, k)
	} else {
		v.VPOR(Mem{Base: p, Disp: 32}, x, x)
		v.VPTEST(x, x)
	}
	v.JZ(LabelRef(label))
}

// addIntegers adds the int64 at m to r.
func (v isa) addIntegers(m Mem, r reg.VecVirtual) { v.VPADDQ(m, r, r) }

// rounding returns what emits the integers nearest to lanes of float64 times inverseStep.
func (v isa) rounding() func(x reg.VecVirtual) reg.VecVirtual {
	inverse := v.XMM()
	v.Load(v.Param("inverseStep"), inverse)
	scale := v.reg()
	v.VBROADCASTSD(inverse, scale)
	if v.lanes == 16 {
		return func(x reg.VecVirtual) reg.VecVirtual {
			z := v.reg()
			v.VMULPD(scale, x, x)
			v.VCVTPD2QQ_RN_SAE(x, z)
			return z
		}
	}
	// AVX2 has no such conversion. Adding 1.5·2⁵² to |x| < 2⁵¹ leaves its nearest integer, ties to even, in the low bits of the sum.
	// For |x| < 2⁶³ this is done twice: for the nearest multiple of 2³², as x·2⁻³² is below 2³¹, and for what x is away from that, at
	// most 2³¹. That difference is exact: where the multiple is not 0, x ≥ 2³¹ has 24 bits and is a multiple of 2⁸. As a multiple of 2³²
	// is even, a tie of the difference goes where that of x would.
	whole, up, down := v.double(0x1.8p52), v.double(0x1p32), v.double(0x1p-32)
	lowest, magnitude := v.quads(1<<63), v.quads(1<<63-1)
	return func(x reg.VecVirtual) reg.VecVirtual {
		high, multiple, low, size := v.reg(), v.reg(), v.reg(), v.reg()
		v.VMULPD(scale, x, x)
		v.VMULPD(down, x, high)
		v.VADDPD(whole, high, high)
		v.VSUBPD(whole, high, multiple)
		v.VMULPD(up, multiple, multiple)
		v.VSUBPD(multiple, x, low)
		v.VADDPD(whole, low, low)
		v.VPSUBQ(whole, low, low)
		v.VPSLLQ(Imm(32), high, high) // whole's own low half is 0
		v.VPADDQ(high, low, low)
		// From 2⁶³ on, and for NaN, the lowest integer, as CVTTSD2SQ has it.
		v.VANDPD(magnitude, x, size)
		v.VCMPPD(Imm(notLessThan), v.double(0x1p63), size, size)
		v.VBLENDVPD(size, lowest, low, low)
		return low
	}
}

// double is read-only memory of a vector of x.
func (v isa) double(x float64) Mem { return v.quads(math.Float64bits(x)) }

// quads is read-only memory of a vector of 64-bit words.
func (v isa) quads(x uint64) Mem {
	w := make([]uint32, v.lanes)
	for i := range w {
		w[i] = uint32(x >> (32 * (i % 2)))
	}
	return v.table(fmt.Sprintf("quads_%016x", x), w...)
}

// settle emits the common case of a draw, eight words at a time.
func settle(v isa) {
	v.function("settle", "func(dst *int64, words *byte, strips *float64, settled *byte, vectors int, edge float64)",
		"adds the draws of vectors of 8 words that floating point settles, and sets their bits of settled.")
	dst, words, strips, settled, vectors := v.param("dst"), v.param("words"), v.param("strips"), v.param("settled"), v.param("vectors")
	low := v.XMM()
	v.Load(v.Param("edge"), low)
	edge, magnitude := v.reg(), v.reg()
	v.VBROADCASTSD(low, edge)
	v.VPBROADCASTQ(v.quads(1<<63-1), magnitude)

	v.Label("vectors")
	scale, limit := v.stripRows(words, strips)
	word, x, z, rest := v.reg(), v.reg(), v.reg(), v.reg()
	v.VMOVUPS(Mem{Base: words}, word)
	v.VCVTQQ2PD(word, x)
	v.VMULPD(scale, x, x)
	v.VREDUCEPD(Imm(0), x, rest)
	v.VCVTPD2QQ_RN_SAE(x, z)
	v.VPANDQ(magnitude, rest, rest)
	v.VPABSQ(word, word)
	near, sure := v.K(), v.K()
	v.VCMPPD(Imm(lessThan), edge, rest, near)
	v.VPCMPUQ(Imm(1), limit, word, near, sure)
	sum := v.reg()
	v.VMOVUPS(Mem{Base: dst}, sum)
	v.VPADDQ(z, sum, sure, sum)
	v.VMOVUPS(sum, Mem{Base: dst})
	v.KMOVB(sure, Mem{Base: settled})
	v.ADDQ(Imm(64), dst)
	v.ADDQ(Imm(64), words)
	v.INCQ(settled)
	v.DECQ(vectors)
	v.JNZ(LabelRef("vectors"))
	v.done()
}

// stripRows loads the 16-byte rows of the strips that eight words name, and returns their first and second halves.
func (v isa) stripRows(words, strips reg.Register) (first, second reg.VecVirtual) {
	even, odd := v.reg(), v.reg()
	for half, to := range []reg.VecVirtual{even, odd} {
		at := func(i int) Mem {
			index := v.GP32()
			v.MOVWLZX(Mem{Base: words, Disp: 16*i + 8*half}, index)
			v.ANDL(U32(1023), index)
			v.SHLL(Imm(4), index)
			return Mem{Base: strips, Index: index.As64(), Scale: 1}
		}
		upper := v.YMM()
		v.VMOVUPS(at(0), to.AsX())
		v.VINSERTI128(Imm(1), at(1), to.AsY(), to.AsY())
		v.VMOVUPS(at(2), upper.AsX())
		v.VINSERTI128(Imm(1), at(3), upper, upper)
		v.VINSERTI64X4(Imm(1), upper, to, to)
	}
	first, second = v.reg(), v.reg()
	v.VPUNPCKLQDQ(odd, even, first)
	v.VPUNPCKHQDQ(odd, even, second)
	return first, second
}
