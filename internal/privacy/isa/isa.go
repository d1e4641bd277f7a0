// Package isa says which instructions the assembly kernels of this program may use. It knows nothing of the kernels.
package isa

import "os"

// A Level is a set of instructions; each includes those below it.
type Level int

// The levels. AVX2 is AVX2, FMA and BMI2; AVX512 is the subsets F, BW, DQ and VL as well.
const (
	Generic Level = iota // pure Go
	AVX2
	AVX512
)

func (l Level) String() string {
	return [...]string{"generic", "avx2", "avx512"}[l]
}

// Best is the highest level that the processor and the operating system support, or the one that the environment variable
// DPTRAIN_KERNEL (generic, avx2 or avx512) names if that is lower. The build tag purego makes it Generic.
func Best() Level { return min(supported(), requested(os.Getenv("DPTRAIN_KERNEL"))) }

// requested reads the value of DPTRAIN_KERNEL; anything but the name of a level asks for the best.
func requested(name string) Level {
	for l := Generic; l < AVX512; l++ {
		if name == l.String() {
			return l
		}
	}
	return AVX512
}

// VAES reports whether rounds of AES on vectors may be used, which is no matter of level: Best is AVX512, and the processor
// has them.
func VAES() bool { return Best() == AVX512 && supportedVAES() }
