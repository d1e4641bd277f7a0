package data

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		text    string
		want    float64
		problem string
	}{
		{"0", 0, ""},
		{"-0", math.Copysign(0, -1), ""},
		{"39", 39, ""},
		{"+7", 7, ""},
		{" 12\t", 12, ""},
		{"007", 7, ""},
		{".5", .5, ""},
		{"5.", 5, ""},
		{"-1.25e2", -125, ""},
		{"1E-3", .001, ""},
		{"1e+3", 1000, ""},
		{"0.1", .1, ""},
		{"9007199254740992", 9007199254740992, ""},
		{"9007199254740993", 9007199254740992, ""}, // 2^53+1 ties to even
		{"123456789012345678901234567890", 123456789012345678901234567890, ""},
		{"0.30000000000000004", .30000000000000004, ""},
		{"1e22", 1e22, ""},
		{"1e23", 1e23, ""},
		{"3e23", 3e23, ""}, // 10^23 is not a float64: one rounding more would show here
		{"1e-23", 1e-23, ""},
		{"9007199254740993e1", 90071992547409936, ""},      // as would rounding the digits first
		{"18446744073709551617", 18446744073709551616, ""}, // 2^64+1
		{"1e-18446744073709551617", 0, ""},
		{"1.7976931348623157e308", math.MaxFloat64, ""},
		{"1e-400", 0, ""},
		{"0e999999999999999999999", 0, ""},
		{strings.Repeat("0", 400) + "1", 1, ""},
		{"1e400", 0, outOfRange},
		{"-1e309", 0, outOfRange},
		{"1e99999999999999999999", 0, outOfRange},
		{"1e18446744073709551617", 0, outOfRange},
		{strings.Repeat("9", 400), 0, outOfRange},
		{"", 0, notNumber},
		{" ", 0, notNumber},
		{"-", 0, notNumber},
		{".", 0, notNumber},
		{"e5", 0, notNumber},
		{"1e", 0, notNumber},
		{"1e+", 0, notNumber},
		{"1e1.5", 0, notNumber},
		{"1.2.3", 0, notNumber},
		{"1 2", 0, notNumber},
		{"--1", 0, notNumber},
		{"1,5", 0, notNumber},
		{"1_000", 0, notNumber},
		{"0x10", 0, notNumber},
		{"0x1p4", 0, notNumber},
		{"NaN", 0, notNumber},
		{"nan", 0, notNumber},
		{"Inf", 0, notNumber},
		{"-infinity", 0, notNumber},
		{"12a", 0, notNumber},
		{"٣", 0, notNumber},
		{"\u00a01", 0, notNumber},
	} {
		got, problem := parseNumber([]byte(c.text))
		if problem != c.problem || math.Float64bits(got) != math.Float64bits(c.want) {
			t.Errorf("parseNumber(%.40q) = %v, %q, want %v, %q", c.text, got, problem, c.want, c.problem)
		}
	}
}

// decimal is the grammar of parseNumber, written down a second time.
func decimal() *regexp.Regexp {
	return regexp.MustCompile(`^[ \t]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t]*$`)
}

// checkNumber compares parseNumber with strconv.ParseFloat on what the grammar admits.
func checkNumber(t interface{ Fatalf(string, ...any) }, grammar *regexp.Regexp, text string) {
	got, problem := parseNumber([]byte(text))
	if !grammar.MatchString(text) {
		if problem != notNumber {
			t.Fatalf("parseNumber(%q) = %v, %q, want %q", text, got, problem, notNumber)
		}
		return
	}
	checkScan(t, text+","+strings.Repeat("9", 32))
	checkScan(t, text+strings.Repeat("x", 32))
	want, err := strconv.ParseFloat(strings.Trim(text, " \t"), 64)
	if (err != nil) != (problem == outOfRange) {
		t.Fatalf("parseNumber(%q) = %v, %q, want %v, %v", text, got, problem, want, err)
	}
	if err == nil && (problem != "" || math.Float64bits(got) != math.Float64bits(want)) {
		t.Fatalf("parseNumber(%q) = %v, %q, want %v", text, got, problem, want)
	}
}

// checkScan compares the number that scanNumber finds at the start of text, where it finds one, with strconv.ParseFloat.
func checkScan(t interface{ Fatalf(string, ...any) }, text string) {
	x, end, ok := scanNumber([]byte(text), 0)
	if !ok {
		return
	}
	want, err := strconv.ParseFloat(text[:end], 64)
	if err != nil || math.Float64bits(x) != math.Float64bits(want) || isDigit(text[end]) {
		t.Fatalf("scanNumber(%q) = %v up to %d, want %v, %v", text, x, end, want, err)
	}
}

func TestNumbersAsStrconv(t *testing.T) {
	grammar := decimal()
	for _, text := range []string{"90071992.54740993", "99999999.99999999", "-12345678.87654321", "12345678.123456789", "123456789.5", "00000000.00000001"} {
		checkNumber(t, grammar, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		checkNumber(t, grammar, rapid.StringMatching(`[+-]?[0-9]{0,20}\.?[0-9]{0,20}([eE][+-]?[0-9]{1,3})?`).Draw(t, "text"))
	})
}

func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"1", "-1.5e3", "1e400", "1_000", "0x10", "NaN", "9007199254740993", ".", "5.", "1e-9999999999", " 3 "} {
		f.Add(seed)
	}
	grammar := decimal()
	f.Fuzz(func(t *testing.T, text string) { checkNumber(t, grammar, text) })
}

func TestNumbersDoNotAllocate(t *testing.T) {
	texts := [][]byte{[]byte("12"), []byte("0.5"), []byte("-0.1234567890123456789")}
	if n := testing.AllocsPerRun(100, func() {
		for _, text := range texts {
			parseNumber(text)
		}
	}); n != 0 {
		t.Errorf("parseNumber allocates %v times for %d numbers, want 0", n, len(texts))
	}
}
