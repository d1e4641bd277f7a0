package main

import (
	"fmt"
	"slices"
	"strings"
)

// A valueKind is what a key of the config takes.
type valueKind int

const (
	kindMapping       valueKind = iota // keys of the table
	kindMappings                       // a list of mappings: path[] has the keys
	kindText                           // text that is not empty
	kindTexts                          // one or a list of these
	kindCell                           // text, which may be empty
	kindCells                          // a list of cells
	kindChoice                         // one of words
	kindInteger                        // an int, written in decimal digits
	kindIntegers                       // a list of integers
	kindNumber                         // a finite float64
	kindNumbers                        // a list of numbers
	kindInterval                       // two numbers
	kindNumberOrWord                   // a number, or one of words
	kindBool                           // true or false
	kindNumbersOrWord                  // a list of numbers, or one of words
)

// A key is one key that a config may have.
type key struct {
	path     string // from the top: data.features[].min
	kind     valueKind
	required bool     // of two that exclude each other, one
	positive bool     // a number or integer must be above 0: where 0 would be taken for "not stated"
	words    []string // of a choice, or beside numbers
	instead  string   // path of the key that this one excludes
	along    []string // paths of the keys without which it says nothing
	doc      string   // what it states, as a hint
}

// keyTable lists every key that a config may have, in the order of the documentation.
func keyTable() []key {
	return []key{
		{path: "version", kind: kindInteger, required: true, doc: "the version of the config's format; this program reads version: 1"},

		{path: "data", kind: kindMapping, doc: "the table, and everything about it that is declared public"},
		{path: "data.train", kind: kindTexts, required: true, doc: "the table to learn from, relative to the config: a file, a pattern such as part-*.csv, or a list of these"},
		{path: "data.format", kind: kindChoice, words: []string{"csv", "tsv", "jsonl", "parquet"}, doc: "how the table is written, where its name does not say so"},
		{path: "data.delimiter", kind: kindText, doc: `the one character between CSV fields, such as ";" in quotes`},
		{path: "data.quote", kind: kindText, doc: `the one character around CSV fields that hold a delimiter, such as "'"; none where quotes are text`},
		{path: "data.comment", kind: kindText, doc: `the one character that begins lines of CSV which are no rows, such as "#"`},
		{path: "data.names", kind: kindCells, doc: "the names of the fields of a CSV table without a header row"},
		{path: "data.skip_initial_space", kind: kindBool, doc: "true leaves out spaces at the start of CSV fields"},
		{path: "data.rows", kind: kindInteger, positive: true, doc: "the number of rows, which becomes public"},
		{path: "data.rows_at_most", kind: kindInteger, positive: true, doc: "a public cap on the number of rows, under adjacency: add_or_remove_one"},
		{path: "data.cache", kind: kindBool, doc: "true keeps the encoded table in a file beside the table, for tables larger than memory; it is as confidential"},
		{path: "data.missing", kind: kindCells, doc: `the cells that stand for an absent value, such as ["", "?"]`},
		{path: "data.on_bad_row", kind: kindChoice, words: []string{"error", "null"}, doc: "what becomes of a row that is not as declared: null counts it as a null row, and nothing says how many there are"},
		{path: "data.label", kind: kindMapping, doc: "the column to predict"},
		{path: "data.label.name", kind: kindText, required: true, doc: "the name of the column to predict"},
		{path: "data.label.classes", kind: kindCells, required: true, doc: `the values of the label, such as ["<=50K", ">50K"]`},
		{path: "data.label.aliases", kind: kindMappings, doc: "other spellings of classes, such as [{from: yes., to: yes}]"},
		{path: "data.label.aliases[].from", kind: kindCell, required: true, doc: "the other spelling"},
		{path: "data.label.aliases[].to", kind: kindCell, required: true, doc: "the class that is meant"},
		{path: "data.features", kind: kindMappings, required: true, doc: "the columns to learn from, such as - {name: age, kind: numeric, min: 17, max: 90}"},
		{path: "data.features[].name", kind: kindText, required: true, doc: "the name of the column, or the path of the JSON value"},
		{path: "data.features[].kind", kind: kindChoice, required: true, words: []string{"numeric", "categorical", "hashed", "text", "vector"}, doc: "how the column is encoded"},
		{path: "data.features[].min", kind: kindNumber, doc: "the public lower bound; what is below counts as it"},
		{path: "data.features[].max", kind: kindNumber, doc: "the public upper bound; what is above counts as it"},
		{path: "data.features[].edges", kind: kindNumbers, doc: "where a numeric column is cut into bins, such as [25, 40, 60]"},
		{path: "data.features[].transform", kind: kindChoice, words: []string{"log1p"}, doc: "what is applied to the number before it is scaled"},
		{path: "data.features[].standardize", kind: kindChoice, words: []string{"dp"}, doc: "dp shifts and scales a number by its mean and deviation, learned under the budget; min and max may then be wide"},
		{path: "data.features[].impute", kind: kindNumber, doc: "the number that a missing one counts as"},
		{path: "data.features[].values", kind: kindCells, doc: "the values of a categorical column; others share one"},
		{path: "data.features[].aliases", kind: kindMappings, doc: "other spellings of values, such as [{from: Priv, to: Private}]"},
		{path: "data.features[].aliases[].from", kind: kindCell, required: true, doc: "the other spelling"},
		{path: "data.features[].aliases[].to", kind: kindCell, required: true, doc: "the value that is meant"},
		{path: "data.features[].buckets", kind: kindInteger, positive: true, doc: "the number of hash buckets of a hashed or text column"},
		{path: "data.features[].ngrams", kind: kindInteger, positive: true, doc: "the longest run of words that is hashed: 1 for words alone"},
		{path: "data.features[].stop_words", kind: kindChoice, words: []string{"english"}, doc: "the public list of words to leave out"},
		{path: "data.features[].size", kind: kindInteger, positive: true, doc: "the number of elements of a JSON array"},
		{path: "data.features[].columns", kind: kindMapping, doc: "a run of CSV columns, such as {prefix: p, first: 0, last: 783}"},
		{path: "data.features[].columns.prefix", kind: kindCell, required: true, doc: "what the names of the columns start with"},
		{path: "data.features[].columns.first", kind: kindInteger, required: true, doc: "the number of the first column"},
		{path: "data.features[].columns.last", kind: kindInteger, required: true, doc: "the number of the last column"},
		{path: "data.features[].to", kind: kindInterval, doc: "what min and max of a vector become, such as [0, 1]"},
		{path: "data.split", kind: kindMapping, doc: "which rows are held out of training, such as {test: 0.2, by: customer_id}"},
		{path: "data.split.test", kind: kindNumber, along: []string{"data.split.by"}, doc: "the expected share that is held out, in (0, 1)"},
		{path: "data.split.by", kind: kindText, along: []string{"data.split.test"}, doc: "the column whose values stay together; rows that share one are on one side"},
		{path: "data.split.key", kind: kindText, along: []string{"data.split.test", "data.split.by"}, doc: "another text gives another split"},
		{path: "data.row_norm", kind: kindNumberOrWord, positive: true, words: []string{"none"}, doc: "the L2 norm that encoded rows are scaled down to; none leaves them"},

		{path: "model", kind: kindMapping, doc: "the shape of the model"},
		{path: "model.hidden", kind: kindIntegers, doc: "the widths of the hidden layers: [] is logistic regression, [128, 64] an MLP"},
		{path: "model.activation", kind: kindChoice, words: []string{"tanh", "relu"}, doc: "what follows each hidden layer"},

		{path: "privacy", kind: kindMapping, doc: "what is promised to the people in the table"},
		{path: "privacy.unit", kind: kindChoice, required: true, words: []string{"row"}, doc: "what one promise protects, without a default; row protects each row, not a person who has several"},
		{path: "privacy.adjacency", kind: kindChoice, words: []string{"zero_out", "add_or_remove_one", "replace_one"}, doc: "which tables must look alike"},
		{path: "privacy.target_epsilon", kind: kindNumber, required: true, instead: "privacy.noise_multiplier", doc: "the ε to reach, such as 1.0"},
		{path: "privacy.noise_multiplier", kind: kindNumber, required: true, instead: "privacy.target_epsilon", doc: "σ, the noise's standard deviation over max_grad_norm"},
		{path: "privacy.delta", kind: kindNumber, required: true, doc: "the chance that the bound ε fails: well below 1/rows, such as 1e-6"},
		{path: "privacy.max_grad_norm", kind: kindNumber, positive: true, doc: "the clipping norm C of a row's gradient"},
		{path: "privacy.accountant", kind: kindChoice, words: []string{"pld", "rdp"}, doc: "the method that bounds ε"},
		{path: "privacy.max_rows_per_person", kind: kindInteger, positive: true, doc: "up to how many rows one person has: fit then reports ε for a person too"},
		{path: "privacy.standardize", kind: kindMapping, doc: "the query for the moments of features that state standardize: dp"},
		{path: "privacy.standardize.share", kind: kindNumber, positive: true, doc: "its share of the budget μ², such as 0.03"},
		{path: "privacy.class_weights", kind: kindMapping, doc: "the query for the histogram that train.class_weights: dp needs"},
		{path: "privacy.class_weights.share", kind: kindNumber, positive: true, doc: "its share of the budget μ², such as 0.03"},
		{path: "privacy.ledger", kind: kindText, along: []string{"privacy.dataset", "privacy.max_total_epsilon"}, doc: "the file in which all fits on one data set share a budget, relative to the config"},
		{path: "privacy.dataset", kind: kindText, along: []string{"privacy.ledger", "privacy.max_total_epsilon"}, doc: "the ledger's name for the data set"},
		{path: "privacy.max_total_epsilon", kind: kindNumber, positive: true, along: []string{"privacy.ledger", "privacy.dataset"}, doc: "the ε that all fits of the ledger may cost together, at delta"},

		{path: "train", kind: kindMapping, doc: "how to learn; every key has a default"},
		{path: "train.steps", kind: kindInteger, instead: "train.epochs", doc: "the number of steps"},
		{path: "train.epochs", kind: kindNumber, instead: "train.steps", doc: "passes over the rows, with batch_size; states the number of steps"},
		{path: "train.sampling_probability", kind: kindNumber, instead: "train.batch_size", doc: "the chance of a row to join a step; 1 takes all rows"},
		{path: "train.batch_size", kind: kindInteger, instead: "train.sampling_probability", doc: "the expected number of rows of a step, with data.rows"},
		{path: "train.class_weights", kind: kindNumbersOrWord, words: []string{"dp"}, doc: "how much a row of each class counts, such as [1, 3]; dp evens classes out by a noised histogram"},
		{path: "train.optimizer", kind: kindChoice, words: []string{"sgd", "adam"}, doc: "the rule of the updates"},
		{path: "train.learning_rate", kind: kindNumberOrWord, words: []string{"auto"}, doc: "the step size; auto derives it from the noise"},
		{path: "train.momentum", kind: kindNumber, doc: "the share of the last update that is kept, in [0, 1)"},
		{path: "train.average_last", kind: kindNumber, doc: "the share of the last iterates whose mean is the model; 0 takes the last"},
		{path: "train.weight_decay", kind: kindNumber, doc: "how much weights shrink, times the learning rate, a step"},

		{path: "output", kind: kindMapping, doc: "where results go"},
		{path: "output.dir", kind: kindText, doc: "the folder of model and report, relative to the working directory"},
	}
}

