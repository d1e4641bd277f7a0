package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tile is one block of a panel product whose sums live in registers.
type tile struct {
	isa
	rows, vectors int
	masks         []mask // of the columns
	prefetch      bool   // of the steps and the tile to come, whose strides defeat the processor's own
}

// operands are the registers that a tile walks along.
type operands struct {
	c, init, a         reg.GPVirtual // at the tile's first row; left at the row after its last
	aRow, aStep, bStep reg.GPVirtual // strides in elements
}

// operands loads the arguments that panel and wide share.
func (v isa) operands() operands {
	return operands{
		c: v.param("c"), init: v.param("init"), a: v.param("a"),
		aRow: v.param("aRow"), aStep: v.param("aStep"), bStep: v.param("bStep"),
	}
}

// panel emits the product of a matrix with a panel of at most two vectors' columns.
func panel(v isa, tileRows int) {
	v.function("panel", "func(c, init, a, b *float32, rows, cols, steps, cRow, initRow, aRow, aStep, bStep int)",
		"computes, for i < rows and j < cols <= two vectors,",
		"",
		"	c[i*cRow+j] = (init[i*initRow+j] + Σ_t a[i*aRow+t*aStep] * b[t*bStep+j]) + 0",
		"",
		"with t < steps ascending, one fused multiply-add each. cols > 0.")
	o := v.operands()
	rows := v.param("rows")
	cols := v.param("cols")

	v.CMPQ(cols, U32(uint32(2*v.lanes)))
	v.JE(LabelRef("full"))
	v.CMPQ(cols, U32(uint32(v.lanes)))
	v.JLE(LabelRef("one"))
	tileLoop(v, "two", o, rows, tileRows, v.masks(cols, 1, 2))
	v.Label("one")
	tileLoop(v, "single", o, rows, tileRows, v.masks(cols, 0, 1))
	v.Label("full")
	tileLoop(v, "whole", o, rows, tileRows, []mask{{}, {}})
}

// wide emits the product of at most three rows with up to eight or four vectors' columns.
func wide(v isa, vectors int) {
	v.function("wide", "func(c, init, a, b *float32, rows, cols, steps, cRow, initRow, aRow, aStep, bStep int)",
		fmt.Sprintf("is panel%s for 1 to 3 rows and %d to %d columns.", v.name, 2*v.lanes, vectors*v.lanes))
	o := v.operands()
	rows := v.param("rows")
	cols := v.param("cols")
	v.CMPQ(cols, U32(uint32(vectors*v.lanes)))
	v.JE(LabelRef("full"))
	tileLoop(v, "part", o, rows, 3, v.masks(cols, 2, vectors))
	v.Label("full")
	tileLoop(v, "whole", o, rows, 3, make([]mask, vectors))
}

// tileLoop emits the loop over the rows in tiles, the tiles for what is left, and the return.
func tileLoop(v isa, name string, o operands, rows reg.GPVirtual, tileRows int, masks []mask) {
	v.Label(name)
	v.CMPQ(rows, Imm(uint64(tileRows)))
	v.JL(LabelRef(name + "Rest"))
	tile{v, tileRows, len(masks), masks, tileRows > 3}.emit(name, o)
	v.SUBQ(Imm(uint64(tileRows)), rows)
	v.JMP(LabelRef(name))
	v.Label(name + "Rest")
	for r := 1; r < tileRows; r++ {
		v.CMPQ(rows, Imm(uint64(r)))
		v.JE(LabelRef(fmt.Sprintf("%sRows%d", name, r)))
	}
	v.done()
	for r := 1; r < tileRows; r++ {
		rest := fmt.Sprintf("%sRows%d", name, r)
		v.Label(rest)
		tile{v, r, len(masks), masks, false}.emit(rest, o)
		v.done()
	}
}

func (t tile) emit(name string, o operands) {
	sums := t.regs(t.rows * t.vectors)
	initRow := t.param("initRow")
	for r := range t.rows {
		for i, m := range t.masks {
			t.load(Mem{Base: o.init, Disp: i * t.bytes()}, m, sums[r*t.vectors+i])
		}
		t.advance(o.init, initRow, 1)
	}

	if t.prefetch {
		// The next tile's part of c comes from far away where c is a large sum.
		next, cRow := t.GP64(), t.param("cRow")
		t.MOVQ(o.c, next)
		t.advance(next, cRow, t.rows)
		for range t.rows {
			for i := range t.vectors {
				t.PREFETCHT0(Mem{Base: next, Disp: i * t.bytes()})
			}
			t.advance(next, cRow, 1)
		}
	}

	// Each pointer serves three rows: x86 addresses p, p + 4·aRow and p + 8·aRow.
	var at []reg.GPVirtual
	for r := 0; r < t.rows; r += 3 {
		p := t.GP64()
		t.MOVQ(o.a, p)
		at = append(at, p)
		for range min(3, t.rows-r) {
			t.advance(o.a, o.aRow, 1)
		}
	}
	b, steps := t.param("b"), t.param("steps")
	aAhead, bAhead := t.GP64(), t.GP64()
	if t.prefetch {
		const rows = 8
		t.IMUL3Q(Imm(4*rows), o.aStep, aAhead)
		t.IMUL3Q(Imm(4*rows), o.bStep, bAhead)
	}
	t.TESTQ(steps, steps)
	t.JZ(LabelRef(name + "Store"))
	t.Label(name + "Steps")
	if t.prefetch {
		t.PREFETCHT0(Mem{Base: at[0], Index: aAhead, Scale: 1})
		for i := range t.vectors {
			t.PREFETCHT0(Mem{Base: b, Index: bAhead, Scale: 1, Disp: i * t.bytes()})
		}
	}
	t.step(sums, at, b, o.aRow)
	for _, p := range at {
		t.advance(p, o.aStep, 1)
	}
	t.advance(b, o.bStep, 1)
	t.DECQ(steps)
	t.JNZ(LabelRef(name + "Steps"))

	t.Label(name + "Store")
	cRow := t.param("cRow")
	zero := t.zero()
	for r := range t.rows {
		for i, m := range t.masks {
			sum := sums[r*t.vectors+i]
			t.VADDPS(zero, sum, sum)
			t.store(sum, m, Mem{Base: o.c, Disp: i * t.bytes()})
		}
		t.advance(o.c, cRow, 1)
	}
}

// step emits sums[r,i] += a[r]·b[i], with the shorter of a and b held in registers.
func (t tile) step(sums []reg.VecVirtual, at []reg.GPVirtual, b, aRow reg.Register) {
	element := func(r int) Mem {
		if r%3 == 0 {
			return Mem{Base: at[r/3]}
		}
		return Mem{Base: at[r/3], Index: aRow, Scale: uint8(4 * (r % 3))}
	}
	if t.rows < t.vectors {
		scalars := t.regs(t.rows)
		for r, x := range scalars {
			t.VBROADCASTSS(element(r), x)
		}
		for i, m := range t.masks {
			column := t.reg()
			t.load(Mem{Base: b, Disp: i * t.bytes()}, m, column)
			for r, x := range scalars {
				t.VFMADD231PS(column, x, sums[r*t.vectors+i])
			}
		}
		return
	}
	columns := t.regs(t.vectors)
	for i, m := range t.masks {
		t.load(Mem{Base: b, Disp: i * t.bytes()}, m, columns[i])
	}
	for r := range t.rows {
		x := t.reg()
		t.VBROADCASTSS(element(r), x)
		for i, column := range columns {
			t.VFMADD231PS(column, x, sums[r*t.vectors+i])
		}
	}
}
