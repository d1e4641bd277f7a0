package rng

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

// keySize is the length in bytes of a Key, of HMAC-SHA-256's output and of an AES-256 key.
const keySize = 32

// Key is the secret from which every stream of a run derives. Two runs that share a key share their noise, so a key is
// used for one run and never stored. The zero Key is no key: [NewKey] and [TestKey] make one.
type Key struct {
	secret [keySize]byte
}

// NewKey reads a key's 32 bytes from source, which is crypto/rand.Reader in every private run. It errors, and returns
// no usable key, if source fails or ends early.
func NewKey(source io.Reader) (Key, error) {
	var key Key
	if n, err := io.ReadFull(source, key.secret[:]); err != nil {
		return Key{}, fmt.Errorf("source of randomness gave %d bytes, want %d: %w", n, keySize, err)
	}
	return key, nil
}

// TestKey is the key of a stated seed, for tests and for runs that must repeat: SHA-256 of "dptrain rng 1 test key "
// followed by the seed as 8 little-endian bytes. What is drawn from it is not private.
func TestKey(seed uint64) Key {
	encoded := binary.LittleEndian.AppendUint64([]byte("dptrain rng 1 test key "), seed)
	return Key{secret: sha256.Sum256(encoded)}
}

// Purpose is what a family of streams is drawn for. The set is closed; draws for different purposes are independent.
type Purpose uint8

// The purposes. Each has its own AES key, so that reading more for one never shifts another.
const (
	Slots          Purpose = iota + 1 // the secret map from rows to slots
	Coins                             // which slots a step draws
	Noise                             // the noise of the mechanism
	Initialisation                    // the first parameters of a net
	Queries                           // the noise of what is asked before the first step
)

// label is the purpose's part of the key derivation. It panics on a value outside the closed set.
func (p Purpose) label() string {
	switch p {
	case Slots:
		return "slots"
	case Coins:
		return "coins"
	case Noise:
		return "noise"
	case Initialisation:
		return "initialisation"
	case Queries:
		return "queries"
	default:
		panic(fmt.Sprintf("rng: unknown purpose %d", uint8(p)))
	}
}

// Source is the family of streams of one key and purpose. It is immutable and safe for concurrent use.
type Source struct {
	block cipher.Block
	keys  *roundKeys // of block; nil where the standard library makes the keystream
}

// Source returns the key's family of streams for purpose. It panics on the zero Key, which anyone could guess, and if
// purpose is none of the declared constants.
func (k Key) Source(purpose Purpose) *Source {
	if k == (Key{}) {
		panic("rng: source of the zero key")
	}
	mac := hmac.New(sha256.New, k.secret[:])
	mac.Write([]byte("dptrain rng 1 " + purpose.label()))
	return newSource([keySize]byte(mac.Sum(nil)))
}

// newSource returns the streams of an AES-256 key.
func newSource(aesKey [keySize]byte) *Source {
	block, err := aes.NewCipher(aesKey[:])
	if err != nil {
		panic(err) // only a key of another length is refused
	}
	keys := newRoundKeys(&aesKey)
	if keys != nil && !keys.agrees(block) {
		panic("rng: AES by assembly differs from the standard library's") // all privacy rests on these words
	}
	return &Source{block: block, keys: keys}
}
