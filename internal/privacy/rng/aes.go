package rng

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

// roundKeys are the 15 round keys of AES-256, for assembly that encrypts 32 blocks side by side; the standard library
// takes 8. Its instructions take the same time for all keys and blocks.
type roundKeys [15 * aes.BlockSize]byte

// counterBlock is a block of a stream before its encryption, but for its last four bytes, which are little-endian here.
type counterBlock [aes.BlockSize]byte

// count is the number in the last four bytes.
func (c *counterBlock) count() uint32 { return binary.LittleEndian.Uint32(c[12:]) }

func (c *counterBlock) add(blocks uint32) { binary.LittleEndian.PutUint32(c[12:], c.count()+blocks) }

// agrees reports whether a chunk of keystream is what the standard library makes with block, the same key.
func (k *roundKeys) agrees(block cipher.Block) bool {
	var got, want [chunkSize]byte
	k.keystream(&got, new(counterBlock))
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(want[:], want[:])
	return bytes.Equal(got[:], want[:])
}
