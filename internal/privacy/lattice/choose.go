package lattice

import (
	"fmt"
	"math"
)

// Demand is what a run asks of its lattice, all of it public.
type Demand struct {
	Params          int     // P, the coordinates of the sum
	Products        int     // S, how many of them are summed product by product ([Products]) and not in float32
	Slots           int     // rows that one sum may hold
	MaxDrawn        int     // R, the largest number of rows summed in float32 before a rounding to the lattice
	Bound           float64 // C, the L2 norm that no row's contribution exceeds
	NoiseMultiplier float64 // σ, standard deviation of the noise ÷ C
}

// Lattice is the grid g·ℤ of a run's integer sum, and its noise.
type Lattice struct {
	// Step is g, a power of two.
	Step float64
	// ProductStep is h, the smallest power of two with C/h ≤ 2²⁴, or g if that is larger: what products are rounded to.
	ProductStep float64
	// Eta is η = u·R²·(1+R·u) + √P·g/C + √S·h/2C, u = 2⁻²⁴, rounded up: nulling one row changes the rounded sum, times g,
	// by at most C·(1+η) in L2 norm (claim 2).
	Eta float64
	// Parameter is s = σ·C·(1+η)/g, rounded up: that of the discrete Gaussian to add to each coordinate.
	Parameter int64
}

const (
	unitRoundoff = 0x1p-24 // of float32

	roundingShare  = 0x1p-20          // of C: the most that rounding to the lattice may add to the sensitivity
	largestProduct = 1 << productBits // C in product steps, at most
	wantedNoise    = 1 << 38          // the lattice is made fine enough for this s,
	requiredNoise  = 1 << 24          // or for this one, where the integer sum leaves no room for more
	sumCeiling     = 0x1p62           // |sum + noise| stays below: one bit less than int64 holds
	upward         = 1 + 1e-12        // factor that covers the float64 rounding of what must be an upper bound
	minBound       = 1e-6
	maxBound       = 1e6
	minNoise       = 1e-9
	maxNoise       = 1e9
	maxCount       = 1 << 40
	maxDrawn       = 1 << 12 // η reaches 1
)

// Choose returns the coarsest lattice with √P·g ≤ 2⁻²⁰·C and s ≥ 2³⁸; where sum and noise would then reach 2⁶², the
// finest on which they do not, if it still has √P·g ≤ 2⁻²⁰·C and s ≥ 2²⁴. It is a function of d alone. It errors if a
// field of d is out of range, and with a [*NoRoomError] if there is no such lattice.
func Choose(d Demand) (Lattice, error) {
	if err := d.check(); err != nil {
		return Lattice{}, err
	}
	coarsest := d.coarsest()
	step := powerBelow(coarsest)
	for d.noise(step) < wantedNoise {
		step /= 2
	}
	for step <= coarsest && !d.fits(step) {
		step *= 2
	}
	if step > coarsest || d.noise(step) < requiredNoise {
		return Lattice{}, &NoRoomError{Demand: d}
	}
	return Lattice{Step: step, ProductStep: d.productStep(step), Eta: d.eta(step), Parameter: int64(d.noise(step))}, nil
}

func (d Demand) check() error {
	switch {
	case d.Params < 1 || d.Params > maxCount:
		return fmt.Errorf("number of parameters is %d, want an integer in [1, 2^40]", d.Params)
	case d.Products < 0 || d.Products > d.Params:
		return fmt.Errorf("number of products is %d, want an integer in [0, %d]", d.Products, d.Params)
	case d.Slots < 1 || d.Slots > maxCount:
		return fmt.Errorf("number of slots is %d, want an integer in [1, 2^40]", d.Slots)
	case d.MaxDrawn < 1 || d.MaxDrawn > maxDrawn:
		return fmt.Errorf("largest number of rows in a range is %d, want an integer in [1, 4096]", d.MaxDrawn)
	case !(d.Bound >= minBound && d.Bound <= maxBound):
		return fmt.Errorf("clipping norm is %v, want a number in [%g, %g]", d.Bound, minBound, maxBound)
	case !(d.NoiseMultiplier >= minNoise && d.NoiseMultiplier <= maxNoise):
		return fmt.Errorf("noise multiplier is %v, want a number in [%g, %g]", d.NoiseMultiplier, minNoise, maxNoise)
	}
	return nil
}

// coarsest is the largest step by which rounding stays within its share of C, rounded down.
func (d Demand) coarsest() float64 {
	return roundingShare * d.Bound / (math.Sqrt(float64(d.Params)) * upward)
}

// eta is η at a step, rounded up.
func (d Demand) eta(step float64) float64 {
	r := float64(d.MaxDrawn)
	sums := unitRoundoff*r*r*(1+r*unitRoundoff) + math.Sqrt(float64(d.Params))*step/d.Bound
	return (sums + math.Sqrt(float64(d.Products))*d.productStep(step)/(2*d.Bound)) * upward
}

// productStep is h at a step.
func (d Demand) productStep(step float64) float64 {
	h := powerBelow(d.Bound / largestProduct)
	if d.Bound/h > largestProduct {
		h *= 2
	}
	return max(h, step)
}

// noise is s at a step, an integer.
func (d Demand) noise(step float64) float64 {
	return math.Ceil(d.NoiseMultiplier * d.Bound * (1 + d.eta(step)) / step * upward)
}

// fits reports whether the sampler has this s, and whether no sum of all slots' contributions plus noise reaches the
// ceiling.
func (d Demand) fits(step float64) bool {
	sum := float64(d.Slots) * d.Bound * (1 + d.eta(step)) / step * upward
	return d.noise(step) <= maxParameter && sum+cut*d.noise(step) < sumCeiling
}

// powerBelow returns the largest power of two that is at most x, for a normal x > 0.
func powerBelow(x float64) float64 {
	_, exponent := math.Frexp(x)
	return math.Ldexp(1, exponent-1)
}

// ExtraEpsilon is what steps steps of params coordinates with the discrete noise add to the ε of the same steps with
// continuous noise, at any δ; rounded up, for s ≥ 2¹⁰ (claim 3, which also says what it takes of δ).
func (l Lattice) ExtraEpsilon(params, steps int) float64 {
	s := float64(l.Parameter)
	return 172 * float64(params) * float64(steps) / (s * s) * upward
}

// TotalVariation is an upper bound on the distance in total variation between the discrete noise of steps steps of
// params coordinates and continuous noise rounded to the lattice (claim 3).
func (l Lattice) TotalVariation(params, steps int) float64 {
	s := float64(l.Parameter)
	return math.Sqrt(float64(params)) * math.Sqrt(float64(steps)) / (25 * s * s) * upward
}

// NoRoomError says that no lattice is both fine enough for the noise and coarse enough for the integer sum.
type NoRoomError struct {
	Demand Demand
}

func (e *NoRoomError) Error() string {
	return fmt.Sprintf("noise multiplier %v with %d parameters and %d slots leaves no room in a 64-bit sum",
		e.Demand.NoiseMultiplier, e.Demand.Params, e.Demand.Slots)
}

// Hint says what to change.
func (e *NoRoomError) Hint() string {
	fewest := e.Demand
	fewest.Slots = 1
	if _, err := Choose(fewest); err != nil {
		return "a smaller noise multiplier (a larger epsilon) or fewer parameters"
	}
	return "fewer slots, fewer parameters or a larger noise multiplier"
}
