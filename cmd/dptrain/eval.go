package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/data"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train"
)

// evalOptions are the flags of eval.
type evalOptions struct {
	model     string
	data      string
	format    string
	aliases   []string
	failUnder []string
	by        string
	split     string
	dpEpsilon float64
	noisy     bool // --dp-epsilon is given
	plot      string
	junit     string
	fresh     bool
	json      bool
}

func (o *evalOptions) addFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.model, "model", "m", "", "the model `FILE`")
	f.StringVar(&o.data, "data", "", "the labelled table `FILE`; - is standard input")
	f.StringVar(&o.format, "format", "", "`FORMAT` of the table: csv, tsv, jsonl or parquet; by default the file's extension decides")
	f.StringArrayVar(&o.aliases, "label-alias", nil, "`FROM=TO`: read the label FROM as the class TO of the model; may be repeated")
	addGateFlag(f, &o.failUnder)
	f.StringVar(&o.by, "by", "", "also evaluate the groups of rows that share a value of this `COLUMN`")
	f.StringVar(&o.split, "split", "", "evaluate one `SIDE` of the model's split alone: test, the rows held out of training, or train")
	f.Float64Var(&o.dpEpsilon, "dp-epsilon", 0, "add noise to the counts, so that the figures are `E`-differentially private for the table's rows")
	f.StringVar(&o.plot, "plot", "", "draw ROC, precision-recall, calibration and confusion into the folder `DIR`, as SVG and PNG")
	f.StringVar(&o.junit, "junit", "", "write the outcome of each --fail-under to `FILE` as JUnit XML")
	f.BoolVar(&o.fresh, "fresh", false, "overwrite existing plots and JUnit files")
	f.BoolVar(&o.json, "json", false, "print the result as one JSON object")
}

// addGateFlag adds --fail-under.
func addGateFlag(f *pflag.FlagSet, gates *[]string) {
	f.StringArrayVar(gates, "fail-under", nil, "exit with status 6 where a metric is worse than in `METRIC=VALUE`, such as accuracy=0.85 or recall.CLASS=0.6; may be repeated")
}

func newEvalCommand(s *streams) *cobra.Command {
	var o evalOptions
	c := &cobra.Command{
		Use:   "eval -m MODEL --data TABLE",
		Short: "Evaluate a model on a labelled table",
		Long: `eval applies a model to a labelled table and prints accuracy, log loss, AUC,
calibration, the confusion matrix, and precision and recall of each class; with
--by the same for groups of rows, and the largest gap between them. Columns may
come in any order, further ones are ignored, and unknown categories count as
other.

Labels that the table spells otherwise than the model was taught are named by
--label-alias FROM=TO, as data.label.aliases in a config; a label that is
neither a class nor named is an error.

Where the config of the model has a split, --split test evaluates the rows of
the training table that were held out.

The figures are exact. Where the table is private, publishing them is outside
the model's guarantee. --dp-epsilon E adds discrete Laplace noise to every count
of the confusion matrix: what is printed is then E-differentially private where
a row of this table is added or removed (2E where one is replaced), and only
what follows from the counts is printed. Each further call costs E again.

--fail-under takes accuracy, balanced_accuracy, macro_f1, log_loss, auc,
average_precision, expected_calibration_error; precision.CLASS, recall.CLASS and
f1.CLASS; with --by, largest_gap and worst_group_accuracy. For log_loss,
expected_calibration_error and largest_gap, less is better.

Exit status is 0 when done, 2 for a wrong flag or alias, 4 for a table that is
missing or not as declared, 6 when a --fail-under is not met, 7 for a file that
is no model of this program, and 9 when a file cannot be written or is there
already.`,
		Example: `  dptrain eval -m runs/quickstart/model.safetensors --data testdata/quickstart/test.csv
  dptrain eval -m runs/quickstart/model.safetensors --data testdata/quickstart/test.csv --dp-epsilon 1
  dptrain eval -m runs/quickstart/model.safetensors --data testdata/quickstart/test.csv --label-alias lost=card_lost
  dptrain eval -m runs/adult/model.safetensors --data adult/test.csv --by sex --plot plots
  dptrain eval -m runs/adult/model.safetensors --data adult/test.csv --fail-under accuracy=0.85 --junit eval.xml --json`,
		Args: noArguments,
	}
	o.addFlags(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		o.noisy = c.Flags().Changed("dp-epsilon")
		return runEval(c.Context(), s, &o)
	}
	return c
}

