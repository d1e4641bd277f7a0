// Command generate writes the quickstart's tables: messages of invented customers, each with what it is about. With
// -numbers it writes tables of numbers of any size instead, see writeNumbers.
//
// The tables are drawn from a model stated in model.go, so the best accuracy that any classifier can have on them is
// known, and printed. The same program always writes the same bytes.
package main

import (
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// Rows of the two tables. configs/quickstart.yaml declares trainRows.
const (
	trainRows = 4000
	testRows  = 2000
)

func main() {
	dir := flag.String("o", filepath.Join("testdata", "quickstart"), "folder to write into")
	rows := flag.Int("numbers", 0, "write a table of so many rows of numbers instead, numbers.csv and numbers.jsonl")
	flag.Parse()
	write := func() error { return generate(*dir, os.Stdout) }
	if *rows > 0 {
		write = func() error { return writeNumbers(*dir, *rows) }
	}
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// generate writes both tables into dir and says on w how well they can be predicted.
func generate(dir string, w io.Writer) error {
	s := newSource(1)
	if err := writeTable(filepath.Join(dir, "train.csv"), s.records(trainRows)); err != nil {
		return err
	}
	test := s.records(testRows)
	if err := writeTable(filepath.Join(dir, "test.csv"), test); err != nil {
		return err
	}
	const draws = 200_000 // a standard error below 0.06 points
	fmt.Fprintf(w, "best possible accuracy: %.1f %%\n", 100*bayesAccuracy(newSource(2).records(draws)))
	fmt.Fprintf(w, "the same rule on test.csv: %.1f %%\n", 100*bayesAccuracy(test))
	fmt.Fprintf(w, "always the commonest intent: %.1f %%\n", 100*commonestPrior())
	return nil
}

func writeTable(path string, records []record) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	out := csv.NewWriter(f)
	rows := [][]string{{"message", "plan", "tenure_months", "intent"}}
	for _, r := range records {
		rows = append(rows, []string{r.message, r.planCell(), r.tenureCell(), intents()[r.intent].name})
	}
	return out.WriteAll(rows)
}

// planCell is the plan as it is written: empty where it is missing.
func (r *record) planCell() string {
	if r.plan < 0 {
		return ""
	}
	return plans()[r.plan]
}

// tenureCell is the number of months as it is written: empty where it is missing.
func (r *record) tenureCell() string {
	if r.months < 0 {
		return ""
	}
	return strconv.Itoa(r.months)
}
