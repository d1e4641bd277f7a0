package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows steps, rate, time left and the price so far of a stop fixed in advance; never anything computed from
// records. A nil progress shows nothing.
type progress struct {
	bar   *progressbar.ProgressBar
	total int
	price func(steps int) (float64, bool) // ε of a number of steps
	shown int
}

// newProgress returns a progress bar for steps on w, or nil where w is not a terminal or the user wants none.
func newProgress(w io.Writer, steps int, off bool, price func(steps int) (float64, bool)) *progress {
	f, ok := w.(*os.File)
	if off || !ok || steps == 0 || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &progress{
		bar: progressbar.NewOptions(steps,
			progressbar.OptionSetWriter(f),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("steps"),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionFullWidth(),
			progressbar.OptionUseANSICodes(false),
			progressbar.OptionClearOnFinish(),
		),
		total: steps, price: price,
	}
}

// step says that done steps have been run.
func (p *progress) step(done int) {
	if p == nil {
		return
	}
	if percent := 100 * done / p.total; percent != p.shown || done == 1 {
		p.shown = percent
		if epsilon, ok := p.price(done); ok {
			p.bar.Describe(fmt.Sprintf("ε %.3g if fixed here", epsilon))
		}
	}
	_ = p.bar.Set(done) // a bar that cannot be drawn must not stop a fit
}

// clear removes the bar.
func (p *progress) clear() {
	if p != nil {
		_ = p.bar.Finish()
	}
}
