package lattice

import (
	"encoding/binary"
	"math/bits"
)

// blockWords is the most words that are looked at together, each for a draw of its own.
const blockWords = 256

// lateDraw is a draw of a block that its word did not settle: the word picks no place, or the integer it picks may be
// above the curve. One in 200 is.
type lateDraw struct {
	index int
	word  uint64
}

// settleGeneric adds to each element of dst from first on the draw that its word of chunk settles, and appends the
// others to late, which it returns.
func (t *table) settleGeneric(late []lateDraw, dst []int64, chunk []byte, first int) []lateDraw {
	for j := first; ; j++ {
		j += t.addSure(dst[j:], chunk[wordSize*j:])
		if j == len(dst) {
			return late
		}
		late = append(late, lateDraw{j, binary.LittleEndian.Uint64(chunk[wordSize*j:])})
	}
}

// addSure is settleGeneric up to the first late draw; it returns the number of those before it. It is attempt without
// the branches that a word seldom takes.
func (t *table) addSure(dst []int64, chunk []byte) int {
	n := 0
	for ; n < len(dst) && len(chunk) >= wordSize; n++ {
		word := binary.LittleEndian.Uint64(chunk)
		s := &t.strips[word%strips]
		place, low := bits.Mul64(placeOf(word), s.width)
		place -= s.skip
		if place >= s.sure || low <= s.refuse {
			break
		}
		dst[n] += int64(place - s.sure/2)
		chunk = chunk[wordSize:]
	}
	return n
}
