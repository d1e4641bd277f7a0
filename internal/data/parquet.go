package data

import (
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"
)

// parquetSource reads the columns of a Parquet file. A value counts as the text that CSV would hold, see the package's
// documentation; a row is encoded as it would be from CSV. Names are looked up as in JSONL, so that user.age is the field age
// of a group user; a vector is a list of numbers, or a run of columns. Instead of lines, errors count rows.
type parquetSource struct {
	pages   pageReader
	done    int64    // rows in parts so far
	group   int      // of rows: the next
	left    int64    // rows to come of the one before
	read    *counter // of the file's bytes
	size    int      // about how many bytes of cells a part has
	columns []*parquetColumn
	inputs  []input
	cells   int // of a row
	block   int // rows that are filled one column after the other
	most    int // values of a list that are read ahead
	batch   parquetBatch
}

const (
	// blockCells is about how many cells are filled one column after the other, maxBlock how many rows at most.
	blockCells = 1 << 13
	maxBlock   = 64
	cellBytes  = 40 // of memory, without its text
)

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
	s.block = max(8, min(maxBlock, blockCells/s.cells))
	s.most = max(16, min(1024, 1<<16/len(s.columns)))
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
			if !seen[c.leaf.leaf] { // which may be wanted twice
				sum += meta.TotalCompressedSize
			}
			if seen[c.leaf.leaf] = true; sum > file.size {
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
	c, err := s.pages.file.root.find(in.name)
	if in.run == nil || c != nil {
		if err != nil {
			return err
		}
		return s.add(c, in, in.name, s.cells, in.vector)
	}
	for i := range in.size {
		name := in.run.name(i)
		c, err := s.pages.file.root.find(name)
		if err != nil {
			return err
		}
		if err := s.add(c, in, name, s.cells+i, false); err != nil {
			return err
		}
	}
	return nil
}

// add adds a column for the cells from first on: n's leaf, which is a list or a single value.
func (s *parquetSource) add(n *parquetNode, in input, name string, first int, list bool) error {
	c := &parquetColumn{name: name, first: first, size: 1, list: list, leaf: n}
	if list {
		c.size = in.size
		c.leaf = n.element()
	}
	switch {
	case list && (!c.leaf.isLeaf() || c.leaf.repetition != 1):
		return &Error{msg: fmt.Sprintf("column %q is not an array", name)}
	case !c.leaf.isLeaf() || !list && c.leaf.repetition > 0:
		return &Error{msg: fmt.Sprintf("column %q is an object or array, want a single value", name)}
	}
	if c.form = formOf(c.leaf, in); c.form == nil {
		return &Error{msg: fmt.Sprintf("column %q is of a type that is not read, want text, numbers, booleans, dates, times or UUIDs", name),
			hint: "write it as text or as a number; or leave the column out of the features"}
	}
	s.columns = append(s.columns, c)
	return nil
}

func (s *parquetSource) next(p *part) (err error) {
	defer refusePanic(&err)
	file := s.pages.file
	if s.done == file.rows {
		return io.EOF
	}
	p.text, p.parquet = p.text[:0], parquetRows{cells: p.parquet.cells[:0], bad: make(map[int]*Error), expected: int(file.rows)}
	most := min(int64(s.size/(cellBytes*s.cells)+s.block), file.rows-s.done) // rows
	p.parquet.cells = slices.Grow(p.parquet.cells, int(most)*s.cells)
	text, dictionaries := 0, s.pages.dictionaries // which the cells of the part keep
	for s.done < file.rows && len(p.text)+cellBytes*len(p.parquet.cells)+int(s.pages.dictionaries-dictionaries) < s.size {
		if err := s.nextBlock(p); err != nil {
			return err
		}
	}
	for i := range p.parquet.cells {
		text += len(p.parquet.cells[i].text)
	}
	s.read.n.Store(int64(float64(file.size) * float64(s.done) / float64(file.rows)))
	return s.pages.become(int64(text))
}

// nextBlock adds some rows of one group to a part, one column after the other: few enough that their cells stay in the cache.
func (s *parquetSource) nextBlock(p *part) error {
	file := s.pages.file
	for s.left == 0 {
		s.left = file.groups[s.group].NumRows
		for _, c := range s.columns {
			if err := c.open(&s.pages, s.group); err != nil {
				return err
			}
		}
		s.group++
	}
	n, at := int(min(s.left, int64(s.block))), len(p.parquet.cells)
	p.parquet.cells = slices.Grow(p.parquet.cells, n*s.cells)[:at+n*s.cells]
	rows := p.parquet.cells[at:]
	for _, c := range s.columns {
		if !c.list {
			if err := c.fill(s, p, rows, s.cells); err != nil {
				return err
			}
			continue
		}
		for i := range n {
			bad, err := c.fillList(s, p, rows[i*s.cells+c.first:][:c.size])
			if err != nil {
				return err
			}
			if row := at/s.cells + i; bad != nil && p.parquet.bad[row] == nil {
				p.parquet.bad[row] = bad
			}
		}
	}
	s.done, s.left = s.done+int64(n), s.left-int64(n)
	if s.left == 0 {
		for _, c := range s.columns {
			if !c.done() {
				return invalidParquet()
			}
		}
	}
	return nil
}

// before is 0: a file of columns has no header line.
func (s *parquetSource) before() int { return 0 }

func (s *parquetSource) reader() rowReader { return &parquetReader{inputs: s.inputs} }

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
		switch c := &cells[i]; {
		case c.invalid:
			return r.fail(i, "is not a value of its type", "write the row anew, or drop it")
		case !utf8.Valid(c.text):
			return r.fail(i, "is not valid UTF-8", "convert the file to UTF-8")
		}
	}
	return nil
}

// fail says what is wrong with cell i of the row read last.
func (r *parquetReader) fail(i int, msg, hint string) error {
	name, line, _ := r.where(i)
	return &Error{Line: line, msg: fmt.Sprintf("column %q %s", name, msg), hint: hint}
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
