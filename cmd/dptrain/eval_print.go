package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"

	"dptrain/internal/train"
	"dptrain/internal/train/sheet"
)

// printEval prints metrics for people.
func printEval(out io.Writer, r *evalResult) error {
	w := newPage(out)
	fmt.Fprintf(w, "rows\t%d\n", r.Rows)
	for _, m := range []struct {
		name  string
		value *float64
	}{
		{"accuracy", r.Accuracy}, {"balanced accuracy", r.BalancedAccuracy}, {"macro F1", r.MacroF1}, {"log loss", r.LogLoss},
		{"AUC", r.AUC}, {"average precision", r.AveragePrecision}, {"calibration error", r.CalibrationError},
	} {
		if m.value != nil || r.Epsilon == nil {
			fmt.Fprintf(w, "%s\t%s\n", m.name, show(m.value))
		}
	}
	fmt.Fprintln(w, "\nclass\tprecision\trecall\tF1\trows")
	for _, c := range r.Classes {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", sheet.Clean(c.Name), show(c.Precision), show(c.Recall), show(c.F1), c.Support)
	}
	printConfusion(w, r.Metrics)
	if r.Calibration != nil {
		fmt.Fprintln(w, "\nconfidence\tmean\taccuracy\trows")
		for _, b := range r.Calibration {
			if b.Rows > 0 {
				fmt.Fprintf(w, "%.2f to %.2f\t%s\t%s\t%d\n", b.Low, b.High, show(b.Confidence), show(b.Accuracy), b.Rows)
			}
		}
	}
	if len(r.By) > 0 {
		fmt.Fprintf(w, "\n%s\taccuracy\tlog loss\tAUC\trows\n", sheet.Clean(r.ByColumn))
		for _, g := range r.By {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", groupName(g.Group), show(g.Accuracy), show(g.LogLoss), show(g.AUC), g.Rows)
		}
	}
	if gap := r.LargestGap; gap != nil {
		fmt.Fprintf(w, "\nlargest gap\t%.4f in accuracy, between %s and %s (groups of at least %d rows)\n",
			gap.Accuracy, groupName(gap.Best), groupName(gap.Worst), gap.MinRows)
	}
	if r.Epsilon != nil {
		fmt.Fprintf(w, "\nprivacy\tε = %g for the rows of this table, for these figures alone\n", *r.Epsilon)
	}
	fmt.Fprintf(w, "\nnote: %s\n", r.Note)
	return w.Flush()
}

// printConfusion prints the whole matrix of a few classes, and the commonest confusions of many.
func printConfusion(w io.Writer, m *train.Metrics) {
	const most = 10
	if len(m.Classes) <= most {
		fmt.Fprint(w, "\ntrue \\ predicted")
		for _, c := range m.Classes {
			fmt.Fprintf(w, "\t%s", short(c.Name))
		}
		for i, row := range m.Confusion {
			fmt.Fprintf(w, "\n%s", short(m.Classes[i].Name))
			for _, n := range row {
				fmt.Fprintf(w, "\t%d", n)
			}
		}
		fmt.Fprintln(w)
		return
	}
	type pair struct{ is, said, rows int }
	var pairs []pair
	for i, row := range m.Confusion {
		for j, n := range row {
			if i != j && n > 0 {
				pairs = append(pairs, pair{i, j, n})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(b.rows, a.rows) })
	fmt.Fprintln(w, "\nmost often confused\tpredicted as\trows")
	for _, p := range pairs[:min(most, len(pairs))] {
		fmt.Fprintf(w, "%s\t%s\t%d\n", sheet.Clean(m.Classes[p.is].Name), sheet.Clean(m.Classes[p.said].Name), p.rows)
	}
}

// groupName is the cell that a group shares; the empty one, which a line would not show, is in quotes.
func groupName(cell string) string {
	if cell == "" {
		return `""`
	}
	return sheet.Clean(cell)
}

// short is a name of at most 16 characters.
func short(name string) string {
	const most = 16
	if runes := []rune(sheet.Clean(name)); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return sheet.Clean(name)
}

// show is a metric with four digits, or a dash.
func show(x *float64) string {
	if x == nil {
		return "-"
	}
	return strconv.FormatFloat(*x, 'f', 4, 64)
}
