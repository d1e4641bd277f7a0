package sheet

import (
	"fmt"
	"math"
	"strings"

	"dptrain/internal/privacy/accounting"
)

// A Chart is a curve in a frame, in the units of an SVG of width 460 and height 260.
type Chart struct {
	Title, X, Y  string
	Summary      string // in words, for who does not see it
	Left, Right  float64
	Top, Bottom  float64
	XTicks       []Tick
	YTicks       []Tick
	Line, Area   string // paths
	AtX, AtY     float64
	AtLabel      string
	LabelX       float64
	LabelY       float64
	LabelAnchor  string
	TitleX, MidY float64
}

// A Tick is a mark on an axis.
type Tick struct {
	At    float64
	Label string
}

// newChart returns the frame of a chart.
func newChart(title, x, y string) *Chart {
	c := &Chart{Title: title, X: x, Y: y, Left: 58, Right: 448, Top: 14, Bottom: 214}
	c.TitleX, c.MidY = (c.Left+c.Right)/2, (c.Top+c.Bottom)/2
	return c
}

// plot sets the curve through points given as shares [0, 1] of the axes, and marks one of them.
func (c *Chart) plot(points [][2]float64, mark [2]float64, label string) {
	var line strings.Builder
	for i, p := range points {
		command := "L"
		if i == 0 {
			command = "M"
		}
		x, y := c.place(p)
		fmt.Fprintf(&line, "%s%.1f %.1f", command, x, y)
	}
	c.Line = line.String()
	if len(points) > 0 {
		first, _ := c.place(points[0])
		last, _ := c.place(points[len(points)-1])
		c.Area = fmt.Sprintf("%sL%.1f %.1fL%.1f %.1fZ", c.Line, last, c.Bottom, first, c.Bottom)
	}
	c.AtX, c.AtY = c.place(mark)
	c.AtLabel = label
	c.LabelX, c.LabelY, c.LabelAnchor = c.AtX+10, c.AtY-10, "start"
	if c.AtX > c.TitleX {
		c.LabelX, c.LabelAnchor = c.AtX-8, "end"
	}
	c.LabelY = math.Max(c.LabelY, c.Top+12)
}

func (c *Chart) place(p [2]float64) (x, y float64) {
	clamp := func(v float64) float64 { return math.Min(1, math.Max(0, v)) }
	return c.Left + clamp(p[0])*(c.Right-c.Left), c.Bottom - clamp(p[1])*(c.Bottom-c.Top)
}

// DeltaChart is δ over ε, or nil where there is no curve.
func (s *Sheet) DeltaChart() *Chart {
	if len(s.Check.Deltas) < 2 {
		return nil
	}
	claimed := *s.Report.Epsilon
	top := niceTop(2 * claimed)
	bottom := math.Floor(math.Log10(math.Max(s.Report.Delta, 1e-12))) - 2
	c := newChart("The chance that the bound fails, over the bound", "ε", "δ")
	level := func(delta float64) float64 { return 1 - math.Log10(math.Max(delta, 1e-300))/bottom }
	var points [][2]float64
	for _, p := range s.Check.Deltas {
		if x, y := p.Epsilon/top, level(p.Delta); x <= 1 && y >= 0 {
			points = append(points, [2]float64{x, y})
		}
	}
	c.plot(points, [2]float64{claimed / top, level(s.Report.Delta)},
		fmt.Sprintf("ε %s, δ %s", accounting.FormatUp(claimed, 4), power(s.Report.Delta)))
	c.XTicks = c.linearTicks(top, true)
	step := math.Max(1, math.Ceil(-bottom/4))
	for e := 0.0; e >= bottom; e -= step {
		_, y := c.place([2]float64{0, 1 - e/bottom})
		label := power(math.Pow(10, e))
		if e > -3 {
			label = fmt.Sprintf("%g", math.Pow(10, e))
		}
		c.YTicks = append(c.YTicks, Tick{y, label})
	}
	c.Summary = fmt.Sprintf("Each pair of ε and δ on the curve holds; ε %s at δ %s is the one that is claimed.", accounting.FormatUp(claimed, 4), power(s.Report.Delta))
	return c
}

// StepsChart is ε over the steps, or nil where there is no curve.
func (s *Sheet) StepsChart() *Chart {
	if len(s.Check.Steps) < 2 {
		return nil
	}
	last := s.Check.Steps[len(s.Check.Steps)-1]
	top, steps := niceTop(last.Epsilon*1.08), float64(last.Steps)
	c := newChart("What the steps cost together", "steps", "ε")
	var points [][2]float64
	for _, p := range s.Check.Steps {
		points = append(points, [2]float64{float64(p.Steps) / steps, p.Epsilon / top})
	}
	c.plot(points, [2]float64{1, last.Epsilon / top}, fmt.Sprintf("ε %s after %s", accounting.FormatUp(last.Epsilon, 4), Count(last.Steps, "step")))
	c.LabelY = math.Max(c.Top+12, c.AtY-12)
	c.XTicks, c.YTicks = c.linearTicks(steps, true), c.linearTicks(top, false)
	c.Summary = fmt.Sprintf("ε grows with the steps to %s after %d of them.", accounting.FormatUp(last.Epsilon, 4), last.Steps)
	return c
}

// niceTop is the least round number that is not below x.
func niceTop(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, factor := range []float64{1, 1.5, 2, 2.5, 3, 4, 5, 6, 8} {
		if factor*power >= x*(1-1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// linearTicks are up to six round marks from 0 to top.
func (c *Chart) linearTicks(top float64, horizontal bool) (ticks []Tick) {
	step := niceTop(top / 5)
	for v := 0.0; v <= top*(1+1e-9); v += step {
		x, y := c.place([2]float64{v / top, v / top})
		at := y
		if horizontal {
			at = x
		}
		ticks = append(ticks, Tick{at, fmt.Sprintf("%.4g", v)})
	}
	return ticks
}

// Gauge is where ε stands on a logarithmic scale from 0.01 to 100, as a percentage of its length.
func (s *Sheet) Gauge() float64 {
	if s.Report.Epsilon == nil {
		return 100
	}
	return 100 * math.Min(1, math.Max(0, (math.Log10(*s.Report.Epsilon)+2)/4))
}

// AttackPercent is the bound on an attack's success with 1 % false alarms, in per cent.
func (s *Sheet) AttackPercent() float64 {
	if s.Report.Claim.AttackSuccess == nil {
		return 100
	}
	return math.Min(100, math.Max(1, 100**s.Report.Claim.AttackSuccess))
}
