package lattice

// Collect adds the integer sum of one worker to that of another, wrapping beyond int64, and clears it for the next step:
//
//	for j := range src {
//		dst[j] += src[j]
//		src[j] = 0
//	}
//
// It panics if dst and src have not one length.
func Collect(dst, src []int64) {
	if len(dst) != len(src) {
		panic("lattice: lengths differ")
	}
	whole := len(src) &^ (sumBlock - 1)
	collect(dst[:whole], src[:whole])
	collectGeneric(dst[whole:], src[whole:])
}

// Scale makes floating point of a sum, which it clears for the next step:
//
//	for j := range src {
//		dst[j] = float32(float64(src[j]) · unit)
//		src[j] = 0
//	}
//
// Each of the three operations rounds to nearest. It panics if dst and src have not one length.
func Scale(dst []float32, src []int64, unit float64) {
	if len(dst) != len(src) {
		panic("lattice: lengths differ")
	}
	whole := len(src) &^ (sumBlock - 1)
	scale(dst[:whole], src[:whole], unit)
	scaleGeneric(dst[whole:], src[whole:], unit)
}

// sumBlock is the number of elements that assembly takes at a time: a cache line of an integer sum.
const sumBlock = 8

func collectGeneric(dst, src []int64) {
	for j, v := range src {
		dst[j] += v
	}
	clear(src)
}

func scaleGeneric(dst []float32, src []int64, unit float64) {
	for j, v := range src {
		dst[j] = float32(float64(v) * unit)
	}
	clear(src)
}
