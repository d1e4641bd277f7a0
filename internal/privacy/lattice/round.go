package lattice

import (
	"math"
	"math/bits"
)

// RoundAdd rounds a range's float32 sum to the lattice, adds it to the integer sum and clears it for the next range:
//
//	for j := range src {
//		dst[j] += src[j]·inverseStep, rounded to the nearest integer, ties to even
//		src[j] = +0
//	}
//
// inverseStep is 1/g, a power of two, so the product is exact and the only rounding is the one to the lattice. dst and
// src have one length, else it panics. |src[j]|·inverseStep is below 2⁶², and dst[j] keeps within int64, by [Choose];
// for a product outside int64, an infinity or NaN, dst[j] is an unspecified integer (the lowest is added on amd64) and
// the other coordinates are as stated.
//
// Where a run of src is +0 throughout, as sparse gradients leave most of it, dst is not even read: adding 0 changes no
// bit of it, so whether that run was skipped is no property of the sum.
func RoundAdd(dst []int64, src []float32, inverseStep float64) {
	if len(dst) != len(src) {
		panic("lattice: lengths differ")
	}
	whole := len(src) &^ (zeroRun - 1)
	roundAdd(dst[:whole], src[:whole], inverseStep)
	roundAddEach(dst[whole:], src[whole:], inverseStep)
}

// RoundAddRows is [RoundAdd] for a sum made of rows of n coordinates, where most rows are +0 throughout: bit r%64 of
// marked[r/64] is set for each row r that may not be. It clears marked, too. The other rows are not looked at, or only where that is
// faster: adding 0 changes no bit.
//
// dst and src: [rows×n], n > 0, marked: [⌈rows/64⌉]; it panics where lengths differ, or if a bit is set beyond the rows.
func RoundAddRows(dst []int64, src []float32, marked []uint64, n int, inverseStep float64) {
	rows := len(src) / n
	if len(dst) != len(src) || len(src) != rows*n || len(marked) != (rows+63)/64 {
		panic("lattice: lengths differ")
	}
	if rows%64 != 0 && marked[rows/64]>>(rows%64) != 0 {
		panic("lattice: row out of range")
	}
	if n < zeroRun && countBits(marked) > rows/8 { // then going from one to the next takes longer, as measured
		RoundAdd(dst, src, inverseStep)
		clear(marked)
		return
	}
	// A row is taken in whole runs, past its end into the next ones, which adds what is there once, as is its due. Where that
	// would be past the end of all, it is taken alone.
	most := (len(src) - rowRuns(n)*zeroRun) / n // the last row that can be taken so, if any
	if len(src) < rowRuns(n)*zeroRun {
		most = -1
	}
	var numbers [256]uint32
	count := 0
	for w, word := range marked {
		for ; word != 0; word &= word - 1 {
			row := 64*w + bits.TrailingZeros64(word)
			if row > most {
				RoundAdd(dst[row*n:(row+1)*n], src[row*n:(row+1)*n], inverseStep)
				continue
			}
			numbers[count] = uint32(row)
			if count++; count == len(numbers) {
				roundAddRows(dst, src, numbers[:count], n, inverseStep)
				count = 0
			}
		}
		marked[w] = 0
	}
	roundAddRows(dst, src, numbers[:count], n, inverseStep)
}

// rowRuns is the number of runs that a row of n may reach into.
func rowRuns(n int) int { return (n+zeroRun-2)/zeroRun + 1 }

func countBits(words []uint64) int {
	count := 0
	for _, word := range words {
		count += bits.OnesCount64(word)
	}
	return count
}

// zeroRun is the number of elements that are looked at together: a cache line of src.
const zeroRun = 16

// roundAddGeneric is the loop of RoundAdd for whole runs.
func roundAddGeneric(dst []int64, src []float32, inverseStep float64) {
	for len(src) > 0 {
		if run := (*[zeroRun]float32)(src); !allZero(run) {
			roundAddEach(dst[:zeroRun], run[:], inverseStep)
		}
		dst, src = dst[zeroRun:], src[zeroRun:]
	}
}

// roundAddRowsGeneric is roundAdd for rows of n with the given numbers.
func roundAddRowsGeneric(dst []int64, src []float32, rows []uint32, n int, inverseStep float64) {
	for _, row := range rows {
		from := int(row) * n
		roundAddEach(dst[from:from+n], src[from:from+n], inverseStep)
	}
}

// allZero reports whether all elements are +0.
func allZero(run *[zeroRun]float32) bool {
	var bits uint32
	for _, v := range run {
		bits |= math.Float32bits(v)
	}
	return bits == 0
}

// roundAddEach is the loop of RoundAdd.
func roundAddEach(dst []int64, src []float32, inverseStep float64) {
	// Adding 1.5·2⁵² rounds |x| < 2⁵¹ to an integer, since float64s are whole from 2⁵² to 2⁵³. A larger x has 24
	// significant bits and is a multiple of 2²⁸: it is whole, and the sum and the difference are exact.
	const whole = 0x1.8p52
	dst = dst[:len(src)]
	for j, v := range src {
		x := float64(v) * inverseStep
		dst[j] += int64((x + whole) - whole)
		src[j] = 0
	}
}
