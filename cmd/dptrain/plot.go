package main

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"dptrain/internal/privacy/accounting"
)

// The size of a plot: two panels side by side.
const (
	plotWidth  = 9 * vg.Inch
	plotHeight = 3.6 * vg.Inch
)

// drawPlot writes what --plot asks for: ε over the steps at the run's σ, and ε over σ at the run's steps.
func (o *epsilonOptions) drawPlot(run *priced) error {
	if o.plot == "" {
		return nil
	}
	if run.delta == 0 || run.steps == 0 {
		return usage("state --delta and at least one step", "--plot has nothing to draw")
	}
	if err := readyFile(o.plot, o.fresh); err != nil {
		return err
	}
	left, err := o.stepsPanel(run)
	if err != nil {
		return err
	}
	right, err := o.sigmaPanel(run)
	if err != nil {
		return err
	}
	return savePlot("--plot", o.plot, plotWidth, plotHeight, left, right)
}

// stepsPanel is ε over up to 60 numbers of steps.
func (o *epsilonOptions) stepsPanel(run *priced) (*plot.Plot, error) {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = fmt.Sprintf("steps at σ = %.4g", run.sigma), fmt.Sprintf("ε at δ = %g", run.delta)
	p.X.Min, p.Y.Min = 0, 0
	p.X.Tick.Marker, p.Y.Tick.Marker = exactTicks{}, exactTicks{}
	const most = 60
	at := func(i int) (x float64, event accounting.Event) {
		steps := int(math.Ceil(float64(run.steps) * float64(i) / most))
		return float64(steps), run.event(steps)
	}
	return p, o.addLines(p, run, float64(run.steps), most, at)
}

// sigmaPanel is ε over σ, from half of the run's to twice it.
func (o *epsilonOptions) sigmaPanel(run *priced) (*plot.Plot, error) {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = fmt.Sprintf("noise multiplier σ at %d steps", run.steps), fmt.Sprintf("ε at δ = %g", run.delta)
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = decimalTicks{}, decimalTicks{}
	const most = 40
	at := func(i int) (x float64, event accounting.Event) {
		sigma := run.sigma * math.Exp2(2*float64(i)/most-1)
		return sigma, dpsgd(run.q, sigma, run.steps)
	}
	return p, o.addLines(p, run, run.sigma, most, at)
}

// addLines adds ε at points 1 to most, by the run's accountant and by RDP where that is another one with an answer, and a dot where the
// run itself is, at x.
func (o *epsilonOptions) addLines(p *plot.Plot, run *priced, x float64, most int, at func(i int) (float64, accounting.Event)) error {
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{Y: 0xdd}, color.Gray{Y: 0xdd}
	p.Add(grid)
	p.Legend.Top, p.Legend.Left = true, p.X.Min == 0
	p.Legend.Padding, p.Legend.YOffs = vg.Points(3), vg.Points(-4)
	if err := o.addDot(p, run, x); err != nil {
		return err
	}
	if err := addLine(p, run.accountant, run.delta, most, at, draw.LineStyle{
		Color: color.RGBA{R: 0x1b, G: 0x5e, B: 0x9e, A: 0xff}, Width: vg.Points(1.6),
	}); err != nil || run.accountant.Name() == "rdp" || o.given("group-size") {
		return err
	}
	second, err := accounting.New("rdp", run.adjacency)
	if err != nil {
		return err
	}
	return addLine(p, second, run.delta, most, at, draw.LineStyle{
		Color: color.RGBA{R: 0xc0, G: 0x56, B: 0x21, A: 0xff}, Width: vg.Points(1.6), Dashes: []vg.Length{vg.Points(4), vg.Points(3)},
	})
}

// addDot marks the run itself, where its ε is finite.
func (o *epsilonOptions) addDot(p *plot.Plot, run *priced, x float64) error {
	interval, err := run.epsilon(run.accountant, run.steps)
	if err != nil || !(interval.Upper > 0) || math.IsInf(interval.Upper, 1) {
		return err
	}
	dot, err := plotter.NewScatter(plotter.XYs{{X: x, Y: interval.Upper}})
	if err != nil {
		return err
	}
	dot.GlyphStyle = draw.GlyphStyle{Shape: draw.CircleGlyph{}, Radius: vg.Points(4), Color: color.RGBA{R: 0x1b, G: 0x5e, B: 0x9e, A: 0xff}}
	p.Add(dot)
	p.Legend.Add(fmt.Sprintf("this run: ε = %s", accounting.FormatUp(interval.Upper, 4)), dot)
	return nil
}

// addLine adds the upper ends of ε by one accountant; points where it has no finite answer are left out.
func addLine(p *plot.Plot, a accounting.Accountant, delta float64, most int, at func(i int) (float64, accounting.Event), style draw.LineStyle) error {
	points := make(plotter.XYs, 0, most)
	for i := 1; i <= most; i++ {
		x, event := at(i)
		interval, err := a.Epsilon(event, delta)
		var unsupported *accounting.UnsupportedError
		if errors.As(err, &unsupported) {
			return nil
		}
		if err != nil {
			return err
		}
		if y := interval.Upper; y > 0 && !math.IsInf(y, 1) {
			points = append(points, plotter.XY{X: x, Y: y})
		}
	}
	if len(points) == 0 {
		return nil
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return err
	}
	line.LineStyle = style
	p.Add(line)
	p.Legend.Add(strings.ToUpper(a.Name())+", upper bound", line)
	return nil
}

// exactTicks are the usual ticks of a linear axis, labelled with all their digits: the library's own labels make 0.318 of 0.3175.
type exactTicks struct{}

func (exactTicks) Ticks(low, high float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(low, high)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = fmt.Sprintf("%.6g", ticks[i].Value)
		}
	}
	return ticks
}

// decimalTicks are ticks of a logarithmic axis at the digits, labelled at 1, 2 and 5 or, within one power of ten, at all.
type decimalTicks struct{}

func (decimalTicks) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for power := math.Floor(math.Log10(low)); power <= math.Ceil(math.Log10(high)); power++ {
		for digit := 1.0; digit < 10; digit++ {
			value := digit * math.Pow(10, power)
			if power < 0 {
				value = digit / math.Pow(10, -power) // the double nearest to it, which 7 × 0.1 is not
			}
			if value < low || value > high {
				continue
			}
			tick := plot.Tick{Value: value}
			if high < 10*low || digit == 1 || digit == 2 || digit == 5 {
				tick.Label = fmt.Sprintf("%g", value)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}
