//go:build !purego

package lattice

import "dptrain/internal/privacy/isa"

//go:generate go -C ../../train/kernel/_gen run . lattice ../../../privacy/lattice

func roundAdd(dst []int64, src []float32, inverseStep float64) {
	switch {
	case active == isa.Generic || len(src) == 0:
		roundAddGeneric(dst, src, inverseStep)
	case active == isa.AVX2:
		roundAddAVX2(&dst[0], &src[0], len(src)/zeroRun, inverseStep)
	default:
		roundAddAVX512(&dst[0], &src[0], len(src)/zeroRun, inverseStep)
	}
}
