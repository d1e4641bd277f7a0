package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/data"
	"dptrain/internal/train"
)

// evalOptions are the flags of eval.
type evalOptions struct {
	model     string
	data      string
	format    string
	failUnder []string
	by        string
	json      bool
}

func (o *evalOptions) addFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.model, "model", "m", "", "the model file")
	f.StringVar(&o.data, "data", "", "the labelled table; - is standard input")
	f.StringVar(&o.format, "format", "", "csv, tsv or jsonl; by default the file's extension decides")
	f.StringArrayVar(&o.failUnder, "fail-under", nil, "metric=value: exit with status 6 where accuracy, auc or log_loss is worse")
	f.StringVar(&o.by, "by", "", "also evaluate the groups of rows that share a value of this column")
	f.BoolVar(&o.json, "json", false, "print the result as one JSON object")
}

func newEvalCommand(s *streams) *cobra.Command {
	var o evalOptions
	c := &cobra.Command{
		Use:   "eval -m MODEL --data TABLE",
		Short: "Evaluate a model on a labelled table",
		Long: `eval applies a model to a labelled table and prints accuracy, log loss, AUC, and
precision and recall of each class. Columns may come in any order, further ones
are ignored, and unknown categories count as other.

The figures are exact. Where the table is private, publishing them is outside
the model's guarantee.

Exit status is 0 when done, 2 for a wrong flag, 4 for a table that is missing or
not as declared, 6 when a --fail-under is not met, and 7 for a file that is no
model of this program.`,
		Example: `  dptrain eval -m runs/quickstart/model.safetensors --data testdata/quickstart/test.csv
  dptrain eval -m runs/adult/model.safetensors --data adult/test.csv --fail-under accuracy=0.85 --json
  dptrain eval -m runs/adult/model.safetensors --data adult/test.csv --by sex`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return runEval(c.Context(), s, &o) },
	}
	o.addFlags(c.Flags())
	return c
}

// evalResult is what eval prints with --json.
type evalResult struct {
	*train.Metrics
	By []groupMetrics `json:"by,omitempty"`
}

// groupMetrics are the metrics of the rows that share a value.
type groupMetrics struct {
	Group string `json:"group"`
	*train.Metrics
}

func runEval(ctx context.Context, s *streams, o *evalOptions) error {
	gates, err := parseGates(o.failUnder)
	if err != nil {
		return err
	}
	model, err := readModel(o.model, o.data, o.format)
	if err != nil {
		return err
	}
	table, err := loadTable(ctx, s, []string{o.data}, model.Schema, data.LoadOptions{Group: o.by})
	if err != nil {
		return err
	}
	probabilities, err := model.Predict(ctx, table)
	if err != nil {
		return interrupted(ctx, err)
	}
	classes := model.Schema.Classes()
	result := evalResult{Metrics: train.Evaluate(probabilities, table.Labels, classes)}
	if table.Groups != nil {
		result.By = evaluateGroups(probabilities, table, classes)
	}
	if o.json {
		err = json.NewEncoder(s.out).Encode(result)
	} else {
		err = printEval(s, &result)
	}
	if err != nil {
		return err
	}
	for _, g := range gates {
		if err := g.check(result.Metrics); err != nil {
			return err
		}
	}
	return nil
}

// readModel reads the model that the flags name; the format, if given, overrides the one the model was trained from.
func readModel(path, table, format string) (*train.Model, error) {
	switch {
	case path == "":
		return nil, usage("fit prints the path of the model it writes", "--model is missing")
	case table == "":
		return nil, usage("name the table with --data", "--data is missing")
	}
	model, err := train.ReadModel(path)
	if err != nil {
		return nil, err
	}
	spec := model.Schema.Spec()
	spec.Format = format // the training table's own format says nothing of this one
	model.Schema, err = data.NewSchema(spec)
	if err != nil {
		return nil, usage("want csv, tsv or jsonl", "--format is %q", format)
	}
	return model, nil
}

// evaluateGroups evaluates each group of rows by itself.
func evaluateGroups(probabilities []float64, table *data.Dataset, classes []string) []groupMetrics {
	k := len(classes)
	p, l := make([][]float64, len(table.Groups.Names)), make([][]int32, len(table.Groups.Names))
	for i, g := range table.Groups.Of {
		p[g] = append(p[g], probabilities[i*k:(i+1)*k]...)
		l[g] = append(l[g], table.Labels[i])
	}
	var groups []groupMetrics
	for g, name := range table.Groups.Names {
		groups = append(groups, groupMetrics{Group: name, Metrics: train.Evaluate(p[g], l[g], classes)})
	}
	return groups
}

// A gate is a --fail-under.
type gate struct {
	metric string
	bound  float64
}

// metrics names what a gate can hold, and whether less of it is better.
func gateMetric(m *train.Metrics, name string) (value *float64, lessIsBetter, known bool) {
	switch name {
	case "accuracy":
		return m.Accuracy, false, true
	case "auc":
		return m.AUC, false, true
	case "log_loss":
		return m.LogLoss, true, true
	}
	return nil, false, false
}

func parseGates(args []string) ([]gate, error) {
	var gates []gate
	for _, arg := range args {
		name, text, found := strings.Cut(arg, "=")
		bound, err := strconv.ParseFloat(text, 64)
		if _, _, known := gateMetric(&train.Metrics{}, name); !found || !known || err != nil || math.IsNaN(bound) {
			return nil, usage("such as --fail-under accuracy=0.85; the metrics are accuracy, auc and log_loss", "--fail-under is %q, want metric=number", arg)
		}
		gates = append(gates, gate{name, bound})
	}
	return gates, nil
}

// check returns a failure where the metric is worse than the bound, or does not exist.
func (g gate) check(m *train.Metrics) error {
	value, lessIsBetter, _ := gateMetric(m, g.metric)
	switch {
	case value == nil:
		return &failure{statusQuality, fmt.Errorf("%s does not exist for this table, want %v", g.metric, g.bound), "the table lacks rows or classes"}
	case lessIsBetter && *value > g.bound, !lessIsBetter && *value < g.bound:
		return &failure{statusQuality, fmt.Errorf("%s is %.6g, want %v", g.metric, *value, g.bound), "more rows, a larger ε or better features raise quality"}
	}
	return nil
}

// printEval prints metrics for people.
func printEval(s *streams, r *evalResult) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "rows\t%d\naccuracy\t%s\nlog loss\t%s\nAUC\t%s\n\n", r.Rows, show(r.Accuracy), show(r.LogLoss), show(r.AUC))
	fmt.Fprintln(w, "class\tprecision\trecall\trows")
	for _, c := range r.Classes {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\n", c.Name, show(c.Precision), show(c.Recall), c.Support)
	}
	if len(r.By) > 0 {
		fmt.Fprintln(w, "\ngroup\taccuracy\tlog loss\trows")
		for _, g := range r.By {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\n", g.Group, show(g.Accuracy), show(g.LogLoss), g.Rows)
		}
	}
	return w.Flush()
}

// show is a metric with four digits, or a dash.
func show(x *float64) string {
	if x == nil {
		return "-"
	}
	return strconv.FormatFloat(*x, 'f', 4, 64)
}
