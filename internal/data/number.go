package data

import "strconv"

// What can be wrong with a cell; predicates of a column.
const (
	notNumber  = "is not a number"
	outOfRange = "is a number out of range"
	noValue    = "has no value"
)

// parseNumber reads a decimal number: an optional sign, digits with at most one point among or around them, an optional
// exponent; spaces and tabs around it are ignored. Nothing else is a number: no NaN or infinity, no hexadecimal, no
// underscores, no decimal comma. The result is the nearest float64; a number that is beyond the largest one is out of
// range, one that is too small for the least is 0. problem is empty, notNumber or outOfRange.
func parseNumber(text []byte) (x float64, problem string) {
	text = trimBlanks(text)
	i, negative := 0, false
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		negative = text[i] == '-'
		i++
	}
	var mantissa uint64
	exact := true // mantissa holds all digits
	digits, scale := 0, 0
	for point := false; i < len(text); i++ {
		if text[i] == '.' && !point {
			point = true
			continue
		}
		if !isDigit(text[i]) {
			break
		}
		digits++
		if point {
			scale--
		}
		if mantissa >= 1<<53 {
			exact = false
			continue
		}
		mantissa = mantissa*10 + uint64(text[i]-'0')
	}
	if digits == 0 {
		return 0, notNumber
	}
	if i < len(text) {
		exponent, ok := parseExponent(text[i:])
		if !ok {
			return 0, notNumber
		}
		scale += exponent
	}
	if !exact || mantissa > 1<<53 || scale < -22 || scale > 22 {
		x, err := strconv.ParseFloat(string(text), 64)
		if err != nil { // the syntax is checked, so only the range is left
			return 0, outOfRange
		}
		return x, ""
	}
	// Integers up to 2^53 and powers of ten up to 10^22 are float64 numbers, so that the one operation that combines
	// them rounds correctly (Clinger 1990, How to read floating point numbers accurately).
	x = float64(mantissa)
	power := 1.0
	for range max(scale, -scale) {
		power *= 10
	}
	if scale < 0 {
		x /= power
	} else {
		x *= power
	}
	if negative {
		x = -x
	}
	return x, ""
}

// parseExponent reads e or E, an optional sign and digits. Its result stops growing well beyond any exponent that matters.
func parseExponent(text []byte) (exponent int, ok bool) {
	if text[0] != 'e' && text[0] != 'E' {
		return 0, false
	}
	text = text[1:]
	negative := false
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		negative = text[0] == '-'
		text = text[1:]
	}
	if len(text) == 0 {
		return 0, false
	}
	for _, c := range text {
		if !isDigit(c) {
			return 0, false
		}
		if exponent < 1<<20 {
			exponent = exponent*10 + int(c-'0')
		}
	}
	if negative {
		exponent = -exponent
	}
	return exponent, true
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
