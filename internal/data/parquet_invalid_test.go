package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// retyped is a file of a column whose footer says that its values have a fixed size.
func retyped(t *testing.T, content []byte, size int32, logical format.LogicalTypeValue) []byte {
	t.Helper()
	end := len(content) - 8
	start := end - int(binary.LittleEndian.Uint32(content[end:]))
	var meta format.FileMetaData
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), content[start:end], &meta); err != nil {
		t.Fatal(err)
	}
	column := &meta.Schema[len(meta.Schema)-1]
	column.Type, column.TypeLength, column.LogicalType = thrift.New(format.FixedLenByteArray), thrift.New(size), format.LogicalType{Value: logical}
	column.ConvertedType.Valid = false
	for _, g := range meta.RowGroups {
		g.Columns[0].MetaData.Type = format.FixedLenByteArray
	}
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		t.Fatal(err)
	}
	return framed(bytes.Clone(content[:start]), footer)
}

// TestInvalidParquetValues: a value that its type does not have is the fault of its row alone, by its place and not by itself.
func TestInvalidParquetValues(t *testing.T) {
	plain := []encoding.Encoding{&parquet.Plain, &parquet.RLEDictionary}
	texts := append(plain, &parquet.DeltaLengthByteArray, &parquet.DeltaByteArray)
	lengths := []encoding.Encoding{&parquet.DeltaByteArray} // in which values of a fixed size have each their own
	times, text := parquet.Leaf(parquet.Int96Type), parquet.Leaf(parquet.ByteArrayType)
	decimals := parquet.Decimal(1, 20, parquet.ByteArrayType)
	const noon, day = 43_200_000_000_000, 86_400_000_000_000
	of := func(size int) parquet.Value { return parquet.ByteArrayValue(bytes.Repeat([]byte("1"), size)) }
	const wrong, encoded = "is not a value of its type", "is not valid UTF-8"
	for _, c := range []struct {
		name      string
		node      parquet.Node
		encodings []encoding.Encoding
		good, bad parquet.Value
		size      int32 // that the footer says values have; 0: it says what the writer did
		logical   format.LogicalTypeValue
		want      string
	}{
		{"a timestamp two days after its day", times, plain, int96Of(julianEpoch, noon), int96Of(julianEpoch, 2*day), 0, nil, wrong},
		{"a timestamp before its day", times, plain, int96Of(julianEpoch, noon), int96Of(julianEpoch, 1<<63), 0, nil, wrong},
		{"a decimal without bytes", decimals, texts, of(1), of(0), 0, nil, wrong},
		{"a decimal of 33 bytes", decimals, texts, of(32), of(33), 0, nil, wrong},
		{"a decimal of 2 bytes for 3", text, lengths, of(3), of(2), 3, &format.DecimalType{Precision: 7}, wrong},
		{"a decimal of 4 bytes for 3", text, lengths, of(3), of(4), 3, &format.DecimalType{Precision: 7}, wrong},
		{"a UUID of 15 bytes", text, lengths, of(16), of(15), 16, new(format.UUIDType), wrong},
		{"a UUID of 17 bytes", text, lengths, of(16), of(17), 16, new(format.UUIDType), wrong},
		{"a half of 1 byte", text, lengths, of(2), of(1), 2, new(format.Float16Type), wrong},
		{"a half of 3 bytes", text, lengths, of(2), of(3), 2, new(format.Float16Type), wrong},
		{"a text in Latin-1", parquet.String(), texts, of(2), parquet.ByteArrayValue([]byte("\xe4")), 0, nil, encoded},
	} {
		for _, enc := range c.encodings {
			for version := 1; version <= 2; version++ {
				for _, list := range []bool{false, true} {
					if list && c.size == 16 {
						continue // no vector is of UUIDs
					}
					t.Run(fmt.Sprintf("%s/%s/v%d/list=%v", c.name, enc, version, list), func(t *testing.T) {
						node, feature := parquet.Encoded(c.node, enc), Feature{Name: "x", Kind: Hashed, Buckets: 8}
						rows := []parquet.Row{{c.good.Level(0, 0, 0)}, {c.bad.Level(0, 0, 0)}}
						if list {
							node, feature = parquet.List(node), Feature{Name: "x", Kind: Vector, Size: 2, Min: ptr(0.), Max: ptr(1.)}
							rows = []parquet.Row{{c.good.Level(0, 1, 0), c.good.Level(1, 1, 0)}, {c.good.Level(0, 1, 0), c.bad.Level(1, 1, 0)}}
						}
						content := writeRows(t, node, rows, version)
						if c.size > 0 {
							content = retyped(t, content, c.size, c.logical)
						}
						spec := small()
						spec.Features = []Feature{feature}
						checkEverySecond(t, content, mustSchema(t, spec), c.want)
					})
				}
			}
		}
	}
}

