package kernel

import (
	"fmt"
	"testing"
)

func BenchmarkProducts(b *testing.B) {
	const m = 256
	for _, s := range []struct{ k, n int }{{784, 1000}, {512, 512}, {100, 128}, {784, 10}, {100, 2}, {100, 1}} {
		k, n := s.k, s.n
		x, w, z, sum := make([]float32, m*k), make([]float32, n*k), make([]float32, m*n), make([]float32, n*k)
		for i := range x {
			x[i] = float32(i%7) - 3
		}
		for i := range w {
			w[i] = float32(i%5) - 2
		}
		var packed Packed
		packed.PackTransposed(w, n, k)
		for _, kernel := range []struct {
			name string
			run  func()
		}{
			{"ProductPacked", func() { ProductPacked(z, x, &packed, nil, m, k) }},
			{"Dots", func() { Dots(z, x, w, nil, m, k, n) }},
			{"AddOuter", func() { AddOuter(sum, z, x, m, n, k, n, k) }},
		} {
			b.Run(fmt.Sprintf("%s/B=%d/in=%d/out=%d", kernel.name, m, k, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					kernel.run()
				}
				b.ReportMetric(2*m*float64(k*n*b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				b.ReportMetric(m*float64(b.N)/b.Elapsed().Seconds(), "examples/s")
			})
		}
	}
}

func BenchmarkRows(b *testing.B) {
	const m = 256
	for _, k := range []int{2, 10, 100, 1000} {
		y, a, d := make([]float32, m*k), make([]float32, m*k), make([]float32, m*k)
		labels, ones, norms, packed := make([]int32, m), make([]float32, m), make([]float64, m), Packed{}
		for i := range a {
			a[i] = float32(i%7) - 3
		}
		for i := range ones {
			ones[i] = 1
		}
		for _, kernel := range []struct {
			name string
			run  func()
		}{
			{"SquaredNorms", func() { SquaredNorms(norms, a, m, k) }},
			{"ScaleRows", func() { ScaleRows(a, ones, m, k) }},
			{"AddRows", func() { AddRows(d[:k], a, m, k) }},
			{"Tanh", func() { Tanh(y, 1) }},
			{"TanhBackward", func() { copy(d, a); TanhBackward(d, y, 1) }},
			{"SoftmaxDelta", func() { SoftmaxDelta(d, a, labels, m, k) }},
			{"PackTransposed", func() { packed.PackTransposed(a, m, k) }},
		} {
			b.Run(fmt.Sprintf("%s/B=%d/D=%d", kernel.name, m, k), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(4 * m * k))
				for b.Loop() {
					kernel.run()
				}
			})
		}
	}
}

// BenchmarkOptimizer times steps of optimizers and of the average on a block of a second-level cache, and on parameters that it
// does not hold.
func BenchmarkOptimizer(b *testing.B) {
	for _, n := range []int{24_576, 795_010} {
		params, mean, square, gradient := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
		for i := range gradient {
			gradient[i] = float32(i%7) - 3
		}
		step := AdamStep{Keep: 0.9, Take: 0.1, KeepSquare: 0.999, TakeSquare: 0.001, Correct: 1, CorrectSquare: 1, Tiny: 1e-8, Rate: 0.01}
		for _, kernel := range []struct {
			name string
			run  func()
		}{
			{"HeavyBall", func() { HeavyBall(params, mean, gradient, 0.9, 0.1, 0.01, 0) }},
			{"Adam", func() { Adam(params, mean, square, gradient, step) }},
			{"RunningMean", func() { RunningMean(mean, params, 0.01) }},
		} {
			b.Run(fmt.Sprintf("%s/P=%d", kernel.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					kernel.run()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/param")
			})
		}
	}
}
