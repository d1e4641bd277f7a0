package train

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dptrain/internal/data"
	"dptrain/internal/privacy"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/lattice"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train/kernel"
	"dptrain/internal/train/nn"
)

// BenchmarkStep times the steps of real fits, by [Fit] itself, on tables larger than the batch, Poisson sampled. An op is a
// step. Beside the time of a step it reports
//
//	examples/s   expected batch size over the step's time
//	GFLOP/s      of the matrix products, two operations a multiply-add
//	%peak        of what all workers reach together on a product that never leaves the first-level cache
//	DP/plain     the step's time over that of the same nets, kernels and optimizer without norms, clipping, lattice and noise
//	%noise       of the step's time, for the noise alone
func BenchmarkStep(b *testing.B) {
	workers := runtime.GOMAXPROCS(0)
	peak := peakRate(workers)
	for _, s := range []nn.Shape{
		{Dense: 100, Classes: 2},
		{Dense: 1024, Classes: 10},
		{Dense: 100, Hidden: []int{128, 64}, Classes: 2},
		{Dense: 60, Hidden: []int{1000}, Classes: 10},
		{Dense: 784, Hidden: []int{1000}, Classes: 10},
		{Dense: 1024, Hidden: []int{512, 512}, Classes: 100},
		{Sparse: 4096, Classes: 77},
	} {
		s.Activation = nn.ReLU
		for _, batch := range []int{256, 1024, 4096, 32768} {
			b.Run(fmt.Sprintf("layers=%s/batch=%d", layersOf(s), batch), func(b *testing.B) {
				rows := max(16*batch, 1<<16)
				for rows > 2*batch && rows*s.Dense > 100e6 {
					rows /= 2
				}
				j := newBenchJob(b, s, rows, batch, workers)
				b.ReportAllocs()
				j.fit(b)
				step := b.Elapsed() / time.Duration(b.N)
				flops := float64(batch) * j.flops()
				b.ReportMetric(float64(batch)/step.Seconds(), "examples/s")
				b.ReportMetric(flops/step.Seconds()/1e9, "GFLOP/s")
				b.ReportMetric(100*flops/step.Seconds()/peak, "%peak")
				b.ReportMetric(step.Seconds()/j.plain(b.N).Seconds(), "DP/plain")
				b.ReportMetric(100*j.noise(b.N).Seconds()/step.Seconds(), "%noise")
			})
		}
	}
}

// layersOf is the widths of a net, first to last.
func layersOf(s nn.Shape) string {
	name := fmt.Sprint(s.Dense + s.Sparse)
	for _, width := range append(s.Hidden, s.Classes) {
		name += fmt.Sprintf("-%d", width)
	}
	return name
}

// peakRate is the number of float32 operations a second of all workers together on one tile's product.
func peakRate(workers int) float64 {
	const rows, outputs, columns, calls = 128, 12, 32, 20_000
	start := time.Now()
	parallel(workers, workers, func(int, int) {
		sum, d, x := make([]float32, outputs*columns), make([]float32, rows*outputs), make([]float32, rows*columns)
		for range calls {
			kernel.AddOuter(sum, d, x, rows, outputs, columns, outputs, columns)
		}
	})
	return 2 * rows * outputs * columns * calls * float64(workers) / time.Since(start).Seconds()
}

// parallel calls f(worker, i) for each i in [0, n).
func parallel(workers, n int, f func(worker, i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(w, i)
			}
		})
	}
	group.Wait()
}

// A benchJob is a plan and a table to run it on.
type benchJob struct {
	plan    *Plan
	table   *data.Dataset
	workers int
}

const benchNonzeros = 12 // of a sparse row

func newBenchJob(b testing.TB, s nn.Shape, rows, batch, workers int) *benchJob {
	b.Helper()
	net, err := nn.New(s)
	if err != nil {
		b.Fatal(err)
	}
	const steps = 1 << 20
	mechanism, err := privacy.NewPlan(privacy.Spec{Params: net.Params(), Sparse: sparseOf(net), Slots: rows, Steps: steps,
		SamplingProbability: float64(batch) / float64(rows), NoiseMultiplier: 1, MaxGradNorm: 1, Delta: 1e-6})
	if err != nil {
		b.Fatal(err)
	}
	return &benchJob{workers: workers, table: benchTable(s, rows), plan: &Plan{Rows: rows, Net: net, Mechanism: mechanism,
		Privacy: PlanPrivacy{Adjacency: accounting.ZeroOut},
		Train:   PlanTrain{Steps: steps, Optimizer: SGD, LearningRate: 0.1, Momentum: 0.9, AverageLast: 1}}}
}

