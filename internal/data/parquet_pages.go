package data

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// The pages that are open at a time, one of each column and its dictionary, take at most maxPages or, of a larger file,
// maxOpen times its size.
const (
	maxPages = 128 << 20
	maxOpen  = 8
)

// A pageReader reads the pages of a file, of any of its columns. It keeps the whole file to what a little one may become, and
// holds the pages that are open at a time to what the file's size allows: before a page is decompressed, by its header; and a
// page that is more than its header says is refused.
type pageReader struct {
	file     *parquetFile
	open     int64 // bytes of the pages that are open
	produced int64 // bytes that the file has become so far, and values that took none

	dictionaries int64 // bytes of those that were opened so far

	protocol thrift.CompactProtocol
	header   []byte // as the file has it
	packed   []byte // what follows it
	gzip     *gzip.Reader
	zstd     *zstd.Decoder
	brotli   *brotli.Reader
}

func (r *pageReader) close() {
	if r.zstd != nil {
		r.zstd.Close()
	}
}

// become counts bytes that the file has become, or values.
func (r *pageReader) become(n int64) error {
	if r.produced += n; r.produced > maxExpanded && r.produced/maxRatio > r.file.size {
		return tooMuch()
	}
	return nil
}

func tooMuch() error {
	return &Error{msg: fmt.Sprintf("decompresses to more than %d times its size", maxRatio), hint: "write it as CSV or JSONL if it is what it should be"}
}

// hold counts a page that is opened; it is closed by a negative size.
func (r *pageReader) hold(size int64) error {
	if r.open += size; r.open > maxPages && r.open/maxOpen > r.file.size {
		return &Error{msg: fmt.Sprintf("has pages that take more than %d MiB, and %d times the file, at a time", maxPages>>20, maxOpen), hint: "write it with smaller pages or row groups"}
	}
	return nil
}

// A parquetPage is a data page that is open, in front of the next of its values.
type parquetPage struct {
	left        int // values to come, nulls included
	repetitions parquetRuns
	definitions parquetRuns
	values      parquetDecoder // those that are not null
	indexed     bool           // they are indices of the dictionary instead
	indices     parquetRuns

	text []byte // its bytes, decompressed
	held int64  // memory of it, as of hold
}

// read opens the page of column c at its next place: the next data page, or the dictionary.
func (r *pageReader) read(c *parquetColumn) error {
	h, n, err := r.readHeader(c.at, c.end)
	if err != nil {
		return err
	}
	packed, size := int64(h.CompressedPageSize), int64(h.UncompressedPageSize)
	if packed < 0 || size < 0 || int64(n)+packed > c.end-c.at {
		return invalidParquet()
	}
	shape, err := c.shapeOf(h)
	if err != nil {
		return err
	}
	if err := r.become(size + int64(shape.values)); err != nil {
		return err
	}
	_ = r.hold(-c.page.held) // which is less
	c.page.held = 0
	r.packed = grown(r.packed, int(packed))
	if _, err := io.ReadFull(io.NewSectionReader(r.file, c.at+int64(n), packed), r.packed); err != nil {
		return err
	}
	c.at += int64(n) + packed
	c.pages++
	// 0 is what the library says where there is no checksum. It is that of one page in four billion, which goes unchecked.
	if sum := uint32(h.CRC); sum != 0 && sum != crc32.ChecksumIEEE(r.packed) {
		return &Error{msg: fmt.Sprintf("column %q is damaged: page %d of row group %d does not have its checksum", c.name, c.pages, c.group), hint: "copy or write the file again"}
	}
	codec := c.codec
	if shape.v2 && h.DataPageHeaderV2.V.IsCompressed.Valid && !h.DataPageHeaderV2.V.IsCompressed.V {
		codec = format.Uncompressed
	}
	levels := shape.levels[0] + shape.levels[1] // which version 2 does not compress
	if levels > len(r.packed) || int64(levels) > size {
		return invalidParquet()
	}
	if err := r.hold(size); err != nil {
		return err
	}
	text := c.page.text
	if int64(cap(text)) > 2*size+1<<16 {
		text = nil // what is much too large is let go of
	}
	text = grown(text, int(size))
	copy(text, r.packed[:levels])
	if err := r.decompress(codec, text[levels:], r.packed[levels:]); err != nil {
		return err
	}
	c.page.held, c.page.text = size, text
	if shape.dictionary {
		return r.openDictionary(c, shape, text)
	}
	c.left -= int64(shape.values)
	return r.openPage(c, shape, text)
}

