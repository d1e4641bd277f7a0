package rng

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

// take returns the stream's next n bytes, n a multiple of 8.
func take(s *Stream, n int) []byte {
	var out []byte
	for len(out) < n {
		out = binary.LittleEndian.AppendUint64(out, s.Uint64())
	}
	return out
}

// eachCipher runs a test with the standard library's keystream and, where this machine has it, that of assembly.
func eachCipher(t *testing.T, source *Source, test func(t *testing.T, source *Source)) {
	t.Run("library", func(t *testing.T) { test(t, &Source{block: source.block}) })
	if source.keys != nil {
		t.Run("assembly", func(t *testing.T) { test(t, source) })
	}
}

// TestStreamIsTheCounterEncrypted builds the keystream block by block from the raw cipher.
func TestStreamIsTheCounterEncrypted(t *testing.T) {
	eachCipher(t, newSource([keySize]byte(bytes.Repeat([]byte{0x42}, keySize))), testCounter)
}

func testCounter(t *testing.T, source *Source) {
	for _, number := range [][2]uint64{{0, 0}, {0, 1}, {1, 0}, {0, 1 << 32}, {1 << 40, 1 << 47}, {maxNumber - 1, maxNumber - 1}} {
		a, b := number[0], number[1]
		got := take(source.Stream(a, b), 2*chunkSize)
		for i := range len(got) / aes.BlockSize {
			counter := []byte{
				byte(a >> 40), byte(a >> 32), byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a),
				byte(b >> 40), byte(b >> 32), byte(b >> 24), byte(b >> 16), byte(b >> 8), byte(b),
				0, 0, byte(i >> 8), byte(i),
			}
			want := make([]byte, aes.BlockSize)
			source.block.Encrypt(want, counter)
			if block := got[i*aes.BlockSize:][:aes.BlockSize]; !bytes.Equal(block, want) {
				t.Fatalf("stream (%d, %d), block %d = %x, want %x", a, b, i, block, want)
			}
		}
	}
}

// TestStreamsShareNoBlock looks for one 16-byte block in two places of 60 neighbouring streams. By chance one would be
// found once in 2¹⁰⁰ runs.
func TestStreamsShareNoBlock(t *testing.T) {
	seen := make(map[[aes.BlockSize]byte]string)
	for _, purpose := range []Purpose{Coins, Noise} {
		source := TestKey(7).Source(purpose)
		for _, a := range []uint64{0, 1, 2, 1 << 16, 1 << 32} {
			for _, b := range []uint64{0, 1, 2, 1 << 16, 1 << 31, 1 << 32} {
				stream := source.Stream(a, b)
				for i := range 300 {
					name := fmt.Sprintf("%s (%d, %d) block %d", purpose.label(), a, b, i)
					block := [aes.BlockSize]byte(take(stream, aes.BlockSize))
					if other, ok := seen[block]; ok {
						t.Fatalf("%s equals %s", name, other)
					}
					seen[block] = name
				}
			}
		}
	}
}

// TestAssemblyCountsAsTheLibraryDoes takes the last chunks of a stream, where all four bytes of the counter are in use.
func TestAssemblyCountsAsTheLibraryDoes(t *testing.T) {
	source := TestKey(2).Source(Noise)
	if source.keys == nil {
		t.Skip("no assembly")
	}
	for _, chunk := range []uint32{0x0000_01, 0x0001_ff, 0x01ff_fe, 0x7fff_ff, 0xffff_fe} {
		stream := source.Stream(3, 4)
		stream.counter.add(chunk * (chunkSize / aes.BlockSize))
		var first [aes.BlockSize]byte
		copy(first[:], stream.counter[:12])
		binary.BigEndian.PutUint32(first[12:], stream.counter.count())
		got, want := take(stream, chunkSize), make([]byte, chunkSize)
		cipher.NewCTR(source.block, first[:]).XORKeyStream(want, want)
		if !bytes.Equal(got, want) {
			t.Errorf("chunk %#x of a stream differs from the library's", chunk)
		}
	}
}

// TestRoundKeysAgreeWithTheLibrary takes random keys, and sees that agrees would find a wrong one.
func TestRoundKeysAgreeWithTheLibrary(t *testing.T) {
	stream := TestKey(5).Source(Coins).Stream(0, 0)
	for range 100 {
		var key [keySize]byte
		copy(key[:], take(stream, keySize))
		source := newSource(key)
		if source.keys == nil {
			t.Skip("no assembly")
		}
		if !source.keys.agrees(source.block) {
			t.Fatalf("key %x: keystream differs from the library's", key)
		}
		source.keys[stream.Uint64n(uint64(len(source.keys)))] ^= 1 << stream.Uint64n(8)
		if source.keys.agrees(source.block) {
			t.Errorf("key %x: keystream agrees with one bit of a round key turned over", key)
		}
	}
}

func TestStreamEndsBeforeItsCounterOverflows(t *testing.T) {
	if got, want := uint64(chunksPerStream)*chunkSize, uint64(aes.BlockSize)<<32; got != want {
		t.Errorf("a stream has %d bytes, want the %d of a 32-bit counter", got, want)
	}
	stream := TestKey(1).Source(Noise).Stream(0, 0)
	if stream.chunks != chunksPerStream {
		t.Errorf("a new stream has %d chunks, want %d", stream.chunks, chunksPerStream)
	}
	stream.chunks = 2
	take(stream, 2*chunkSize)
	mustPanic(t, "Uint64 past the end", func() { stream.Uint64() })
	mustPanic(t, "Next past the end", func() { stream.Next() })
}

func TestOpenRefusesNumbersOutOfRange(t *testing.T) {
	source := TestKey(1).Source(Noise)
	mustPanic(t, "Stream(2^48, 0)", func() { source.Stream(maxNumber, 0) })
	mustPanic(t, "Stream(0, 2^48)", func() { source.Stream(0, maxNumber) })
}

