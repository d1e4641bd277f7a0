package data

import "encoding/binary"

// Pages are decoded here and not by the library, because that decodes a page at a time, to some 14 bytes a value: a table of
// 784 columns of one byte each would take 650 MB where these readers take the 47 MB of its pages. They read as many values as
// they are asked for, trust no count, and end with false where the bytes do.

// parquetRuns reads values of some bits each in runs, either of one value or bit-packed: levels, indices and booleans
// (Encodings.md of Apache Parquet, RLE).
type parquetRuns struct {
	text   []byte
	width  int // bits of a value, up to 32
	left   int // values in the run
	value  uint32
	packed []byte // of the run; nil where it is of one value
	bit    int    // of packed, that is read next
}

// fill reads len(dst) values.
func (r *parquetRuns) fill(dst []uint32) bool {
	for len(dst) > 0 {
		if r.left == 0 {
			if !r.next() {
				return false
			}
			continue
		}
		n := min(r.left, len(dst))
		if r.packed == nil {
			for i := range dst[:n] {
				dst[i] = r.value
			}
		} else {
			r.unpack(dst[:n])
		}
		dst, r.left = dst[n:], r.left-n
	}
	return true
}

// all reads n values if they are of one run of this value.
func (r *parquetRuns) all(n int, value uint32) bool {
	if r.left == 0 && !r.next() || r.packed != nil || r.value != value || r.left < n {
		return false
	}
	r.left -= n
	return true
}

// unpack reads as many values as dst has, which the run has, too.
func (r *parquetRuns) unpack(dst []uint32) {
	mask := uint32(1<<r.width - 1)
	for i := range dst {
		if at := r.bit >> 3; at+8 <= len(r.packed) {
			dst[i] = uint32(binary.LittleEndian.Uint64(r.packed[at:])>>(r.bit&7)) & mask
		} else {
			dst[i] = uint32(unpack(r.packed, r.bit, r.width))
		}
		r.bit += r.width
	}
}

// next begins the next run.
func (r *parquetRuns) next() bool {
	const most = 1 << 31
	head, n := binary.Uvarint(r.text)
	if n <= 0 || head>>1 > most {
		return false
	}
	r.text = r.text[n:]
	count := int(head >> 1)
	if head&1 == 1 {
		size := min(count*r.width, len(r.text)) // some writers leave out what fills up the last eight values
		r.packed, r.bit, r.left = r.text[:size], 0, 8*count
		if r.width > 0 {
			r.left = min(8*count, 8*size/r.width)
		}
		r.text = r.text[size:]
		return r.left > 0 || count == 0
	}
	size := (r.width + 7) / 8
	if size > len(r.text) {
		return false
	}
	var word [4]byte
	copy(word[:], r.text[:size])
	r.packed, r.value, r.left, r.text = nil, binary.LittleEndian.Uint32(word[:]), count, r.text[size:]
	return true
}

// unpack is the value of so many bits, up to 64, at a bit of packed, counted from the lowest of its first byte. Bits behind
// the end are 0.
func unpack(packed []byte, bit, width int) uint64 {
	at, shift := bit>>3, bit&7
	if at+9 > len(packed) {
		var end [16]byte
		if at < len(packed) {
			copy(end[:9], packed[at:])
		}
		packed, at = end[:], 0
	}
	word := binary.LittleEndian.Uint64(packed[at:]) >> shift
	if shift+width > 64 {
		word |= uint64(packed[at+8]) << (64 - shift)
	}
	return word & (1<<width - 1)
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
