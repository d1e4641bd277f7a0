package privacy

import (
	"slices"
	"sync"
	"testing"

	"dptrain/internal/privacy/rng"
)

// TestFullBatchDrawsEverySlotOnce looks at every row of a step, over whole and broken ranges, groups and workers.
func TestFullBatchDrawsEverySlotOnce(t *testing.T) {
	for _, slots := range []int{1, 16, 255, 256, 257, 1000} {
		for _, rows := range []int{slots, slots / 2} {
			for _, workers := range []int{1, 3} {
				p, err := NewPlan(Spec{Params: 1, Slots: slots, Steps: 1, SamplingProbability: 1, NoiseMultiplier: 1, MaxGradNorm: 1, Delta: 1e-6})
				if err != nil {
					t.Fatal(err)
				}
				where := OneRowEach(slots)
				if slots == 257 && rows != slots { // each second slot is empty
					var null []int32
					for slot := 0; slot < slots; slot += 2 {
						null = append(null, int32(slot))
					}
					if where, err = OneRowEachBut(null, rows); err != nil {
						t.Fatal(err)
					}
				} else if rows != slots {
					if where, err = Scatter(rows, slots, rng.TestKey(1).Source(rng.Slots).Stream(0, 0)); err != nil {
						t.Fatal(err)
					}
				}
				m, err := NewMechanism(p, where, rng.TestKey(1), testLayout(p.Params, workers, 7))
				if err != nil {
					t.Fatal(err)
				}
				var mutex sync.Mutex
				times := make([]int, rows)
				m.Step(make([]float32, 1), func(_ int, group []int32) Gradients {
					mutex.Lock()
					defer mutex.Unlock()
					for _, row := range group {
						times[row]++
					}
					return constantOf(len(group), 1)
				}, nil)
				for row, n := range times {
					if n != 1 {
						t.Fatalf("%d rows in %d slots, %d workers: row %d is drawn %d times, want once", rows, slots, workers, row, n)
					}
				}
			}
		}
	}
}

// TestNullRowsLeaveTheirSlotsEmpty looks at which rows stand where.
func TestNullRowsLeaveTheirSlotsEmpty(t *testing.T) {
	s, err := OneRowEachBut([]int32{0, 3, 4}, 3)
	if err != nil || s.Count() != 6 {
		t.Fatalf("OneRowEachBut = %+v, %v, want 6 slots", s, err)
	}
	for _, test := range []struct{ slots, rows []int32 }{
		{[]int32{0, 1, 2, 3, 4, 5}, []int32{0, 1, 2}},
		{[]int32{0, 3}, nil},
		{[]int32{2, 4, 5}, []int32{1, 2}},
	} {
		if got := s.resolve(slices.Clone(test.slots)); !slices.Equal(got, test.rows) {
			t.Errorf("rows in slots %v = %v, want %v", test.slots, got, test.rows)
		}
	}
	for _, null := range [][]int32{{3, 2}, {1, 1}, {6}, {-1}} {
		if s, err := OneRowEachBut(null, 3); err == nil {
			t.Errorf("OneRowEachBut(%v, 3) = %+v, want an error", null, s)
		}
	}
}
