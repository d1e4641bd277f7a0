package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/train"
	"dptrain/internal/train/onnx"
	"dptrain/internal/train/sheet"
)

// exportOptions are the flags of export.
type exportOptions struct {
	model  string
	to     string
	output string
	fresh  bool
	json   bool
}

func (o *exportOptions) addFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.model, "model", "m", "", "the model `FILE`")
	f.StringVar(&o.to, "to", "onnx", "the `FORMAT`: onnx")
	f.StringVarP(&o.output, "output", "o", "", "write to `FILE`; by default beside the model")
	f.BoolVar(&o.fresh, "fresh", false, "overwrite an existing file")
	f.BoolVar(&o.json, "json", false, "print the result as one JSON object")
}

func newExportCommand(s *streams) *cobra.Command {
	var o exportOptions
	c := &cobra.Command{
		Use:   "export -m MODEL --to onnx",
		Short: "Write a model for other programs to serve",
		Long: `export writes a model as an ONNX graph of standard operators, which onnxruntime
and others run. Numeric, categorical and vector features are encoded inside the
graph: it takes a row's own numbers and texts, missing and unknown ones too, and
gives a label and the probability of each class. For hashed and text features it
takes the buckets that are hit; the model's doc string says how to find them.

model.safetensors itself needs no export: any safetensors reader opens it.

Exporting is post-processing: it costs no privacy, and the report still holds.

Exit status is 0 when done, 2 for a wrong flag, 7 for a file that is no model of
this program, and 9 when the file cannot be written or is there already.`,
		Example: `  dptrain export -m runs/quickstart/model.safetensors --to onnx
  dptrain export -m runs/adult/model.safetensors --to onnx -o adult.onnx --json`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return runExport(s, &o) },
	}
	o.addFlags(c.Flags())
	return c
}

// exportResult is what export prints with --json.
type exportResult struct {
	File    string       `json:"file"`
	Inputs  []onnx.Input `json:"inputs"`
	Classes []string     `json:"classes"`
}

func runExport(s *streams, o *exportOptions) error {
	if o.to != "onnx" {
		return usage("such as --to onnx", "--to is %q, want onnx", o.to)
	}
	if o.model == "" {
		return usage("fit prints the path of the model it writes", "--model is missing")
	}
	model, err := train.ReadModel(o.model)
	if err != nil {
		return hintAtFile(err, o.model, train.ModelFile)
	}
	if o.output == "" {
		o.output = strings.TrimSuffix(o.model, filepath.Ext(o.model)) + ".onnx"
	}
	if err := readyFile(o.output, o.fresh); err != nil {
		return err
	}
	content, inputs, err := onnx.Encode(model)
	if err != nil {
		return &failure{statusIntegrity, fmt.Errorf("%s: %w", o.model, err), "rename the column in the table and the config"}
	}
	if err := writeResult(o.output, content); err != nil {
		return err
	}
	result := exportResult{o.output, inputs, model.Schema.Classes()}
	if o.json {
		return json.NewEncoder(s.out).Encode(result)
	}
	w := newPage(s.out)
	fmt.Fprintf(w, "file\t%s\n\ninput\ttype\tshape\tfill with\n", result.File)
	for _, in := range inputs {
		fmt.Fprintf(w, "%s\t%s\t[N, %d]\t%s\n", sheet.Clean(in.Name), in.Type, in.Width, in.Fill)
	}
	fmt.Fprintf(w, "\noutput\ttype\tshape\nlabel\tstring\t[N]\nprobabilities\tfloat\t[N, %d]\n", len(result.Classes))
	fmt.Fprintf(w, "\nnext\t%s\n", shellCommand("predict", "-m", o.model, "--data", "TABLE"))
	return w.Flush()
}
