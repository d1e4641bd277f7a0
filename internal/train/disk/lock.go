package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// A LockedError says that another process works on what a lock guards.
type LockedError struct{ Path string }

func (e *LockedError) Error() string {
	return fmt.Sprintf("%s is held by another process that is at work here", e.Path)
}

// Hint is what to do about it.
func (e *LockedError) Hint() string {
	return "wait for it to end; the lock ends with its process, so the file needs no removing"
}

// A Lock is held by one process at a time and ends with it, however that ends.
type Lock struct{ file *flock.Flock }

// lockRetry is how long to wait between two tries for a lock.
const lockRetry = 20 * time.Millisecond

// Acquire takes the lock that the file at path stands for, and waits up to wait for it. It errs with a *LockedError where
// another process keeps it, and with ctx.
func Acquire(ctx context.Context, path string, wait time.Duration) (*Lock, error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		// A fresh handle each time: the holder removes the file when it is done, and a lock on a removed file guards nothing.
		file := flock.New(path)
		locked, err := file.TryLock()
		if locked && sameFile(file, path) {
			return &Lock{file}, nil
		}
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
		if locked {
			continue
		}
		select {
		case <-waiting.Done():
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, &LockedError{path}
		case <-time.After(lockRetry):
		}
	}
}

// sameFile reports whether path still names the file that is open.
func sameFile(file *flock.Flock, path string) bool {
	open, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(open, named)
}

// Release gives the lock back and removes its file. One that cannot be removed, because it is open, guards as well.
func (l *Lock) Release() error {
	_ = os.Remove(l.file.Path())
	return l.file.Close()
}
