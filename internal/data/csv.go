package data

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// csvSource reads delimited fields after a header row. Columns may stand in any order, and others may be among them.
type csvSource struct {
	rows   *splitter
	layout csvLayout
	first  []byte // rows that were read together with the header
	lines  int    // line feeds before them
}

// A csvLayout says how a row of fields becomes cells. Readers share it.
type csvLayout struct {
	splitter            // where rows end
	delimiter  []byte   // one character
	skipSpace  bool     // at the start of fields
	header     string   // what names the fields, in errors
	names      []string // of each cell: its column
	targets    []target // of each field
	duplicates []target // cells that read a field which is another's target already
	sources    []int32  // of each of duplicates: the other cell
}

// A target is the cell that a field goes to.
type target struct {
	cell   int32 // -1: none
	number bool  // the input is a number
}

// usualDelimiter is the delimiter of a format for which none is declared.
func usualDelimiter(format string) string {
	if format == TSV {
		return "\t"
	}
	return ","
}

// newCSVLayout is the layout of tables as spec declares them, but for where its cells are.
func newCSVLayout(spec *Spec, format string) csvLayout {
	l := csvLayout{delimiter: []byte(spec.Delimiter), skipSpace: spec.SkipInitialSpace, header: "the header"}
	if len(l.delimiter) == 0 {
		l.delimiter = []byte(usualDelimiter(format))
	}
	switch spec.Quote {
	case "":
		l.quote = '"'
	case NoQuote:
	default:
		l.quote = spec.Quote[0]
	}
	if spec.Comment != "" {
		l.comment = spec.Comment[0]
	}
	if len(spec.Names) > 0 {
		l.header = "data.names"
	}
	return l
}

// newCSVSource reads the header, unless the names of the fields are declared.
func newCSVSource(in io.Reader, partBytes int, spec *Spec, format string, inputs []input) (*csvSource, error) {
	s := &csvSource{layout: newCSVLayout(spec, format)}
	rows := s.layout.splitter
	rows.in, rows.size = in, partBytes
	s.rows = &rows
	var cells []target
	for _, in := range inputs {
		if in.vector && in.run == nil {
			return nil, noRun(in.key)
		}
		for i := range in.size {
			name := in.name
			if in.vector {
				name = in.run.name(i)
			}
			cells = append(cells, target{int32(len(cells)), in.number})
			s.layout.names = append(s.layout.names, name)
		}
	}
	if err := s.readHeader(spec.Names, cells); err != nil {
		return nil, err
	}
	return s, nil
}

// readHeader finds the fields of cells by the first row, or by names where there are any.
func (s *csvSource) readHeader(names []string, cells []target) error {
	r := &csvReader{layout: &s.layout}
	for blank := 0; ; blank += len(r.text) {
		text, err := s.rows.next(r.text)
		switch {
		case errors.Is(err, io.EOF) && blank == 0:
			return emptyError()
		case errors.Is(err, io.EOF) && len(names) > 0:
			return nil
		case errors.Is(err, io.EOF):
			return &Error{msg: "has no header row"}
		case err == nil && blank > maxRowBytes:
			err = noRowFor()
		}
		if err != nil {
			return below(err, s.lines)
		}
		if r.begin(text); r.skipBlank() {
			break
		}
		s.lines += r.lines(len(text))
	}
	if len(names) > 0 {
		s.first = r.text[r.at:]
		s.lines += r.lines(r.at)
		return s.layout.locate(names, cells, func(int) (line, column int) { return 0, 0 })
	}
	err := s.layout.readHeader(r, cells)
	s.first = r.text[r.at:]
	before := s.lines
	s.lines += r.lines(r.at)
	return below(err, before)
}

// readHeader finds the fields of cells by the row that r is at.
func (l *csvLayout) readHeader(r *csvReader, cells []target) error {
	header, starts, err := r.record()
	if err != nil {
		return err
	}
	for i, name := range header {
		if !utf8.ValidString(name) {
			line, column := r.place(starts[i])
			return &Error{Line: line, Column: column, msg: "the header is not valid UTF-8", hint: "convert the file to UTF-8"}
		}
	}
	return l.locate(header, cells, func(field int) (line, column int) { return r.place(starts[field]) })
}

// locate finds each cell's field by the header, whose fields stand where place says.
func (l *csvLayout) locate(header []string, cells []target, place func(field int) (line, column int)) error {
	needed := make(map[string]bool)
	for _, name := range l.names {
		needed[name] = true
	}
	at := make(map[string]int)
	for i, name := range header {
		if !needed[name] {
			continue
		}
		if _, twice := at[name]; twice {
			line, column := place(i)
			return &Error{Line: line, Column: column, msg: fmt.Sprintf("column %q is in the header twice", name)}
		}
		at[name] = i
	}
	l.targets = make([]target, len(header))
	for i := range l.targets {
		l.targets[i].cell = -1
	}
	for i, name := range l.names {
		field, ok := at[name]
		if !ok {
			line, _ := place(0)
			return &Error{Line: line, msg: fmt.Sprintf("%s has no column %q", l.header, name), hint: l.nearColumn(header, name)}
		}
		if other := &l.targets[field]; other.cell >= 0 {
			other.number = other.number || cells[i].number
			l.duplicates = append(l.duplicates, cells[i])
			l.sources = append(l.sources, other.cell)
			continue
		}
		l.targets[field] = cells[i]
	}
	return nil
}

// nearColumn says why a column may not have been found, without quoting the header.
func (l *csvLayout) nearColumn(header []string, name string) string {
	for i, found := range header {
		switch {
		case !strings.EqualFold(strings.TrimSpace(found), strings.TrimSpace(name)):
		case strings.TrimLeft(found, " \t") == name:
			return fmt.Sprintf("field %d of %s differs from it only in spaces before it: data.skip_initial_space: true leaves them out", i+1, l.header)
		default:
			return fmt.Sprintf("field %d of %s differs from it only in case or in spaces around it", i+1, l.header)
		}
	}
	if len(header) == 1 {
		return "the header has a single field: check data.delimiter"
	}
	return "names are compared exactly; the first row must be the header"
}

func (s *csvSource) next(p *part) error {
	if s.first != nil {
		p.text, s.first = append(p.text[:0], s.first...), nil
		return nil
	}
	var err error
	p.text, err = s.rows.next(p.text)
	return err
}

func (s *csvSource) before() int { return s.lines }

func (s *csvSource) reader() rowReader { return &csvReader{layout: &s.layout} }
