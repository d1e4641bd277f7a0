package privacy

import (
	"fmt"
	"math"
)

// A Clipper bounds what one row can add to the sum of gradients.
type Clipper interface {
	// Scale sets scale[i] to the factor on row i's gradient, given upper bounds of the squared L2 norms. A norm that
	// is not finite gives 0.
	Scale(scale []float32, squaredNorms []float64)
	// Bound is the largest L2 norm of a row's scaled gradient in exact arithmetic: what nulling one row can change.
	// Replacing a row can change twice as much; its accounting says so.
	Bound() float64
}

// The clipping norms accepted: far enough from float32's ends that no argument about rounding meets them.
const (
	minClippingNorm = 1e-6
	maxClippingNorm = 1e6
)

// Flat clips the whole gradient of a row, over all layers, to L2 norm C.
type Flat struct{ norm float64 }

// NewFlat returns flat clipping to norm C in [1e-6, 1e6].
func NewFlat(norm float64) (Flat, error) {
	if !(norm >= minClippingNorm && norm <= maxClippingNorm) {
		return Flat{}, fmt.Errorf("clipping norm is %v, want a number in [%g, %g]", norm, minClippingNorm, maxClippingNorm)
	}
	return Flat{norm}, nil
}

// Scale sets scale[i] = min(1, C(1−2⁻²²)/N), N the root of squaredNorms[i], rounded down to float32; below 2⁻¹²⁶ it
// is 0. With the rounding of the scaled deltas, (1+2⁻²⁴) a coordinate, the scaled gradient's exact norm is at most
//
//	C(1−2⁻²²)(1+2⁻²⁴)(1+2⁻⁵¹) < C:
//
// the last factor covers the root and the quotient in float64, and there is room for one more rounding of each product,
// where a kernel does not fuse it with the sum. A row that is not scaled at all (N ≤ C(1−2⁻²²)) is
// shorter than C already.
func (f Flat) Scale(scale []float32, squaredNorms []float64) {
	bound := f.norm * (1 - 0x1p-22)
	for i, square := range squaredNorms {
		norm := math.Sqrt(square)
		switch {
		case norm <= bound:
			scale[i] = 1
		case norm < math.Inf(1):
			scale[i] = roundDown(bound / norm)
		default: // infinite, or NaN: the row is null
			scale[i] = 0
		}
	}
}

// roundDown is the largest float32 not above x in [0, 1], or 0 where that would be subnormal.
func roundDown(x float64) float32 {
	y := float32(x)
	above := uint32(0) // a number, not a branch: as good as a coin's toss, it would be guessed wrong half of the time
	if float64(y) > x {
		above = 1
	}
	y = math.Float32frombits(math.Float32bits(y) - above) // the float32 before y, which is positive if it is above x
	if y < 0x1p-126 {
		return 0
	}
	return y
}

// Bound is C.
func (f Flat) Bound() float64 { return f.norm }
