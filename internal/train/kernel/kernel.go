// Package kernel computes float32 vector and matrix products, activations and loss gradients for dense nets on rows of
// examples, and steps of optimizers. It knows nothing of nets, privacy or memory beyond the slices it is given; only packing
// allocates, and only to grow.
//
// Matrices are row-major and contiguous; a shape [m×n] means the first m·n elements of the slice. Slices may be longer
// than their shapes: the rest is neither read nor written. Every function panics where a slice is shorter. The first
// argument is the result, the only one written unless stated otherwise, and must not overlap another argument unless stated.
//
// # Rows are pure
//
// Where m counts rows of examples, an output row depends, bit for bit, on its own input row, the shared operands and the
// inner dimensions alone: not on m, on the row's position, on its neighbours' values, or on how a batch is cut into calls.
// A NaN or Inf in one row never reaches another. No kernel skips work because of the values it meets.
//
// # Chains
//
// Each documented sum is evaluated in the order of its loop, as one chain of roundings per element. The assembly
// (AVX2, AVX-512: the same bits) fuses each multiplication with its addition, fma(x, y, c), and ends a chain by adding +0, so that
// it never stores −0; the pure Go version rounds the product, then the sum. Results therefore agree between the two within rounding,
// and repeat bit for bit within either.
package kernel

// Product computes dst = a·b + bias.
//
//	for i := range m {
//		for j := range n {
//			sum := bias[j] // +0 if bias is nil
//			for t := range k {
//				sum = fma(a[i*k+t], b[t*n+j], sum)
//			}
//			dst[i*n+j] = sum
//		}
//	}
//
// dst: [m×n], a: [m×k], b: [k×n], bias: [n] or nil. Where many calls share b, pack it once: see [ProductPacked].
func Product(dst, a, b, bias []float32, m, k, n int) {
	product(shape(dst, m, n), shape(a, m, k), shape(b, k, n), biasOf(bias, n), m, k, n)
}

// ProductPacked computes dst = a·b + bias with the same chains, and so the same bits, as [Product].
//
// dst: [m×n], a: m rows of k that start aRow >= k apart, b packed from [k×n], bias: [n] or nil.
func ProductPacked(dst, a []float32, b *Packed, bias []float32, m, aRow int) {
	productPacked(shape(dst, m, b.n), apart(a, m, b.k, aRow), b, biasOf(bias, b.n), m, b.n, aRow)
}

// ProductTransposed computes dst = a·wᵀ + bias with the chains of [Product], and so the bits of [ProductPacked] with a packed wᵀ. It
// packs 32 rows of w at a time, into scratch: for a w too large to be kept packed.
//
// dst: [m×n], a: m rows of k that start aRow >= k apart, w: [n×k], bias: [n] or nil.
func ProductTransposed(dst, a, w, bias []float32, scratch *Packed, m, k, n, aRow int) {
	dst, a, w, bias = shape(dst, m, n), apart(a, m, k, aRow), shape(w, n, k), biasOf(bias, n)
	for j := 0; j < n && m > 0; j += panelWidth {
		columns := min(panelWidth, n-j)
		scratch.PackTransposed(w[j*k:(j+columns)*k], columns, k)
		productPacked(dst[j:], a, scratch, biasOf(bias[min(j, len(bias)):], columns), m, n, aRow)
	}
}

// Dots computes dst = a·wᵀ + bias for few outputs: the lanes of a vector run along k instead of n.
//
//	for i := range m {
//		for j := range n {
//			var lane [16]float32
//			for t := range k {
//				lane[t%16] = fma(a[i*k+t], w[j*k+t], lane[t%16])
//			}
//			for h := 8; h > 0; h /= 2 {
//				for l := range h {
//					lane[l] += lane[l+h]
//				}
//			}
//			dst[i*n+j] = (lane[0] + 0) + bias[j] // bias nil: +0
//		}
//	}
//
// The association of the sum is a function of k alone. dst: [m×n], a: [m×k], w: [n×k], bias: [n] or nil.
// It is faster than [ProductPacked] where n <= 16 and 12·n <= k, as measured with AVX-512.
func Dots(dst, a, w, bias []float32, m, k, n int) {
	dots(shape(dst, m, n), shape(a, m, k), shape(w, n, k), biasOf(bias, n), m, k, n)
}

