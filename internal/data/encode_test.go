package data

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// oneFeature is a spec of a single feature called x.
func oneFeature(f Feature) Spec {
	f.Name = "x"
	return Spec{
		Missing:  []string{"", "?"},
		Label:    Label{Name: "y", Classes: []string{"a", "b"}},
		Features: []Feature{f},
	}
}

// encodeText encodes one row of the given cells and fails the test on a fault.
func encodeText(t *testing.T, s *Schema, texts ...string) *Dataset {
	t.Helper()
	var cells []cell
	for _, text := range texts {
		cells = append(cells, cell{text: []byte(text)})
	}
	b := newBuilder(s.dense, s.sparse)
	if bad := s.encode(b, cells); bad != nil {
		t.Fatalf("encode(%q): cell %d %s", texts, bad.cell, bad.msg)
	}
	return b.data
}

func TestEncode(t *testing.T) {
	number := Feature{Kind: Numeric, Min: ptr(-10.), Max: ptr(30.)}
	imputed := Feature{Kind: Numeric, Min: ptr(-10.), Max: ptr(30.), Impute: ptr(20.)}
	logarithm := Feature{Kind: Numeric, Min: ptr(0.), Max: ptr(math.Expm1(4)), Transform: "log1p"}
	binned := Feature{Kind: Numeric, Min: ptr(0.), Max: ptr(10.), Edges: []float64{1, 2.5, 5}}
	binnedImputed := binned
	binnedImputed.Impute = ptr(3.)
	plan := Feature{Kind: Categorical, Values: []string{"basic", "pro"}, Aliases: []Alias{{"Pro", "pro"}, {"?", "basic"}}}
	hashed := Feature{Kind: Hashed, Buckets: 1000}
	text := Feature{Kind: Text, Buckets: 4096, StopWords: "english"}
	vector := Feature{Kind: Vector, Columns: &ColumnRun{"x", 0, 1}}
	pixels := Feature{Kind: Vector, Columns: &ColumnRun{"x", 0, 1}, Min: ptr(0.), Max: ptr(255.), To: &[2]float64{0, 1}, Impute: ptr(51.)}
	signed := Feature{Kind: Vector, Columns: &ColumnRun{"x", 0, 1}, Min: ptr(0.), Max: ptr(4.)}
	bucket := func(value string, buckets int) uint32 {
		return bucketOf(hashBytes(bucketSeed("x"), []byte(value)), buckets)
	}
	for _, c := range []struct {
		name    string
		feature Feature
		cells   []string
		dense   []float32
		sparse  []uint32
	}{
		{"min", number, []string{"-10"}, []float32{-1}, nil},
		{"max", number, []string{"30"}, []float32{1}, nil},
		{"middle", number, []string{"10"}, []float32{0}, nil},
		{"quarter", number, []string{"0"}, []float32{-.5}, nil},
		{"below", number, []string{"-1e300"}, []float32{-1}, nil},
		{"above", number, []string{"1e300"}, []float32{1}, nil},
		{"missing", number, []string{"?"}, []float32{0}, []uint32{0}},
		{"empty", number, []string{""}, []float32{0}, []uint32{0}},
		{"imputed", imputed, []string{"?"}, []float32{.5}, nil},
		{"log of min", logarithm, []string{"0"}, []float32{-1}, nil},
		{"log of max", logarithm, []string{"1e9"}, []float32{1}, nil},
		{"log of middle", logarithm, []string{"6.38905609893065"}, []float32{0}, nil}, // e^2 - 1

		{"lowest bin", binned, []string{"-3"}, nil, []uint32{0}},
		{"below an edge", binned, []string{"0.999"}, nil, []uint32{0}},
		{"on an edge", binned, []string{"1"}, nil, []uint32{1}},
		{"between edges", binned, []string{"2.6"}, nil, []uint32{2}},
		{"highest bin", binned, []string{"99"}, nil, []uint32{3}},
		{"bin missing", binned, []string{"?"}, nil, []uint32{4}},
		{"bin imputed", binnedImputed, []string{"?"}, nil, []uint32{2}},

		{"value", plan, []string{"basic"}, nil, []uint32{0}},
		{"value alias", plan, []string{"Pro"}, nil, []uint32{1}},
		{"value other", plan, []string{"BASIC"}, nil, []uint32{2}},
		{"value missing", plan, []string{""}, nil, []uint32{3}},
		{"alias before missing", plan, []string{"?"}, nil, []uint32{0}},

		{"hashed", hashed, []string{"Zürich"}, nil, []uint32{bucket("Zürich", 1000)}},
		{"hashed space", hashed, []string{" "}, nil, []uint32{bucket(" ", 1000)}},
		{"hashed missing", hashed, []string{"?"}, nil, []uint32{1000}},

		{"text", text, []string{"The CARD, the card!"}, nil, []uint32{bucket("card", 4096)}},
		{"text of stop words", text, []string{"the and"}, nil, nil},
		{"text missing", text, []string{"?"}, nil, nil},

		{"vector", vector, []string{"-1e30", " 0.5 "}, []float32{-1e30, .5}, nil},
		{"pixels", pixels, []string{"51", "999"}, []float32{.2, 1}, nil},
		{"pixel missing", pixels, []string{"?", "0"}, []float32{.2, 0}, nil},
		{"vector to [-1, 1]", signed, []string{"1", "4"}, []float32{-.5, 1}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := encodeText(t, mustSchema(t, oneFeature(c.feature)), c.cells...)
			if !slices.EqualFunc(got.Dense, c.dense, func(a, b float32) bool { return math.Abs(float64(a-b)) <= 1e-7*math.Abs(float64(b))+1e-15 }) {
				t.Errorf("dense part of %q = %v, want %v", c.cells, got.Dense, c.dense)
			}
			if !slices.Equal(got.Indices, c.sparse) {
				t.Errorf("sparse columns of %q = %v, want %v", c.cells, got.Indices, c.sparse)
			}
			for _, v := range got.Values {
				if v != 1 {
					t.Errorf("sparse values of %q = %v, want ones", c.cells, got.Values)
				}
			}
		})
	}
}

