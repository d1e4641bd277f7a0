package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonlSource reads one JSON object a line. An object with a key twice, at any depth, is refused.
type jsonlSource struct {
	in      *guard
	lines   *bufio.Reader
	decoder jsontext.Decoder
	inputs  []jsonInput
	root    *jsonNode

	line    int // number of the line read last, from 1
	long    []byte
	text    []byte // of the row's cells
	key     []byte
	columns []int // of each cell of the row: where it begins in the line, from 1
}

// A jsonInput is an input and what the present row has for it.
type jsonInput struct {
	input
	first int  // index of its first cell
	found rank // how it was found in the row
}

// A rank orders the ways in which an input's name can be found in an object. The higher one counts.
type rank int

const (
	absent   rank = iota
	byPath        // its keys, one inside the other
	wholeKey      // a top-level key that is the name, dots included
)

// A jsonNode is an object that declared names lead through, or the value that they lead to.
type jsonNode struct {
	keys  map[string]*jsonNode
	ends  []int // indices of the inputs whose value this is
	ranks []rank
}

func newJSONLSource(in *guard, inputs []input) *jsonlSource {
	s := &jsonlSource{
		in:    in,
		lines: bufio.NewReaderSize(in, readBufferSize),
		root:  new(jsonNode),
	}
	cells := 0
	for i, in := range inputs {
		s.inputs = append(s.inputs, jsonInput{input: in, first: cells})
		cells += in.size
		path := strings.Split(in.name, ".")
		s.root.add([]string{in.name}, i, wholeKey)
		if len(path) > 1 {
			s.root.add(path, i, byPath)
		}
	}
	s.columns = make([]int, cells)
	return s
}

// add lets path lead to the input.
func (n *jsonNode) add(path []string, input int, r rank) {
	for _, key := range path {
		next := n.keys[key]
		if next == nil {
			next = new(jsonNode)
			if n.keys == nil {
				n.keys = make(map[string]*jsonNode)
			}
			n.keys[key] = next
		}
		n = next
	}
	n.ends = append(n.ends, input)
	n.ranks = append(n.ranks, r)
}

func (s *jsonlSource) where(i int) (name string, line, column int) {
	for _, in := range s.inputs {
		if i >= in.first && i < in.first+in.size {
			name = in.name
		}
	}
	return name, s.line, s.columns[i]
}

func (s *jsonlSource) next(cells []cell) error {
	line, err := s.readLine()
	if err != nil {
		return err
	}
	if !utf8.Valid(line) {
		return s.fail(invalidAt(line), "not valid UTF-8", "convert the file to UTF-8")
	}
	start := len(line) - len(bytes.TrimLeft(line, " \t"))
	if line[start] != '{' {
		return s.fail(start, "not a JSON object", "JSONL holds one object a line")
	}
	for i := range cells {
		cells[i] = cell{null: true}
		s.columns[i] = start + 1
	}
	for i := range s.inputs {
		s.inputs[i].found = absent
	}
	s.text = s.text[:0]
	s.decoder.Reset(bytes.NewBuffer(line))
	if err := s.object(s.root, cells); err != nil {
		return s.syntax(err, len(line))
	}
	if end := int(s.decoder.InputOffset()); end < len(line) {
		return s.fail(skipBlanks(line, end), "more than a JSON object on the line", "JSONL holds one object a line")
	}
	return nil
}

// readLine is the next line that is not blank, without its end; valid until the next call.
func (s *jsonlSource) readLine() ([]byte, error) {
	for {
		s.in.nextRow()
		line, err := s.lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			s.long = s.long[:0]
			for errors.Is(err, bufio.ErrBufferFull) {
				s.long = append(s.long, line...)
				line, err = s.lines.ReadSlice('\n')
			}
			s.long = append(s.long, line...)
			line = s.long
		}
		if err != nil && (err != io.EOF || len(line) == 0) {
			return nil, err
		}
		s.line++
		if line = bytes.TrimRight(line, " \t\r\n"); len(line) > 0 {
			return line, nil
		}
	}
}

// object reads the object that comes next in the line, n being what declared names lead to in it.
func (s *jsonlSource) object(n *jsonNode, cells []cell) error {
	if _, err := s.decoder.ReadToken(); err != nil {
		return err
	}
	for s.decoder.PeekKind() != '}' {
		quoted, err := s.decoder.ReadValue()
		if err != nil {
			return err
		}
		s.key, err = jsontext.AppendUnquote(s.key[:0], quoted)
		if err != nil {
			return err
		}
		if err := s.value(n.keys[string(s.key)], cells); err != nil {
			return err
		}
	}
	_, err := s.decoder.ReadToken()
	return err
}

