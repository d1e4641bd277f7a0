package privacy

import (
	"fmt"
	"math/bits"

	"dptrain/internal/privacy/rng"
)

// Slots are the numbered places in which rows stand. Their number is public; a neighbouring table differs in what
// stands in one of them.
type Slots struct {
	count    int
	occupied []uint64 // bit s%64 of occupied[s/64] is set where a row stands in slot s; nil: slot i holds row i
	before   []int32  // occupied slots before the 64 of each word
	rows     []int32  // the row in the r-th occupied slot; nil: row r
}

// OneRowEach gives every row the slot of its own number: the number of rows is public (zero-out adjacency).
func OneRowEach(rows int) Slots { return Slots{count: rows} }

// OneRowEachBut is OneRowEach for a table in which the rows of the given numbers, strictly ascending, are null: their
// slots are empty. rows counts the others, which keep their order. Which rows are null is a function of each row alone,
// so that neighbouring tables still differ in what stands in one slot; that a slot is empty is as secret as what is in it.
func OneRowEachBut(null []int32, rows int) (Slots, error) {
	if len(null) == 0 {
		return OneRowEach(rows), nil
	}
	s := emptySlots(rows + len(null))
	for slot := range s.count {
		if len(null) > 0 && int(null[0]) == slot {
			null = null[1:]
			continue
		}
		s.occupy(slot)
	}
	if len(null) > 0 {
		return Slots{}, fmt.Errorf("null rows are not in ascending order within the table")
	}
	s.number()
	return s, nil
}

// Scatter puts rows into count slots by a uniform random injection, secret and not order-preserving. Removing a row
// then equals, in distribution, nulling its slot, so the number of rows stays private (add-or-remove-one adjacency):
// couple the two injections so that they agree on the rows that stay, then average over them.
//
// Each row in turn takes a slot that is uniform among those still free: so with the same randomness the rows before the last
// stand where they would without it. It needs four bytes a row, and less than a fifth of one a slot.
func Scatter(rows, count int, stream *rng.Stream) (Slots, error) {
	if rows > count {
		return Slots{}, fmt.Errorf("more rows than slots")
	}
	s := emptySlots(count)
	slots := make([]int32, rows) // by row
	for row := range slots {
		slot := int(stream.Uint64n(uint64(count)))
		for s.holds(slot) {
			slot = int(stream.Uint64n(uint64(count)))
		}
		s.occupy(slot)
		slots[row] = int32(slot)
	}
	s.number()
	for row, slot := range slots {
		slots[row] = s.rank(slot)
	}
	invert(slots)
	s.rows = slots
	return s, nil
}

// invert turns a permutation into its inverse, in its own memory (Knuth, The Art of Computer Programming, volume 1, section 1.3.3,
// goes along its cycles likewise). What is done already, and not yet looked at, is kept as its complement, which is negative.
func invert(p []int32) {
	for start := range p {
		if p[start] < 0 {
			p[start] = ^p[start]
			continue
		}
		from, at := int32(start), p[start]
		for int(at) != start {
			next := p[at]
			p[at] = ^from
			from, at = at, next
		}
		p[start] = from
	}
}

func emptySlots(count int) Slots {
	words := (count + 63) / 64
	return Slots{count: count, occupied: make([]uint64, words), before: make([]int32, words)}
}

func (s Slots) holds(slot int) bool { return s.occupied[slot/64]>>(slot%64)&1 == 1 }

func (s Slots) occupy(slot int) { s.occupied[slot/64] |= 1 << (slot % 64) }

// number counts the occupied slots once all are.
func (s Slots) number() {
	total := 0
	for i, word := range s.occupied {
		s.before[i] = int32(total)
		total += bits.OnesCount64(word)
	}
}

// rank is the number of occupied slots before slot.
func (s Slots) rank(slot int32) int32 {
	word, below := slot/64, uint64(1)<<(slot%64)-1
	return s.before[word] + int32(bits.OnesCount64(s.occupied[word]&below))
}

// Count is the public number of slots.
func (s Slots) Count() int { return s.count }

// resolve replaces ascending slots by the rows in them, in the same order, and leaves out empty ones.
func (s Slots) resolve(slots []int32) []int32 {
	if s.occupied == nil {
		return slots
	}
	rows := slots[:0]
	for _, slot := range slots {
		if !s.holds(int(slot)) {
			continue
		}
		row := s.rank(slot)
		if s.rows != nil {
			row = s.rows[row]
		}
		rows = append(rows, row)
	}
	return rows
}
