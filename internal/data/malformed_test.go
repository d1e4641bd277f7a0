package data

import (
	"errors"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// secret stands in every cell, header and key of the malformed tables that may hold any text. No error may repeat it.
const secret = "zq7s3cr3t"

// declared is a spec with a number, a text, a path and a vector.
func declared() Spec {
	return Spec{
		Missing: []string{"", "?"},
		Label:   Label{Name: "y", Classes: []string{"a", "b"}},
		Features: []Feature{
			{Name: "x", Kind: Numeric, Min: ptr(0.), Max: ptr(10.)},
			{Name: "t", Kind: Text, Buckets: 8},
			{Name: "u.n", Kind: Categorical, Values: []string{"v"}},
			{Name: "e", Kind: Vector, Columns: &ColumnRun{"e", 0, 1}},
		},
	}
}

// A malformedTable is a table that is refused, with the error.
type malformedTable struct{ name, format, table, want string }

// malformedTables reads the list, which tests of the command read too.
func malformedTables(t *testing.T) (tables []malformedTable) {
	t.Helper()
	text, err := os.ReadFile("../../testdata/malformed/tables.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 4 {
			t.Fatalf("%q has %d fields, want 4", line, len(fields))
		}
		table, err := strconv.Unquote(fields[2])
		if err != nil {
			t.Fatalf("%q is not a quoted table: %v", line, err)
		}
		tables = append(tables, malformedTable{fields[0], fields[1], table, fields[3]})
	}
	return tables
}

func TestMalformedTables(t *testing.T) {
	check := messageCheck()
	for _, c := range malformedTables(t) {
		t.Run(c.name, func(t *testing.T) {
			table := c.table
			// The places above are those of the short stand-in; the secret itself must leave the message alone.
			short, err := loadText(declared(), c.format, table, LoadOptions{})
			var bad *Error
			if !errors.As(err, &bad) || err.Error() != c.want {
				t.Errorf("load %q = %+v, %v, want %s", table, short, err, c.want)
			}
			spec := declared()
			spec.Format = c.format
			if _, err := checkParts(t, mustSchema(t, spec), table); err == nil {
				t.Errorf("load %q in parts: no error", table)
			}
			_, err = loadText(declared(), c.format, strings.ReplaceAll(table, "S", secret), LoadOptions{})
			if errors.As(err, &bad) {
				check(t, bad)
			}
		})
	}
}

// messageCheck returns a function that fails where an error of declared() is not one of the sentences that name places
// and declared names only.
func messageCheck() func(t *testing.T, err *Error) {
	sentence := regexp.MustCompile(`^stdin(:[0-9]+){0,2}: (` + strings.Join([]string{
		`is empty`, `has no header row`, `has no rows`, `NUL byte`, `not valid UTF-8`,
		`the header has no column "(x|t|u\.n|e0|e1|y)"`,
		`column "(x|t|u\.n|e0|e1|y)" is in the header twice`,
		`the header is not valid UTF-8`,
		`the row has (fewer|more) fields than the header`,
		`a quote inside a field that does not begin with one`,
		`a quote that is neither closed nor written twice`,
		`is not a (valid )?Parquet file`, `has a footer that is not valid, or lists too much`, `has a footer of more than 32 MiB`,
		`is encrypted, or has its values in another file`, `is compressed in another way than snappy, gzip, zstd, brotli and LZ4_RAW`,
		`has pages that take more than 128 MiB, and 8 times the file, at a time`, `decompresses to more than 250 times its size`,
		`the file has no column "(x|t|u\.n|e|e0|e1|y)"`,
		`not a JSON object`, `not valid JSON`, `more than a JSON object on the line`, `an object has a key twice`,
		`column "(x|t|u\.n|e|e0|e1|y)" (` + strings.Join([]string{
			`is not a number`, `is a number out of range`, `has no value`, `is not one of the declared classes`, `is not valid UTF-8`, `is not a value of its type`,
			`is in the file twice`, `is of a type that is not read, want text, numbers, booleans, dates, times or UUIDs`,
			`is in an encoding that is not read`, `is damaged: page [0-9]+ of row group [0-9]+ does not have its checksum`,
			`is not an array`, `does not have the declared 2 elements`,
			`is an object or array, want a single value`, `has an object or array as an element, want numbers`,
		}, "|") + `)`,
	}, "|") + `)$`)
	hint := regexp.MustCompile(`^(the (row|field) begins on line [0-9]+|field [0-9]+ of the header differs from it only in (case or in spaces around it|spaces before it: data.skip_initial_space: true leaves them out)|one begins and ends with PAR1: it may be cut short, or of another format|[^0-9"]*|the table must be text in UTF-8; UTF-16 has to be converted|convert the file to UTF-8)$`)
	return func(t *testing.T, err *Error) {
		t.Helper()
		if text := err.Error() + err.Hint(); strings.Contains(text, secret) {
			t.Errorf("error %q and its hint quote a cell", text)
		}
		if !sentence.MatchString(err.Error()) {
			t.Errorf("error %q is none of the known sentences", err)
		}
		if !hint.MatchString(err.Hint()) {
			t.Errorf("hint %q is none of the known sentences", err.Hint())
		}
	}
}

