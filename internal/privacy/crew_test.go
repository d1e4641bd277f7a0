package privacy

import (
	"sync/atomic"
	"testing"
	"time"
)

// TestCrewDoesEverythingOnce runs parts of all lengths, some after pauses in which the helpers fall asleep, some slow, so that
// the caller does.
func TestCrewDoesEverythingOnce(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		c := newCrew(workers)
		for part := range 300 {
			n := part % 40
			done := make([]atomic.Int64, n)
			c.each(n, func(worker, i int) {
				if worker < 0 || worker >= workers {
					t.Errorf("worker %d of %d", worker, workers)
				}
				if part%50 == 49 && i == 0 {
					time.Sleep(time.Millisecond)
				}
				done[i].Add(1)
			})
			for i := range done {
				if got := done[i].Load(); got != 1 {
					t.Fatalf("%d workers, part %d: task(%d) was called %d times, want once", workers, part, i, got)
				}
			}
			if part%50 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		c.dismiss()
	}
}
