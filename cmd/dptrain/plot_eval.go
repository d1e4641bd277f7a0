package main

import (
	"fmt"
	"image/color"
	"math"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"dptrain/internal/train"
)

// plotFiles are the files that --plot DIR asks for. Curves are functions of single rows: beside noisy counts there are none.
func (o *evalOptions) plotFiles() (paths []string) {
	if o.plot == "" {
		return nil
	}
	names := []string{"roc", "precision_recall", "calibration", "confusion"}
	if o.noisy {
		names = names[3:]
	}
	for _, name := range names {
		paths = append(paths, filepath.Join(o.plot, name+".svg"), filepath.Join(o.plot, name+".png"))
	}
	return paths
}

// drawPlots writes the plots.
func (o *evalOptions) drawPlots(e *evaluation, r *evalResult) error {
	drawn := map[string]func() (*plot.Plot, error){
		"roc": func() (*plot.Plot, error) {
			return e.curvePlot("false positive rate", "true positive rate", "AUC "+show(r.AUC), train.Ranks.ROC, true)
		},
		"precision_recall": func() (*plot.Plot, error) {
			return e.curvePlot("recall", "precision", "average precision "+show(r.AveragePrecision), train.Ranks.PrecisionRecall, false)
		},
		"calibration": func() (*plot.Plot, error) { return calibrationPlot(r.Metrics) },
		"confusion":   func() (*plot.Plot, error) { return confusionPlot(r.Metrics), nil },
	}
	for _, path := range o.plotFiles() {
		name := filepath.Base(path[:len(path)-len(filepath.Ext(path))])
		p, err := drawn[name]()
		if err != nil {
			return err
		}
		side := 5 * vg.Inch
		if name == "confusion" {
			side = vg.Length(math.Max(5, math.Min(16, 2.5+0.3*float64(len(r.Classes))))) * vg.Inch
		}
		if err := savePlot("--plot", path, side, side, p); err != nil {
			return err
		}
	}
	return nil
}

// squarePlot is a frame from 0 to 1 both ways.
func squarePlot(x, y string) *plot.Plot {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	p.Title.Padding = vg.Points(8)
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{Y: 0xe4}, color.Gray{Y: 0xe4}
	p.Add(grid)
	return p
}

// diagonal is the line of chance, or of perfect calibration.
func diagonal(p *plot.Plot) error {
	line, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}})
	if err != nil {
		return err
	}
	line.Color, line.Dashes = color.Gray{Y: 0x99}, []vg.Length{vg.Points(4), vg.Points(4)}
	p.Add(line)
	return nil
}

// plotColors tell up to ten curves apart, also for people who see few colours (Okabe and Ito 2008, and two more).
func plotColors() []color.RGBA {
	return []color.RGBA{
		{0x1b, 0x5e, 0x9e, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff}, {0xe6, 0x9f, 0x00, 0xff},
		{0x56, 0xb4, 0xe9, 0xff}, {0x7a, 0x5c, 0x2e, 0xff}, {0x44, 0x44, 0x44, 0xff}, {0x8e, 0x7c, 0xc3, 0xff}, {0x9a, 0xb5, 0x2f, 0xff},
	}
}

// curvePlot draws a curve for each class of a few, and for class 1 of two.
func (e *evaluation) curvePlot(x, y, title string, curve func(train.Ranks) [][2]float64, chance bool) (*plot.Plot, error) {
	p := squarePlot(x, y)
	p.Title.Text = title
	if chance {
		if err := diagonal(p); err != nil {
			return nil, err
		}
	}
	classes := e.model.Schema.Classes()
	rankings := train.Rankings(e.probabilities, e.labels, len(classes))
	for i, ranks := range rankings {
		name := classes[i]
		if len(classes) == 2 {
			name = classes[1]
		}
		points := curve(ranks)
		if points == nil {
			continue
		}
		line, err := plotter.NewLine(thin(points))
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = plotColors()[i%len(plotColors())], vg.Points(1.7)
		if len(rankings) > len(plotColors()) { // too many to tell apart: a bundle
			line.Color, line.Width = color.NRGBA{R: 0x1b, G: 0x5e, B: 0x9e, A: 0x50}, vg.Points(0.8)
		} else {
			p.Legend.Add(short(name), line)
		}
		p.Add(line)
	}
	p.Legend.Padding = vg.Points(3)
	p.Legend.XOffs, p.Legend.YOffs, p.Legend.Left = vg.Points(-6), vg.Points(6), !chance
	if !chance {
		p.Legend.XOffs = vg.Points(6)
	}
	return p, nil
}

