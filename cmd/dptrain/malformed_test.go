package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// marker stands in every cell, key and header that may hold any text. Nothing that the program prints, writes or names may
// have it.
const marker = "zq7Marker"

// malformedSpec declares what the tables of testdata/malformed are not.
const malformedSpec = `version: 1
data:
  train: t
  rows: 1000
  label: {name: y, classes: [a, b]}
  features:
    - {name: x, kind: numeric, min: 0, max: 10}
    - {name: t, kind: text, buckets: 8}
    - {name: u.n, kind: categorical, values: [v]}
    - {name: e, kind: vector, columns: {prefix: e, first: 0, last: 1}}
privacy: {unit: row, noise_multiplier: 5, delta: 1e-5}
train: {steps: 3}
`

// checkHidden fails where output, or a file below dir other than those given, has the marker in its text or name.
func checkHidden(t *testing.T, dir, output string, inputs ...string) {
	t.Helper()
	if strings.Contains(output, marker) {
		t.Errorf("a cell is printed:\n%s", output)
	}
	for _, path := range files(t, dir) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		isInput := false
		for _, name := range inputs {
			isInput = isInput || path == filepath.Join(dir, name)
		}
		if !isInput && bytes.Contains(text, []byte(marker)) || strings.Contains(path, marker) {
			t.Errorf("a cell is in %s", path)
		}
	}
}

// TestMalformedTables runs fit on tables that are not as declared: exit status 4, the error with its place, nothing on
// standard output, and no byte of a cell anywhere. Package data holds the same list to the places.
func TestMalformedTables(t *testing.T) {
	text, err := os.ReadFile("../../testdata/malformed/tables.tsv")
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		cases++
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		t.Run(fields[0], func(t *testing.T) {
			dir := t.TempDir()
			table, err := strconv.Unquote(fields[2])
			if err != nil {
				t.Fatal(err)
			}
			name := "t." + fields[1]
			want := "dptrain: error: " + strings.Replace(fields[3], "stdin", name, 1) + "\n"
			write(t, dir, "c.yaml", malformedSpec)
			write(t, dir, name, table)
			code, stdout, stderr := dptrain(t, dir, "fit", "-c", "c.yaml", "--data", name, "-q")
			if code != int(statusData) || stdout != "" || !strings.HasPrefix(stderr, want) || strings.Count(stderr, "\n") > 2 {
				t.Errorf("fit: exit status %d, want 4, printed %s%s, want %s", code, stdout, stderr, want)
			}
			write(t, dir, name, strings.ReplaceAll(table, "S", marker))
			code, stdout, stderr = dptrain(t, dir, "fit", "-c", "c.yaml", "--data", name, "-q", "--fresh")
			if code != int(statusData) {
				t.Errorf("fit with the marker: exit status %d, want 4", code)
			}
			checkHidden(t, dir, stdout+stderr, name)
		})
	}
	if cases < 60 {
		t.Errorf("%d malformed tables, want at least 60", cases)
	}
}

