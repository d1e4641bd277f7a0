package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// parquetMagic is what a Parquet file begins and ends with.
const parquetMagic = "PAR1"

// isParquet reports whether a file is marked as Parquet at both ends.
func isParquet(r io.ReaderAt, size int64) bool {
	var start, end [len(parquetMagic)]byte
	if size < int64(2*len(parquetMagic)) {
		return false
	}
	_, atStart := r.ReadAt(start[:], 0)
	_, atEnd := r.ReadAt(end[:], size-int64(len(end)))
	return (atStart == nil || atStart == io.EOF) && string(start[:]) == parquetMagic && (atEnd == nil || atEnd == io.EOF) && string(end[:]) == parquetMagic
}

// A parquetFile is the footer of a file: its schema as the library has it, and where the values are.
type parquetFile struct {
	io.ReaderAt
	size   int64
	root   *parquet.Column
	chunks []parquet.ColumnChunk // of each leaf, as the library has it: uncompressed, wherever the pages come from
	rows   int64
	groups []format.RowGroup
}

// openParquetFile reads the footer and nothing else. The library gets the schema alone, and pages later, one at a time: it
// never reads the file itself.
func openParquetFile(r io.ReaderAt, size int64) (*parquetFile, error) {
	if !isParquet(r, size) {
		return nil, &Error{msg: "is not a Parquet file", hint: "one begins and ends with PAR1: it may be cut short, or of another format"}
	}
	var tail [8]byte
	if _, err := r.ReadAt(tail[:], size-8); err != nil && err != io.EOF {
		return nil, err
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	switch {
	case length > size-12:
		return nil, invalidParquet()
	case length > maxFooter:
		return nil, &Error{msg: fmt.Sprintf("has a footer of more than %d MiB", maxFooter>>20), hint: "write it with fewer columns or row groups"}
	}
	footer := make([]byte, length)
	if _, err := r.ReadAt(footer, size-8-length); err != nil {
		return nil, err
	}
	if !thriftFits(footer) {
		return nil, &Error{msg: "has a footer that is not valid, or lists too much", hint: "it may be damaged; if not, write it with fewer row groups"}
	}
	protocol := new(thrift.CompactProtocol)
	var meta format.FileMetaData
	if err := thrift.Unmarshal(protocol, footer, &meta); err != nil || !schemaFits(meta.Schema) {
		return nil, invalidParquet()
	}
	f := &parquetFile{ReaderAt: r, size: size, rows: meta.NumRows, groups: meta.RowGroups}
	group := format.RowGroup{Columns: make([]format.ColumnChunk, 0, len(meta.Schema))}
	for _, e := range meta.Schema {
		if e.Type.Valid { // a leaf, whose values begin behind the mark and never end
			group.Columns = append(group.Columns, format.ColumnChunk{MetaData: format.ColumnMetaData{
				Type: e.Type.V, DataPageOffset: int64(len(parquetMagic)), TotalCompressedSize: math.MaxInt64 / 2}})
		}
	}
	schema, err := thrift.Marshal(protocol, &format.FileMetaData{Version: meta.Version, Schema: meta.Schema, RowGroups: []format.RowGroup{group}})
	if err != nil {
		return nil, invalidParquet()
	}
	alone := append([]byte(parquetMagic), schema...)
	alone = binary.LittleEndian.AppendUint32(alone, uint32(len(schema)))
	alone = append(alone, parquetMagic...)
	file, err := parquet.OpenFile(bytes.NewReader(alone), int64(len(alone)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, invalidParquet()
	}
	f.root, f.chunks = file.Root(), file.RowGroups()[0].ColumnChunks()
	return f, f.check()
}

// check holds the row groups against each other.
func (f *parquetFile) check() error {
	rows := int64(0)
	for i := range f.groups {
		g := &f.groups[i]
		if g.NumRows < 0 || g.NumRows > f.rows-rows {
			return invalidParquet()
		}
		rows += g.NumRows
	}
	if rows != f.rows {
		return invalidParquet()
	}
	return nil
}

// chunk is where the values of a leaf are in a row group. Offsets and sizes are inside the file.
func (f *parquetFile) chunk(group int, leaf *parquet.Column) (meta *format.ColumnMetaData, start int64, err error) {
	columns := f.groups[group].Columns
	if leaf.Index() >= len(columns) {
		return nil, 0, invalidParquet()
	}
	c := &columns[leaf.Index()]
	meta = &c.MetaData
	if c.FilePath != "" || c.CryptoMetadata.Value != nil {
		return nil, 0, &Error{msg: "is encrypted, or has its values in another file", hint: "write the table as one plain Parquet file"}
	}
	start = meta.DataPageOffset
	if d := meta.DictionaryPageOffset; d > 0 && d < start {
		start = d
	}
	if start < int64(len(parquetMagic)) || start > f.size || meta.TotalCompressedSize < 0 || meta.TotalCompressedSize > f.size-start || meta.NumValues < 0 {
		return nil, 0, invalidParquet()
	}
	return meta, start, nil
}

// find finds a column by its whole name or, failing that, by its path.
func (f *parquetFile) find(name string) (*parquet.Column, error) {
	c, err := findField(f.root, name, name)
	if c == nil && err == nil {
		c, err = findPath(f.root, name)
	}
	if c == nil && err == nil {
		err = &Error{msg: fmt.Sprintf("the file has no column %q", name), hint: "names are compared exactly; those of nested fields are joined by dots"}
	}
	return c, err
}

// findPath follows a name's parts.
func findPath(c *parquet.Column, name string) (*parquet.Column, error) {
	for part := range strings.SplitSeq(name, ".") {
		next, err := findField(c, part, name)
		if next == nil || err != nil {
			return nil, err
		}
		c = next
	}
	return c, nil
}

// findField is the field of a group, nil where there is none. name is the declared one, for errors.
func findField(group *parquet.Column, field, name string) (found *parquet.Column, err error) {
	for _, c := range group.Columns() {
		if c.Name() != field {
			continue
		}
		if found != nil {
			return nil, &Error{msg: fmt.Sprintf("column %q is in the file twice", name)}
		}
		found = c
	}
	return found, nil
}

func notSeekable() error {
	return &Error{msg: "is not a file that can be read from its end, as Parquet has to be", hint: "write it to a file, and name that"}
}

// invalidParquet says in our own words that a file is broken: the library's may quote it.
func invalidParquet() error {
	return &Error{msg: "is not a valid Parquet file", hint: "it may be damaged: copy or write it again"}
}

// refusePanic makes an error of a panic: the library trusts some of what pages say of themselves.
func refusePanic(err *error) {
	if recover() != nil {
		*err = invalidParquet()
	}
}
