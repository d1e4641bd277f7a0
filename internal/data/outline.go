package data

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Outline is what a table's header says of its columns, and its first rows where these were looked at. The header is
// not a record: what it says is no secret, unlike all that is below it.
type Outline struct {
	Format    string // CSV, TSV, JSONL or Parquet
	Delimiter string // of a CSV file; empty: the usual one
	Columns   []OutlineColumn
	Rows      int // that were looked at
}

// An OutlineColumn is a column of the header, or a run of them.
type OutlineColumn struct {
	Name string     // as the header has it; of a run, its prefix without a trailing separator
	Run  *ColumnRun // columns of one prefix and consecutive numbers; nil for a single one
	Kind Kind       // a guess by the rows looked at; empty where nothing tells
	Size int        // of a JSON array
}

// OutlineOptions says what to look at.
type OutlineOptions struct {
	Format string    // empty: by the path's extension
	Peek   int       // rows to look at for kinds; 0: the header alone
	Stdin  io.Reader // what the path "-" reads from
}

const (
	maxHeaderBytes = 8 << 20
	minRun         = 4 // columns that are worth calling a run
)

// ReadOutline reads the header of the table at path, and no more than o.Peek rows below it. It refuses a first line that
// looks like a record, and JSONL where no row may be looked at: its names stand in its records. The errors are an
// [*Error], or the operating system's; neither holds a cell.
func ReadOutline(path string, o OutlineOptions) (*Outline, error) {
	t := &table{name: path, close: func() {}, size: -1}
	raw := o.Stdin
	if path == "-" {
		t.name = "stdin"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		t.close, raw = func() { _ = f.Close() }, f
		t.use(f)
	}
	defer func() { t.close() }() // which decompress may replace
	outline := &Outline{Format: o.Format}
	if outline.Format == "" {
		outline.Format = t.format(path)
	}
	if outline.Format == Parquet {
		return outline, t.fail(outline.readParquet(t, o.Peek))
	}
	plain, err := t.decompress(compression(path), raw)
	if err != nil {
		return nil, t.fail(err)
	}
	in := bufio.NewReaderSize(plain, readBufferSize)
	if mark, err := in.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		_, _ = in.Discard(len(mark)) // cannot fail: the bytes are buffered
	}
	if outline.Format == JSONL {
		err = outline.readJSONL(in, o.Peek)
	} else {
		err = outline.readCSV(in, o.Peek)
	}
	if err != nil {
		return nil, t.fail(err)
	}
	return outline, nil
}

// readCSV reads the header and peek rows.
func (o *Outline) readCSV(in *bufio.Reader, peek int) error {
	start, err := in.Peek(readBufferSize)
	if len(start) == 0 {
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		return emptyError()
	}
	delimiter := '\t'
	if o.Format == CSV {
		if delimiter = guessDelimiter(start); delimiter != ',' {
			o.Delimiter = string(delimiter)
		}
	}
	r := csv.NewReader(io.LimitReader(in, int64(maxHeaderBytes*(1+min(peek, 1)))))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = delimiter, -1, true
	header, err := r.Read()
	if err != nil {
		return &Error{Line: 1, msg: "the header cannot be read", hint: "the first line names the columns"}
	}
	if err := checkHeader(header); err != nil {
		return err
	}
	looks := make([]look, len(header))
	for ; o.Rows < peek; o.Rows++ {
		row, err := r.Read()
		if err != nil {
			break // the end, or what load will complain about
		}
		for i := range min(len(row), len(looks)) {
			looks[i].see(row[i])
		}
	}
	o.addColumns(header, func(i int) Kind { return looks[i].kind(o.Rows) })
	return nil
}

// addColumns adds the columns of a header, runs of them as one. kind is what one of them looks like.
func (o *Outline) addColumns(header []string, kind func(i int) Kind) {
	for i := 0; i < len(header); {
		n := runLength(header[i:])
		if n < minRun {
			n = 1
			o.Columns = append(o.Columns, OutlineColumn{Name: header[i], Kind: kind(i)})
		} else {
			prefix, first := splitNumber(header[i])
			name := strings.TrimRight(prefix, "_-. ")
			if name == "" {
				name = "columns"
			}
			o.Columns = append(o.Columns, OutlineColumn{Name: name, Kind: Vector, Run: &ColumnRun{prefix, first, first + n - 1}})
		}
		i += n
	}
}

// guessDelimiter is the most frequent of the usual delimiters in the first line, outside of quotes.
func guessDelimiter(text []byte) rune {
	counts := make(map[byte]int)
	quoted := false
	for _, b := range text {
		if b == '\n' && !quoted {
			break
		}
		if b == '"' {
			quoted = !quoted
		} else if !quoted {
			counts[b]++
		}
	}
	best := byte(',')
	for _, b := range []byte(";\t|") {
		if counts[b] > counts[best] {
			best = b
		}
	}
	return rune(best)
}

