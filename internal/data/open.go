package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	readBufferSize = 64 << 10
	// maxRowBytes bounds the memory of one row: an unclosed quote takes in the rest of its file.
	maxRowBytes = 64 << 20
	// maxZstdWindow is what the zstd program allows without --long.
	maxZstdWindow = 128 << 20
)

// FormatOf is the format of a table by its path's extension, in any case: [TSV] for .tsv, [JSONL] for .jsonl, .ndjson
// and .json, and [CSV] for all else; .gz or .zst after it is left out of account.
func FormatOf(path string) string {
	name := strings.ToLower(path)
	if compression(name) != "" {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	switch filepath.Ext(name) {
	case ".tsv":
		return TSV
	case ".jsonl", ".ndjson", ".json":
		return JSONL
	}
	return CSV
}

// compression is "gzip", "zstd" or empty, by the path's extension.
func compression(path string) string {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".gz":
		return "gzip"
	case ".zst":
		return "zstd"
	}
	return ""
}

// A table is an open file and the source that reads it.
type table struct {
	name  string // for errors
	rows  source
	close func()
}

// openTable opens the table at path for the given inputs. The caller closes it.
func openTable(path string, s *Schema, inputs []input, stdin io.Reader) (*table, error) {
	t := &table{name: path, close: func() {}}
	var raw io.Reader
	if path == "-" {
		if stdin == nil {
			return nil, errors.New("data: no reader for standard input")
		}
		t.name, raw = "stdin", stdin
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		if info, err := f.Stat(); err == nil && info.IsDir() {
			_ = f.Close()
			return nil, &Error{File: path, msg: "is a directory, want a file"}
		}
		t.close, raw = func() { _ = f.Close() }, f
	}
	if err := t.open(path, s, inputs, raw); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// open puts decompression and the format's source on top of raw.
func (t *table) open(path string, s *Schema, inputs []input, raw io.Reader) error {
	plain, err := t.decompress(compression(path), raw)
	if err != nil {
		return t.fail(err)
	}
	in, err := newGuard(plain)
	if err != nil {
		return t.fail(err)
	}
	format := s.spec.Format
	if format == "" {
		format = FormatOf(path)
	}
	switch format {
	case JSONL:
		t.rows = newJSONLSource(in, inputs)
	case TSV:
		t.rows, err = newCSVSource(in, '\t', s.spec.Delimiter, inputs)
	default:
		t.rows, err = newCSVSource(in, ',', s.spec.Delimiter, inputs)
	}
	return t.fail(err)
}

// fail puts the file's name into an error of its source, where it is not there yet.
func (t *table) fail(err error) error {
	var ours *Error
	var declared *SpecError
	var system *os.PathError
	switch {
	case errors.As(err, &ours):
		ours.File = t.name
		return ours
	case err == nil, errors.As(err, &declared), errors.As(err, &system):
		return err
	}
	return fmt.Errorf("%s: %w", t.name, err)
}

// decompress reads raw through the named decompression, which takes concatenated streams as one.
func (t *table) decompress(method string, raw io.Reader) (io.Reader, error) {
	switch method {
	case "gzip":
		z, err := gzip.NewReader(bufio.NewReaderSize(raw, readBufferSize))
		if errors.Is(err, io.EOF) {
			return nil, &Error{msg: "is empty"}
		}
		return &decompressor{z, method}, decompressError(method, err)
	case "zstd":
		z, err := zstd.NewReader(raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		closeFile := t.close
		t.close = func() { z.Close(); closeFile() }
		return &decompressor{z, method}, nil
	}
	return raw, nil
}

// A decompressor says in our own words what is wrong with its stream.
type decompressor struct {
	io.Reader
	method string
}

func (d *decompressor) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	return n, decompressError(d.method, err)
}

func decompressError(method string, err error) error {
	var system *os.PathError
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.As(err, &system):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{msg: "ends in the middle of its " + method + " stream", hint: "the file is cut short: copy it again"}
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return &Error{msg: "needs a zstd window of more than 128 MiB", hint: "compress it without --long"}
	}
	return &Error{msg: "is not a valid " + method + " stream"}
}

// A guard passes a table's bytes on, without a byte order mark, and ends with an error where no table goes on: at a NUL
// byte, or when a row has been read for too long.
type guard struct {
	in     *bufio.Reader
	line   int // of the next byte, from 1
	column int // of the next byte, from 1
	left   int // bytes to read before the source must call nextRow
	err    error
}

func newGuard(r io.Reader) (*guard, error) {
	// A buffer just large enough to look at the first bytes: longer reads go past it.
	g := &guard{in: bufio.NewReaderSize(r, 16), line: 1, column: 1}
	g.nextRow()
	const byteOrderMark = "\xef\xbb\xbf"
	start, err := g.in.Peek(len(byteOrderMark))
	if err != nil && err != io.EOF {
		return nil, err
	}
	if string(start) == byteOrderMark {
		_, _ = g.in.Discard(len(byteOrderMark)) // cannot fail: the bytes are buffered
	}
	if _, err := g.in.Peek(1); errors.Is(err, io.EOF) {
		return nil, &Error{msg: "is empty"}
	}
	return g, nil
}

// nextRow allows another row to be read. The guard's reader reads ahead, so the bound is a rough one.
func (g *guard) nextRow() { g.left = maxRowBytes }

func (g *guard) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	if g.left <= 0 {
		return 0, &Error{Line: g.line, msg: "a row is longer than 64 MiB", hint: "look for a quote that is not closed"}
	}
	n, err := g.in.Read(p[:min(len(p), g.left)])
	if at := bytes.IndexByte(p[:n], 0); at >= 0 {
		n = at
		g.advance(p[:n])
		g.err = &Error{Line: g.line, Column: g.column, msg: "NUL byte", hint: "the table must be text in UTF-8; UTF-16 has to be converted"}
		return n, nil
	}
	g.advance(p[:n])
	g.left -= n
	return n, err
}

// advance moves the place of the next byte past p.
func (g *guard) advance(p []byte) {
	if last := bytes.LastIndexByte(p, '\n'); last >= 0 {
		g.line += bytes.Count(p, []byte{'\n'})
		g.column = 1
		p = p[last+1:]
	}
	g.column += len(p)
}
