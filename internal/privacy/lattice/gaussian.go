package lattice

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// The parameters of the sampler: above, the bottom strip's 128·s+1 integers would have no place each.
const (
	minParameter = 1 << 3
	maxParameter = 1<<47 - 1
)

// Words is a source of independent, uniform 64-bit words. Next returns the next of them, one or more, as little-endian
// bytes that stay valid until the next call.
type Words interface {
	Next() []byte
}

// Gaussian draws from the discrete Gaussian of parameter s: the integers |z| ≤ 64·s with P(z) ∝ ρ(z) = exp(−z²/2s²),
// exactly so if its words are uniform. Beyond 64·s the uncut distribution has a mass below 2⁻²⁹⁵⁰. The variance is s²
// but for a relative 10⁻⁵⁰⁰. A Gaussian is immutable and safe for concurrent use.
type Gaussian struct {
	table    *table
	s        int64
	perUnit  float64 // 1/H
	exponent float64 // −1/2s²
}

// NewGaussian returns the discrete Gaussian of parameter s in [2³, 2⁴⁷).
func NewGaussian(s int64) (*Gaussian, error) {
	if s < minParameter || s > maxParameter {
		return nil, fmt.Errorf("parameter of the discrete gaussian is %d, want an integer in [2^3, 2^47)", s)
	}
	t := newTable(s)
	return &Gaussian{table: t, s: s, perUnit: 1 / float64(t.unit), exponent: -0.5 / (float64(s) * float64(s))}, nil
}

// Add adds a draw to each element of dst, wrapping beyond int64. It takes about 1.01 words a draw and drops what it
// leaves of the bytes it was given last. A block of draws takes a word each, at most blockWords and no more than are left of
// those bytes; the draws that their words do not settle then go on, in order, with the words that follow. The time it
// takes depends on what is drawn.
func (g *Gaussian) Add(dst []int64, words Words) {
	var memory [blockWords]lateDraw
	r := reader{words: words}
	for len(dst) > 0 {
		r.fill()
		n := min(len(dst), len(r.chunk)/wordSize, blockWords)
		late := g.table.settle(memory[:0], dst[:n], r.chunk[:wordSize*n])
		r.chunk = r.chunk[wordSize*n:]
		for _, d := range late {
			dst[d.index] += g.resume(d.word, &r)
		}
		dst = dst[n:]
	}
}

// resume draws with word as its first word and those of r after it.
func (g *Gaussian) resume(word uint64, r *reader) int64 {
	for {
		if z, ok := g.attempt(word, r); ok {
			return z
		}
		word = r.word()
	}
}

// attempt picks a strip and an integer of it by word and, where the integer is not surely under the curve, a height in it.
// It returns the integer, or false if the word was refused or the height is above the curve.
func (g *Gaussian) attempt(word uint64, r *reader) (int64, bool) {
	i := word % strips
	s := &g.table.strips[i]
	place, low := bits.Mul64(placeOf(word), s.width)
	if low <= s.refuse {
		return 0, false
	}
	z := int64(place) - int64(s.width/2)
	return z, place-s.skip < s.sure || g.under(g.table.spans[i], z, r)
}

// placeOf is a word's number r, times 2¹⁰. The first bit is turned over so that words as signed numbers have the order of
// the integers they pick.
func placeOf(word uint64) uint64 { return word&^(strips-1) ^ 1<<63 }

// margin is the relative distance at which floating point may tell a height from ρ: the error of either is below 2⁻³⁹
// where they are close, if that of math.Exp is below 2⁻⁴⁰ on [−90, 0].
const margin = 0x1p-36

// under reports whether a uniform height of the span is at most ρ(z). It takes one word, and with a probability of
// about 2⁻²⁸ more.
func (g *Gaussian) under(at span, z int64, r *reader) bool {
	word := r.word()
	// The word's heights are an interval from y on, height·2⁻⁶⁴ long.
	height := float64(at.height) * g.perUnit
	y := float64(at.base)*g.perUnit + height*(float64(word)*0x1p-64)
	doubt := y*margin + height*0x1p-63
	rho := math.Exp(float64(z) * float64(z) * g.exponent)
	switch {
	case y+doubt < rho:
		return true
	case y-doubt > rho:
		return false
	default:
		return g.underExactly(at, z, word, r)
	}
}

const wordSize = 8

// reader hands out words one at a time. chunk is a whole number of them.
type reader struct {
	words Words
	chunk []byte
}

// fill makes sure that chunk has a word.
func (r *reader) fill() {
	if len(r.chunk) == 0 {
		r.chunk = r.words.Next()
	}
}

func (r *reader) word() uint64 {
	r.fill()
	word := binary.LittleEndian.Uint64(r.chunk)
	r.chunk = r.chunk[wordSize:]
	return word
}