func runEval(ctx context.Context, s *streams, o *evalOptions) error {
	gates, err := parseGates(o.failUnder)
	if err != nil {
		return err
	}
	if o.noisy && o.by != "" {
		return usage("evaluate one table for each group", "--by does not go with --dp-epsilon: which groups there are would be told without noise")
	}
	model, err := readModel(o.model, o.data, o.format)
	if err != nil {
		return err
	}
	if model.Schema, err = withAliases(model.Schema, o.aliases); err != nil {
		return err
	}
	if err := refuseHopeless(gates, model.Schema.Classes(), o.by != "", o.noisy); err != nil {
		return err
	}
	if err := o.readyFiles(); err != nil {
		return err
	}
	e := evaluation{model: model, path: o.data, by: o.by, epsilon: o.dpEpsilon, noisy: o.noisy}
	if e.side, err = sideOf(o.split, model); err != nil {
		return err
	}
	if err := e.load(ctx, s, model.Schema); err != nil {
		return hintAtAlias(err)
	}
	result, err := e.run(ctx)
	if err != nil {
		return err
	}
	if o.json {
		err = json.NewEncoder(s.out).Encode(result)
	} else {
		err = printEval(s.out, result)
	}
	if err != nil {
		return err
	}
	if err := o.drawPlots(&e, result); err != nil {
		return err
	}
	outcomes := checkGates(gates, result)
	if err := writeJUnit(o.junit, result, outcomes); err != nil {
		return err
	}
	if err := firstFailure(outcomes); err != nil || o.json {
		return err
	}
	_, err = fmt.Fprintf(s.out, "\nnext  %s\n", shellCommand("export", "-m", o.model, "--to", "onnx"))
	return err
}

// sideOf is the side that --split names.
func sideOf(split string, model *train.Model) (data.Side, error) {
	switch {
	case split == "":
		return data.AllRows, nil
	case split != "test" && split != "train":
		return 0, usage("test are the rows that were held out of training", "--split is %q, want test or train", split)
	case model.Schema.Spec().Split == nil:
		return 0, usage("data.split in the config holds rows out of training", "--split is given, but the model was trained without a split")
	case split == "test":
		return data.HeldOutRows, nil
	}
	return data.TrainingRows, nil
}

// readyFiles makes sure, before a record is read, that what the flags ask for can be written.
func (o *evalOptions) readyFiles() error {
	for _, path := range o.plotFiles() {
		if err := readyFile(path, o.fresh); err != nil {
			return err
		}
	}
	return readyFile(o.junit, o.fresh)
}

// evalResult is what eval prints with --json.
type evalResult struct {
	*train.Metrics
	Epsilon    *float64       `json:"dp_epsilon,omitempty"` // of the figures themselves; absent where they are exact
	Note       string         `json:"note"`
	ByColumn   string         `json:"by_column,omitempty"`
	By         []groupMetrics `json:"by,omitempty"`
	LargestGap *groupGap      `json:"largest_gap,omitempty"`
}

// groupMetrics are the metrics of the rows that share a value.
type groupMetrics struct {
	Group string `json:"group"`
	*train.Metrics
}

// groupGap is the largest difference in accuracy between groups of at least MinRows rows.
type groupGap struct {
	Accuracy float64 `json:"accuracy"`
	Best     string  `json:"best"`
	Worst    string  `json:"worst"`
	MinRows  int     `json:"min_rows"`
	worst    float64 // accuracy of the worst group
}

