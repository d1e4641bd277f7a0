package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A patientWriter drops what is written in the first moments of a bar: what is over by then needs none, and rates measured
// over less say nothing.
type patientWriter struct {
	w     io.Writer
	began time.Time
}

func (p *patientWriter) Write(text []byte) (int, error) {
	if time.Since(p.began) < 200*time.Millisecond {
		return len(text), nil
	}
	return p.w.Write(text)
}

// progress shows steps, rate, time left and which part of the run's ε the steps so far would cost; never anything computed
// from records. A nil progress shows nothing.
type progress struct {
	bar   *progressbar.ProgressBar
	total int
	price func(steps int) (float64, bool)
	shown int // percent
}

// progressOptions say what is shown.
type progressOptions struct {
	off      bool
	hideRate bool                            // rate and time left tell of the number of rows: hide them where it is private
	price    func(steps int) (float64, bool) // ε of a number of steps, if there is one
}

// newProgress returns a progress bar for steps on w, or nil where w is not a terminal or the user wants none.
func newProgress(w io.Writer, steps int, o progressOptions) *progress {
	f, ok := w.(*os.File)
	if o.off || !ok || steps == 0 || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &progress{bar: newBar(f, steps, o.hideRate), total: steps, price: o.price}
}

// newBar returns a bar that draws on w.
func newBar(w io.Writer, steps int, hideRate bool) *progressbar.ProgressBar {
	options := []progressbar.Option{
		progressbar.OptionSetWriter(&patientWriter{w, time.Now()}),
		progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(!hideRate),
		progressbar.OptionSetElapsedTime(!hideRate),
		progressbar.OptionSetWidth(barWidth(w)),
	}
	if !hideRate {
		options = append(options, progressbar.OptionShowIts(), progressbar.OptionSetItsString("steps"))
	}
	return progressbar.NewOptions(steps, options...)
}

// barWidth is the width of a bar beside which ε, steps, rate and time left fit on a line of the terminal.
func barWidth(w io.Writer) int {
	const widest, beside = 24, 62
	if width := terminalWidth(w); width > 0 {
		return min(widest, max(1, width-beside))
	}
	return widest
}

// loading shows how much of a table is read. A nil loading shows nothing.
type loading struct {
	w   io.Writer
	bar *progressbar.ProgressBar // from the first read on, when the size is known
}

// newLoading returns a progress bar for reading on w, or nil where w is not a terminal.
func newLoading(w io.Writer) *loading {
	if f, ok := w.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &loading{w: w}
}

// read says that so many bytes of total are read; a total of 0 is unknown.
func (l *loading) read(done, total int64) {
	if l == nil {
		return
	}
	if l.bar == nil {
		if total == 0 {
			total = -1
		}
		l.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(&patientWriter{l.w, time.Now()}),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetDescription("reading"),
			progressbar.OptionShowBytes(true),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetWidth(24),
		)
	}
	_ = l.bar.Set64(done) // a bar that cannot be drawn must not stop a command
}

// clear removes the bar.
func (l *loading) clear() {
	if l != nil && l.bar != nil {
		_ = l.bar.Finish()
	}
}

// step says that done steps have been run.
func (p *progress) step(done int) {
	if p == nil {
		return
	}
	_ = p.bar.Set(done) // a bar that cannot be drawn must not stop a fit
	if percent := 100 * done / p.total; percent != p.shown || p.shown == 0 {
		p.shown = percent
		epsilon, ok := p.price(done)
		if whole, planned := p.price(p.total); ok && planned {
			p.bar.Describe(fmt.Sprintf("ε %.3g of %.3g", epsilon, whole))
		}
	}
}

// clear removes the bar.
func (p *progress) clear() {
	if p != nil {
		_ = p.bar.Finish()
	}
}
