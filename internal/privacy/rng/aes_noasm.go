//go:build !amd64 || purego

package rng

func newRoundKeys(*[keySize]byte) *roundKeys { return nil }

func (*roundKeys) keystream(*[chunkSize]byte, *counterBlock) { panic("rng: no assembly") }
