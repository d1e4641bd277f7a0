package data

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func wordsOf(text string, stop ...string) []string {
	leaveOut := make(map[string]bool)
	for _, word := range stop {
		leaveOut[word] = true
	}
	words, ends := splitWords(nil, nil, []byte(text), leaveOut)
	var list []string
	start := 0
	for _, end := range ends {
		list = append(list, string(words[start:end]))
		start = end
	}
	return list
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{" .,;\n", nil},
		{"Where is MY card?", []string{"where", "is", "my", "card"}},
		{"don't don\u2019t", []string{"don't", "don't"}},
		{"it's 20:15, call 555-0199", []string{"it's", "20", "15", "call", "555", "0199"}},
		{"snake_case a+b", []string{"snake", "case", "a", "b"}},
		{"Zürich ÉCOLE Straße", []string{"zürich", "école", "straße"}},
		{"Привет, МИР", []string{"привет", "мир"}},
		{"e\u0301cole", []string{"e\u0301cole"}},
		{"हिन्दी भाषा", []string{"हिन्दी", "भाषा"}},
		{"ok ❤\ufe0f 👍", []string{"ok"}},
		{"٣ متر", []string{"٣", "متر"}},
		{"東京tower", []string{"東", "京", "tower"}},
		{"go東", []string{"go", "東"}},
		{"東é", []string{"東", "é"}},
		{"ไทย กำ", []string{"ไ", "ท", "ย", "ก", "ำ"}},
		{"กี่", []string{"กี่"}},
	} {
		if got := wordsOf(c.text); !slices.Equal(got, c.want) {
			t.Errorf("splitWords(%q) = %q, want %q", c.text, got, c.want)
		}
	}
	if got, want := wordsOf("the Cat and THE dog", "the", "and"), []string{"cat", "dog"}; !slices.Equal(got, want) {
		t.Errorf("splitWords without the, and = %q, want %q", got, want)
	}
}

func TestWordsOfASCIIAreThoseOfTheRegexp(t *testing.T) {
	word := regexp.MustCompile(`[a-z0-9']+`)
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.ByteRange(0, 127)).Draw(t, "text"))
		if got, want := wordsOf(text), word.FindAllString(strings.ToLower(text), -1); !slices.Equal(got, want) {
			t.Fatalf("splitWords(%q) = %q, want %q", text, got, want)
		}
	})
}

func TestStopWords(t *testing.T) {
	list := englishStopWords()
	seen := make(map[string]bool)
	for _, word := range list {
		if seen[word] {
			t.Errorf("stop word %q is listed twice", word)
		}
		seen[word] = true
		if got := wordsOf(word); !slices.Equal(got, []string{word}) {
			t.Errorf("splitWords(%q) = %q: the stop word is not a word", word, got)
		}
	}
	// Golden: models depend on the list. FNV-1a of the sorted words, each followed by a space.
	slices.Sort(list)
	h := hashBytes(0xcbf29ce484222325, []byte(strings.Join(list, " ")+" "))
	if want := uint64(0xf3ba1b79016469f6); h != want {
		t.Errorf("hash of the stop words = %#x, want %#x", h, want)
	}
}

// Golden values of an implementation in Python written from the description in hash.go, which was checked against the
// published FNV-1a vector foobar = 0x85944171f73967e8.
func TestBuckets(t *testing.T) {
	for _, c := range []struct {
		name, value string
		buckets     int
		want        uint32
	}{
		{"occupation", "", 64, 9},
		{"occupation", "Sales", 64, 38},
		{"occupation", "sales", 64, 27},
		{"message", "hello", 4096, 602},
		{"message", "hello world", 4096, 3625},
		{"city", "Zürich", 1000, 233},
		{"city", "東京", 67108864, 25568918},
		{"a", "a", 1, 0},
	} {
		if got := bucketOf(hashBytes(bucketSeed(c.name), []byte(c.value)), c.buckets); got != c.want {
			t.Errorf("bucket of %q in %q of %d = %d, want %d", c.value, c.name, c.buckets, got, c.want)
		}
	}
}

// TestBucketsAreEven hashes the texts of the numbers 0 to 99,999 into 64, 1000 and 4096 buckets under 20 names. The input
// is fixed; for fresh names and an ideal hash, one of the 60 chi-square statistics on k degrees of freedom (mean k,
// variance 2k) leaves 8 standard deviations with probability below 1e-6 (Wilson-Hilferty). A relative bias of 10 % in a
// tenth of the 64 buckets is caught.
func TestBucketsAreEven(t *testing.T) {
	const n = 100_000
	for _, buckets := range []int{64, 1000, 4096} {
		for name := range 20 {
			seed := bucketSeed("feature" + string(rune('a'+name)))
			counts := make([]float64, buckets)
			var text []byte
			for i := range n {
				text = appendDigits(text[:0], i)
				counts[bucketOf(hashBytes(seed, text), buckets)]++
			}
			chi := 0.0
			for _, c := range counts {
				chi += (c - n/float64(buckets)) * (c - n/float64(buckets)) / (n / float64(buckets))
			}
			k := float64(buckets - 1)
			if z := (chi - k) / math.Sqrt(2*k); math.Abs(z) > 8 {
				t.Errorf("chi-square of %d buckets, name %d = %.0f, %.1f standard deviations from %.0f", buckets, name, chi, z, k)
			}
		}
	}
}

func appendDigits(dst []byte, i int) []byte {
	if i >= 10 {
		dst = appendDigits(dst, i/10)
	}
	return append(dst, byte('0'+i%10))
}

// TestNGrams checks the buckets of a text against its n-grams joined by hand.
func TestNGrams(t *testing.T) {
	for _, c := range []struct {
		text   string
		ngrams int
		stop   string
		want   []string
	}{
		{"where is my card", 1, "", []string{"where", "is", "my", "card"}},
		{"where is my card", 2, "", []string{"where", "is", "my", "card", "where is", "is my", "my card"}},
		{"where is my card", 3, "english", []string{"where", "card", "where card"}},
		{"a b c", 5, "", []string{"a", "b", "c", "a b", "b c", "a b c"}},
		{"no no NO", 1, "", []string{"no"}},
		{"card", 2, "", []string{"card"}},
	} {
		const buckets = 1 << 20
		column := newTextColumn(Feature{Name: "message", Buckets: buckets, NGrams: c.ngrams, StopWords: c.stop}, nil)
		b := newBuilder(0, buckets)
		if f := column.encode(b, 0, []cell{{text: []byte(c.text)}}); f != nil {
			t.Fatalf("encode(%q) = %+v, want no fault", c.text, f)
		}
		var want []uint32
		for _, gram := range c.want {
			want = append(want, bucketOf(hashBytes(bucketSeed("message"), []byte(gram)), buckets))
		}
		slices.Sort(want)
		if want = slices.Compact(want); !slices.Equal(b.data.Indices, want) {
			t.Errorf("buckets of %q with ngrams %d = %v, want %v, those of %q", c.text, c.ngrams, b.data.Indices, want, c.want)
		}
	}
}
