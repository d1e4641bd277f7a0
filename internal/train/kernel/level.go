package kernel

import "dptrain/internal/privacy/isa"

const (
	generic = isa.Generic
	avx2    = isa.AVX2
	avx512  = isa.AVX512
)

// active is the level of every kernel.
//
//nolint:gochecknoglobals // the processor does not change while the program runs, and each kernel asks
var active = isa.Best()

// Level names the instructions in use: "generic", "avx2" or "avx512".
func Level() string { return active.String() }
