package data

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// loadInParts loads text with parts of about size bytes.
func loadInParts(s *Schema, text string, size, workers int) (*Dataset, error) {
	return Load(context.Background(), []string{Stdin}, s, LoadOptions{Stdin: strings.NewReader(text), partBytes: size, Workers: workers})
}

// checkParts fails where text gives another dataset or error in parts of other sizes.
func checkParts(t interface{ Fatalf(string, ...any) }, s *Schema, text string) (*Dataset, error) {
	want, wantErr := loadInParts(s, text, 0, 1)
	for _, size := range []int{1, 2, 7, 31, 64} {
		got, err := loadInParts(s, text, size, 3)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(got, want) {
			t.Fatalf("load %q in parts of %d bytes = %+v, %v, want %+v, %v", text, size, got, err, want, wantErr)
		}
	}
	return want, wantErr
}

// serialCSV loads text as encoding/csv reads it, one row after the other. ok is false where a row is not as declared.
func serialCSV(t interface{ Fatalf(string, ...any) }, s *Schema, text string) (d *Dataset, ok bool) {
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	header, err := reader.Read()
	if err != nil || !utf8.ValidString(strings.Join(header, "")) {
		return nil, false
	}
	inputs := s.inputs(LoadOptions{})
	layout := csvLayout{}
	var cells []target
	for _, in := range inputs {
		for i := range in.size {
			name := in.name
			if in.vector {
				name = in.run.name(i)
			}
			layout.names = append(layout.names, name)
			cells = append(cells, target{cell: int32(len(cells))})
		}
	}
	if layout.locate(header, cells, func(int) (int, int) { return 0, 0 }) != nil {
		return nil, false
	}
	l := newLoader(s, LoadOptions{}, inputs)
	p := &part{out: newBuilder(s.dense, s.sparse)}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, false
		}
		row := make([]cell, l.cells)
		for i, to := range layout.targets {
			if to.cell >= 0 {
				row[to.cell].text = []byte(record[i])
				if !utf8.ValidString(record[i]) {
					return nil, false
				}
			}
		}
		for i, to := range layout.duplicates {
			row[to.cell] = row[layout.sources[i]]
		}
		if l.encodeRow(p, row) != nil {
			return nil, false
		}
	}
	if p.out.data.Rows == 0 {
		return nil, false
	}
	if err := l.append(p.out.data); err != nil {
		t.Fatalf("append: %v", err)
	}
	return l.out, true
}

// checkAgainstSerial compares the parallel reader with encoding/csv.
func checkAgainstSerial(t interface{ Fatalf(string, ...any) }, s *Schema, text string) {
	got, err := checkParts(t, s, text)
	if strings.Contains(text, "\x00") {
		return // which encoding/csv takes
	}
	want, ok := serialCSV(t, s, text)
	if ok != (err == nil) || ok && !sameBlocks(got, want) {
		t.Fatalf("load %q = %+v, %v, want %+v, %v as by encoding/csv", text, got, err, want, ok)
	}
}

// sameBlocks compares what is in the blocks; an empty one may be nil.
func sameBlocks(a, b *Dataset) bool { return fmt.Sprintf("%+v", *a) == fmt.Sprintf("%+v", *b) }

func TestPartsAgreeWithSerial(t *testing.T) {
	spec := everyKind()
	spec.Format = CSV
	s := mustSchema(t, spec)
	rapid.Check(t, func(t *rapid.T) {
		var rows [][]string
		for range rapid.IntRange(1, 12).Draw(t, "rows") {
			rows = append(rows, append(drawCells(t), rapid.SampledFrom([]string{"no", "yes", "1", "YES"}).Draw(t, "label")))
		}
		text := writeCSV(rows, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, ',', rapid.Bool().Draw(t, "crlf"))
		if rapid.Bool().Draw(t, "spoil") { // a byte replaced: the first fault must be the same wherever the parts end
			at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			text = text[:at] + rapid.SampledFrom([]string{`"`, "\n", ",", "\xff", "", "\r"}).Draw(t, "byte") + text[at+1:]
		}
		checkAgainstSerial(t, s, text)
	})
}

func FuzzCSVAgainstSerial(f *testing.F) {
	spec := declared()
	spec.Format = CSV
	s := mustSchema(f, spec)
	for _, seed := range csvSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { checkAgainstSerial(t, s, text) })
}

