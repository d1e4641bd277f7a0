package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transpose emits the transposition of whole blocks of 8×8.
func transpose(v isa) {
	v.function("transpose", "func(dst, src *float32, rows, cols, dstRow, srcRow int)",
		"computes dst[j*dstRow+i] = src[i*srcRow+j] for i < rows and j < cols, multiples of 8 above 0.")
	dst, src, cols := v.param("dst"), v.param("src"), v.param("cols")
	dstRow, srcRow := v.param("dstRow"), v.param("srcRow")
	v.Label("cols")
	from, to, rows := v.GP64(), v.GP64(), v.param("rows")
	v.MOVQ(src, from)
	v.MOVQ(dst, to)
	v.Label("rows")
	x := v.regs(8)
	for i := range x {
		v.VMOVUPS(Mem{Base: from}, x[i])
		v.advance(from, srcRow, 1)
	}
	out := v.GP64()
	v.MOVQ(to, out)
	for _, y := range v.transpose8(x) {
		v.VMOVUPS(y, Mem{Base: out})
		v.advance(out, dstRow, 1)
	}
	v.ADDQ(Imm(32), to)
	v.SUBQ(Imm(8), rows)
	v.JNZ(LabelRef("rows"))
	v.ADDQ(Imm(32), src)
	v.advance(dst, dstRow, 8)
	v.SUBQ(Imm(8), cols)
	v.JNZ(LabelRef("cols"))
	v.done()
}

// transpose8 returns the columns of eight rows of eight.
func (v isa) transpose8(x []reg.VecVirtual) []reg.VecVirtual {
	pairs, quads, out := v.regs(8), v.regs(8), v.regs(8)
	for i := 0; i < 8; i += 2 {
		v.VUNPCKLPS(x[i+1], x[i], pairs[i])
		v.VUNPCKHPS(x[i+1], x[i], pairs[i+1])
	}
	for i := range quads {
		// Columns i%4 and i%4+4 of rows 0..3 (i < 4) or 4..7.
		low := i/4*4 + i%4/2
		if i%2 == 0 {
			v.VUNPCKLPD(pairs[low+2], pairs[low], quads[i])
		} else {
			v.VUNPCKHPD(pairs[low+2], pairs[low], quads[i])
		}
	}
	for i := range out {
		v.VPERM2F128(Imm(uint64(0x20+0x11*(i/4))), quads[i%4+4], quads[i%4], out[i])
	}
	return out
}

// gather emits the copying of rows by number.
func gather(v isa) {
	v.function("gather", "func(dst, src *float32, rows *int32, count, k, gap, ahead int)",
		"is the loop of Gather for count > 0 and dstRow = k + gap; while it copies a row it fetches the first 1 KiB of the row that comes ahead rows later.")
	dst, src, rows, count, stride := v.param("dst"), v.param("src"), v.param("rows"), v.param("count"), v.param("k")
	row := v.span(stride, 1)
	v.SHLQ(Imm(2), stride)
	v.Label("rows")
	ahead := v.param("ahead")
	next := v.GP64()
	v.CMPQ(ahead, count)
	v.JGE(LabelRef("copy"))
	v.MOVLQSX(Mem{Base: rows, Index: ahead, Scale: 4}, next)
	v.IMULQ(stride, next)
	v.ADDQ(src, next)
	end := v.GP64()
	v.MOVQ(U32(1024), end)
	v.CMPQ(stride, end)
	v.CMOVQLT(stride, end)
	v.ADDQ(next, end)
	v.Label("fetch")
	v.PREFETCHT0(Mem{Base: next})
	v.ADDQ(Imm(64), next)
	v.CMPQ(next, end)
	v.JL(LabelRef("fetch"))

	v.Label("copy")
	from := v.GP64()
	v.MOVLQSX(Mem{Base: rows}, from)
	v.IMULQ(stride, from)
	v.ADDQ(src, from)
	v.sweep("elements", row, []reg.GPVirtual{from, dst}, func(_ int, m mask) {
		x := v.reg()
		v.load(Mem{Base: from}, m, x)
		v.store(x, m, Mem{Base: dst})
	})
	v.advance(dst, row.rest, 1)
	gap := v.param("gap")
	v.advance(dst, gap, 1)
	v.ADDQ(Imm(4), rows)
	v.DECQ(count)
	v.JNZ(LabelRef("rows"))
	v.done()
}
