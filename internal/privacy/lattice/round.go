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