// FuzzJSONLByLines compares objects that are read one after another, where the second may be of the shape of the first,
// with the same objects read alone.
func FuzzJSONLByLines(f *testing.F) {
	spec := declared()
	spec.Format = JSONL
	s := mustSchema(f, spec)
	const flat = `{"x":1,"t":"words here","u.n":"v","e":[1,2],"y":"a"}`
	f.Add(flat, flat)
	const nested = `{"x":1,"t":"words here","u":{"m":7,"n":"v"},"e":[1,2],"y":"a"}`
	for _, seed := range []string{
		nested, `{"x":2,"t":"other words","u":{"m":8,"n":"w"},"e":[3,4],"y":"b"}`, `{ "x":2,"t":"other words","u": { "m":8,"n":"w" } ,"e":[3,4],"y":"b" }`,
		`{"x":1,"t":"words here","u":{"m":7,"n":"v"},"e":[1,2],"y":"a"`, `{"x":1,"t":"words here","u":{"m":7,"n":"v","e":[1,2],"y":"a"}`,
		`{"x":1,"t":"words here","u":{"m":7,"n":"v"},"e":[1,2],"y":"a"}}`, `{"x":1,"t":"words here","u":{"m":7,"n":"v"}"e":[1,2],"y":"a"}`,
		`{"x":1,"t":"words here","u":7,"e":[1,2],"y":"a"}`, `{"x":1,"t":"words here","u":{},"e":[1,2],"y":"a"}`,
		`{"x":1,"t":"words here","u":{"n":"v","n":"w"},"e":[1,2],"y":"a"}`,
	} {
		f.Add(nested, seed)
	}
	f.Add(`{"u":{"n":"v"},"u.n":"w","e":[1,2],"y":"a"}`, `{"u":{"n":"v"},"u.n":"w","e":[1,2],"y":"a"}`)
	f.Add(`{"u.n":"w","u":{"n":"v"},"e":[1,2],"y":"a"}`, `{"u.n":"w","u":{"n":"v"},"e":[1,2],"y":"a"}`)
	f.Add(`{"e":[1,2],"y":"a","u":{}}`, `{"e":[1,2],"y":"a","u":{}}`)
	f.Add(`{"e":[1,2],"y":"a","u":{"n":"v"}}`, `{"e":[1,2],"y":"a","u":{"n":"w"}}`)
	f.Add(`{"e":[1,2],"y":"a","u":{"n":"v"},`, `{"e":[1,2],"y":"a","u":{"n":"w"}`)
	for _, seed := range []string{
		`{"x": -0.5, "t": "words", "u.n": null, "e": [1e3, 2.25], "y": "b"}`,
		`{"x":01,"t":"w","u.n":"v","e":[1,2],"y":"a"}`, `{"x":1.,"t":"w","u.n":"v","e":[1,2],"y":"a"}`,
		`{"x":.5,"t":"w","u.n":"v","e":[1,2],"y":"a"}`, `{"x":-,"t":"w","u.n":"v","e":[1,2],"y":"a"}`,
		`{"x":"1","t":"w\u0061","u.n":"v","e":[1,2],"y":"a"}`, `{"x":1,"t":"w","u.n":true,"e":[1,2,3],"y":"a"}`,
		`{"x":1,"t":"w","u.n":tru,"e":[1,2],"y":"a"}`, `{"x":1,"t":"w","u.n":"v","e":[1,2],"y":"a",}`,
		`{"x":1,"t":"w","u.n":"v","e":[1,2],"y":"a","x":2}`, `{"x":12345678901234567890.5,"t":[1],"u.n":"v","e":[1,],"y":"a"}`,
	} {
		f.Add(flat, seed)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		if strings.ContainsAny(first+second, "\n") {
			return
		}
		a, err := loadInParts(s, first, 0, 1)
		if err != nil {
			return
		}
		b, wantErr := loadInParts(s, second, 0, 1)
		got, err := loadInParts(s, first+"\n"+second, 0, 1)
		switch {
		case strings.TrimSpace(second) == "" || wantErr == nil && err == nil && strings.HasPrefix(second, "\ufeff"):
		case wantErr != nil && err != nil:
			if want := strings.Replace(wantErr.Error(), "stdin:1:", "stdin:2:", 1); err.Error() != want {
				t.Fatalf("load %q after %q: %v, want %s", second, first, err, want)
			}
		case wantErr != nil || err != nil:
			t.Fatalf("load %q after %q: %v, alone: %v", second, first, err, wantErr)
		default:
			l := newLoader(s, LoadOptions{}, s.inputs(LoadOptions{}))
			_ = l.append(a) // to memory
			_ = l.append(b) // to memory
			if !sameBlocks(got, l.out) {
				t.Fatalf("load %q after %q = %+v, want %+v", second, first, got, l.out)
			}
		}
	})
}

