package privacy

import (
	"fmt"

	"dptrain/internal/privacy/rng"
)

// Slots are the numbered places in which rows stand. Their number is public; a neighbouring table differs in what
// stands in one of them.
type Slots struct {
	count int
	rows  []int32 // rows[slot] is the slot's row, or -1; nil where slot i holds row i
}

// OneRowEach gives every row the slot of its own number: the number of rows is public (zero-out adjacency).
func OneRowEach(rows int) Slots { return Slots{count: rows} }

// Scatter puts rows into count slots by a uniform random injection, secret and not order-preserving. Removing a row
// then equals, in distribution, nulling its slot, so the number of rows stays private (add-or-remove-one adjacency):
// couple the two injections so that they agree on the rows that stay, then average over them.
func Scatter(rows, count int, stream *rng.Stream) (Slots, error) {
	if rows > count {
		return Slots{}, fmt.Errorf("more rows than slots")
	}
	s := Slots{count: count, rows: make([]int32, count)}
	for i := range s.rows {
		s.rows[i] = -1
		if i < rows {
			s.rows[i] = int32(i)
		}
	}
	// Fisher-Yates from the front: after i swaps the first i places are a uniform draw, and the rest uniform given it.
	for i := range count - 1 {
		j := i + int(stream.Uint64n(uint64(count-i)))
		s.rows[i], s.rows[j] = s.rows[j], s.rows[i]
	}
	return s, nil
}

// Count is the public number of slots.
func (s Slots) Count() int { return s.count }

// resolve replaces slots by the rows in them, in the same order, and leaves out empty ones.
func (s Slots) resolve(slots []int32) []int32 {
	if s.rows == nil {
		return slots
	}
	kept := slots[:0]
	for _, slot := range slots {
		if row := s.rows[slot]; row >= 0 {
			kept = append(kept, row)
		}
	}
	return kept
}
