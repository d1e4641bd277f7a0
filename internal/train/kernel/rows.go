package kernel

// SquaredNorms computes the squared L2 norm of each row of a in float64.
//
//	for i := range m {
//		var lane [16]float64
//		for t := range k {
//			lane[t%16] += float64(a[i*k+t]) * float64(a[i*k+t])
//		}
//		for h := 8; h > 0; h /= 2 {
//			for l := range h {
//				lane[l] += lane[l+h]
//			}
//		}
//		dst[i] = lane[0]
//	}
//
// dst: [m], a: [m×k]. The squares are exact, so a norm is k−1 roundings of sums from the truth, and all versions give the same bits.
func SquaredNorms(dst []float64, a []float32, m, k int) {
	squaredNorms(shape(dst, 1, m), shape(a, m, k), m, k)
}

// ScaleRows multiplies row i of a by s[i], in place.
//
//	for i := range m {
//		for t := range k {
//			a[i*k+t] *= s[i]
//			if s[i] == 0 || math.Abs(float64(a[i*k+t])) < 0x1p-126 {
//				a[i*k+t] = 0
//			}
//		}
//	}
//
// a: [m×k], s: [m]. Subnormal products become +0, so that no element grows by rounding and later products do not slow
// down. Where s[i] is 0 the row becomes +0 even if it held NaN or Inf. All versions give the same bits.
func ScaleRows(a, s []float32, m, k int) {
	scaleRows(shape(a, m, k), shape(s, 1, m), m, k)
}

// Gather copies row rows[i] of src to row i of dst. dst: rows of k that start dstRow >= k apart, the elements between them
// untouched, src: [any×k]. It panics if a row lies outside src.
func Gather(dst, src []float32, rows []int32, k, dstRow int) {
	gather(apart(dst, len(rows), k, dstRow), src[:len(src):len(src)], rows, k, dstRow)
}