// checkHeader refuses a first line that looks like a record: its cells must not get into a config.
func checkHeader(header []string) error {
	seen := make(map[string]bool)
	for i := 0; i < len(header); i++ {
		name := header[i]
		refuse := func(msg string) error {
			return &Error{Line: 1, msg: fmt.Sprintf("field %d of the first line %s", i+1, msg), hint: "the first line must name the columns, each once"}
		}
		switch {
		case !utf8.ValidString(name):
			return refuse("is not valid UTF-8")
		case !isName(name):
			return refuse("is no name of a column")
		case seen[name]:
			return refuse("is there twice")
		case strings.Contains(name, "@"):
			return refuse("looks like a record's, not a name")
		}
		seen[name] = true
		if n := runLength(header[i:]); n >= minRun {
			i += n - 1 // whose names may be nothing but numbers
			continue
		}
		if _, problem := parseNumber([]byte(strings.TrimSpace(name))); problem == "" {
			return refuse("is a number, as in a record")
		}
	}
	return nil
}

// isName reports whether a text can be the name of a column: short, and of one line.
func isName(text string) bool {
	const longest = 200
	return len(text) <= longest && !strings.ContainsFunc(text, unicode.IsControl)
}

// runLength is how many names at the start of a list have one prefix and consecutive numbers behind it.
func runLength(names []string) int {
	prefix, first := splitNumber(names[0])
	if first < 0 {
		return 1
	}
	n := 1
	for n < len(names) && names[n] == (&ColumnRun{Prefix: prefix, First: first}).name(n) {
		n++
	}
	return n
}

// splitNumber splits a name into a prefix and the number that it ends in; -1 for none.
func splitNumber(name string) (prefix string, number int) {
	end := len(strings.TrimRight(name, "0123456789"))
	digits := name[end:]
	if digits == "" || len(digits) > 9 || len(digits) > 1 && digits[0] == '0' {
		return name, -1
	}
	for _, d := range digits {
		number = 10*number + int(d-'0')
	}
	return name[:end], number
}

// readJSONL takes the names from the first peek objects.
func (o *Outline) readJSONL(in *bufio.Reader, peek int) error {
	if peek == 0 {
		return &Error{msg: "has no header to read: JSONL names its fields in its records", hint: "--peek looks at the first rows for their names"}
	}
	looks := make(map[string]*look)
	limited := bufio.NewScanner(io.LimitReader(in, 8*maxHeaderBytes))
	limited.Buffer(nil, maxHeaderBytes)
	for o.Rows < peek && limited.Scan() {
		line := bytes.TrimSpace(limited.Bytes())
		if len(line) == 0 {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.UseNumber()
		var object map[string]any
		if err := decoder.Decode(&object); err != nil {
			return &Error{msg: fmt.Sprintf("row %d is not a JSON object", o.Rows+1), hint: "JSONL is one object a line"}
		}
		o.Rows++
		o.seeObject(looks, "", object)
	}
	if err := limited.Err(); err != nil {
		return err
	}
	if o.Rows == 0 {
		return &Error{msg: "has no rows"}
	}
	for i := range o.Columns {
		c := &o.Columns[i]
		l := looks[c.Name]
		if c.Kind = l.kind(o.Rows); l.size > 0 {
			c.Kind, c.Size = Vector, l.size
		}
	}
	return nil
}

// seeObject notes the fields of an object, paths of those below others; in the order of their names.
func (o *Outline) seeObject(looks map[string]*look, path string, object map[string]any) {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := object[name]
		if path != "" {
			name = path + "." + name
		}
		if !isName(name) {
			continue // what is no name is a record's
		}
		if inner, ok := value.(map[string]any); ok {
			o.seeObject(looks, name, inner)
			continue
		}
		l := looks[name]
		if l == nil {
			l = &look{}
			looks[name] = l
			o.Columns = append(o.Columns, OutlineColumn{Name: name})
		}
		switch value := value.(type) {
		case nil:
		case []any:
			l.size = max(l.size, len(value))
		case json.Number:
			l.see(value.String())
		default:
			l.see(fmt.Sprint(value))
		}
	}
}

// A look is what the cells of a column that were looked at are like. It keeps none of them but in distinct, which dies
// with it.
type look struct {
	filled   int // cells that are not empty
	numbers  int // of these, the numbers
	words    int // in all of them
	size     int // of the longest array
	distinct map[string]bool
}

func (l *look) see(cell string) {
	if cell = strings.TrimSpace(cell); cell == "" || cell == "?" {
		return
	}
	l.filled++
	l.words += len(strings.Fields(cell))
	if _, problem := parseNumber([]byte(cell)); problem == "" {
		l.numbers++
	}
	if l.distinct == nil {
		l.distinct = make(map[string]bool)
	}
	l.distinct[cell] = true
}

// kind guesses how the column is best encoded, or empty.
func (l *look) kind(rows int) Kind {
	const fewValues = 20 // that one would list
	switch {
	case rows == 0 || l.filled == 0:
		return ""
	case l.numbers == l.filled && len(l.distinct) > 2:
		return Numeric
	case l.words >= 3*l.filled:
		return Text
	case len(l.distinct) <= fewValues && len(l.distinct)*2 <= l.filled:
		return Categorical
	}
	return Hashed
}