// AddOuter adds dᵀ·x to sum: the sum over rows of the outer products of d's rows with x's.
//
//	for i := range m {
//		for j := range n {
//			for t := range p {
//				sum[j*p+t] = fma(d[i*dRow+j], x[i*xRow+t], sum[j*p+t])
//			}
//		}
//	}
//
// sum: [n×p], d: m rows of n that start dRow >= n apart, x: m rows of p that start xRow >= p apart. Each element is one chain over
// the rows in ascending order that continues the value found in memory: the rows may be cut into calls anywhere without changing a bit.
//
// A row of zeros in d changes no bit of sum, as if it were absent, if x's row is finite and sum held no −0 before the
// first call (sums that start at +0 do not). For a sum s, fma(±0, x, s) = s + (±0): that is s unless s is a zero, and then it is a
// zero. So the chains with and without the row hold equal values throughout, at most a zero's sign apart, since equal addends of
// fma give equal values. At the end of a call +0 is added, which makes every zero +0 and alters nothing else. (In the middle of a
// chain −0 does arise: fma(2⁻⁸⁰, −2⁻⁸⁰, +0) underflows to it. In pure Go it does not: +0 + (−0) is +0.)
func AddOuter(sum, d, x []float32, m, n, p, dRow, xRow int) {
	addOuter(shape(sum, n, p), apart(d, m, n, dRow), apart(x, m, p, xRow), m, n, p, dRow, xRow)
}

// AddRows adds the rows of d to sum.
//
//	for i := range m {
//		for j := range n {
//			sum[j] += d[i*n+j]
//		}
//	}
//
// sum: [n], d: [m×n]. Each element is one chain as in [AddOuter], and rows of zeros change no bit in the same sense.
func AddRows(sum, d []float32, m, n int) {
	addRows(shape(sum, 1, n), shape(d, m, n), m, n)
}

// SparseProduct adds the product of one sparse row with w to z.
//
//	for t, row := range idx {
//		for j := range n {
//			z[j] = fma(val[t], w[int(row)*n+j], z[j])
//		}
//	}
//
// z: [n], idx and val: the columns and values of the row's nonzeros, of one length, w: [columns×n]. It panics if an
// index is not below len(w)/n.
func SparseProduct(z []float32, idx []uint32, val, w []float32, n int) {
	checkIndices(idx, len(w), n)
	sparseProduct(shape(z, 1, n), idx, shape(val, 1, len(idx)), w, n)
}

// SparseAddOuter adds the outer product of one sparse row with d to sum.
//
//	for t, row := range idx {
//		for j := range n {
//			sum[int(row)*n+j] = fma(val[t], d[j], sum[int(row)*n+j])
//		}
//	}
//
// sum: [columns×n], d: [n]; idx and val as in [SparseProduct]. Each element is one chain as in [AddOuter], and a d of
// zeros with finite val changes no bit in the same sense. It panics if an index is not below len(sum)/n.
func SparseAddOuter(sum []float32, idx []uint32, val, d []float32, n int) {
	checkIndices(idx, len(sum), n)
	sparseAddOuter(sum, idx, shape(val, 1, len(idx)), shape(d, 1, n), n)
}

// checkIndices panics unless every index names a whole row of n elements within size.
func checkIndices(idx []uint32, size, n int) {
	if n == 0 {
		return
	}
	rows := size / n
	for _, row := range idx {
		if int64(row) >= int64(rows) {
			panic("kernel: sparse index out of range")
		}
	}
}

// shape returns the first rows·cols elements of s; it panics if s is shorter, whatever its capacity.
func shape[T any](s []T, rows, cols int) []T { return s[: rows*cols : len(s)] }

// apart returns the elements of s up to the end of the last of rows rows of cols that start row apart; it panics if they
// overlap or s is shorter.
func apart(s []float32, rows, cols, row int) []float32 {
	if row < cols {
		panic("kernel: rows overlap")
	}
	if rows == 0 {
		return s[:0]
	}
	return s[: (rows-1)*row+cols : len(s)]
}

// biasOf returns the first n elements of bias, or nil if it is nil.
func biasOf(bias []float32, n int) []float32 {
	if bias == nil {
		return nil
	}
	return shape(bias, 1, n)
}
