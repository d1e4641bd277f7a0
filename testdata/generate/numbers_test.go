package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestNumbersAreTheSameInBothFormats reads a small table of numbers back.
func TestNumbersAreTheSameInBothFormats(t *testing.T) {
	const rows = 50
	dir := t.TempDir()
	if err := writeNumbers(dir, rows); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "numbers.csv"))
	if err != nil {
		t.Fatal(err)
	}
	fields, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil || len(fields) != rows+1 || len(fields[0]) != numberColumns+1 {
		t.Fatalf("numbers.csv has %d lines, %v, want %d", len(fields), err, rows+1)
	}
	if text, err = os.ReadFile(filepath.Join(dir, "numbers.jsonl")); err != nil {
		t.Fatal(err)
	}
	objects := json.NewDecoder(strings.NewReader(string(text)))
	objects.UseNumber()
	for i, row := range fields[1:] {
		var object map[string]any
		if err := objects.Decode(&object); err != nil || len(object) != len(row) {
			t.Fatalf("line %d of numbers.jsonl: %v, %d keys, want %d", i+1, err, len(object), len(row))
		}
		var sum float64
		for j, name := range fields[0] {
			got := object[name]
			if n, ok := got.(json.Number); ok {
				got = n.String()
			}
			if got != row[j] {
				t.Errorf("line %d of numbers.jsonl: %s = %v, want %s as in numbers.csv", i+1, name, got, row[j])
			}
			if x, err := strconv.ParseFloat(row[j], 64); j < 10 {
				if sum += x; err != nil || x <= -10 || x >= 10 {
					t.Errorf("line %d of numbers.csv: %s = %s, want a number in (-10, 10)", i+2, name, row[j])
				}
			}
		}
		if label := row[numberColumns]; (label == "yes") != (sum > 1e-9) {
			t.Errorf("line %d of numbers.csv: label %s of a sum %v", i+2, label, sum)
		}
	}
}
