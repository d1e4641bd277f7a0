//go:build !linux

package kernel

import "testing"

// newRegion returns memory of at least n float32; only Linux puts guard pages around it.
func newRegion(t *testing.T, n int) []float32 {
	t.Helper()
	return make([]float32, n)
}
