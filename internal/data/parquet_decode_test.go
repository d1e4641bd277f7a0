package data

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/bytestreamsplit"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"
	"pgregory.net/rapid"
)

// inBatches reads n values, some at a time.
func inBatches(t *rapid.T, n int, read func(from, to int) bool) {
	for from := 0; from < n; {
		to := from + rapid.IntRange(1, min(100, n-from)).Draw(t, "batch")
		if !read(from, to) {
			t.Fatalf("values %d to %d of %d are not there", from, to, n)
		}
		from = to
	}
}

// TestParquetRuns reads what the library wrote.
func TestParquetRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []int32
		most := rapid.SampledFrom([]int32{0, 1, 2, 5, 255, 1000, 1 << 20, math.MaxInt32}).Draw(t, "most")
		for range rapid.SampledFrom([]int{1, 3, 20}).Draw(t, "runs") {
			v := rapid.Int32Range(0, most).Draw(t, "value")
			for i := range rapid.Int32Range(1, 30).Draw(t, "length") {
				want = append(want, v)
				if i%3 == 1 && v > 0 {
					v--
				}
			}
		}
		page, err := new(rle.DictionaryEncoding).EncodeInt32(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		r, got := parquetRuns{text: page[1:], width: int(page[0])}, make([]uint32, len(want))
		inBatches(t, len(want), func(from, to int) bool {
			if n := to - from; rapid.Bool().Draw(t, "all") && r.all(n, uint32(want[from])) {
				for i := range got[from:to] {
					got[from+i] = uint32(want[from])
				}
				return true
			}
			return r.fill(got[from:to])
		})
		for i := range want {
			if got[i] != uint32(want[i]) {
				t.Fatalf("value %d is %d, want %d", i, got[i], want[i])
			}
		}
	})
}

// TestParquetDecoders reads what the library wrote in each encoding, and no value more.
func TestParquetDecoders(t *testing.T) {
	words := func(size int, encoding format.Encoding, kind format.Type, encode func(values []int64) ([]byte, error)) func(*rapid.T) {
		return func(t *rapid.T) {
			value := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-3, 3))
			if size == 4 {
				value = rapid.Int64Range(math.MinInt32, math.MaxInt32)
			}
			n := rapid.SampledFrom([]int{1, 2, 9, 33, 128, 129, 130, 400}).Draw(t, "number")
			want := rapid.SliceOfN(value, n, n).Draw(t, "values")
			page, err := encode(want)
			if err != nil {
				t.Fatal(err)
			}
			d, unknown, err := newParquetDecoder(kind, size, encoding, page, len(want), func(int64) error { return nil })
			if err != nil || unknown {
				t.Fatalf("no decoder: %v", err)
			}
			got := make([]parquetValue, len(want))
			inBatches(t, len(want), func(from, to int) bool { return d.decode(got[from:to]) })
			for i := range want {
				mask := uint64(1)<<(8*size-1)<<1 - 1
				if got[i].bits&mask != uint64(want[i])&mask {
					t.Fatalf("value %d is %d, want %d", i, int64(got[i].bits), want[i])
				}
			}
			if d.decode(got[:1]) {
				t.Fatal("there is a value too many")
			}
		}
	}
	halves := func(values []int64) (half []int32) {
		for _, v := range values {
			half = append(half, int32(v))
		}
		return half
	}
	texts := func(encoding format.Encoding, encode func(text []byte, ends []uint32) ([]byte, error)) func(*rapid.T) {
		return func(t *rapid.T) {
			n := rapid.SampledFrom([]int{1, 2, 33, 129, 300}).Draw(t, "number")
			want := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom([]byte("aab")), 0, 70), n, n).Draw(t, "texts")
			ends, text := []uint32{0}, []byte(nil)
			for _, w := range want {
				text = append(text, w...)
				ends = append(ends, uint32(len(text)))
			}
			page, err := encode(text, ends)
			if err != nil {
				t.Fatal(err)
			}
			held := int64(0)
			d, unknown, err := newParquetDecoder(format.ByteArray, 0, encoding, page, len(want), func(size int64) error { held += size; return nil })
			if err != nil || unknown {
				t.Fatalf("no decoder: %v", err)
			}
			got := make([]parquetValue, len(want))
			inBatches(t, len(want), func(from, to int) bool { return d.decode(got[from:to]) })
			for i := range want {
				if !bytes.Equal(got[i].bytes, want[i]) {
					t.Fatalf("value %d is %q, want %q", i, got[i].bytes, want[i])
				}
			}
			if d.decode(got[:1]) {
				t.Fatal("there is a value too many")
			}
			if encoding == format.DeltaByteArray && held < int64(len(text)) {
				t.Fatalf("%d bytes are held for %d", held, len(text))
			}
		}
	}
	for name, check := range map[string]func(*rapid.T){
		"deltas of 32 bits": words(4, format.DeltaBinaryPacked, format.Int32, func(v []int64) ([]byte, error) {
			return new(delta.BinaryPackedEncoding).EncodeInt32(nil, halves(v))
		}),
		"deltas of 64 bits": words(8, format.DeltaBinaryPacked, format.Int64, func(v []int64) ([]byte, error) {
			return new(delta.BinaryPackedEncoding).EncodeInt64(nil, v)
		}),
		"split": words(8, format.ByteStreamSplit, format.Int64, func(v []int64) ([]byte, error) {
			return new(bytestreamsplit.Encoding).EncodeInt64(nil, v)
		}),
		"lengths": texts(format.DeltaLengthByteArray, func(text []byte, ends []uint32) ([]byte, error) {
			return new(delta.LengthByteArrayEncoding).EncodeByteArray(nil, text, ends)
		}),
		"prefixes": texts(format.DeltaByteArray, func(text []byte, ends []uint32) ([]byte, error) {
			return new(delta.ByteArrayEncoding).EncodeByteArray(nil, text, ends)
		}),
	} {
		t.Run(name, func(t *testing.T) { rapid.Check(t, check) })
	}
}

