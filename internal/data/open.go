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
// and .json, [Parquet] for .parquet, and [CSV] for all else; .gz or .zst after it is left out of account.
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
	case ".parquet":
		return Parquet
	}
	return CSV
}

// NamesTable reports whether a path's extension is that of a table and of nothing else that this program reads: .json may
// be either.
func NamesTable(path string) bool {
	name := strings.ToLower(path)
	if compression(name) != "" {
		return true
	}
	switch filepath.Ext(name) {
	case ".csv", ".tsv", ".jsonl", ".ndjson", ".parquet":
		return true
	}
	return false
}

// The methods of compression.
const (
	gzipMethod = "gzip"
	zstdMethod = "zstd"
)

// compression is the method that the path's extension names, or empty.
func compression(path string) string {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".gz":
		return gzipMethod
	case ".zst":
		return zstdMethod
	}
	return ""
}

// A table is an open file and the source that reads it.
type table struct {
	name  string // for errors
	rows  source
	close func()
	read  *counter // of the file's bytes
	file  *os.File // nil where it is not a regular one
	size  int64    // of it, else -1
}

// A counter counts the bytes that are read.
type counter struct {
	io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// openTable opens the table at path for the given inputs. The caller closes it.
func openTable(path string, s *Schema, inputs []input, o LoadOptions) (*table, error) {
	t := &table{name: path, close: func() {}, size: -1}
	if path == Stdin {
		if o.Stdin == nil {
			return nil, errors.New("data: no reader for standard input")
		}
		t.name, t.read = "stdin", &counter{Reader: o.Stdin}
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		if info, err := f.Stat(); err == nil && info.IsDir() {
			_ = f.Close()
			return nil, &Error{File: path, msg: "is a directory, want a file", hint: "a pattern such as " + filepath.Join(path, "*.csv") + " names the files in it"}
		}
		t.close, t.read = func() { _ = f.Close() }, &counter{Reader: f}
		t.use(f)
	}
	if err := t.open(path, s, inputs, o.partBytes); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// use notes a file that the table is in.
func (t *table) use(f *os.File) {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		t.file, t.size = f, info.Size()
	}
}

// format is that of the path's extension, unless the file is marked as another.
func (t *table) format(path string) string {
	if t.size >= 0 && isParquet(t.file, t.size) {
		return Parquet
	}
	return FormatOf(path)
}

// open puts decompression and the format's source on top of the file.
func (t *table) open(path string, s *Schema, inputs []input, partBytes int) error {
	format := s.spec.Format
	if format == "" {
		format = t.format(path)
	}
	if format == Parquet {
		return t.openParquet(partBytes, inputs)
	}
	in, err := t.decompress(compression(path), t.read)
	if err != nil {
		return t.fail(err)
	}
	if format == JSONL {
		t.rows = newJSONLSource(in, partBytes, inputs)
	} else {
		t.rows, err = newCSVSource(in, partBytes, &s.spec, format, inputs)
	}
	return t.fail(err)
}

// openParquet reads the footer, which stands at the end of the file.
func (t *table) openParquet(partBytes int, inputs []input) error {
	if t.size < 0 {
		return t.fail(notSeekable())
	}
	s, err := newParquetSource(t.file, t.size, t.read, partBytes, inputs)
	if err != nil {
		return t.fail(err)
	}
	closeFile := t.close
	t.rows, t.close = s, func() { s.pages.close(); closeFile() }
	return nil
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

// decompress reads raw through the named decompression, or the one that its first bytes are the mark of: no text in UTF-8
// begins with one. Concatenated streams count as one.
func (t *table) decompress(method string, raw io.Reader) (io.Reader, error) {
	in := &counter{Reader: raw}
	buffered := bufio.NewReaderSize(in, readBufferSize)
	if start, _ := buffered.Peek(4); method == "" { // what is wrong with raw shows when it is read
		switch {
		case strings.HasPrefix(string(start), "\x1f\x8b"):
			method = gzipMethod
		case string(start) == "\x28\xb5\x2f\xfd":
			method = zstdMethod
		}
	}
	switch method {
	case gzipMethod:
		z, err := gzip.NewReader(buffered)
		if errors.Is(err, io.EOF) {
			return nil, emptyError()
		}
		return &decompressor{Reader: z, method: method, in: in}, decompressError(method, err)
	case zstdMethod:
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		closeFile := t.close
		t.close = func() { z.Close(); closeFile() }
		return &decompressor{Reader: z, method: method, in: in}, nil
	}
	return buffered, nil
}

// A decompressor says in our own words what is wrong with its stream, and gives up where a little file has become a
// great table: tables compress to a tenth, rows that are all alike to a hundredth.
type decompressor struct {
	io.Reader
	method string
	in     *counter
	out    int64
}

// What a compressed table may become: up to maxExpanded bytes anything, from there on maxRatio times its size.
const (
	maxExpanded = 256 << 20
	maxRatio    = 250
)

func (d *decompressor) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	if d.out += int64(n); d.out > maxExpanded && d.out/maxRatio > d.in.n.Load() {
		return 0, &Error{msg: fmt.Sprintf("decompresses to more than %d times its size", maxRatio), hint: "decompress it first if it is what it should be"}
	}
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
