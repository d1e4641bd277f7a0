package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"unicode/utf8"
)

// notText is the hint for a table with NUL bytes.
const notText = "the table must be text in UTF-8; UTF-16 has to be converted"

// A csvReader reads the rows of parts as encoding/csv does, into cells.
type csvReader struct {
	layout *csvLayout
	text   []byte // of the part
	at     int    // where the next row begins
	ascii  bool   // all of the part is
	nul    int    // of the first NUL byte from the next row on; the part's length where there is none

	starts   []int  // of each cell of the row: where it begins
	unquoted []byte // the text of the row's quoted fields that does not stand as it is in the part
}

func (r *csvReader) reset(p *part) (lines int) {
	r.begin(p.text)
	return bytes.Count(p.text, []byte{'\n'})
}

// begin moves on to text, at a row.
func (r *csvReader) begin(text []byte) {
	r.text, r.at, r.ascii, r.nul = text, 0, isASCII(text), indexByteFrom(text, 0, 0)
	if r.starts == nil {
		r.starts = make([]int, len(r.layout.names))
	}
}

func (r *csvReader) nulError() error {
	line, column := r.place(r.nul)
	r.nul = indexByteFrom(r.text, r.at, 0)
	return &Error{Line: line, Column: column, msg: "NUL byte", hint: notText}
}

func (r *csvReader) next(cells []cell) error {
	if !r.skipBlank() {
		return io.EOF
	}
	err := r.row(cells)
	if r.nul < r.at {
		return r.nulError()
	}
	return err
}

// skipBlank moves to the next row, past blank lines and comments. It reports whether there is one.
func (r *csvReader) skipBlank() bool {
	for r.at < len(r.text) {
		at := r.at
		if c := r.layout.comment; c != 0 && r.text[at] == c {
			r.at = min(indexByteFrom(r.text, at, '\n')+1, len(r.text))
			continue
		}
		if r.layout.skipSpace {
			at = r.skipSpaces(at)
		}
		rest := r.text[at:]
		switch {
		case len(rest) == 0, string(rest) == "\r":
			r.at = len(r.text)
		case rest[0] == '\n':
			r.at = at + 1
		case rest[0] == '\r' && rest[1] == '\n':
			r.at = at + 2
		default:
			return true
		}
	}
	return false
}

// skipSpaces is the index of the first byte from at on that is neither a space nor a tab, or is the delimiter.
func (r *csvReader) skipSpaces(at int) int {
	for at < len(r.text) && (r.text[at] == ' ' || r.text[at] == '\t') && r.text[at] != r.layout.delimiter[0] {
		at++
	}
	return at
}

// row reads the row at r.at into cells and moves behind it.
func (r *csvReader) row(cells []cell) error {
	l, start := r.layout, r.at
	delimiter := l.delimiter[0]
	if len(l.delimiter) > 1 {
		delimiter = 0
	}
	r.unquoted = r.unquoted[:0]
	fields := 0
	for last := false; !last; fields++ {
		to := target{cell: -1}
		if fields < len(l.targets) {
			to = l.targets[fields]
		}
		if l.skipSpace {
			r.at = r.skipSpaces(r.at)
		}
		if to.number && delimiter != 0 {
			// The common case at speed: a plain number and the delimiter.
			if x, end, ok := scanNumber(r.text, r.at); ok && end < len(r.text) && r.text[end] == delimiter {
				c := &cells[to.cell]
				c.text, c.number, c.numeric, c.null = r.text[r.at:end], x, true, false
				r.starts[to.cell] = r.at
				r.at = end + 1
				continue
			}
		}
		first := r.at
		var text []byte
		var err error
		text, last, err = r.field()
		if err != nil {
			r.at = start
			return r.recover(err)
		}
		if to.cell < 0 {
			continue
		}
		r.starts[to.cell] = first
		cells[to.cell] = cell{text: text}
	}
	if fields != len(l.targets) {
		line, _ := r.place(start)
		e := &Error{Line: line, msg: "the row has fewer fields than " + l.header, hint: "put fields that hold the delimiter into quotes"}
		if fields > len(l.targets) {
			e.msg = "the row has more fields than " + l.header
		}
		return e
	}
	for i, to := range l.duplicates {
		cells[to.cell], r.starts[to.cell] = cells[l.sources[i]], r.starts[l.sources[i]]
	}
	return r.checkUTF8(cells)
}

// checkUTF8 refuses a row with a cell that is not UTF-8.
func (r *csvReader) checkUTF8(cells []cell) error {
	if r.ascii {
		return nil
	}
	for i := range cells {
		if !utf8.Valid(cells[i].text) {
			name, line, column := r.where(i)
			return &Error{Line: line, Column: column, msg: fmt.Sprintf("column %q is not valid UTF-8", name), hint: "convert the file to UTF-8"}
		}
	}
	return nil
}

// recover moves behind the row at r.at, which breaks the rules, and returns err.
func (r *csvReader) recover(err error) error {
	if n := r.layout.rowEnd(r.text[r.at:]); n >= 0 {
		r.at += n
	} else {
		r.at = len(r.text)
	}
	return err
}

// record reads the fields of the row at r.at, and where each begins.
func (r *csvReader) record() (fields []string, starts []int, err error) {
	for last := false; !last; {
		if r.layout.skipSpace {
			r.at = r.skipSpaces(r.at)
		}
		first := r.at
		var text []byte
		text, last, err = r.field()
		if err != nil {
			return nil, nil, err
		}
		fields, starts = append(fields, string(text)), append(starts, first)
	}
	if r.nul < r.at {
		return nil, nil, r.nulError()
	}
	return fields, starts, nil
}

