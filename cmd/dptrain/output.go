package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"dptrain/internal/train"
	"dptrain/internal/train/disk"
)

// lockFile is the name of the file in an output folder that keeps a second fit out.
const lockFile = "run.lock"

// An outputFolder is the folder of a fit and what stands in it.
type outputFolder struct {
	dir  string
	fsys disk.FS

	made []string // folders made for it, the outermost first
	lock *disk.Lock
}

// has reports whether a file of that name is there.
func (f *outputFolder) has(name string) bool {
	_, err := os.Lstat(filepath.Join(f.dir, name))
	return !errors.Is(err, fs.ErrNotExist)
}

// enter makes and locks the folder, and clears away what a killed process was in the middle of writing.
func (f *outputFolder) enter(ctx context.Context) error {
	for dir := f.dir; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		f.made = append([]string{dir}, f.made...)
	}
	if err := f.fsys.MkdirAll(f.dir); err != nil {
		return err
	}
	lock, err := disk.Acquire(ctx, filepath.Join(f.dir, lockFile), 0)
	if err != nil {
		return errors.Join(err, f.leave())
	}
	f.lock = lock
	for _, name := range []string{train.ModelFile, train.ReportFile, train.LogFile, train.CheckpointFile} {
		if err := disk.Sweep(f.fsys, filepath.Join(f.dir, name)); err != nil {
			return errors.Join(err, f.leave())
		}
	}
	return nil
}

// leave unlocks the folder, and removes it where it was made for nothing.
func (f *outputFolder) leave() error {
	var err error
	if f.lock != nil {
		err = f.lock.Release()
	}
	for i := len(f.made) - 1; i >= 0; i-- {
		_ = os.Remove(f.made[i]) // one with something in it stays
	}
	return err
}

// refuseExisting errs where a run, done or interrupted, stands in the way of another.
func (f *outputFolder) refuseExisting() error {
	for _, name := range []string{train.LogFile, train.CheckpointFile} {
		if f.has(name) {
			return &failure{statusResources, fmt.Errorf("%s: a run was interrupted here", filepath.Join(f.dir, name)),
				"--resume goes on with it; --fresh gives it up"}
		}
	}
	for _, name := range []string{train.ModelFile, train.ReportFile} {
		if f.has(name) {
			return &failure{statusResources, fmt.Errorf("%s is there already", filepath.Join(f.dir, name)), "--fresh overwrites it; -o names another place"}
		}
	}
	return nil
}

// A history is what earlier attempts at a fit left in its folder: nothing, an interrupted run, or a finished one.
type history struct {
	attempt  *train.Attempt
	finished *train.Report
}

// history reads what there is to resume by the plan.
func (f *outputFolder) history(p *train.Plan) (h history, err error) {
	if h.attempt, err = train.ResumeAttempt(f.fsys, f.dir, p); err != nil || h.attempt != nil {
		return h, err
	}
	if f.has(train.ModelFile) && f.has(train.ReportFile) {
		h.finished, err = train.ReadFinished(f.fsys, f.dir, p)
		return h, err
	}
	if f.has(train.CheckpointFile) {
		return h, &train.ResumeError{Path: filepath.Join(f.dir, train.CheckpointFile), Msg: "stands without its log, so what was drawn is not known"}
	}
	return h, nil
}

// charged is the number of steps that may have drawn noise so far.
func (h history) charged() int {
	switch {
	case h.attempt != nil:
		return h.attempt.Charged()
	case h.finished != nil:
		return h.finished.Mechanism.StepsCharged
	}
	return 0
}
