package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/data"
	"dptrain/internal/train"
)

// predictOptions are the flags of predict.
type predictOptions struct {
	model  string
	data   string
	format string
	output string
	fresh  bool
}

func (o *predictOptions) addFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.model, "model", "m", "", "the model `FILE`")
	f.StringVar(&o.data, "data", "", "the table `FILE`; - is standard input")
	f.StringVar(&o.format, "format", "", "`FORMAT` of the table: csv, tsv, jsonl or parquet; by default the file's extension decides")
	f.StringVarP(&o.output, "output", "o", "", "write to `FILE` instead of standard output")
	f.BoolVar(&o.fresh, "fresh", false, "overwrite an existing output file")
}

func newPredictCommand(s *streams) *cobra.Command {
	var o predictOptions
	c := &cobra.Command{
		Use:   "predict -m MODEL --data TABLE",
		Short: "Predict the class of each row of a table",
		Long: `predict prints one line for each row, in the table's order: the most probable
class as label, and the probability of each class. The output is CSV (columns
label and probability_CLASS) for a CSV or Parquet table and JSONL for JSONL. The
table needs no label.

Exit status is 0 when done, 2 for a wrong flag, 4 for a table that is missing or
not as declared, 7 for a file that is no model of this program, and 9 when the
output cannot be written or is there already.`,
		Example: `  dptrain predict -m runs/quickstart/model.safetensors --data testdata/quickstart/test.csv
  dptrain predict -m runs/quickstart/model.safetensors --data - --format jsonl <messages.jsonl`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return runPredict(c.Context(), s, &o) },
	}
	o.addFlags(c.Flags())
	return c
}

func runPredict(ctx context.Context, s *streams, o *predictOptions) error {
	model, err := readModel(o.model, o.data, o.format)
	if err != nil {
		return err
	}
	if err := readyFile(o.output, o.fresh); err != nil {
		return err
	}
	table, err := loadTable(ctx, s, []string{o.data}, model.Schema, data.LoadOptions{Labels: data.LabelsIgnored})
	if err != nil {
		return err
	}
	probabilities, err := model.Predict(ctx, table)
	if err != nil {
		return interrupted(ctx, err)
	}
	format := o.format
	if format == "" {
		format = data.FormatOf(o.data)
	}
	write := writeCSV
	if format == "jsonl" {
		write = writeJSONL
	}
	if o.output == "" {
		return write(s.out, format, model.Schema.Classes(), probabilities)
	}
	var content bytes.Buffer
	if err := write(&content, format, model.Schema.Classes(), probabilities); err != nil {
		return err
	}
	return writeResult(o.output, content.Bytes())
}

// writeCSV writes a header and a line for each row of probabilities [rows×classes].
func writeCSV(w io.Writer, format string, classes []string, probabilities []float64) error {
	out := csv.NewWriter(w)
	if format == "tsv" {
		out.Comma = '\t'
	}
	record := []string{"label"}
	for _, c := range classes {
		record = append(record, "probability_"+c)
	}
	if err := out.Write(record); err != nil {
		return err
	}
	k := len(classes)
	for ; len(probabilities) > 0; probabilities = probabilities[k:] {
		record[0] = classes[train.Best(probabilities[:k])]
		for j, p := range probabilities[:k] {
			record[1+j] = strconv.FormatFloat(p, 'g', 6, 64)
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// prediction is one line of JSONL output.
type prediction struct {
	Label         string             `json:"label"`
	Probabilities map[string]float64 `json:"probabilities"`
}

// writeJSONL writes an object for each row of probabilities [rows×classes].
func writeJSONL(w io.Writer, _ string, classes []string, probabilities []float64) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	k := len(classes)
	for ; len(probabilities) > 0; probabilities = probabilities[k:] {
		line := prediction{classes[train.Best(probabilities[:k])], make(map[string]float64, k)}
		for j, p := range probabilities[:k] {
			line.Probabilities[classes[j]] = p
		}
		if err := out.Encode(line); err != nil {
			return err
		}
	}
	return nil
}
