// Package disktest is a file system for tests that fails, or ends the process, at a chosen call.
package disktest

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"dptrain/internal/train/disk"
)

// A Fault is what happens at the chosen call.
type Fault int

// The faults.
const (
	None         Fault = iota
	KilledBefore       // the process ends, and the call is not made
	KilledAfter        // the call is made, and the process ends
	KilledHalf         // half of what a call writes is written, and the process ends; else as before
	NoSpace            // the call errs with ENOSPC; a write has written half
	IOError            // the call errs with EIO and does nothing
	ShortWrite         // a write writes half, and errs with EIO; else the call errs
)

// Faults lists all but None.
func Faults() []Fault {
	return []Fault{KilledBefore, KilledAfter, KilledHalf, NoSpace, IOError, ShortWrite}
}

// Kills reports whether the fault ends the process.
func (f Fault) Kills() bool { return f == KilledBefore || f == KilledAfter || f == KilledHalf }

func (f Fault) String() string {
	return [...]string{"none", "killed before", "killed after", "killed half way", "no space", "I/O error", "short write"}[f]
}

// Killed is the panic that stands for the end of the process. What code would do after a kill, it must not do here:
// deferred functions do run.
type Killed struct{ Call int }

// An FS is a file system on that of the operating system, which it never waits for: it syncs nothing to a real disk. Its
// zero value has no faults.
type FS struct {
	Fault Fault
	At    int // number of the call, from 1, at which the fault happens; with Every, also each multiple
	Every bool
	// PowerCut makes the process's end that of the machine: what was not synced is lost, files' content and names both.
	PowerCut bool

	Calls int
	under disk.OS
	names map[string][]func() error // by folder: renames and removals that are not yet synced
}

// call counts a call and makes it, by do, as far as the fault lets it.
func (f *FS) call(do func() error, half func() error) error {
	f.Calls++
	if f.At == 0 || f.Calls != f.At && !(f.Every && f.Calls%f.At == 0) {
		return do()
	}
	switch f.Fault {
	case KilledBefore:
		panic(Killed{f.Calls})
	case KilledAfter:
		_ = do()
		panic(Killed{f.Calls})
	case KilledHalf:
		if half != nil {
			_ = half()
		}
		panic(Killed{f.Calls})
	case NoSpace, ShortWrite:
		if half != nil {
			if err := half(); err != nil {
				return err
			}
		}
		if f.Fault == NoSpace {
			return fmt.Errorf("call %d: %w", f.Calls, syscall.ENOSPC)
		}
		return fmt.Errorf("call %d: %w", f.Calls, syscall.EIO)
	case IOError:
		return fmt.Errorf("call %d: %w", f.Calls, syscall.EIO)
	case None:
	}
	return do()
}

// ReadFile reads what a process would find.
func (f *FS) ReadFile(path string) (text []byte, err error) {
	err = f.call(func() error { text, err = f.under.ReadFile(path); return err }, nil)
	return text, err
}

// Open opens what a process would find.
func (f *FS) Open(path string) (r disk.Reader, err error) {
	err = f.call(func() error { r, err = f.under.Open(path); return err }, nil)
	if err != nil {
		return nil, err
	}
	return reader{r, f}, nil
}

// reader counts what is read from it.
type reader struct {
	disk.Reader
	fs *FS
}

func (r reader) ReadAt(p []byte, at int64) (n int, err error) {
	err = r.fs.call(func() error { n, err = r.Reader.ReadAt(p, at); return err }, nil)
	return n, err
}

// Append opens a file.
func (f *FS) Append(path string) (file disk.File, err error) {
	err = f.call(func() error { file, err = f.under.Append(path); return err }, nil)
	return f.wrap(file, err)
}

// Temp makes a file.
func (f *FS) Temp(dir, pattern string) (file disk.File, err error) {
	err = f.call(func() error { file, err = f.under.Temp(dir, pattern); return err }, nil)
	return f.wrap(file, err)
}

func (f *FS) wrap(under disk.File, err error) (disk.File, error) {
	if err != nil {
		return nil, err
	}
	return &file{File: under, fs: f}, nil
}

// Rename renames a file; where power may be cut, when its folder is synced.
func (f *FS) Rename(from, to string) error {
	return f.call(func() error { return f.later(to, func() error { return f.under.Rename(from, to) }) }, nil)
}

// Remove removes a file, likewise.
func (f *FS) Remove(path string) error {
	return f.call(func() error { return f.later(path, func() error { return f.under.Remove(path) }) }, nil)
}

func (f *FS) later(path string, change func() error) error {
	if !f.PowerCut {
		return change()
	}
	if f.names == nil {
		f.names = map[string][]func() error{}
	}
	dir := filepath.Dir(path)
	f.names[dir] = append(f.names[dir], change)
	return nil
}

// MkdirAll makes a folder.
func (f *FS) MkdirAll(dir string) error {
	return f.call(func() error { return f.under.MkdirAll(dir) }, nil)
}

// SyncDir syncs a folder.
func (f *FS) SyncDir(dir string) error {
	return f.call(func() error {
		for _, change := range f.names[dir] {
			if err := change(); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		delete(f.names, dir)
		return nil
	}, nil)
}

// A file is an open file of an FS.
type file struct {
	disk.File
	fs      *FS
	pending []byte // written and not synced, where power may be cut
}

func (f *file) Write(b []byte) (n int, err error) {
	write := func(part []byte) error {
		if f.fs.PowerCut {
			f.pending, n = append(f.pending, part...), len(part)
			return nil
		}
		n, err = f.File.Write(part)
		return err
	}
	err = f.fs.call(func() error { return write(b) }, func() error { return write(b[:len(b)/2]) })
	return n, err
}

func (f *file) flush() error {
	_, err := f.File.Write(f.pending)
	f.pending = nil
	return err
}

func (f *file) Sync() error {
	return f.fs.call(f.flush, nil)
}

func (f *file) Truncate(size int64) error {
	return f.fs.call(func() error {
		f.pending = nil
		return f.File.Truncate(size)
	}, nil)
}

func (f *file) Chmod(mode fs.FileMode) error {
	return f.fs.call(func() error { return f.File.Chmod(mode) }, nil)
}

func (f *file) Close() error { return f.fs.call(f.File.Close, nil) }
