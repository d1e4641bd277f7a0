package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// parquetRow is a row of everyKind and of a vector, in the types that tables come in.
type parquetRow struct {
	Age    *float64 `parquet:"age,optional,snappy"`
	Income float32  `parquet:"income,zstd"`
	User   *struct {
		Visits *int32 `parquet:"visits,optional"`
		City   string `parquet:"city,dict"`
	} `parquet:"user,optional"`
	Plan    *string   `parquet:"plan,optional,dict"`
	Message string    `parquet:"message,gzip"`
	P1      uint32    `parquet:"p1"`
	P2      int64     `parquet:"p2,delta"`
	P3      float64   `parquet:"p3,split"`
	More    []float64 `parquet:"more,optional,list"`
	Unused  []string  `parquet:"unused"`
	Outcome string    `parquet:"outcome,enum"`
}

func writeParquet[T any](t testing.TB, rows []T, options ...parquet.WriterOption) []byte {
	t.Helper()
	var out bytes.Buffer
	w := parquet.NewGenericWriter[T](&out, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestParquetAgreesWithCSV writes the same rows in both formats, in row groups and pages of several sizes.
func TestParquetAgreesWithCSV(t *testing.T) {
	spec := everyKind()
	spec.Features = append(spec.Features, Feature{Name: "more", Kind: Vector, Columns: &ColumnRun{"more", 0, 2}, Min: ptr(-1.), Max: ptr(1.), Impute: ptr(0.)})
	s := mustSchema(t, spec)
	header := "age,income,user.visits,user.city,plan,message,p1,p2,p3,more0,more1,more2,outcome\n"
	for _, rows := range []int{1, 3, 2500} {
		var table []parquetRow
		var text strings.Builder
		text.WriteString(header)
		for i := range rows {
			r := parquetRow{Income: float32(i) * 0.1, Message: fmt.Sprintf("message %d, \"quoted\"\nlines", i%7), P1: uint32(i % 256),
				P2: int64(i) - 5, P3: float64(i) / 3, More: []float64{float64(i) / 4000, -0.125, 1e-9}, Outcome: []string{"no", "yes", "YES", "1"}[i%4]}
			age, visits, city, plan := "", "", "", ""
			if i%3 != 0 {
				r.Age = ptr(float64(i%100) + 0.1)
				age = fmt.Sprint(*r.Age)
			}
			if i%5 != 0 {
				city = fmt.Sprintf("Ulm %d", i%9)
				r.User = &struct {
					Visits *int32 `parquet:"visits,optional"`
					City   string `parquet:"city,dict"`
				}{City: city}
				if i%2 == 0 {
					r.User.Visits = ptr(int32(i % 30))
					visits = fmt.Sprint(*r.User.Visits)
				}
			}
			if i%4 != 0 {
				plan = []string{"basic", "pro", "Pro", "gold"}[i%4]
				r.Plan = &plan
			}
			more := fmt.Sprintf("%v,-0.125,1e-9", r.More[0])
			if i%11 == 0 {
				r.More, more = nil, "?,?,?"
			}
			table = append(table, r)
			fmt.Fprintf(&text, "%s,%v,%s,%s,%s,\"%s\",%d,%d,%v,%s,%s\n", age, r.Income, visits, city, plan,
				strings.ReplaceAll(r.Message, `"`, `""`), r.P1, r.P2, r.P3, more, r.Outcome)
		}
		want, err := loadText(spec, CSV, text.String(), LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for name, options := range map[string][]parquet.WriterOption{
			"usual":        nil,
			"little pages": {parquet.PageBufferSize(100), parquet.DataPageVersion(1)},
			"groups":       {parquet.MaxRowsPerRowGroup(700), parquet.DataPageVersion(2)},
		} {
			path := writeFile(t, "t.parquet", writeParquet(t, table, options...))
			got, err := Load(context.Background(), []string{path}, s, LoadOptions{})
			if err != nil || !sameBlocks(got, want) {
				t.Fatalf("%s, %d rows: %v, or other blocks than from CSV", name, rows, err)
			}
		}
	}
}

// TestParquetPaths names lists by the whole path to their elements: what is absent is what it is by a shorter one.
func TestParquetPaths(t *testing.T) {
	type row struct {
		X []*float64 `parquet:"x,optional,list"`
	}
	content := writeParquet(t, []row{{[]*float64{nil}}, {nil}, {[]*float64{}}, {[]*float64{ptr(5.)}}, {[]*float64{nil, nil}}})
	for _, name := range []string{"x", "x.list", "x.list.element"} {
		s, err := newParquetSource(bytes.NewReader(content), int64(len(content)), &counter{}, 1000, []input{{name: name, size: 1, vector: true, numeric: true, number: true}})
		if err != nil {
			t.Fatal(err)
		}
		p := new(part)
		if err := s.next(p); err != nil {
			t.Fatal(err)
		}
		cells, bad := p.parquet.cells, p.parquet.bad
		if !cells[0].null || !cells[1].null || cells[3].number != 5 || len(bad) != 2 || bad[2] == nil || bad[4] == nil {
			t.Errorf("%s: %+v, bad %v, want a null element, no list, an empty one, 5, and a long one", name, cells, bad)
		}
	}
}

// TestManyColumns finds each of the most columns there may be: a look at all of them for each took three seconds.
func TestManyColumns(t *testing.T) {
	elements := []format.SchemaElement{{Name: "root", NumChildren: thrift.New(int32(maxLeaves))}}
	for i := range maxLeaves {
		elements = append(elements, format.SchemaElement{Name: fmt.Sprint("x", i), Type: thrift.New(format.Double)})
	}
	root, start := newParquetTree(elements), time.Now()
	for i := range maxLeaves {
		if c, err := root.find(fmt.Sprint("x", i)); err != nil || c.leaf != i {
			t.Fatalf("column %d: %v", i, err)
		}
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("all columns are found in %v, want less than a second", took)
	}
}

// TestWideParquet: a part of rows that are wider than it holds few of them.
func TestWideParquet(t *testing.T) {
	const wide = 1 << 14
	type row struct {
		X []float32 `parquet:"x"`
	}
	content := writeParquet(t, slices.Repeat([]row{{make([]float32, wide)}}, 100))
	s, err := newParquetSource(bytes.NewReader(content), int64(len(content)), &counter{}, 1000, []input{{name: "x", size: wide, vector: true, numeric: true, number: true}})
	if err != nil {
		t.Fatal(err)
	}
	p := new(part)
	if err := s.next(p); err != nil || cap(p.parquet.cells) > 2*len(p.parquet.cells) {
		t.Errorf("next: %v, memory for %d cells of which %d are used", err, cap(p.parquet.cells), len(p.parquet.cells))
	}
}

func TestParquetErrors(t *testing.T) {
	type good struct {
		X float64 `parquet:"x"`
		Y string  `parquet:"y"`
	}
	vector := small()
	vector.Features = []Feature{{Name: "x", Kind: Vector, Size: 2}}
	whole := writeParquet(t, []good{{1, "a"}, {2, "b"}})
	for _, c := range []struct {
		name    string
		spec    Spec
		content []byte
		want    string
	}{
		{"text", small(), []byte("x,y\n1,a\n"), "is not a Parquet file"},
		{"empty", small(), nil, "is not a Parquet file"},
		{"cut", small(), whole[:len(whole)-9], "is not a Parquet file"},
		{"no rows", small(), writeParquet[good](t, nil), "has no rows"},
		{"no column", small(), writeParquet(t, []struct {
			Z string `parquet:"y"`
		}{{"a"}}), `the file has no column "x"`},
		{"group", small(), writeParquet(t, []struct {
			X struct{ A int } `parquet:"x"`
			Y string          `parquet:"y"`
		}{{}}), `column "x" is an object or array, want a single value`},
		{"list", small(), writeParquet(t, []struct {
			X []int  `parquet:"x,list"`
			Y string `parquet:"y"`
		}{{}}), `column "x" is an object or array, want a single value`},
		{"no list", vector, whole, `column "x" is not an array`},
		{"short list", vector, writeParquet(t, []struct {
			X []float32 `parquet:"x,list"`
			Y string    `parquet:"y"`
		}{{[]float32{1, 2}, "a"}, {[]float32{1}, "a"}}), `:2: column "x" does not have the declared 2 elements`},
		{"long list", vector, writeParquet(t, []struct {
			X []float32 `parquet:"x"`
			Y string    `parquet:"y"`
		}{{[]float32{1, 2, 3}, "a"}}), `:1: column "x" does not have the declared 2 elements`},
		{"bytes", small(), writeParquet(t, []struct {
			X [3]byte `parquet:"x"`
			Y string  `parquet:"y"`
		}{{}}), `column "x" is of a type that is not read, want text, numbers, booleans, dates, times or UUIDs`},
		{"half of 3 bytes", small(), retyped(t, writeColumn(t, parquet.String(), []parquet.Value{halfOf(0)}, 1, false), 3, new(format.Float16Type)),
			`column "x" is of a type that is not read, want text, numbers, booleans, dates, times or UUIDs`},
		{"NaN", small(), writeParquet(t, []good{{1, "a"}, {math.NaN(), "b"}}), `:2: column "x" is not a number`},
		{"label", small(), writeParquet(t, []good{{1, "a"}, {1, "a"}, {1, "c"}}), `:3: column "y" is not one of the declared classes`},
		{"Latin-1", small(), writeParquet(t, []good{{1, "a\xff"}}), `:1: column "y" is not valid UTF-8`},
	} {
		path := writeFile(t, "t.parquet", c.content)
		_, err := Load(context.Background(), []string{path}, mustSchema(t, c.spec), LoadOptions{})
		var bad *Error
		if !errors.As(err, &bad) || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	spec := small()
	spec.Format = Parquet
	_, err := Load(context.Background(), []string{Stdin}, mustSchema(t, spec), LoadOptions{Stdin: bytes.NewReader(whole)})
	if want := "stdin: is not a file that can be read from its end, as Parquet has to be"; err == nil || err.Error() != want {
		t.Errorf("Parquet on standard input: %v, want %s", err, want)
	}
	d, err := Load(context.Background(), []string{writeFile(t, "t.parquet", writeParquet(t, []good{{1, "a"}, {math.NaN(), "b"}, {3, "b"}}))}, mustSchema(t, small()), LoadOptions{NullBadRows: true})
	if err != nil || d.Rows != 2 || len(d.Null) != 1 || d.Null[0] != 1 {
		t.Errorf("a NaN as a null row: %+v, %v, want row 1 null", d, err)
	}
}

// FuzzParquet changes bytes of a file: it is refused in known words, or still a table.
func FuzzParquet(f *testing.F) {
	type row struct {
		X *float64  `parquet:"x,optional,snappy"`
		T string    `parquet:"t,dict"`
		U *struct { // optional, so that there are levels
			N string `parquet:"n,plain"`
		} `parquet:"u,optional"`
		E []float32 `parquet:"e,optional,list"`
		Y string    `parquet:"y"`
	}
	spec := declared()
	s := mustSchema(f, spec)
	rows := []row{{ptr(1.), "words", nil, []float32{1, 2}, "a"}, {nil, "v", nil, []float32{3, 4}, "b"}, {ptr(5.), "more", nil, []float32{3, 4}, "b"}}
	for _, version := range []int{1, 2} {
		for _, whole := range [][]byte{writeParquet(f, rows, parquet.DataPageVersion(version)), writeEncoded(f, version)} {
			f.Add(whole, 0, byte(0))
			bare := unchecked(f, whole)
			for at := 7; at < len(bare); at += 97 {
				f.Add(bare, at, byte(at*7+1))
			}
		}
	}
	check := messageCheck()
	path := filepath.Join(f.TempDir(), "t.parquet")
	f.Fuzz(func(t *testing.T, content []byte, at int, b byte) {
		content = bytes.Clone(content)
		if at >= 0 && at < len(content) {
			content[at] ^= b
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := Load(context.Background(), []string{path}, s, LoadOptions{MaxRows: 1000})
		if err != nil {
			var bad *Error
			if !errors.As(err, &bad) {
				t.Fatalf("load: %v, want an Error", err)
			}
			bad.File = "stdin"
			check(t, bad)
			return
		}
		checkBlocks(t, d, 0)
	})
}

// writeEncoded is a file of the fuzz test's table in encodings that struct tags do not name.
func writeEncoded(t testing.TB, version int) []byte {
	t.Helper()
	schema := parquet.NewSchema("t", parquet.Group{
		"x": parquet.Encoded(parquet.Optional(parquet.Decimal(2, 9, parquet.Int32Type)), &parquet.DeltaBinaryPacked),
		"t": parquet.Encoded(parquet.String(), &parquet.DeltaByteArray),
		"u": parquet.Group{"n": parquet.Encoded(parquet.Optional(parquet.String()), &parquet.DeltaLengthByteArray)},
		"e": parquet.List(parquet.Encoded(parquet.Leaf(parquet.FloatType), &parquet.ByteStreamSplit)),
		"y": parquet.Encoded(parquet.String(), &parquet.RLEDictionary),
	})
	var out bytes.Buffer
	w := parquet.NewWriter(&out, schema, parquet.DataPageVersion(version))
	for i := range 3 {
		word, number := parquet.ByteArrayValue([]byte("words"[:i+2])), parquet.FloatValue(float32(i))
		x := parquet.Int32Value(int32(i)).Level(0, 1, 3)
		if i == 1 {
			x = parquet.NullValue().Level(0, 0, 3)
		}
		row := parquet.Row{number.Level(0, 1, 0), number.Level(1, 1, 0), word.Level(0, 0, 1), word.Level(0, 1, 2), x, parquet.ByteArrayValue([]byte("a")).Level(0, 0, 4)}
		if _, err := w.WriteRows([]parquet.Row{row}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestParquetEncoded: the fuzz test's files are tables as they are.
func TestParquetEncoded(t *testing.T) {
	for _, version := range []int{1, 2} {
		path := writeFile(t, "t.parquet", writeEncoded(t, version))
		d, err := Load(context.Background(), []string{path}, mustSchema(t, declared()), LoadOptions{})
		if err != nil || d.Rows != 3 {
			t.Errorf("version %d: %v, want 3 rows", version, err)
		}
	}
}
