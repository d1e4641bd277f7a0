//go:build !amd64 || purego

package lattice

func roundAdd(dst []int64, src []float32, inverseStep float64) {
	roundAddGeneric(dst, src, inverseStep)
}

func addProducts(sum []int32, columns []uint32, values, d []float32, inverse float32) {
	addProductsGeneric(sum, columns, values, d, inverse)
}

func widen(dst []int64, src []int32, shift int) { widenGeneric(dst, src, shift) }

func (t *table) settle(late []lateDraw, dst []int64, chunk []byte) []lateDraw {
	return t.settleGeneric(late, dst, chunk, 0)
}

func collect(dst, src []int64) { collectGeneric(dst, src) }

func scale(dst []float32, src []int64, unit float64) { scaleGeneric(dst, src, unit) }
