package lattice

import "math"

// RoundAdd rounds a range's float32 sum to the lattice, adds it to the integer sum and clears it for the next range:
//
//	for j := range src {
//		dst[j] += src[j]·inverseStep, rounded to the nearest integer, ties to even
//		src[j] = +0
//	}
//
// inverseStep is 1/g, a power of two, so the product is exact and the only rounding is the one to the lattice. dst and
// src have one length, else it panics. |src[j]|·inverseStep is below 2⁶², and dst[j] keeps within int64, by [Choose];
// for a larger product, an infinity or NaN, dst[j] is an unspecified integer and the other coordinates are as stated.
func RoundAdd(dst []int64, src []float32, inverseStep float64) {
	if len(dst) != len(src) {
		panic("lattice: lengths differ")
	}
	for len(src) >= zeroRun {
		// Sparse gradients leave most of a range's sum at zero: what adds nothing is not fetched from dst.
		if run := (*[zeroRun]float32)(src); !allZero(run) {
			roundAdd(dst[:zeroRun], run[:], inverseStep)
		}
		dst, src = dst[zeroRun:], src[zeroRun:]
	}
	roundAdd(dst, src, inverseStep)
}

// zeroRun is the number of elements that are looked at together: a cache line of dst.
const zeroRun = 8

// allZero reports whether all elements are +0.
func allZero(run *[zeroRun]float32) bool {
	var bits uint32
	for _, v := range run {
		bits |= math.Float32bits(v)
	}
	return bits == 0
}

// roundAdd is the loop of RoundAdd.
func roundAdd(dst []int64, src []float32, inverseStep float64) {
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