// want is what the key takes, as an error says it.
func (k *key) want() string {
	above := ""
	if k.positive {
		above = " above 0"
	}
	switch k.kind {
	case kindMapping:
		return "a mapping"
	case kindMappings:
		return "a list of mappings"
	case kindText, kindCell:
		return "text"
	case kindTexts:
		return "text or a list of texts"
	case kindCells:
		return "a list of texts"
	case kindInteger:
		return "an integer" + above
	case kindIntegers:
		return "a list of integers"
	case kindNumber:
		return "a number" + above
	case kindNumbers:
		return "a list of numbers"
	case kindInterval:
		return "two numbers"
	case kindNumberOrWord:
		return "a number" + above + " or " + k.words[0]
	case kindBool:
		return "true or false"
	case kindNumbersOrWord:
		return "a list of numbers or " + k.words[0]
	case kindChoice:
	}
	last := len(k.words) - 1
	if last == 0 {
		return k.words[0]
	}
	return strings.Join(k.words[:last], ", ") + " or " + k.words[last]
}

// hint says what the key states.
func (k *key) hint() string {
	if k.kind == kindChoice && len(k.words) > 1 {
		return fmt.Sprintf("%s: %s: %s", k.path, k.doc, k.want())
	}
	return k.path + ": " + k.doc
}