func TestEncodeFaults(t *testing.T) {
	run := &ColumnRun{"x", 0, 1}
	for _, c := range []struct {
		name    string
		feature Feature
		cells   []string
		cell    int
		want    string
	}{
		{"text as number", Feature{Kind: Numeric, Min: ptr(0.), Max: ptr(1.)}, []string{"abc"}, 0, notNumber},
		{"NaN", Feature{Kind: Numeric, Min: ptr(0.), Max: ptr(1.)}, []string{"NaN"}, 0, notNumber},
		{"huge", Feature{Kind: Numeric, Min: ptr(0.), Max: ptr(1.)}, []string{"1e400"}, 0, outOfRange},
		{"text as bin", Feature{Kind: Numeric, Min: ptr(0.), Max: ptr(1.), Edges: []float64{.5}}, []string{"abc"}, 0, notNumber},
		{"text as element", Feature{Kind: Vector, Columns: run}, []string{"1", "abc"}, 1, notNumber},
		{"element missing", Feature{Kind: Vector, Columns: run}, []string{"?", "1"}, 0, noValue},
		{"element beyond float32", Feature{Kind: Vector, Columns: run}, []string{"1", "-3.5e38"}, 1, outOfRange},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mustSchema(t, oneFeature(c.feature))
			var cells []cell
			for _, text := range c.cells {
				cells = append(cells, cell{text: []byte(text)})
			}
			bad := s.encode(newBuilder(s.dense, s.sparse), cells)
			if bad == nil || bad.cell != c.cell || bad.msg != c.want {
				t.Errorf("encode(%q) = %+v, want cell %d %q", c.cells, bad, c.cell, c.want)
			}
		})
	}
}

// drawCells draws a row for everyKind: the cells of its features in order.
func drawCells(t *rapid.T) []string {
	cell := func(label string, own *rapid.Generator[string]) string {
		return rapid.OneOf(own, rapid.SampledFrom([]string{"", "?"})).Draw(t, label)
	}
	number := rapid.StringMatching(`-?[0-9]{1,4}(\.[0-9]{1,3})?(e[0-3])?`)
	return []string{
		cell("age", number),
		cell("income", number),
		cell("visits", number),
		cell("plan", rapid.SampledFrom([]string{"basic", "pro", "Pro", "gold", `"quoted"`})),
		cell("city", rapid.StringMatching(`[a-zé東 ,;"\n\t]{1,12}`)),
		cell("message", rapid.StringMatching(`[a-z']{0,5}( [A-Zaß,]{0,6}){0,20}`)),
		cell("p1", number),
		cell("p2", number),
		cell("p3", number),
	}
}

