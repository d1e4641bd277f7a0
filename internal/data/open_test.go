package data

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstandard(t testing.TB, text string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll([]byte(text), nil)
}

func TestCompressedTables(t *testing.T) {
	const first, second = "x,y\n1,a\n2,", "b\n3,a\n"
	s := mustSchema(t, small())
	want, err := loadText(small(), CSV, first+second, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"a.csv":         []byte(first + second),
		"a.csv.gz":      gzipped(t, first+second),
		"a.csv.zst":     zstandard(t, first+second),
		"bom.csv.gz":    gzipped(t, "\ufeff"+first+second),
		"parts.csv.gz":  append(gzipped(t, first), gzipped(t, second)...),
		"parts.csv.zst": append(zstandard(t, first), zstandard(t, second)...),
		"A.CSV.GZ":      gzipped(t, first+second),
		"a.tsv.gz":      gzipped(t, strings.ReplaceAll(first+second, ",", "\t")),
		"a.jsonl.zst":   zstandard(t, `{"x":1,"y":"a"}`+"\n"+`{"x":2,"y":"b"}`+"\n"+`{"x":3,"y":"a"}`),
	} {
		got, err := Load(context.Background(), []string{writeFile(t, name, content)}, s, LoadOptions{})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("load %s = %+v, %v, want %+v", name, got, err, want)
		}
	}
}

func TestBrokenCompression(t *testing.T) {
	table := "x,y\n" + strings.Repeat("1,a\n2,b\n", 1000)
	gz, zst := gzipped(t, table), zstandard(t, table)
	flipped := bytes.Clone(gz)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty.csv.gz", nil, "is empty"},
		{"empty.csv.zst", nil, "is empty"},
		{"nothing.csv.gz", gzipped(t, ""), "is empty"},
		{"plain.csv.gz", []byte(table), "is not a valid gzip stream"},
		{"plain.csv.zst", []byte(table), "is not a valid zstd stream"},
		{"cut.csv.gz", gz[:len(gz)-9], "ends in the middle of its gzip stream"},
		{"cut.csv.zst", zst[:len(zst)-3], "ends in the middle of its zstd stream"},
		{"head.csv.gz", gz[:5], "ends in the middle of its gzip stream"},
		{"flipped.csv.gz", flipped, "is not a valid gzip stream"},
		{"tail.csv.gz", append(bytes.Clone(gz), "x,y\n1,a\n2,b\n"...), "is not a valid gzip stream"},
		// A frame header that asks for a window of 2^28 bytes, and one raw block (RFC 8878, sections 3.1.1.1 and 3.1.1.2).
		{"window.csv.zst", []byte("\x28\xb5\x2f\xfd\x00\x90\x41\x00\x00x,y\n1,a\n"), "needs a zstd window of more than 128 MiB"},
	} {
		path := writeFile(t, c.name, c.content)
		_, err := Load(context.Background(), []string{path}, mustSchema(t, small()), LoadOptions{})
		var bad *Error
		if !errors.As(err, &bad) || err.Error() != path+": "+c.want {
			t.Errorf("load %s: %v, want %s", c.name, err, c.want)
		}
	}
}

// TestRowsAreBounded: a row that never ends is given up, and a table much longer than a row may be is not.
func TestRowsAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	endless := readerFunc(func(p []byte) (int, error) {
		p[0] = 'a'
		for n := 1; n < len(p); n *= 2 {
			copy(p[n:], p[:n])
		}
		return len(p), nil
	})
	for _, begin := range []string{"x,y\n1,", "x,y\n1,\"", "x,y\n#"} {
		_, err := Load(context.Background(), []string{Stdin}, mustSchema(t, small()), LoadOptions{Stdin: io.MultiReader(strings.NewReader(begin), endless)})
		if want := "stdin:2: a row is longer than 64 MiB"; err == nil || err.Error() != want {
			t.Errorf("an endless row after %q: %v, want %s", begin, err, want)
		}
	}

	wide := strings.Repeat("w", 1<<20)
	for format, row := range map[string]string{CSV: "1,a," + wide + "\n", JSONL: `{"x":1,"y":"a","w":"` + wide + "\"}\n"} {
		const rows = maxRowBytes>>20 + 2
		parts := []io.Reader{strings.NewReader("")}
		if format == CSV {
			parts[0] = strings.NewReader("x,y,w\n")
		}
		for range rows {
			parts = append(parts, strings.NewReader(row))
		}
		spec := small()
		spec.Format = format
		d, err := Load(context.Background(), []string{Stdin}, mustSchema(t, spec), LoadOptions{Stdin: io.MultiReader(parts...)})
		if err != nil || d.Rows != rows {
			t.Errorf("%s: %d rows of 1 MiB: %v", format, rows, err)
		}
	}
}
