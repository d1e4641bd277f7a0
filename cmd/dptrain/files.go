package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"dptrain/internal/data"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
	"dptrain/internal/train/disk"
)

// readyFile makes sure that a file can be written at path; an empty path is standard output.
func readyFile(path string, fresh bool) error {
	if path == "" {
		return nil
	}
	if _, err := os.Lstat(path); err == nil && !fresh {
		return &failure{statusResources, fmt.Errorf("%s is there already", path), "--fresh overwrites it; -o names another place"}
	}
	// The nearest folder that exists: a run that fails later leaves no new folder behind.
	folder := filepath.Dir(path)
	for {
		_, err := os.Stat(folder)
		if err == nil {
			break
		}
		if above := filepath.Dir(folder); errors.Is(err, fs.ErrNotExist) && above != folder {
			folder = above
			continue
		}
		return err
	}
	probe, err := os.CreateTemp(folder, ".dptrain-*")
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, errors.Unwrap(err))
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// writeResult writes a file whole, and the folders that it stands in where they are missing.
func writeResult(path string, content []byte) error {
	if err := (disk.OS{}).MkdirAll(filepath.Dir(path)); err != nil {
		return err
	}
	return disk.WriteFile(disk.OS{}, path, content, disk.Public)
}

// hintAtFile adds to an error about path, which should be a file of that name written by fit, where to look for it.
func hintAtFile(err error, path, name string) error {
	var cause *fs.PathError
	if !errors.As(err, &cause) || cause.Path != path {
		return err
	}
	hint := "fit prints the paths of the files it writes"
	if inside := filepath.Join(path, name); errors.Is(err, syscall.EISDIR) {
		if _, missing := os.Stat(inside); missing == nil {
			hint = fmt.Sprintf("did you mean %s?", shellWord(inside))
		}
	}
	return &failure{statusResources, err, hint}
}

// loadTable loads a table, with a progress bar unless the options have one; a file that is not there is a failure of the
// data.
func loadTable(ctx context.Context, s *streams, paths []string, schema *data.Schema, o data.LoadOptions) (*data.Dataset, error) {
	o.Stdin = s.in
	if o.Progress == nil {
		bar := newLoading(s.err)
		defer bar.clear()
		o.Progress = bar.read
	}
	table, err := data.Load(ctx, paths, schema, o)
	var missing *fs.PathError
	if errors.Is(err, fs.ErrNotExist) && errors.As(err, &missing) {
		return nil, &failure{statusData, fmt.Errorf("%s: no such file", missing.Path), "check --data, or data.train in the config"}
	}
	if err == nil {
		err = ctx.Err() // a small table may be read before anybody looks
	}
	return table, interrupted(ctx, err)
}

// maxFaults is how many rows that are not as declared a check of a table shows.
const maxFaults = 20

// loadFlags say how a table is loaded.
type loadFlags struct {
	check      bool // it is read and held against the config; nothing of it is kept
	quiet      bool
	noProgress bool
}

// loadDeclared loads the table that a plan was made for, and holds its number of rows against the declared one.
func loadDeclared(ctx context.Context, s *streams, cfg *config, p *train.Plan, flags loadFlags) (*data.Dataset, error) {
	if len(cfg.DataTrain) == 0 {
		return nil, &failure{statusData, errors.New("no table is named"), "state data.train in the config, or --data"}
	}
	secretRows := p.Privacy.Adjacency == accounting.AddOrRemoveOne
	o := data.LoadOptions{MaxRows: p.Slots(), AllowEmpty: secretRows, NullBadRows: p.Schema.Spec().OnBadRow == data.NullRow,
		Side:  data.TrainingRows,
		Cache: cfg.Cache && !flags.check, CountOnly: flags.check}
	if flags.check {
		o.Faults = maxFaults
	}
	if flags.quiet || flags.noProgress || secretRows { // how much is read tells of the number of rows
		o.Progress = func(int64, int64) {}
	}
	table, err := loadTable(ctx, s, cfg.DataTrain, p.Schema, o)
	if err != nil {
		return nil, cfg.locate(err)
	}
	if o.Cache && !flags.quiet {
		if files, err := data.Files(cfg.DataTrain); err == nil {
			s.warn("%s holds the encoded records: it is as confidential as the table", data.CachePath(files))
		}
	}
	if p.Rows != 0 && table.Places() != p.Rows {
		return nil, &failure{statusData, fmt.Errorf("%s: has fewer rows than the declared %d", cfg.table(), p.Rows),
			"declare the table's number of rows as data.rows; it becomes public"}
	}
	return table, nil
}

// interrupted replaces the error of an ended context by what ended it.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
