package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/data"
	"dptrain/internal/train"
)

// initOptions are the flags of init.
type initOptions struct {
	format string
	label  string
	peek   bool
	output string
	fresh  bool
}

// peekRows is how many rows --peek looks at.
const peekRows = 1000

func (o *initOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.format, "format", "", "`FORMAT` of the table: csv, tsv, jsonl or parquet; by default the file's extension decides")
	f.StringVar(&o.label, "label", "", "the `COLUMN` to predict")
	f.BoolVar(&o.peek, "peek", false, fmt.Sprintf("look at the first %d rows to guess kinds; without it no record is read", peekRows))
	f.StringVarP(&o.output, "output", "o", "", "write to `FILE` instead of standard output")
	f.BoolVar(&o.fresh, "fresh", false, "overwrite an existing output file")
}

func newInitCommand(s *streams) *cobra.Command {
	var o initOptions
	c := &cobra.Command{
		Use:   "init [TABLE]",
		Short: "Write an annotated config for a table, from its header alone",
		Long: `init prints a config to start from, with each choice explained beside it. Of the
table it reads the header line alone, which is no record; bounds, categories and
classes are left blank, for you to fill in from what is known without looking at
the records. fit and validate say what a blank wants.

--peek looks at the first rows too, to guess the kind of each column, and the
config says so. It copies no cell, bound or category. A JSONL table has no
header: its names are in its records, so that it needs --peek. Of a Parquet file
the schema is the header.

Exit status is 0 when done, 2 for a wrong flag, 4 for a table that is missing or
has no header, and 9 when the output cannot be written or is there already.`,
		Example: `  dptrain init customers.csv -o customers.yaml
  dptrain init customers.csv --label churned --peek >customers.yaml
  dptrain init >config.yaml`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(c.CommandPath()+" --help shows how it is called", "init takes one table")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			table := ""
			if len(args) == 1 {
				table = args[0]
			}
			return runInit(s, &o, table)
		},
	}
	o.addFlags(c.Flags())
	return c
}

func runInit(s *streams, o *initOptions, table string) error {
	if !utf8.ValidString(table + o.label) {
		return usage("a config is UTF-8", "the arguments are not valid UTF-8")
	}
	if !slices.Contains([]string{"", data.CSV, data.TSV, data.JSONL, data.Parquet}, o.format) {
		return wrongFormat(o.format)
	}
	if err := readyFile(o.output, o.fresh); err != nil {
		return err
	}
	d := draft{path: table, label: o.label}
	if table != "" {
		peek := 0
		if o.peek {
			s.warn("--peek looks at the first %d rows of %s: its guesses are computed from records", peekRows, table)
			peek = peekRows
		}
		outline, err := data.ReadOutline(table, data.OutlineOptions{Format: o.format, Peek: peek, Stdin: s.in})
		if errors.Is(err, fs.ErrNotExist) {
			return &failure{statusData, fmt.Errorf("%s: no such file", table), "dptrain init without a table prints a config to fill in"}
		}
		if errors.Is(err, syscall.EISDIR) {
			return &failure{statusData, err, "name one of the files in it"}
		}
		if err != nil {
			return err
		}
		d.outline = outline
		if outline.Format == data.CSV {
			d.spaced = leaveOutSpaces(outline)
		}
		if o.label != "" && !slices.ContainsFunc(outline.Columns, func(c data.OutlineColumn) bool { return c.Name == o.label }) {
			return usage("names are compared exactly", "--label is %q, which is no column of %s", o.label, table)
		}
		if o.format != "" && o.format != data.FormatOf(table) {
			d.format = o.format
		}
		if o.output != "" && table != "-" && !filepath.IsAbs(table) { // relative to the config
			if relative, err := filepath.Rel(filepath.Dir(o.output), table); err == nil {
				d.path = relative
			}
		}
	}
	text := d.text()
	if o.output == "" {
		_, err := fmt.Fprint(s.out, text)
		return err
	}
	if err := writeResult(o.output, []byte(text)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "config   %s: fill in its blanks\nnext     %s\n", o.output, shellCommand("validate", "-c", o.output))
	return err
}

// A draft is a config to be filled in.
type draft struct {
	path    string        // of the table, as the config states it; empty: none is known
	format  string        // empty: by the extension
	label   string        // empty: to be filled in
	spaced  bool          // fields follow their delimiters by a space
	outline *data.Outline // nil where no table is known
}

// leaveOutSpaces takes the spaces off the names of a header that is written a, b, c, and reports whether it is one.
func leaveOutSpaces(o *data.Outline) bool {
	if len(o.Columns) < 2 {
		return false
	}
	for _, c := range o.Columns[1:] {
		if !strings.HasPrefix(c.Name, " ") {
			return false
		}
	}
	for i := range o.Columns {
		c := &o.Columns[i]
		c.Name = strings.TrimLeft(c.Name, " ")
		if c.Run != nil {
			c.Run.Prefix = strings.TrimLeft(c.Run.Prefix, " ")
		}
	}
	return true
}

