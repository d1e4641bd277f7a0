package lattice

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
func RoundAdd(dst []int64, src []float32, inverseStep float64) {
	if len(dst) != len(src) {
		panic("lattice: lengths differ")
	}
	whole := len(src) &^ (roundBlock - 1)
	roundAdd(dst[:whole], src[:whole], inverseStep)
	roundAddGeneric(dst[whole:], src[whole:], inverseStep)
}

// roundBlock is the number of elements that assembly rounds at a time: a cache line of src.
const roundBlock = 16

// roundAddGeneric is the loop of RoundAdd.
func roundAddGeneric(dst []int64, src []float32, inverseStep float64) {
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
