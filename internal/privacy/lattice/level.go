package lattice

import "dptrain/internal/privacy/isa"

// active is the level of every kernel of this package. All levels give the same bits.
//
//nolint:gochecknoglobals // the processor does not change while the program runs, and each kernel asks
var active = isa.Best()
