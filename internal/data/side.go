package data

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"
)

// A Side is a side of a table's [Split].
type Side int

// The sides.
const (
	AllRows      Side = iota // the split is not looked at, and its column not read
	TrainingRows             // held-out rows are null
	HeldOutRows              // the others are null
)

// A divider tells the sides of rows apart, for one goroutine.
type divider struct {
	mac       hash.Hash
	threshold uint64 // of the first 64 bits of a hash: below it a row is held out
	sum       []byte
}

func newDivider(s *Split) *divider {
	return &divider{mac: hmac.New(sha256.New, []byte(s.Key)), threshold: uint64(math.Ldexp(s.Test, 64))}
}

// side is the side of the rows whose cell has that text: HMAC-SHA-256 under the key, its first 8 bytes as a big-endian
// number, below the share of 2⁶⁴.
func (s *divider) side(text []byte) Side {
	s.mac.Reset()
	s.mac.Write(text)
	s.sum = s.mac.Sum(s.sum[:0])
	if binary.BigEndian.Uint64(s.sum) < s.threshold {
		return HeldOutRows
	}
	return TrainingRows
}
