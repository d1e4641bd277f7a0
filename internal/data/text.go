package data

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// textColumn encodes a text as the set of buckets that its words, and runs of up to ngrams words joined by a space, are
// hashed to. How often a word occurs does not count. A missing text has no words.
type textColumn struct {
	missing missing
	stop    map[string]bool
	ngrams  int
	buckets int
	seed    uint64
}

func newTextColumn(f Feature, m missing) *textColumn {
	c := &textColumn{missing: m, ngrams: max(1, f.NGrams), buckets: f.Buckets, seed: bucketSeed(f.Name)}
	if f.StopWords != "" {
		c.stop = make(map[string]bool)
		for _, word := range englishStopWords() {
			c.stop[word] = true
		}
	}
	return c
}

func (c *textColumn) width() (dense, sparse int) { return 0, c.buckets }

func (c *textColumn) encode(b *builder, base uint32, cells []cell) *fault {
	if c.missing.has(cells[0]) {
		return nil
	}
	b.words, b.ends = splitWords(b.words[:0], b.ends[:0], cells[0].text, c.stop)
	b.buckets = b.buckets[:0]
	start := 0
	for i := range b.ends {
		h, from := c.seed, start
		for j := i; j < len(b.ends) && j < i+c.ngrams; j++ {
			if j > i {
				h = hashByte(h, ' ')
			}
			h = hashBytes(h, b.words[from:b.ends[j]])
			b.buckets = append(b.buckets, bucketOf(h, c.buckets))
			from = b.ends[j]
		}
		start = b.ends[i]
	}
	slices.Sort(b.buckets)
	for _, bucket := range slices.Compact(b.buckets) {
		b.sparse(base + bucket)
	}
	return nil
}

// splitWords appends the words of text, lower-cased and without those in stop, to words, one directly after the other,
// and the end of each in words to ends. A word is a longest run of
//   - letters and decimal digits of any script, by the tables of package unicode,
//   - apostrophes, U+2019 being read as one,
//   - combining marks after one of these.
//
// On ASCII text these are the matches of [a-z0-9']+ in the lower-cased text. A letter of a script that is written without
// spaces between words is a word of its own: runs would be whole sentences, which never recur.
func splitWords(words []byte, ends []int, text []byte, stop map[string]bool) ([]byte, []int) {
	start := len(words) // of the word being read
	whole := false      // it is a letter that stands alone
	split := func() {
		if word := words[start:]; len(word) > 0 && !stop[string(word)] {
			ends = append(ends, len(words))
		} else {
			words = words[:start]
		}
		start, whole = len(words), false
	}
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			i++
			if c = lowerWordByte(c); c == 0 {
				split()
				continue
			}
			if whole {
				split()
			}
			words = append(words, c)
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		i += n
		switch {
		case unicode.IsMark(r) && len(words) > start:
			words = utf8.AppendRune(words, r)
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '\u2019':
			if r == '\u2019' {
				r = '\''
			}
			alone := standsAlone(r)
			if alone || whole {
				split()
			}
			words = utf8.AppendRune(words, unicode.ToLower(r))
			whole = alone
		default:
			split()
		}
	}
	split()
	return words, ends
}

// lowerWordByte is the lower-cased c where c is an ASCII letter, a digit or an apostrophe, and 0 elsewhere.
func lowerWordByte(c byte) byte {
	switch {
	case 'a' <= c && c <= 'z', isDigit(c), c == '\'':
		return c
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	}
	return 0
}

// standsAlone reports whether r is a letter of a script without spaces between words.
func standsAlone(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao,
		unicode.Khmer, unicode.Myanmar)
}
