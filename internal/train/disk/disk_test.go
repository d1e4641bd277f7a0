package disk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"dptrain/internal/train/disk"
	"dptrain/internal/train/disk/disktest"
)

type said struct {
	N int `json:"n"`
}

// journalOf writes a journal of n entries.
func journalOf(t testing.TB, path string, n int) {
	t.Helper()
	j, err := disk.CreateJournal(&disktest.FS{}, path, disk.Private, said{1})
	if err != nil {
		t.Fatal(err)
	}
	for i := 2; i <= n; i++ {
		if _, err := j.Append(said{i}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestJournalKeepsEntries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	journalOf(t, path, 3)
	j, entries, err := disk.OpenJournal(disk.OS{}, path)
	if err != nil || len(entries) != 3 || string(entries[2].JSON) != `{"n":3}` {
		t.Fatalf("OpenJournal = %v, %v", entries, err)
	}
	hash, err := j.Append(said{4})
	if err != nil || j.Close() != nil {
		t.Fatal(err)
	}
	entries, cut, err := disk.ReadJournal(disk.OS{}, path)
	if err != nil || cut || len(entries) != 4 || entries[3].Hash != hash {
		t.Errorf("ReadJournal = %v, %v, %v", entries, cut, err)
	}
}

// TestJournalShowsEveryChange changes, drops and doubles each byte, and each line, of a journal.
func TestJournalShowsEveryChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	journalOf(t, path, 3)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var damaged *disk.DamagedError
		entries, cut, err := disk.ReadJournal(disk.OS{}, path)
		if !errors.As(err, &damaged) && !(err == nil && cut && len(entries) < 3) {
			t.Errorf("%s: ReadJournal = %d entries, cut %v, %v", what, len(entries), cut, err)
		}
	}
	for i := range good {
		for _, bit := range []byte{1, 0x20, 0x80} {
			changed := bytes.Clone(good)
			changed[i] ^= bit
			refused(fmt.Sprintf("byte %d xor %#x", i, bit), changed)
		}
		refused(fmt.Sprintf("byte %d dropped", i), append(bytes.Clone(good[:i]), good[i+1:]...))
		refused(fmt.Sprintf("byte %d doubled", i), append(bytes.Clone(good[:i+1]), good[i:]...))
	}
	lines := bytes.SplitAfter(good, []byte("\n"))[:3]
	refused("first line dropped", bytes.Join(lines[1:], nil))
	refused("middle line dropped", bytes.Join([][]byte{lines[0], lines[2]}, nil))
	refused("lines swapped", bytes.Join([][]byte{lines[0], lines[2], lines[1]}, nil))
	refused("line doubled", bytes.Join([][]byte{lines[0], lines[1], lines[1], lines[2]}, nil))
}

// TestJournalIsCutAtEveryByte adds to a journal that was cut at each byte: whole lines are kept, and nothing else.
func TestJournalIsCutAtEveryByte(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	journalOf(t, path, 3)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if err := os.WriteFile(path, good[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		j, entries, err := disk.OpenJournal(&disktest.FS{}, path)
		if err != nil {
			t.Fatal(err)
		}
		if want := bytes.Count(good[:n], []byte("\n")); len(entries) != want {
			t.Errorf("cut at byte %d: %d entries, want %d", n, len(entries), want)
		}
		if _, err := j.Append(said{9}); err != nil || j.Close() != nil {
			t.Fatal(err)
		}
		after, cut, err := disk.ReadJournal(disk.OS{}, path)
		if err != nil || cut || len(after) != len(entries)+1 {
			t.Errorf("cut at byte %d: %d entries afterwards, %v, %v", n, len(after), cut, err)
		}
	}
}

// TestNoEntryAfterAFailedOne: what the disk holds of a failed entry is not known.
func TestNoEntryAfterAFailedOne(t *testing.T) {
	for _, fault := range []disktest.Fault{disktest.NoSpace, disktest.IOError, disktest.ShortWrite} {
		path := filepath.Join(t.TempDir(), "j")
		fsys := &disktest.FS{}
		j, err := disk.CreateJournal(fsys, path, disk.Private, said{1})
		if err != nil {
			t.Fatal(err)
		}
		fsys.Fault, fsys.At = fault, fsys.Calls+1
		if _, err := j.Append(said{2}); err == nil {
			t.Errorf("%v: no error", fault)
		}
		if _, err := j.Append(said{3}); err == nil {
			t.Errorf("%v: an entry after it", fault)
		}
		if entries, cut, err := disk.ReadJournal(disk.OS{}, path); err != nil || cut || len(entries) != 1 {
			t.Errorf("%v: ReadJournal = %d entries, %v, %v", fault, len(entries), cut, err)
		}
	}
}

func FuzzJournal(f *testing.F) {
	path := filepath.Join(f.TempDir(), "j")
	journalOf(f, path, 2)
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-5])
	f.Add([]byte("{\"prev\":\"\",\"entry\":,\"hash\":\"\"}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "j")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		entries, cut, err := disk.ReadJournal(disk.OS{}, path)
		if err == nil && !cut && len(entries) == 0 && len(text) > 0 {
			t.Errorf("%q is read as nothing", text)
		}
	})
}

func TestLockIsHeldByOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	var group sync.WaitGroup
	held, most, total := 0, 0, 0
	var mutex sync.Mutex
	for range 8 {
		group.Go(func() {
			for range 10 {
				lock, err := disk.Acquire(context.Background(), path, time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				mutex.Lock()
				held, total = held+1, total+1
				most = max(most, held)
				mutex.Unlock()
				time.Sleep(time.Millisecond / 4)
				mutex.Lock()
				held--
				mutex.Unlock()
				if err := lock.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if most != 1 || total != 80 {
		t.Errorf("%d held the lock at once, %d times in all; want 1 and 80", most, total)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock's file is left: %v", err)
	}
}

func TestLockWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	lock, err := disk.Acquire(context.Background(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	var locked *disk.LockedError
	if _, err := disk.Acquire(context.Background(), path, 50*time.Millisecond); !errors.As(err, &locked) {
		t.Errorf("Acquire = %v, want that it is held", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := disk.Acquire(ctx, path, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Acquire = %v, want the context's end", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestSweepLeavesOthers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".a.1", ".a.b.2", ".ab.3", "a", "a.1"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := disk.Sweep(disk.OS{}, filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 3 {
		t.Errorf("left are %v, want .ab.3, a and a.1", left)
	}
}
