package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// craft is a Parquet file of a column x, optional doubles in a single page, and y, which nobody reads. Both change what an
// honest file would say.
func craft(t *testing.T, header func(h *format.PageHeader), meta func(m *format.FileMetaData), page []byte) []byte {
	t.Helper()
	protocol := new(thrift.CompactProtocol)
	marshal := func(v any) []byte {
		b, err := thrift.Marshal(protocol, v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	leaf := func(name string, kind format.Type, r format.FieldRepetitionType) format.SchemaElement {
		return format.SchemaElement{Name: name, Type: thrift.New(kind), RepetitionType: thrift.New(r)}
	}
	h := &format.PageHeader{Type: format.DataPage, UncompressedPageSize: int32(len(page)), CompressedPageSize: int32(len(page)),
		DataPageHeader: thrift.New(format.DataPageHeader{NumValues: 1, Encoding: format.Plain, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE})}
	if header != nil {
		header(h)
	}
	chunk := append(marshal(h), page...)
	column := func(kind format.Type) format.ColumnChunk {
		return format.ColumnChunk{MetaData: format.ColumnMetaData{Type: kind, NumValues: 1, TotalCompressedSize: int64(len(chunk)), DataPageOffset: 4}}
	}
	m := &format.FileMetaData{Version: 1, NumRows: 1,
		Schema:    []format.SchemaElement{{Name: "root", NumChildren: thrift.New(int32(2))}, leaf("x", format.Double, format.Optional), leaf("y", format.ByteArray, format.Required)},
		RowGroups: []format.RowGroup{{NumRows: 1, Columns: []format.ColumnChunk{column(format.Double), column(format.ByteArray)}}}}
	m.RowGroups[0].Columns[1].MetaData.TotalCompressedSize = 0
	if meta != nil {
		meta(m)
	}
	return framed(append([]byte(parquetMagic), chunk...), marshal(m))
}

// framed ends a file with a footer.
func framed(start, footer []byte) []byte {
	out := append(start, footer...)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(footer))), parquetMagic...)
}

// TestHonestParquet: what the hostile files are made of is a table.
func TestHonestParquet(t *testing.T) {
	path := writeFile(t, "t.parquet", craft(t, nil, nil, binary.LittleEndian.AppendUint64([]byte{2, 0, 0, 0, 2, 1}, math.Float64bits(10))))
	d, err := Load(context.Background(), []string{path}, mustSchema(t, small()), LoadOptions{Labels: LabelsIgnored})
	if err != nil || d.Rows != 1 || d.Dense[0] != 1 {
		t.Errorf("load: %v, want one row of the greatest value", err)
	}
}

// TestParquetOfOddWriters: pages that are right, as few writers make them.
func TestParquetOfOddWriters(t *testing.T) {
	empty := func(codec format.CompressionCodec) []byte { // whose one value is null, and no bytes are compressed to none
		return craft(t, func(h *format.PageHeader) {
			h.Type, h.DataPageHeader = format.DataPageV2, thrift.Null[format.DataPageHeader]{}
			h.DataPageHeaderV2 = thrift.New(format.DataPageHeaderV2{NumValues: 1, NumNulls: 1, NumRows: 1, DefinitionLevelsByteLength: 2})
		}, func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.Codec = codec }, []byte{2, 0})
	}
	whole := func(h *format.PageHeader) {
		h.DataPageHeader.V.Statistics = format.Statistics{MinValue: make([]byte, 1<<20), MaxValue: make([]byte, 1<<20)}
	}
	for name, c := range map[string]struct {
		content []byte
		null    bool
	}{
		"nothing in snappy":      {empty(format.Snappy), true},
		"nothing in brotli":      {empty(format.Brotli), true},
		"nothing in gzip":        {empty(format.Gzip), true},
		"nothing in zstd":        {empty(format.Zstd), true},
		"nothing in LZ4":         {empty(format.Lz4Raw), true},
		"statistics with a cell": {craft(t, whole, nil, binary.LittleEndian.AppendUint64([]byte{2, 0, 0, 0, 2, 1}, math.Float64bits(10))), false},
	} {
		s, err := newParquetSource(bytes.NewReader(c.content), int64(len(c.content)), &counter{}, 1000, []input{{name: "x", size: 1, numeric: true, number: true}})
		if err != nil {
			t.Fatal(err)
		}
		p := new(part)
		if err := s.next(p); err != nil || len(p.parquet.cells) != 1 || p.parquet.cells[0].null != c.null || !c.null && p.parquet.cells[0].number != 10 {
			t.Errorf("%s: %v, %+v, want one cell", name, err, p.parquet.cells)
		}
		s.pages.close()
	}
}

