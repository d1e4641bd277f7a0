package data

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	readBufferSize = 64 << 10
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
	size  int64        // of the file; 0 where it is not known
	read  atomic.Int64 // bytes of it
}

// expect is about how many rows the table has, a little above, if so many are in the first part.
func (t *table) expect(rows int, first *part) int {
	const above = 1.05
	if read := min(first.read, int64(len(first.text))); t.size > read && read > 0 {
		return int(above * float64(rows) * float64(t.size) / float64(read))
	}
	return rows
}

// A counter counts the bytes that are read of a file.
type counter struct {
	io.Reader
	read *atomic.Int64
}

func (c counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// openTable opens the table at path for the given inputs. The caller closes it.
func openTable(path string, s *Schema, inputs []input, o LoadOptions) (*table, error) {
	t := &table{name: path, close: func() {}}
	var raw io.Reader
	if path == "-" {
		if o.Stdin == nil {
			return nil, errors.New("data: no reader for standard input")
		}
		t.name, raw = "stdin", o.Stdin
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		if info, err := f.Stat(); err == nil && info.IsDir() {
			_ = f.Close()
			return nil, &Error{File: path, msg: "is a directory, want a file"}
		} else if err == nil && info.Mode().IsRegular() {
			t.size = info.Size()
		}
		t.close, raw = func() { _ = f.Close() }, f
	}
	if err := t.open(path, s, inputs, counter{raw, &t.read}, o.partBytes); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// open puts decompression and the format's source on top of raw.
func (t *table) open(path string, s *Schema, inputs []input, raw io.Reader, partBytes int) error {
	in, err := t.decompress(compression(path), raw)
	if err != nil {
		return t.fail(err)
	}
	format := s.spec.Format
	if format == "" {
		format = FormatOf(path)
	}
	switch format {
	case JSONL:
		t.rows = newJSONLSource(in, partBytes, inputs)
	case TSV:
		t.rows, err = newCSVSource(in, partBytes, "\t", s.spec.Delimiter, inputs)
	default:
		t.rows, err = newCSVSource(in, partBytes, ",", s.spec.Delimiter, inputs)
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
