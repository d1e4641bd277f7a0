package data

import "encoding/binary"

// parquetDeltas reads integers of which each is coded as its difference to the one before (Encodings.md of Apache Parquet,
// DELTA_BINARY_PACKED). Blocks have a least difference, and miniblocks in which what is above it takes some bits each.
type parquetDeltas struct {
	text   []byte
	minis  int // miniblocks of a block
	size   int // values of a miniblock
	left   int // values to come
	first  bool
	last   uint64 // the value before; integers of 32 bits are its lower half
	least  uint64
	widths []byte // of the miniblocks of the block that are to come
	packed []byte // the miniblock
	width  int
	in     int // values to come of the miniblock
	bit    int
}

// newParquetDeltas reads the header of deltas that are at most so many.
func newParquetDeltas(text []byte, most int) (*parquetDeltas, bool) {
	const maxBlock = 1 << 20
	s := thriftScan{text: text} // whose varints these are, too
	block, _ := s.uvarint()
	minis, _ := s.uvarint()
	total, _ := s.uvarint()
	first, ok := s.uvarint()
	if !ok || block > maxBlock || minis == 0 || minis > block || block%(8*minis) != 0 || total > uint64(most) {
		return nil, false
	}
	return &parquetDeltas{text: s.text, minis: int(minis), size: int(block / minis), left: int(total), first: true, last: unzigzag(first)}, true
}

func unzigzag(x uint64) uint64 { return x>>1 ^ -(x & 1) }

// next is the next integer.
func (d *parquetDeltas) next() (uint64, bool) {
	if d.left == 0 {
		return 0, false
	}
	d.left--
	if d.first {
		d.first = false
		return d.last, true
	}
	if d.in == 0 && !d.miniblock() {
		return 0, false
	}
	d.last += d.least + unpack(d.packed, d.bit, d.width)
	d.bit += d.width
	d.in--
	return d.last, true
}

// miniblock begins the next miniblock, which may be cut short behind the last value.
func (d *parquetDeltas) miniblock() bool {
	if len(d.widths) == 0 {
		least, n := binary.Uvarint(d.text)
		if n <= 0 || len(d.text)-n < d.minis {
			return false
		}
		d.least, d.text = unzigzag(least), d.text[n:]
		d.widths, d.text = d.text[:d.minis], d.text[d.minis:]
	}
	d.width, d.widths = int(d.widths[0]), d.widths[1:]
	size, needed := d.size*d.width/8, (min(d.size, d.left+1)*d.width+7)/8
	if d.width > 64 || d.size == 0 || needed > len(d.text) {
		return false
	}
	size = min(size, len(d.text))
	d.packed, d.text, d.in, d.bit = d.text[:size], d.text[size:], d.size, 0
	return true
}

// lengths reads deltas that are lengths, none of them below 0, and what stands behind them.
func lengths(text []byte, most int) (all []int32, rest []byte, ok bool) {
	d, ok := newParquetDeltas(text, most)
	if !ok {
		return nil, nil, false
	}
	all = make([]int32, d.left)
	for i := range all {
		n, ok := d.next()
		if all[i] = int32(n); !ok || all[i] < 0 {
			return nil, nil, false
		}
	}
	return all, d.text, true
}

// joinPrefixes makes whole values of values that are coded by how much of its start each shares with the one before, and what
// follows (DELTA_BYTE_ARRAY). hold is asked before memory for the sum of their sizes is taken.
func joinPrefixes(text []byte, most int, hold func(size int64) error) (all []int32, whole []byte, err error) {
	shared, text, ok := lengths(text, most)
	if !ok {
		return nil, nil, invalidParquet()
	}
	all, text, ok = lengths(text, most)
	if !ok || len(all) != len(shared) {
		return nil, nil, invalidParquet()
	}
	size, rest, before := int64(0), int64(len(text)), int64(0)
	for i, own := range all {
		if int64(shared[i]) > before || int64(own) > rest {
			return nil, nil, invalidParquet()
		}
		rest -= int64(own)
		before = int64(shared[i]) + int64(own)
		size += before
	}
	if err := hold(size); err != nil {
		return nil, nil, err
	}
	whole = make([]byte, 0, size)
	start := 0
	for i, own := range all {
		last := whole[start:]
		start = len(whole)
		whole = append(append(whole, last[:shared[i]]...), text[:own]...)
		text = text[own:]
		all[i] += shared[i]
	}
	return all, whole, nil
}
