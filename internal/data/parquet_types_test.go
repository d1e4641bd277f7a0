package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding"
	"github.com/parquet-go/parquet-go/format"
)

// twosComplement is a number as so many bytes.
func twosComplement(t *testing.T, text string, size int) parquet.Value {
	t.Helper()
	x, ok := new(big.Int).SetString(text, 10)
	if !ok {
		t.Fatalf("%s is no number", text)
	}
	if x.Sign() < 0 {
		x.Add(x, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	return parquet.FixedLenByteArrayValue(x.FillBytes(make([]byte, size)))
}

// int96Of is a timestamp as a day of the Julian calendar and what has passed of it.
func int96Of(day uint32, nanoseconds uint64) parquet.Value {
	return parquet.Int96Value(deprecated.Int96{uint32(nanoseconds), uint32(nanoseconds >> 32), day})
}

// halfOf is a float of 16 bits.
func halfOf(bits uint16) parquet.Value {
	return parquet.FixedLenByteArrayValue(binary.LittleEndian.AppendUint16(nil, bits))
}

// logically is a leaf of a logical type that the library has no node of.
func logically(kind parquet.Type, logical format.LogicalTypeValue) parquet.Node {
	return parquet.Leaf(logicalLeaf{kind, format.LogicalType{Value: logical}})
}

type logicalLeaf struct {
	parquet.Type
	logical format.LogicalType
}

func (l logicalLeaf) LogicalType() *format.LogicalType { return &l.logical }

// TestParquetTypes reads values of each type, in each encoding that writers use for it, as text and as numbers. The numbers
// of days follow from the 20,635 days between 1970-01-01 and 2026-07-01 and 86,400 seconds a day; 1970-01-01 is the Julian
// day 2,440,588.
func TestParquetTypes(t *testing.T) {
	whole := []encoding.Encoding{&parquet.Plain, &parquet.RLEDictionary, &parquet.DeltaBinaryPacked, &parquet.ByteStreamSplit}
	floats := []encoding.Encoding{&parquet.Plain, &parquet.RLEDictionary, &parquet.ByteStreamSplit}
	texts := []encoding.Encoding{&parquet.Plain, &parquet.RLEDictionary, &parquet.DeltaLengthByteArray, &parquet.DeltaByteArray}
	fixed := []encoding.Encoding{&parquet.Plain, &parquet.RLEDictionary, &parquet.DeltaByteArray, &parquet.ByteStreamSplit}
	i32, i64 := parquet.Int32Value, parquet.Int64Value
	decimalBytes := func(text string, size int) parquet.Value {
		return parquet.ByteArrayValue(twosComplement(t, text, size).ByteArray())
	}
	const year = "2026-07-01"
	const day = 20635
	for _, c := range []struct {
		name      string
		node      parquet.Node
		encodings []encoding.Encoding
		values    []parquet.Value
		texts     []string
		numbers   []string // as texts of a column that is a number; nil: the same
	}{
		{"boolean", parquet.Leaf(parquet.BooleanType), []encoding.Encoding{&parquet.Plain, &parquet.RLE, &parquet.RLEDictionary}, []parquet.Value{parquet.BooleanValue(true), parquet.BooleanValue(false)}, []string{"true", "false"}, nil},
		{"int8", parquet.Int(8), whole, []parquet.Value{i32(-128), i32(127)}, []string{"-128", "127"}, nil},
		{"uint32", parquet.Uint(32), whole, []parquet.Value{i32(-1), i32(7)}, []string{"4294967295", "7"}, nil},
		{"int64", parquet.Int(64), whole, []parquet.Value{i64(math.MinInt64), i64(math.MaxInt64)}, []string{"-9223372036854775808", "9223372036854775807"}, nil},
		{"uint64", parquet.Uint(64), whole, []parquet.Value{i64(-1), i64(7)}, []string{"18446744073709551615", "7"}, nil},
		{"float", parquet.Leaf(parquet.FloatType), floats, []parquet.Value{parquet.FloatValue(0.1), parquet.FloatValue(-5)}, []string{"0.1", "-5"}, nil},
		{"double", parquet.Leaf(parquet.DoubleType), floats, []parquet.Value{parquet.DoubleValue(0.1), parquet.DoubleValue(math.NaN())}, []string{"0.1", "NaN"}, nil},
		{"half", logically(parquet.FixedLenByteArrayType(2), new(format.Float16Type)), fixed, []parquet.Value{halfOf(0x2e66), halfOf(0xc500), halfOf(0x0001), halfOf(0x7bff), halfOf(0xfc00)},
			[]string{"0.099975586", "-5", "5.9604645e-08", "65504", "-Inf"}, nil},
		{"null", logically(parquet.Int32Type, new(format.NullType)), whole, nil, nil, nil},
		{"string", parquet.String(), texts, []parquet.Value{parquet.ByteArrayValue([]byte("Zürich")), parquet.ByteArrayValue([]byte("Zürich See")), parquet.ByteArrayValue(nil)}, []string{"Zürich", "Zürich See", ""}, nil},
		{"uuid", parquet.UUID(), fixed, []parquet.Value{twosComplement(t, "1", 16), twosComplement(t, "-2", 16)}, []string{"00000000-0000-0000-0000-000000000001", "ffffffff-ffff-ffff-ffff-fffffffffffe"}, nil},

		{"decimal of 32 bits", parquet.Decimal(2, 9, parquet.Int32Type), whole, []parquet.Value{i32(1230), i32(-5), i32(0), i32(-90000)}, []string{"12.30", "-0.05", "0.00", "-900.00"}, nil},
		{"decimal of 64 bits", parquet.Decimal(0, 18, parquet.Int64Type), whole, []parquet.Value{i64(-123456789012345678), i64(7)}, []string{"-123456789012345678", "7"}, nil},
		{"decimal of 16 bytes", parquet.Decimal(6, 38, parquet.FixedLenByteArrayType(16)), fixed, []parquet.Value{twosComplement(t, "-12345678901234567890123456789012345678", 16), twosComplement(t, "1", 16)},
			[]string{"-12345678901234567890123456789012.345678", "0.000001"}, nil},
		{"decimal of 3 bytes", parquet.Decimal(6, 6, parquet.FixedLenByteArrayType(3)), fixed, []parquet.Value{twosComplement(t, "-999999", 3), twosComplement(t, "1000", 3)}, []string{"-0.999999", "0.001000"}, nil},
		{"decimal of bytes", parquet.Decimal(1, 20, parquet.ByteArrayType), texts, []parquet.Value{decimalBytes("-1", 1), decimalBytes("99999999999999999999", 9)}, []string{"-0.1", "9999999999999999999.9"}, nil},

		{"date", parquet.Date(), whole, []parquet.Value{i32(day), i32(-1)}, []string{year, "1969-12-31"}, []string{"20635", "-1"}},
		{"timestamp in ms", parquet.Timestamp(parquet.Millisecond), whole, []parquet.Value{i64(day*86400_000 + 43200_000), i64(-1)}, []string{year + "T12:00:00Z", "1969-12-31T23:59:59.999Z"}, []string{"20635.5", "-1.1574074074074074e-08"}},
		{"timestamp in µs", parquet.TimestampAdjusted(parquet.Microsecond, false), whole, []parquet.Value{i64(day*86400_000_000 + 1_500_000), i64(0)}, []string{year + "T00:00:01.5", "1970-01-01T00:00:00"}, []string{"20635.00001736111", "0"}},
		{"timestamp in ns", parquet.TimestampAdjusted(parquet.Nanosecond, false), whole, []parquet.Value{i64(day*86400_000_000_000 + 1), i64(-86400_000_000_000)}, []string{year + "T00:00:00.000000001", "1969-12-31T00:00:00"}, []string{"20635", "-1"}},
		{"timestamp of 96 bits", parquet.Leaf(parquet.Int96Type), []encoding.Encoding{&parquet.Plain, &parquet.RLEDictionary}, []parquet.Value{int96Of(2440588+day, 43200_000_000_000), int96Of(2440587, 1000)},
			[]string{year + "T12:00:00", "1969-12-31T00:00:00.000001"}, []string{"20635.5", "-0.9999999999884259"}},
		{"timestamp of 96 bits, far away", parquet.Leaf(parquet.Int96Type), []encoding.Encoding{&parquet.Plain, &parquet.RLEDictionary}, []parquet.Value{int96Of(2440588+2932896, 3600_000_000_000), int96Of(2440588-719162, 0)},
			[]string{"9999-12-31T01:00:00", "0001-01-01T00:00:00"}, []string{"2932896.0416666665", "-719162"}},
		{"time in ms", parquet.Time(parquet.Millisecond), whole, []parquet.Value{i32(0), i32(43200_500)}, []string{"00:00:00", "12:00:00.5"}, []string{"0", "0.500005787037037"}},
		{"time in µs", parquet.Time(parquet.Microsecond), whole, []parquet.Value{i64(0), i64(86399_999_999)}, []string{"00:00:00", "23:59:59.999999"}, []string{"0", "0.9999999999884259"}},
	} {
		for e, enc := range c.encodings {
			for version := 1; version <= 2; version++ {
				for _, optional := range []bool{false, true} {
					node := parquet.Encoded(c.node, enc)
					codecs := []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Zstd, &parquet.Brotli, &parquet.Lz4Raw}
					node = parquet.Compressed(node, codecs[(2*e+version)%len(codecs)])
					if optional {
						node = parquet.Optional(node)
					}
					t.Run(fmt.Sprintf("%s/%s/v%d/optional=%v", c.name, enc, version, optional), func(t *testing.T) {
						content := writeColumn(t, node, c.values, version, optional)
						for _, numeric := range []bool{false, true} {
							want := slices.Clone(c.texts)
							if numeric && c.numbers != nil {
								want = slices.Clone(c.numbers)
							}
							if optional {
								want = append(want, "")
							}
							if got := readColumn(t, content, input{name: "x", size: 1, numeric: numeric}); !slices.Equal(got, slices.Repeat(want, repeats)) {
								t.Errorf("numeric %v: %d values that begin with %q, want %d times %q", numeric, len(got), got[:min(len(got), len(want))], repeats, want)
							}
						}
					})
				}
			}
		}
	}
}

// repeats is how often a test's values follow each other, so that they fill several pages and row groups.
const repeats = 300

// writeColumn is a file of a column x that repeats the values, and a null after them where there may be one.
func writeColumn(t *testing.T, node parquet.Node, values []parquet.Value, version int, optional bool) []byte {
	t.Helper()
	var rows []parquet.Row
	for _, v := range values {
		level := 0
		if optional {
			level = 1
		}
		rows = append(rows, parquet.Row{v.Level(0, level, 0)})
	}
	if optional {
		rows = append(rows, parquet.Row{parquet.NullValue().Level(0, 0, 0)})
	}
	return writeRows(t, node, rows, version)
}

// writeRows is a file of a column x that repeats the rows.
func writeRows(t *testing.T, node parquet.Node, rows []parquet.Row, version int) []byte {
	t.Helper()
	var out bytes.Buffer
	w := parquet.NewWriter(&out, parquet.NewSchema("t", parquet.Group{"x": node}), parquet.DataPageVersion(version), parquet.PageBufferSize(997), parquet.MaxRowsPerRowGroup(500))
	if _, err := w.WriteRows(slices.Repeat(rows, repeats)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// readColumn is the text of each cell of an input, empty for a null.
func readColumn(t *testing.T, content []byte, in input) (texts []string) {
	t.Helper()
	s, err := newParquetSource(bytes.NewReader(content), int64(len(content)), &counter{}, 1000, []input{in})
	if err != nil {
		t.Fatal(err)
	}
	defer s.pages.close()
	rows, p, cells := s.reader(), new(part), make([]cell, 1)
	for {
		if err := s.next(p); errors.Is(err, io.EOF) {
			return texts
		} else if err != nil {
			t.Fatal(err)
		}
		for rows.reset(p); rows.next(cells) == nil; {
			texts = append(texts, string(cells[0].text))
		}
	}
}
