package data

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Values that a feature's text fields may state.
const (
	transformLog1p   = "log1p"
	standardizeDP    = "dp"
	stopWordsEnglish = "english"
	maxNGrams        = 5
)

func specError(key, msg, suggestion string) error {
	return &SpecError{Key: key, Msg: msg, Suggestion: suggestion}
}

// checkTable checks all but what is particular to one feature.
func checkTable(spec *Spec) error {
	switch spec.Format {
	case "", CSV, TSV, JSONL, Parquet:
	default:
		return specError("data.format", fmt.Sprintf("is %q, want csv, tsv, jsonl or parquet", spec.Format), "")
	}
	if d := spec.Delimiter; d != "" {
		r, n := utf8.DecodeRuneInString(d)
		if n != len(d) || r == utf8.RuneError || strings.ContainsRune("\"\r\n\x00", r) {
			return specError("data.delimiter", fmt.Sprintf("is %q, want one character other than a quote or a line end", d), `a tab is "\t"`)
		}
	}
	if spec.OnBadRow != "" && spec.OnBadRow != NullRow {
		return specError("data.on_bad_row", fmt.Sprintf("is %q, want error or null", spec.OnBadRow), "")
	}
	if err := checkDialect(spec); err != nil {
		return err
	}
	for i, text := range spec.Missing {
		if !utf8.ValidString(text) {
			return specError(fmt.Sprintf("data.missing[%d]", i), "is not valid UTF-8", "")
		}
	}
	if !(spec.RowNorm >= 0) || math.IsInf(spec.RowNorm, 0) {
		return specError("data.row_norm", fmt.Sprintf("is %v, want a number above 0, or none", spec.RowNorm), "")
	}
	if err := checkName("data.label.name", spec.Label.Name); err != nil {
		return err
	}
	if len(spec.Label.Classes) < 2 {
		return specError("data.label.classes", "lists fewer than two classes", "classes are declared, never learned from records")
	}
	if err := checkValues("data.label.classes", spec.Label.Classes, spec.Label.Aliases, "data.label.aliases"); err != nil {
		return err
	}
	if len(spec.Features) == 0 {
		return specError("data.features", "lists no features", "")
	}
	if err := checkMoments(spec); err != nil {
		return err
	}
	if split := spec.Split; split != nil {
		if !(split.Test > 0 && split.Test < 1) {
			return specError("data.split.test", fmt.Sprintf("is %v, want a number in (0, 1)", split.Test), "")
		}
		if err := checkName("data.split.by", split.By); err != nil {
			return err
		}
	}
	return checkDistinct(spec)
}

// checkDialect checks quote, comment and names of a CSV table.
func checkDialect(spec *Spec) error {
	delimiter := spec.Delimiter
	if delimiter == "" {
		delimiter = usualDelimiter(spec.Format)
	}
	quote := `"`
	if spec.Quote != "" {
		quote = spec.Quote
	}
	for _, c := range []struct{ key, text, unlike string }{
		{"data.quote", strings.TrimPrefix(quote, NoQuote), delimiter},
		{"data.comment", spec.Comment, delimiter + quote},
	} {
		if c.text == "" {
			continue
		}
		if len(c.text) != 1 || c.text[0] >= utf8.RuneSelf || strings.ContainsAny(c.text, "\r\n\x00 \t"+c.unlike) {
			return specError(c.key, fmt.Sprintf("is %q, want one ASCII character that separates and quotes nothing else", c.text), "")
		}
	}
	seen := make(map[string]bool)
	for i, name := range spec.Names {
		key := fmt.Sprintf("data.names[%d]", i)
		if err := checkName(key, name); err != nil {
			return err
		}
		if seen[name] {
			return specError(key, fmt.Sprintf("is %q, which is in the list already", name), "")
		}
		seen[name] = true
	}
	if spec.Names != nil && len(spec.Names) == 0 {
		return specError("data.names", "is empty", "leave it out where the first row is a header")
	}
	return nil
}

