package main

import (
	"strings"
	"testing"
)

func TestExcerpt(t *testing.T) {
	for _, test := range []struct {
		name string
		err  configError
		want string
	}{
		{"no file", configError{File: "--set a=b"}, ""},
		{"blank line", configError{Line: 3, Column: 1, line: " \t"}, ""},
		{"first column", configError{Line: 9, Column: 1, line: "a: 1"}, "  9 | a: 1\n    | ^\n"},
		{"behind the end", configError{Line: 10, Column: 9, line: "a: 1  "}, "  10 | a: 1\n     |       ^\n"},
		{"non-ASCII", configError{Line: 9, Column: 4, line: "é: ü"}, "  9 | é: ü\n    |    ^\n"},
		{"tab", configError{Line: 9, Column: 3, line: "\ta:\t1"}, "  9 |  a: 1\n    |   ^\n"},
		{"escape sequence", configError{Line: 9, Column: 2, line: "\x1b[2Ja\u202e"}, "  9 | ?[2Ja?\n    |  ^\n"},
		{"invalid UTF-8", configError{Line: 9, Column: 2, line: "a\xffb"}, "  9 | a?b\n    |  ^\n"},
		{"long line", configError{Line: 9, Column: 501, line: strings.Repeat("a", 500) + strings.Repeat("b", 500)},
			"  9 | " + strings.Repeat("a", 60) + strings.Repeat("b", 40) + "\n    | " + strings.Repeat(" ", 60) + "^\n"},
	} {
		if got := test.err.excerpt(); got != test.want {
			t.Errorf("%s: excerpt\n%q, want\n%q", test.name, got, test.want)
		}
	}
}

func TestShown(t *testing.T) {
	for _, test := range []struct {
		text   string
		quoted bool
		want   string
	}{
		{"10.5", false, "10.5"},
		{"10", true, `"10"`},
		{"größe", false, "größe"},
		{"a\tb", false, `"a\tb"`},
		{"a\u00a0", false, `"a\u00a0"`},
		{strings.Repeat("ü", 41), false, strings.Repeat("ü", 39) + "…"},
		{strings.Repeat("ü", 40), false, strings.Repeat("ü", 40)},
	} {
		if got := shown(test.text, test.quoted); got != test.want {
			t.Errorf("shown(%q, %v) = %s, want %s", test.text, test.quoted, got, test.want)
		}
	}
}
