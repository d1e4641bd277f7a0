package kernel

import "os"

// A level is a set of instructions that the kernels may use; each includes those below it.
type level int

const (
	generic level = iota // pure Go
	avx2                 // AVX2 and FMA
	avx512               // AVX-512 F, BW, DQ and VL as well
)

func (l level) String() string {
	return [...]string{"generic", "avx2", "avx512"}[l]
}

// active is the level of every kernel. It is the highest that the processor and the operating system support; the environment
// variable DPTRAIN_KERNEL (generic, avx2 or avx512) can lower it, and so can the build tag purego.
//
//nolint:gochecknoglobals // the processor does not change while the program runs, and each kernel asks
var active = min(supported(), requested(os.Getenv("DPTRAIN_KERNEL")))

// requested reads the value of DPTRAIN_KERNEL; anything but the name of a level asks for the best.
func requested(name string) level {
	for l := generic; l < avx512; l++ {
		if name == l.String() {
			return l
		}
	}
	return avx512
}

// Level names the instructions in use: "generic", "avx2" or "avx512".
func Level() string { return active.String() }
