package data

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// TestDialects reads the same three rows as they are written elsewhere.
func TestDialects(t *testing.T) {
	spec := Spec{
		Missing: []string{"", "?"},
		Label:   Label{Name: "y", Classes: []string{"<=50K", ">50K"}, Aliases: []Alias{{"<=50K.", "<=50K"}, {">50K.", ">50K"}}},
		Features: []Feature{
			{Name: "age", Kind: Numeric, Min: ptr(0.), Max: ptr(100.)},
			{Name: "note", Kind: Hashed, Buckets: 1 << 20},
			{Name: "job", Kind: Categorical, Values: []string{"clerk", "smith"}},
		},
	}
	want, err := loadText(spec, CSV, "age,note,job,y\n39,a b,clerk,<=50K\n50,\"it's, so\",smith,>50K\n?,,other,<=50K\n", LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		change     func(s *Spec)
	}{
		{"spaces after delimiters", "age, note, job, y\n39, a b, clerk, <=50K.\n50, \"it's, so\", smith, >50K.\n \n ?, ,\t other, <=50K.\n\n",
			func(s *Spec) { s.SkipInitialSpace = true }},
		{"names", "39,a b,clerk,<=50K\n50,\"it's, so\",smith,>50K\n?,,other,<=50K\n",
			func(s *Spec) { s.Names = []string{"age", "note", "job", "y"} }},
		{"names and blank lines", "\n\r\n39,a b,clerk,<=50K\n\n50,\"it's, so\",smith,>50K\n?,,other,<=50K",
			func(s *Spec) { s.Names = []string{"age", "note", "job", "y"} }},
		{"comments", "# it's a table of \"people\nage,note,job,y\n39,a b,clerk,<=50K\n#\n#50,\"\n50,\"it's, so\",smith,>50K\n?,,other,<=50K\n# end",
			func(s *Spec) { s.Comment = "#" }},
		{"quote", "age;note;job;y\n39;'a b';clerk;<=50K\n50;'it''s, so';smith;>50K\n?;'';other;<=50K\n",
			func(s *Spec) { s.Delimiter, s.Quote = ";", "'" }},
		{"no quotes", "age|note|job|y\n39|a b|clerk|<=50K\n50|it's, so|smith|>50K\n?||other|<=50K\n",
			func(s *Spec) { s.Delimiter, s.Quote = "|", NoQuote }},
		{"all of it", "% 'x\n39\t a b\t clerk\t <=50K\n50\t 'it''s, so'\t smith\t >50K\n%\n?\t\t other\t <=50K\n",
			func(s *Spec) {
				s.Delimiter, s.Quote, s.Comment, s.SkipInitialSpace = "\t", "'", "%", true
				s.Names = []string{"age", "note", "job", "y"}
			}},
	} {
		spec := spec
		spec.Format = CSV
		c.change(&spec)
		got, err := checkParts(t, mustSchema(t, spec), c.text)
		if err != nil || !sameBlocks(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, want)
		}
	}
	// Quotes are text where none are used: the same cell in another spelling.
	spec.Format, spec.Quote = CSV, NoQuote
	d, err := loadText(spec, CSV, "age,note,job,y\n39,5\" pipe,clerk,<=50K\n", LoadOptions{})
	if err != nil || d.Indices[0] != 1+bucketOf(hashBytes(bucketSeed("note"), []byte(`5" pipe`)), 1<<20) {
		t.Errorf("a quote that is text: %+v, %v", d, err)
	}
}

