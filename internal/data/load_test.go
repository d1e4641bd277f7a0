package data

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// loadText loads text as a table of the given format.
func loadText(spec Spec, format, text string, o LoadOptions) (*Dataset, error) {
	spec.Format = format
	s, err := NewSchema(spec)
	if err != nil {
		return nil, err
	}
	o.Stdin = strings.NewReader(text)
	return Load(context.Background(), []string{Stdin}, s, o)
}

// writeFile puts a table into a folder of the test.
func writeFile(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// small is a spec of one number and a label.
func small() Spec {
	return Spec{
		Missing:  []string{""},
		Label:    Label{Name: "y", Classes: []string{"a", "b"}},
		Features: []Feature{{Name: "x", Kind: Numeric, Min: ptr(0.), Max: ptr(10.)}},
	}
}

// TestFaults: with more than one looked for, the faults are those that one at a time would show, wherever parts end.
func TestFaults(t *testing.T) {
	const header, good, bad = "x,y\n", "1,a\n", "S,a\n"
	text := header + good + bad + good + "1,a,2\n" + good + bad + bad
	places := []string{"stdin:3:1: column \"x\" is not a number", "stdin:5: the row has more fields than the header",
		"stdin:7:1: column \"x\" is not a number", "stdin:8:1: column \"x\" is not a number"}
	for _, c := range []struct {
		table string
		most  int
		want  []string
	}{
		{text, 20, places}, {text, 4, places}, {text, 3, places[:3]}, {text, 2, places[:2]}, {text, 1, places[:1]}, {header + good, 20, nil},
		{text + "1,\"a\n", 20, append(slices.Clone(places), "stdin:9:3: a quote that is neither closed nor written twice")},
	} {
		for _, size := range []int{0, 1, 9, 20} {
			_, err := Load(context.Background(), []string{Stdin}, mustSchema(t, small()), LoadOptions{Stdin: strings.NewReader(c.table), Faults: c.most, CountOnly: true, partBytes: size, Workers: 2})
			var found []string
			var faults Faults
			var one *Error
			switch {
			case errors.As(err, &faults):
				for _, f := range faults {
					found = append(found, f.Error())
				}
			case errors.As(err, &one):
				found = []string{one.Error()}
			}
			if !slices.Equal(found, c.want) {
				t.Errorf("at most %d faults in parts of %d: %q, want %q", c.most, size, found, c.want)
			}
		}
	}
}

func TestFormatOf(t *testing.T) {
	for path, want := range map[string]string{
		"a.csv": CSV, "a.tsv": TSV, "a.jsonl": JSONL, "a.ndjson": JSONL, "a.json": JSONL, "a.data": CSV, "a": CSV, "-": CSV,
		"a.csv.gz": CSV, "a.tsv.zst": TSV, "a.jsonl.gz": JSONL, "A.JSONL.GZ": JSONL, "a.gz": CSV, "a.jsonl.bak": CSV,
		"jsonl/a.csv": CSV, "jsonl.d/a": CSV,
	} {
		if got := FormatOf(path); got != want {
			t.Errorf("FormatOf(%q) = %q, want %q", path, got, want)
		}
	}
}

// everyColumn names the columns of everyKind, those of its features in order and then its label.
func everyColumn() []string {
	return []string{"age", "income", "user.visits", "plan", "user.city", "message", "p1", "p2", "p3", "outcome"}
}

// writeCSV writes rows with the columns in the given order and one more that nothing declares.
func writeCSV(rows [][]string, order []int, comma rune, crlf bool) string {
	var out strings.Builder
	w := csv.NewWriter(&out)
	w.Comma, w.UseCRLF = comma, crlf
	for i, row := range append([][]string{everyColumn()}, rows...) {
		var record []string
		for _, column := range order {
			record = append(record, row[column])
		}
		_ = w.Write(append(record, fmt.Sprint("extra", min(i, 1)))) // to memory
	}
	w.Flush()
	return out.String()
}

// writeJSONL writes the same rows as objects, with numbers as numbers or strings, paths nested or not, by draw.
func writeJSONL(t *rapid.T, rows [][]string) string {
	var out strings.Builder
	for _, row := range rows {
		value := func(text string) any {
			if _, problem := parseNumber([]byte(text)); problem == "" && json.Valid([]byte(text)) && rapid.Bool().Draw(t, "literal") {
				return json.RawMessage(text)
			}
			if text == "" && rapid.Bool().Draw(t, "null") {
				return nil
			}
			return text
		}
		object := map[string]any{"extra": map[string]any{"age": []int{1}}}
		for i, name := range everyColumn() {
			switch {
			case name[0] == 'p' && name != "plan":
				elements, _ := object["pixels"].([]any)
				object["pixels"] = append(elements, value(row[i]))
			case strings.HasPrefix(name, "user.") && rapid.Bool().Draw(t, "nested"):
				user, _ := object["user"].(map[string]any)
				if user == nil {
					user = make(map[string]any)
				}
				user[strings.TrimPrefix(name, "user.")] = value(row[i])
				object["user"] = user
			case row[i] == "" && rapid.Bool().Draw(t, "absent"):
			default:
				object[name] = value(row[i])
			}
		}
		line, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(line, '\n'))
	}
	return out.String()
}

func TestFormatsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows [][]string
		for range rapid.IntRange(1, 4).Draw(t, "rows") {
			rows = append(rows, append(drawCells(t), rapid.SampledFrom([]string{"no", "yes", "1", "YES"}).Draw(t, "label")))
		}
		order := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
		o := LoadOptions{Group: "plan"}
		want, err := loadText(everyKind(), CSV, writeCSV(rows, order, ',', false), o)
		if err != nil {
			t.Fatalf("load CSV: %v", err)
		}
		checkBlocks(t, want, 1)
		shuffled := rapid.Permutation(order).Draw(t, "order")
		for name, table := range map[string]struct{ format, text string }{
			"columns in another order": {CSV, writeCSV(rows, shuffled, ',', false)},
			"CRLF":                     {CSV, strings.ReplaceAll(writeCSV(rows, order, ',', false), "\n", "\r\n")},
			"byte order mark":          {CSV, "\ufeff" + writeCSV(rows, order, ',', false)},
			"no last line end":         {CSV, strings.TrimSuffix(writeCSV(rows, order, ',', false), "\n")},
			"blank lines":              {CSV, "\n" + writeCSV(rows, order, ',', false) + "\r\n\n"},
			"TSV":                      {TSV, writeCSV(rows, shuffled, '\t', false)},
			"JSONL":                    {JSONL, writeJSONL(t, rows)},
			"JSONL with CRLF":          {JSONL, "\ufeff\n" + strings.ReplaceAll(writeJSONL(t, rows), "\n", " \r\n\t\r\n")},
		} {
			got, err := loadText(everyKind(), table.format, table.text, o)
			if err != nil {
				t.Fatalf("load %s: %v\n%s", name, err, table.text)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: dataset = %+v, want %+v as from CSV", name, got, want)
			}
		}
	})
}

func TestDelimiter(t *testing.T) {
	spec := small()
	spec.Delimiter = ";"
	d, err := loadText(spec, CSV, "y;x\na;10\n", LoadOptions{})
	if err != nil || !slices.Equal(d.Dense, []float32{1}) {
		t.Errorf("dense block of a table with semicolons = %v, %v, want [1]", d, err)
	}
	spec.Delimiter = "\u00a6" // broken bar, two bytes
	if _, err := loadText(spec, TSV, "y\u00a6x\na\u00a610\n", LoadOptions{}); err != nil {
		t.Errorf("load with a delimiter of two bytes: %v", err)
	}
}

