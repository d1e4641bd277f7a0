//go:build !amd64 || purego

package lattice

func roundAdd(dst []int64, src []float32, inverseStep float64) {
	roundAddGeneric(dst, src, inverseStep)
}
