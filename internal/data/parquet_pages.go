package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// maxPages bounds the memory of the pages that are open at a time, one of each column and its dictionary.
const maxPages = 128 << 20

// A pageReader reads the pages of a file, of any of its columns. It keeps the whole file to what a little one may become, and
// the pages that are open at a time to maxPages: before a page is decompressed, by its header; and a page that is more than
// its header says is refused.
type pageReader struct {
	file     *parquetFile
	open     int64 // bytes of the pages that are open
	produced int64 // bytes that the file has become so far, and values that took none

	protocol thrift.CompactProtocol
	header   []byte // as the file has it
	packed   []byte // what follows it
	text     []byte // the page as the library gets it: a header, and the bytes decompressed
	gzip     *gzip.Reader
	zstd     *zstd.Decoder
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
	if r.open += size; r.open > maxPages {
		return &Error{msg: fmt.Sprintf("has pages that take more than %d MiB at a time", maxPages>>20), hint: "write it with smaller pages or row groups"}
	}
	return nil
}

// read puts the page of column c at its next place into r.text, checked and decompressed.
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
	// Levels take a byte each, indices four, numbers eight, and the library's copy of the page as much as the page.
	memory := 1<<10 + 2*size + 14*int64(shape.values)
	if err := r.become(size + int64(shape.values)); err != nil {
		return err
	}
	if err := r.hold(memory); err != nil {
		return err
	}
	if shape.dictionary {
		c.dictionary += memory
	} else {
		_ = r.hold(-c.page) // which is less
		c.page = memory
		c.left -= int64(shape.values)
	}
	r.packed = grown(r.packed, packed)
	if _, err := io.ReadFull(io.NewSectionReader(r.file, c.at+int64(n), packed), r.packed); err != nil {
		return err
	}
	c.at += int64(n) + packed
	codec := c.codec
	if shape.v2 && h.DataPageHeaderV2.V.IsCompressed.Valid && !h.DataPageHeaderV2.V.IsCompressed.V {
		codec = format.Uncompressed
	}
	r.text, err = thrift.Marshal(&r.protocol, plainHeader(h))
	if err != nil {
		return invalidParquet()
	}
	start := len(r.text)
	r.text = append(r.text, make([]byte, size)...)
	levels := shape.levels[0] + shape.levels[1] // which version 2 does not compress
	if levels > len(r.packed) || int64(levels) > size {
		return invalidParquet()
	}
	copy(r.text[start:], r.packed[:levels])
	if err := r.decompress(codec, r.text[start+levels:], r.packed[levels:]); err != nil {
		return err
	}
	if !shape.dictionary && !shape.fits(c.leaf, r.text[start:]) {
		return invalidParquet()
	}
	return nil
}

// grown is a slice of n bytes, text's where they are enough.
func grown(text []byte, n int64) []byte {
	if int64(cap(text)) < n {
		return make([]byte, n)
	}
	return text[:n]
}

