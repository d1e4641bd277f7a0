package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// roundBlock is the number of elements of a range's sum that are rounded together: a cache line.
const roundBlock = 16

// roundAdd emits the rounding of a range's sum to the lattice.
func roundAdd(v isa) {
	v.function("roundAdd", "func(dst *int64, src *float32, blocks int, inverseStep float64)",
		"is the loop of RoundAdd for blocks > 0 of 16 elements.")
	dst, src, blocks := v.param("dst"), v.param("src"), v.param("blocks")
	toLattice := v.rounding()
	zero := v.zero()

	v.Label("blocks")
	doubles := v.lanes / 2
	for i := 0; i < roundBlock; i += doubles {
		x, to := v.reg(), Mem{Base: dst, Disp: 8 * i}
		v.VCVTPS2PD(Mem{Base: src, Disp: 4 * i}, x)
		z := toLattice(x)
		v.addIntegers(to, z)
		v.VMOVUPS(z, to)
	}
	for i := 0; i < roundBlock; i += v.lanes {
		v.VMOVUPS(zero, Mem{Base: src, Disp: 4 * i})
	}
	v.ADDQ(Imm(4*roundBlock), src)
	v.ADDQ(U32(8*roundBlock), dst)
	v.DECQ(blocks)
	v.JNZ(LabelRef("blocks"))
	v.done()
}

// addIntegers adds the int64 at m to r.
func (v isa) addIntegers(m Mem, r reg.VecVirtual) { v.VPADDQ(m, r, r) }

