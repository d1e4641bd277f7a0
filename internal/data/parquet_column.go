package data

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/format"
)

// A parquetColumn reads the values of one leaf for the cells of one input.
type parquetColumn struct {
	name  string
	first int // the input's first cell, or that of its element
	size  int // how many cells it fills
	leaf  *parquetNode
	form  *parquetForm
	list  bool

	// Of the group of rows that is read:
	group   int // its number, from 1
	pages   int // read so far, the dictionary's among them
	codec   format.CompressionCodec
	at, end int64 // of the chunk's pages in the file: the next one, and the end
	left    int64 // values in pages to come
	page    parquetPage

	dictionary []cell    // of the chunk; nil: none
	numbers    []float64 // that its cells are; nil where one is none
	held       int64     // memory of it, as of hold

	batch parquetBatch // of a list: values are read ahead, for nobody knows how many a row has
	read  int          // of the batch: the next
}

// A parquetBatch is some values of a page. Buffers grow as needed.
type parquetBatch struct {
	cells       []cell
	repetitions []uint32
	definitions []uint32
	values      []parquetValue // that are not null
	indices     []uint32       // in their place
	text        []byte         // of the cells, but for those of a dictionary
}

// open goes to a group of rows.
func (c *parquetColumn) open(r *pageReader, group int) error {
	meta, start, err := r.file.chunk(group, c.leaf)
	if err != nil {
		return err
	}
	_ = r.hold(-c.held) // which is less
	c.dictionary, c.numbers, c.held = nil, nil, 0
	c.group, c.pages = group+1, 0
	c.codec, c.at, c.end, c.left = meta.Codec, start, start+meta.TotalCompressedSize, meta.NumValues
	return nil
}

// done reports whether all values of the group are read.
func (c *parquetColumn) done() bool {
	return c.left == 0 && c.page.left == 0 && c.read == len(c.batch.cells)
}

// fill reads a single value for each of some rows of a group. rows has all cells of these, width to a row.
func (c *parquetColumn) fill(s *parquetSource, p *part, rows []cell, width int) error {
	b := &s.batch
	for at := c.first; at < len(rows); {
		if err := c.more(&s.pages); err != nil {
			return wholeRow(err) // a column that ends before the others
		}
		n := min((len(rows)-at+width-1)/width, c.page.left)
		present, ok := c.levels(b, n)
		if ok && present == n && c.page.indexed && c.numbers != nil { // the usual case, in one pass
			if !c.index(b, n) {
				return invalidParquet()
			}
			for _, index := range b.indices {
				rows[at] = cell{number: c.numbers[index], numeric: true}
				at += width
			}
			continue
		}
		b.text = p.text
		ok = ok && c.decode(b, n, present)
		if p.text = b.text; !ok {
			return invalidParquet()
		}
		for i := range b.cells {
			rows[at] = b.cells[i]
			at += width
		}
	}
	return nil
}

// wholeRow is the error where values end in the middle of a row.
func wholeRow(err error) error {
	if errors.Is(err, io.EOF) {
		return invalidParquet()
	}
	return err
}

// more sees to it that the page has a value. It returns io.EOF after the last of the group.
func (c *parquetColumn) more(r *pageReader) error {
	for c.page.left == 0 {
		if c.left == 0 {
			return io.EOF
		}
		if err := r.read(c); err != nil {
			return err
		}
	}
	return nil
}

// fillList reads the elements of one row's list. bad is what is wrong with the row.
func (c *parquetColumn) fillList(s *parquetSource, p *part, cells []cell) (bad *Error, err error) {
	if err := c.ahead(s); err != nil {
		return nil, wholeRow(err)
	}
	if c.batch.repetitions[c.read] != 0 {
		return nil, invalidParquet()
	}
	level, n := int(c.batch.definitions[c.read]), 0
	switch {
	case level < c.leaf.present-1:
		c.read++
		for i := range cells {
			cells[i] = cell{null: true}
		}
		return nil, nil
	case level < c.leaf.present: // the list is empty
		c.read++
	default:
		n = c.take(p, cells, 1)
	}
	for {
		err := c.ahead(s)
		if errors.Is(err, io.EOF) || err == nil && c.batch.repetitions[c.read] == 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		more := 1
		for _, level := range c.batch.repetitions[c.read+1:] {
			if level == 0 {
				break
			}
			more++
		}
		n += c.take(p, cells[min(n, len(cells)):], more)
	}
	if n != len(cells) {
		bad = &Error{msg: fmt.Sprintf("column %q does not have the declared %d elements", c.name, c.size)}
	}
	return bad, nil
}

