package data

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// parquetSource reads the columns of a Parquet file. A value counts as the text that CSV would hold: of a number the
// shortest that is nothing else in its type (5 for 5.0, 0.1 for the float nearest to it), of a boolean true or false. A
// row is encoded as it would be from CSV. Names are looked up as in JSONL, so that user.age is the field age of a group
// user; a vector is a list of numbers, or a run of columns. Instead of lines, errors count rows.
type parquetSource struct {
	pages   pageReader
	done    int64    // rows in parts so far
	read    *counter // of the file's bytes
	size    int      // about how many bytes of cells a part has
	columns []*parquetColumn
	inputs  []input
	cells   int // of a row
}

// newParquetSource reads the footer of a table of the given size.
func newParquetSource(r io.ReaderAt, size int64, read *counter, partBytes int, inputs []input) (s *parquetSource, err error) {
	defer refusePanic(&err)
	file, err := openParquetFile(r, size)
	if err != nil {
		return nil, err
	}
	s = &parquetSource{pages: pageReader{file: file}, read: read, size: partBytes, inputs: inputs}
	for _, in := range inputs {
		if err := s.find(in); err != nil {
			return nil, err
		}
		s.cells += in.size
	}
	return s, s.checkSizes()
}

// checkSizes refuses chunks that are more than the file between them, and more rows than it may become.
func (s *parquetSource) checkSizes() error {
	file, sum := s.pages.file, int64(0)
	for g := range file.groups {
		seen := make(map[int]bool)
		for _, c := range s.columns {
			meta, _, err := file.chunk(g, c.leaf)
			if err != nil {
				return err
			}
			if !seen[c.leaf.Index()] { // which may be wanted twice
				sum += meta.TotalCompressedSize
			}
			if seen[c.leaf.Index()] = true; sum > file.size {
				return invalidParquet()
			}
		}
	}
	if rows := file.rows; rows > math.MaxInt32 || rows*int64(s.cells) > maxExpanded && rows*int64(s.cells)/maxRatio > file.size {
		return tooMuch()
	}
	return nil
}

// find adds the columns of an input.
func (s *parquetSource) find(in input) error {
	c, err := s.pages.file.find(in.name)
	if in.run == nil || c != nil {
		if err != nil {
			return err
		}
		return s.add(c, in, in.name, s.cells, in.vector)
	}
	for i := range in.size {
		name := in.run.name(i)
		c, err := s.pages.file.find(name)
		if err != nil {
			return err
		}
		if err := s.add(c, in, name, s.cells+i, false); err != nil {
			return err
		}
	}
	return nil
}

// add adds a column for the cells from first on: c's leaf, which is a list or a single value.
func (s *parquetSource) add(c *parquet.Column, in input, name string, first int, list bool) error {
	column := &parquetColumn{in: in, first: first, list: list, group: -1}
	column.in.name = name
	c = column.descend(c, list)
	switch {
	case list && (!c.Leaf() || c.MaxRepetitionLevel() != 1):
		return &Error{msg: fmt.Sprintf("column %q is not an array", name)}
	case !c.Leaf() || !list && c.MaxRepetitionLevel() > 0:
		return &Error{msg: fmt.Sprintf("column %q is an object or array, want a single value", name)}
	case !column.takes(c.Type()):
		return &Error{msg: fmt.Sprintf("column %q is of a type that has no text, want text, numbers or booleans", name),
			hint: "write dates, times and decimals as text or as numbers"}
	}
	column.leaf = c
	s.columns = append(s.columns, column)
	return nil
}

// descend follows a list to the column of its elements; what is no list stays.
func (c *parquetColumn) descend(column *parquet.Column, list bool) *parquet.Column {
	for ; ; column = column.Columns()[0] {
		if c.present == 0 && column.MaxRepetitionLevel() > 0 {
			c.present = column.MaxDefinitionLevel()
		}
		if column.Leaf() || !list || len(column.Columns()) != 1 {
			return column
		}
	}
}

func (s *parquetSource) next(p *part) (err error) {
	defer refusePanic(&err)
	file := s.pages.file
	if s.done == file.rows {
		return io.EOF
	}
	p.text, p.parquet = p.text[:0], parquetRows{cells: p.parquet.cells[:0], bad: make(map[int]*Error), expected: int(file.rows)}
	for row := 0; s.done < file.rows && len(p.text)+8*len(p.parquet.cells) < s.size; row++ {
		at, text := len(p.parquet.cells), len(p.text)
		p.parquet.cells = append(p.parquet.cells, make([]cell, s.cells)...)
		for _, c := range s.columns {
			bad, err := c.fill(s, p, p.parquet.cells[at:])
			if err != nil {
				return err
			}
			if bad != nil && p.parquet.bad[row] == nil {
				p.parquet.bad[row] = bad
			}
			if len(p.text)-text > maxRowBytes {
				return &Error{Line: row + 1, msg: fmt.Sprintf("a row is longer than %d MiB", maxRowBytes>>20)}
			}
		}
		s.done++
	}
	s.read.n.Store(int64(float64(file.size) * float64(s.done) / float64(file.rows)))
	return s.pages.become(int64(len(p.text)))
}