// TestParquetOfNullType: a column of it has no values, and a row that has one all the same is not as declared.
func TestParquetOfNullType(t *testing.T) {
	for _, kind := range []parquet.Type{parquet.Int32Type, parquet.ByteArrayType} {
		for _, enc := range []encoding.Encoding{&parquet.Plain, &parquet.RLEDictionary} {
			value := parquet.Int32Value(1)
			if kind == parquet.ByteArrayType {
				value = parquet.ByteArrayValue([]byte("1"))
			}
			node := parquet.Optional(parquet.Encoded(logically(kind, new(format.NullType)), enc))
			content := writeRows(t, node, []parquet.Row{{parquet.NullValue().Level(0, 0, 0)}, {value.Level(0, 1, 0)}}, 1)
			checkEverySecond(t, content, mustSchema(t, small()), "is not a value of its type")
		}
	}
}

// TestOutlineOfInvalidParquet: a row that is not as declared is looked past, the first of a table as well.
func TestOutlineOfInvalidParquet(t *testing.T) {
	bad, good := int96Of(julianEpoch, 1<<63), int96Of(julianEpoch, 0)
	content := writeColumn(t, parquet.Leaf(parquet.Int96Type), []parquet.Value{bad, good}, 1, false)
	o, err := outline(t, "t.parquet", string(content), 5)
	if err != nil || o.Rows != 5 || len(o.Columns) != 1 || o.Columns[0].Kind == "" {
		t.Errorf("outline: %+v, %v, want one column, of a kind that five rows tell", o, err)
	}
}

// checkEverySecond loads a file whose every second row is not as declared, in each way that there is.
func checkEverySecond(t *testing.T, content []byte, s *Schema, want string) {
	t.Helper()
	path := writeFile(t, "t.parquet", content)
	place := func(row int) string { return fmt.Sprintf("%s:%d: column \"x\" %s", path, row, want) }
	o := LoadOptions{Labels: LabelsIgnored}
	_, err := Load(context.Background(), []string{path}, s, o)
	var bad *Error
	if !errors.As(err, &bad) || bad.Error() != place(2) || bad.Hint() == "" {
		t.Errorf("load: %v, want %s, and a hint", err, place(2))
	}
	o.Faults = 20
	_, err = Load(context.Background(), []string{path}, s, o)
	var faults Faults
	errors.As(err, &faults)
	var got, places []string
	for i := range 20 {
		places = append(places, place(2*i+2))
	}
	for _, fault := range faults {
		got = append(got, fault.Error())
	}
	if !slices.Equal(got, places) {
		t.Errorf("load: faults %q, want %q", got, places)
	}
	o.Faults, o.NullBadRows = 0, true
	d, err := Load(context.Background(), []string{path}, s, o)
	var null []int32
	for i := range int32(repeats) {
		null = append(null, 2*i+1)
	}
	if err != nil || d.Rows != repeats || !slices.Equal(d.Null, null) {
		t.Errorf("load: %v, want %d rows, and every second one null", err, repeats)
	}
}