func TestAnyMixOfCallsReadsTheSameWords(t *testing.T) {
	eachCipher(t, TestKey(3).Source(Coins), testMix)
}

func testMix(t *testing.T, source *Source) {
	want := take(source.Stream(4, 5), 5*chunkSize)
	reused := source.Stream(9, 9)
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(0, 2).Draw(t, "words of another stream") {
			reused.Uint64()
		}
		source.Open(reused, 4, 5)
		var got []byte
		for len(got) < 3*chunkSize {
			if words := rapid.IntRange(0, 300).Draw(t, "words"); words > 0 {
				got = append(got, take(reused, wordSize*words)...)
				continue
			}
			next := reused.Next()
			if len(next) == 0 || len(next)%wordSize != 0 {
				t.Fatalf("Next() gave %d bytes, want whole words", len(next))
			}
			got = append(got, next...)
		}
		if !bytes.Equal(got, want[:len(got)]) {
			t.Fatalf("mixed calls give other words than Uint64 alone")
		}
	})
}

func TestOpenAllocatesTheCipherAlone(t *testing.T) {
	source := TestKey(3).Source(Noise)
	stream := new(Stream)
	if got := testing.AllocsPerRun(100, func() { source.Open(stream, 1, 2); stream.Next() }); got > 1 {
		t.Errorf("Open and Next allocate %v times, want at most once", got)
	}
}

func TestUint64nRefusesExactlyTheExcess(t *testing.T) {
	// At n = 3·2⁶² the words 0, 1, 2, 3 (mod 4) have low halves 0, 3, 2, 1 times 2⁶², and 2⁶⁴ mod n = 2⁶²: the first is
	// one too many for its result, the last lies on the edge and counts.
	const n = 3 << 62
	for _, test := range []struct {
		words []uint64
		want  uint64
	}{
		{[]uint64{1}, 0},
		{[]uint64{2}, 1},
		{[]uint64{3}, 2},
		{[]uint64{0, 4, 6}, 4},
		{[]uint64{1<<64 - 1}, n - 1},
		{[]uint64{1<<64 - 4, 1<<64 - 3}, n - 3},
	} {
		stream := new(Stream)
		for i, word := range test.words {
			binary.LittleEndian.PutUint64(stream.chunk[wordSize*i:], word)
		}
		if got := stream.Uint64n(n); got != test.want || stream.used != wordSize*len(test.words) {
			t.Errorf("words %d: Uint64n(n) = %d after %d words, want %d after %d",
				test.words, got, stream.used/wordSize, test.want, len(test.words))
		}
	}
	mustPanic(t, "Uint64n(0)", func() { new(Stream).Uint64n(0) })
}

// uniform fails if counts are not those of draws uniform over the cells. False alarms: 10⁻⁹ a call for a fresh seed.
func uniform(t *testing.T, name string, counts []int) {
	t.Helper()
	total := 0
	for _, count := range counts {
		total += count
	}
	mean, statistic := float64(total)/float64(len(counts)), 0.0
	for _, count := range counts {
		statistic += (float64(count) - mean) * (float64(count) - mean) / mean
	}
	if p := (distuv.ChiSquared{K: float64(len(counts) - 1)}).Survival(statistic); p < 1e-9 {
		t.Errorf("%s: chi-square %.1f over %d cells, p = %.1e, want at least 1e-9", name, statistic, len(counts), p)
	}
}

// TestDrawsAreUniform takes 2¹⁶ draws a case. A cell of the 256 whose probability is off by a third is caught with
// probability above a half; at 3·2⁶² a missing refusal doubles one residue of three.
func TestDrawsAreUniform(t *testing.T) {
	const draws = 1 << 16
	stream := TestKey(11).Source(Slots).Stream(0, 0)
	for shift := 0; shift < 64; shift += 8 {
		counts := make([]int, 256)
		for range draws {
			counts[byte(stream.Uint64()>>shift)]++
		}
		uniform(t, fmt.Sprintf("bits %d to %d of Uint64", shift, shift+7), counts)
	}
	for _, test := range []struct {
		n     uint64
		cells int
	}{{1, 1}, {2, 2}, {3, 3}, {10, 10}, {1000, 1000}, {3 << 62, 3}, {5 << 61, 5}} {
		counts := make([]int, test.cells)
		for range draws {
			value := stream.Uint64n(test.n)
			if value >= test.n {
				t.Fatalf("Uint64n(%d) = %d", test.n, value)
			}
			counts[value%uint64(test.cells)]++
		}
		if test.cells > 1 {
			uniform(t, fmt.Sprintf("Uint64n(%d)", test.n), counts)
		}
	}
}

func BenchmarkStream(b *testing.B) {
	source := TestKey(1).Source(Noise)
	if source.keys != nil {
		b.Run("assembly", func(b *testing.B) { benchmarkStream(b, source) })
	}
	b.Run("library", func(b *testing.B) { benchmarkStream(b, &Source{block: source.block}) })
}

func benchmarkStream(b *testing.B, source *Source) {
	stream := source.Stream(0, 0)
	b.Run("Next", func(b *testing.B) {
		b.SetBytes(chunkSize)
		for b.Loop() {
			stream.Next()
		}
	})
	b.Run("Uint64", func(b *testing.B) {
		b.SetBytes(wordSize)
		for b.Loop() {
			stream.Uint64()
		}
	})
	b.Run("Uint64n", func(b *testing.B) {
		for b.Loop() {
			stream.Uint64n(1_000_003)
		}
	})
	b.Run("Open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			source.Open(stream, 1, 2)
		}
	})
}
