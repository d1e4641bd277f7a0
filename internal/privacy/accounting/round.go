package accounting

import (
	"math"
	"strconv"
	"strings"
)

// RoundUp returns the smallest decimal number of the given count of significant digits, 1 to 15, that is not below x.
// Infinities, NaN and 0 are returned as they are.
func RoundUp(x float64, digits int) float64 { return round(x, digits, math.Inf(1)) }

// RoundDown returns the largest decimal number of the given count of significant digits, 1 to 15, that is not above x.
func RoundDown(x float64, digits int) float64 { return round(x, digits, math.Inf(-1)) }

// FormatUp writes RoundUp(x, digits) in its shortest form, without an exponent from 1e-4 up to 1e15: what reads the string
// back as a float64 gets a number not below x.
func FormatUp(x float64, digits int) string { return formatDecimal(RoundUp(x, digits)) }

// FormatDown writes RoundDown(x, digits) as FormatUp does.
func FormatDown(x float64, digits int) string { return formatDecimal(RoundDown(x, digits)) }

func formatDecimal(x float64) string {
	if a := math.Abs(x); a == 0 || a >= 1e-4 && a < 1e15 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'e', -1, 64)
}

// round returns the nearest decimal if it is on toward's side of x, else the next one on that side.
func round(x float64, digits int, toward float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return x
	}
	digits = min(max(digits, 1), 15)
	nearest := nearestDecimal(x, digits)
	if nearest == x || (nearest > x) == (toward > x) {
		return nearest
	}
	// nearest lies on the other side: go on by one unit of x's last digit.
	_, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', -1, 64), "e")
	power, _ := strconv.Atoi(exponent) // what FormatFloat writes is a number
	unit := math.Pow(10, float64(power-digits+1))
	return nearestDecimal(nearest+math.Copysign(unit, toward), digits)
}

func nearestDecimal(x float64, digits int) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', digits-1, 64), 64)
	if err != nil {
		return math.Inf(int(math.Copysign(1, x))) // beyond the largest float64
	}
	return y
}
