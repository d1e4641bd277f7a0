package rng

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/bits"
)

// A stream's keystream is made a chunk at a time: long enough that AES runs at full speed, short enough that a chunk
// stays in the first-level cache until it is used.
const (
	wordSize        = 8
	chunkSize       = 2048
	chunksPerStream = (1 << 32) / (chunkSize / aes.BlockSize)
)

// maxNumber is what the two numbers of a stream stay below: six bytes of the counter block each.
const maxNumber = 1 << 48

// Stream is a sequence of independent uniform words that depends on its source and numbers alone. The zero Stream is
// memory for [Source.Open]. A Stream is not safe for concurrent use.
type Stream struct {
	counter   counterBlock // the next one; here because an array of Open's own would escape to the heap
	keys      *roundKeys
	keystream cipher.Stream // where keys is nil
	chunks    int           // chunks not yet made
	used      int           // bytes of chunk already handed out, a multiple of wordSize
	chunk     [chunkSize]byte
}

// Stream returns the stream numbered (a, b), at its beginning. Streams of different numbers, or of different sources,
// never overlap; the same numbers give the same stream again, so each pair is used for one thing. It panics if a or b is
// 2⁴⁸ or more.
func (s *Source) Stream(a, b uint64) *Stream {
	stream := new(Stream)
	s.Open(stream, a, b)
	return stream
}

// Open makes stream, whatever it was, the stream numbered (a, b), at its beginning: what [Source.Stream] returns, in
// memory that is already there. Without assembly it allocates the cipher's state, half a kilobyte.
func (s *Source) Open(stream *Stream, a, b uint64) {
	if a >= maxNumber || b >= maxNumber {
		panic("rng: stream number is 2^48 or more")
	}
	binary.BigEndian.PutUint64(stream.counter[:], a<<16|b>>32)
	binary.BigEndian.PutUint64(stream.counter[8:], b<<32)
	if stream.keys = s.keys; s.keys == nil {
		stream.keystream = cipher.NewCTR(s.block, stream.counter[:])
	}
	stream.chunks = chunksPerStream
	stream.used = chunkSize
}

// Next returns the stream's next words, as little-endian bytes: at least one word and no part of one. The bytes belong to
// the stream and stay valid until its next method call. It panics at the stream's end, after 64 GiB.
func (s *Stream) Next() []byte {
	if s.used == chunkSize {
		s.refill()
	}
	next := s.chunk[s.used:]
	s.used = chunkSize
	return next
}

// Uint64 returns the next word, uniform on [0, 2⁶⁴). It panics at the stream's end, after 64 GiB.
func (s *Stream) Uint64() uint64 {
	if s.used == chunkSize {
		s.refill()
	}
	s.used += wordSize
	return binary.LittleEndian.Uint64(s.chunk[s.used-wordSize:])
}

// Uint64n returns an integer that is exactly uniform on [0, n). It panics if n is 0, and at the stream's end. It takes a
// word, or with probability below n/2⁶⁴ more than one (Lemire 2019, arXiv:1805.10941).
func (s *Stream) Uint64n(n uint64) uint64 {
	if n == 0 {
		panic("rng: Uint64n of 0")
	}
	hi, lo := bits.Mul64(s.Uint64(), n)
	if lo < n {
		// Of the 2⁶⁴ words, 2⁶⁴ mod n are one too many: refusing the products with a low half below that leaves
		// ⌊2⁶⁴/n⌋ words for each result.
		for excess := -n % n; lo < excess; {
			hi, lo = bits.Mul64(s.Uint64(), n)
		}
	}
	return hi
}

// refill makes the next chunk of keystream.
func (s *Stream) refill() {
	if s.chunks == 0 {
		panic("rng: stream is exhausted")
	}
	s.chunks--
	s.used = 0
	if s.keys != nil {
		s.keys.keystream(&s.chunk, &s.counter)
		s.counter.add(chunkSize / aes.BlockSize)
		return
	}
	clear(s.chunk[:])
	s.keystream.XORKeyStream(s.chunk[:], s.chunk[:])
}
