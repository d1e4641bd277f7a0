package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rowTile is the number of rows that dots takes together, to have enough chains under way.
const rowTile = 4

// dots emits products of rows with up to maxOutputs rows of weights, 16 lanes a sum.
func dots(v isa, maxOutputs int) {
	v.function("dots", "func(dst, a, w, bias *float32, rows, k, outputs, dstRow int)",
		fmt.Sprintf("is the loop of Dots for rows > 0 and 0 < outputs <= %d; row i of dst starts at i*dstRow,", maxOutputs),
		"a and w are contiguous, bias may be nil.")
	outputs := v.param("outputs")
	for n := maxOutputs; n > 1; n-- {
		v.CMPQ(outputs, Imm(uint64(n)))
		v.JE(LabelRef(fmt.Sprintf("outputs%d", n)))
	}
	for n := 1; n <= maxOutputs; n++ {
		name := fmt.Sprintf("outputs%d", n)
		v.Label(name)
		v.dotsRows(name, n)
		v.done()
	}
}

// dotsRows emits the loop over the rows for n outputs.
func (v isa) dotsRows(name string, n int) {
	dst, a, rows, k := v.param("dst"), v.param("a"), v.param("rows"), v.param("k")
	tail := v.GP64()
	v.MOVQ(k, tail)
	v.ANDQ(Imm(15), tail)
	masks := v.masks(tail, 0, 16/v.lanes)
	stride := v.GP64()
	v.LEAQ(Mem{Base: k, Index: k, Scale: 1}, stride)
	v.ADDQ(stride, stride)

	v.Label(name + "Rows")
	at := v.rowPointers(rowTile, a, stride, rows)
	w := []reg.GPVirtual{v.param("w")}
	if n > 3 {
		third := v.GP64()
		v.LEAQ(Mem{Base: w[0], Index: k, Scale: 8}, third)
		v.advance(third, k, 1)
		w = append(w, third)
	}
	sums := make([][]reg.VecVirtual, n*rowTile) // [output, row][vector]
	for i := range sums {
		sums[i] = v.regs(16 / v.lanes)
		for _, sum := range sums[i] {
			v.clear(sum)
		}
	}
	blocks := v.GP64()
	v.MOVQ(k, blocks)
	v.SHRQ(Imm(4), blocks)
	v.JZ(LabelRef(name + "Tail"))
	v.Label(name + "Blocks")
	v.dotsStep(sums, at, w, k, make([]mask, 16/v.lanes))
	for _, p := range append(at, w...) {
		v.ADDQ(Imm(64), p)
	}
	v.DECQ(blocks)
	v.JNZ(LabelRef(name + "Blocks"))
	v.Label(name + "Tail")
	v.TESTQ(U32(15), k)
	v.JZ(LabelRef(name + "Store"))
	v.dotsStep(sums, at, w, k, masks)
	v.Label(name + "Store")
	v.storeSums(name, sums, dst, rows, n)

	advanced := v.param("dstRow")
	v.advance(dst, advanced, rowTile)
	v.LEAQ(Mem{Base: a, Index: stride, Scale: rowTile}, a)
	v.SUBQ(Imm(rowTile), rows)
	v.JG(LabelRef(name + "Rows"))
}

// rowPointers returns pointers to n rows from p on, stride bytes apart. Where fewer are left the last is repeated: the
// sums of a repeated row are computed and stored again, with the same bits.
func (v isa) rowPointers(n int, p, stride, left reg.Register) []reg.GPVirtual {
	at := make([]reg.GPVirtual, n)
	none := v.GP64()
	for r := range at {
		at[r] = v.GP64()
		if r == 0 {
			v.MOVQ(p, at[r])
			continue
		}
		v.XORQ(none, none)
		v.CMPQ(left, Imm(uint64(r)))
		v.CMOVQGT(stride, none)
		v.LEAQ(Mem{Base: at[r-1], Index: none, Scale: 1}, at[r])
	}
	return at
}

// dotsStep emits one block of 16 elements, or what the masks leave of it, for every sum.
func (v isa) dotsStep(sums [][]reg.VecVirtual, at, w []reg.GPVirtual, k reg.Register, masks []mask) {
	for h, m := range masks {
		x := v.regs(rowTile)
		for r, p := range at {
			v.load(Mem{Base: p, Disp: h * v.bytes()}, m, x[r])
		}
		for j := range len(sums) / rowTile {
			from := Mem{Base: w[j/3], Disp: h * v.bytes()}
			if j%3 != 0 {
				from.Index, from.Scale = k, uint8(4*(j%3))
			}
			y := v.reg()
			v.load(from, m, y)
			for r := range x {
				v.VFMADD231PS(x[r], y, sums[j*rowTile+r][h])
			}
		}
	}
}

// storeSums emits the folding of 16 lanes into one for each sum, the bias, and the stores.
func (v isa) storeSums(name string, sums [][]reg.VecVirtual, dst, rows reg.Register, n int) {
	stride, bias := v.param("dstRow"), v.param("bias")
	v.SHLQ(Imm(2), stride)
	at := v.rowPointers(rowTile, dst, stride, rows)
	zero := v.XMM()
	v.VXORPS(zero, zero, zero)
	total := make([]reg.VecVirtual, n)
	for j := range n {
		total[j] = v.foldRows(sums[j*rowTile : (j+1)*rowTile])
		v.VADDPS(zero, total[j], total[j])
	}
	v.TESTQ(bias, bias)
	v.JZ(LabelRef(name + "NoBias"))
	for j := range n {
		b := v.XMM()
		v.VBROADCASTSS(Mem{Base: bias, Disp: 4 * j}, b)
		v.VADDPS(b, total[j], total[j])
	}
	v.Label(name + "NoBias")
	for j := range n {
		for r, p := range at {
			v.VEXTRACTPS(Imm(uint64(r)), total[j], Mem{Base: p, Disp: 4 * j})
		}
	}
}

// foldRows adds the upper half of the lanes to the lower until one is left, for four sums at once, and returns the four.
func (v isa) foldRows(sums [][]reg.VecVirtual) reg.VecVirtual {
	x := make([]reg.VecVirtual, rowTile)
	for r, sum := range sums {
		x[r] = v.XMM()
		v.fold16To4(sum, x[r])
	}
	// Rows 0, 1 and rows 2, 3: lanes [0, 0, 1, 1] + lanes [2, 2, 3, 3].
	var pairs [2]reg.VecVirtual
	for i := range pairs {
		low, high := v.XMM(), v.XMM()
		v.VUNPCKLPS(x[2*i+1], x[2*i], low)
		v.VUNPCKHPS(x[2*i+1], x[2*i], high)
		v.VADDPS(high, low, low)
		pairs[i] = low
	}
	even, odd := v.XMM(), v.XMM()
	v.VUNPCKLPD(pairs[1], pairs[0], even)
	v.VUNPCKHPD(pairs[1], pairs[0], odd)
	v.VADDPS(odd, even, even)
	return even
}

// fold16To4 sets to to the four lanes left of a sum of 16 after two foldings. The sum is overwritten.
func (v isa) fold16To4(sum []reg.VecVirtual, to reg.VecVirtual) {
	eight := sum[0].AsY()
	if v.lanes == 16 {
		upper := v.YMM()
		v.VEXTRACTF64X4(Imm(1), sum[0], upper)
		v.VADDPS(upper, eight, eight)
		v.VEXTRACTF32X4(Imm(1), eight, to)
	} else {
		v.VADDPS(sum[1], eight, eight)
		v.VEXTRACTF128(Imm(1), eight, to)
	}
	v.VADDPS(sum[0].AsX(), to, to)
}
