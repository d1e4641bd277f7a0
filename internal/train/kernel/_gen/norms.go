package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// squaredNorms emits the sums of squares of rows in 16 float64 lanes.
func squaredNorms(v isa) {
	v.function("squaredNorms", "func(dst *float64, a *float32, rows, k int)", "is the loop of SquaredNorms for rows > 0.")
	dst, a, rows, k := v.param("dst"), v.param("a"), v.param("rows"), v.param("k")
	stride, tail := v.GP64(), v.GP64()
	v.MOVQ(k, stride)
	v.SHLQ(Imm(2), stride)
	v.MOVQ(k, tail)
	v.ANDQ(Imm(15), tail)
	masks := v.masks(tail, 0, 16/v.lanes)

	v.Label("rows")
	tile := v.lanes / 4
	at := v.rowPointers(tile, a, stride, rows)
	perRow := 32 / v.lanes // registers
	sums := v.regs(tile * perRow)
	for _, sum := range sums {
		v.clear(sum)
	}
	blocks := v.GP64()
	v.MOVQ(k, blocks)
	v.SHRQ(Imm(4), blocks)
	v.JZ(LabelRef("tail"))
	v.Label("blocks")
	for i, sum := range sums {
		x := v.reg()
		v.VCVTPS2PD(Mem{Base: at[i/perRow], Disp: i % perRow * v.bytes() / 2}, x)
		v.VFMADD231PD(x, x, sum)
	}
	for _, p := range at {
		v.ADDQ(Imm(64), p)
	}
	v.DECQ(blocks)
	v.JNZ(LabelRef("blocks"))
	v.Label("tail")
	v.TESTQ(U32(15), k)
	v.JZ(LabelRef("store"))
	for r, p := range at {
		for h, m := range masks {
			x := v.reg()
			v.load(Mem{Base: p, Disp: h * v.bytes()}, m, x)
			upper, lower := v.reg(), v.reg()
			v.upperHalf(x, upper)
			v.widen(upper, upper)
			v.widen(x, lower)
			v.VFMADD231PD(lower, lower, sums[r*perRow+2*h])
			v.VFMADD231PD(upper, upper, sums[r*perRow+2*h+1])
		}
	}
	v.Label("store")
	eight := v.GP64()
	v.MOVQ(U32(8), eight)
	for r, p := range v.rowPointers(tile, dst, eight, rows) {
		v.foldDoubles(sums[r*perRow:(r+1)*perRow], p)
	}
	v.ADDQ(Imm(uint64(8*tile)), dst)
	v.LEAQ(Mem{Base: a, Index: stride, Scale: uint8(tile)}, a)
	v.SUBQ(Imm(uint64(tile)), rows)
	v.JG(LabelRef("rows"))
	v.done()
}

// upperHalf moves the upper half of a vector to the lower half of another.
func (v isa) upperHalf(from, to reg.VecVirtual) {
	if v.lanes == 16 {
		v.VEXTRACTF64X4(Imm(1), from, to.AsY())
		return
	}
	v.VEXTRACTF128(Imm(1), from, to.AsX())
}

// widen converts the lower half of a vector of float32 to a vector of float64.
func (v isa) widen(from, to reg.VecVirtual) {
	if v.lanes == 16 {
		v.VCVTPS2PD(from.AsY(), to)
		return
	}
	v.VCVTPS2PD(from.AsX(), to)
}

// foldDoubles adds the upper half of 16 lanes of float64 to the lower until one is left, and stores it.
func (v isa) foldDoubles(sum []reg.VecVirtual, to reg.Register) {
	for half := len(sum) / 2; half > 0; half /= 2 {
		for i := range half {
			v.VADDPD(sum[i+half], sum[i], sum[i])
		}
	}
	four, two := sum[0].AsY(), v.XMM()
	if v.lanes == 16 {
		upper := v.reg()
		v.upperHalf(sum[0], upper)
		v.VADDPD(upper.AsY(), four, four)
		v.VEXTRACTF64X2(Imm(1), four, two)
	} else {
		v.VEXTRACTF128(Imm(1), four, two)
	}
	v.VADDPD(sum[0].AsX(), two, two)
	one := v.XMM()
	v.VPERMILPD(Imm(1), two, one)
	v.VADDSD(one, two, two)
	v.VMOVSD(two, Mem{Base: to})
}