// TestHostileParquet: little files that ask for much are refused in words, and with little memory.
func TestHostileParquet(t *testing.T) {
	one := binary.LittleEndian.AppendUint64([]byte{2, 0, 0, 0, 2, 1}, math.Float64bits(1)) // a level and a number
	values := func(n int32) (func(*format.PageHeader), func(*format.FileMetaData)) {
		return func(h *format.PageHeader) { h.DataPageHeader.V.NumValues = n }, func(m *format.FileMetaData) {
			m.NumRows = int64(n)
			m.RowGroups[0].NumRows = int64(n)
			m.RowGroups[0].Columns[0].MetaData.NumValues = int64(n)
			m.RowGroups[0].Columns[1].MetaData.NumValues = int64(n)
		}
	}
	manyH, manyM := values(100_000_000)
	someH, someM := values(1000)
	codec := func(c format.CompressionCodec) func(*format.FileMetaData) {
		return func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.Codec = c }
	}
	size := func(n int32) func(*format.PageHeader) {
		return func(h *format.PageHeader) { h.UncompressedPageSize = n }
	}
	encoded := func(e format.Encoding) func(*format.PageHeader) {
		return func(h *format.PageHeader) { h.DataPageHeader.V.Encoding = e }
	}
	deltas := func(page ...byte) []byte {
		return craft(t, encoded(format.DeltaBinaryPacked), func(m *format.FileMetaData) {
			m.Schema[1].Type, m.RowGroups[0].Columns[0].MetaData.Type = thrift.New(format.Int64), format.Int64
		}, append([]byte{2, 0, 0, 0, 2, 1}, page...))
	}
	deltasOf := func(values ...int32) []byte {
		b, err := new(delta.BinaryPackedEncoding).EncodeInt32(nil, values)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	prefixes := func(n int, size int32) []byte { // a text of zeros, so many times
		shared, own := make([]int32, n), make([]int32, n)
		own[0] = size
		for i := range n - 1 {
			shared[i+1] = size
		}
		return append(append(deltasOf(shared...), deltasOf(own...)...), make([]byte, size)...)
	}
	texts := func(page []byte) []byte { // 1,000 texts that share prefixes
		page = append([]byte{3, 0, 0, 0, 0xd0, 0x0f, 1}, page...)
		return craft(t, func(h *format.PageHeader) {
			someH(h)
			h.DataPageHeader.V.Encoding, h.UncompressedPageSize = format.DeltaByteArray, int32(len(page))
		}, func(m *format.FileMetaData) {
			someM(m)
			m.Schema[1].Type, m.RowGroups[0].Columns[0].MetaData.Type = thrift.New(format.ByteArray), format.ByteArray
			codec(format.Gzip)(m)
		}, gzipped(t, string(page)))
	}
	bomb := gzipped(t, strings.Repeat("\x00", 50<<20))
	const invalid, pages, much = "is not a valid Parquet file", "has pages that take more than 128 MiB, and 8 times the file, at a time", "decompresses to more than 250 times its size"
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"a list of 2³¹ elements", framed([]byte(parquetMagic), []byte{0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 7}), "has a footer that is not valid, or lists too much"},
		{"a text of 2³¹ bytes", framed([]byte(parquetMagic), []byte{0x15, 2, 0x48, 0xff, 0xff, 0xff, 0xff, 7}), "has a footer that is not valid, or lists too much"},
		{"a million row groups", framed([]byte(parquetMagic), append([]byte{0x15, 2, 0x49, 0xfc, 0xc0, 0x84, 0x3d}, make([]byte, 1_000_001)...)), "has a footer that is not valid, or lists too much"},
		{"structs in structs", framed([]byte(parquetMagic), bytes.Repeat([]byte{0x1c}, 1_000_000)), "has a footer that is not valid, or lists too much"},
		{"a footer longer than the file", append([]byte(parquetMagic), "\xff\xff\xff\x7fPAR1"...), invalid},
		{"groups in groups", craft(t, nil, func(m *format.FileMetaData) {
			m.Schema = nil
			for range 100_000 {
				m.Schema = append(m.Schema, format.SchemaElement{Name: "g", NumChildren: thrift.New(int32(1))})
			}
			m.Schema = append(m.Schema, format.SchemaElement{Name: "x", Type: thrift.New(format.Double)})
		}, one), invalid},
		{"a group of 2³¹ children", craft(t, nil, func(m *format.FileMetaData) { m.Schema[0].NumChildren = thrift.New(int32(math.MaxInt32)) }, one), invalid},
		{"columns that no group has", craft(t, nil, func(m *format.FileMetaData) { m.Schema[0].NumChildren = thrift.New(int32(1)) }, one), invalid},
		{"2⁴⁰ rows", craft(t, nil, func(m *format.FileMetaData) { m.NumRows, m.RowGroups[0].NumRows = 1<<40, 1<<40 }, one), much},
		{"rows below zero", craft(t, nil, func(m *format.FileMetaData) { m.NumRows, m.RowGroups[0].NumRows = -1, -1 }, one), invalid},
		{"values outside of the file", craft(t, nil, func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.DataPageOffset = 1 << 40 }, one), invalid},
		{"chunks that are the file twice", craft(t, nil, func(m *format.FileMetaData) {
			g := m.RowGroups[0]
			g.NumRows = 0
			for range 1000 {
				m.RowGroups = append(m.RowGroups, g)
			}
		}, make([]byte, 100_000)), invalid},
		{"a page of 2 GB in a few bytes", craft(t, size(math.MaxInt32), codec(format.Gzip), one), much},
		{"a page of 200 MB in a few bytes", craft(t, size(200<<20), codec(format.Gzip), one), pages},
		{"more in a page than its header says", craft(t, size(14), codec(format.Gzip), bomb), invalid},
		{"a page that goes on behind a whole one", craft(t, size(int32(len(one))), codec(format.Gzip), gzipped(t, string(one)+"more")), invalid},
		{"less in a page than its header says", craft(t, size(1000), codec(format.Gzip), gzipped(t, "few")), invalid},
		{"a page that begins nowhere", craft(t, func(h *format.PageHeader) { h.CompressedPageSize = 1 << 30 }, nil, one), invalid},
		{"a checksum of other bytes", craft(t, func(h *format.PageHeader) { h.CRC = -1 }, nil, one), `column "x" is damaged: page 1 of row group 1 does not have its checksum`},
		{"a size below zero", craft(t, func(h *format.PageHeader) { h.CompressedPageSize = -1 }, nil, one), invalid},
		{"a page of 100 million nulls", craft(t, manyH, manyM, []byte{6, 0, 0, 0, 0x80, 0x84, 0xaf, 0x5f, 0, 0}), "has more rows than the declared 2000"},
		{"a column of fewer values than rows", craft(t, nil, func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.NumValues = 0 }, one), invalid},
		{"a page of more values than the column", craft(t, func(h *format.PageHeader) { h.DataPageHeader.V.NumValues = 2 }, nil, one), invalid},
		{"a column of another type than declared", craft(t, nil, func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.Type = format.Int64 }, one), invalid},
		{"a level above the highest", craft(t, nil, nil, append([]byte{2, 0, 0, 0, 2, 3}, one[6:]...)), invalid},
		{"deltas of more values than the page", deltas(0x80, 1, 4, 0x80, 0x80, 0x80, 8, 0), invalid},
		{"deltas in blocks of 2³¹", deltas(0x80, 0x80, 0x80, 0x80, 8, 1, 1, 0), invalid},
		{"deltas in no blocks", deltas(0, 1, 1, 0), invalid},
		{"deltas in no miniblocks", deltas(0x80, 1, 0, 1, 0), invalid},
		{"deltas for a number that is none", craft(t, encoded(format.DeltaBinaryPacked), nil, one), `column "x" is in an encoding that is not read`},
		{"a text of 1 GB in its prefixes", texts(prefixes(1000, 1<<20)), pages},
		{"a prefix longer than the text before", texts(append(deltasOf(0, 2), append(deltasOf(1, 0), 'a')...)), invalid},
		{"a prefix below 0", texts(append(deltasOf(0, -1), append(deltasOf(1, 0), 'a')...)), invalid},
		{"more prefixes than texts", texts(append(deltasOf(0, 1), append(deltasOf(1), 'a')...)), invalid},
		{"texts longer than the page", texts(append(deltasOf(0, 0), append(deltasOf(1, 1<<30), 'a')...)), invalid},
		{"indices without a dictionary", craft(t, func(h *format.PageHeader) { h.DataPageHeader.V.Encoding = format.RLEDictionary }, nil, one), invalid},
		{"a window of 128 MiB", craft(t, size(5), codec(format.Zstd), []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3, 5<<3 | 1, 0, 0, 2, 0, 0, 0, 2}), invalid},
		{"LZO", craft(t, nil, codec(format.LZO), one), "is compressed in another way than snappy, gzip, zstd, brotli and LZ4_RAW"},
		{"brotli that is none", craft(t, nil, codec(format.Brotli), one), invalid},
		{"LZ4 that is none", craft(t, nil, codec(format.Lz4Raw), one), invalid},
		{"another file's values", craft(t, nil, func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].FilePath = "../" + secret }, one), "is encrypted, or has its values in another file"},
		{"a column twice", craft(t, nil, func(m *format.FileMetaData) { m.Schema[2].Name = "x" }, one), `column "x" is in the file twice`},
		{"a name that no message may repeat", craft(t, nil, func(m *format.FileMetaData) { m.Schema[1].Name = secret }, one), `the file has no column "x"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := writeFile(t, "t.parquet", c.content)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Load(context.Background(), []string{path}, mustSchema(t, small()), LoadOptions{Labels: LabelsIgnored, MaxRows: 2000})
			runtime.ReadMemStats(&after)
			var bad *Error
			if !errors.As(err, &bad) || err.Error() != path+": "+c.want || bad.Hint() == "" && !strings.Contains(c.want, "twice") && !strings.Contains(c.want, "declared") {
				t.Errorf("load: %v, want %s, and a hint", err, c.want)
			}
			if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 64 {
				t.Errorf("load: took %d MiB, want at most 64", took)
			}
		})
	}
}
