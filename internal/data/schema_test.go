package data

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"testing"
)

func ptr[T any](x T) *T { return &x }

// everyKind declares a feature of every kind, under names that try CSV and JSON paths.
func everyKind() Spec {
	return Spec{
		Missing: []string{"", "?"},
		Label:   Label{Name: "outcome", Classes: []string{"no", "yes", "1"}, Aliases: []Alias{{"YES", "yes"}}},
		Features: []Feature{
			{Name: "age", Kind: Numeric, Min: ptr(0.), Max: ptr(100.)},
			{Name: "income", Kind: Numeric, Min: ptr(0.), Max: ptr(1e6), Transform: "log1p", Impute: ptr(1000.)},
			{Name: "user.visits", Kind: Numeric, Min: ptr(0.), Max: ptr(50.), Edges: []float64{1, 5, 20}},
			{Name: "plan", Kind: Categorical, Values: []string{"basic", "pro", "?"}, Aliases: []Alias{{"Pro", "pro"}}},
			{Name: "user.city", Kind: Hashed, Buckets: 16},
			{Name: "message", Kind: Text, Buckets: 32, NGrams: 2, StopWords: "english"},
			{Name: "pixels", Kind: Vector, Columns: &ColumnRun{"p", 1, 3}, Min: ptr(0.), Max: ptr(255.), To: &[2]float64{0, 1}, Impute: ptr(0.)},
		},
		RowNorm: 1,
	}
}

func mustSchema(t testing.TB, spec Spec) *Schema {
	t.Helper()
	s, err := NewSchema(spec)
	if err != nil {
		t.Fatalf("NewSchema: %v", err)
	}
	return s
}

func TestSchemaWidths(t *testing.T) {
	s := mustSchema(t, everyKind())
	if dense, want := s.DenseWidth(), 1+1+3; dense != want {
		t.Errorf("DenseWidth() = %d, want %d", dense, want)
	}
	if sparse, want := s.SparseWidth(), 1+0+5+5+17+32; sparse != want {
		t.Errorf("SparseWidth() = %d, want %d", sparse, want)
	}
	if got, want := s.Classes(), []string{"no", "yes", "1"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Classes() = %q, want %q", got, want)
	}
}

func TestSpecSurvivesJSON(t *testing.T) {
	want := mustSchema(t, everyKind()).Spec()
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Spec
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("spec after JSON = %+v, want %+v", got, want)
	}
}

