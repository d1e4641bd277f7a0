package data

import (
	"errors"
	"regexp"
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

func TestMalformedTables(t *testing.T) {
	check := messageCheck()
	// In CSV and TSV tables, HEAD is a header and GOOD a row that fits it; S is the secret.
	csvText := strings.NewReplacer("HEAD", "x,t,u.n,e0,e1,y", "GOOD", "1,S,S,1,2,a")
	object := func(x, t, e, y string) string {
		return `{"x":` + x + `,"t":` + t + `,"e":` + e + `,"y":` + y + `,"S":"S"}`
	}
	good := object("1", `"S"`, "[1,2]", `"a"`)
	for _, c := range []struct {
		name, format, table, want string
	}{
		{"empty", CSV, "", "stdin: is empty"},
		{"byte order mark alone", CSV, "\ufeff", "stdin: is empty"},
		{"blank lines", CSV, "\n\r\n\n", "stdin: has no header row"},
		{"header alone", CSV, "HEAD\n", "stdin: has no rows"},
		{"header without a column", CSV, "x,t,u.n,e0,e1,S\n", `stdin:1: the header has no column "y"`},
		{"header in another case", CSV, "X,t,u.n,e0,e1,y\n", `stdin:1: the header has no column "x"`},
		{"header without an element", CSV, "S\nx,t,u.n,e0,y\n", `stdin:1: the header has no column "x"`},
		{"header of a vector cut short", CSV, "\nx,t,u.n,e0,y\n", `stdin:2: the header has no column "e1"`},
		{"column twice", CSV, "HEAD,x\n", `stdin:1:17: column "x" is in the header twice`},
		{"other column twice", CSV, "HEAD,S,S\nGOOD,S\n", "stdin:2: the row has fewer fields than the header"},
		{"header in Latin-1", CSV, "x,t,u.n,S\xe9,e0,e1,y\n", "stdin:1:9: the header is not valid UTF-8"},
		{"header in UTF-16", CSV, "x\x00,\x00t\x00", "stdin:1:2: NUL byte"},
		{"other delimiter", CSV, "x;t;u.n;e0;e1;y;S\n", `stdin:1: the header has no column "x"`},
		{"fewer fields", CSV, "HEAD\nGOOD\n1,S,S\n", "stdin:3: the row has fewer fields than the header"},
		{"more fields", CSV, "HEAD\nGOOD\nGOOD,S\n", "stdin:3: the row has more fields than the header"},
		{"text as number", CSV, "HEAD\nS,S,S,1,2,a\n", `stdin:2:1: column "x" is not a number`},
		{"text as number after lines in quotes", CSV, "HEAD\n1,\"S\nS\r\nS\",S,1,2,a\nS,S,S,1,2,a\n", `stdin:5:1: column "x" is not a number`},
		{"NaN", CSV, "HEAD\nNaN,S,S,1,2,a\n", `stdin:2:1: column "x" is not a number`},
		{"1e400", CSV, "HEAD\n1e400,S,S,1,2,a\n", `stdin:2:1: column "x" is a number out of range`},
		{"underscore", CSV, "HEAD\n1_000,S,S,1,2,a\n", `stdin:2:1: column "x" is not a number`},
		{"hexadecimal", CSV, "HEAD\n0x1p3,S,S,1,2,a\n", `stdin:2:1: column "x" is not a number`},
		{"text as element", CSV, "HEAD\n1,S,S,1,S,a\n", `stdin:2:9: column "e1" is not a number`},
		{"element missing", CSV, "HEAD\n1,S,S,?,2,a\n", `stdin:2:7: column "e0" has no value`},
		{"element out of range", CSV, "HEAD\n1,S,S,1,1e39,a\n", `stdin:2:9: column "e1" is a number out of range`},
		{"label of no class", CSV, "HEAD\nGOOD\n\n1,S,S,1,2,S\n", `stdin:4:11: column "y" is not one of the declared classes`},
		{"label missing", CSV, "HEAD\n1,S,S,1,2,?\n", `stdin:2:11: column "y" has no value`},
		{"cell in Latin-1", CSV, "HEAD\n1,S\xe9,S,1,2,a\n", `stdin:2:3: column "t" is not valid UTF-8`},
		{"NUL", CSV, "HEAD\nGOOD\n1,S\x00S,S,1,2,a\n", "stdin:3:4: NUL byte"},
		{"fault before NUL", CSV, "HEAD\nS,S,S,1,2,a\n\x00", `stdin:2:1: column "x" is not a number`},
		{"bare quote", CSV, "HEAD\n1,S\"S,S,1,2,a\n", "stdin:2:4: a quote inside a field that does not begin with one"},
		{"text after a quote", CSV, "HEAD\n1,\"S\"S,S,1,2,a\n", "stdin:2:5: a quote that is neither closed nor written twice"},
		{"unclosed quote", CSV, "HEAD\n1,\"S,S,1,2,a\nGOOD\n", "stdin:2:3: a quote that is neither closed nor written twice"},
		{"TSV with commas", TSV, "HEAD\nGOOD\n", `stdin:1: the header has no column "x"`},

		{"empty JSONL", JSONL, "", "stdin: is empty"},
		{"blank JSONL", JSONL, " \n\r\n", "stdin: has no rows"},
		{"not JSON", JSONL, good + "\nS\n", "stdin:2:1: not a JSON object"},
		{"array of objects", JSONL, " [" + good + "]", "stdin:1:2: not a JSON object"},
		{"object over lines", JSONL, "{\n\"S\":1}\n", "stdin:1:2: not valid JSON"},
		{"unquoted key", JSONL, `{"x":1,S:1}`, "stdin:1:8: not valid JSON"},
		{"unclosed string", JSONL, `{"x":1,"t":"S`, "stdin:1:14: not valid JSON"},
		{"unclosed object", JSONL, `{"x":1`, "stdin:1:7: not valid JSON"},
		{"trailing comma", JSONL, `{"x":1,}`, "stdin:1:7: not valid JSON"},
		{"bad escape", JSONL, object("1", `"S\S"`, "[1,2]", `"a"`), "stdin:1:14: not valid JSON"},
		{"two objects", JSONL, good + good, "stdin:1:42: more than a JSON object on the line"},
		{"text after the object", JSONL, good + " S", "stdin:1:43: more than a JSON object on the line"},
		{"key twice", JSONL, `{"S":1,"S":2}`, "stdin:1:8: an object has a key twice"},
		{"key twice inside", JSONL, `{"x":1,"S":{"S":1,"\u0053":2}}`, "stdin:1:19: an object has a key twice"},
		{"JSONL in Latin-1", JSONL, good + "\n" + `{"t":"S` + "\xe9\"}", "stdin:2:8: not valid UTF-8"},
		{"lone surrogate", JSONL, object("1", `"S\ud800"`, "[1,2]", `"a"`), "stdin:1:14: not valid JSON"},
		{"NUL in JSONL", JSONL, good + "\n\x00" + good, "stdin:2:1: NUL byte"},
		{"bare NaN", JSONL, object("NaN", `"S"`, "[1,2]", `"a"`), "stdin:1:6: not valid JSON"},
		{"1e400 in JSONL", JSONL, object("1e400", `"S"`, "[1,2]", `"a"`), `stdin:1:6: column "x" is a number out of range`},
		{"text as JSON number", JSONL, object(`"S"`, `"S"`, "[1,2]", `"a"`), `stdin:1:6: column "x" is not a number`},
		{"boolean as number", JSONL, object("true", `"S"`, "[1,2]", `"a"`), `stdin:1:6: column "x" is not a number`},
		{"object as number", JSONL, object(`{"S":1}`, `"S"`, "[1,2]", `"a"`), `stdin:1:6: column "x" is an object or array, want a single value`},
		{"array as text", JSONL, object("1", `["S"]`, "[1,2]", `"a"`), `stdin:1:12: column "t" is an object or array, want a single value`},
		{"object at the end of a path", JSONL, `{"u":{"n":{"S":1}}}`, `stdin:1:11: column "u.n" is an object or array, want a single value`},
		{"number as vector", JSONL, object("1", `"S"`, "1", `"a"`), `stdin:1:20: column "e" is not an array`},
		{"vector too short", JSONL, object("1", `"S"`, "[1]", `"a"`), `stdin:1:20: column "e" does not have the declared 2 elements`},
		{"vector too long", JSONL, object("1", `"S"`, "[1,2,3]", `"a"`), `stdin:1:20: column "e" does not have the declared 2 elements`},
		{"vector of vectors", JSONL, object("1", `"S"`, "[1,[2]]", `"a"`), `stdin:1:23: column "e" has an object or array as an element, want numbers`},
		{"text as JSON element", JSONL, object("1", `"S"`, `[1, "S\\\"]"]`, `"a"`), `stdin:1:24: column "e" is not a number`},
		{"null as element", JSONL, object("1", `"S"`, "[ 1 , null ]", `"a"`), `stdin:1:26: column "e" has no value`},
		{"null as vector", JSONL, object("1", `"S"`, "null", `"a"`), `stdin:1:20: column "e" has no value`},
		{"no vector", JSONL, `{"x":1,"y":"a"}`, `stdin:1:1: column "e" has no value`},
		{"JSON label of no class", JSONL, object("1", `"S"`, "[1,2]", `"S"`), `stdin:1:30: column "y" is not one of the declared classes`},
		{"null as label", JSONL, object("1", `"S"`, "[1,2]", "null"), `stdin:1:30: column "y" has no value`},
		{"no label", JSONL, `{"x":1,"e":[1,2]}`, `stdin:1:1: column "y" has no value`},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := c.table
			if c.format != JSONL {
				table = csvText.Replace(table)
			}
			if c.format == TSV {
				table = strings.ReplaceAll(table, "S", "S,S")
			}
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
		`not a JSON object`, `not valid JSON`, `more than a JSON object on the line`, `an object has a key twice`,
		`column "(x|t|u\.n|e|e0|e1|y)" (` + strings.Join([]string{
			`is not a number`, `is a number out of range`, `has no value`, `is not one of the declared classes`, `is not valid UTF-8`,
			`is not an array`, `does not have the declared 2 elements`,
			`is an object or array, want a single value`, `has an object or array as an element, want numbers`,
		}, "|") + `)`,
	}, "|") + `)$`)
	hint := regexp.MustCompile(`^(the row begins on line [0-9]+|field [0-9]+ of the header differs from it only in case or in spaces around it|[^0-9"]*|the table must be text in UTF-8; UTF-16 has to be converted|convert the file to UTF-8)$`)
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
