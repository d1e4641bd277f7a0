package data

import (
	"encoding/binary"
	"math/bits"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// What a Parquet file says of itself decides how much memory the library takes to read it: a few bytes can stand for 2³¹
// elements of a list, and a run of levels or indices may be any number of values long. What is here is checked before the
// library sees it.

const (
	// maxFooter bounds the bytes of a footer, and maxFooterItems what is in its lists, a struct counting for structItems: 65,536
	// columns of row groups with four structs each, which the library keeps in less than 200 MB.
	maxFooter      = 32 << 20
	maxFooterItems = 1 << 20
	structItems    = 4
	// maxHeader bounds the header of a page: its statistics may hold a cell.
	maxHeader = 64 << 10
	// maxThrift bounds how deep structs of Thrift lie in each other. Parquet's have up to seven levels.
	maxThrift = 16
	// maxSchema bounds how deep groups of columns lie in each other.
	maxSchema = 64
)

// plainDictionary is the encoding of indices, and of their dictionary, in files of the format's first version.
const plainDictionary format.Encoding = 2

// The types of Thrift's compact protocol.
const (
	thriftStop = iota
	thriftTrue
	thriftFalse
	thriftByte
	thriftI16
	thriftI32
	thriftI64
	thriftDouble
	thriftBinary
	thriftList
	thriftSet
	thriftMap
	thriftStruct
)

// A thriftScan walks over a struct of Thrift's compact protocol (thrift-compact-protocol.md of Apache Thrift) and holds its
// lists and texts against the bytes there are.
type thriftScan struct {
	text  []byte
	items int // that may still come in lists
}

// thriftFits reports whether text begins with a struct that is whole, and small once it is read.
func thriftFits(text []byte) bool {
	s := thriftScan{text: text, items: maxFooterItems}
	return s.fields(0)
}

func (s *thriftScan) fields(depth int) bool {
	for depth <= maxThrift {
		head, ok := s.byte()
		switch {
		case !ok:
			return false
		case head == thriftStop:
			return true
		case head>>4 == 0:
			if _, ok := s.uvarint(); !ok { // the field's number
				return false
			}
		}
		if t := head & 15; t != thriftTrue && t != thriftFalse && !s.value(t, depth) {
			return false
		}
	}
	return false
}

func (s *thriftScan) value(t byte, depth int) bool {
	switch t {
	case thriftTrue, thriftFalse, thriftByte:
		return s.skip(1)
	case thriftI16, thriftI32, thriftI64:
		_, ok := s.uvarint()
		return ok
	case thriftDouble:
		return s.skip(8)
	case thriftBinary:
		n, ok := s.uvarint()
		return ok && s.skip(n)
	case thriftList, thriftSet:
		return s.list(depth)
	case thriftStruct:
		return s.fields(depth + 1)
	}
	return false // a map: Parquet has none
}

func (s *thriftScan) list(depth int) bool {
	head, ok := s.byte()
	n, t := uint64(head>>4), head&15
	if ok && n == 15 {
		n, ok = s.uvarint()
	}
	if !ok || n > uint64(len(s.text)) || depth == maxThrift {
		return false
	}
	each := 1
	if t == thriftStruct {
		each = structItems
	}
	if s.items -= each * int(n); s.items < 0 {
		return false
	}
	for range n {
		if !s.value(t, depth+1) {
			return false
		}
	}
	return true
}

func (s *thriftScan) byte() (byte, bool) {
	if len(s.text) == 0 {
		return 0, false
	}
	b := s.text[0]
	s.text = s.text[1:]
	return b, true
}

func (s *thriftScan) skip(n uint64) bool {
	if n > uint64(len(s.text)) {
		return false
	}
	s.text = s.text[n:]
	return true
}

func (s *thriftScan) uvarint() (uint64, bool) {
	x, n := binary.Uvarint(s.text)
	if n <= 0 {
		return 0, false
	}
	s.text = s.text[n:]
	return x, true
}

// schemaFits reports whether the elements of a schema, a tree in depth-first order, are one tree that is not too deep.
func schemaFits(elements []format.SchemaElement) bool {
	open, leaves := []int32{1}, 0 // how many elements are still to come at each depth
	for i := range elements {
		for len(open) > 0 && open[len(open)-1] == 0 {
			open = open[:len(open)-1]
		}
		if len(open) == 0 {
			return false
		}
		open[len(open)-1]--
		switch n := elements[i].NumChildren; {
		case elements[i].Type.Valid:
			if leaves++; leaves > parquet.MaxColumnIndex || n.Valid && n.V != 0 {
				return false
			}
		case !n.Valid || n.V < 0 || len(open) == maxSchema:
			return false
		default:
			open = append(open, n.V)
		}
	}
	for _, n := range open {
		if n != 0 {
			return false
		}
	}
	return true
}

// A pageShape is what of a data page's header says how its bytes are to be read.
type pageShape struct {
	values   int // nulls included
	encoding format.Encoding
	v2       bool
	levels   [2]int // version 2: bytes of repetition and of definition levels

	dictionary bool // it is no data page
}

// fits reports whether a data page of c, its bytes decompressed, has no more levels, indices and deltas than its header says,
// and is in an encoding that makes no more of its bytes than that. Encodings that may are refused by unknown.
func (p pageShape) fits(c *parquet.Column, text []byte) bool {
	for i, highest := range []int{c.MaxRepetitionLevel(), c.MaxDefinitionLevel()} {
		var levels []byte
		switch {
		case p.v2 && p.levels[i] > len(text):
			return false
		case p.v2:
			levels, text = text[:p.levels[i]], text[p.levels[i]:]
		case highest > 0:
			var ok bool
			if levels, text, ok = cutPrefixed(text); !ok {
				return false
			}
		}
		if highest > 0 && !runsFit(levels, bits.Len(uint(highest)), p.values) {
			return false
		}
	}
	switch p.encoding {
	case format.RLEDictionary, plainDictionary:
		return len(text) == 0 || text[0] <= 32 && runsFit(text[1:], int(text[0]), p.values)
	case format.RLE:
		runs, _, ok := cutPrefixed(text)
		return c.Type().Kind() == parquet.Boolean && ok && runsFit(runs, 1, p.values)
	case format.DeltaBinaryPacked, format.DeltaLengthByteArray:
		return deltasFit(text, p.values)
	case format.Plain, format.ByteStreamSplit: // are as long as their values
	case format.BitPacked, format.DeltaByteArray: // are not known
		return false
	}
	return true
}

// known reports whether an encoding is one whose pages fits can tell about. DELTA_BYTE_ARRAY is none: each of its values may
// repeat all of the one before.
func known(e format.Encoding) bool {
	switch e {
	case format.Plain, format.RLEDictionary, plainDictionary, format.RLE, format.DeltaBinaryPacked, format.DeltaLengthByteArray, format.ByteStreamSplit:
		return true
	case format.BitPacked, format.DeltaByteArray:
	}
	return false
}

// cutPrefixed cuts off text that has its length, of four bytes, before it.
func cutPrefixed(text []byte) (cut, rest []byte, ok bool) {
	if len(text) < 4 {
		return nil, nil, false
	}
	n := binary.LittleEndian.Uint32(text)
	if text = text[4:]; uint64(n) > uint64(len(text)) {
		return nil, nil, false
	}
	return text[:n], text[n:], true
}

// runsFit reports whether runs of values of so many bits (RLE and bit-packed, Encodings.md of Apache Parquet) are no more
// values than that, but for those that fill up the last group of a writer's.
func runsFit(runs []byte, width, values int) bool {
	const fill = 512
	total := 0
	for len(runs) > 0 {
		head, n := binary.Uvarint(runs)
		if n <= 0 || head>>1 > uint64(values+fill) {
			return false
		}
		runs = runs[n:]
		size := (width + 7) / 8
		if count := int(head >> 1); head&1 == 1 {
			total += 8 * count
			size = count * width
		} else {
			total += count
		}
		if total > values+fill || size > len(runs) {
			return false
		}
		runs = runs[size:]
	}
	return true
}

// deltasFit reports whether a block of deltas says that it has no more values than that.
func deltasFit(text []byte, values int) bool {
	s := thriftScan{text: text} // whose varints these are, too
	for range 2 {               // the sizes of blocks and of miniblocks
		if _, ok := s.uvarint(); !ok {
			return len(text) == 0
		}
	}
	total, ok := s.uvarint()
	return ok && total <= uint64(values)
}