func TestSpecErrors(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	// change is applied to everyKind; f is its features.
	for _, c := range []struct {
		name   string
		change func(s *Spec, f []Feature)
		want   string
	}{
		{"format", func(s *Spec, _ []Feature) { s.Format = "xlsx" }, `data.format is "xlsx", want csv, tsv, jsonl or parquet`},
		{"long delimiter", func(s *Spec, _ []Feature) { s.Delimiter = "||" }, `data.delimiter is "||", want one character other than a quote or a line end`},
		{"quote as delimiter", func(s *Spec, _ []Feature) { s.Delimiter = `"` }, `data.delimiter is "\"", want one character other than a quote or a line end`},
		{"broken delimiter", func(s *Spec, _ []Feature) { s.Delimiter = "\xff" }, `data.delimiter is "\xff", want one character other than a quote or a line end`},
		{"missing", func(s *Spec, _ []Feature) { s.Missing = []string{"", "\xff"} }, `data.missing[1] is not valid UTF-8`},
		{"negative norm", func(s *Spec, _ []Feature) { s.RowNorm = -1 }, `data.row_norm is -1, want a number above 0, or none`},
		{"NaN norm", func(s *Spec, _ []Feature) { s.RowNorm = nan }, `data.row_norm is NaN, want a number above 0, or none`},
		{"infinite norm", func(s *Spec, _ []Feature) { s.RowNorm = inf }, `data.row_norm is +Inf, want a number above 0, or none`},
		{"no label", func(s *Spec, _ []Feature) { s.Label.Name = "" }, `data.label.name is empty`},
		{"one class", func(s *Spec, _ []Feature) { s.Label.Classes = []string{"a"} }, `data.label.classes lists fewer than two classes`},
		{"class twice", func(s *Spec, _ []Feature) { s.Label.Classes = []string{"a", "b", "a"} }, `data.label.classes[2] is "a", which is in the list already`},
		{"broken class", func(s *Spec, _ []Feature) { s.Label.Classes = []string{"a", "\xff"} }, `data.label.classes[1] is not valid UTF-8`},
		{"alias of a class", func(s *Spec, _ []Feature) { s.Label.Aliases = []Alias{{"no", "yes"}} }, `data.label.aliases[0].from is "no", which is a declared value itself`},
		{"alias to nothing", func(s *Spec, _ []Feature) { s.Label.Aliases = []Alias{{"n", "nope"}} }, `data.label.aliases[0].to is "nope", want a declared value`},
		{"alias twice", func(s *Spec, _ []Feature) { s.Label.Aliases = []Alias{{"n", "no"}, {"n", "yes"}} }, `data.label.aliases[1].from is "n", which another alias maps already`},
		{"no features", func(s *Spec, _ []Feature) { s.Features = nil }, `data.features lists no features`},
		{"label as feature", func(_ *Spec, f []Feature) { f[4].Name = "outcome" }, `data.features[4].name is the label, which cannot be a feature`},
		{"label in a run", func(s *Spec, _ []Feature) { s.Label.Name = "p2" }, `data.features[6].name is the label, which cannot be a feature`},
		{"feature twice", func(_ *Spec, f []Feature) { f[1].Name = "age" }, `data.features[1].name is "age", which data.features[0] declares already`},
		{"no name", func(_ *Spec, f []Feature) { f[0].Name = "" }, `data.features[0].name is empty`},
		{"broken name", func(_ *Spec, f []Feature) { f[0].Name = "\xff" }, `data.features[0].name is not valid UTF-8`},
		{"kind", func(_ *Spec, f []Feature) { f[0].Kind = "number" }, `data.features[0].kind is "number", want numeric, categorical, hashed, text or vector`},
		{"no kind", func(_ *Spec, f []Feature) { f[0].Kind = "" }, `data.features[0].kind is "", want numeric, categorical, hashed, text or vector`},

		{"no min", func(_ *Spec, f []Feature) { f[0].Min = nil }, `data.features[0].min is required for a numeric feature`},
		{"no max", func(_ *Spec, f []Feature) { f[0].Max = nil }, `data.features[0].max is required for a numeric feature`},
		{"NaN min", func(_ *Spec, f []Feature) { f[0].Min = &nan }, `data.features[0].min is NaN, want a finite number`},
		{"infinite max", func(_ *Spec, f []Feature) { f[0].Max = &inf }, `data.features[0].max is +Inf, want a finite number, and so its distance from min`},
		{"overflowing distance", func(_ *Spec, f []Feature) { f[0].Min, f[0].Max = ptr(-1.5e308), ptr(1.5e308) }, `data.features[0].max is 1.5e+308, want a finite number, and so its distance from min`},
		{"max at min", func(_ *Spec, f []Feature) { f[0].Max = ptr(0.) }, `data.features[0].max is 0, want a number above min 0`},
		{"transform", func(_ *Spec, f []Feature) { f[0].Transform = "log" }, `data.features[0].transform is "log", want log1p`},
		{"log of a negative", func(_ *Spec, f []Feature) { f[1].Min = ptr(-1.) }, `data.features[1].min is -1, want a number above -1 for transform: log1p`},
		{"transform and edges", func(_ *Spec, f []Feature) { f[2].Transform = "log1p" }, `data.features[2].transform has no effect on a feature that is cut at edges`},
		{"no edges", func(_ *Spec, f []Feature) { f[2].Edges = []float64{} }, `data.features[2].edges is empty`},
		{"edge at min", func(_ *Spec, f []Feature) { f[2].Edges = []float64{0, 1} }, `data.features[2].edges[0] is 0, want a number between min 0 and max 50`},
		{"edge at max", func(_ *Spec, f []Feature) { f[2].Edges = []float64{1, 50} }, `data.features[2].edges[1] is 50, want a number between min 0 and max 50`},
		{"NaN edge", func(_ *Spec, f []Feature) { f[2].Edges = []float64{nan} }, `data.features[2].edges[0] is NaN, want a number between min 0 and max 50`},
		{"edge twice", func(_ *Spec, f []Feature) { f[2].Edges = []float64{1, 1} }, `data.features[2].edges[1] is 1, want a number above the edge before it, 1`},
		{"impute outside", func(_ *Spec, f []Feature) { f[0].Impute = ptr(101.) }, `data.features[0].impute is 101, want a number from min 0 to max 100`},
		{"NaN impute", func(_ *Spec, f []Feature) { f[0].Impute = &nan }, `data.features[0].impute is NaN, want a number from min 0 to max 100`},
		{"buckets of a number", func(_ *Spec, f []Feature) { f[0].Buckets = 8 }, `data.features[0].buckets does not apply to a numeric feature`},
		{"edges of a text", func(_ *Spec, f []Feature) { f[5].Edges = []float64{1} }, `data.features[5].edges does not apply to a text feature`},
		{"ngrams of a hashed", func(_ *Spec, f []Feature) { f[4].NGrams = 2 }, `data.features[4].ngrams does not apply to a hashed feature`},
		{"transform of a vector", func(_ *Spec, f []Feature) { f[6].Transform = "log1p" }, `data.features[6].transform does not apply to a vector feature`},

		{"no values", func(_ *Spec, f []Feature) { f[3].Values = nil }, `data.features[3].values is required for a categorical feature`},
		{"value twice", func(_ *Spec, f []Feature) { f[3].Values = []string{"a", "a"} }, `data.features[3].values[1] is "a", which is in the list already`},
		{"value alias", func(_ *Spec, f []Feature) { f[3].Aliases[0].To = "gold" }, `data.features[3].aliases[0].to is "gold", want a declared value`},

		{"no buckets", func(_ *Spec, f []Feature) { f[4].Buckets = 0 }, `data.features[4].buckets is required for a hashed feature`},
		{"negative buckets", func(_ *Spec, f []Feature) { f[4].Buckets = -1 }, `data.features[4].buckets is -1, want 1 to 67108864`},
		{"many buckets", func(_ *Spec, f []Feature) { f[4].Buckets = math.MaxInt }, `data.features[4].buckets is 9223372036854775807, want 1 to 67108864`},
		{"too wide together", func(_ *Spec, f []Feature) { f[4].Buckets = 1 << 25; f[5].Buckets = 1 << 25 }, `data.features[5] makes the table wider than 67108864 columns`},
		{"ngrams", func(_ *Spec, f []Feature) { f[5].NGrams = 6 }, `data.features[5].ngrams is 6, want 1 to 5`},
		{"stop words", func(_ *Spec, f []Feature) { f[5].StopWords = "en" }, `data.features[5].stop_words is "en", want english`},

		{"no size", func(_ *Spec, f []Feature) { f[6].Columns = nil }, `data.features[6].size is required for a vector feature`},
		{"no columns for csv", func(s *Spec, f []Feature) { s.Format, f[6].Columns, f[6].Size = CSV, nil, 3 }, `data.features[6].columns is required to read a vector from CSV`},
		{"negative size", func(_ *Spec, f []Feature) { f[6].Columns, f[6].Size = nil, -3 }, `data.features[6].size is -3, want 1 to 67108864`},
		{"backward run", func(_ *Spec, f []Feature) { f[6].Columns.Last = 0 }, `data.features[6].columns runs from 1 to 0, want 0 <= first <= last`},
		{"endless run", func(_ *Spec, f []Feature) { f[6].Columns.Last = math.MaxInt }, `data.features[6].columns runs from 1 to 9223372036854775807, want 0 <= first <= last`},
		{"broken prefix", func(_ *Spec, f []Feature) { f[6].Columns.Prefix = "\xff" }, `data.features[6].columns.prefix is not valid UTF-8`},
		{"size against run", func(_ *Spec, f []Feature) { f[6].Size = 4 }, `data.features[6].size is 4, but columns runs over 3`},
		{"min alone", func(_ *Spec, f []Feature) { f[6].Max = nil }, `data.features[6] has one of min and max, want both or neither`},
		{"to alone", func(_ *Spec, f []Feature) { f[6].Min, f[6].Max = nil, nil }, `data.features[6].to needs min and max`},
		{"to backward", func(_ *Spec, f []Feature) { f[6].To = &[2]float64{1, 0} }, `data.features[6].to is [1, 0], want two numbers in ascending order`},
		{"huge to", func(_ *Spec, f []Feature) { f[6].To = &[2]float64{0, 1e39} }, `data.features[6].to is [0, 1e+39], want two numbers in ascending order`},
		{"huge impute", func(_ *Spec, f []Feature) {
			f[6] = Feature{Name: "pixels", Kind: Vector, Size: 3, Impute: ptr(1e39)}
		}, `data.features[6].impute is 1e+39, want a number that fits 32 bits`},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := everyKind()
			c.change(&spec, spec.Features)
			_, err := NewSchema(spec)
			var bad *SpecError
			if !errors.As(err, &bad) || err.Error() != c.want {
				t.Errorf("NewSchema = %v, want %v", err, c.want)
			}
		})
	}
}

func TestOneColumnServesFeaturesOfDifferentKinds(t *testing.T) {
	spec := everyKind()
	spec.Features = append(spec.Features,
		Feature{Name: "age", Kind: Numeric, Min: ptr(0.), Max: ptr(100.), Edges: []float64{50}},
		Feature{Name: "message", Kind: Hashed, Buckets: 4})
	mustSchema(t, spec)
}
