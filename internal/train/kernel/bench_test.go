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
