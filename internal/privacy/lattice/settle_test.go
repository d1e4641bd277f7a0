package lattice

import (
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"dptrain/internal/privacy/isa"
)

// settles reports what integer a word alone gives, by way of attempt.
func settles(t *testing.T, g *Gaussian, word uint64) (z int64, ok bool) {
	heights := &script{t: t, words: []uint64{1 << 63, 1 << 63, 1 << 63}, size: 1}
	z, ok = g.attempt(word, &reader{words: heights})
	return z, ok && len(heights.words) == 3
}

// addPlainly is Add, one word after another.
func addPlainly(t *testing.T, g *Gaussian, dst []int64, words Words) {
	r := &reader{words: words}
	for len(dst) > 0 {
		r.fill()
		block := make([]uint64, min(len(dst), blockWords, len(r.chunk)/wordSize))
		for j := range block {
			block[j] = r.word()
		}
		for j, word := range block {
			z, ok := settles(t, g, word)
			for !ok {
				z, ok = g.attempt(word, r)
				if !ok {
					word = r.word()
				}
			}
			dst[j] += z
		}
		dst = dst[len(block):]
	}
}

// TestAddIsOneAttemptAfterAnother holds Add to attempts, on the same words in pieces of any size, and sees that each draw
// is added to its own element.
func TestAddIsOneAttemptAfterAnother(t *testing.T) { atEveryLevel(t, testAttempts) }

func testAttempts(t *testing.T) {
	for _, s := range parameters() {
		g := mustGaussian(t, s)
		random := rand.New(rand.NewPCG(uint64(s), 1))
		words := make([]uint64, 4000)
		for i := range words {
			words[i] = random.Uint64()
		}
		for _, size := range []int{1, 2, 7, 8, 100, 256, len(words)} {
			for _, n := range []int{0, 1, 2, 100, 256, 2500} {
				want, got := make([]int64, n), make([]int64, n)
				for j := range want {
					want[j] = int64(j) << 40
				}
				copy(got, want)
				addPlainly(t, g, want, &script{t: t, words: words, size: size})
				g.Add(got, &script{t: t, words: words, size: size})
				if !slices.Equal(got, want) {
					t.Errorf("s=%d, %d words a call, %d draws: Add differs from attempts", s, size, n)
				}
			}
		}
	}
}

// awkwardWords returns words at which a settled draw is hard to tell from a late one, from strips of a table, the one cut
// off at height 1 among them: around the first and last place of an integer, at 0 and at both ends of the sure integers.
func awkwardWords(t *table, random *rand.Rand) []uint64 {
	var words []uint64
	highest := slices.IndexFunc(t.spans[:], func(s span) bool { return s.height > 0 })
	for _, i := range append(slices.Repeat([]int{highest}, 5), random.Perm(strips)[:100]...) {
		outer := int64(t.strips[i].width / 2)
		inner := outer - int64(t.strips[i].skip)
		reach := int64(places / t.strips[i].width)
		for _, z := range []int64{-outer, -inner - 1, -inner, -1, 0, 1, inner, inner + 1, outer, random.Int64N(inner + 1), -random.Int64N(inner + 1)} {
			// The numbers r with ⌊r·N/2^placeBits⌋ = z+X start here.
			from := new(big.Int).Lsh(big.NewInt(max(0, z+outer)), placeBits)
			first := ceilDiv(from, new(big.Int).SetUint64(t.strips[i].width)).Uint64()
			for _, by := range []int64{-2, -1, 0, 1, 2, random.Int64N(reach + 1), -random.Int64N(reach + 1)} {
				words = append(words, wordOf(i, first+uint64(by)))
			}
		}
	}
	return words
}

// TestSettleGivesWhatAttemptDoes takes awkward and random words at every length of a block: a draw is either that of its
// word or late, those in order, and nothing around the block is touched. What a word settles is never late in pure Go.
// With AVX-512 1 random word in 100 may be, at the sizes of s in use; 1 in 1000 is.
func TestSettleGivesWhatAttemptDoes(t *testing.T) { atEveryLevel(t, testSettle) }

func testSettle(t *testing.T) {
	for _, s := range parameters() {
		g := mustGaussian(t, s)
		random := rand.New(rand.NewPCG(uint64(s), 2))
		awkward := awkwardWords(g.table, random)
		random.Shuffle(len(awkward), func(i, j int) { awkward[i], awkward[j] = awkward[j], awkward[i] })
		others := make([]uint64, 30_000)
		for i := range others {
			others[i] = random.Uint64()
		}
		testSettleOn(t, g, awkward)
		needless := testSettleOn(t, g, others)
		if allowed := len(others) / 100; s > 1<<20 && s < 1<<40 && needless > allowed || active < isa.AVX512 && needless > 0 {
			t.Errorf("s=%d: %d of %d draws late that their words settle, want at most %d", s, needless, len(others), allowed)
		}
	}
}

// testSettleOn returns the number of late draws that their words settle.
func testSettleOn(t *testing.T, g *Gaussian, words []uint64) (needless int) {
	const fence = 16
	for n := 0; n <= len(words); n = (n + 1) % (blockWords + 1) {
		var chunk []byte
		for _, word := range words[:n] {
			chunk = binary.LittleEndian.AppendUint64(chunk, word)
		}
		dst := make([]int64, n+2*fence)
		for j := range dst {
			dst[j] = int64(j) << 50
		}
		want := slices.Clone(dst)
		late := g.table.settle(nil, dst[fence:][:n], chunk)
		for j, word := range words[:n] {
			z, ok := settles(t, g, word)
			switch {
			case len(late) > 0 && late[0] == (lateDraw{j, word}):
				late = late[1:]
				if ok {
					needless++
				}
			case ok:
				want[fence+j] += z
			default:
				t.Fatalf("s=%d, length %d: word %d, %x, is settled, want it late", g.s, n, j, word)
			}
		}
		if len(late) > 0 || !slices.Equal(dst, want) {
			t.Fatalf("s=%d, length %d: draws are not those of the words; late beyond them: %v", g.s, n, late)
		}
		words = words[n:]
	}
	return needless
}