// checkMoments checks what was learned of the standardized features, if anything was.
func checkMoments(spec *Spec) error {
	standardized := spec.Standardized()
	if len(spec.Moments) == 0 {
		return nil
	}
	if len(spec.Moments) != len(standardized) {
		return specError("data.moments", fmt.Sprintf("has %d moments for %d standardized features", len(spec.Moments), len(standardized)), "")
	}
	for i, m := range spec.Moments {
		key := fmt.Sprintf("data.moments[%d]", i)
		scale := 1 / m.Deviation
		switch {
		case m.Feature != standardized[i].Name:
			return specError(key+".feature", fmt.Sprintf("is %q, want %q", m.Feature, standardized[i].Name), "")
		case !(math.Abs(m.Mean) <= 1):
			return specError(key+".mean", fmt.Sprintf("is %v, want a number in [-1, 1]", m.Mean), "")
		case !(m.Deviation > 0 && m.Deviation <= 1 && scale <= math.MaxFloat32/2):
			return specError(key+".deviation", fmt.Sprintf("is %v, want a number in (0, 1]", m.Deviation), "")
		}
	}
	return nil
}

// Standardized lists the features that state standardize, in their order.
func (s *Spec) Standardized() []Feature {
	var list []Feature
	for _, f := range s.Features {
		if f.Standardize != "" {
			list = append(list, f)
		}
	}
	return list
}

// checkDistinct refuses the label among the features, and a feature declared twice in the same way. One column may
// serve several features of different kinds; scaled and cut at edges are different.
func checkDistinct(spec *Spec) error {
	type use struct {
		name   string
		kind   Kind
		binned bool
	}
	seen := make(map[use]int)
	for i, f := range spec.Features {
		key := fmt.Sprintf("data.features[%d].name", i)
		if f.Name == spec.Label.Name || f.Columns != nil && f.Columns.holds(spec.Label.Name) {
			return specError(key, "is the label, which cannot be a feature", "")
		}
		u := use{f.Name, f.Kind, len(f.Edges) > 0}
		if first, ok := seen[u]; ok {
			return specError(key, fmt.Sprintf("is %q, which data.features[%d] declares already", f.Name, first), "")
		}
		seen[u] = i
	}
	return nil
}

// holds reports whether name is one of the run's columns.
func (r *ColumnRun) holds(name string) bool {
	number, ok := strings.CutPrefix(name, r.Prefix)
	i, err := strconv.Atoi(number)
	return ok && err == nil && i >= r.First && i <= r.Last && r.name(i-r.First) == name
}

func checkName(key, name string) error {
	switch {
	case name == "":
		return specError(key, "is empty", "")
	case !utf8.ValidString(name):
		return specError(key, "is not valid UTF-8", "")
	}
	return nil
}

// checkValues checks a list of distinct values and the aliases that map other spellings onto them.
func checkValues(key string, values []string, aliases []Alias, aliasKey string) error {
	declared := make(map[string]bool)
	for i, value := range values {
		switch {
		case !utf8.ValidString(value):
			return specError(fmt.Sprintf("%s[%d]", key, i), "is not valid UTF-8", "")
		case declared[value]:
			return specError(fmt.Sprintf("%s[%d]", key, i), fmt.Sprintf("is %q, which is in the list already", value), "")
		}
		declared[value] = true
	}
	spelled := make(map[string]bool)
	for i, alias := range aliases {
		key := fmt.Sprintf("%s[%d]", aliasKey, i)
		switch {
		case !utf8.ValidString(alias.From):
			return specError(key+".from", "is not valid UTF-8", "")
		case declared[alias.From]:
			return specError(key+".from", fmt.Sprintf("is %q, which is a declared value itself", alias.From), "")
		case spelled[alias.From]:
			return specError(key+".from", fmt.Sprintf("is %q, which another alias maps already", alias.From), "")
		case !declared[alias.To]:
			return specError(key+".to", fmt.Sprintf("is %q, want a declared value", alias.To), "")
		}
		spelled[alias.From] = true
	}
	return nil
}