// before is 0: a file of columns has no header line.
func (s *parquetSource) before() int { return 0 }

func (s *parquetSource) reader() rowReader { return &parquetReader{inputs: s.inputs} }

// A parquetColumn reads the values of one leaf for the cells of one input.
type parquetColumn struct {
	in       input
	first    int // the input's first cell, or that of its element
	leaf     *parquet.Column
	list     bool
	present  int // of a list: the least definition level of an element; one below it there is none, and less is no list
	unsigned bool

	group   int // of rows, which is read; -1 before the first
	codec   format.CompressionCodec
	at, end int64 // of the chunk's pages in the file: the next one, and the end
	left    int64 // values in pages to come
	rows    int64 // begun in the group
	bad     error // of a page

	pages      parquet.Pages
	values     parquet.ValueReader // of the page; nil before the first
	page       int64               // memory of it
	dictionary int64               // memory of the chunk's
	buffer     []parquet.Value
	read       []parquet.Value // of buffer, from the next on
}

// takes reports whether values of a type have a text.
func (c *parquetColumn) takes(t parquet.Type) bool {
	var logical format.LogicalTypeValue
	if l := t.LogicalType(); l != nil {
		logical = l.Value
	}
	switch t.Kind() {
	case parquet.Boolean, parquet.Float, parquet.Double:
		return logical == nil
	case parquet.Int32, parquet.Int64:
		integer, is := logical.(*format.IntType)
		c.unsigned = is && !integer.IsSigned
		return logical == nil || is
	case parquet.ByteArray:
		switch logical.(type) {
		case nil, *format.StringType, *format.EnumType, *format.JsonType:
			return true
		}
	case parquet.Int96, parquet.FixedLenByteArray: // times, decimals and identifiers
	}
	return false
}

// fill puts the column's values of the next row into its cells. bad is what is wrong with the row.
func (c *parquetColumn) fill(s *parquetSource, p *part, cells []cell) (bad *Error, err error) {
	v, err := c.value(s)
	if err != nil {
		return nil, wholeRow(err) // a column that ends before the others
	}
	if v.RepetitionLevel() != 0 {
		return nil, invalidParquet()
	}
	c.read = c.read[1:]
	c.rows++
	if !c.list {
		cells[c.first] = c.cell(p, v)
		return nil, nil
	}
	cells = cells[c.first : c.first+c.in.size]
	if v.DefinitionLevel() < c.present-1 {
		for i := range cells {
			cells[i] = cell{null: true}
		}
		return nil, nil
	}
	n := 0
	if v.DefinitionLevel() >= c.present { // else the list is empty
		cells[0] = c.cell(p, v)
		n = 1
	}
	for {
		v, err := c.value(s)
		if errors.Is(err, io.EOF) || err == nil && v.RepetitionLevel() == 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		c.read = c.read[1:]
		if n < len(cells) {
			cells[n] = c.cell(p, v)
		}
		n++
	}
	if n != len(cells) {
		bad = &Error{msg: fmt.Sprintf("column %q does not have the declared %d elements", c.in.name, c.in.size)}
	}
	return bad, nil
}

// wholeRow is the error where values end in the middle of a row.
func wholeRow(err error) error {
	if errors.Is(err, io.EOF) {
		return invalidParquet()
	}
	return err
}

// value is the next value of the column, the first of c.read. It returns io.EOF after the last.
func (c *parquetColumn) value(s *parquetSource) (parquet.Value, error) {
	if c.buffer == nil {
		c.buffer = make([]parquet.Value, max(16, min(1024, 1<<16/len(s.columns))))
	}
	for len(c.read) == 0 {
		if c.values == nil {
			if err := c.nextPage(s); err != nil {
				return parquet.Value{}, err
			}
			continue
		}
		n, err := c.values.ReadValues(c.buffer)
		if err != nil && !errors.Is(err, io.EOF) {
			return parquet.Value{}, invalidParquet()
		}
		if c.read = c.buffer[:n]; n == 0 {
			c.values = nil
		}
	}
	return c.read[0], nil
}

