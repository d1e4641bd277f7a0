package train

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile puts content at path whole or not at all: a temporary file beside it, synced, renamed over it, and the
// folder synced. The file is readable by all, as a model or a report is meant to be.
func WriteFile(path string, content []byte) error {
	staged, err := stage(path, content)
	if err != nil {
		return err
	}
	return staged.commit()
}

// A stagedFile is content that is safe on disk under a temporary name, next to where it goes.
type stagedFile struct{ temporary, path string }

// stage writes and syncs content next to path.
func stage(path string, content []byte) (stagedFile, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return stagedFile{}, err
	}
	s := stagedFile{f.Name(), path}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return stagedFile{}, errors.Join(err, s.discard())
	}
	return s, nil
}

// commit gives the file its name, for good.
func (s stagedFile) commit() error {
	if err := os.Rename(s.temporary, s.path); err != nil {
		return errors.Join(err, s.discard())
	}
	return syncDir(filepath.Dir(s.path))
}

// discard removes the temporary file.
func (s stagedFile) discard() error { return os.Remove(s.temporary) }

// remove removes the file at path, for good; one that is not there is no error.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a change in dir last. Systems that cannot sync a folder keep changes on their own.
func syncDir(dir string) error {
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
