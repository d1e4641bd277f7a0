package privacy

import (
	"cmp"
	"fmt"
	"slices"

	"dptrain/internal/privacy/rng"
)

// Slots are the numbered places in which rows stand. Their number is public; a neighbouring table differs in what
// stands in one of them.
type Slots struct {
	count     int
	scattered bool
	occupied  []occupant // ascending slots; unused where slot i holds row i
}

// occupant is a row in its slot.
type occupant struct{ slot, row int32 }

// OneRowEach gives every row the slot of its own number: the number of rows is public (zero-out adjacency).
func OneRowEach(rows int) Slots { return Slots{count: rows} }

// OneRowEachBut is OneRowEach for a table in which the rows of the given numbers, strictly ascending, are null: their
// slots are empty. rows counts the others, which keep their order. Which rows are null is a function of each row alone,
// so that neighbouring tables still differ in what stands in one slot; that a slot is empty is as secret as what is in it.
func OneRowEachBut(null []int32, rows int) (Slots, error) {
	if len(null) == 0 {
		return OneRowEach(rows), nil
	}
	s := Slots{count: rows + len(null), scattered: true, occupied: make([]occupant, 0, rows)}
	for slot := range int32(s.count) {
		if len(null) > 0 && null[0] == slot {
			null = null[1:]
			continue
		}
		s.occupied = append(s.occupied, occupant{slot, int32(len(s.occupied))})
	}
	if len(null) > 0 {
		return Slots{}, fmt.Errorf("null rows are not in ascending order within the table")
	}
	return s, nil
}

// Scatter puts rows into count slots by a uniform random injection, secret and not order-preserving. Removing a row
// then equals, in distribution, nulling its slot, so the number of rows stays private (add-or-remove-one adjacency):
// couple the two injections so that they agree on the rows that stay, then average over them.
//
// Each row in turn takes a slot that is uniform among those still free. It needs a bit of memory for each slot.
func Scatter(rows, count int, stream *rng.Stream) (Slots, error) {
	if rows > count {
		return Slots{}, fmt.Errorf("more rows than slots")
	}
	s := Slots{count: count, scattered: true, occupied: make([]occupant, rows)}
	taken := make([]uint64, (count+63)/64)
	for row := range rows {
		slot := stream.Uint64n(uint64(count))
		for taken[slot/64]>>(slot%64)&1 == 1 {
			slot = stream.Uint64n(uint64(count))
		}
		taken[slot/64] |= 1 << (slot % 64)
		s.occupied[row] = occupant{int32(slot), int32(row)}
	}
	slices.SortFunc(s.occupied, func(a, b occupant) int { return cmp.Compare(a.slot, b.slot) })
	return s, nil
}

// Count is the public number of slots.
func (s Slots) Count() int { return s.count }

// resolve replaces ascending slots by the rows in them, in the same order, and leaves out empty ones.
func (s Slots) resolve(slots []int32) []int32 {
	if !s.scattered || len(slots) == 0 {
		return slots
	}
	next, _ := slices.BinarySearchFunc(s.occupied, slots[0], func(o occupant, slot int32) int { return cmp.Compare(o.slot, slot) })
	rows := slots[:0]
	for _, slot := range slots {
		for next < len(s.occupied) && s.occupied[next].slot < slot {
			next++
		}
		if next < len(s.occupied) && s.occupied[next].slot == slot {
			rows = append(rows, s.occupied[next].row)
		}
	}
	return rows
}
