package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sparseVectors is the number of vectors of a dense row that the sparse kernels take at a time.
const sparseVectors = 8

// sparseProduct emits the product of a sparse row with some columns of a matrix.
func sparseProduct(v isa) {
	v.function("sparseProduct", "func(z *float32, idx *uint32, val, w *float32, count, cols, wRow int)",
		fmt.Sprintf("is the loop of SparseProduct for count > 0 and 1 to %d columns; row i of w starts at i*wRow.", sparseVectors*v.lanes))
	v.sparse(func(masks []mask, each func(body func(x, row reg.Register))) {
		z := v.param("z")
		sums := v.regs(len(masks))
		for i, m := range masks {
			v.load(Mem{Base: z, Disp: i * v.bytes()}, m, sums[i])
		}
		each(func(x, row reg.Register) {
			for i, m := range masks {
				column := v.reg()
				v.load(Mem{Base: row, Disp: i * v.bytes()}, m, column)
				v.VFMADD231PS(column, x, sums[i])
			}
		})
		zero := v.zero()
		for i, m := range masks {
			v.VADDPS(zero, sums[i], sums[i])
			v.store(sums[i], m, Mem{Base: z, Disp: i * v.bytes()})
		}
	}, "w", "wRow")
}

// sparseAddOuter emits the addition of multiples of some columns of a row to rows of a matrix.
func sparseAddOuter(v isa) {
	v.function("sparseAddOuter", "func(sum *float32, idx *uint32, val, d *float32, count, cols, sumRow int)",
		fmt.Sprintf("is the loop of SparseAddOuter for count > 0 and 1 to %d columns; row i of sum starts at i*sumRow.", sparseVectors*v.lanes))
	v.sparse(func(masks []mask, each func(body func(x, row reg.Register))) {
		d, zero := v.param("d"), v.zero()
		columns := v.regs(len(masks))
		for i, m := range masks {
			v.load(Mem{Base: d, Disp: i * v.bytes()}, m, columns[i])
		}
		each(func(x, row reg.Register) {
			for i, m := range masks {
				sum := v.reg()
				v.load(Mem{Base: row, Disp: i * v.bytes()}, m, sum)
				v.VFMADD231PS(columns[i], x, sum)
				v.VADDPS(zero, sum, sum)
				v.store(sum, m, Mem{Base: row, Disp: i * v.bytes()})
			}
		})
	}, "sum", "sumRow")
}

// sparse emits a variant of body for each number of vectors that the columns fill; only the last has a mask. Each loops over the
// nonzeros and hands out val broadcast and the address of the matrix's row.
func (v isa) sparse(body func(masks []mask, each func(body func(x, row reg.Register))), matrix, matrixRow string) {
	cols := v.param("cols")
	for n := 1; n < sparseVectors; n++ {
		v.CMPQ(cols, U32(uint32(n*v.lanes)))
		v.JLE(LabelRef(fmt.Sprintf("vectors%d", n)))
	}
	for n := sparseVectors; n > 0; n-- {
		name := fmt.Sprintf("vectors%d", n)
		v.Label(name)
		body(v.masks(cols, n-1, n), func(body func(x, row reg.Register)) {
			idx, val, count, base, stride := v.param("idx"), v.param("val"), v.param("count"), v.param(matrix), v.param(matrixRow)
			v.SHLQ(Imm(2), stride)
			v.Label(name + "Nonzeros")
			row, x := v.GP64(), v.reg()
			v.MOVL(Mem{Base: idx}, row.As32())
			v.IMULQ(stride, row)
			v.ADDQ(base, row)
			v.VBROADCASTSS(Mem{Base: val}, x)
			body(x, row)
			v.ADDQ(Imm(4), idx)
			v.ADDQ(Imm(4), val)
			v.DECQ(count)
			v.JNZ(LabelRef(name + "Nonzeros"))
		})
		v.done()
	}
}
