package data

import (
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
	rows   *splitter
	inputs []input
}

func newJSONLSource(in io.Reader, partBytes int, inputs []input) *jsonlSource {
	return &jsonlSource{rows: &splitter{in: in, size: partBytes}, inputs: inputs}
}

func (s *jsonlSource) next(p *part) (err error) {
	started := s.rows.started
	p.text, err = s.rows.next(p.text)
	if errors.Is(err, io.EOF) && !started {
		return emptyError()
	}
	return err
}

func (s *jsonlSource) before() int { return 0 }

func (s *jsonlSource) reader() rowReader { return newJSONLReader(s.inputs) }

// jsonlReader reads the objects of parts, a line each.
type jsonlReader struct {
	decoder jsontext.Decoder
	inputs  []jsonInput
	root    *jsonNode
	plain   plainObject

	text  []byte // of the part
	at    int    // where the next line begins
	line  []byte // the line read last, without its end
	start int    // where it begins
	ascii bool   // all of the part is
	nul   int    // of the first NUL byte from the next line on; the part's length where there is none

	unquoted []byte // of the row's cells
	key      []byte
	columns  []int // of each cell of the row: where it begins in the line, from 1
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

func newJSONLReader(inputs []input) *jsonlReader {
	r := &jsonlReader{root: new(jsonNode)}
	cells := 0
	for i, in := range inputs {
		r.inputs = append(r.inputs, jsonInput{input: in, first: cells})
		cells += in.size
		path := strings.Split(in.name, ".")
		r.root.add([]string{in.name}, i, wholeKey)
		if len(path) > 1 {
			r.root.add(path, i, byPath)
		}
	}
	r.columns = make([]int, cells)
	return r
}

func (r *jsonlReader) reset(p *part) (lines int) {
	r.text, r.at, r.ascii = p.text, 0, isASCII(p.text)
	r.nul = indexByteFrom(p.text, 0, 0)
	return bytes.Count(p.text, []byte{'\n'})
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

func (r *jsonlReader) where(i int) (name string, line, column int) {
	for _, in := range r.inputs {
		if i >= in.first && i < in.first+in.size {
			name = in.name
		}
	}
	return name, r.lineNumber(), r.columns[i]
}

// lineNumber is the number of the line read last, from 1.
func (r *jsonlReader) lineNumber() int { return bytes.Count(r.text[:r.start], []byte{'\n'}) + 1 }

func (r *jsonlReader) next(cells []cell) error {
	if !r.nextLine() {
		return io.EOF
	}
	if r.nul < r.at {
		at := r.nul
		r.nul = indexByteFrom(r.text, r.at, 0)
		return r.fail(at-r.start, "NUL byte", notText)
	}
	if r.ascii && r.plain.read(r, cells) {
		return nil
	}
	return r.read(cells)
}

// nextLine finds the next line that is not blank. It reports whether there is one.
func (r *jsonlReader) nextLine() bool {
	for r.at < len(r.text) {
		r.start = r.at
		if r.at = indexByteFrom(r.text, r.start, '\n'); r.at < len(r.text) {
			r.at++
		}
		if r.line = bytes.TrimRight(r.text[r.start:r.at], " \t\r\n"); len(r.line) > 0 {
			return true
		}
	}
	return false
}

// read reads the object of the line.
func (r *jsonlReader) read(cells []cell) error {
	line := r.line
	if !utf8.Valid(line) {
		return r.fail(invalidAt(line), "not valid UTF-8", "convert the file to UTF-8")
	}
	start := len(line) - len(bytes.TrimLeft(line, " \t"))
	if line[start] != '{' {
		return r.fail(start, "not a JSON object", "JSONL holds one object a line")
	}
	for i := range cells {
		cells[i] = cell{null: true}
		r.columns[i] = start + 1
	}
	for i := range r.inputs {
		r.inputs[i].found = absent
	}
	r.unquoted = r.unquoted[:0]
	r.plain.learn()
	r.decoder.Reset(bytes.NewBuffer(line))
	if err := r.object(r.root, cells); err != nil {
		return r.syntax(err, len(line))
	}
	if end := int(r.decoder.InputOffset()); end < len(line) {
		return r.fail(skipBlanks(line, end), "more than a JSON object on the line", "JSONL holds one object a line")
	}
	return nil
}

// object reads the object that comes next in the line, n being what declared names lead to in it.
func (r *jsonlReader) object(n *jsonNode, cells []cell) error {
	if _, err := r.decoder.ReadToken(); err != nil {
		return err
	}
	for r.decoder.PeekKind() != '}' {
		quoted, err := r.decoder.ReadValue()
		if err != nil {
			return err
		}
		r.key, err = jsontext.AppendUnquote(r.key[:0], quoted)
		if err != nil {
			return err
		}
		next := n.keys[string(r.key)]
		r.plain.add(quoted, next)
		if err := r.value(next, cells); err != nil {
			return err
		}
	}
	_, err := r.decoder.ReadToken()
	if err == nil {
		r.plain.close(n == r.root)
	}
	return err
}

// value reads the value that comes next, which n stands for; nil where no declared name leads to it.
func (r *jsonlReader) value(n *jsonNode, cells []cell) error {
	switch {
	case n == nil:
		return r.decoder.SkipValue()
	case len(n.ends) == 0 && r.decoder.PeekKind() == '{':
		r.plain.open()
		return r.object(n, cells)
	case len(n.ends) == 0: // not an object: what leads through it is absent
		return r.decoder.SkipValue()
	}
	raw, err := r.decoder.ReadValue()
	if err != nil {
		return err
	}
	offset := int(r.decoder.InputOffset()) - len(raw)
	for i, end := range n.ends {
		in := &r.inputs[end]
		if in.found >= n.ranks[i] {
			continue
		}
		in.found = n.ranks[i]
		if err := r.fill(in, cells[in.first:in.first+in.size], raw, offset); err != nil {
			return err
		}
	}
	return nil
}

// fill puts a value, which begins at offset in the line, into the cells of an input.
func (r *jsonlReader) fill(in *jsonInput, cells []cell, raw []byte, offset int) error {
	columns := r.columns[in.first : in.first+in.size]
	for i := range columns {
		columns[i] = offset + 1
	}
	if !in.vector {
		if raw[0] == '{' || raw[0] == '[' {
			return r.fail(offset, fmt.Sprintf("column %q is an object or array, want a single value", in.name), "")
		}
		return r.scalar(&cells[0], raw)
	}
	switch raw[0] {
	case 'n':
		for i := range cells {
			cells[i] = cell{null: true}
		}
		return nil
	case '[':
		return r.elements(in, cells, raw, offset)
	}
	return r.fail(offset, fmt.Sprintf("column %q is not an array", in.name), "")
}

// scalar puts a string, number, boolean or null into a cell.
func (r *jsonlReader) scalar(c *cell, raw []byte) (err error) {
	start := len(r.unquoted)
	switch raw[0] {
	case 'n':
		*c = cell{null: true}
		return nil
	case '"':
		r.unquoted, err = jsontext.AppendUnquote(r.unquoted, raw)
	default:
		r.unquoted = append(r.unquoted, raw...)
	}
	*c = cell{text: r.unquoted[start:]}
	return err
}

// elements puts the elements of a valid array, which begins at offset in the line, into cells.
func (r *jsonlReader) elements(in *jsonInput, cells []cell, raw []byte, offset int) error {
	wrongSize := func() error {
		return r.fail(offset, fmt.Sprintf("column %q does not have the declared %d elements", in.name, in.size), "")
	}
	n := 0
	for at := skipBlanks(raw, 1); raw[at] != ']'; n++ {
		if n == in.size {
			return wrongSize()
		}
		r.columns[in.first+n] = offset + at + 1
		if raw[at] == '[' || raw[at] == '{' {
			return r.fail(offset+at, fmt.Sprintf("column %q has an object or array as an element, want numbers", in.name), "")
		}
		end := scalarEnd(raw, at)
		if err := r.scalar(&cells[n], raw[at:end]); err != nil {
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

func (r *jsonlReader) fail(offset int, msg, hint string) error {
	return &Error{Line: r.lineNumber(), Column: offset + 1, msg: msg, hint: hint}
}

// syntax says where a line of the given length is not JSON. The decoder's own words may quote the line.
func (r *jsonlReader) syntax(err error, length int) error {
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
		return r.fail(offset, "an object has a key twice", "")
	}
	return r.fail(offset, "not valid JSON", "")
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
