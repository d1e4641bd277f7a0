// Package disk keeps files through crashes: files that appear whole or not at all, logs to which nothing is added
// before it is on disk, and locks that end with the process that holds them. It knows nothing of what the files say.
//
// Every change goes through an [FS], so that a test can fail, cut short or end the process at each of them.
package disk

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

// Modes of files.
const (
	Public  fs.FileMode = 0o644 // a model or a report, meant to be handed on
	Private fs.FileMode = 0o600 // a log or a checkpoint, nobody's business until the run has ended
)

// An FS is a file system, as far as a run changes one.
type FS interface {
	// ReadFile returns the content of a file.
	ReadFile(path string) ([]byte, error)
	// Open opens a file to read.
	Open(path string) (Reader, error)
	// Append opens a file that is there, to write at its end.
	Append(path string) (File, error)
	// Temp makes a new file of mode 0600 in dir, named by the pattern with a random part for its *.
	Temp(dir, pattern string) (File, error)
	// Rename gives the file from the name to, in place of what had it.
	Rename(from, to string) error
	// Remove removes the file at path.
	Remove(path string) error
	// MkdirAll makes a folder with all above it.
	MkdirAll(dir string) error
	// SyncDir makes a change of names in dir last.
	SyncDir(dir string) error
}

// A Reader is a file open for reading.
type Reader interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// A File is open for writing.
type File interface {
	io.Writer
	Name() string
	Chmod(mode fs.FileMode) error
	Truncate(size int64) error
	Sync() error
	Close() error
}

// OS is the file system of the operating system.
type OS struct{}

// ReadFile is os.ReadFile.
func (OS) ReadFile(path string) ([]byte, error) { return os.ReadFile(path) }

// Open opens the file at path.
func (OS) Open(path string) (Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if info.Mode().IsRegular() {
		return reader{f, f, info.Size()}, nil
	}
	content, err := io.ReadAll(f) // a pipe, which has no size
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return reader{bytes.NewReader(content), f, int64(len(content))}, nil
}

// reader is a file of the operating system, of the size that it had when it was opened.
type reader struct {
	io.ReaderAt
	io.Closer
	size int64
}

func (r reader) Size() int64 { return r.size }

// Append opens the file at path.
func (OS) Append(path string) (File, error) { return os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0) }

// Temp is os.CreateTemp.
func (OS) Temp(dir, pattern string) (File, error) { return os.CreateTemp(dir, pattern) }

// Rename is os.Rename.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove is os.Remove.
func (OS) Remove(path string) error { return os.Remove(path) }

// MkdirAll makes folders that all may read.
func (OS) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o755) }

// SyncDir syncs a folder. Systems that cannot do that keep changes on their own.
func (OS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, fs.ErrPermission) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
