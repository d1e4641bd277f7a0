package main

import (
	"bytes"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// savePlot draws panels side by side into the file that a flag names, as SVG or PNG by its ending.
func savePlot(flag, path string, width, height vg.Length, panels ...*plot.Plot) error {
	for _, p := range panels {
		for _, style := range []*draw.TextStyle{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
			style.Font.Variant = "Sans"
		}
	}
	var content bytes.Buffer
	var err error
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".svg":
		c := vgsvg.New(width, height)
		drawPanels(draw.New(c), panels...)
		_, err = c.WriteTo(&content)
	case ".png":
		c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(200))
		drawPanels(draw.New(c), panels...)
		_, err = vgimg.PngCanvas{Canvas: c}.WriteTo(&content)
	default:
		return usage("a name that ends in .svg or .png", "%s ends in %q", flag, ext)
	}
	if err != nil {
		return err
	}
	return writeResult(path, content.Bytes())
}

// drawPanels draws plots side by side on c.
func drawPanels(c draw.Canvas, panels ...*plot.Plot) {
	tiles := draw.Tiles{Rows: 1, Cols: len(panels), PadX: vg.Points(24), PadTop: vg.Points(8), PadBottom: vg.Points(8), PadLeft: vg.Points(8), PadRight: vg.Points(14)}
	for i, canvas := range plot.Align([][]*plot.Plot{panels}, tiles, c)[0] {
		panels[i].Draw(canvas)
	}
}
