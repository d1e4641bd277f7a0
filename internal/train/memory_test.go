package train

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"testing"

	"dptrain/internal/privacy/accounting"
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
		name    string
		rows    int
		shape   nn.Shape
		workers []int
		change  func(j *benchJob) // nil: none
		keeps   bool              // whether it keeps checkpoints, each step one
	}{
		{rows: 4000, shape: nn.Shape{Dense: 100, Classes: 2}},
		{rows: 4000, shape: nn.Shape{Dense: 784, Hidden: []int{1000}, Classes: 10}},
		{rows: 4000, shape: nn.Shape{Dense: 8, Hidden: []int{3000, 20}, Classes: 3, Activation: nn.Tanh}},
		{rows: 4000, shape: nn.Shape{Dense: 16_000, Classes: 5}},
		{rows: 4000, shape: nn.Shape{Sparse: 4096, Classes: 77}},
		{rows: 4000, shape: nn.Shape{Sparse: 4096, Hidden: []int{512, 64}, Classes: 3}},    // sparse, and in waves
		{rows: 1001, shape: nn.Shape{Dense: 1500, Hidden: []int{2000, 1000}, Classes: 10}}, // 5 million parameters
		{rows: 10_000_000, shape: nn.Shape{Dense: 1, Classes: 2}},                          // of which 8 bytes a row would be too many
		// Where what is kept comes close to the bound: 18 million parameters on one core.
		{rows: 200, shape: nn.Shape{Dense: 3000, Hidden: []int{4000, 1500}, Classes: 10}, workers: []int{1}, keeps: true},
		{name: "adam", rows: 200, shape: nn.Shape{Dense: 3000, Hidden: []int{4000, 1500}, Classes: 10}, workers: []int{1}, keeps: true,
			change: func(j *benchJob) { j.plan.Train.Optimizer = Adam }},
		{name: "adam", rows: 1001, shape: nn.Shape{Sparse: 1 << 20, Hidden: []int{18}, Classes: 2}, workers: []int{1},
			change: func(j *benchJob) { j.plan.Train.Optimizer = Adam }},
		{name: "add_or_remove_one", rows: 10_000_000, shape: nn.Shape{Dense: 1, Classes: 2}, change: func(j *benchJob) {
			j.plan.Privacy.Adjacency, j.plan.RowsAtMost = accounting.AddOrRemoveOne, j.plan.Rows
		}},
		{name: "noiseless", rows: 1001, shape: nn.Shape{Dense: 1500, Hidden: []int{2000, 1000}, Classes: 10}, change: noiseless},
		{name: "noiseless", rows: 1001, shape: nn.Shape{Sparse: 1 << 20, Classes: 5}, change: noiseless},
	} {
		s := test.shape
		if s.Activation == "" {
			s.Activation = nn.ReLU
		}
		if test.workers == nil {
			test.workers = []int{1, 2}
		}
		for _, workers := range test.workers {
			const steps = 4
			batch := min(1000, test.rows/4)
			t.Run(fmt.Sprintf("%s/%s/rows=%d/workers=%d", layersOf(s), test.name, test.rows, workers), func(t *testing.T) {
				j := newBenchJob(t, s, test.rows, batch, workers)
				j.plan.Train.Steps = steps
				if test.change != nil {
					test.change(j)
				}
				run := Run{Key: rng.TestKey(1), Workers: workers}
				if test.keeps {
					run.Attempt = openAttempt(t, j.plan)
				}
				most, mallocs := watchHeap(t, j, run)
				params := uint64(j.plan.Net.Params())
				if want := 64<<20 + 24*params*uint64(workers); most > want {
					t.Errorf("a fit takes %d MiB beside its table, want at most %d", most>>20, want>>20)
				}
				// Without vector AES each stream that is opened takes a cipher's state: one for a range's coins or a block's noise.
				streams := uint64(len(j.plan.Net.Blocks()) + 200)
				if mallocs > 0 && !test.keeps && !j.plan.Noiseless() && (isa.VAES() || mallocs > streams) {
					t.Errorf("a step allocates %d times, want 0", mallocs)
				}
			})
		}
	}
}

// noiseless makes j's a plan without privacy.
func noiseless(j *benchJob) {
	j.plan.Train.SamplingProbability = j.plan.Mechanism.SamplingProbability
	j.plan.Mechanism = nil
}

// openAttempt is a first attempt at a run by the plan, which is given a schema for the log.
func openAttempt(t *testing.T, p *Plan) *Attempt {
	t.Helper()
	p.Schema = standardizedSchema(t) // any
	attempt, err := NewAttempt(disk.OS{}, t.TempDir(), p, "run")
	if err != nil {
		t.Fatal(err)
	}
	if err := attempt.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := attempt.Close(); err != nil {
			t.Error(err)
		}
	})
	return attempt
}

// watchHeap fits, and returns the most bytes that the heap had beside what it had before, and the fewest allocations from
// one step to the next: the runtime's own come now and then.
func watchHeap(t *testing.T, j *benchJob, run Run) (most, mallocs uint64) {
	t.Helper()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	mallocs = math.MaxUint64
	run.Progress = func(done int) {
		last := now.Mallocs
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapInuse+now.StackInuse-before.HeapInuse-before.StackInuse)
		if done > 2 {
			mallocs = min(mallocs, now.Mallocs-last)
		}
	}
	if _, err := Fit(context.Background(), j.plan, j.table, run); err != nil {
		t.Fatal(err)
	}
	return most, mallocs
}

// TestCheckpointsLeaveNoGarbage watches the heap through a fit that keeps checkpoints, beside a table so large that as much
// garbage as live memory, what the collector lets be, would be too much.
func TestCheckpointsLeaveNoGarbage(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	j := newBenchJob(t, nn.Shape{Dense: 784, Hidden: []int{1000}, Classes: 10, Activation: nn.ReLU}, 60_000, 64, 1)
	j.plan.Train.Steps = 40
	most, _ := watchHeap(t, j, Run{Key: rng.TestKey(1), Workers: 1, Attempt: openAttempt(t, j.plan)})
	if want := 64<<20 + 24*uint64(j.plan.Net.Params()); most > want {
		t.Errorf("a fit takes %d MiB beside its table, want at most %d", most>>20, want>>20)
	}
}