func checkFeature(key string, f *Feature, spec *Spec) error {
	if err := checkName(key+".name", f.Name); err != nil {
		return err
	}
	if err := checkFields(key, f); err != nil {
		return err
	}
	switch f.Kind {
	case Numeric:
		return checkNumeric(key, f)
	case Categorical:
		if len(f.Values) == 0 {
			return specError(key+".values", "is required for a categorical feature", "list the values, or use kind: hashed for an open set")
		}
		return checkValues(key+".values", f.Values, f.Aliases, key+".aliases")
	case Hashed, Text:
		return checkHashing(key, f)
	case Vector:
		return checkVector(key, f, spec)
	}
	return specError(key+".kind", fmt.Sprintf("is %q, want numeric, categorical, hashed, text or vector", f.Kind), "")
}

// checkFields refuses a field that the feature's kind does not use: it would be silently without effect.
func checkFields(key string, f *Feature) error {
	for _, field := range []struct {
		name  string
		set   bool
		kinds []Kind
	}{
		{"min", f.Min != nil, []Kind{Numeric, Vector}},
		{"max", f.Max != nil, []Kind{Numeric, Vector}},
		{"edges", f.Edges != nil, []Kind{Numeric}},
		{"transform", f.Transform != "", []Kind{Numeric}},
		{"standardize", f.Standardize != "", []Kind{Numeric}},
		{"impute", f.Impute != nil, []Kind{Numeric, Vector}},
		{"values", f.Values != nil, []Kind{Categorical}},
		{"aliases", f.Aliases != nil, []Kind{Categorical}},
		{"buckets", f.Buckets != 0, []Kind{Hashed, Text}},
		{"ngrams", f.NGrams != 0, []Kind{Text}},
		{"stop_words", f.StopWords != "", []Kind{Text}},
		{"size", f.Size != 0, []Kind{Vector}},
		{"columns", f.Columns != nil, []Kind{Vector}},
		{"to", f.To != nil, []Kind{Vector}},
	} {
		if field.set && !slices.Contains(field.kinds, f.Kind) && f.Kind.known() {
			return specError(key+"."+field.name, fmt.Sprintf("does not apply to a %s feature", f.Kind),
				fmt.Sprintf("it belongs to kind: %s", joinKinds(field.kinds)))
		}
	}
	return nil
}

func (k Kind) known() bool {
	return slices.Contains([]Kind{Numeric, Categorical, Hashed, Text, Vector}, k)
}

func joinKinds(kinds []Kind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return strings.Join(names, " or ")
}

func checkNumeric(key string, f *Feature) error {
	if f.Min == nil || f.Max == nil {
		name := ".min"
		if f.Min != nil {
			name = ".max"
		}
		return specError(key+name, "is required for a numeric feature", "bounds are declared, never learned from records; values outside are clamped")
	}
	if err := checkBounds(key, f); err != nil {
		return err
	}
	switch {
	case f.Transform == "":
	case f.Transform != transformLog1p:
		return specError(key+".transform", fmt.Sprintf("is %q, want %s", f.Transform, transformLog1p), "")
	case *f.Min <= -1:
		return specError(key+".min", fmt.Sprintf("is %v, want a number above -1 for transform: log1p", *f.Min), "")
	case !(math.Log1p(*f.Max) > math.Log1p(*f.Min)):
		return specError(key+".max", fmt.Sprintf("is %v, which transform: log1p cannot tell from min %v", *f.Max, *f.Min), "")
	case len(f.Edges) > 0:
		return specError(key+".transform", "has no effect on a feature that is cut at edges", "leave out transform")
	}
	switch {
	case f.Standardize == "":
	case f.Standardize != standardizeDP:
		return specError(key+".standardize", fmt.Sprintf("is %q, want %s", f.Standardize, standardizeDP), "")
	case len(f.Edges) > 0:
		return specError(key+".standardize", "has no effect on a feature that is cut at edges", "leave out standardize")
	case f.Impute == nil:
		return specError(key+".impute", "is required by standardize: dp", "a missing cell counts as it; its effect on mean and deviation is private too")
	}
	if f.Edges != nil && len(f.Edges) == 0 {
		return specError(key+".edges", "is empty", "leave it out for a scaled number")
	}
	for i, edge := range f.Edges {
		key := fmt.Sprintf("%s.edges[%d]", key, i)
		switch {
		case !(edge > *f.Min && edge < *f.Max):
			return specError(key, fmt.Sprintf("is %v, want a number between min %v and max %v", edge, *f.Min, *f.Max), "")
		case i > 0 && edge <= f.Edges[i-1]:
			return specError(key, fmt.Sprintf("is %v, want a number above the edge before it, %v", edge, f.Edges[i-1]), "")
		}
	}
	return nil
}