func TestDialectErrors(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		change           func(s *Spec)
	}{
		{"quote", "", `data.quote is "''", want one ASCII character that separates and quotes nothing else`, func(s *Spec) { s.Quote = "''" }},
		{"quote as delimiter", "", `data.quote is ",", want one ASCII character that separates and quotes nothing else`, func(s *Spec) { s.Quote = "," }},
		{"comment", "", `data.comment is "\"", want one ASCII character that separates and quotes nothing else`, func(s *Spec) { s.Comment = `"` }},
		{"comment of two", "", `data.comment is "//", want one ASCII character that separates and quotes nothing else`, func(s *Spec) { s.Comment = "//" }},
		{"foreign comment", "", `data.comment is "§", want one ASCII character that separates and quotes nothing else`, func(s *Spec) { s.Comment = "§" }},
		{"name twice", "", `data.names[1] is "x", which is in the list already`, func(s *Spec) { s.Names = []string{"x", "x"} }},
		{"no names", "", `data.names is empty`, func(s *Spec) { s.Names = []string{} }},
		{"name missing", "1,a\n", `stdin: data.names has no column "y"`, func(s *Spec) { s.Names = []string{"x", "z"} }},
		{"fewer fields", "1,a\n\n2\n", "stdin:3: the row has fewer fields than data.names", func(s *Spec) { s.Names = []string{"x", "y"} }},
		{"more fields", "1,a,\n", "stdin:1: the row has more fields than data.names", func(s *Spec) { s.Names = []string{"x", "y"} }},
		{"no rows", "\n", "stdin: has no rows", func(s *Spec) { s.Names = []string{"x", "y"} }},
		{"after comments", "#\n# \"\nx,y\n#\n1,a\n?,a\n", `stdin:6:1: column "x" is not a number`, func(s *Spec) { s.Comment = "#" }},
		{"after spaces", "x, y\n1, a\n  ?,a\n", `stdin:3:3: column "x" is not a number`, func(s *Spec) { s.SkipInitialSpace = true }},
	} {
		spec := small()
		spec.Format = CSV
		c.change(&spec)
		s, err := NewSchema(spec)
		if err == nil {
			_, err = checkParts(t, s, c.text)
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	_, err := loadText(small(), CSV, "x, y\n1, a\n", LoadOptions{})
	var bad *Error
	if want := "field 2 of the header differs from it only in spaces before it: data.skip_initial_space: true leaves them out"; !errors.As(err, &bad) || bad.Hint() != want {
		t.Errorf("hint for spaces in the header = %v, want %s", err, want)
	}
}

func TestSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("part-2.csv", []byte("y,x\nb,2\n"))
	write("part-1.csv", []byte("x,y\n1,a\n"))
	write("part-3.csv.gz", gzipped(t, "x,y\n"))
	write("part-4.csv.zst", zstandard(t, "x,z,y\n4,?,a\n"))
	odd := write("odd[1].csv", []byte("x,y\n9,b\n"))
	disguised := write("disguised.csv", gzipped(t, "x,y\n8,b\n"))
	s := mustSchema(t, small())
	load := func(paths ...string) ([]float32, error) {
		d, err := Load(context.Background(), paths, s, LoadOptions{Stdin: strings.NewReader("x,y\n5,a\n")})
		if err != nil {
			return nil, err
		}
		var xs []float32
		for _, x := range d.Dense {
			xs = append(xs, 5*x+5)
		}
		return xs, nil
	}
	for _, c := range []struct {
		paths []string
		want  []float32
	}{
		{[]string{filepath.Join(dir, "part-*")}, []float32{1, 2, 4}},
		{[]string{filepath.Join(dir, "part-2.csv"), filepath.Join(dir, "part-[14]*")}, []float32{2, 1, 4}},
		{[]string{odd, Stdin}, []float32{9, 5}},
		{[]string{disguised}, []float32{8}},
	} {
		got, err := load(c.paths...)
		if err != nil || !slices.EqualFunc(got, c.want, func(a, b float32) bool { return a-b < 1e-5 && b-a < 1e-5 }) {
			t.Errorf("load %q = %v, %v, want %v", c.paths, got, err, c.want)
		}
	}
	for pattern, want := range map[string]string{"none-*.csv": "no file matches", "part-[": "is not a valid pattern", "part-3*": "has no rows"} {
		path := filepath.Join(dir, pattern)
		_, err := load(path)
		var bad *Error
		if !errors.As(err, &bad) || !strings.HasSuffix(err.Error(), ": "+want) {
			t.Errorf("load %q: %v, want %s", pattern, err, want)
		}
	}
	write("part-5.csv", []byte("x,y\n7,a\nseven,a\n"))
	if _, err := load(filepath.Join(dir, "part-*")); err == nil || err.Error() != filepath.Join(dir, "part-5.csv")+`:3:1: column "x" is not a number` {
		t.Errorf("load of a bad part: %v, want its name and line", err)
	}
}

// TestBombs: little files that would become great tables are given up.
func TestBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	row := `{"x":1,"y":"a","w":"` + strings.Repeat("w", 1<<20) + "\"}\n"
	var bomb strings.Builder
	w, err := zstd.NewWriter(&bomb)
	if err != nil {
		t.Fatal(err)
	}
	for range maxExpanded>>20 + 2 {
		if _, err := w.Write([]byte(row)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ content, want string }{
		"rows.jsonl.zst": {bomb.String(), "decompresses to more than 250 times its size"},
		"blank.csv.gz":   {string(gzipped(t, "x,y\n1,a\n"+strings.Repeat("\n", maxRowBytes+2*partBytes))), "goes on for more than 64 MiB without a row"},
		"header.csv.gz":  {string(gzipped(t, strings.Repeat("\r\n", maxRowBytes/2+2*partBytes))), "goes on for more than 64 MiB without a row"},
		"field.csv.gz":   {string(gzipped(t, "x,y\n1,a"+strings.Repeat("a", maxRowBytes))), "a row is longer than 64 MiB"},
	} {
		_, err := Load(context.Background(), []string{writeFile(t, name, []byte(c.content))}, mustSchema(t, small()), LoadOptions{})
		var bad *Error
		if !errors.As(err, &bad) || !strings.HasSuffix(err.Error(), ": "+c.want) {
			t.Errorf("load %s: %v, want %s", name, err, c.want)
		}
	}
}