// TestBrokenPages decodes pages that lie, where nothing catches a panic.
func TestBrokenPages(t *testing.T) {
	deltas := func(values ...int32) []byte {
		b, err := new(delta.BinaryPackedEncoding).EncodeInt32(nil, values)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	const most = 10
	for _, c := range []struct {
		name     string
		encoding format.Encoding
		kind     format.Type
		page     []byte
		values   int // that can be read
	}{
		{"a prefix longer than the text before", format.DeltaByteArray, format.ByteArray, slices.Concat(deltas(0, 2), deltas(1, 0), []byte("a")), 0},
		{"a prefix of the first text", format.DeltaByteArray, format.ByteArray, slices.Concat(deltas(1), deltas(1), []byte("a")), 0},
		{"a prefix below 0", format.DeltaByteArray, format.ByteArray, slices.Concat(deltas(0, -1), deltas(1, 0), []byte("a")), 0},
		{"more prefixes than texts", format.DeltaByteArray, format.ByteArray, slices.Concat(deltas(0, 1), deltas(1), []byte("a")), 0},
		{"texts that are cut", format.DeltaByteArray, format.ByteArray, slices.Concat(deltas(0, 0), deltas(1, 9), []byte("a")), 0},
		{"a length below 0", format.DeltaLengthByteArray, format.ByteArray, slices.Concat(deltas(1, -1), []byte("a")), 0},
		{"a length beyond the page", format.DeltaLengthByteArray, format.ByteArray, slices.Concat(deltas(1, 9), []byte("a")), 1},
		{"more lengths than values", format.DeltaLengthByteArray, format.ByteArray, slices.Concat(deltas(make([]int32, most+1)...)), 0},
		{"deltas without widths", format.DeltaBinaryPacked, format.Int32, []byte{0x80, 1, 4, 3, 0, 0}, 1},
		{"deltas in blocks of 2⁴⁰", format.DeltaBinaryPacked, format.Int32, slices.Concat([]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 1, 3, 0, 0, 8}, make([]byte, 99)), 0},
		{"deltas in no miniblocks", format.DeltaBinaryPacked, format.Int32, []byte{0x80, 1, 0, 3, 0, 0, 0, 0}, 0},
		{"deltas in 2⁶¹ miniblocks", format.DeltaBinaryPacked, format.Int32, []byte{0x80, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 3, 0, 0, 0, 0}, 0},
		{"deltas of values by the odd number", format.DeltaBinaryPacked, format.Int32, []byte{0x80, 1, 3, 3, 0, 0, 0, 0}, 0},
		{"a run without its value", format.RLE, format.Boolean, []byte{1, 0, 0, 0, 6}, 0},
		{"a width of 65 bits", format.DeltaBinaryPacked, format.Int32, slices.Concat([]byte{0x80, 1, 4, 3, 0, 0, 65, 0, 0, 0}, make([]byte, 999)), 1},
		{"a miniblock that is cut", format.DeltaBinaryPacked, format.Int32, []byte{0x80, 1, 4, 9, 0, 0, 8, 0, 0, 0, 1, 2, 3}, 1},
		{"a plain text beyond the page", format.Plain, format.ByteArray, []byte{1, 0, 0, 0, 'a', 9, 0, 0, 0, 'b'}, 1},
		{"a plain number that is cut", format.Plain, format.Int32, []byte{1, 0, 0, 0, 2, 0}, 1},
		{"booleans of one byte", format.Plain, format.Boolean, []byte{0xff}, 8},
		{"runs of booleans that are cut", format.RLE, format.Boolean, []byte{2, 0, 0, 0, 6, 1}, 3},
		{"booleans that do not fill up their run", format.RLE, format.Boolean, []byte{2, 0, 0, 0, 5, 0xff}, 8},
		{"a run of 2⁴⁰ booleans", format.RLE, format.Boolean, []byte{7, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 1}, 0},
		{"split numbers of odd sizes", format.ByteStreamSplit, format.Int32, make([]byte, 7), 0},
	} {
		d, unknown, err := newParquetDecoder(c.kind, 4, c.encoding, c.page, most, func(int64) error { return nil })
		if unknown {
			t.Errorf("%s: the encoding is unknown", c.name)
		}
		n := 0
		for one := make([]parquetValue, 1); err == nil && n <= most && d.decode(one); n++ {
		}
		if n != c.values {
			t.Errorf("%s: %d values, want %d (%v)", c.name, n, c.values, err)
		}
	}
}

