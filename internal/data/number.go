package data

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
)

// What can be wrong with a cell; predicates of a column.
const (
	notNumber  = "is not a number"
	outOfRange = "is a number out of range"
	noValue    = "has no value"
)

// scanNumber reads the plain decimal number that text holds from at on: a minus or none, digits with at most one point
// among or around them, of which there are few enough that the result, the nearest float64, is exact arithmetic. end is
// the index after it. ok is false where there is no such number; then there may still be another that parseNumber reads.
func scanNumber(text []byte, at int) (x float64, end int, ok bool) {
	if len(text)-at >= 32 {
		if x, end, ok = scanShort(text[at : at+32]); ok {
			return x, at + end, true
		}
	}
	const most = 19 // digits: 10^19 fits an uint64
	negative := at < len(text) && text[at] == '-'
	if negative {
		at++
	}
	start := at
	var mantissa uint64
	for ; at < len(text) && isDigit(text[at]); at++ {
		mantissa = mantissa*10 + uint64(text[at]-'0')
	}
	digits, scale := at-start, 0
	if at < len(text) && text[at] == '.' {
		at++
		point := at
		for ; at < len(text) && isDigit(text[at]); at++ {
			mantissa = mantissa*10 + uint64(text[at]-'0')
		}
		scale = at - point
		digits += scale
	}
	// Integers up to 2^53 and powers of ten up to 10^22 are float64 numbers, so that the one operation that combines
	// them rounds correctly (Clinger 1990, How to read floating point numbers accurately).
	if digits == 0 || digits > most || mantissa > 1<<53 {
		return 0, at, false
	}
	x = float64(mantissa)
	if scale > 0 {
		x /= math.Pow10(scale)
	}
	if negative {
		x = -x
	}
	return x, at, true
}

// scanShort is scanNumber for a number of one to eight digits and at most eight more behind a point, at the start of 32
// bytes of text. It does not branch on how many digits there are, which no processor can predict.
func scanShort(text []byte) (x float64, end int, ok bool) {
	const zeros = 0x3030303030303030
	_ = text[31] // so that the indices below need no check
	minus := 0
	if text[0] == '-' {
		minus = 1
	}
	whole := binary.LittleEndian.Uint64(text[minus:]) ^ zeros
	digits := leadingDigits(whole)
	if digits == 0 {
		return 0, 0, false
	}
	mantissa := eightDigits(whole << (64 - 8*digits)) // zeros before the first digit
	end = minus + digits
	if text[end] == '.' {
		fraction := binary.LittleEndian.Uint64(text[end+1:]) ^ zeros
		digits = leadingDigits(fraction)
		mantissa = mantissa*1e8 + eightDigits(fraction&(1<<(8*digits)-1)) // zeros behind the last
		end += 1 + digits
		x = float64(mantissa) / 1e8 // exact but for its one rounding, as below
	} else {
		x = float64(mantissa)
	}
	if digits == 8 && isDigit(text[end]) || mantissa > 1<<53 {
		return 0, 0, false
	}
	return math.Float64frombits(math.Float64bits(x) | uint64(minus)<<63), end, true
}

// leadingDigits counts the bytes of word, the lowest first, before one above 9.
func leadingDigits(word uint64) int {
	// A byte from 10 to 127 carries into its highest bit; what carries further does so behind it.
	above := (word + 0x7676767676767676 | word) & 0x8080808080808080
	return bits.TrailingZeros64(above) / 8
}

// eightDigits is the number that the bytes of word are the digits of, the lowest first.
func eightDigits(word uint64) uint64 {
	word = word*10 + word>>8 // each second byte: two digits
	const pairs = 0x000000ff000000ff
	return (word&pairs*(100+1_000_000<<32) + word>>16&pairs*(1+10_000<<32)) >> 32
}

// parseNumber reads a decimal number: an optional sign, digits with at most one point among or around them, an optional
// exponent; spaces and tabs around it are ignored. Nothing else is a number: no NaN or infinity, no hexadecimal, no
// underscores, no decimal comma. The result is the nearest float64; a number that is beyond the largest one is out of
// range, one that is too small for the least is 0. problem is empty, notNumber or outOfRange.
func parseNumber(text []byte) (x float64, problem string) {
	if x, end, ok := scanNumber(text, 0); ok && end == len(text) {
		return x, ""
	}
	text = trimBlanks(text)
	if !isNumber(text) {
		return 0, notNumber
	}
	x, err := strconv.ParseFloat(string(text), 64)
	if err != nil { // the syntax is checked, so only the range is left
		return 0, outOfRange
	}
	return x, ""
}

// isNumber reports whether text is what parseNumber takes, without blanks around it.
func isNumber(text []byte) bool {
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		text = text[1:]
	}
	whole := skipDigits(text)
	fraction := whole
	if len(whole) > 0 && whole[0] == '.' {
		fraction = skipDigits(whole[1:])
		if len(text) == len(fraction)+1 { // the point alone
			return false
		}
	} else if len(whole) == len(text) {
		return false
	}
	if len(fraction) == 0 {
		return true
	}
	if fraction[0] != 'e' && fraction[0] != 'E' {
		return false
	}
	exponent := fraction[1:]
	if len(exponent) > 0 && (exponent[0] == '+' || exponent[0] == '-') {
		exponent = exponent[1:]
	}
	return len(exponent) > 0 && len(skipDigits(exponent)) == 0
}

// skipDigits is text without the digits that it begins with.
func skipDigits(text []byte) []byte {
	for len(text) > 0 && isDigit(text[0]) {
		text = text[1:]
	}
	return text
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func trimBlanks(text []byte) []byte {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
		text = text[1:]
	}
	for len(text) > 0 && (text[len(text)-1] == ' ' || text[len(text)-1] == '\t') {
		text = text[:len(text)-1]
	}
	return text
}