// TestNullRows plants rows that are not as declared among good ones: they become null rows, in their places, and the others
// are encoded as if the bad ones were not there.
func TestNullRows(t *testing.T) {
	object := func(x, y string) string { return `{"x":` + x + `,"t":"words","u.n":"v","e":[1,2],"y":` + y + `}` }
	for format, c := range map[string]struct {
		header string
		good   []string
		bad    []string
		whole  string // a fault that is not one row's
		want   string
	}{
		CSV: {"x,t,u.n,e0,e1,y\n", []string{"1,words,v,1,2,a", "2,\"and\nlines\",v,3,4,b", ",,,5,6,a"},
			[]string{"x,words,v,1,2,a", "1,words,v,1,2,c", "1,words,v,1,a", "1,words,v,1,2,3,a", "1,w\xffrds,v,1,2,a", "1,wo\x00rds,v,1,2,a",
				"1,\"wo\"rds,v,1,2,a", "1,w\"o\"rds,v,1,2,a", "1,words,v,1,?,a", "1,words,v,1,2,", "1e999,words,v,1,2,a", "1,\"\n\"\",\n\",v,1,,a"},
			"1,\"open,v,1,2,a", "a quote that is neither closed nor written twice"},
		JSONL: {"", []string{object("1", `"a"`), object(`"2"`, `"b"`), object("null", `"a"`)},
			[]string{object("true", `"a"`), object("1", `"c"`), object("01", `"a"`), "{", "[1]", "nonsense", object("1", `"a","x":2`), "\xff",
				object("1", `"a\x00"`), object("1", `"\ud800"`), object("1", `"a"}{`)},
			"", ""},
	} {
		spec := declared()
		spec.Format = format
		s := mustSchema(t, spec)
		load := func(text string, size int, o LoadOptions) (*Dataset, error) {
			o.Stdin, o.partBytes, o.Workers = strings.NewReader(text), size, 3
			return Load(context.Background(), []string{Stdin}, s, o)
		}
		rapid.Check(t, func(t *rapid.T) {
			all, kept, places, null := c.header, c.header, 0, []int32(nil)
			for range rapid.IntRange(1, 12).Draw(t, "rows") {
				row := rapid.SampledFrom(append(slices.Clone(c.good), c.bad...)).Draw(t, "row") + "\n"
				all += row
				if slices.Contains(c.bad, strings.TrimSuffix(row, "\n")) {
					null = append(null, int32(places))
				} else {
					kept += row
				}
				places++
			}
			want, err := load(kept, 0, LoadOptions{AllowEmpty: true})
			if err != nil && format == JSONL && kept == "" {
				return // no file is empty
			}
			if err != nil {
				t.Fatalf("load %q: %v", kept, err)
			}
			want.Null = null
			got, err := load(all, rapid.SampledFrom([]int{0, 1, 40}).Draw(t, "part"), LoadOptions{NullBadRows: true, MaxRows: places})
			if err != nil || !sameBlocks(got, want) || got.Places() != places {
				t.Fatalf("load %q = %+v, %v, want %+v", all, got, err, want)
			}
			if _, err := load(all, 0, LoadOptions{NullBadRows: true, MaxRows: places - 1}); places > 1 && err == nil {
				t.Fatalf("load %q of at most %d rows: no error, want one: null rows count", all, places-1)
			}
			if _, err := load(all, 0, LoadOptions{}); (err != nil) != (len(null) > 0) {
				t.Fatalf("load %q without null rows: %v", all, err)
			}
		})
		if c.want == "" {
			continue
		}
		_, err := load(c.header+c.good[0]+"\n"+c.whole, 0, LoadOptions{NullBadRows: true})
		if err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: %q under null: %v, want %s", format, c.whole, err, c.want)
		}
	}
}
