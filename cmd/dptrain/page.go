package main

import (
	"io"
	"os"
	"strings"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// A page sets out results for people. As for text/tabwriter, a tab ends a cell, and the lines between two blank ones are
// set in columns, two blanks apart; a line without a tab is a sentence. Off a terminal nothing is broken. On one that is too
// narrow,
//   - a table, which has three columns or more, goes on below itself, its first column repeated, unless that takes half
//     of the width: the terminal then wraps it;
//   - fields, which have two, stand below their names where too little is left beside them;
//   - sentences and the last cells of lines are broken between words, and go on under their beginning;
//   - a command stays on one line: the terminal wraps it, and it can still be copied.
type page struct {
	out   io.Writer
	width int // of the terminal in characters; 0: there is none
	text  strings.Builder
}

func newPage(out io.Writer) *page { return &page{out: out, width: terminalWidth(out)} }

// terminalWidth is the width in characters of the terminal that w is, or 0.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// Write takes text in; Flush prints it.
func (p *page) Write(text []byte) (int, error) { return p.text.Write(text) }

// Flush prints what was written since the last one.
func (p *page) Flush() error {
	var out strings.Builder
	var block [][]string
	for line := range strings.Lines(p.text.String()) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			p.set(&out, block)
			block = nil
			out.WriteString("\n")
			continue
		}
		block = append(block, strings.Split(line, "\t"))
	}
	p.set(&out, block)
	p.text.Reset()
	_, err := io.WriteString(p.out, out.String())
	return err
}

// gap is what is between two columns.
const gap = 2

// set prints the lines of a block, [lines][cells].
func (p *page) set(out *strings.Builder, block [][]string) {
	// Of each column, the widest cell, and the widest behind which a column follows.
	var all, inner []int
	for _, cells := range block {
		for i, cell := range cells {
			if i == len(all) {
				all, inner = append(all, 0), append(inner, 0)
			}
			if len(cells) > 1 {
				all[i] = max(all[i], uniseg.StringWidth(cell))
			}
			if i < len(cells)-1 {
				inner[i] = max(inner[i], uniseg.StringWidth(cell))
			}
		}
	}
	const narrow = 12 // too little for a field beside its name
	if len(all) == 2 && p.width > 0 && inner[0]+gap+all[1] > p.width && p.width-inner[0]-gap < narrow {
		for _, cells := range block {
			if cells[0] != "" || len(cells) == 1 {
				p.line(out, cells[:1], nil)
			}
			if len(cells) == 2 {
				p.line(out, []string{"", cells[1]}, []int{0})
			}
		}
		return
	}
	for from := 1; from == 1 || from < len(all); {
		to := p.columns(all, from)
		if from > 1 {
			out.WriteString("\n")
		}
		for _, cells := range block {
			switch {
			case from == 1:
				p.line(out, cells[:min(to, len(cells))], inner)
			case len(cells) > from:
				p.line(out, append(cells[:1:1], cells[from:min(to, len(cells))]...), append(inner[:1:1], inner[from:]...))
			}
		}
		from = to
	}
}

// columns is the end of the columns from the one given that fit beside the first: at least one, and all where the first
// is not worth repeating.
func (p *page) columns(widths []int, from int) (to int) {
	if p.width == 0 || len(widths) < 3 || 2*widths[0] > p.width {
		return max(from+1, len(widths))
	}
	taken := widths[0]
	for to = from; to < len(widths); to++ {
		if taken += gap + widths[to]; taken > p.width && to > from {
			break
		}
	}
	return to
}

// line prints one line of cells, each but the last as wide as its column.
func (p *page) line(out *strings.Builder, cells []string, widths []int) {
	last := len(cells) - 1
	indent := 0
	var line strings.Builder
	for i, cell := range cells[:last] {
		line.WriteString(cell + strings.Repeat(" ", widths[i]+gap-uniseg.StringWidth(cell)))
		indent += widths[i] + gap
	}
	text := cells[last]
	if last == 0 {
		indent = len(text) - len(strings.TrimLeft(text, " "))
		line.WriteString(text[:indent])
		text = text[indent:]
	}
	if p.width <= indent || indent+uniseg.StringWidth(text) <= p.width || strings.HasPrefix(text, "dptrain ") {
		out.WriteString(strings.TrimRight(line.String()+text, " ") + "\n")
		return
	}
	column := indent
	for i, word := range strings.Fields(text) {
		width := uniseg.StringWidth(word)
		switch {
		case i == 0:
		case column+1+width > p.width:
			line.WriteString("\n" + strings.Repeat(" ", indent))
			column = indent
		default:
			line.WriteString(" ")
			column++
		}
		line.WriteString(word)
		column += width
	}
	out.WriteString(line.String() + "\n")
}
