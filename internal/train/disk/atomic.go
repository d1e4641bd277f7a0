package disk

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// WriteFile puts content at path whole or not at all: a temporary file beside it, synced, renamed over it, and the
// folder synced.
func WriteFile(fsys FS, path string, content []byte, mode fs.FileMode) error {
	return WriteFileBy(fsys, path, mode, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// WriteFileBy is WriteFile for content that write writes, which need not be in memory as a whole.
func WriteFileBy(fsys FS, path string, mode fs.FileMode, write func(w io.Writer) error) error {
	staged, err := Stage(fsys, path, mode, write)
	if err != nil {
		return err
	}
	return staged.Commit()
}

// A Staged file is content that is safe on disk under a temporary name, next to where it goes.
type Staged struct {
	fsys            FS
	temporary, path string
}

// writeBuffer is how many bytes go to a file at once.
const writeBuffer = 1 << 16

// Stage writes and syncs, next to path, what write writes.
func Stage(fsys FS, path string, mode fs.FileMode, write func(w io.Writer) error) (Staged, error) {
	f, err := fsys.Temp(filepath.Dir(path), temporaryPrefix(path)+"*")
	if err != nil {
		return Staged{}, err
	}
	s := Staged{fsys, f.Name(), path}
	w := bufio.NewWriterSize(f, writeBuffer)
	if err = write(w); err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return Staged{}, errors.Join(err, s.Discard())
	}
	return s, nil
}

// temporaryPrefix is what the temporary names for path begin with.
func temporaryPrefix(path string) string { return "." + filepath.Base(path) + "." }

// Commit gives the file its name, for good.
func (s Staged) Commit() error {
	if err := s.fsys.Rename(s.temporary, s.path); err != nil {
		return errors.Join(err, s.Discard())
	}
	return s.fsys.SyncDir(filepath.Dir(s.path))
}

// Discard removes the temporary file.
func (s Staged) Discard() error { return s.fsys.Remove(s.temporary) }

// Remove removes the file at path, for good; one that is not there is no error.
func Remove(fsys FS, path string) error {
	if err := fsys.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fsys.SyncDir(filepath.Dir(path))
}

// Sweep removes the temporary files that a process left behind where it was killed while it wrote paths. Nobody else may
// be writing them.
func Sweep(fsys FS, paths ...string) error {
	for _, path := range paths {
		dir := filepath.Dir(path)
		listing, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, entry := range listing {
			if strings.HasPrefix(entry.Name(), temporaryPrefix(path)) {
				if err := fsys.Remove(filepath.Join(dir, entry.Name())); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