// TestMalformedFiles is about what is wrong with files as a whole.
func TestMalformedFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	const table = "age,town,y\n20,Ulm,no\n"
	zipped := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	wide := strings.Repeat("c,", 100_000)
	for _, test := range []struct {
		name    string // of the file
		content string // empty: no file
		data    string // --data, where it is not the name
		set     string
		want    string // after "dptrain: error: "; empty: the fit succeeds
		status  status
	}{
		{name: "t.csv", want: "t.csv: no such file", status: statusData},
		{name: "t.csv", content: table, data: "t*.jsonl", want: "t*.jsonl: no file matches", status: statusData},
		{name: "t.csv", content: table, data: "t[.csv", want: "t[.csv: is not a valid pattern", status: statusData},
		{name: "t.csv", content: table, data: ".", want: ".: is a directory, want a file", status: statusData},
		{name: "t.csv", content: table, want: "t.csv: has fewer rows than the declared 2", status: statusData},
		{name: "t.csv", content: table + "20,Ulm,no\n20,Ulm,no\n", want: "t.csv: has more rows than the declared 2", status: statusData},
		{name: "t.csv.gz", content: table, want: "t.csv.gz: is not a valid gzip stream", status: statusData},
		{name: "t.csv.zst", content: table, want: "t.csv.zst: is not a valid zstd stream", status: statusData},
		{name: "t.csv.gz", content: zipped(table)[:20], want: "t.csv.gz: ends in the middle of its gzip stream", status: statusData},
		{name: "t.csv.gz", content: zipped("age,town,y\n20,Ulm,no\n" + strings.Repeat("\n", 70<<20)), want: "t.csv.gz: goes on for more than 64 MiB without a row", status: statusData},
		{name: "t.csv", content: "age,town,y\n20,Ulm,no\n30," + strings.Repeat("U", 65<<20) + ",no\n", want: "t.csv:3: a row is longer than 64 MiB", status: statusData},
		{name: "t.csv", content: wide + "\n", want: `t.csv:1: the header has no column "age"`, status: statusData},
		{name: "t.csv", content: wide + "age,town,y\n" + strings.Repeat(",", 100_000) + "20,Ulm,no\n" + strings.Repeat(",", 100_000) + "x,Ulm,no\n",
			want: `t.csv:3:100001: column "age" is not a number`, status: statusData},
		{name: "t.csv", content: wide + "age,town,y\n" + strings.Repeat(strings.Repeat(",", 100_000)+"20,Ulm,no\n", 2), status: statusDone},
		{name: "t.csv", content: table + "20,Ulm,no\n", set: "data.names=[age]", want: `t.csv: data.names has no column "town"`, status: statusData},
		{name: "t.csv", content: table + "x,Ulm,no\n", set: "data.on_bad_row=null", status: statusDone},
		{name: "t.csv", content: table + "20,\"Ulm,no\n", set: "data.on_bad_row=null", want: "t.csv:3:4: a quote that is neither closed nor written twice", status: statusData},
		{name: "t.csv", content: table + "x,Ulm,no\nx,Ulm,no\n", set: "data.on_bad_row=null", want: "t.csv: has more rows than the declared 2", status: statusData},
	} {
		dir := workshop(t)
		if err := os.Remove(filepath.Join(dir, "train.csv")); err != nil {
			t.Fatal(err)
		}
		if test.content != "" {
			write(t, dir, test.name, test.content)
		}
		if test.data == "" {
			test.data = test.name
		}
		if test.set == "" {
			test.set = "data.rows=2"
		}
		code, _, stderr := dptrain(t, dir, "fit", "-c", "c.yaml", "--data", test.data, "--set", "data.rows=2", "--set", test.set, "-q")
		if code != int(test.status) || !strings.HasPrefix(strings.TrimPrefix(stderr, "dptrain: error: "), test.want) {
			t.Errorf("%s %s: exit status %d, want %d, printed %swant %s", test.data, test.set, code, test.status, stderr, test.want)
		}
	}
}

// TestNoCellLeaks plants the marker in every cell that may hold any text and runs every command to the end.
func TestNoCellLeaks(t *testing.T) {
	config := strings.Replace(goodConfig, "    - {name: town", "    - {name: note, kind: text, buckets: 16}\n    - {name: who, kind: hashed, buckets: 16}\n    - {name: town", 1)
	csv, jsonl := "age,town,y,note,who,"+marker+"\n", ""
	for i := range 8 {
		label := []string{"no", "yes"}[i%2]
		csv += fmt.Sprintf("%d,%s,%s,%s and %s,%s,%s\n", 20+i, marker, label, marker, marker, marker, marker)
		jsonl += fmt.Sprintf(`{"age":%d,"town":"%s","y":"%s","note":"%s","who":"%s","%s":"%s"}`+"\n", 20+i, marker, label, marker, marker, marker, marker)
	}
	bad := strings.Replace(csv, "20,", marker+",", 1)
	columns := markedParquet(t, false)
	for _, test := range []struct {
		name, table string
		args        []string
	}{
		{"t.csv", csv, nil},
		{"t.jsonl", jsonl, nil},
		{"t.parquet", columns, nil},
		{"t.parquet", columns, []string{"--set", "data.cache=true"}},
		{"t.csv", bad, []string{"--set", "data.on_bad_row=null"}},
		{"t.csv", csv, []string{"--set", "data.cache=true"}},
		{"t.csv", csv, []string{"--set", "privacy.adjacency=add_or_remove_one", "--set", "data.rows_at_most=20"}},
	} {
		dir := t.TempDir()
		c := config
		if len(test.args) > 2 {
			c = remove(t, c, "  rows: 8\n")
		}
		write(t, dir, "c.yaml", c)
		write(t, dir, test.name, test.table)
		t.Setenv("TMPDIR", dir)
		out := ""
		for _, args := range [][]string{
			append([]string{"fit", "-c", "c.yaml", "--data", test.name}, test.args...),
			append([]string{"fit", "-c", "c.yaml", "--data", test.name, "--json", "--fresh"}, test.args...),
			append([]string{"validate", "-c", "c.yaml", "--data", test.name}, test.args...),
		} {
			code, stdout, stderr := dptrain(t, dir, args...)
			if code != 0 {
				t.Fatalf("%q: exit status %d\n%s", args, code, stderr)
			}
			out += stdout + stderr
			checkHidden(t, dir, out, test.name)
		}
		if test.table == bad {
			continue // which eval and predict refuse
		}
		for _, command := range []string{"eval", "predict"} {
			code, stdout, stderr := dptrain(t, dir, command, "-m", "runs/c/model.safetensors", "--data", test.name)
			if code != 0 {
				t.Fatalf("%s: exit status %d\n%s", command, code, stderr)
			}
			checkHidden(t, dir, stdout+stderr, test.name)
		}
	}
}

