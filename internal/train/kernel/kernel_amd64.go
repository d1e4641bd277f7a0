//go:build !purego

package kernel

import "unsafe"

//go:generate go -C _gen run . kernel ..

// lanes is the number of float32 in a vector of the active level.
func lanes() int {
	if active == avx2 {
		return 8
	}
	return 16
}

func product(dst, a, b, bias []float32, m, k, n int) {
	if active == generic {
		productGeneric(dst, a, b, bias, m, k, n)
		return
	}
	for j := 0; j < n; j += panelWidth {
		s := strided{a: a, b: b[min(j, len(b)):], rows: m, cols: min(panelWidth, n-j), steps: k, cRow: n, aRow: k, aStep: 1, bStep: n}
		s.fromBias(dst, bias, j)
	}
}

func productPacked(dst, a []float32, b *Packed, bias []float32, m, dstRow, aRow int) {
	if active == generic {
		productPackedGeneric(dst, a, b, bias, m, dstRow, aRow)
		return
	}
	for j := 0; j < b.n; j += panelWidth {
		s := strided{a: a, b: b.panel(j), rows: m, cols: min(panelWidth, b.n-j), steps: b.k, cRow: dstRow, aRow: aRow, aStep: 1, bStep: panelWidth}
		s.fromBias(dst, bias, j)
	}
}

// addOuter takes as many rows at a time as keep their parts of d and x close while the outputs go by; the chains continue in sum.
func addOuter(sum, d, x []float32, m, n, p, dRow, xRow int) {
	if active == generic {
		addOuterGeneric(sum, d, x, m, n, p, dRow, xRow)
		return
	}
	block := 256
	if n <= 12 { // one pass
		block = m
	}
	for i := 0; i < m; i += block {
		steps := min(block, m-i)
		strided{c: sum, init: sum, a: d[i*dRow:], b: x[i*xRow:], rows: n, cols: p, steps: steps, cRow: p, initRow: p, aRow: 1, aStep: dRow, bStep: xRow}.add()
	}
}

// addRows is addOuter with a column of ones: fma(1, d, sum) rounds as sum + d does.
func addRows(sum, d []float32, m, n int) {
	if active == generic {
		addRowsGeneric(sum, d, m, n)
		return
	}
	one := [1]float32{1}
	strided{c: sum, init: sum, a: one[:], b: d, rows: 1, cols: n, steps: m, bStep: n}.add()
}

// strided is the product that every dense kernel but Dots comes down to, with strides in elements:
//
//	c[i*cRow+j] = init[i*initRow+j] + Σ_t a[i*aRow+t*aStep]·b[t*bStep+j]
//
// The assembly holds a tile of c in registers, 12 rows × 32 columns with AVX-512 and 6 × 16 with AVX2, while t goes by: a step loads
// the tile's columns of b and broadcasts its elements of a. Smaller tiles and masked columns take the remainders, with one chain
// per element like the whole tiles. Strides are as good as packed operands, since the next steps are prefetched.
type strided struct {
	c, init, a, b                     []float32
	rows, cols, steps                 int
	cRow, initRow, aRow, aStep, bStep int
}

// fromBias runs s into the columns of dst from j on, at most panelWidth, starting each row at bias or, if nil, at +0.
func (s strided) fromBias(dst, bias []float32, j int) {
	if s.rows == 0 {
		return
	}
	var zeros [panelWidth]float32
	s.c, s.init = dst[j:], zeros[:]
	if bias != nil {
		s.init = bias[j:]
	}
	s.run()
}

// add runs s where it adds to c: without a step it leaves c as it is.
func (s strided) add() {
	if s.steps > 0 && s.rows > 0 {
		s.run()
	}
}

func (s strided) run() {
	a, vector := unsafe.SliceData(s.a), lanes()
	for j := 0; j < s.cols; {
		c, init, b := &s.c[j], &s.init[j], unsafe.SliceData(s.b[min(j, len(s.b)):])
		cols := min(s.cols-j, 2*vector)
		switch {
		case active == avx512 && s.rows <= 3 && s.cols-j > cols:
			cols = min(s.cols-j, 8*vector)
			wideAVX512(c, init, a, b, s.rows, cols, s.steps, s.cRow, s.initRow, s.aRow, s.aStep, s.bStep)
		case active == avx512:
			panelAVX512(c, init, a, b, s.rows, cols, s.steps, s.cRow, s.initRow, s.aRow, s.aStep, s.bStep)
		case s.rows <= 3 && s.cols-j > cols:
			cols = min(s.cols-j, 4*vector)
			wideAVX2(c, init, a, b, s.rows, cols, s.steps, s.cRow, s.initRow, s.aRow, s.aStep, s.bStep)
		default:
			panelAVX2(c, init, a, b, s.rows, cols, s.steps, s.cRow, s.initRow, s.aRow, s.aStep, s.bStep)
		}
		j += cols
	}
}

// dots takes as many rows at a time as stay in the first-level cache for all the outputs.
func dots(dst, a, w, bias []float32, m, k, n int) {
	if active == generic {
		dotsGeneric(dst, a, w, bias, m, k, n)
		return
	}
	const cached = 4096 // elements
	block := max(4, cached/max(k, 1)/4*4)
	for i := 0; i < m; i += block {
		for j := 0; j < n; {
			rows, outputs := min(block, m-i), 1
			to, x, y := &dst[i*n+j], unsafe.SliceData(a[i*k:]), unsafe.SliceData(w[j*k:])
			var b *float32
			if bias != nil {
				b = &bias[j]
			}
			if active == avx512 {
				outputs = min(5, n-j)
				dotsAVX512(to, x, y, b, rows, k, outputs, n)
			} else {
				dotsAVX2(to, x, y, b, rows, k, outputs, n)
			}
			j += outputs
		}
	}
}

// sparseVectors is the number of vectors that the sparse kernels take at a time.
const sparseVectors = 8

func sparseProduct(z []float32, idx []uint32, val, w []float32, n int) {
	if active == generic {
		sparseProductGeneric(z, idx, val, w, n)
		return
	}
	if len(idx) == 0 {
		return
	}
	width := sparseVectors * lanes()
	for j := 0; j < n; j += width {
		cols := min(width, n-j)
		if active == avx512 {
			sparseProductAVX512(&z[j], &idx[0], &val[0], &w[j], len(idx), cols, n)
		} else {
			sparseProductAVX2(&z[j], &idx[0], &val[0], &w[j], len(idx), cols, n)
		}
	}
}

func sparseAddOuter(sum []float32, idx []uint32, val, d []float32, n int) {
	if active == generic {
		sparseAddOuterGeneric(sum, idx, val, d, n)
		return
	}
	if len(idx) == 0 {
		return
	}
	width := sparseVectors * lanes()
	for j := 0; j < n; j += width {
		cols := min(width, n-j)
		if active == avx512 {
			sparseAddOuterAVX512(&sum[j], &idx[0], &val[0], &d[j], len(idx), cols, n)
		} else {
			sparseAddOuterAVX2(&sum[j], &idx[0], &val[0], &d[j], len(idx), cols, n)
		}
	}
}
