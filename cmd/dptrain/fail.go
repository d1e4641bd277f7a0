package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"dptrain/internal/data"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
	"dptrain/internal/train/disk"
	"dptrain/internal/train/ledger"
)

// A status is the exit status of the program.
type status int

// The exit statuses. Scripts rely on them.
const (
	statusDone      status = 0
	statusFault     status = 1 // of the program
	statusUsage     status = 2 // flag or argument
	statusConfig    status = 3 // config invalid
	statusData      status = 4 // data missing, invalid or not of the schema
	statusPrivacy   status = 5 // privacy refusal
	statusQuality   status = 6 // quality gate failed
	statusIntegrity status = 7 // hash mismatch, unsupported model, another config's run to resume
	statusAudit     status = 8 // a test or an audit contradicts the claim
	statusResources status = 9 // disk full, permission, lock held, an output in the way
	statusSignal    status = 128
)

// A failure is an error whose exit status and hint are known where it arises.
type failure struct {
	status status
	err    error
	hint   string
}

func (e *failure) Error() string { return e.err.Error() }
func (e *failure) Unwrap() error { return e.err }
func (e *failure) Hint() string  { return e.hint }

// usage returns a failure of the command line.
func usage(hint, format string, args ...any) error {
	return &failure{statusUsage, fmt.Errorf(format, args...), hint}
}

// refuse returns a refusal in the name of privacy.
func refuse(hint, format string, args ...any) error {
	return &failure{statusPrivacy, fmt.Errorf(format, args...), hint}
}

// exitStatus is the one place where errors become exit statuses.
func exitStatus(err error) status {
	var (
		known       *failure
		badConfig   *configError
		badSpec     *data.SpecError
		badData     *data.Error
		badModel    *train.ModelError
		badReport   *train.ReportError
		unverified  *train.VerifyError
		badResume   *train.ResumeError
		exhausted   *train.ExhaustedError
		locked      *disk.LockedError
		badLedger   *ledger.DamagedError
		badTerms    *ledger.TermsError
		overspent   *ledger.OverspentError
		unreachable *accounting.UnreachableError
		signal      *interruption
		diverged    *train.DivergedError
	)
	switch {
	case err == nil:
		return statusDone
	case errors.As(err, &known):
		return known.status
	case errors.As(err, &unreachable), errors.As(err, &exhausted), errors.As(err, &badTerms), errors.As(err, &overspent):
		return statusPrivacy
	case errors.As(err, &badConfig), errors.As(err, &badSpec), errors.As(err, &diverged):
		return statusConfig
	case errors.As(err, &badData):
		return statusData
	case errors.As(err, &badModel), errors.As(err, &badReport), errors.As(err, &unverified), errors.As(err, &badResume), errors.As(err, &badLedger):
		return statusIntegrity
	case errors.As(err, &signal):
		return statusSignal + status(signal.signal)
	case errors.As(err, &locked),
		errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist),
		errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.EIO),
		errors.Is(err, syscall.EDQUOT), errors.Is(err, io.ErrShortWrite):
		return statusResources
	}
	return statusFault
}

// usualHint is the hint for a status where the error has none of its own.
func usualHint(s status) string {
	switch s {
	case statusUsage:
		return "dptrain --help lists commands and flags"
	case statusConfig:
		return "the README's section on the config shows every key"
	case statusData:
		return "the config's data section declares what the table must hold"
	case statusIntegrity:
		return "fit writes models as model.safetensors"
	case statusResources:
		return "check that the path is right and may be written, and that there is room"
	case statusSignal + status(syscall.SIGINT), statusSignal + status(syscall.SIGTERM):
		return "nothing was written; run the command again"
	default:
		return ""
	}
}

// inWords is an error as people read it: of what the operating system says, the file and the cause, but not the call.
func inWords(err error) string {
	var cause *fs.PathError
	if !errors.As(err, &cause) {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), cause.Error(), fmt.Sprintf("%s: %v", cause.Path, cause.Err))
}

// hintOf is the error's own hint, or the usual one for the status.
func hintOf(err error, s status) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) && hinted.Hint() != "" {
		return hinted.Hint()
	}
	return usualHint(s)
}

// fail prints err as an error line, the config's line where there is one, and a hint; it returns the exit status.
func (s *streams) fail(err error) int {
	code := exitStatus(err)
	if code == statusDone {
		return int(code)
	}
	if errors.Is(err, context.Canceled) && code == statusFault {
		code = statusSignal + status(syscall.SIGINT)
	}
	var faults data.Faults
	if errors.As(err, &faults) {
		for _, fault := range faults[:len(faults)-1] {
			fmt.Fprintf(s.err, "dptrain: error: %s\n", fault)
		}
	}
	fmt.Fprintf(s.err, "dptrain: error: %s\n", oneLine(inWords(err)))
	var located *configError
	if errors.As(err, &located) {
		fmt.Fprint(s.err, located.excerpt())
	}
	if hint := hintOf(err, code); hint != "" {
		fmt.Fprintf(s.err, "dptrain: hint: %s\n", oneLine(hint))
	}
	return int(code)
}

// warn prints a warning line.
func (s *streams) warn(format string, args ...any) {
	fmt.Fprintf(s.err, "dptrain: warning: %s\n", oneLine(fmt.Sprintf(format, args...)))
}

// warnOfPlan prints the linter's warnings, each with its place in the config and where it is explained.
func (s *streams) warnOfPlan(cfg *config, warnings []train.Warning) {
	for _, w := range warnings {
		place := ""
		if w.Key != "" {
			place = cfg.place(w.Key) + ": "
		}
		s.warn("%s%s (dptrain explain %s)", place, w, w.Code)
	}
}

// oneLine keeps a message on one line.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", "; ") }