// readHeader reads the header of the page at an offset, and says how long it is.
func (r *pageReader) readHeader(at, end int64) (*format.PageHeader, int, error) {
	for _, most := range []int64{1 << 10, maxHeader} { // it mostly takes some twenty bytes
		r.header = grown(r.header, min(most, end-at))
		if _, err := r.file.ReadAt(r.header, at); err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, err
		}
		if !thriftFits(r.header) {
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

// plainHeader is h for a page that is decompressed, without what nobody reads.
func plainHeader(h *format.PageHeader) *format.PageHeader {
	h.CompressedPageSize, h.CRC = h.UncompressedPageSize, 0
	h.DataPageHeader.V.Statistics, h.DataPageHeaderV2.V.Statistics = format.Statistics{}, format.Statistics{}
	h.DataPageHeaderV2.V.IsCompressed = thrift.Null[bool]{Valid: true}
	return h
}

// shapeOf is the shape of the page with a header.
func (c *parquetColumn) shapeOf(h *format.PageHeader) (p pageShape, err error) {
	size := h.UncompressedPageSize
	switch v1, v2, d := h.DataPageHeader, h.DataPageHeaderV2, h.DictionaryPageHeader; {
	case h.Type == format.DataPage && v1.Valid && !v2.Valid && !d.Valid:
		p = pageShape{values: int(v1.V.NumValues), encoding: v1.V.Encoding}
		if c.leaf.MaxRepetitionLevel() > 0 && v1.V.RepetitionLevelEncoding != format.RLE || c.leaf.MaxDefinitionLevel() > 0 && v1.V.DefinitionLevelEncoding != format.RLE {
			return p, oddEncoding(c.in.name)
		}
	case h.Type == format.DataPageV2 && v2.Valid && !v1.Valid && !d.Valid:
		p = pageShape{values: int(v2.V.NumValues), encoding: v2.V.Encoding, v2: true,
			levels: [2]int{int(v2.V.RepetitionLevelsByteLength), int(v2.V.DefinitionLevelsByteLength)}}
		if p.levels[0] < 0 || p.levels[1] < 0 || p.levels[0] > int(size)-p.levels[1] || v2.V.NumNulls < 0 || v2.V.NumNulls > v2.V.NumValues {
			return p, invalidParquet()
		}
	case h.Type == format.DictionaryPage && d.Valid && !v1.Valid && !v2.Valid && c.dictionary == 0:
		p = pageShape{values: int(d.V.NumValues), encoding: format.Plain, dictionary: true}
		if d.V.Encoding != format.Plain && d.V.Encoding != plainDictionary || d.V.NumValues > size { // each takes a byte at least
			return p, invalidParquet()
		}
	default:
		return p, invalidParquet()
	}
	if p.values < 0 || !p.dictionary && int64(p.values) > c.left {
		return p, invalidParquet()
	}
	if !known(p.encoding) {
		return p, oddEncoding(c.in.name)
	}
	if indexed := p.encoding == format.RLEDictionary || p.encoding == plainDictionary; indexed && c.dictionary == 0 {
		return p, invalidParquet()
	}
	return p, nil
}

func oddEncoding(column string) error {
	return &Error{msg: fmt.Sprintf("column %q is in an encoding that is not read, such as DELTA_BYTE_ARRAY", column), hint: "write it in plain or dictionary pages, which is usual"}
}

// decompress fills dst from packed, which must be that many bytes.
func (r *pageReader) decompress(codec format.CompressionCodec, dst, packed []byte) error {
	var stream io.Reader
	var err error
	switch codec {
	case format.Uncompressed:
		stream = bytes.NewReader(packed)
	case format.Snappy:
		n, err := snappy.DecodedLen(packed)
		if err != nil || n != len(dst) {
			return invalidParquet()
		}
		if _, err := snappy.Decode(dst, packed); err != nil {
			return invalidParquet()
		}
		return nil
	case format.Gzip:
		if r.gzip == nil {
			r.gzip = new(gzip.Reader)
		}
		err, stream = r.gzip.Reset(bytes.NewReader(packed)), r.gzip
	case format.Zstd:
		if r.zstd == nil {
			if r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxPages)); err != nil {
				return err
			}
		}
		err, stream = r.zstd.Reset(bytes.NewReader(packed)), r.zstd
	default:
		return &Error{msg: "is compressed in another way than snappy, gzip and zstd", hint: "write it with one of these"}
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

// A chunkReader is what the library reads a column's values in a row group from, in place of the file: its pages, one after
// the other, as pageReader has them.
type chunkReader struct {
	pages  *pageReader
	column *parquetColumn
	at     int64  // of what is read next, counted from where the library takes the chunk to begin
	rest   []byte // of the page
}

func (r *chunkReader) ReadAt(p []byte, at int64) (int, error) {
	if r.at == 0 {
		r.at = at
	}
	if at != r.at {
		return 0, invalidParquet() // the library has lost its way
	}
	if len(r.rest) == 0 {
		if r.column.left == 0 || r.column.at == r.column.end {
			return 0, io.EOF
		}
		if err := r.pages.read(r.column); err != nil {
			r.column.bad = err // which the library may put into words of its own
			return 0, err
		}
		r.rest = r.pages.text
	}
	n := copy(p, r.rest)
	r.rest, r.at = r.rest[n:], r.at+int64(n)
	return n, nil
}