// TestBrokenValues: what its levels or its dictionary do not have is no value.
func TestBrokenValues(t *testing.T) {
	c := &parquetColumn{leaf: &parquetNode{definition: 2}, dictionary: make([]cell, 3)}
	c.page.left, c.page.definitions = 9, parquetRuns{text: []byte{4, 3}, width: 2}
	if _, ok := c.levels(new(parquetBatch), 2); ok {
		t.Error("3 is a level of at most 2")
	}
	for width, text := range map[byte][]byte{2: {4, 3}, 33: {4, 0, 0, 0, 0, 0}} {
		c.page = parquetPage{}
		err := new(pageReader).openPage(&parquetColumn{leaf: new(parquetNode)}, pageShape{values: 2, encoding: format.RLEDictionary}, slices.Concat([]byte{width}, text))
		if c.page.indices = (parquetRuns{text: text, width: int(width)}); err == nil && c.index(new(parquetBatch), 2) {
			t.Errorf("an index of %d bits that the dictionary does not have is one", width)
		}
	}
}

// TestUnpack reads each width at each bit.
func TestUnpack(t *testing.T) {
	packed := make([]byte, 40)
	for i := range packed {
		packed[i] = byte(i*73 + 11)
	}
	for width := range 65 {
		for bit := range 8*len(packed) - width + 1 {
			want := uint64(0)
			for i := range width {
				at := bit + i
				want |= uint64(packed[at/8]>>(at%8)&1) << i
			}
			if got := unpack(packed, bit, width); got != want {
				t.Fatalf("unpack(bit %d, width %d) = %x, want %x", bit, width, got, want)
			}
		}
	}
	if got := unpack(binary.LittleEndian.AppendUint32(nil, math.MaxUint32), 100, 64); got != 0 {
		t.Errorf("behind the end there is %x, want 0", got)
	}
}
