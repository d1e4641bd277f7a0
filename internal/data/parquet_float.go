package data

import (
	"encoding/binary"
	"math"
	"strconv"
)

// floatCell is a float as the decimal number, which is not the float's own value: 0.1 and not 0.10000000149.
func floatCell(text []byte, in input, x float32) ([]byte, cell) {
	if in.number {
		if decimal, ok := shortestDecimal(x); ok {
			return text, cell{number: decimal, numeric: true}
		}
	}
	return ended(appendShortest(text, float64(x), 32), len(text))
}

// float16 makes a number of a float of 16 bits: that of the float of 32 that has its value, as tools read it that have no halves.
func float16(in input) func([]byte, parquetValue) ([]byte, cell) {
	return func(text []byte, v parquetValue) ([]byte, cell) {
		if len(v.bytes) != 2 {
			return text, cell{invalid: true}
		}
		return floatCell(text, in, widened(binary.LittleEndian.Uint16(v.bytes)))
	}
}

// widened is the value of a float of 16 bits (IEEE 754 binary16).
func widened(bits uint16) float32 {
	const (
		exponent = 0x7c00   // all ones: an infinity, or no number
		rebias   = 0x1p+112 // exponents count from -15, those of 32 bits from -127; exact for subnormals, too
	)
	sign, rest := uint32(bits&0x8000)<<16, uint32(bits&0x7fff)<<13
	if bits&exponent == exponent {
		return math.Float32frombits(sign | 0xff<<23 | rest)
	}
	return math.Float32frombits(sign|rest) * rebias
}

// shortestDecimal is the number that appendShortest writes of a float, in a third of the time. ok is false for a few floats.
//
// A decimal number has the float's value where it is less than half a step of floats away. Decimals of six digits are further
// apart than that, so that one that has it is the nearest to the float; where none has, the nearest of seven, eight or nine may.
func shortestDecimal(f float32) (decimal float64, ok bool) {
	const least, most, doubt = 1e-6, 1e9, 1e-6
	x := math.Abs(float64(f))
	mantissa, exponent := math.Float32bits(f)&(1<<23-1), int(math.Float32bits(f)>>23&255)
	if !(x >= least && x < most) || mantissa == 0 { // at a power of two, the step below is another
		return float64(f), f == 0 || mantissa == 0 && x >= 1 && x < 1<<24
	}
	half := math.Float64frombits(uint64(exponent-127-24+1023) << 52)
	scale := 5 // of six digits: the places behind the point
	for power := 10.; power <= x; power *= 10 {
		scale--
	}
	for power := 1.; power > x; power /= 10 {
		scale++
	}
	for range 4 {
		power := math.Pow10(max(scale, 0))
		if scale < 0 {
			return 0, false
		}
		scaled := x * power // within 2^-23 of the product, which is below 10^9
		whole := math.Floor(scaled + 0.5)
		decimal = whole / power // rounded once: both are float64 numbers
		switch off := math.Abs(decimal - x); {
		case math.Abs(math.Abs(scaled-whole)-0.5) < doubt, math.Abs(off-half) < doubt*half:
			return 0, false
		case off < half:
			return math.Copysign(decimal, float64(f)), true
		}
		scale++
	}
	return 0, false
}

// appendShortest appends the shortest decimal number that is x in its type; with an exponent only where there were many
// zeros without, as JavaScript writes numbers.
func appendShortest(text []byte, x float64, bits int) []byte {
	form := byte('f')
	if abs := math.Abs(x); abs != 0 && abs < 1e-6 || abs >= 1e21 {
		form = 'e'
	}
	return strconv.AppendFloat(text, x, form, -1, bits)
}
