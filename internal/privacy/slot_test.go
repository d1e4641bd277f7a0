package privacy

import (
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
				if rows != slots {
					if where, err = Scatter(rows, slots, rng.TestKey(1).Source(rng.Slots).Stream(0, 0)); err != nil {
						t.Fatal(err)
					}
				}
				m, err := NewMechanism(p, where, rng.TestKey(1), workers, 7)
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
					return constant{len(group), 1}
				})
				for row, n := range times {
					if n != 1 {
						t.Fatalf("%d rows in %d slots, %d workers: row %d is drawn %d times, want once", rows, slots, workers, row, n)
					}
				}
			}
		}
	}
}
