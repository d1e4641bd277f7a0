//go:build !purego

package rng

import (
	"crypto/aes"

	"dptrain/internal/privacy/isa"
)

//go:generate go -C ../../train/kernel/_gen run . rng ../../../privacy/rng

// newRoundKeys expands an AES-256 key, or returns nil where the processor lacks what keystream needs.
func newRoundKeys(key *[keySize]byte) *roundKeys {
	if !isa.VAES() {
		return nil
	}
	k := new(roundKeys)
	expandKeyAVX512(&k[0], &key[0])
	return k
}

// keystream sets dst to the encryption of the counter block and of those after it.
func (k *roundKeys) keystream(dst *[chunkSize]byte, counter *counterBlock) {
	encryptCounterAVX512(&dst[0], &k[0], &counter[0], chunkSize/(32*aes.BlockSize))
}