func TestQuotedFields(t *testing.T) {
	spec := Spec{
		Label:    Label{Name: "y", Classes: []string{"a", "b,\nb"}},
		Features: []Feature{{Name: `x "1"`, Kind: Categorical, Values: []string{"line 1\nline 2", `say "hi"`}}},
	}
	d, err := loadText(spec, CSV, "\"x \"\"1\"\"\",y\r\n\"line 1\r\nline 2\",a\r\n\"say \"\"hi\"\"\",\"b,\nb\"\r\n", LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint32{0, 1}; !slices.Equal(d.Indices, want) || !slices.Equal(d.Labels, []int32{0, 1}) {
		t.Errorf("columns %v, labels %v, want %v and [0 1]", d.Indices, d.Labels, want)
	}
}

func TestLabels(t *testing.T) {
	spec := small()
	spec.Label = Label{Name: "y", Classes: []string{"true", "2", ""}, Aliases: []Alias{{"2.", "2"}}}
	d, err := loadText(spec, JSONL, `{"x":1,"y":true}`+"\n"+`{"x":1,"y":2}`+"\n"+`{"x":1,"y":"2."}`+"\n"+`{"x":1,"y":""}`, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int32{0, 1, 1, 2}; !slices.Equal(d.Labels, want) {
		t.Errorf("labels = %v, want %v", d.Labels, want)
	}
	for name, text := range map[string]string{CSV: "x\n1\n", JSONL: `{"x":1}`} {
		d, err := loadText(spec, name, text, LoadOptions{Labels: LabelsIgnored})
		if err != nil || d.Labels != nil || d.Rows != 1 {
			t.Errorf("%s without a label: %+v, %v, want one row and nil labels", name, d, err)
		}
	}
}

func TestGroups(t *testing.T) {
	for format, text := range map[string]string{
		CSV:   "x,y,region\n1,a,south\n2,b,\n3,a,north\n4,b,south\n",
		JSONL: `{"x":1,"y":"a","region":"south"}` + "\n" + `{"x":2,"y":"b"}` + "\n" + `{"x":3,"y":"a","region":"north"}` + "\n" + `{"x":4,"y":"b","region":"south"}`,
	} {
		d, err := loadText(small(), format, text, LoadOptions{Group: "region"})
		if err != nil {
			t.Fatal(err)
		}
		want := &Groups{Names: []string{"", "north", "south"}, Of: []int32{2, 0, 1, 2}}
		if !reflect.DeepEqual(d.Groups, want) {
			t.Errorf("%s: groups = %+v, want %+v", format, d.Groups, want)
		}
	}
	if d, err := loadText(small(), CSV, "x,y\n1,a\n", LoadOptions{}); err != nil || d.Groups != nil {
		t.Errorf("groups that were not asked for = %+v, %v, want nil", d.Groups, err)
	}
	// The group may be the label or a feature.
	if d, err := loadText(small(), CSV, "x,y\n1,a\n", LoadOptions{Group: "y"}); err != nil || !slices.Equal(d.Groups.Names, []string{"a"}) {
		t.Errorf("groups by label = %+v, %v, want one called a", d, err)
	}
}

func TestMaxRows(t *testing.T) {
	const table = "x,y\n1,a\n2,b\n"
	if d, err := loadText(small(), CSV, table, LoadOptions{MaxRows: 2}); err != nil || d.Rows != 2 {
		t.Errorf("two rows of at most two: %+v, %v, want 2 rows", d, err)
	}
	_, err := loadText(small(), CSV, table, LoadOptions{MaxRows: 1})
	if want := "stdin: has more rows than the declared 1"; err == nil || err.Error() != want {
		t.Errorf("two rows of at most one: %v, want %s", err, want)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	rows := 0
	endless := readerFunc(func(p []byte) (int, error) {
		if rows++; rows == 3 {
			cancel()
		}
		return copy(p, strings.Repeat("1,a\n", len(p)/4)), nil
	})
	_, err := Load(ctx, []string{Stdin}, mustSchema(t, small()), LoadOptions{Stdin: io.MultiReader(strings.NewReader("x,y\n"), endless)})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("load of an endless table after cancel: %v, want %v", err, context.Canceled)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestFilesThatCannotBeOpened(t *testing.T) {
	s := mustSchema(t, small())
	_, err := Load(context.Background(), []string{filepath.Join(t.TempDir(), "no.csv")}, s, LoadOptions{})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("load of no file: %v, want %v", err, fs.ErrNotExist)
	}
	dir := t.TempDir()
	if _, err := Load(context.Background(), []string{dir}, s, LoadOptions{}); err == nil || err.Error() != dir+": is a directory, want a file" {
		t.Errorf("load of a directory: %v, want a plain word", err)
	}
	broken := errors.New("disk on fire")
	_, err = Load(context.Background(), []string{Stdin}, s, LoadOptions{Stdin: io.MultiReader(strings.NewReader("x,y\n1,a\n2"), readerFunc(func([]byte) (int, error) { return 0, broken }))})
	if !errors.Is(err, broken) || err.Error() != "stdin: disk on fire" {
		t.Errorf("load of a broken reader: %v, want stdin: %v", err, broken)
	}
}

func TestVectorWithoutColumnsIsNotForCSV(t *testing.T) {
	spec := small()
	spec.Features[0] = Feature{Name: "x", Kind: Vector, Size: 2}
	path := writeFile(t, "a.csv", []byte("x,y\n1,a\n"))
	_, err := Load(context.Background(), []string{path}, mustSchema(t, spec), LoadOptions{})
	var bad *SpecError
	if !errors.As(err, &bad) || bad.Key != "data.features[0].columns" {
		t.Errorf("load of a vector without columns from CSV: %v, want a SpecError for data.features[0].columns", err)
	}
}

// TestLoadingDoesNotAllocateByTheCell: nor by the row; what there is comes of the goroutines and the growth of the blocks.
func TestLoadingDoesNotAllocateByTheCell(t *testing.T) {
	const rows, columns = 500, 100
	spec := small()
	spec.Features = []Feature{{Name: "x", Kind: Vector, Columns: &ColumnRun{"x", 1, columns}, Min: ptr(0.), Max: ptr(9.)}}
	header, line := "y", "a"
	for i := range columns {
		header += fmt.Sprint(",x", i+1)
		line += ",0.25"
	}
	table := []byte(header + "\n" + strings.Repeat(line+"\n", rows))
	s := mustSchema(t, spec)
	n := testing.AllocsPerRun(3, func() {
		if _, err := Load(context.Background(), []string{Stdin}, s, LoadOptions{MaxRows: rows, Stdin: bytes.NewReader(table)}); err != nil {
			t.Fatal(err)
		}
	})
	if n > rows {
		t.Errorf("loading %d rows of %d cells allocates %v times, want at most %d", rows, columns, n, rows)
	}
}