// openDictionary makes cells of a dictionary's values, once for all that are their like.
func (r *pageReader) openDictionary(c *parquetColumn, shape pageShape, text []byte) error {
	const each = 104 // bytes of a value, its cell, its number, and the text of one
	c.held = int64(len(text)) + each*int64(shape.values)
	if err := r.hold(c.held); err != nil {
		return err
	}
	r.dictionaries += c.held
	d, unknown, err := newParquetDecoder(c.form.kind, c.form.size, format.Plain, text, shape.values, r.hold)
	if err != nil || unknown {
		return invalidParquet()
	}
	values := make([]parquetValue, shape.values)
	if !d.decode(values) {
		return invalidParquet()
	}
	c.dictionary = make([]cell, len(values))
	own := make([]byte, 0, len(text))
	for i, v := range values {
		own, c.dictionary[i] = c.form.cell(own, v)
		if c.dictionary[i].numeric && len(c.numbers) == i {
			c.numbers = append(c.numbers, c.dictionary[i].number)
		}
	}
	if len(c.numbers) < len(values) {
		c.numbers = nil
	}
	return nil
}

// openPage takes a data page apart: the levels, and what reads its values.
func (r *pageReader) openPage(c *parquetColumn, shape pageShape, text []byte) error {
	p := &c.page
	for i, levels := range []struct {
		runs    *parquetRuns
		highest int
	}{{&p.repetitions, c.leaf.repetition}, {&p.definitions, c.leaf.definition}} {
		var coded []byte
		switch {
		case shape.v2:
			coded, text = text[:shape.levels[i]], text[shape.levels[i]:]
		case levels.highest > 0:
			var ok bool
			if coded, text, ok = cutPrefixed(text); !ok {
				return invalidParquet()
			}
		}
		*levels.runs = parquetRuns{text: coded, width: bits.Len(uint(levels.highest))}
	}
	p.left, p.indexed = shape.values, shape.encoding == format.RLEDictionary || shape.encoding == plainDictionary
	if p.indexed {
		p.indices = parquetRuns{}
		if len(text) > 0 {
			p.indices = parquetRuns{text: text[1:], width: int(text[0])}
		}
		if p.indices.width > 32 {
			return invalidParquet()
		}
		return nil
	}
	d, unknown, err := newParquetDecoder(c.form.kind, c.form.size, shape.encoding, text, shape.values, func(size int64) error {
		p.held += size
		if err := r.hold(size); err != nil {
			return err
		}
		return r.become(size)
	})
	if unknown {
		return oddEncoding(c.name)
	}
	p.values = d
	return err
}

// grown is a slice of n elements, s's where they are enough.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// readHeader reads the header of the page at an offset, and says how long it is.
func (r *pageReader) readHeader(at, end int64) (*format.PageHeader, int, error) {
	for most := int64(1 << 10); most <= maxHeader; most *= 4 { // it mostly takes some twenty bytes
		r.header = grown(r.header, int(min(most, end-at)))
		if _, err := r.file.ReadAt(r.header, at); err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, err
		}
		if !thriftFits(r.header) {
			if most >= end-at {
				break
			}
			continue
		}
		h := new(format.PageHeader)
		in := r.protocol.NewReaderFromBytes(bytes.Clone(r.header))
		if err := thrift.NewDecoder(in).Decode(h); err != nil {
			break
		}
		return h, in.BytesRead(), nil
	}
	return nil, 0, invalidParquet()
}

// plainDictionary is the encoding of indices, and of their dictionary, in files of the format's first version.
const plainDictionary format.Encoding = 2

// A pageShape is what of a page's header says how its bytes are to be read.
type pageShape struct {
	values   int // nulls included
	encoding format.Encoding
	v2       bool
	levels   [2]int // version 2: bytes of repetition and of definition levels

	dictionary bool // it is no data page
}

