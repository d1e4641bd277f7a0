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
	v.sparse(func(each func(body func(x, row reg.Register))) {
		z, sum, zero := v.param("z"), v.XMM(), v.XMM()
		v.VMOVSS(Mem{Base: z}, sum)
		each(func(x, row reg.Register) { v.VFMADD231SS(Mem{Base: row}, x, sum) })
		v.VXORPS(zero, zero, zero)
		v.VADDSS(zero, sum, sum)
		v.VMOVSS(sum, Mem{Base: z})
	}, func(masks []mask, each func(body func(x, row reg.Register))) {
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
	v.sparse(func(each func(body func(x, row reg.Register))) {
		d, column, zero := v.param("d"), v.XMM(), v.XMM()
		v.VMOVSS(Mem{Base: d}, column)
		v.VXORPS(zero, zero, zero)
		each(func(x, row reg.Register) {
			sum := v.XMM()
			v.VMOVSS(Mem{Base: row}, sum)
			v.VFMADD231SS(column, x, sum)
			v.VADDSS(zero, sum, sum)
			v.VMOVSS(sum, Mem{Base: row})
		})
	}, func(masks []mask, each func(body func(x, row reg.Register))) {
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

// sparse emits a loop over the nonzeros for a single column, one, and a variant of many for each number of vectors that more
// columns fill; only the last vector has a mask. Each is handed val, for all lanes, and the address of the matrix's row. A
// single column is a case of its own because a masked store is not forwarded to the load of the next nonzero that hits it.
func (v isa) sparse(one func(each func(body func(x, row reg.Register))),
	many func(masks []mask, each func(body func(x, row reg.Register))), matrix, matrixRow string) {
	cols := v.param("cols")
	v.CMPQ(cols, Imm(1))
	v.JE(LabelRef("single"))
	for n := 1; n < sparseVectors; n++ {
		v.CMPQ(cols, U32(uint32(n*v.lanes)))
		v.JLE(LabelRef(fmt.Sprintf("vectors%d", n)))
	}
	for n := sparseVectors; n > 0; n-- {
		name := fmt.Sprintf("vectors%d", n)
		v.Label(name)
		many(v.masks(cols, n-1, n), func(body func(x, row reg.Register)) {
			x := v.reg()
			v.nonzeros(name, matrix, matrixRow, func(val Mem, row reg.Register) {
				v.VBROADCASTSS(val, x)
				body(x, row)
			})
		})
		v.done()
	}
	v.Label("single")
	one(func(body func(x, row reg.Register)) {
		x := v.XMM()
		v.nonzeros("single", matrix, matrixRow, func(val Mem, row reg.Register) {
			v.VMOVSS(val, x)
			body(x, row)
		})
	})
	v.done()
}

// nonzeros emits a loop over the nonzeros of a sparse row: body gets each one's value and the address of the matrix's row.
func (v isa) nonzeros(name, matrix, matrixRow string, body func(val Mem, row reg.Register)) {
	idx, val, count, base, stride := v.param("idx"), v.param("val"), v.param("count"), v.param(matrix), v.param(matrixRow)
	v.SHLQ(Imm(2), stride)
	v.Label(name + "Nonzeros")
	row := v.GP64()
	v.MOVL(Mem{Base: idx}, row.As32())
	v.IMULQ(stride, row)
	v.ADDQ(base, row)
	body(Mem{Base: val}, row)
	v.ADDQ(Imm(4), idx)
	v.ADDQ(Imm(4), val)
	v.DECQ(count)
	v.JNZ(LabelRef(name + "Nonzeros"))
}