// checkBounds checks min and max, both of which are set, and impute.
func checkBounds(key string, f *Feature) error {
	switch {
	case !finite(*f.Min):
		return specError(key+".min", fmt.Sprintf("is %v, want a finite number", *f.Min), "")
	case !finite(*f.Max) || !finite(*f.Max-*f.Min):
		return specError(key+".max", fmt.Sprintf("is %v, want a finite number, and so its distance from min", *f.Max), "")
	case *f.Max <= *f.Min:
		return specError(key+".max", fmt.Sprintf("is %v, want a number above min %v", *f.Max, *f.Min), "")
	case f.Impute != nil && !(*f.Impute >= *f.Min && *f.Impute <= *f.Max):
		return specError(key+".impute", fmt.Sprintf("is %v, want a number from min %v to max %v", *f.Impute, *f.Min, *f.Max), "")
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

func checkHashing(key string, f *Feature) error {
	switch {
	case f.Buckets == 0:
		return specError(key+".buckets", fmt.Sprintf("is required for a %s feature", f.Kind), "64 suits a few dozen values, 4096 suits text")
	case f.Buckets < 0 || f.Buckets > maxColumns:
		return specError(key+".buckets", fmt.Sprintf("is %d, want 1 to %d", f.Buckets, maxColumns), "")
	case f.NGrams < 0 || f.NGrams > maxNGrams:
		return specError(key+".ngrams", fmt.Sprintf("is %d, want 1 to %d", f.NGrams, maxNGrams), "")
	case f.StopWords != "" && f.StopWords != stopWordsEnglish:
		return specError(key+".stop_words", fmt.Sprintf("is %q, want %s", f.StopWords, stopWordsEnglish), "")
	}
	return nil
}

func checkVector(key string, f *Feature, spec *Spec) error {
	run := f.Columns
	switch {
	case run == nil && f.Size == 0:
		return specError(key+".size", "is required for a vector feature", "or columns, for a run of CSV columns")
	case run == nil && (spec.Format == CSV || spec.Format == TSV):
		return noRun(key)
	case run != nil && (run.First < 0 || run.Last < run.First || run.Last-run.First >= maxColumns):
		return specError(key+".columns", fmt.Sprintf("runs from %d to %d, want 0 <= first <= last", run.First, run.Last), "")
	case run != nil && !utf8.ValidString(run.Prefix):
		return specError(key+".columns.prefix", "is not valid UTF-8", "")
	case f.Size < 0 || f.Size > maxColumns:
		return specError(key+".size", fmt.Sprintf("is %d, want 1 to %d", f.Size, maxColumns), "")
	case run != nil && f.Size != 0 && f.Size != f.vectorSize():
		return specError(key+".size", fmt.Sprintf("is %d, but columns runs over %d", f.Size, f.vectorSize()), "leave out size")
	}
	switch {
	case f.Min != nil && f.Max != nil:
		if err := checkBounds(key, f); err != nil {
			return err
		}
	case f.Min != nil || f.Max != nil:
		return specError(key, "has one of min and max, want both or neither", "")
	case f.To != nil:
		return specError(key+".to", "needs min and max", "")
	case f.Impute != nil && !(math.Abs(*f.Impute) <= math.MaxFloat32):
		return specError(key+".impute", fmt.Sprintf("is %v, want a number that fits 32 bits", *f.Impute), "")
	}
	if f.To != nil && !(f.To[0] < f.To[1] && math.Abs(f.To[0]) <= math.MaxFloat32 && math.Abs(f.To[1]) <= math.MaxFloat32) {
		return specError(key+".to", fmt.Sprintf("is [%v, %v], want two numbers in ascending order", f.To[0], f.To[1]), "")
	}
	return nil
}

// noRun says that a vector cannot be read from CSV. key is that of its feature.
func noRun(key string) error {
	return specError(key+".columns", "is required to read a vector from CSV", "columns: {prefix: p, first: 0, last: 783} reads p0 to p783")
}
