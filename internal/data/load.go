package data

import (
	"context"
	"fmt"
	"io"
	"runtime"
)

// A LabelUse says what becomes of the label column.
type LabelUse int

// The uses of labels.
const (
	LabelsRequired LabelUse = iota // each row has one of the declared classes: fit and eval
	LabelsIgnored                  // the column need not be there and is not read: predict
)

// LoadOptions says what to read of a table beside its features. The zero value reads labels and any number of rows.
type LoadOptions struct {
	Labels LabelUse
	// Group names a CSV column or JSON path whose texts split the rows into groups; empty: none.
	Group string
	// MaxRows is the declared number of rows that the table may have at most; 0: any number.
	MaxRows int
	// AllowEmpty accepts a table without rows: where the number of rows is private, none is a number like any other.
	AllowEmpty bool
	// NullBadRows takes a row that is not as declared for a null row, instead of giving up.
	NullBadRows bool
	// Faults is how many rows that are not as declared are looked for before giving up, where each is an error; 0 counts as 1.
	// With more than one, the error is a [Faults] of those found.
	Faults int
	// Side is the side of the schema's split that is wanted: the rows of the other are null. They too must be as declared.
	// Without a split it says nothing.
	Side Side
	// Cache keeps the encoded table in a file beside the first of the table's, see [CachePath], and maps it.
	Cache bool
	// CountOnly reads and checks the table but keeps of it the number of rows alone.
	CountOnly bool
	// Progress is called, if it is not nil, as bytes of the table's files are read; total is 0 where it is not known.
	Progress func(read, total int64)
	// Stdin is what the path [Stdin] reads from.
	Stdin io.Reader
	// Workers is the number of goroutines that parse; 0: one a processor. It changes no result.
	Workers int

	partBytes int // about how much text is parsed at a time; 0: [partBytes]. It changes no result.
}