// ahead sees to it that there is a next value in the batch. It returns io.EOF after the last of the group.
func (c *parquetColumn) ahead(s *parquetSource) error {
	if c.read < len(c.batch.cells) {
		return nil
	}
	if err := c.more(&s.pages); err != nil {
		return err
	}
	c.batch.text, c.read = c.batch.text[:0], 0
	n := min(s.most, c.page.left)
	if present, ok := c.levels(&c.batch, n); !ok || !c.decode(&c.batch, n, present) {
		return invalidParquet()
	}
	return nil
}

// take moves the next n values of the batch to cells, as far as they go. Texts move to the part's unless they are the
// dictionary's.
func (c *parquetColumn) take(p *part, cells []cell, n int) int {
	taken := cells[:copy(cells, c.batch.cells[c.read:c.read+n])]
	c.read += n
	if c.page.indexed || len(c.batch.text) == 0 {
		return n
	}
	for i := range taken {
		if start := len(p.text); len(taken[i].text) > 0 {
			p.text = append(p.text, taken[i].text...)
			taken[i].text = p.text[start:len(p.text):len(p.text)]
		}
	}
	return n
}

// levels reads the levels of the next n values of the page, and counts those that are not null.
func (c *parquetColumn) levels(b *parquetBatch, n int) (present int, ok bool) {
	c.page.left -= n
	if c.leaf.repetition > 0 {
		b.repetitions = grown(b.repetitions, n)
		if !c.page.repetitions.fill(b.repetitions) {
			return 0, false
		}
	}
	highest := uint32(c.leaf.definition)
	if highest == 0 || !c.list && c.page.definitions.all(n, highest) {
		return n, true
	}
	b.definitions = grown(b.definitions, n)
	if !c.page.definitions.fill(b.definitions) {
		return 0, false
	}
	for _, level := range b.definitions {
		if level > highest {
			return 0, false
		}
		if level == highest {
			present++
		}
	}
	return present, true
}

// decode makes cells of the next n values of the page, whose levels are read.
func (c *parquetColumn) decode(b *parquetBatch, n, present int) bool {
	b.cells = grown(b.cells, n)
	if !c.decodePresent(b, b.cells[:present]) {
		return false
	}
	for i, next := n-1, present-1; i > next; i-- { // nulls come in between
		if b.definitions[i] == uint32(c.leaf.definition) {
			b.cells[i] = b.cells[next]
			next--
		} else {
			b.cells[i] = cell{null: true}
		}
	}
	return true
}

// decodePresent reads the next values that are not null.
func (c *parquetColumn) decodePresent(b *parquetBatch, cells []cell) bool {
	if c.page.indexed {
		if !c.index(b, len(cells)) {
			return false
		}
		for i, index := range b.indices {
			cells[i] = c.dictionary[index]
		}
		return true
	}
	b.values = grown(b.values, len(cells))
	if !c.page.values.decode(b.values) {
		return false
	}
	for i, v := range b.values {
		b.text, cells[i] = c.form.cell(b.text, v)
	}
	return true
}

// index reads the next n indices, which the dictionary has.
func (c *parquetColumn) index(b *parquetBatch, n int) bool {
	b.indices = grown(b.indices, n)
	if !c.page.indices.fill(b.indices) {
		return false
	}
	for _, index := range b.indices {
		if uint64(index) >= uint64(len(c.dictionary)) {
			return false
		}
	}
	return true
}
