package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// outline writes a table and reads its outline.
func outline(t *testing.T, name, text string, peek int) (*Outline, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return ReadOutline(path, OutlineOptions{Peek: peek})
}

func TestOutlineOfAHeader(t *testing.T) {
	for _, test := range []struct {
		name, file, text string
		want             Outline
	}{
		{"comma", "t.csv", "age,town\n1,Ulm\n", Outline{Format: CSV, Columns: []OutlineColumn{{Name: "age"}, {Name: "town"}}}},
		{"header alone", "t.csv", "age", Outline{Format: CSV, Columns: []OutlineColumn{{Name: "age"}}}},
		{"byte order mark", "t.csv", "\ufeffage,town", Outline{Format: CSV, Columns: []OutlineColumn{{Name: "age"}, {Name: "town"}}}},
		{"semicolon", "t.csv", "age;\"a,b\";town\n1,5;2;3\n", Outline{Format: CSV, Delimiter: ";", Columns: []OutlineColumn{{Name: "age"}, {Name: "a,b"}, {Name: "town"}}}},
		{"tab", "t.tsv", "age\ttown, country\n", Outline{Format: TSV, Columns: []OutlineColumn{{Name: "age"}, {Name: "town, country"}}}},
		{"unnamed", "t.csv", ",age\n", Outline{Format: CSV, Columns: []OutlineColumn{{}, {Name: "age"}}}},
		{"run", "t.csv", "y,p_8,p_9,p_10,p_11,z1,z2\n", Outline{Format: CSV, Columns: []OutlineColumn{
			{Name: "y"}, {Name: "p", Kind: Vector, Run: &ColumnRun{"p_", 8, 11}}, {Name: "z1"}, {Name: "z2"}}}},
		{"run of numbers", "t.csv", "0,1,2,3,y\n", Outline{Format: CSV, Columns: []OutlineColumn{{Name: "columns", Kind: Vector, Run: &ColumnRun{"", 0, 3}}, {Name: "y"}}}},
	} {
		got, err := outline(t, test.file, test.text, 0)
		if err != nil || !reflect.DeepEqual(*got, test.want) {
			t.Errorf("%s: ReadOutline = %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
}

func TestOutlineGuessesKinds(t *testing.T) {
	var csv, jsonl strings.Builder
	csv.WriteString("age,flag,town,code,message,none\n")
	for i := range 100 {
		fmt.Fprintf(&csv, "%d,%d,%s,c%d,\"please block my %d cards, now\",\n", 20+i, i%2, []string{"Ulm", "Bern", "?"}[i%3], i, i)
		fmt.Fprintf(&jsonl, `{"user": {"age": %d, "gone": null}, "v": [1, 2, 3], "ok": %v}`+"\n\n", 20+i, i%2 == 0)
	}
	for _, test := range []struct {
		file, text string
		want       string
	}{
		{"t.csv", csv.String(), "age numeric, flag categorical, town categorical, code hashed, message text, none "},
		{"t.jsonl", jsonl.String(), "ok categorical, user.age numeric, user.gone , v vector"},
	} {
		o, err := outline(t, test.file, test.text, 50)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range o.Columns {
			got = append(got, c.Name+" "+string(c.Kind))
		}
		if s := strings.Join(got, ", "); s != test.want || o.Rows != 50 {
			t.Errorf("%s: %d rows, %s, want %s", test.file, o.Rows, s, test.want)
		}
	}
}

func TestOutlineRefuses(t *testing.T) {
	const secret = "s3cr3t"
	for _, test := range []struct {
		name, file, text string
		peek             int
		want             string
	}{
		{"empty", "t.csv", "", 0, "is empty"},
		{"number", "t.csv", secret + ",39\n", 0, ":1: field 2 of the first line is a number"},
		{"signed number", "t.csv", secret + ", -1e3\n", 0, ":1: field 2 of the first line is a number"},
		{"address", "t.csv", "a," + secret + "@example.com\n", 0, ":1: field 2 of the first line looks like a record's"},
		{"twice", "t.csv", secret + "," + secret + "\n", 0, ":1: field 2 of the first line is there twice"},
		{"two lines", "t.csv", "a,\"" + secret + "\n\"\n", 0, ":1: field 2 of the first line is no name"},
		{"long", "t.csv", "a," + strings.Repeat(secret, 100) + "\n", 0, ":1: field 2 of the first line is no name"},
		{"invalid UTF-8", "t.csv", secret + "\xff\n", 0, ":1: field 1 of the first line is not valid UTF-8"},
		{"not gzip", "t.csv.gz", secret + secret + secret, 0, "is not a valid gzip stream"},
		{"JSONL", "t.jsonl", `{"` + secret + `": 1}`, 0, "has no header to read"},
		{"JSON list", "t.jsonl", "[" + secret + "]", 9, "row 1 is not a JSON object"},
		{"no JSON", "t.jsonl", "\n\n", 9, "has no rows"},
	} {
		o, err := outline(t, test.file, test.text, test.peek)
		var ours *Error
		if !errors.As(err, &ours) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: ReadOutline = %v, %v, want an error: %s", test.name, o, err, test.want)
			continue
		}
		if strings.Contains(ours.Error()+ours.Hint(), secret) {
			t.Errorf("%s: %v shows what the file holds", test.name, err)
		}
	}
}

func FuzzOutline(f *testing.F) {
	f.Add("age,town\n1,Ulm\n", true)
	f.Add(`{"a": {"b": [1]}}`, false)
	f.Fuzz(func(t *testing.T, text string, csv bool) {
		format := JSONL
		if csv {
			format = CSV
		}
		o, err := ReadOutline("-", OutlineOptions{Format: format, Peek: 5, Stdin: strings.NewReader(text)})
		if err != nil {
			return
		}
		for _, c := range o.Columns {
			if !isName(c.Name) {
				t.Errorf("column %q", c.Name)
			}
		}
	})
}