// field reads the field at r.at and moves behind what ends it. last: that is the end of the row.
func (r *csvReader) field() (text []byte, last bool, err error) {
	if r.at < len(r.text) && r.text[r.at] == r.layout.quote && r.layout.quote != 0 {
		return r.quoted()
	}
	start := r.at
	for at := start; ; at++ {
		at += r.plain(r.text[at:])
		switch {
		case at == len(r.text):
			r.at = at
			return trimReturn(r.text[start:at]), true, nil
		case r.text[at] == '\n':
			r.at = at + 1
			return trimReturn(r.text[start:at]), true, nil
		case r.text[at] == r.layout.quote && r.layout.quote != 0:
			line, column := r.place(at)
			return nil, false, &Error{Line: line, Column: column, msg: "a quote inside a field that does not begin with one",
				hint: "put the field into quotes and write the quote twice"}
		case bytes.HasPrefix(r.text[at:], r.layout.delimiter):
			r.at = at + len(r.layout.delimiter)
			return r.text[start:at], false, nil
		}
	}
}

// plain is the index of the first byte of text that may not belong to an unquoted field: the first of the delimiter, a
// quote, a line feed, or the end.
func (r *csvReader) plain(text []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	delimiter, quote := r.layout.delimiter[0], r.layout.quote
	if quote == 0 {
		quote = '\n'
	}
	delimiters, quotes := ones*uint64(delimiter), ones*uint64(quote)
	at := 0
	for ; at+8 <= len(text); at += 8 {
		// A byte of x is 0 where the byte of text is the one that is looked for; the lowest set bit of what follows
		// stands for the first of them.
		word := binary.LittleEndian.Uint64(text[at:])
		var found uint64
		for _, x := range [...]uint64{word ^ delimiters, word ^ quotes, word ^ ones*'\n'} {
			found |= (x - ones) &^ x & highs
		}
		if found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for ; at < len(text); at++ {
		if c := text[at]; c == delimiter || c == quote || c == '\n' {
			break
		}
	}
	return at
}

// quoted reads the field at r.at, which begins with a quote.
func (r *csvReader) quoted() (text []byte, last bool, err error) {
	quote, open := r.layout.quote, r.at
	from := len(r.unquoted)
	at := open + 1 // of what is not yet in unquoted
	for {
		n := bytes.IndexByte(r.text[at:], quote)
		if n < 0 {
			line, column := r.place(open)
			return nil, false, &Error{Line: line, Column: column, msg: "a quote that is neither closed nor written twice", wholeTable: true}
		}
		end := at + n
		if rest := r.text[end+1:]; len(rest) > 0 && rest[0] == quote {
			r.unquoted = appendLines(r.unquoted, r.text[at:end+1])
			at = end + 2
			continue
		}
		if at == open+1 && bytes.IndexByte(r.text[at:end], '\r') < 0 {
			text = r.text[at:end] // as it stands
		} else {
			r.unquoted = appendLines(r.unquoted, r.text[at:end])
			text = r.unquoted[from:len(r.unquoted):len(r.unquoted)]
		}
		switch rest := r.text[end+1:]; {
		case len(rest) == 0, string(rest) == "\r":
			r.at = len(r.text)
			return text, true, nil
		case rest[0] == '\n':
			r.at = end + 2
			return text, true, nil
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			r.at = end + 3
			return text, true, nil
		case bytes.HasPrefix(rest, r.layout.delimiter):
			r.at = end + 1 + len(r.layout.delimiter)
			return text, false, nil
		}
		line, column := r.place(end)
		e := &Error{Line: line, Column: column, msg: "a quote that is neither closed nor written twice"}
		if opened, _ := r.place(open); opened != line {
			e.hint = fmt.Sprintf("the field begins on line %d", opened)
		}
		return nil, false, e
	}
}

// appendLines appends text with its line ends as line feeds.
func appendLines(dst, text []byte) []byte {
	for {
		i := bytes.Index(text, []byte("\r\n"))
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(dst, text[:i]...)
		text = text[i+1:]
	}
}

// trimReturn is text without a carriage return at its end.
func trimReturn(text []byte) []byte {
	if n := len(text); n > 0 && text[n-1] == '\r' {
		return text[:n-1]
	}
	return text
}

// indexByteFrom is the index of the first c in text from at on, or the length of text where there is none.
func indexByteFrom(text []byte, at int, c byte) int {
	if i := bytes.IndexByte(text[at:], c); i >= 0 {
		return at + i
	}
	return len(text)
}

func isASCII(text []byte) bool {
	const highs = 0x8080808080808080
	at := 0
	for ; at+32 <= len(text); at += 32 {
		t := text[at : at+32]
		if (binary.LittleEndian.Uint64(t)|binary.LittleEndian.Uint64(t[8:])|binary.LittleEndian.Uint64(t[16:])|binary.LittleEndian.Uint64(t[24:]))&highs != 0 {
			return false
		}
	}
	for _, c := range text[at:] {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (r *csvReader) where(i int) (name string, line, column int) {
	line, column = r.place(r.starts[i])
	return r.layout.names[i], line, column
}

// place is the line and the column, from 1, of a byte of the part.
func (r *csvReader) place(at int) (line, column int) {
	return r.lines(at) + 1, at - bytes.LastIndexByte(r.text[:at], '\n')
}

// lines counts the line feeds before a byte of the part.
func (r *csvReader) lines(at int) int { return bytes.Count(r.text[:at], []byte{'\n'}) }