// shapeOf is the shape of the page with a header.
func (c *parquetColumn) shapeOf(h *format.PageHeader) (p pageShape, err error) {
	size := h.UncompressedPageSize
	switch v1, v2, d := h.DataPageHeader, h.DataPageHeaderV2, h.DictionaryPageHeader; {
	case h.Type == format.DataPage && v1.Valid && !v2.Valid && !d.Valid:
		p = pageShape{values: int(v1.V.NumValues), encoding: v1.V.Encoding}
		if c.leaf.repetition > 0 && v1.V.RepetitionLevelEncoding != format.RLE || c.leaf.definition > 0 && v1.V.DefinitionLevelEncoding != format.RLE {
			return p, oddEncoding(c.name)
		}
	case h.Type == format.DataPageV2 && v2.Valid && !v1.Valid && !d.Valid:
		p = pageShape{values: int(v2.V.NumValues), encoding: v2.V.Encoding, v2: true,
			levels: [2]int{int(v2.V.RepetitionLevelsByteLength), int(v2.V.DefinitionLevelsByteLength)}}
		if p.levels[0] < 0 || p.levels[1] < 0 || p.levels[0] > int(size)-p.levels[1] || v2.V.NumNulls < 0 || v2.V.NumNulls > v2.V.NumValues {
			return p, invalidParquet()
		}
	case h.Type == format.DictionaryPage && d.Valid && !v1.Valid && !v2.Valid && c.dictionary == nil:
		p = pageShape{values: int(d.V.NumValues), encoding: format.Plain, dictionary: true}
		if d.V.Encoding != format.Plain && d.V.Encoding != plainDictionary || int64(d.V.NumValues) > 8*int64(size) { // each takes a bit at least
			return p, invalidParquet()
		}
	default:
		return p, invalidParquet()
	}
	if p.values < 0 || !p.dictionary && int64(p.values) > c.left {
		return p, invalidParquet()
	}
	return p, nil
}

func oddEncoding(column string) error {
	return &Error{msg: fmt.Sprintf("column %q is in an encoding that is not read", column), hint: "write it in plain or dictionary pages, which is usual"}
}

// decompress fills dst from packed, which must be that many bytes.
func (r *pageReader) decompress(codec format.CompressionCodec, dst, packed []byte) error {
	if len(dst)+len(packed) == 0 { // values that are all null: some writers compress them, others do not
		return nil
	}
	var stream io.Reader
	var err error
	switch codec {
	case format.Uncompressed:
		if len(packed) != len(dst) {
			return invalidParquet()
		}
		copy(dst, packed)
		return nil
	case format.Snappy:
		n, err := snappy.DecodedLen(packed)
		if err != nil || n != len(dst) {
			return invalidParquet()
		}
		if _, err := snappy.Decode(dst, packed); err != nil {
			return invalidParquet()
		}
		return nil
	case format.Lz4Raw:
		if n, err := lz4.UncompressBlock(packed, dst); err != nil || n != len(dst) {
			return invalidParquet()
		}
		return nil
	case format.Brotli:
		if r.brotli == nil {
			r.brotli = new(brotli.Reader)
		}
		err, stream = r.brotli.Reset(bytes.NewReader(packed)), r.brotli
	case format.Gzip:
		if r.gzip == nil {
			r.gzip = new(gzip.Reader)
		}
		err, stream = r.gzip.Reset(bytes.NewReader(packed)), r.gzip
	case format.Zstd:
		if r.zstd == nil {
			if r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true)); err != nil {
				return err
			}
		}
		if all, err := r.zstd.DecodeAll(packed, dst[:0:len(dst)]); err != nil || len(all) != len(dst) { // no window, which may be large
			return invalidParquet()
		}
		return nil
	default:
		return &Error{msg: "is compressed in another way than snappy, gzip, zstd, brotli and LZ4_RAW", hint: "write it with one of these"}
	}
	if err == nil {
		_, err = io.ReadFull(stream, dst)
	}
	var more [1]byte
	if n, end := io.ReadFull(stream, more[:]); err != nil && len(dst) > 0 || n > 0 || end != nil && !errors.Is(end, io.EOF) {
		return invalidParquet()
	}
	return nil
}