// text is the config.
func (d *draft) text() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# A config for dptrain. Every value in it becomes public with the model: fill in the blanks from what is known")
	p("# without looking at the records, such as a form's limits, a product's list of plans, or round numbers.")
	switch {
	case d.outline == nil:
	case d.outline.Rows > 0:
		p("# Made with --peek: the kinds of the columns are guesses by the first %d rows. No cell of them is in here.", d.outline.Rows)
	default:
		p("# Made from the header of the table; no record was read.")
	}
	p("#")
	p("#   dptrain validate -c THIS_FILE    says what is still blank, and checks every row")
	p("#   dptrain fit -c THIS_FILE --dry-run")
	p("version: 1")
	p("data:")
	switch {
	case d.path == "" || d.path == "-":
		p("  train:                  # the table to learn from, relative to this file")
	case filepath.IsAbs(d.path):
		p("  train: %s", yamlText(d.path))
	default:
		p("  train: %s   # relative to this file", yamlText(d.path))
	}
	if d.format != "" {
		p("  format: %s", d.format)
	}
	if d.outline != nil && d.outline.Delimiter != "" {
		p("  delimiter: %s", jsonText(d.outline.Delimiter))
	}
	if d.spaced {
		p("  skip_initial_space: true   # the header is written a, b, c")
	}
	p("  rows:                   # the number of rows, which becomes public. To keep it private, state a round cap as")
	p("                          # rows_at_most instead, and adjacency: add_or_remove_one below")
	p("  missing: [\"\", \"?\"]      # cells that stand for an absent value; missing is a category of its own")
	p("  label:")
	if d.label == "" {
		p("    name:                 # the column to predict; take it out of the features below")
	} else {
		p("    name: %s", yamlText(d.label))
	}
	p("    classes: []           # its values, such as [no, yes]: declared, never learned from records")
	d.features(p)
	p("  row_norm: 1             # each row is scaled down to this length, so that none counts for more than others")
	p("model: {hidden: []}       # [] is logistic regression, which is hard to beat under privacy; [128] adds a hidden layer")
	d.privacy(p)
	p("# No train section: steps, batch, learning rate and noise follow from the numbers above.")
	return b.String()
}

// features writes the columns, those that look like identifiers as comments.
func (d *draft) features(p func(format string, args ...any)) {
	p("  features:")
	p("    # Give each column a kind, and take out what does not help: every column takes its share of the noise.")
	p("    #   kind: numeric, min: 0, max: 100, edges: [18, 30, 50]    public bounds, cut into bins; without edges it is scaled")
	p("    #   kind: categorical, values: [free, plus, family]         others share a column of their own")
	p("    #   kind: hashed, buckets: 64                               an open set of values; nothing is learned from records")
	p("    #   kind: text, buckets: 4096, stop_words: english          words, hashed")
	if d.outline == nil {
		p("    - {name: , kind: }")
		return
	}
	for i, c := range d.outline.Columns {
		switch {
		case c.Name == d.label && c.Name != "":
		case c.Name == "":
			p("    # column %d of the header has no name", i+1)
		case train.LooksLikeIdentifier(c.Name):
			p("    # left out, since it looks like an identifier: - {name: %s, kind: hashed, buckets: 1024}", yamlText(c.Name))
		case c.Run != nil:
			p("    - {name: %s, kind: vector, columns: {prefix: %s, first: %d, last: %d}, min: , max: }",
				yamlText(c.Name), jsonText(c.Run.Prefix), c.Run.First, c.Run.Last)
		default:
			p("    - {name: %s, kind: %s}", yamlText(c.Name), guessedFields(c))
		}
	}
}

// guessedFields is the kind of a column with the fields that it needs, blank where they must come from outside.
func guessedFields(c data.OutlineColumn) string {
	switch c.Kind {
	case data.Numeric:
		return "numeric, min: , max: "
	case data.Categorical:
		return "categorical, values: []"
	case data.Hashed:
		return "hashed, buckets: 64"
	case data.Text:
		return "text, buckets: 4096, stop_words: english"
	case data.Vector:
		if c.Size == 0 { // Parquet's schema does not say it
			return "vector, size: , min: , max: "
		}
		return fmt.Sprintf("vector, size: %d, min: , max: ", c.Size)
	}
	return ""
}

// privacy writes what is promised.
func (d *draft) privacy(p func(format string, args ...any)) {
	p("privacy:")
	p("  unit:                   # whom the promise protects. row: each row of the table by itself. If a person can have")
	p("                          # several rows, ε holds for each of them, not for the person: see max_rows_per_person")
	if d.outline != nil {
		for _, c := range d.outline.Columns {
			if train.LooksLikeIdentifier(c.Name) {
				p("                          # (%s suggests that people can be told apart: how many rows can one have?)", yamlText(c.Name))
				break
			}
		}
	}
	p("  # max_rows_per_person: 5   # up to how many rows one person has: fit then reports ε for a person, too")
	p("  adjacency: zero_out     # the number of rows is public. add_or_remove_one keeps it private; replace_one is stricter")
	p("  target_epsilon: 1.0     # below 1 very strong, 1 to 10 moderate, above 10 weak. Decide before you see results")
	p("  delta: 1.0e-6           # the chance that the bound fails: well below 1/rows")
}

// yamlText is text as a config states it: as it is where that is plain, else in quotes.
func yamlText(text string) string {
	plain := regexp.MustCompile(`^[A-Za-z_./][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*$`)
	if n := (&node{text: text}); plain.MatchString(text) && !n.isNull() {
		return text
	}
	return jsonText(text)
}

// jsonText is text in JSON's quotes, which a config takes too.
func jsonText(text string) string {
	quoted, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		panic(err) // of invalid UTF-8, which no header and no argument of a config is
	}
	return string(quoted)
}
