package main

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train/sheet"
)

// printTradeoff prints the result for people.
func printTradeoff(s *streams, r *tradeoffResult) error {
	w := newPage(s.out)
	fmt.Fprintln(w, "ε\taccuracy\tAUC\tlog loss")
	row := func(name string, p *tradeoffPoint) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", name, p.Accuracy.text(100, 2), p.AUC.text(1, 4), p.LogLoss.text(1, 4))
	}
	for i := range r.Points {
		row(accounting.FormatUp(*r.Points[i].Epsilon, 4), &r.Points[i])
	}
	row("no privacy", &r.NoPrivacy)
	fmt.Fprintf(w, "always %s\t%.2f\t0.5000\t%.4f\n\n", sheet.Clean(r.Majority.Class), 100*r.Majority.Accuracy, r.Majority.LogLoss)
	if r.Runs > 1 {
		fmt.Fprintf(w, "mean ± standard deviation of %d runs\n\n", r.Runs)
	}
	for _, sentence := range r.Sentences {
		fmt.Fprintln(w, sentence)
	}
	total := "no bound on ε"
	if r.TotalEpsilon != nil {
		total = fmt.Sprintf("ε = %s at δ = %g", accounting.FormatUp(*r.TotalEpsilon, 4), r.Delta)
	}
	fmt.Fprintf(w, "\n%s\n%s: in all %s for a row; the one without privacy has no bound: keep this to public or held-out data\n",
		r.Note, sheet.Count(len(r.Points)*r.Runs, "private run"), total)
	return w.Flush()
}

// text is the figure times a factor, with its spread.
func (x *spread) text(factor float64, digits int) string {
	if len(x.Values) == 0 {
		return "-"
	}
	if x.SD == nil {
		return fmt.Sprintf("%.*f", digits, factor*x.Mean)
	}
	return fmt.Sprintf("%.*f ± %.*f", digits, factor*x.Mean, digits, factor**x.SD)
}

// drawTradeoff draws accuracy, AUC and log loss over ε, side by side.
func (o *tradeoffOptions) drawTradeoff(r *tradeoffResult) error {
	accuracy := r.Majority.Accuracy
	var panels []*plot.Plot
	for _, panel := range []struct {
		name   string
		figure func(*tradeoffPoint) *spread
		always *float64
	}{
		{"accuracy", func(p *tradeoffPoint) *spread { return &p.Accuracy }, &accuracy},
		{"AUC", func(p *tradeoffPoint) *spread { return &p.AUC }, nil},
		{"log loss", func(p *tradeoffPoint) *spread { return &p.LogLoss }, nil},
	} {
		p, err := tradeoffPanel(r, panel.name, panel.figure, panel.always)
		if err != nil {
			return err
		}
		panels = append(panels, p)
	}
	panels[1].Title.Text = "exploration: no promise is made to anybody"
	for _, p := range panels {
		p.Title.TextStyle.Font.Size, p.Title.Padding = vg.Points(9), vg.Points(6)
		p.Title.TextStyle.Color = color.Gray{Y: 0x55}
		if p.Title.Text == "" {
			p.Title.Text = " " // so that the panels stay level
		}
	}
	return savePlot("--plot", o.plot, 12*vg.Inch, 3.9*vg.Inch, panels...)
}

// tradeoffPanel is one figure over ε: every run a dot, their mean a line, and what there is without privacy.
func tradeoffPanel(r *tradeoffResult, name string, figure func(*tradeoffPoint) *spread, always *float64) (*plot.Plot, error) {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = fmt.Sprintf("ε at δ = %g", r.Delta), name
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, epsilonTicks(r.Points)
	p.Y.Tick.Marker = exactTicks{}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{Y: 0xe4}, color.Gray{Y: 0xe4}
	p.Add(grid)
	var means, runs plotter.XYs
	low, high := math.Inf(1), math.Inf(-1)
	for i := range r.Points {
		x := figure(&r.Points[i])
		if len(x.Values) == 0 {
			continue
		}
		means = append(means, plotter.XY{X: *r.Points[i].Epsilon, Y: x.Mean})
		for _, v := range x.Values {
			runs = append(runs, plotter.XY{X: *r.Points[i].Epsilon, Y: v})
		}
		low, high = math.Min(low, *r.Points[i].Epsilon), math.Max(high, *r.Points[i].Epsilon)
	}
	if len(means) == 0 {
		return p, nil
	}
	p.X.Min, p.X.Max = low/1.25, high*1.25
	blue, orange := plotColors()[0], plotColors()[1]
	line, dots, err := plotter.NewLinePoints(means)
	if err != nil {
		return nil, err
	}
	line.Color, line.Width = blue, vg.Points(1.8)
	dots.GlyphStyle = draw.GlyphStyle{Color: blue, Radius: vg.Points(3), Shape: draw.CircleGlyph{}}
	cloud, err := plotter.NewScatter(runs)
	if err != nil {
		return nil, err
	}
	cloud.GlyphStyle = draw.GlyphStyle{Color: color.NRGBA{R: blue.R, G: blue.G, B: blue.B, A: 0x60}, Radius: vg.Points(2), Shape: draw.CircleGlyph{}}
	p.Add(cloud, line, dots)
	p.Legend.Add("private", line, dots)
	level := func(label string, y float64, c color.Color, dashes ...vg.Length) error {
		flat, err := plotter.NewLine(plotter.XYs{{X: p.X.Min, Y: y}, {X: p.X.Max, Y: y}})
		if err != nil {
			return err
		}
		flat.Color, flat.Width, flat.Dashes = c, vg.Points(1.4), dashes
		p.Add(flat)
		p.Legend.Add(label, flat)
		return nil
	}
	if x := figure(&r.NoPrivacy); len(x.Values) > 0 {
		if err := level("no privacy", x.Mean, orange, vg.Points(5), vg.Points(3)); err != nil {
			return nil, err
		}
	}
	if always != nil {
		if err := level("majority class", *always, color.Gray{Y: 0x77}, vg.Points(1.5), vg.Points(3)); err != nil {
			return nil, err
		}
	}
	p.Y.Padding, p.Legend.Padding = vg.Points(6), vg.Points(3)
	p.Legend.Top, p.Legend.XOffs, p.Legend.YOffs = name == "log loss", vg.Points(-6), vg.Points(8)
	if p.Legend.Top {
		p.Legend.YOffs = vg.Points(-8)
	}
	return p, nil
}

// epsilonTicks are ticks at the values of ε that were trained at, labelled where there is room on a logarithmic axis.
func epsilonTicks(points []tradeoffPoint) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	labelled := 0.0
	for i := range points {
		tick := plot.Tick{Value: *points[i].Epsilon}
		if tick.Value >= 1.25*labelled {
			tick.Label, labelled = accounting.FormatUp(tick.Value, 3), tick.Value
		}
		ticks = append(ticks, tick)
	}
	return ticks
}
