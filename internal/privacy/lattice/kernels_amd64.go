//go:build !purego

package lattice

import (
	"encoding/binary"
	"math/bits"

	"dptrain/internal/privacy/isa"
)

//go:generate go -C ../../train/kernel/_gen run . lattice ../../../privacy/lattice

func roundAdd(dst []int64, src []float32, inverseStep float64) {
	switch {
	case active == isa.Generic || len(src) == 0:
		roundAddGeneric(dst, src, inverseStep)
	case active == isa.AVX2:
		roundAddAVX2(&dst[0], &src[0], len(src)/roundBlock, inverseStep)
	default:
		roundAddAVX512(&dst[0], &src[0], len(src)/roundBlock, inverseStep)
	}
}

// productVectors is the number of vectors that addProducts takes at a time.
const productVectors = 8

func addProducts(sum []int32, columns []uint32, values, d []float32, inverse float32) {
	if active == isa.Generic {
		addProductsGeneric(sum, columns, values, d, inverse)
		return
	}
	if len(columns) == 0 {
		return
	}
	add, most := addProductsAVX512, 16*productVectors
	if active == isa.AVX2 {
		add, most = addProductsAVX2, 8*productVectors
	}
	for j := 0; j < len(d); j += most {
		add(&sum[j], &columns[0], &values[0], &d[j], len(columns), min(most, len(d)-j), len(d), inverse)
	}
}

func widen(dst []int64, src []int32, shift int) {
	if active == isa.Generic || len(src) == 0 {
		widenGeneric(dst, src, shift)
		return
	}
	widenAVX2(&dst[0], &src[0], len(src)/wideBlock, shift)
}

// settle is settleGeneric. With AVX-512 some draws come late that their words would have settled: resume settles them by
// the same words.
func (t *table) settle(late []lateDraw, dst []int64, chunk []byte) []lateDraw {
	whole := len(dst) &^ 7
	if active < isa.AVX512 || whole == 0 || t.edge < usefulEdge {
		return t.settleGeneric(late, dst, chunk, 0)
	}
	var settled [blockWords / 8]byte // a bit for each word
	settleAVX512(&dst[0], &chunk[0], &t.quick[0].scale, &settled[0], whole/8, t.edge)
	for i := 0; i < whole; i += 64 {
		open := ^binary.LittleEndian.Uint64(settled[i/8:])
		if left := whole - i; left < 64 {
			open &= 1<<left - 1
		}
		for ; open != 0; open &= open - 1 {
			j := i + bits.TrailingZeros64(open)
			late = append(late, lateDraw{j, binary.LittleEndian.Uint64(chunk[wordSize*j:])})
		}
	}
	return t.settleGeneric(late, dst, chunk, whole)
}

// usefulEdge is where floating point still settles three quarters of what it could.
const usefulEdge = 0.375

func collect(dst, src []int64) {
	if active == isa.Generic || len(src) == 0 {
		collectGeneric(dst, src)
		return
	}
	collectAVX2(&dst[0], &src[0], len(src)/sumBlock)
}

func scale(dst []float32, src []int64, unit float64) {
	switch {
	case active == isa.Generic || len(src) == 0:
		scaleGeneric(dst, src, unit)
	case active == isa.AVX2:
		scaleAVX2(&dst[0], &src[0], len(src)/sumBlock, unit)
	default:
		scaleAVX512(&dst[0], &src[0], len(src)/sumBlock, unit)
	}
}
