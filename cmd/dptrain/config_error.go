package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A configError says what in the configuration cannot be used, and where it stands.
type configError struct {
	File   string // path of the config, or what else set the value: "--set privacy.delta=1", "DPTRAIN_DATA_TRAIN"
	Line   int    // from 1; 0 where there is no place in a file
	Column int    // in characters, from 1

	msg, hint string
	line      string // text of the line
	err       error  // cause, or nil
}

// Error is file:line:column: message, without the position where there is none.
func (e *configError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.msg)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.msg)
}

// Hint is what to do about it; never empty.
func (e *configError) Hint() string { return e.hint }

func (e *configError) Unwrap() error { return e.err }

// excerpt is the line of the file and below it a line with a caret at the column, or empty where there is no such line.
// All but the two line ends is printable.
func (e *configError) excerpt() string {
	if strings.TrimSpace(e.line) == "" {
		return ""
	}
	const before, width = 60, 100 // characters shown of a long line: left of the caret, and in all
	line := []rune(strings.ToValidUTF8(e.line, "?"))
	for i, r := range line {
		switch {
		case r == '\t':
			line[i] = ' ' // the caret line has one blank for each character
		case !unicode.IsPrint(r):
			line[i] = '?'
		}
	}
	caret := min(e.Column-1, len(line))
	if start := caret - before; start > 0 {
		line, caret = line[start:], before
	}
	number := strconv.Itoa(e.Line)
	return fmt.Sprintf("  %s | %s\n  %s | %s^\n",
		number, strings.TrimRight(string(line[:min(len(line), width)]), " "),
		strings.Repeat(" ", len(number)), strings.Repeat(" ", caret))
}

// shown is a value of the config as a message quotes it: short, on one line, and in quotes where it was in quotes or
// holds what would not be seen.
func shown(text string, quoted bool) string {
	const most = 40
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most-1]) + "…"
	}
	if quoted || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}

// shownKey is a key of the config as a message quotes it. Keys are ASCII: a letter that only looks like one is spelt out.
func shownKey(name string) string {
	const most = 40
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "..."
	}
	return strconv.QuoteToASCII(name)
}
