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
		roundAddAVX2(&dst[0], &src[0], len(src)/zeroRun, inverseStep)
	default:
		roundAddAVX512(&dst[0], &src[0], len(src)/zeroRun, inverseStep)
	}
}

// rowsAhead is how many rows are on their way from memory while one is rounded.
const rowsAhead = 4

// roundAddRows is roundAdd for the rows of n with the given numbers, each in whole runs from its first element on.
func roundAddRows(dst []int64, src []float32, rows []uint32, n int, inverseStep float64) {
	if active == isa.Generic {
		roundAddRowsGeneric(dst, src, rows, n, inverseStep)
		return
	}
	runs := rowRuns(n)
	round := func(rows, ahead []uint32) {
		switch {
		case len(rows) == 0:
		case active == isa.AVX2:
			roundAddRowsAVX2(&dst[0], &src[0], &rows[0], &ahead[0], len(rows), n, runs, inverseStep)
		default:
			roundAddRowsAVX512(&dst[0], &src[0], &rows[0], &ahead[0], len(rows), n, runs, inverseStep)
		}
	}
	last := max(0, len(rows)-rowsAhead)
	round(rows[:last], rows[len(rows)-last:])
	round(rows[last:], rows[last:])
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
