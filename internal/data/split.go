package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	// partBytes is about how much text of a table is parsed at a time. It changes no result.
	partBytes = 1 << 20
	// maxRowBytes bounds the memory of one row: an unclosed quote takes in the rest of its file.
	maxRowBytes = 64 << 20
)

// A splitter cuts text into parts of whole rows. A row ends at a line feed that has an even number of quotes before it,
// counted from the start of the text: where quotes are used as RFC 4180 has it, these are the line feeds outside of quoted
// fields. The rule needs no more than a count, so that rows are parsed elsewhere, many at a time; and it says where the
// next row begins even after one that breaks the rules.
type splitter struct {
	in      io.Reader
	quote   byte // 0: none
	comment byte // what a line that is no row begins with; 0: none
	size    int  // about how long a part is

	rest    []byte // what was read of the row after the last part
	started bool
	err     error // of in
}

// next replaces part by the next whole rows, a byte order mark at the start left out. After the last it returns io.EOF.
func (s *splitter) next(part []byte) ([]byte, error) {
	const byteOrderMark = "\xef\xbb\xbf"
	part = append(part[:0], s.rest...)
	s.rest = s.rest[:0]
	for want := max(s.size, len(byteOrderMark)); ; want = max(want, 2*len(part)) {
		part = s.read(part, want)
		if !s.started && bytes.HasPrefix(part, []byte(byteOrderMark)) {
			part = part[:copy(part, part[len(byteOrderMark):])]
		}
		s.started = true
		end := s.rowsEnd(part)
		if errors.Is(s.err, io.EOF) {
			end = len(part) // the last row needs no line feed
		}
		switch {
		case end > 0:
			s.rest = append(s.rest, part[end:]...)
			return part[:end], nil
		case s.err != nil:
			return part[:0], s.err
		case len(part) >= maxRowBytes:
			return part[:0], rowTooLong()
		}
	}
}

// read appends to part what it takes to make it want bytes long, unless the text ends.
func (s *splitter) read(part []byte, want int) []byte {
	want = min(want, maxRowBytes)
	for empty := 0; len(part) < want && s.err == nil; {
		if len(part) == cap(part) { // a short table does not need all of want
			part = append(make([]byte, 0, min(want, max(readBufferSize, 2*len(part)))), part...)
		}
		n, err := s.in.Read(part[len(part):min(want, cap(part))])
		part = part[:len(part)+n]
		s.err = err
		if empty++; n > 0 {
			empty = 0
		} else if empty == 100 && err == nil {
			s.err = io.ErrNoProgress
		}
	}
	return part
}

// rowsEnd is the length of the whole rows that text, which begins with a row, begins with.
func (s *splitter) rowsEnd(text []byte) int {
	if s.comment != 0 && s.quote != 0 { // quotes in comments do not count
		end := 0
		for {
			n := s.rowEnd(text[end:])
			if n < 0 {
				return end
			}
			end += n
		}
	}
	open := s.quote != 0 && bytes.Count(text, []byte{s.quote})%2 == 1
	for end := len(text); ; {
		i := bytes.LastIndexByte(text[:end], '\n')
		if i < 0 {
			return 0
		}
		if s.quote != 0 && bytes.Count(text[i:end], []byte{s.quote})%2 == 1 {
			open = !open
		}
		if !open {
			return i + 1
		}
		end = i
	}
}

// rowEnd is the length of the row or comment that text begins with, its line feed included, or -1 where that is not in it.
func (s *splitter) rowEnd(text []byte) int {
	quote := s.quote
	if s.comment != 0 && len(text) > 0 && text[0] == s.comment {
		quote = 0
	}
	open, end := false, 0
	for {
		i := bytes.IndexByte(text[end:], '\n')
		if i < 0 {
			return -1
		}
		if quote != 0 && bytes.Count(text[end:end+i], []byte{quote})%2 == 1 {
			open = !open
		}
		if end += i + 1; !open {
			return end
		}
	}
}

// noRowFor is the error for a table that goes on without a row: blank lines and comments would take for ever.
func noRowFor() error {
	return &Error{msg: fmt.Sprintf("goes on for more than %d MiB without a row", maxRowBytes>>20)}
}

func rowTooLong() error {
	return &Error{Line: 1, msg: fmt.Sprintf("a row is longer than %d MiB", maxRowBytes>>20), hint: "look for a quote that is not closed"}
}