// rounding returns what emits the integers nearest to lanes of float64 times inverseStep.
func (v isa) rounding() func(x reg.VecVirtual) reg.VecVirtual {
	scale := v.broadcastDouble("inverseStep")
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

// addProducts emits the rounding of the products of a sparse row and a dense one, and their addition to rows of a matrix.
func addProducts(v isa) {
	v.function("addProducts", "func(sum *int32, idx *uint32, val, d *float32, count, cols, sumRow int, inverse float32)",
		fmt.Sprintf("is the loop of Products.Add for count > 0 and 1 to %d columns; row i of sum starts at i*sumRow.", sparseVectors*v.lanes))
	inverse := v.XMM()
	v.Load(v.Param("inverse"), inverse)
	v.sparse(func(each func(body func(x, row reg.Register))) {
		d, column := v.param("d"), v.XMM()
		v.VMULSS(Mem{Base: d}, inverse, column)
		each(func(x, row reg.Register) {
			product, integer := v.XMM(), v.GP32()
			v.VMULSS(x, column, product)
			v.VCVTSS2SI(product, integer)
			v.ADDL(integer, Mem{Base: row})
		})
	}, func(masks []mask, each func(body func(x, row reg.Register))) {
		d, unit := v.param("d"), v.reg()
		v.VBROADCASTSS(inverse, unit)
		columns := v.regs(len(masks))
		for i, m := range masks {
			v.load(Mem{Base: d, Disp: i * v.bytes()}, m, columns[i])
			v.VMULPS(unit, columns[i], columns[i])
		}
		each(func(x, row reg.Register) {
			for i, m := range masks {
				product, sum := v.reg(), v.reg()
				v.VMULPS(x, columns[i], product)
				v.VCVTPS2DQ(product, product)
				v.load(Mem{Base: row, Disp: i * v.bytes()}, m, sum)
				v.VPADDD(sum, product, sum)
				v.store(sum, m, Mem{Base: row, Disp: i * v.bytes()})
			}
		})
	}, "sum", "sumRow")
}

// widen emits the addition of a sum of products to an integer sum, with the first cleared. It runs at the speed of memory.
func widen(v isa) {
	v.function("widen", "func(dst *int64, src *int32, blocks, shift int)", "is the loop of addWide for blocks > 0 of 16 elements.")
	dst, src, blocks, count := v.param("dst"), v.param("src"), v.param("blocks"), v.param("shift")
	shift, zero := v.XMM(), v.zero()
	v.VMOVQ(count, shift)
	v.Label("blocks")
	for i := 0; i < 16; i += v.lanes / 2 {
		x, to := v.reg(), Mem{Base: dst, Disp: 8 * i}
		v.VPMOVSXDQ(Mem{Base: src, Disp: 4 * i}, x)
		v.VPSLLQ(shift, x, x)
		v.addIntegers(to, x)
		v.VMOVUPS(x, to)
	}
	for i := 0; i < 64; i += v.bytes() {
		v.VMOVUPS(zero, Mem{Base: src, Disp: i})
	}
	v.ADDQ(Imm(64), src)
	v.ADDQ(U32(128), dst)
	v.DECQ(blocks)
	v.JNZ(LabelRef("blocks"))
	v.done()
}

// collect emits the addition of one integer sum to another, with the first cleared. It runs at the speed of memory.
func collect(v isa) {
	v.function("collect", "func(dst, src *int64, blocks int)", "is the loop of Collect for blocks > 0 of 8 elements.")
	dst, src, blocks := v.param("dst"), v.param("src"), v.param("blocks")
	zero := v.zero()
	v.Label("blocks")
	for i := 0; i < 64; i += v.bytes() {
		x := v.reg()
		v.VMOVUPS(Mem{Base: src, Disp: i}, x)
		v.VPADDQ(Mem{Base: dst, Disp: i}, x, x)
		v.VMOVUPS(x, Mem{Base: dst, Disp: i})
		v.VMOVUPS(zero, Mem{Base: src, Disp: i})
	}
	v.ADDQ(Imm(64), src)
	v.ADDQ(Imm(64), dst)
	v.DECQ(blocks)
	v.JNZ(LabelRef("blocks"))
	v.done()
}

// scale emits the conversion of an integer sum to float32, with the sum cleared.
func scale(v isa) {
	v.function("scale", "func(dst *float32, src *int64, blocks int, unit float64)", "is the loop of Scale for blocks > 0 of 8 elements.")
	dst, src, blocks := v.param("dst"), v.param("src"), v.param("blocks")
	unit, zero := v.broadcastDouble("unit"), v.zero()
	v.Label("blocks")
	for i := 0; i < 64; i += v.bytes() {
		x := v.toDouble(Mem{Base: src, Disp: i})
		v.VMOVUPS(zero, Mem{Base: src, Disp: i})
		v.VMULPD(unit, x, x)
		if v.lanes == 16 {
			v.VCVTPD2PS(x, x.AsY())
			v.VMOVUPS(x.AsY(), Mem{Base: dst})
		} else {
			v.VCVTPD2PSY(x, x.AsX())
			v.VMOVUPS(x.AsX(), Mem{Base: dst, Disp: i / 2})
		}
	}
	v.ADDQ(Imm(64), src)
	v.ADDQ(Imm(32), dst)
	v.DECQ(blocks)
	v.JNZ(LabelRef("blocks"))
	v.done()
}

// toDouble returns the int64 at m rounded to float64.
func (v isa) toDouble(m Mem) reg.VecVirtual {
	x := v.reg()
	if v.lanes == 16 {
		v.VCVTQQ2PD(m, x)
		return x
	}
	// With h the upper half of the integer and l the lower, unsigned: 2⁸⁴ + (h+2³¹)·2³² and 2⁵² + l are patterns of bits. The first less
	// 2⁸⁴ + 2⁶³ + 2⁵² is h·2³² − 2⁵² exactly, so the sum of the two rounds once.
	y := v.reg()
	v.VMOVUPS(m, x)
	v.VPSRLQ(Imm(32), x, y)
	v.VPXOR(v.quads(0x4530000080000000), y, y)
	v.VSUBPD(v.quads(0x4530000080100000), y, y)
	v.VPBLENDD(Imm(0xAA), v.double(0x1p52), x, x)
	v.VADDPD(x, y, x)
	return x
}

// settle emits the common case of a draw, eight words at a time.
func settle(v isa) {
	v.function("settle", "func(dst *int64, words *byte, strips *float64, settled *byte, vectors int, edge float64)",
		"adds the draws of vectors of 8 words that floating point settles, and sets their bits of settled.")
	dst, words, strips, settled, vectors := v.param("dst"), v.param("words"), v.param("strips"), v.param("settled"), v.param("vectors")
	edge, magnitude := v.broadcastDouble("edge"), v.reg()
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