// What eval says of its figures.
const (
	noteExact = "exact figures: publishing them is outside the model's guarantee where the table is private; --dp-epsilon E adds noise"
	noteNoisy = "noisy counts: differentially private where a row of this table is added or removed; each further evaluation costs as much again"
)

// An evaluation is a model, the table it is held against, and what is asked for.
type evaluation struct {
	model   *train.Model
	path    string
	by      string
	side    data.Side
	epsilon float64 // of noisy figures
	noisy   bool

	schema        *data.Schema // that the table was loaded by
	table         *data.Dataset
	probabilities []float64
	labels        []int32
}

// load reads the table, under the schema of the model that there is or will be.
func (e *evaluation) load(ctx context.Context, s *streams, schema *data.Schema) (err error) {
	e.schema = schema
	e.table, err = loadTable(ctx, s, []string{e.path}, schema, data.LoadOptions{Group: e.by, AllowEmpty: e.noisy, Side: e.side})
	return err
}

// run computes the metrics.
func (e *evaluation) run(ctx context.Context) (_ *evalResult, err error) {
	table := e.table
	if len(e.model.Schema.Spec().Moments) > len(e.schema.Spec().Moments) { // what the model learned when the table was there
		table = table.Standardized(e.model.Schema)
	}
	if e.probabilities, err = e.model.Predict(ctx, table); err != nil {
		return nil, interrupted(ctx, err)
	}
	e.labels = table.Labels
	classes := e.model.Schema.Classes()
	if e.noisy {
		key, err := rng.NewKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		metrics, spent, err := train.EvaluateNoisy(e.probabilities, e.labels, classes, e.epsilon, key)
		if err != nil {
			return nil, usage("1 is a usual choice", "--dp-epsilon: %w", err)
		}
		return &evalResult{Metrics: metrics, Epsilon: &spent, Note: noteNoisy}, nil
	}
	result := &evalResult{Metrics: train.Evaluate(e.probabilities, e.labels, classes), Note: noteExact, ByColumn: e.by}
	if table.Groups != nil {
		result.By = evaluateGroups(e.probabilities, table, classes)
		result.LargestGap = largestGap(result.By)
	}
	return result, nil
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
		return nil, hintAtFile(err, path, train.ModelFile)
	}
	if model.Schema, err = withFormat(model.Schema, format); err != nil {
		return nil, wrongFormat(format)
	}
	return model, nil
}

// wrongFormat is what is said of a --format of tables that there is not.
func wrongFormat(format string) error {
	return usage("left out, the file's extension decides", "--format is %q, want csv, tsv, jsonl or parquet", format)
}

// withFormat is a schema for tables of another format; empty: by the extension. The training table's own format says
// nothing of others.
func withFormat(schema *data.Schema, format string) (*data.Schema, error) {
	spec := schema.Spec()
	spec.Format = format
	return data.NewSchema(spec)
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
		metrics := train.Evaluate(p[g], l[g], classes)
		metrics.Calibration = nil // too few rows a bin to read anything from
		groups = append(groups, groupMetrics{Group: name, Metrics: metrics})
	}
	return groups
}

// minGroupRows is the size from which a group counts for the largest gap: the accuracy of fewer rows is mostly chance.
const minGroupRows = 30

// largestGap compares the groups that are large enough; nil where there are not two of them.
func largestGap(groups []groupMetrics) *groupGap {
	var best, worst *groupMetrics
	for i := range groups {
		g := &groups[i]
		if g.Rows < minGroupRows {
			continue
		}
		if best == nil || *g.Accuracy > *best.Accuracy {
			best = g
		}
		if worst == nil || *g.Accuracy <= *worst.Accuracy {
			worst = g
		}
	}
	if best == worst {
		return nil
	}
	return &groupGap{Accuracy: *best.Accuracy - *worst.Accuracy, Best: best.Group, Worst: worst.Group, MinRows: minGroupRows, worst: *worst.Accuracy}
}