// nextPage opens the next page, or the next group of rows that has any.
func (c *parquetColumn) nextPage(s *parquetSource) error {
	if c.pages != nil {
		page, err := c.pages.ReadPage()
		switch {
		case c.bad != nil:
			return c.bad
		case err == nil:
			c.values = page.Values()
			return nil
		case !errors.Is(err, io.EOF) || c.left > 0:
			return invalidParquet()
		}
		_ = c.pages.Close() // which cannot fail
		c.pages = nil
	}
	file := s.pages.file
	if c.group >= 0 && c.rows != file.groups[c.group].NumRows {
		return invalidParquet()
	}
	if c.group++; c.group == len(file.groups) {
		c.group--
		return io.EOF
	}
	meta, start, err := file.chunk(c.group, c.leaf)
	if err != nil {
		return err
	}
	if meta.Type != format.Type(c.leaf.Type().Kind()) {
		return invalidParquet()
	}
	_ = s.pages.hold(-c.page - c.dictionary) // which is less
	c.page, c.dictionary = 0, 0
	c.codec, c.at, c.end, c.left, c.rows = meta.Codec, start, start+meta.TotalCompressedSize, meta.NumValues, 0
	chunk, ok := file.chunks[c.leaf.Index()].(*parquet.FileColumnChunk)
	if !ok {
		return invalidParquet()
	}
	c.pages = chunk.PagesFrom(&chunkReader{pages: &s.pages, column: c})
	return nil
}

// cell is a value as a cell. Its text stands in the part's.
func (c *parquetColumn) cell(p *part, v parquet.Value) cell {
	start := len(p.text)
	text := func(t []byte) cell {
		p.text = t
		return cell{text: t[start:len(t):len(t)]}
	}
	whole := func(x float64, format func() []byte) cell {
		if c.in.number && !math.IsNaN(x) && !math.IsInf(x, 0) {
			return cell{number: x, numeric: true}
		}
		return text(format())
	}
	if v.IsNull() {
		return cell{null: true}
	}
	switch v.Kind() {
	case parquet.Boolean:
		return text(strconv.AppendBool(p.text, v.Boolean()))
	case parquet.Int32:
		if c.unsigned {
			return whole(float64(v.Uint32()), func() []byte { return strconv.AppendUint(p.text, uint64(v.Uint32()), 10) })
		}
		return whole(float64(v.Int32()), func() []byte { return strconv.AppendInt(p.text, int64(v.Int32()), 10) })
	case parquet.Int64:
		if c.unsigned {
			return whole(float64(v.Uint64()), func() []byte { return strconv.AppendUint(p.text, v.Uint64(), 10) })
		}
		return whole(float64(v.Int64()), func() []byte { return strconv.AppendInt(p.text, v.Int64(), 10) })
	case parquet.Float: // as the decimal number, which is not the float's own value: 0.1 and not 0.10000000149
		return text(appendShortest(p.text, float64(v.Float()), 32))
	case parquet.Double:
		return whole(v.Double(), func() []byte { return appendShortest(p.text, v.Double(), 64) })
	case parquet.ByteArray, parquet.Int96, parquet.FixedLenByteArray: // the last two are not taken
	}
	return text(append(p.text, v.ByteArray()...))
}

// appendShortest appends the shortest decimal number that is x in its type; with an exponent only where there were many
// zeros without, as JavaScript writes numbers.
func appendShortest(text []byte, x float64, bits int) []byte {
	form := byte('f')
	if abs := math.Abs(x); abs != 0 && abs < 1e-6 || abs >= 1e21 {
		form = 'e'
	}
	return strconv.AppendFloat(text, x, form, -1, bits)
}

// parquetRows are the cells of a part's rows, and what is wrong with some of these.
type parquetRows struct {
	cells    []cell
	bad      map[int]*Error
	expected int // rows of the file
}

// parquetReader hands out rows that the source has read.
type parquetReader struct {
	inputs []input
	rows   parquetRows
	row    int // the next
}

func (r *parquetReader) reset(p *part) (lines int) {
	r.rows, r.row = p.parquet, 0
	cells := 0
	for _, in := range r.inputs {
		cells += in.size
	}
	return len(r.rows.cells) / cells
}

func (r *parquetReader) next(cells []cell) error {
	from := r.row * len(cells)
	if from == len(r.rows.cells) {
		return io.EOF
	}
	copy(cells, r.rows.cells[from:])
	r.row++
	if bad := r.rows.bad[r.row-1]; bad != nil {
		bad.Line = r.row
		return bad
	}
	for i := range cells {
		if !utf8.Valid(cells[i].text) {
			name, line, _ := r.where(i)
			return &Error{Line: line, msg: fmt.Sprintf("column %q is not valid UTF-8", name), hint: "convert the file to UTF-8"}
		}
	}
	return nil
}

func (r *parquetReader) where(i int) (name string, line, column int) {
	for _, in := range r.inputs {
		if i < in.size {
			name = in.name
			if in.run != nil {
				name = in.run.name(i)
			}
			return name, r.row, 0
		}
		i -= in.size
	}
	return "", r.row, 0
}
