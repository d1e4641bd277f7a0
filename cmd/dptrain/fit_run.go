package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"time"

	"dptrain/internal/data"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train"
	"dptrain/internal/train/sheet"
)

// foresee fills in what an interrupted run has charged so far, and what a ledger would say of the run.
func (o *fitOptions) foresee(s *streams, cfg *config, p *train.Plan, result *fitResult) (err error) {
	var h history
	if o.resume {
		if h, err = (&outputFolder{dir: cfg.OutputDir, fsys: s.fsys}).history(p); err != nil {
			return err
		}
		result.StepsCharged = h.charged()
	}
	if h.finished != nil {
		return nil
	}
	result.Ledger, err = o.preview(s, cfg, p, h.attempt)
	return err
}

// fitInto trains in the output folder, or finds that this was done; it fills in the rest of result.
func (o *fitOptions) fitInto(ctx context.Context, s *streams, cfg *config, p *train.Plan, result *fitResult) (err error) {
	folder := &outputFolder{dir: cfg.OutputDir, fsys: s.fsys}
	if err := folder.enter(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.leave()) }()
	var h history
	switch {
	case o.resume:
		if h, err = folder.history(p); err != nil {
			return err
		}
	case !o.fresh:
		if err := folder.refuseExisting(); err != nil {
			return err
		}
	}
	if h.finished != nil {
		result.done(cfg.OutputDir, h.finished)
		if !o.quiet {
			s.warn("the run was finished before; --fresh trains anew, with a privacy loss of its own on top")
		}
		return train.Discard(s.fsys, cfg.OutputDir)
	}
	if h.attempt == nil && o.void() == "" {
		if h.attempt, err = train.NewAttempt(s.fsys, cfg.OutputDir, p, rand.Text()); err != nil {
			return err
		}
	}
	if _, err := o.preview(s, cfg, p, h.attempt); err != nil {
		return err
	}
	return o.fitAndWrite(ctx, s, cfg, p, h.attempt, result)
}

// done says that the run of a report has ended in dir.
func (r *fitResult) done(dir string, report *train.Report) {
	model, path := filepath.Join(dir, train.ModelFile), filepath.Join(dir, train.ReportFile)
	r.Model, r.Report = &model, &path
	r.StepsApplied, r.StepsCharged = &report.Mechanism.StepsApplied, report.Mechanism.StepsCharged
}

// fitAndWrite loads the table, trains, and writes. attempt is nil for a run that promises nothing.
func (o *fitOptions) fitAndWrite(ctx context.Context, s *streams, cfg *config, p *train.Plan, attempt *train.Attempt, result *fitResult) error {
	key, err := o.key()
	if err != nil {
		return err
	}
	began := time.Now()
	secretRows := p.Privacy.Adjacency == accounting.AddOrRemoveOne
	table, err := loadDeclared(ctx, s, cfg, p, loadFlags{quiet: o.quiet, noProgress: o.noProgress})
	if err != nil {
		return err
	}
	defer table.Close()
	loaded := time.Now()
	run := train.Run{Key: key, Workers: o.workers.of(p), Attempt: attempt}
	if !secretRows {
		run.Clock = func() time.Duration { return time.Since(began) }
	}
	entered, err := o.open(ctx, s, cfg, p, attempt, result)
	if err != nil {
		return err
	}
	fitted, err := o.fit(ctx, s, p, table, run)
	if err != nil {
		return err
	}
	fitted.Ledger = entered
	trained := time.Now()
	report, err := train.NewReport(p, fitted, o.seeded, version())
	if err != nil {
		return err
	}
	model := &train.Model{Schema: fitted.Encoding, Net: p.Net, Params: fitted.Params,
		Model: p.Model, Privacy: p.Privacy, Train: p.Train, Private: report.Private, Version: version()}
	if err := train.Write(s.fsys, cfg.OutputDir, model, report); err != nil {
		return resumable(ctx, attempt, err)
	}
	if attempt == nil {
		err = train.Discard(s.fsys, cfg.OutputDir)
	} else {
		err = attempt.Finish()
	}
	result.done(cfg.OutputDir, report)
	if !secretRows { // times tell of the number of rows
		load, seconds := loaded.Sub(began).Seconds(), trained.Sub(loaded).Seconds()
		rate := p.Divisor() * float64(fitted.Drawn) / seconds
		result.LoadSeconds, result.TrainSeconds, result.ExamplesPerSecond = &load, &seconds, &rate
	}
	return err
}

// open readies the attempt's log, which gives the run its name for good, and then enters the run in the config's ledger: a
// run that is killed in between is entered when it is resumed, and one that is entered is not entered again.
func (o *fitOptions) open(ctx context.Context, s *streams, cfg *config, p *train.Plan, attempt *train.Attempt, result *fitResult) (*train.ReportLedger, error) {
	if attempt == nil {
		return nil, nil
	}
	if err := attempt.Open(); err != nil {
		return nil, err
	}
	if attempt.Resumed() && !o.quiet {
		s.warn("going on with an interrupted run: of %s, charged are %d, and kept %d",
			sheet.Count(p.Train.Steps, "step"), attempt.Charged(), attempt.Kept())
	}
	entered, err := o.enter(ctx, s, cfg, p, attempt, result)
	if err == nil {
		return entered, nil
	}
	if attempt.Charged() > 0 {
		return nil, resumable(ctx, attempt, err)
	}
	return nil, errors.Join(interrupted(ctx, err), attempt.Finish()) // nothing was drawn: nothing is to be resumed
}

// fit trains, with a progress bar.
func (o *fitOptions) fit(ctx context.Context, s *streams, p *train.Plan, table *data.Dataset, run train.Run) (*train.Fitted, error) {
	bar := newProgress(s.err, p.Train.Steps, progressOptions{
		off: o.noProgress || o.quiet, hideRate: run.Clock == nil,
		price: func(steps int) (float64, bool) {
			if o.void() != "" {
				return 0, false
			}
			epsilon, err := p.Mechanism.Epsilon(p.Accountant, steps)
			return epsilon, err == nil
		},
	})
	run.Progress = bar.step
	debug.FreeOSMemory() // what is left of reading the table
	// The table is most of the heap, and garbage may grow by a share of it: by a tenth, no longer by as much again.
	debug.SetGCPercent(10)
	fitted, err := train.Fit(ctx, p, table, run)
	bar.clear()
	if err != nil {
		return nil, resumable(ctx, run.Attempt, err)
	}
	return fitted, nil
}

// resumable closes the attempt that err ended, and says what is left of it.
func resumable(ctx context.Context, attempt *train.Attempt, err error) error {
	err = interrupted(ctx, err)
	if attempt == nil {
		return err
	}
	err = errors.Join(err, attempt.Close())
	if status := exitStatus(err); status == statusResources || status > statusSignal {
		return &failure{status, err, fmt.Sprintf("fit --resume goes on with the run; charged so far: %s", sheet.Count(attempt.Charged(), "step"))}
	}
	return err
}

// key is the source of all randomness of the run.
func (o *fitOptions) key() (rng.Key, error) {
	if o.seeded {
		return rng.TestKey(o.seed), nil
	}
	return rng.NewKey(rand.Reader)
}
