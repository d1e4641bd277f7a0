package privacy

import (
	"fmt"
	"testing"
)

// BenchmarkRelease is the end of a step: noise on the workers' sums, and their conversion.
func BenchmarkRelease(b *testing.B) {
	for _, params := range []int{1_000, 77 << 12, 795_010} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("P=%d/workers=%d", params, workers), func(b *testing.B) {
				m := newTestMechanism(b, Spec{Params: params, Slots: 10_000, Steps: 100, SamplingProbability: 0.1, NoiseMultiplier: 1, MaxGradNorm: 1, Delta: 1e-6}, 1, workers)
				dst := make([]float32, params)
				m.dst = dst
				b.ReportAllocs()
				for b.Loop() {
					m.crew.each(len(m.layout.Blocks)-1, m.tasks.release)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(params), "ns/coordinate")
			})
		}
	}
}
