package train

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"testing"

	"dptrain/internal/privacy/isa"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train/disk"
	"dptrain/internal/train/nn"
)

// TestFitKeepsToItsMemory watches the heap through a fit: beside the table at most 64 MiB and 24 bytes for each parameter and
// worker, garbage included, and no allocation from one step to the next, so that there is no more of it in a longer fit.
func TestFitKeepsToItsMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	for _, test := range []struct {
		rows  int
		shape nn.Shape
	}{
		{4000, nn.Shape{Dense: 100, Classes: 2}},
		{4000, nn.Shape{Dense: 784, Hidden: []int{1000}, Classes: 10}},
		{4000, nn.Shape{Dense: 8, Hidden: []int{3000, 20}, Classes: 3, Activation: nn.Tanh}},
		{4000, nn.Shape{Dense: 16_000, Classes: 5}},
		{4000, nn.Shape{Sparse: 4096, Classes: 77}},
		{1001, nn.Shape{Dense: 1500, Hidden: []int{2000, 1000}, Classes: 10}}, // 5 million parameters
		{10_000_000, nn.Shape{Dense: 1, Classes: 2}},                          // of which 8 bytes a row would be too many
	} {
		s := test.shape
		if s.Activation == "" {
			s.Activation = nn.ReLU
		}
		for _, workers := range []int{1, 2} {
			const batch, steps = 1000, 4
			t.Run(fmt.Sprintf("%s/rows=%d/workers=%d", layersOf(s), test.rows, workers), func(t *testing.T) {
				j := newBenchJob(t, s, test.rows, batch, workers)
				j.plan.Train.Steps = steps
				var before, now runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				most, mallocs := uint64(0), uint64(math.MaxUint64) // the runtime's own come now and then
				_, err := Fit(context.Background(), j.plan, j.table, Run{Key: rng.TestKey(1), Workers: workers, Progress: func(done int) {
					last := now.Mallocs
					runtime.ReadMemStats(&now)
					most = max(most, now.HeapInuse+now.StackInuse)
					if done > 2 {
						mallocs = min(mallocs, now.Mallocs-last)
					}
				}})
				if err != nil {
					t.Fatal(err)
				}
				params := uint64(j.plan.Net.Params())
				if got, want := most-before.HeapInuse-before.StackInuse, 64<<20+24*params*uint64(workers); got > want {
					t.Errorf("a fit takes %d MiB beside its table, want at most %d", got>>20, want>>20)
				}
				// Without vector AES each stream that is opened takes a cipher's state: one for a range's coins or a block's noise.
				if streams := uint64(len(j.plan.Net.Blocks()) + 200); mallocs > 0 && (isa.VAES() || mallocs > streams) {
					t.Errorf("a step allocates %d times, want 0", mallocs)
				}
			})
		}
	}
}

// TestCheckpointsLeaveNoGarbage watches the heap through a fit that keeps checkpoints, beside a table so large that as much
// garbage as live memory, what the collector lets be, would be too much.
func TestCheckpointsLeaveNoGarbage(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	const steps = 40
	j := newBenchJob(t, nn.Shape{Dense: 784, Hidden: []int{1000}, Classes: 10, Activation: nn.ReLU}, 60_000, 64, 1)
	j.plan.Train.Steps, j.plan.Schema = steps, standardizedSchema(t) // any, for the log
	attempt, err := NewAttempt(disk.OS{}, t.TempDir(), j.plan, "run")
	if err != nil {
		t.Fatal(err)
	}
	if err := attempt.Open(); err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most := uint64(0)
	_, err = Fit(context.Background(), j.plan, j.table, Run{Key: rng.TestKey(1), Workers: 1, Attempt: attempt, Progress: func(int) {
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapInuse+now.StackInuse)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := attempt.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := most-before.HeapInuse-before.StackInuse, 64<<20+24*uint64(j.plan.Net.Params()); got > want {
		t.Errorf("a fit takes %d MiB beside its table, want at most %d", got>>20, want>>20)
	}
}
