package data

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go/format"
)

// A parquetValue is a value that is not null: the bits of a number or boolean, the bytes of another.
type parquetValue struct {
	bits  uint64
	bytes []byte
}

// A parquetDecoder reads values in the order of a page, nulls left out.
type parquetDecoder interface {
	// decode reads len(dst) values; false: there are fewer, or they are not valid. Their bytes are good until it is called
	// again, or for as long as the page's.
	decode(dst []parquetValue) bool
}

// newParquetDecoder is what reads the values of a page, at most so many, in any encoding but a dictionary's. hold is asked
// before a page is expanded. unknown: values of the type are not read in this encoding.
func newParquetDecoder(kind format.Type, size int, encoding format.Encoding, text []byte, most int, hold func(size int64) error) (d parquetDecoder, unknown bool, err error) {
	bytes := kind == format.ByteArray || kind == format.FixedLenByteArray
	var ok bool
	switch {
	case len(text) == 0: // all of them are null, and some writers write no header then
		return &lengthTexts{}, false, nil
	case encoding == format.Plain && kind == format.Boolean:
		return &plainBits{text: text}, false, nil
	case encoding == format.Plain && kind == format.ByteArray:
		return &plainTexts{text: text}, false, nil
	case encoding == format.Plain:
		return &plainValues{text: text, size: size, bytes: bytes || kind == format.Int96}, false, nil
	case encoding == format.RLE && kind == format.Boolean:
		text, _, ok = cutPrefixed(text)
		d = &runBits{runs: parquetRuns{text: text, width: 1}}
	case encoding == format.ByteStreamSplit && size > 0 && kind != format.Int96:
		d, ok = &splitValues{text: text, size: size, bytes: bytes, count: len(text) / size}, len(text)%size == 0
	case encoding == format.DeltaBinaryPacked && (kind == format.Int32 || kind == format.Int64):
		var deltas *parquetDeltas
		deltas, ok = newParquetDeltas(text, most)
		d = &deltaValues{deltas: deltas}
	case encoding == format.DeltaLengthByteArray && kind == format.ByteArray:
		if err := hold(4 * int64(most)); err != nil {
			return nil, false, err
		}
		var all []int32
		all, text, ok = lengths(text, most)
		d = &lengthTexts{lengths: all, text: text}
	case encoding == format.DeltaByteArray && bytes:
		if err := hold(8 * int64(most)); err != nil {
			return nil, false, err
		}
		all, whole, err := joinPrefixes(text, most, hold)
		return &lengthTexts{lengths: all, text: whole}, false, err
	default:
		return nil, true, nil
	}
	if !ok {
		return nil, false, invalidParquet()
	}
	return d, false, nil
}

// plainBits are booleans, eight to a byte.
type plainBits struct {
	text []byte
	bit  int
}

func (d *plainBits) decode(dst []parquetValue) bool {
	if d.bit+len(dst) > 8*len(d.text) {
		return false
	}
	for i := range dst {
		dst[i].bits = uint64(d.text[d.bit>>3]>>(d.bit&7)) & 1
		d.bit++
	}
	return true
}

// runBits are booleans in runs.
type runBits struct {
	runs parquetRuns
	read []uint32
}

func (d *runBits) decode(dst []parquetValue) bool {
	d.read = grown(d.read, len(dst))
	if !d.runs.fill(d.read) {
		return false
	}
	for i, bit := range d.read {
		dst[i].bits = uint64(bit)
	}
	return true
}

// plainValues are values of one size, one after the other.
type plainValues struct {
	text  []byte
	size  int
	bytes bool // they are no numbers of 4 or 8 bytes
}

func (d *plainValues) decode(dst []parquetValue) bool {
	n := d.size * len(dst)
	if n > len(d.text) {
		return false
	}
	text := d.text[:n]
	d.text = d.text[n:]
	switch {
	case d.bytes:
		for i := range dst {
			dst[i].bytes = text[d.size*i : d.size*(i+1)]
		}
	case d.size == 4:
		for i := range dst {
			dst[i].bits = uint64(binary.LittleEndian.Uint32(text[4*i:]))
		}
	default:
		for i := range dst {
			dst[i].bits = binary.LittleEndian.Uint64(text[8*i:])
		}
	}
	return true
}

// splitValues are values of one size: the first bytes of all, then the second ones, and so on.
type splitValues struct {
	text     []byte
	size     int
	bytes    bool // as of plainValues
	count    int  // of all
	at       int  // the next
	gathered []byte
}

func (d *splitValues) decode(dst []parquetValue) bool {
	if len(dst) > d.count-d.at {
		return false
	}
	d.gathered = grown(d.gathered, len(dst)*d.size)
	for b := range d.size {
		for i, c := range d.text[b*d.count+d.at:][:len(dst)] {
			d.gathered[i*d.size+b] = c
		}
	}
	d.at += len(dst)
	return (&plainValues{text: d.gathered, size: d.size, bytes: d.bytes}).decode(dst)
}

// deltaValues are integers.
type deltaValues struct{ deltas *parquetDeltas }

func (d *deltaValues) decode(dst []parquetValue) bool {
	for i := range dst {
		var ok bool
		if dst[i].bits, ok = d.deltas.next(); !ok {
			return false
		}
	}
	return true
}

// plainTexts have their length before each.
type plainTexts struct{ text []byte }

func (d *plainTexts) decode(dst []parquetValue) bool {
	for i := range dst {
		var ok bool
		if dst[i].bytes, d.text, ok = cutPrefixed(d.text); !ok {
			return false
		}
	}
	return true
}

// lengthTexts have the lengths of all elsewhere.
type lengthTexts struct {
	lengths []int32
	text    []byte
}

func (d *lengthTexts) decode(dst []parquetValue) bool {
	if len(dst) > len(d.lengths) {
		return false
	}
	for i := range dst {
		n := int(d.lengths[i])
		if n > len(d.text) {
			return false
		}
		dst[i].bytes, d.text = d.text[:n], d.text[n:]
	}
	d.lengths = d.lengths[len(dst):]
	return true
}
