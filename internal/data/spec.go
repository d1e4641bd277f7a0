package data

import "fmt"

// The formats of a table, as [Spec.Format] states them and [FormatOf] finds them.
const (
	CSV     = "csv"     // fields separated by a delimiter, a header row first (RFC 4180)
	TSV     = "tsv"     // the same, separated by tabs
	JSONL   = "jsonl"   // one JSON object a line
	Parquet = "parquet" // Apache Parquet, a file of columns
)

// NoQuote is the [Spec.Quote] of a table in which no field is quoted.
const NoQuote = "none"

// NullRow is the [Spec.OnBadRow] under which a row that is not as declared counts as a null row.
const NullRow = "null"

// A Spec is the public declaration of a table: everything that may be known about it before a record is read. It
// serialises into the model file, so that eval and predict encode new tables exactly as fit did.
type Spec struct {
	// Format is "csv", "tsv", "jsonl" or "parquet"; empty: decided by the file's extension, see [FormatOf], or that it begins
	// and ends as Parquet does.
	Format string `json:"format,omitempty"`
	// Delimiter separates CSV fields; one character, by default a comma (a tab for .tsv).
	Delimiter string `json:"delimiter,omitempty"`
	// Quote encloses CSV fields that hold a delimiter, a line end or itself, written twice: one ASCII character, by default
	// a double quote; [NoQuote] where quotes are text like any other.
	Quote string `json:"quote,omitempty"`
	// Comment begins a line of CSV that is no row: one ASCII character; empty: no line is a comment.
	Comment string `json:"comment,omitempty"`
	// Names names the fields of a CSV table without a header row, in order.
	Names []string `json:"names,omitempty"`
	// SkipInitialSpace leaves out spaces and tabs at the start of CSV fields, names in the header included.
	SkipInitialSpace bool `json:"skip_initial_space,omitempty"`
	// Missing lists the cells that stand for an absent value, compared exactly. JSON null and absent keys always do.
	// A declared class, category or alias of the same spelling takes precedence over it.
	Missing []string `json:"missing"`
	// OnBadRow says what becomes of a row that is not as declared: empty, it ends the run; [NullRow], it counts as a null
	// row, see the package's documentation. Only fit heeds it.
	OnBadRow string `json:"on_bad_row,omitempty"`
	// Label names the column to predict and its classes.
	Label Label `json:"label"`
	// Features lists the inputs in order; the encoded columns follow it.
	Features []Feature `json:"features"`
	// RowNorm is the L2 norm that every encoded row is scaled down to where it exceeds it; 0 leaves rows as they are.
	RowNorm float64 `json:"row_norm"`
	// Split holds some of the rows out of training; nil: none.
	Split *Split `json:"split,omitempty"`
	// Moments are not declared: they are what was learned, under privacy, of the features that state standardize, one for
	// each in their order. Without any, these features are encoded as if they did not state it.
	Moments []Moments `json:"moments,omitempty"`
}

// A Split holds rows out of training, for evaluation. Which side a row is on is a function of its By cell and the Key alone,
// both of which may be known: rows that share a cell, such as those of one customer, are on one side, and the same ones in
// every table. So neighbouring tables differ in one row still, held out or not; to training a held-out row is a null one. How
// many rows either side has is as private as the rows: what is public is the number of all rows, or its cap, and the
// expected share.
type Split struct {
	Test float64 `json:"test"` // expected share of the texts of By that are held out, in (0, 1)
	By   string  `json:"by"`   // CSV column or JSON path
	Key  string  `json:"key"`  // another key gives another split
}

// Moments are the mean and the standard deviation of a feature, as numbers on the scale of [-1, 1] onto which its bounds
// are mapped.
type Moments struct {
	Feature   string  `json:"feature"` // its name
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"` // above 0
}

// A Label declares the column to predict. Class i is Classes[i] throughout the program.
type Label struct {
	Name    string   `json:"name"`
	Classes []string `json:"classes"`
	// Aliases maps other spellings onto declared classes.
	Aliases []Alias `json:"aliases,omitempty"`
}

// An Alias reads the cell From as if it were To.
type Alias struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// A Kind says how a feature is encoded.
type Kind string

// The kinds of features.
const (
	Numeric     Kind = "numeric"     // a number, clamped to declared bounds
	Categorical Kind = "categorical" // one of declared values, or other
	Hashed      Kind = "hashed"      // an open set of values, hashed into buckets
	Text        Kind = "text"        // words, hashed into buckets
	Vector      Kind = "vector"      // a fixed number of numbers
)

// A Feature declares one input. Which fields it may set depends on Kind; [NewSchema] refuses the others.
type Feature struct {
	// Name is the CSV column, or the JSON path (keys joined by dots). A top-level key that equals the whole name, dots
	// included, comes before the path.
	Name string `json:"name"`
	Kind Kind   `json:"kind"`

	// Min and Max bound a numeric feature (required) or a vector's elements (both or neither). Values outside are clamped.
	Min *float64 `json:"min,omitempty"`
	Max *float64 `json:"max,omitempty"`
	// Edges cuts a numeric feature into len(Edges)+1 one-hot bins, bin i holding Edges[i-1] <= x < Edges[i]; strictly
	// ascending, inside (Min, Max).
	Edges []float64 `json:"edges,omitempty"`
	// Transform is "" or "log1p"; log1p is applied after clamping, before scaling, and requires Min > -1.
	Transform string `json:"transform,omitempty"`
	// Standardize is "" or "dp": a numeric feature without trusted bounds is clamped to its wide ones, and then shifted and
	// scaled by its mean and deviation, which are learned under privacy; see [Spec.Moments]. It needs Impute.
	Standardize string `json:"standardize,omitempty"`
	// Impute is the declared value that a missing numeric cell or vector element takes, in [Min, Max] where these are
	// set. Without it a missing numeric cell has a column of its own, and a missing vector element is an error.
	Impute *float64 `json:"impute,omitempty"`

	// Values lists the categories of a categorical feature, one column each, and one more for all others.
	Values []string `json:"values,omitempty"`
	// Aliases maps other spellings onto declared values of a categorical feature.
	Aliases []Alias `json:"aliases,omitempty"`

	// Buckets is the number of hash buckets of a hashed or text feature.
	Buckets int `json:"buckets,omitempty"`
	// NGrams is the longest run of words that is hashed: 1 for words alone, 2 for words and pairs, up to 5. 0 means 1.
	NGrams int `json:"ngrams,omitempty"`
	// StopWords is "" (none) or "english": a public list, left out before n-grams are formed.
	StopWords string `json:"stop_words,omitempty"`

	// Size is the number of elements of a JSON array vector; it may be left out where Columns says it.
	Size int `json:"size,omitempty"`
	// Columns names the run of CSV columns that hold a vector; without it a vector cannot be read from CSV.
	Columns *ColumnRun `json:"columns,omitempty"`
	// To is the range that [Min, Max] of a vector is mapped onto; by default [-1, 1].
	To *[2]float64 `json:"to,omitempty"`
}

// A ColumnRun is the columns Prefix+First, ..., Prefix+Last, bounds included.
type ColumnRun struct {
	Prefix string `json:"prefix"`
	First  int    `json:"first"`
	Last   int    `json:"last"`
}

// A SpecError says which declared value cannot be used. Key is a path in the config, such as
// data.features[2].edges, counting from 0; the caller that knows the file adds the position.
type SpecError struct {
	Key, Msg, Suggestion string
}

func (e *SpecError) Error() string { return fmt.Sprintf("%s %s", e.Key, e.Msg) }

// Hint is what to do about it, or empty.
func (e *SpecError) Hint() string { return e.Suggestion }
