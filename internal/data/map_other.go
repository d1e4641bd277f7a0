//go:build !linux && !darwin

package data

import (
	"os"
	"unsafe"
)

// mapFile reads a file into memory, where it cannot be mapped.
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
	words := make([]uint64, info.Size()/8+1) // begins where any value may
	memory = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), info.Size())
	if _, err := f.ReadAt(memory, 0); err != nil {
		return nil, nil, err
	}
	return memory, func() error { return nil }, nil
}

// locksFiles says that files can be locked here.
const locksFiles = false

// createLocked makes a file of mode 0600 in dir. Where files have no locks, what a killed run leaves stays.
func createLocked(dir, pattern string) (*os.File, error) { return os.CreateTemp(dir, pattern) }

func removeAbandoned(string) {}

// renameOpen gives a file another name, which takes closing it.
func renameOpen(f *os.File, path string) error {
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func syncFolder(string) error { return nil }