// thin is a curve of at most some hundred points.
func thin(points [][2]float64) (xys plotter.XYs) {
	const most = 600
	stride := max(1, len(points)/most)
	for i := 0; i < len(points); i += stride {
		xys = append(xys, plotter.XY{X: points[i][0], Y: points[i][1]})
	}
	last := points[len(points)-1]
	return append(xys, plotter.XY{X: last[0], Y: last[1]})
}

// calibrationPlot draws accuracy over confidence, a dot for each bin, its area as its rows.
func calibrationPlot(m *train.Metrics) (*plot.Plot, error) {
	p := squarePlot("confidence", "accuracy")
	p.Title.Text = fmt.Sprintf("expected calibration error %s", show(m.CalibrationError))
	if err := diagonal(p); err != nil {
		return nil, err
	}
	var points plotter.XYs
	var sizes []vg.Length
	for _, b := range m.Calibration {
		if b.Rows > 0 {
			points = append(points, plotter.XY{X: *b.Confidence, Y: *b.Accuracy})
			sizes = append(sizes, vg.Points(2.5+14*math.Sqrt(float64(b.Rows)/float64(m.Rows))))
		}
	}
	if len(points) == 0 {
		return p, nil
	}
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return nil, err
	}
	line.Color, line.Width = plotColors()[0], vg.Points(1.7)
	dots.GlyphStyleFunc = func(i int) draw.GlyphStyle {
		return draw.GlyphStyle{Color: color.NRGBA{R: 0x1b, G: 0x5e, B: 0x9e, A: 0xb0}, Radius: sizes[i], Shape: draw.CircleGlyph{}}
	}
	p.Add(line, dots)
	return p, nil
}

// confusionPlot draws the confusion matrix, each row of it shaded by its share.
func confusionPlot(m *train.Metrics) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.Title.Padding = "rows, shaded by share of the true class", vg.Points(8)
	p.X.Label.Text, p.Y.Label.Text = "predicted", "true"
	k := len(m.Classes)
	var names []plot.Tick
	longest := 0
	for i, c := range m.Classes {
		names = append(names, plot.Tick{Value: float64(i), Label: short(c.Name)})
		longest = max(longest, len(names[i].Label))
	}
	upside := make([]plot.Tick, k)
	for i, tick := range names {
		upside[i] = plot.Tick{Value: float64(k - 1 - i), Label: tick.Label}
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(names), plot.ConstantTicks(upside)
	if k*longest > 30 { // no room for them side by side
		p.X.Tick.Label.Rotation = math.Pi / 3
		p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = text.XRight, text.YCenter
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(k)-0.5, -0.5, float64(k)-0.5
	p.X.Padding, p.Y.Padding = 0, 0
	p.Add(matrix{m})
	return p
}

// matrix is a plotter of confusion matrices.
type matrix struct{ metrics *train.Metrics }

// Plot draws a square for each pair of classes, and its count where there is room.
func (x matrix) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	k := len(x.metrics.Classes)
	style := p.X.Tick.Label
	style.Rotation, style.XAlign, style.YAlign = 0, text.XCenter, text.YCenter
	for i, row := range x.metrics.Confusion {
		for j, n := range row {
			share := 0.0
			if support := x.metrics.Classes[i].Support; support > 0 {
				share = float64(n) / float64(support)
			}
			y := float64(k - 1 - i)
			left, right, bottom, top := toX(float64(j)-0.5), toX(float64(j)+0.5), toY(y-0.5), toY(y+0.5)
			c.FillPolygon(shade(share), []vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}})
			if k <= 12 {
				style.Color = color.Gray{Y: 0x20}
				if share > 0.65 { // from there on white is read more easily than black
					style.Color = color.White
				}
				c.FillText(style, vg.Point{X: toX(float64(j)), Y: toY(y)}, fmt.Sprint(n))
			}
		}
	}
}

// shade goes from nearly white to blue.
func shade(share float64) color.Color {
	mix := func(from, to float64) uint8 { return uint8(from + (to-from)*share) }
	return color.RGBA{R: mix(0xf4, 0x1b), G: mix(0xf7, 0x5e), B: mix(0xfb, 0x9e), A: 0xff}
}
