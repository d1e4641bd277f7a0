package rng

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func mustPanic(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if recover() == nil {
			t.Errorf("%s did not panic", name)
		}
	}()
	f()
}

func TestNewKeyTakesItsBytesFromTheSource(t *testing.T) {
	secret := bytes.Repeat([]byte{1, 2, 3, 4}, 8)
	source := bytes.NewReader(append(secret, 5))
	key, err := NewKey(iotest.OneByteReader(source))
	if err != nil || !bytes.Equal(key.secret[:], secret) {
		t.Errorf("NewKey() = %x, %v, want %x", key.secret, err, secret)
	}
	if source.Len() != 1 {
		t.Errorf("NewKey left %d bytes unread, want 1", source.Len())
	}
	a, errA := NewKey(rand.Reader)
	b, errB := NewKey(rand.Reader)
	if errA != nil || errB != nil || a == b {
		t.Errorf("two keys of the operating system: %v, %v, equal: %v, want two different keys", errA, errB, a == b)
	}
}

func TestNewKeyRefusesAFailingSource(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		name   string
		source io.Reader
		want   error
	}{
		{"empty", strings.NewReader(""), io.EOF},
		{"one byte short", strings.NewReader(strings.Repeat("x", keySize-1)), io.ErrUnexpectedEOF},
		{"failing at once", iotest.ErrReader(broken), broken},
		{"failing half way", io.MultiReader(strings.NewReader("0123456789abcdef"), iotest.ErrReader(broken)), broken},
	} {
		if key, err := NewKey(test.source); !errors.Is(err, test.want) || key != (Key{}) {
			t.Errorf("%s: NewKey() = %x, %v, want the zero key and %v", test.name, key.secret, err, test.want)
		}
	}
}

// TestStreamsMatchOpenSSL holds the documented derivation to OpenSSL 3.0.19, for seed 1:
//
//	k=$(printf 'dptrain rng 1 test key \x01\0\0\0\0\0\0\0' | openssl dgst -sha256 -binary | xxd -p -c64)
//	a=$(printf 'dptrain rng 1 noise' | openssl dgst -sha256 -mac HMAC -macopt hexkey:$k -binary | xxd -p -c64)
//	head -c 32 /dev/zero | openssl enc -aes-256-ctr -K $a -iv 00000000000200000000000300000000 | xxd -p -c64
//	head -c 2080 /dev/zero | openssl enc -aes-256-ctr -K $a -iv ffffffffffff0123456789ab00000000 | tail -c 16 | xxd -p
func TestStreamsMatchOpenSSL(t *testing.T) {
	for _, test := range []struct {
		purpose     Purpose
		first, late string
	}{
		{Slots, "710e884223b3ec6f0c5ad794fb8d9d1b97b4e35231a4f1bbb0783c0793f6fc36", "a814ef53a3221979cdaab7f6ef9dc340"},
		{Coins, "23b658c62f3aac7dc86bffdb0e4d77232b4ba1dd331e7668a85a1df9c1c9b613", "8a9729a4043329a0981bbfcde46b22b7"},
		{Noise, "5c6c1865064dfa192c461e1f93cb41b6e107f7839f3d3d717f65e828ac185dc2", "d60dd447416bfe94159a261032380542"},
		{Initialisation, "c327662ce098a579fafa5d2d6e9fbafb75ba5c5df6609e13a249830471306f90", "cd92be39803e757035296b1bf5004eb2"},
		{Queries, "58f949dbffe29552608fe67087856472e4d7f099a4b024d0a02465bcb7058037", "6167929c6a761a3d69bb034401fdbfc3"},
	} {
		source := TestKey(1).Source(test.purpose)
		if got := hex.EncodeToString(take(source.Stream(2, 3), 32)); got != test.first {
			t.Errorf("%s: stream (2, 3) begins %s, want %s", test.purpose.label(), got, test.first)
		}
		late := take(source.Stream(0xffffffffffff, 0x0123456789ab), 2080)[2064:]
		if got := hex.EncodeToString(late); got != test.late {
			t.Errorf("%s: bytes 2064 to 2079 of the last stream are %s, want %s", test.purpose.label(), got, test.late)
		}
	}
}

func TestKeysAndPurposesDiffer(t *testing.T) {
	seen := make(map[string]string)
	for seed := range uint64(3) {
		for purpose := Slots; purpose <= Queries; purpose++ {
			name := fmt.Sprintf("seed %d, %s", seed, purpose.label())
			first := string(take(TestKey(seed).Source(purpose).Stream(0, 0), 16))
			if other, ok := seen[first]; ok {
				t.Errorf("%s and %s begin alike", name, other)
			}
			seen[first] = name
		}
	}
}

func TestSourceRefusesWhatIsNoKeyOrPurpose(t *testing.T) {
	mustPanic(t, "Source of the zero key", func() { Key{}.Source(Noise) })
	mustPanic(t, "Source(0)", func() { TestKey(1).Source(0) })
	mustPanic(t, "Source(Queries+1)", func() { TestKey(1).Source(Queries + 1) })
}
