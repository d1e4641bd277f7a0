//go:build !amd64 || purego

package lattice

func roundAdd(dst []int64, src []float32, inverseStep float64) {
	roundAddGeneric(dst, src, inverseStep)
}

func roundAddRows(dst []int64, src []float32, rows []uint32, n int, inverseStep float64) {
	roundAddRowsGeneric(dst, src, rows, n, inverseStep)
}

func (t *table) settle(late []lateDraw, dst []int64, chunk []byte) []lateDraw {
	return t.settleGeneric(late, dst, chunk, 0)
}

func collect(dst, src []int64) { collectGeneric(dst, src) }

func scale(dst []float32, src []int64, unit float64) { scaleGeneric(dst, src, unit) }
