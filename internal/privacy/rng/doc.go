// Package rng gives the private step its randomness: keyed streams of uniform words, one family per purpose, from 32
// bytes of the operating system's randomness or from a stated test seed. It knows nothing of what is drawn from them.
//
// # From the key to the words
//
//	AES-256 key of a purpose   HMAC-SHA-256(key, "dptrain rng 1 " + purpose)
//	stream (a, b)              AES-256 in counter mode, first counter block a (6 bytes) ‖ b (6) ‖ 0 (4), big-endian
//	word                       the next 8 bytes of the keystream, little-endian
//
// Counter blocks of two streams of one source differ in their upper twelve bytes as long as the lower four do not
// overflow, so streams are disjoint by construction. A stream therefore ends after 2³² blocks, 64 GiB, and drawing from
// it past its end panics: the counter never runs into the next stream.
//
// Where a stream begins is a function of (key, purpose, a, b) alone. Work that is split into numbered parts, each with its
// own stream, gives the same words for any number of workers and in any order.
//
// # Who encrypts
//
// The standard library, or assembly where the processor has AES on vectors of four blocks: 0.55 instead of 1.25 ns a word,
// which is most of what a draw of noise costs. The bytes are the same, and each [Source] compares a chunk of both before
// anything is drawn from it.
//
// # What it rests on
//
// That AES-256 and HMAC-SHA-256 are pseudorandom functions. Counter mode never repeats a block where a random function
// would: n blocks are told from random with advantage at most n²/2¹²⁹ (the PRP/PRF switching lemma; Bellare and Rogaway,
// eprint 2004/331), which is 2⁻⁵¹ at 2³⁹ blocks, 10¹² words.
//
// A key made by [TestKey] is known to whoever knows its seed: nothing drawn from it is private.
package rng
