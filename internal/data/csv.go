package data

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// csvSource reads delimited fields after a header row. Columns may stand in any order, and others may be among them.
type csvSource struct {
	in     *guard
	reader *csv.Reader
	names  []string // of each cell: its column
	fields []int    // of each cell: its index among a row's fields
	text   []byte   // of the row's cells
}

// newCSVSource reads the header. delimiter, where stated, takes the place of usual.
func newCSVSource(in *guard, usual rune, delimiter string, inputs []input) (*csvSource, error) {
	s := &csvSource{in: in, reader: csv.NewReader(bufio.NewReaderSize(in, readBufferSize))}
	s.reader.ReuseRecord = true
	s.reader.Comma = usual
	if delimiter != "" {
		s.reader.Comma, _ = utf8.DecodeRuneInString(delimiter)
	}
	for _, in := range inputs {
		if !in.vector {
			s.names = append(s.names, in.name)
			continue
		}
		if in.run == nil {
			return nil, noRun(in.key)
		}
		for i := range in.size {
			s.names = append(s.names, in.run.name(i))
		}
	}
	header, err := s.read()
	if errors.Is(err, io.EOF) {
		return nil, &Error{msg: "has no header row"}
	}
	if err != nil {
		return nil, err
	}
	return s, s.locate(header)
}

// locate finds each cell's field by the header.
func (s *csvSource) locate(header []string) error {
	line, _ := s.reader.FieldPos(0)
	needed := make(map[string]bool)
	for _, name := range s.names {
		needed[name] = true
	}
	at := make(map[string]int)
	for i, name := range header {
		if !utf8.ValidString(name) {
			line, column := s.reader.FieldPos(i)
			return &Error{Line: line, Column: column, msg: "the header is not valid UTF-8", hint: "convert the file to UTF-8"}
		}
		if !needed[name] {
			continue
		}
		if _, twice := at[name]; twice {
			line, column := s.reader.FieldPos(i)
			return &Error{Line: line, Column: column, msg: fmt.Sprintf("column %q is in the header twice", name)}
		}
		at[name] = i
	}
	for _, name := range s.names {
		i, ok := at[name]
		if !ok {
			return &Error{Line: line, msg: fmt.Sprintf("the header has no column %q", name), hint: nearColumn(header, name)}
		}
		s.fields = append(s.fields, i)
	}
	return nil
}

// nearColumn says why a column may not have been found, without quoting the header.
func nearColumn(header []string, name string) string {
	for i, found := range header {
		if strings.EqualFold(strings.TrimSpace(found), strings.TrimSpace(name)) {
			return fmt.Sprintf("field %d of the header differs from it only in case or in spaces around it", i+1)
		}
	}
	if len(header) == 1 {
		return "the header has a single field: check data.delimiter"
	}
	return "names are compared exactly; the first row must be the header"
}

func (s *csvSource) next(cells []cell) error {
	record, err := s.read()
	if err != nil {
		return err
	}
	s.text = s.text[:0]
	for i, field := range s.fields {
		if !utf8.ValidString(record[field]) {
			name, line, column := s.where(i)
			return &Error{Line: line, Column: column, msg: fmt.Sprintf("column %q is not valid UTF-8", name), hint: "convert the file to UTF-8"}
		}
		start := len(s.text)
		s.text = append(s.text, record[field]...)
		cells[i] = cell{text: s.text[start:]}
	}
	return nil
}

func (s *csvSource) where(i int) (name string, line, column int) {
	line, column = s.reader.FieldPos(s.fields[i])
	return s.names[i], line, column
}

// read is the next row of the file, which blank lines are not. The result is valid until the next call.
func (s *csvSource) read() ([]string, error) {
	s.in.nextRow()
	record, err := s.reader.Read()
	if err == nil {
		return record, nil
	}
	var syntax *csv.ParseError
	if !errors.As(err, &syntax) {
		return nil, err
	}
	e := &Error{Line: syntax.Line, Column: syntax.Column}
	switch {
	case errors.Is(syntax.Err, csv.ErrFieldCount):
		e.Column = 0
		e.msg = "the row has fewer fields than the header"
		if len(record) > s.reader.FieldsPerRecord {
			e.msg = "the row has more fields than the header"
		}
		e.hint = "put fields that hold the delimiter into quotes"
	case errors.Is(syntax.Err, csv.ErrBareQuote):
		e.msg = "a quote inside a field that does not begin with one"
		e.hint = "put the field into quotes and write the quote twice"
	default:
		e.msg = "a quote that is neither closed nor written twice"
		if syntax.StartLine != syntax.Line {
			e.hint = fmt.Sprintf("the row begins on line %d", syntax.StartLine)
		}
	}
	return nil, e
}