// value reads the value that comes next, which n stands for; nil where no declared name leads to it.
func (s *jsonlSource) value(n *jsonNode, cells []cell) error {
	switch {
	case n == nil:
		return s.decoder.SkipValue()
	case len(n.ends) == 0 && s.decoder.PeekKind() == '{':
		return s.object(n, cells)
	case len(n.ends) == 0: // not an object: what leads through it is absent
		return s.decoder.SkipValue()
	}
	raw, err := s.decoder.ReadValue()
	if err != nil {
		return err
	}
	offset := int(s.decoder.InputOffset()) - len(raw)
	for i, end := range n.ends {
		in := &s.inputs[end]
		if in.found >= n.ranks[i] {
			continue
		}
		in.found = n.ranks[i]
		if err := s.fill(in, cells[in.first:in.first+in.size], raw, offset); err != nil {
			return err
		}
	}
	return nil
}

// fill puts a value, which begins at offset in the line, into the cells of an input.
func (s *jsonlSource) fill(in *jsonInput, cells []cell, raw []byte, offset int) error {
	columns := s.columns[in.first : in.first+in.size]
	for i := range columns {
		columns[i] = offset + 1
	}
	if !in.vector {
		if raw[0] == '{' || raw[0] == '[' {
			return s.fail(offset, fmt.Sprintf("column %q is an object or array, want a single value", in.name), "")
		}
		return s.scalar(&cells[0], raw)
	}
	switch raw[0] {
	case 'n':
		for i := range cells {
			cells[i] = cell{null: true}
		}
		return nil
	case '[':
		return s.elements(in, cells, raw, offset)
	}
	return s.fail(offset, fmt.Sprintf("column %q is not an array", in.name), "")
}

// scalar puts a string, number, boolean or null into a cell.
func (s *jsonlSource) scalar(c *cell, raw []byte) (err error) {
	start := len(s.text)
	switch raw[0] {
	case 'n':
		*c = cell{null: true}
		return nil
	case '"':
		s.text, err = jsontext.AppendUnquote(s.text, raw)
	default:
		s.text = append(s.text, raw...)
	}
	*c = cell{text: s.text[start:]}
	return err
}

// elements puts the elements of a valid array, which begins at offset in the line, into cells.
func (s *jsonlSource) elements(in *jsonInput, cells []cell, raw []byte, offset int) error {
	wrongSize := func() error {
		return s.fail(offset, fmt.Sprintf("column %q does not have the declared %d elements", in.name, in.size), "")
	}
	n := 0
	for at := skipBlanks(raw, 1); raw[at] != ']'; n++ {
		if n == in.size {
			return wrongSize()
		}
		s.columns[in.first+n] = offset + at + 1
		if raw[at] == '[' || raw[at] == '{' {
			return s.fail(offset+at, fmt.Sprintf("column %q has an object or array as an element, want numbers", in.name), "")
		}
		end := scalarEnd(raw, at)
		if err := s.scalar(&cells[n], raw[at:end]); err != nil {
			return err
		}
		if at = skipBlanks(raw, end); raw[at] == ',' {
			at = skipBlanks(raw, at+1)
		}
	}
	if n < in.size {
		return wrongSize()
	}
	return nil
}

// skipBlanks is the index of the first byte of text, from at on, that is not a JSON space. There is one.
func skipBlanks(text []byte, at int) int {
	for isJSONBlank(text[at]) {
		at++
	}
	return at
}

// scalarEnd is the index after the scalar that begins at text[at] inside a valid array.
func scalarEnd(text []byte, at int) int {
	if text[at] == '"' {
		for at++; text[at] != '"'; at++ {
			if text[at] == '\\' {
				at++
			}
		}
		return at + 1
	}
	for text[at] != ',' && text[at] != ']' && !isJSONBlank(text[at]) {
		at++
	}
	return at
}

// isJSONBlank reports whether c is white space of JSON inside a line.
func isJSONBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

func (s *jsonlSource) fail(offset int, msg, hint string) error {
	return &Error{Line: s.line, Column: offset + 1, msg: msg, hint: hint}
}

// syntax says where a line of the given length is not JSON. The decoder's own words may quote the line.
func (s *jsonlSource) syntax(err error, length int) error {
	var ours *Error
	if errors.As(err, &ours) {
		return err
	}
	offset := length
	var at *jsontext.SyntacticError
	if errors.As(err, &at) && !errors.Is(err, io.ErrUnexpectedEOF) {
		offset = min(int(at.ByteOffset), length)
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return s.fail(offset, "an object has a key twice", "")
	}
	return s.fail(offset, "not valid JSON", "")
}

// invalidAt is the index of the first byte that is not UTF-8.
func invalidAt(text []byte) int {
	at := 0
	for at < len(text) {
		r, n := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return at
}