// inList reports whether the key belongs to an element of a list.
func (k *key) inList() bool { return strings.Contains(k.path, "[]") }

// isSection reports whether k is a mapping at the top.
func (k *key) isSection() bool { return k.kind == kindMapping && !strings.Contains(k.path, ".") }

// name is the last part of the path.
func (k *key) name() string { return k.path[strings.LastIndex(k.path, ".")+1:] }

// keys is the table with its look-ups.
type keys []key

// at returns the key of a path, or nil.
func (ks keys) at(path string) *key {
	i := slices.IndexFunc(ks, func(k key) bool { return k.path == path })
	if i < 0 {
		return nil
	}
	return &ks[i]
}

// under lists the keys of the mapping at a path, "" for the top.
func (ks keys) under(path string) []*key {
	var found []*key
	for i := range ks {
		if k := &ks[i]; k.path == joinPath(path, k.name()) {
			found = append(found, k)
		}
	}
	return found
}

// joinPath is the path of a key of the mapping at parent.
func joinPath(parent, name string) string {
	if parent == "" {
		return name
	}
	return parent + "." + name
}

// suggest is the hint for a name that the mapping at parent does not have.
func (ks keys) suggest(parent, name string) string {
	if name == "<<" {
		return "merge keys have no use in a config: write the values out"
	}
	siblings := ks.under(parent)
	var names []string
	for _, k := range siblings {
		if k.name() == strings.ReplaceAll(strings.ToLower(name), "-", "_") {
			return "keys are written in lower case: " + k.name()
		}
		names = append(names, k.name())
	}
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	for i := range ks {
		if k := &ks[i]; !k.inList() && (k.name() == name || k.path == joinPath(parent, name)) {
			return fmt.Sprintf("the key is %s: give it its place", k.path)
		}
	}
	const most = 12 // a longer list is no hint
	if len(names) > most {
		names = append(names[:most], "...")
	}
	return "the keys here are " + strings.Join(names, ", ")
}

// nearest returns the candidate that name was most likely meant for, or empty: the fewest edits, at most a third of its
// length; else one of which it is a part, as epsilon is of target_epsilon.
func nearest(name string, candidates []string) string {
	const longest = 64 // of the names of the table, and a bound on the work
	if len(name) > longest {
		return ""
	}
	best, fewest := "", max(1, len(name)/3)+1
	for _, c := range candidates {
		if d := edits(strings.ToLower(name), c); d < fewest {
			best, fewest = c, d
		}
	}
	if best != "" {
		return best
	}
	for _, c := range candidates {
		if slices.Contains(strings.Split(c, "_"), strings.ToLower(name)) {
			return c
		}
	}
	return ""
}

// edits counts the insertions, deletions, replacements and swaps of neighbours that make b of a: the optimal string
// alignment distance, over bytes.
func edits(a, b string) int {
	before, last, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(last[j]+1, next[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, last, next = last, next, before
	}
	return last[len(b)]
}
