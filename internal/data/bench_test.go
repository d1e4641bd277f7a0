package data

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// BenchmarkLoad loads 2,000 rows of 100 numbers and a label.
func BenchmarkLoad(b *testing.B) {
	const rows, columns = 2000, 100
	spec := small()
	spec.Features = nil
	header, line, object := "", "", ""
	for i := range columns {
		number := fmt.Sprintf("%.6f", float64(7919*i%2000)/100-10)
		spec.Features = append(spec.Features, Feature{Name: fmt.Sprint("x", i), Kind: Numeric, Min: ptr(-10.), Max: ptr(10.)})
		header += fmt.Sprintf("x%d,", i)
		line += number + ","
		object += fmt.Sprintf(`"x%d":%s,`, i, number)
	}
	for format, text := range map[string]string{
		CSV:   header + "y\n" + strings.Repeat(line+"a\n", rows),
		JSONL: strings.Repeat("{"+object+`"y":"a"}`+"\n", rows),
	} {
		b.Run(format, func(b *testing.B) {
			spec.Format = format
			s := mustSchema(b, spec)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := Load(context.Background(), []string{Stdin}, s, LoadOptions{MaxRows: rows, Stdin: bytes.NewReader([]byte(text))}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run(Parquet, func(b *testing.B) {
		group, row := parquet.Group{"y": parquet.String()}, parquet.Row{}
		for i := range columns {
			group[fmt.Sprint("x", i)] = parquet.Leaf(parquet.DoubleType)
			row = append(row, parquet.DoubleValue(float64(7919*i%2000)/100-10).Level(0, 0, i)) // whichever column that is
		}
		row = append(row, parquet.ByteArrayValue([]byte("a")).Level(0, 0, columns))
		var content bytes.Buffer
		w := parquet.NewWriter(&content, parquet.NewSchema("t", group))
		if _, err := w.WriteRows(slices.Repeat([]parquet.Row{row}, rows)); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		spec.Format = Parquet
		s, path := mustSchema(b, spec), filepath.Join(b.TempDir(), "t.parquet")
		if err := os.WriteFile(path, content.Bytes(), 0o600); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(content.Len()))
		for b.Loop() {
			if _, err := Load(context.Background(), []string{path}, s, LoadOptions{MaxRows: rows}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
