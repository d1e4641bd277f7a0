package data

import (
	"encoding/binary"
	"fmt"
	"io"

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

// A parquetFile is the footer of a file: its schema, and where the values are.
type parquetFile struct {
	io.ReaderAt
	size   int64
	root   *parquetNode
	rows   int64
	groups []format.RowGroup
}

// openParquetFile reads the footer and nothing else.
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
	var meta format.FileMetaData
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), footer, &meta); err != nil {
		return nil, invalidParquet()
	}
	f := &parquetFile{ReaderAt: r, size: size, root: newParquetTree(meta.Schema), rows: meta.NumRows, groups: meta.RowGroups}
	if f.root == nil {
		return nil, invalidParquet()
	}
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
func (f *parquetFile) chunk(group int, leaf *parquetNode) (meta *format.ColumnMetaData, start int64, err error) {
	columns := f.groups[group].Columns
	if leaf.leaf >= len(columns) {
		return nil, 0, invalidParquet()
	}
	c := &columns[leaf.leaf]
	meta = &c.MetaData
	if c.FilePath != "" || c.CryptoMetadata.Value != nil {
		return nil, 0, &Error{msg: "is encrypted, or has its values in another file", hint: "write the table as one plain Parquet file"}
	}
	start = meta.DataPageOffset
	if d := meta.DictionaryPageOffset; d > 0 && d < start {
		start = d
	}
	if meta.Type != leaf.Type.V || start < int64(len(parquetMagic)) || start > f.size || meta.TotalCompressedSize < 0 || meta.TotalCompressedSize > f.size-start || meta.NumValues < 0 {
		return nil, 0, invalidParquet()
	}
	return meta, start, nil
}

func notSeekable() error {
	return &Error{msg: "is not a file that can be read from its end, as Parquet has to be", hint: "write it to a file, and name that"}
}

// invalidParquet says in our own words that a file is broken: the library's may quote it.
func invalidParquet() error {
	return &Error{msg: "is not a valid Parquet file", hint: "it may be damaged: copy or write it again"}
}

// refusePanic makes an error of a panic: the library that decodes footers and headers trusts some of what they say.
func refusePanic(err *error) {
	if recover() != nil {
		*err = invalidParquet()
	}
}
