package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// A pagePlace is where a page of a file is: its header at the first offset, its bytes between the others.
type pagePlace struct {
	group, column, page int // from 1
	header, start, end  int64
	sum                 int32
}

// pagesOf finds the pages of a file.
func pagesOf(t testing.TB, content []byte) (pages []pagePlace) {
	t.Helper()
	file, err := openParquetFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	r := pageReader{file: file}
	for g, group := range file.groups {
		for c := range group.Columns {
			meta := &group.Columns[c].MetaData
			at := meta.DataPageOffset
			if d := meta.DictionaryPageOffset; d > 0 {
				at = min(at, d)
			}
			end := at + meta.TotalCompressedSize
			for n := 1; at < end; n++ {
				h, size, err := r.readHeader(at, end)
				if err != nil {
					t.Fatal(err)
				}
				p := pagePlace{g + 1, c + 1, n, at, at + int64(size), at + int64(size) + int64(h.CompressedPageSize), h.CRC}
				pages, at = append(pages, p), p.end
			}
		}
	}
	return pages
}

// unchecked is a file without checksums, so that what is done to its bytes is seen by what decodes them.
func unchecked(t testing.TB, content []byte) []byte {
	t.Helper()
	content = bytes.Clone(content)
	for _, p := range pagesOf(t, content) {
		const field = 0x15 // of Thrift: the one behind the compressed size, 32 bits
		sum := binary.AppendVarint([]byte{field}, int64(p.sum))
		none := append(bytes.Repeat([]byte{0x80}, len(sum)-2), 0) // a zero that takes as many bytes
		copy(content[p.header+int64(bytes.Index(content[p.header:p.start], sum))+1:], none)
	}
	for _, p := range pagesOf(t, content) {
		if p.sum != 0 {
			t.Fatalf("a page still has the checksum %#x", p.sum)
		}
	}
	return content
}

// TestParquetChecksums changes a byte of each page: that it is damaged is said, and where; no row of it is a null row.
func TestParquetChecksums(t *testing.T) {
	type row struct {
		X float64 `parquet:"x,dict,zstd"`
		Y string  `parquet:"y,optional,plain,snappy"`
	}
	var rows []row
	for i := range 1000 {
		rows = append(rows, row{float64(i % 10), "ab"[i%2 : i%2+1]})
	}
	for version := 1; version <= 2; version++ {
		content := writeParquet(t, rows, parquet.DataPageVersion(version), parquet.PageBufferSize(50), parquet.MaxRowsPerRowGroup(500))
		pages := pagesOf(t, content)
		last := pages[len(pages)-1]
		if last.group != 2 || last.column != 2 || last.page < 3 {
			t.Fatalf("the last page is %+v, want several in two groups", last)
		}
		load := func(content []byte) (string, error) {
			path := writeFile(t, "t.parquet", content)
			_, err := Load(context.Background(), []string{path}, mustSchema(t, small()), LoadOptions{NullBadRows: true})
			return path, err
		}
		for _, p := range pages {
			if p.sum == 0 {
				t.Fatalf("page %+v has no checksum", p)
			}
			for _, at := range []int64{p.start, p.end - 1} {
				damaged := bytes.Clone(content)
				damaged[at] ^= 1
				path, err := load(damaged)
				want := fmt.Sprintf("%s: column %q is damaged: page %d of row group %d does not have its checksum", path, "xy"[p.column-1:p.column], p.page, p.group)
				var bad *Error
				if !errors.As(err, &bad) || err.Error() != want || bad.Hint() == "" {
					t.Errorf("byte %d of page %+v: %v, want %s, and a hint", at, p, err, want)
				}
			}
		}
		if _, err := load(unchecked(t, content)); err != nil {
			t.Errorf("without checksums: %v", err)
		}
	}
}
