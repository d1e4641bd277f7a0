package ledger

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"dptrain/internal/train/disk"
)

// lockWait is how long to wait for others who enter their runs.
const lockWait = time.Minute

// Enter puts s into the ledger at path, which it opens on the terms t where there is none, and returns its line once it
// is on disk: only then may the run draw noise. A run that is entered already is not entered again. It errs as
// Preview does, and with a *disk.LockedError.
func Enter(ctx context.Context, fsys disk.FS, path string, t Terms, s Spend) (line Line, err error) {
	if path, err = resolve(path); err != nil {
		return Line{}, err
	}
	if err := fsys.MkdirAll(filepath.Dir(path)); err != nil {
		return Line{}, err
	}
	lock, err := disk.Acquire(ctx, path+".lock", lockWait)
	if err != nil {
		return Line{}, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if err := disk.Sweep(fsys, path); err != nil {
		return Line{}, err
	}
	l, line, err := Preview(fsys, path, t, s)
	if err != nil {
		return Line{}, err
	}
	if line.Hash != "" {
		return line, nil
	}
	journal, err := l.journal(fsys, path)
	if err != nil {
		return Line{}, err
	}
	if line.Hash, err = journal.Append(entry{Spend: &line}); err != nil {
		return Line{}, errors.Join(err, journal.Close())
	}
	return line, journal.Close()
}

// journal opens the file of l, or makes it.
func (l *Ledger) journal(fsys disk.FS, path string) (*disk.Journal, error) {
	journal, _, err := disk.OpenJournal(fsys, path)
	if errors.Is(err, fs.ErrNotExist) {
		return disk.CreateJournal(fsys, path, disk.Public, entry{Open: &opening{format, l.Terms, l.Filter}})
	}
	return journal, damaged(err)
}

// resolve follows links to where the ledger is, or will be, so that whoever reaches it by other names takes the same lock.
func resolve(path string) (string, error) {
	file, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	return filepath.Join(dir, filepath.Base(path)), err
}
