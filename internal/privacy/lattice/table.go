package lattice

import (
	"math"
	"math/bits"
)

const (
	strips    = 1024 // a word's low 10 bits pick one
	placeBits = 54   // its other bits pick an integer of the strip
	places    = 1 << placeBits
	cut       = 64 // the support ends at 64·s
)

// strip is what the sampler's common case needs of one horizontal strip: the integers |z| ≤ X that can be under the
// curve in it, and the |z| ≤ inner that are, at every height of the strip.
type strip struct {
	width  uint64 // N = 2X+1
	refuse uint64 // a product whose low half is at most this is refused: k places stay for each integer
	skip   uint64 // X − inner
	sure   uint64 // 2·inner+1
}

// span is where a strip lies in height: from base/H to (base+height)/H.
type span struct {
	base, height uint64
}

// table cuts the area under ρ(z) = exp(−z²/2s²) into strips, strip 0 on top, each with k = height places for each of its
// N integers, so that strip and integer come out with probability proportional to the strip's height, exactly (the
// package comment has the argument). Only the widths come from floating point, and they need only be wide enough.
type table struct {
	strips [strips]strip
	spans  [strips]span
	unit   uint64 // H

	quick [strips]quickStrip
	edge  float64 // 1/2 − N·2⁻⁵² for the widest strip of quick
}

// quickStrip is a strip for floating point (the package comment says why it suffices).
type quickStrip struct {
	scale float64 // N·2⁻⁶⁴
	limit uint64  // m·2⁶⁴/N for the largest sure integer m, rounded down; 0 leaves the strip out
}

// newTable returns the table of s in [minParameter, maxParameter].
func newTable(s int64) *table {
	// The largest H that the strips can reach refuses the fewest words. H·Σρ places of 2⁶⁴ are used and Σρ > 2s, so
	// 2⁶³/s is out of reach.
	t := new(table)
	low, high := uint64(1), (1<<63)/uint64(s)
	for high-low > 1 {
		middle := low + (high-low)/2
		if t.fill(s, middle) {
			low = middle
		} else {
			high = middle
		}
	}
	t.fill(s, low)
	t.fillQuick()
	return t
}

// fillQuick leaves out the bottom strip: the one above it is the widest of the others, by far less. A strip cut off at
// height 1, which alone has a k below the largest, is left out by m = 0.
func (t *table) fillQuick() {
	for i, s := range t.strips[:strips-1] {
		t.quick[i].scale = float64(s.width) * 0x1p-64
		t.quick[i].limit, _ = bits.Div64(s.sure/2, 0, s.width)
	}
	t.edge = 0.5 - float64(t.strips[strips-2].width)*0x1p-52
}

// fill stacks strips from the bottom, each as high as its places allow, and reports whether they reach height 1. The one
// that reaches it is cut off there; strips above it have no height and refuse every word.
func (t *table) fill(s int64, unit uint64) bool {
	t.unit = unit
	base, outer := uint64(0), uint64(cut*s)
	for i := strips - 1; i >= 0; i-- {
		width := 2*outer + 1
		height := min((places-1)/width, unit-base)
		t.spans[i] = span{base: base, height: height}
		base += height
		z := edge(s, base, unit)
		inner := uint64(math.Max(0, math.Floor(z*(1-slack))-1))
		t.strips[i] = strip{
			width:  width,
			refuse: math.MaxUint64 - height*width<<(64-placeBits),
			skip:   outer - inner,
			sure:   2*inner + 1,
		}
		outer = uint64(math.Ceil(z*(1+slack))) + 1
	}
	return base == unit
}

// slack is the relative margin on edge, whose error is below 2⁻⁴⁸.
const slack = 0x1p-40

// edge returns the z ≥ 0 at which ρ(z) = height/unit, for height in [1, unit].
func edge(s int64, height, unit uint64) float64 {
	h := float64(height) / float64(unit)
	log := math.Log(h)
	if h > 0.5 { // near 1 the rounding of h would be most of its logarithm
		log = math.Log1p(-float64(unit-height) / float64(unit))
	}
	return float64(s) * math.Sqrt(-2*log)
}
