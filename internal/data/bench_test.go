package data

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
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
}
