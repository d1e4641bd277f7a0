package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Columns of the table of numbers.
const numberColumns = 100

// writeNumbers writes a table of rows with numberColumns numbers each, x0 to x99, uniform in (-10, 10) with six decimals,
// and a label y that is "yes" where the first ten sum to more than 0: numbers.csv and numbers.jsonl, the same rows in
// both, and numbers.yaml, a config for them. A million rows are a CSV of 950 MB; it is for measuring how fast tables load.
func writeNumbers(dir string, rows int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	csv, err := os.Create(filepath.Join(dir, "numbers.csv"))
	if err != nil {
		return err
	}
	defer csv.Close()
	jsonl, err := os.Create(filepath.Join(dir, "numbers.jsonl"))
	if err != nil {
		return err
	}
	defer jsonl.Close()
	fields, objects := bufio.NewWriterSize(csv, 1<<20), bufio.NewWriterSize(jsonl, 1<<20)
	for i := range numberColumns {
		fmt.Fprintf(fields, "x%d,", i)
	}
	fmt.Fprintln(fields, "y")
	s := newSource(4)
	var line, object []byte
	for range rows {
		line, object = s.numbers(line[:0], object[:0])
		if _, err := fields.Write(line); err != nil {
			return err
		}
		if _, err := objects.Write(object); err != nil {
			return err
		}
	}
	for _, w := range []*bufio.Writer{fields, objects} {
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "numbers.yaml"), []byte(numbersConfig(rows)), 0o644)
}

// numbers appends a row, as a line of CSV and as one of JSONL.
func (s *source) numbers(line, object []byte) (csv, jsonl []byte) {
	sum := 0
	for i := range numberColumns {
		millionths := s.index(20_000_000-1) - (10_000_000 - 1)
		if i < 10 {
			sum += millionths
		}
		start := len(line)
		line = appendMillionths(line, millionths)
		object = append(object, `,"x`...)
		object = strconv.AppendInt(object, int64(i), 10)
		object = append(object, `":`...)
		object = append(object, line[start:]...)
		line = append(line, ',')
	}
	label := "no"
	if sum > 0 {
		label = "yes"
	}
	object[0] = '{' // in the place of the first comma
	object = append(append(append(object, `,"y":"`...), label...), "\"}\n"...)
	return append(append(line, label...), '\n'), object
}

// appendMillionths writes n/10⁶ with six decimals.
func appendMillionths(text []byte, n int) []byte {
	if n < 0 {
		text, n = append(text, '-'), -n
	}
	text = strconv.AppendInt(text, int64(n/1_000_000), 10)
	decimals := strconv.AppendInt(make([]byte, 0, 8), int64(1_000_000+n%1_000_000), 10)
	decimals[0] = '.'
	return append(text, decimals...)
}

func numbersConfig(rows int) string {
	features := ""
	for i := range numberColumns {
		features += fmt.Sprintf("    - {name: x%d, kind: numeric, min: -10, max: 10, impute: 0}\n", i)
	}
	return fmt.Sprintf(`version: 1
data:
  train: numbers.csv
  rows: %d
  label: {name: y, classes: ["no", "yes"]}
  features:
%sprivacy:
  unit: row
  target_epsilon: 1.0
  delta: 1.0e-9
`, rows, features)
}
