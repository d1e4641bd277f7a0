package main

import (
	"math"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// softmaxDelta emits the gradient of the cross-entropy of a softmax, row by row. Sums have 16 lanes in both instruction sets.
func softmaxDelta(v isa) {
	v.function("softmaxDelta", "func(delta, logits *float32, labels *int32, rows, n int)",
		"is the loop of SoftmaxDelta for rows > 0 and n > 0; lanes run along n.")
	n := v.param("n")
	v.CMPQ(n, Imm(16))
	v.JG(LabelRef("long"))
	v.softmaxRows("short", v.shortRow)
	v.Label("long")
	v.softmaxRows("long", v.longRow)
}

// softmaxRow is where a row is, and what all rows share.
type softmaxRow struct {
	delta, logits, labels reg.GPVirtual
	vectors, blocks       span   // of one, and of 16 elements
	first                 []mask // of the first 16
	lowest                Op     // −Inf
	exp                   expConstants
}

func (v isa) softmaxRows(name string, row func(softmaxRow)) {
	n := v.param("n")
	r := softmaxRow{
		delta: v.param("delta"), logits: v.param("logits"), labels: v.param("labels"),
		vectors: v.span(n, 1), blocks: v.span(n, 16/v.lanes), first: v.masks(n, 0, 16/v.lanes),
		lowest: v.constant(float32(math.Inf(-1))), exp: v.newExp(),
	}
	rows := v.param("rows")
	v.Label(name + "Rows")
	row(r)
	n = v.param("n")
	v.advance(r.delta, n, 1)
	v.advance(r.logits, n, 1)
	v.ADDQ(Imm(4), r.labels)
	v.DECQ(rows)
	v.JNZ(LabelRef(name + "Rows"))
	v.done()
}

// shortRow emits a row of at most 16 logits, all in registers. The sum of all but the label's is kept apart: 1 − p would
// lose the digits of a confident row.
func (v isa) shortRow(row softmaxRow) {
	label, number := v.reg(), v.XMM()
	v.VXORPS(number, number, number)
	v.VCVTSI2SSL(Mem{Base: row.labels}, number, number)
	v.VBROADCASTSS(number, label)

	e, top := v.regs(len(row.first)), v.reg()
	v.VMOVUPS(row.lowest, top)
	for i, m := range row.first {
		v.VMOVUPS(row.lowest, e[i])
		v.loadOver(Mem{Base: row.logits, Disp: i * v.bytes()}, m, e[i])
		v.VMAXPS(e[i], top, top)
	}
	v.foldAll(top, v.VMAXPS)

	all, rest := v.zero(), v.zero()
	for i := range e {
		v.expBelow(row.exp, e[i], top)
		v.VADDPS(e[i], all, all)
		other := v.reg()
		v.VMOVAPS(e[i], other)
		v.keep(other, label, notEqual, v.laneNumbers(i))
		v.VADDPS(other, rest, rest)
	}
	v.foldAll(all, v.VADDPS)
	v.foldAll(rest, v.VADDPS)
	scale, minus := v.reciprocal(all.AsX()), v.zero()
	v.VSUBPS(rest, minus, minus)
	v.VMULPS(scale, minus, minus)
	for i, m := range row.first {
		v.VMULPS(scale, e[i], e[i])
		v.replace(e[i], minus, label, equal, v.laneNumbers(i))
		v.store(e[i], m, Mem{Base: row.delta, Disp: i * v.bytes()})
	}
}

// reciprocal allocates a register of 1/x, x being the first lane of a vector.
func (v isa) reciprocal(x reg.Register) reg.VecVirtual {
	one, r := v.XMM(), v.reg()
	v.VMOVSS(v.words(math.Float32bits(1), 1), one)
	v.VDIVSS(x, one, one)
	v.VBROADCASTSS(one, r)
	return r
}

// laneNumbers is a vector of the numbers of its lanes in the i-th vector of a row.
func (v isa) laneNumbers(i int) Op {
	numbers := make([]uint32, 16)
	for l := range numbers {
		numbers[l] = math.Float32bits(float32(l))
	}
	return v.table("numbers", numbers...).Offset(i * v.bytes())
}

// expBelow replaces x by exp(x − top), or by +0 where that is below exp(−87).
func (v isa) expBelow(c expConstants, x, top reg.VecVirtual) {
	below := v.reg()
	v.VSUBPS(top, x, x)
	v.VMOVAPS(x, below)
	v.exp(c, x)
	v.keep(x, below, notLessThan, c.lowest)
}

// longRow emits a row of any length, in passes over memory.
func (v isa) longRow(row softmaxRow) {
	top, from, to := v.reg(), v.GP64(), v.GP64()
	v.VMOVUPS(row.lowest, top)
	v.MOVQ(row.logits, from)
	v.sweep("top", row.vectors, []reg.GPVirtual{from}, func(_ int, m mask) {
		x := v.reg()
		v.VMOVAPS(top, x)
		v.loadOver(Mem{Base: from}, m, x)
		v.VMAXPS(x, top, top)
	})
	v.foldAll(top, v.VMAXPS)

	v.MOVQ(row.logits, from)
	v.MOVQ(row.delta, to)
	v.sweep("exp", row.vectors, []reg.GPVirtual{from, to}, func(_ int, m mask) {
		x := v.reg()
		v.load(Mem{Base: from}, m, x)
		v.expBelow(row.exp, x, top)
		v.store(x, m, Mem{Base: to})
	})

	label, atLabel, zero := v.GP64(), v.XMM(), v.XMM()
	v.MOVLQSX(Mem{Base: row.labels}, label)
	at := Mem{Base: row.delta, Index: label, Scale: 4}
	v.VMOVSS(at, atLabel)
	v.VXORPS(zero, zero, zero)
	v.VMOVSS(zero, at)
	rest := v.regs(16 / v.lanes)
	for _, sum := range rest {
		v.clear(sum)
	}
	v.MOVQ(row.delta, from)
	v.sweep("sum", row.blocks, []reg.GPVirtual{from}, func(i int, m mask) {
		x := v.reg()
		v.load(Mem{Base: from, Disp: i * v.bytes()}, m, x)
		v.VADDPS(x, rest[i], rest[i])
	})
	for _, sum := range rest[1:] {
		v.VADDPS(sum, rest[0], rest[0])
	}
	v.foldAll(rest[0], v.VADDPS)

	v.VADDSS(rest[0].AsX(), atLabel, atLabel)
	scale, minus := v.reciprocal(atLabel), v.XMM()
	v.VSUBSS(rest[0].AsX(), zero, minus)
	v.VMULSS(scale.AsX(), minus, minus)
	v.MOVQ(row.delta, to)
	v.sweep("scale", row.vectors, []reg.GPVirtual{to}, func(_ int, m mask) {
		x := v.reg()
		v.load(Mem{Base: to}, m, x)
		v.VMULPS(scale, x, x)
		v.store(x, m, Mem{Base: to})
	})
	v.VMOVSS(minus, at)
}

// loadOver reads the lanes in m and leaves the others of r as they are.
func (v isa) loadOver(from Mem, m mask, r reg.VecVirtual) {
	switch {
	case m.all():
		v.VMOVUPS(from, r)
	case m.k != nil:
		v.VMOVUPS(from, m.k, r)
	default:
		x, lanes := v.reg(), v.reg()
		v.load(from, m, x)
		v.VMOVUPS(Mem{Base: m.address}, lanes)
		v.VBLENDVPS(lanes, x, r, r)
	}
}

// foldAll applies op to the two halves of r until every lane holds the result.
func (v isa) foldAll(r reg.VecVirtual, op func(...Op)) {
	x := v.reg()
	if v.lanes == 16 {
		v.VSHUFF32X4(Imm(0b01_00_11_10), r, r, x)
		op(x, r, r)
		v.VSHUFF32X4(Imm(0b10_11_00_01), r, r, x)
	} else {
		v.VPERM2F128(Imm(0x01), r, r, x)
	}
	op(x, r, r)
	v.VPERMILPS(Imm(0b01_00_11_10), r, x)
	op(x, r, r)
	v.VPERMILPS(Imm(0b10_11_00_01), r, x)
	op(x, r, r)
}