func benchTable(s nn.Shape, rows int) *data.Dataset {
	r := rand.New(rand.NewPCG(1, 2))
	d := &data.Dataset{Rows: rows, Dense: make([]float32, rows*s.Dense), Labels: make([]int32, rows)}
	for i := range d.Dense {
		d.Dense[i] = 2*r.Float32() - 1
	}
	for i := range d.Labels {
		d.Labels[i] = int32(r.IntN(s.Classes))
	}
	if s.Sparse == 0 {
		return d
	}
	d.Indptr = []int{0}
	for range rows {
		for i := range benchNonzeros {
			each := s.Sparse / benchNonzeros
			d.Indices = append(d.Indices, uint32(i*each+r.IntN(each)))
			d.Values = append(d.Values, 0.3)
		}
		d.Indptr = append(d.Indptr, len(d.Indices))
	}
	return d
}

// flops is the number of operations in the products of an example: forward, backward but for the first layer, and the sum.
func (j *benchJob) flops() float64 {
	s := j.plan.Net.Shape()
	in, products, total := s.Dense, 2.0, 0.0
	if s.Sparse > 0 {
		in = benchNonzeros
	}
	for _, out := range append(s.Hidden, j.plan.Net.Outputs()) {
		total += 2 * products * float64(in) * float64(out)
		in, products = out, 3
	}
	return total
}

// fit runs steps, the first two unmeasured, until the benchmark has enough.
func (j *benchJob) fit(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := Fit(ctx, j.plan, j.table, Run{Key: rng.TestKey(1), Workers: j.workers, Progress: func(done int) {
		if done > 2 && !b.Loop() {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		b.Fatal(err)
	}
}

// plain times a step without privacy, the mean of steps.
func (j *benchJob) plain(steps int) time.Duration {
	p := j.plan
	table, err := newTable(p.Net, j.table)
	if err != nil {
		panic(err)
	}
	weights, l := p.Net.NewWeights(true), newLearner(p, nil)
	p.Net.Init(l.params, normals(rng.TestKey(1).Source(rng.Initialisation).Stream(0, 0)))
	weights.Set(l.params)
	layout := newLayout(p, j.workers)
	sums, means, drawn := make([][]float32, j.workers), make([][]float32, j.workers), make([]int32, 0, 2*p.Rows)
	for w := range sums {
		sums[w], means[w] = make([]float32, p.Net.Params()), make([]float32, p.Net.Params()) // a block of which is used
	}
	batches := make([]*nn.Batch, layout.Groups)
	for i := range batches {
		batches[i] = p.Net.NewBatch(layout.GroupRows)
	}
	coins := rng.TestKey(2).Source(rng.Coins)
	blocks := len(layout.Blocks) - 1
	start := time.Now()
	for step := range steps + 2 {
		if step == 2 { // memory is warm
			start = time.Now()
		}
		rows := p.Mechanism.Sampler.Sample(drawn[:0], 0, p.Rows, coins.Stream(uint64(step), 0))
		size := min(layout.GroupRows, (len(rows)/(2*j.workers)/12+1)*12) // a share of a small batch for every worker
		cut := func(rows []int32, i int) []int32 { return rows[i*size : min((i+1)*size, len(rows))] }
		if !layout.Waves {
			parallel(j.workers, (len(rows)+size-1)/size, func(w, i int) {
				batches[w].Gradients(weights, table, cut(rows, i)).AddTo(sums[w], 0, p.Net.Params())
			})
		}
		for layout.Waves && len(rows) > 0 {
			wave := rows[:min(len(rows), layout.Groups*size)]
			rows = rows[len(wave):]
			groups := (len(wave) + size - 1) / size
			parallel(j.workers, groups, func(_, i int) { batches[i].Gradients(weights, table, cut(wave, i)) })
			parallel(j.workers, blocks, func(_, i int) {
				lo, hi := layout.Blocks[i], layout.Blocks[i+1]
				for _, b := range batches[:groups] {
					b.AddTo(sums[0][lo:hi], lo, hi)
				}
			})
		}
		parallel(j.workers, blocks, func(w, i int) {
			lo, hi := layout.Blocks[i], layout.Blocks[i+1]
			gradient, unit := means[w][:hi-lo], 1/float32(p.Mechanism.Divisor())
			clear(gradient)
			for w := range sums {
				sum := sums[w][lo:hi]
				for i, v := range sum {
					gradient[i] += v * unit
				}
				clear(sum)
			}
			l.learn(lo, gradient)
			weights.Update(lo, hi)
		})
		l.learned()
	}
	return time.Since(start) / time.Duration(steps)
}

// noise times a step's noise, the mean of steps.
func (j *benchJob) noise(steps int) time.Duration {
	gaussian, err := lattice.NewGaussian(j.plan.Mechanism.Lattice.Parameter)
	if err != nil {
		panic(err)
	}
	sum, source, blocks := make([]int64, j.plan.Net.Params()), rng.TestKey(3).Source(rng.Noise), j.plan.Net.Blocks()
	streams := make([]rng.Stream, j.workers)
	start := time.Now()
	for step := range steps + 2 {
		if step == 2 {
			start = time.Now()
		}
		parallel(j.workers, len(blocks)-1, func(w, i int) {
			source.Open(&streams[w], uint64(step), uint64(i))
			gaussian.Add(sum[blocks[i]:blocks[i+1]], &streams[w])
		})
	}
	return time.Since(start) / time.Duration(steps)
}