func toCells(texts []string) []cell {
	var cells []cell
	for _, text := range texts {
		cells = append(cells, cell{text: []byte(text)})
	}
	return cells
}

// checkBlocks checks what every dataset must be: whole blocks, ascending distinct columns, and row norms within rowNorm.
func checkBlocks(t interface{ Fatalf(string, ...any) }, d *Dataset, rowNorm float64) {
	if len(d.Dense) != d.Rows*d.DenseWidth || len(d.Indptr) != d.Rows+1 || len(d.Indices) != len(d.Values) || d.Indptr[d.Rows] != len(d.Indices) {
		t.Fatalf("blocks of %d rows have %d dense values, %d row starts, %d columns, %d values", d.Rows, len(d.Dense), len(d.Indptr), len(d.Indices), len(d.Values))
	}
	for row := range d.Rows {
		columns := d.Indices[d.Indptr[row]:d.Indptr[row+1]]
		for i, column := range columns {
			if int(column) >= d.SparseWidth || i > 0 && column <= columns[i-1] {
				t.Fatalf("row %d has sparse columns %v, want ascending ones below %d", row, columns, d.SparseWidth)
			}
		}
		sum := sumSquares(d.Dense[row*d.DenseWidth:(row+1)*d.DenseWidth]) + sumSquares(d.Values[d.Indptr[row]:d.Indptr[row+1]])
		if norm := math.Sqrt(sum); math.IsNaN(norm) || math.IsInf(norm, 0) || rowNorm > 0 && norm > rowNorm*(1+1e-6) {
			t.Fatalf("row %d has norm %v, want at most %v", row, norm, rowNorm)
		}
	}
}

func TestRowsAreEncodedAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := everyKind()
		spec.RowNorm = rapid.SampledFrom([]float64{0, 1e-3, 1, 2, 100}).Draw(t, "row_norm")
		s, err := NewSchema(spec)
		if err != nil {
			t.Fatalf("NewSchema: %v", err)
		}
		all := newBuilder(s.dense, s.sparse)
		for range rapid.IntRange(1, 5).Draw(t, "rows") {
			cells := toCells(drawCells(t))
			alone := newBuilder(s.dense, s.sparse)
			if bad := s.encode(alone, cells); bad != nil {
				t.Fatalf("encode: cell %d %s", bad.cell, bad.msg)
			}
			s.encode(all, cells)
			row, d := all.data.Rows-1, all.data
			if !slices.Equal(d.Dense[row*d.DenseWidth:], alone.data.Dense) || !slices.Equal(d.Indices[d.Indptr[row]:], alone.data.Indices) || !slices.Equal(d.Values[d.Indptr[row]:], alone.data.Values) {
				t.Fatalf("row %d among others differs from the same row alone", row)
			}
		}
		checkBlocks(t, all.data, spec.RowNorm)
	})
}

func TestRowNormKeepsDirection(t *testing.T) {
	spec := oneFeature(Feature{Kind: Vector, Columns: &ColumnRun{"x", 0, 2}})
	spec.RowNorm = 2
	s := mustSchema(t, spec)
	if got, want := encodeText(t, s, "3", "0", "-4").Dense, []float32{1.2, 0, -1.6}; !slices.Equal(got, want) {
		t.Errorf("long row = %v, want %v", got, want)
	}
	if got, want := encodeText(t, s, "1", "0", "-1").Dense, []float32{1, 0, -1}; !slices.Equal(got, want) {
		t.Errorf("short row = %v, want %v as it is", got, want)
	}
}

// TestRowNormSpansBothParts: the dense and the sparse part count together.
func TestRowNormSpansBothParts(t *testing.T) {
	spec := oneFeature(Feature{Kind: Vector, Columns: &ColumnRun{"x", 0, 0}})
	spec.Features = append(spec.Features, Feature{Name: "z", Kind: Hashed, Buckets: 4})
	spec.RowNorm = 1
	d := encodeText(t, mustSchema(t, spec), "1", "v")
	want := float32(math.Sqrt(.5))
	if d.Dense[0] != want || d.Values[0] != want {
		t.Errorf("row = %v dense and %v sparse, want %v each", d.Dense[0], d.Values[0], want)
	}
}
