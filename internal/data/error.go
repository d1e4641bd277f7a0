package data

import (
	"errors"
	"fmt"
	"strings"
)

// An Error says where a file is not the table that was declared. It never holds the text of a cell, nor a header or
// key of the file: only declared names are quoted.
type Error struct {
	File   string
	Line   int // from 1; 0 where the file as a whole is meant
	Column int // byte of the line, from 1, that the cell starts at; 0 where the line as a whole is meant

	UnknownLabel bool // the cell is a label that is none of the declared classes, nor an alias of one

	msg, hint string

	wholeTable bool // it is more than one row that is wrong
}

// Error is file:line:column: message, leaving out what is 0.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
		if e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
	}
	b.WriteString(": ")
	b.WriteString(e.msg)
	return b.String()
}

// Message is the error without its place.
func (e *Error) Message() string { return e.msg }

// Faults are several rows that are not as declared, in their order; the last may be what else is wrong with the table.
type Faults []*Error

// Error is that of the last.
func (f Faults) Error() string { return f[len(f)-1].Error() }

// Unwrap is the last.
func (f Faults) Unwrap() error { return f[len(f)-1] }

// and is what is wrong with a table that has faults, and err. What is no fault of the table comes first.
func (f Faults) and(err error) error {
	var ours *Error
	if len(f) == 0 || !errors.As(err, &ours) {
		return err
	}
	return append(f, ours)
}

// emptyError is that of a file with nothing in it.
func emptyError() *Error {
	return &Error{msg: "is empty", hint: "a table has a row at least, and CSV a header before it"}
}

// Hint is what to do about it, or empty.
func (e *Error) Hint() string { return e.hint }

// A fault is what is wrong with one cell of a row: a predicate such as "is not a number".
type fault struct {
	cell      int // index among the cells that were encoded
	msg, hint string

	unknownLabel bool
}