// TestNoParquetCellLeaks: nor does a Parquet file that is refused, or that only its schema is read of.
func TestNoParquetCellLeaks(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "c.yaml", goodConfig)
	bad := markedParquet(t, true)
	write(t, dir, "t.parquet", bad)
	write(t, dir, "cut.parquet", bad[:len(bad)/2])
	write(t, dir, "broken.parquet", bad[:60]+"?"+bad[61:])
	for _, c := range []struct {
		args []string
		code status
	}{
		{[]string{"fit", "-c", "c.yaml", "--data", "t.parquet"}, statusData},
		{[]string{"validate", "-c", "c.yaml", "--data", "t.parquet"}, statusData},
		{[]string{"validate", "-c", "c.yaml", "--data", "t.parquet", "--json"}, statusData},
		{[]string{"validate", "-c", "c.yaml", "--data", "cut.parquet"}, statusData},
		{[]string{"validate", "-c", "c.yaml", "--data", "broken.parquet"}, statusData},
		{[]string{"init", "t.parquet"}, statusDone},
		{[]string{"init", "t.parquet", "--peek"}, statusDone},
	} {
		code, stdout, stderr := dptrain(t, dir, c.args...)
		if code != int(c.code) {
			t.Errorf("%q: exit status %d, want %d\n%s", c.args, code, c.code, stderr)
		}
		checkHidden(t, dir, stdout+stderr, "t.parquet", "cut.parquet", "broken.parquet")
	}
}

// markedParquet is a table of eight rows with the marker in every cell that may hold any text; also where a number should be,
// if it is to be refused.
func markedParquet(t *testing.T, refused bool) string {
	t.Helper()
	type row struct {
		Age   string `parquet:"age"`
		Town  string `parquet:"town,dict"`
		Y     string `parquet:"y"`
		Note  string `parquet:"note,zstd"`
		Who   string `parquet:"who,optional"`
		Other string `parquet:"other"`
	}
	var rows []row
	for i := range 8 {
		rows = append(rows, row{fmt.Sprint(20 + i), marker, []string{"no", "yes"}[i%2], marker + " and " + marker, marker, marker})
	}
	if refused {
		rows[5].Age = marker
	}
	var out bytes.Buffer
	if err := parquet.Write(&out, rows); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestNothingTellsOfNullRows compares what fit prints and reports of a table with null rows and of one without.
func TestNothingTellsOfNullRows(t *testing.T) {
	var reports []string
	for _, table := range []string{goodTable, strings.Replace(strings.Replace(goodTable, "20,", "x,", 1), "90,,yes", "90,,?", 1)} {
		dir := workshop(t)
		write(t, dir, "train.csv", table)
		code, stdout, stderr := dptrain(t, dir, "fit", "-c", "c.yaml", "--set", "data.on_bad_row=null", "--set", "data.missing=[]")
		if code != 0 {
			t.Fatalf("fit: exit status %d\n%s", code, stderr)
		}
		text, err := os.ReadFile(filepath.Join(dir, "runs/c/report.json"))
		if err != nil {
			t.Fatal(err)
		}
		var report map[string]any
		if err := json.Unmarshal(text, &report); err != nil {
			t.Fatal(err)
		}
		delete(report, "report_id") // which the model's hash is part of
		delete(report["hashes"].(map[string]any), "model")
		if text, err = json.Marshal(report); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(stdout, "\n")
		reports = append(reports, string(text)+stderr+lines[0]+lines[1])
	}
	if reports[0] != reports[1] {
		t.Errorf("fit tells of null rows:\n%s\n%s", reports[0], reports[1])
	}
}
