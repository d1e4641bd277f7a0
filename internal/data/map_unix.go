//go:build linux || darwin

package data

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// mapFile maps a file into memory: pages are read when they are used, and given up when memory is short. What is written to
// the memory stays in it and does not reach the file.
func mapFile(path string) (memory []byte, unmap func() error, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	memory, err = unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err != nil {
		return nil, nil, &os.PathError{Op: "mmap", Path: path, Err: err}
	}
	return memory, func() error { return unix.Munmap(memory) }, nil
}

// locksFiles says that files can be locked here.
const locksFiles = true

// createLocked makes a file of mode 0600 in dir, locked for as long as it is open.
func createLocked(dir, pattern string) (*os.File, error) {
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		_ = os.Remove(f.Name())
		return nil, &os.PathError{Op: "lock", Path: f.Name(), Err: err}
	}
	return f, nil
}

// removeAbandoned removes the files of createLocked that match a pattern and that nobody has open any more.
func removeAbandoned(pattern string) {
	left, _ := filepath.Glob(pattern) // the pattern of a name with brackets may find nothing: then nothing is removed
	for _, path := range left {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			_ = os.Remove(path)
		}
		_ = f.Close()
	}
}

// renameOpen gives an open file another name.
func renameOpen(f *os.File, path string) error { return os.Rename(f.Name(), path) }

// syncFolder makes the names in a folder last.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
