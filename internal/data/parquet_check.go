package data

import (
	"encoding/binary"
)

// What a footer or a page's header says of itself decides how much memory the library takes to decode it: a few bytes can
// stand for 2³¹ elements of a list. What is here is checked before the library sees them; pages it does not see.

const (
	// maxFooter bounds the bytes of a footer, and maxFooterItems what is in its lists, a struct counting for structItems: 65,536
	// columns of row groups with four structs each, which the library keeps in less than 200 MB.
	maxFooter      = 32 << 20
	maxFooterItems = 1 << 20
	structItems    = 4
	// maxHeader bounds the header of a page: its statistics may hold two whole cells.
	maxHeader = 16 << 20
	// maxThrift bounds how deep structs of Thrift lie in each other. Parquet's have up to seven levels.
	maxThrift = 16
	// maxSchema bounds how deep groups of columns lie in each other.
	maxSchema = 64
)

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
