package main

import (
	"fmt"
	"runtime"
	"strconv"

	"github.com/spf13/pflag"

	"dptrain/internal/train"
)

// workers is the flag --workers.
type workers struct {
	count int
	given bool
}

// maxWorkers bounds the memory that a mistyped --workers asks for.
const maxWorkers = 1024

// addFlag adds the flag; purpose says what `N` goroutines are for.
func (w *workers) addFlag(f *pflag.FlagSet, purpose string) {
	f.Var(w, "workers", purpose+" (default: what pays)")
}

func (w *workers) Set(text string) (err error) {
	w.given = true
	if w.count, err = strconv.Atoi(text); err != nil {
		return fmt.Errorf("not a number")
	}
	return nil
}

func (w *workers) Type() string { return "int" }

func (w *workers) String() string {
	if !w.given {
		return ""
	}
	return strconv.Itoa(w.count)
}

func (w *workers) check() error {
	if w.given && (w.count < 1 || w.count > maxWorkers) {
		return usage("leave --workers out to use every processor", "--workers is %d, want 1 to %d", w.count, maxWorkers)
	}
	return nil
}

// of is the number of goroutines for a plan.
func (w *workers) of(p *train.Plan) int {
	if w.given {
		return w.count
	}
	return p.Workers(runtime.GOMAXPROCS(0))
}