// Load reads and encodes the table in the files that paths name, see [Files], one below the other; each has a header of its
// own. Their format is that of the schema, else that of each one's extension; gzip and zstd are decompressed on the way.
//
// The first thing that is not as declared ends it: with an [*Error] that says where, or a [*SpecError] where the schema
// has no columns for the format found. Other errors are those of the operating system and of ctx.
func Load(ctx context.Context, paths []string, s *Schema, o LoadOptions) (*Dataset, error) {
	if o.Workers < 1 || o.Workers > runtime.GOMAXPROCS(0) { // more would hold more parts at a time, and be no faster
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.partBytes == 0 {
		o.partBytes = partBytes
	}
	files, err := Files(paths)
	if err != nil {
		return nil, err
	}
	if o.Cache {
		return loadCached(ctx, files, s, o)
	}
	return load(ctx, files, s, o, nil)
}

// load reads and encodes the table in files, into w unless that is nil.
func load(ctx context.Context, files []string, s *Schema, o LoadOptions, w *cacheWriter) (*Dataset, error) {
	inputs := s.inputs(o)
	l := newLoader(s, o, inputs)
	l.size, l.cache = sizeOf(files), w
	for i, file := range files {
		err := l.load(ctx, file, inputs, i == len(files)-1)
		if len(l.faults) > 0 && len(l.faults) == o.Faults {
			return nil, l.faults
		}
		if err != nil {
			return nil, l.faults.and(err)
		}
	}
	if len(l.faults) > 0 {
		return nil, l.faults
	}
	if l.out.Groups != nil {
		l.out.Groups.sort()
	}
	return l.out, nil
}

// load adds the rows of a file.
func (l *loader) load(ctx context.Context, file string, inputs []input, last bool) error {
	t, err := openTable(file, l.schema, inputs, l.o)
	if err != nil {
		return err
	}
	defer t.close()
	err = l.read(ctx, t)
	l.before += t.read.n.Load()
	if err == nil && last && l.out.Places() == 0 && !l.o.AllowEmpty {
		err = &Error{msg: "has no rows"}
	}
	return t.fail(err)
}

// A source is a table cut into parts, in order. Each format has one. Its errors are those of its reader, or an *Error
// without a file and with lines counted from the part that it gives up at.
type source interface {
	// next puts the next rows into p. It returns io.EOF after the last.
	next(p *part) error
	// before is the number of lines before the first part.
	before() int
	// reader returns a reader of the source's parts, for one goroutine.
	reader() rowReader
}

// A rowReader reads the rows of one part after another. Its errors are an *Error without a file, lines counted from the
// part's first.
type rowReader interface {
	// reset moves on to a part, and counts its lines.
	reset(p *part) (lines int)
	// next reads a row's cells, in the order of the inputs it was made for. It returns io.EOF after the last row.
	next(cells []cell) error
	// where is the declared name and the place, from 1, of cell i of the row read last.
	where(i int) (name string, line, column int)
}

// A loader makes a dataset of a table's parts.
type loader struct {
	schema *Schema
	o      LoadOptions
	cells  int // of one row: features, label, group
	label  int // index of the label's cell; -1 for none
	group  int // index of the group's cell; -1 for none
	split  int // index of the split's cell; -1 for none

	size    int64        // of the files; 0 where it is not known
	before  int64        // of it: what the files before the present one have
	out     *Dataset     // its blocks are empty where cache has them, or nobody
	cache   *cacheWriter // nil: none
	groupOf map[string]int32
	faults  Faults
}

func newLoader(s *Schema, o LoadOptions, inputs []input) *loader {
	l := &loader{schema: s, o: o, label: -1, group: -1, split: -1, out: newBuilder(s.dense, s.sparse).data}
	for _, in := range inputs {
		l.cells += in.size
	}
	last := l.cells - 1
	if s.splits(o) {
		l.split, last = last, last-1
	}
	if o.Group != "" {
		l.group, last = last, last-1
		l.groupOf = make(map[string]int32)
		l.out.Groups = &Groups{}
	}
	if o.Labels == LabelsRequired {
		l.label = last
	}
	return l
}

// take adds the rows of the next part.
func (l *loader) take(p *part) error {
	rows := p.out.data.Places()
	if p.bad != nil {
		rows++ // what is wrong with a row too many does not matter
	}
	if l.o.MaxRows > 0 && rows > l.o.MaxRows-l.out.Places() {
		return &Error{msg: fmt.Sprintf("has more rows than the declared %d", l.o.MaxRows)}
	}
	if l.out.Rows == 0 && l.keeps() {
		l.reserve(p)
	}
	if err := l.append(p.out.data); err != nil {
		return err
	}
	return p.bad
}

// reserve makes room for the whole table by what its first rows take, so that the blocks need not move and loading takes
// little more memory than they do. Pages that stay empty cost nothing.
func (l *loader) reserve(p *part) {
	d, first := l.out, p.out.data
	if first.Rows == 0 {
		return
	}
	rows := l.expect(p)
	if declared := l.o.MaxRows; declared > 0 && declared < 2*rows {
		rows = declared
	}
	entries := int(float64(len(first.Indices)) * float64(rows) / float64(first.Rows))
	d.Dense = make([]float32, 0, rows*d.DenseWidth)
	d.Indptr = append(make([]int, 0, rows+1), 0)
	d.Indices, d.Values = make([]uint32, 0, entries), make([]float32, 0, entries)
	if l.label >= 0 {
		d.Labels = make([]int32, 0, rows)
	}
}

// expect is about how many rows the table has, a little above, if it goes on like its first part.
func (l *loader) expect(first *part) int {
	const above = 1.05
	rows := first.out.data.Rows
	if all := first.parquet.expected; all > 0 {
		return int(above * float64(all) * float64(l.size) / float64(first.size))
	}
	if read := min(first.read, int64(len(first.text))); l.size > read && read > 0 {
		return int(above * float64(rows) * float64(l.size) / float64(read))
	}
	return rows
}

// keeps reports whether the rows are kept in memory.
func (l *loader) keeps() bool { return l.cache == nil && !l.o.CountOnly }

// append adds the rows of part to the dataset.
func (l *loader) append(part *Dataset) error {
	d, place := l.out, int32(l.out.Places())
	for _, n := range part.Null {
		d.Null = append(d.Null, place+n)
	}
	d.Rows += part.Rows
	if l.cache != nil {
		if err := l.cache.add(part); err != nil {
			return cacheError{err}
		}
	}
	if !l.keeps() {
		return nil
	}
	base, entries := len(d.Indices), part.Indptr[part.Rows]
	d.Dense = append(d.Dense, part.Dense[:part.Rows*d.DenseWidth]...)
	d.Indices = append(d.Indices, part.Indices[:entries]...)
	d.Values = append(d.Values, part.Values[:entries]...)
	for _, end := range part.Indptr[1 : part.Rows+1] {
		d.Indptr = append(d.Indptr, base+end)
	}
	if l.label >= 0 {
		d.Labels = append(d.Labels, part.Labels[:part.Rows]...)
	}
	if l.group >= 0 {
		for _, g := range part.Groups.Of[:part.Rows] {
			d.Groups.Of = append(d.Groups.Of, d.Groups.number(l.groupOf, part.Groups.Names[g]))
		}
	}
	return nil
}