func TestHintsForHeaders(t *testing.T) {
	for header, want := range map[string]string{
		"t, X ,u.n,e0,e1,y": "field 2 of the header differs from it only in case or in spaces around it",
		"x;t;u.n;e0;e1;y":   "the header has a single field: check data.delimiter",
		"1,t,u.n,e0,e1,y":   "names are compared exactly; the first row must be the header",
	} {
		_, err := loadText(declared(), CSV, header+"\n", LoadOptions{})
		var bad *Error
		if !errors.As(err, &bad) || bad.Hint() != want {
			t.Errorf("hint for the header %q = %v, want %s", header, err, want)
		}
	}
}

func fuzzReader(f *testing.F, format string) {
	s, err := NewSchema(func() Spec { spec := declared(); spec.Format = format; return spec }())
	if err != nil {
		f.Fatal(err)
	}
	check := messageCheck()
	f.Fuzz(func(t *testing.T, table string) {
		d, err := Load(t.Context(), []string{Stdin}, s, LoadOptions{Stdin: strings.NewReader(table)})
		if err != nil {
			var bad *Error
			if !errors.As(err, &bad) {
				t.Fatalf("load: %v, want an Error", err)
			}
			check(t, bad)
			return
		}
		checkBlocks(t, d, 0)
		again, err := Load(t.Context(), []string{Stdin}, s, LoadOptions{Stdin: strings.NewReader(table + "\n")})
		if err != nil || again.Rows != d.Rows {
			t.Fatalf("load with one more line end: %v, want the same %d rows", err, d.Rows)
		}
	})
}

func csvSeeds() []string {
	return []string{
		"x,t,u.n,e0,e1,y\n1,words here,v,1,2,a\n",
		"y,e1,e0,u.n,t,x\r\nb,0,-1e3,\"w,\",\"it's \"\"quoted\"\"\r\nand long\",?\r\n",
		"\ufeffx,t,u.n,e0,e1,y,z\n\n1,,,1,2,a,\n",
		"x,t,u.n,e0,e1,y\n1,\"open,v,1,2,a\n",
		"x,t,u.n,e0,e1,y\n1,a\x00b,v,1,2,a\n",
		"x,t,u.n,e0,e1,y\n1e400,\xff,v,1,2,a\n",
		"x,x,t,u.n,e0,e1,y\n",
	}
}

func FuzzCSV(f *testing.F) {
	for _, seed := range csvSeeds() {
		f.Add(seed)
	}
	fuzzReader(f, CSV)
}

func FuzzJSONL(f *testing.F) {
	for _, seed := range []string{
		`{"x":1,"t":"words here","u":{"n":"v"},"e":[1,2],"y":"a"}` + "\n",
		` {"u.n":"w","u":{"n":1},"x":"2","e":[ 1.5 , "-3e1" ],"y":"b","z":[{"x":[]}]}` + " \r\n\n",
		`{"e":[1,"\"]"],"y":"a"}`,
		"{\"e\":[1,\r2\r],\"y\":\"a\"}",
		`{"x":1,"x":2}`,
		`{"x":"\ud800"}`,
		"\ufeff{\"u\":3,\"e\":null,\"y\":\"\\u0061\"}",
		"[[[[",
		"{\"t\":\"\xff\"}",
	} {
		f.Add(seed)
	}
	fuzzReader(f, JSONL)
}
