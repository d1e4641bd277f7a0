package data

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestInventedRowsLoad loads invented tables of every kind of column: as many rows as asked for, every class, absent
// values and repeated rows among them.
func TestInventedRowsLoad(t *testing.T) {
	for name, spec := range map[string]Spec{"every kind": everyKind(), "small": small()} {
		r := rand.New(rand.NewPCG(1, 2))
		const rows = 400
		text, err := Invent(spec, rows, r.Uint64N)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		d, err := loadText(spec, JSONL, string(text), LoadOptions{})
		if err != nil || d.Rows != rows {
			t.Fatalf("%s: invented rows cannot be loaded: %v", name, err)
		}
		classes, doubles := map[int32]int{}, 0
		for i := range rows {
			classes[d.Labels[i]]++
			if one := d.Pick([]int{i}); i > 0 && same(one, d.Pick([]int{i - 1})) {
				doubles++
			}
		}
		if len(classes) != len(spec.Label.Classes) || doubles == 0 {
			t.Errorf("%s: %d classes and %d repeated rows, want %d and some", name, len(classes), doubles, len(spec.Label.Classes))
		}
	}
}

func same(a, b *Dataset) bool {
	return slices.Equal(a.Dense, b.Dense) && slices.Equal(a.Indices, b.Indices) && slices.Equal(a.Values, b.Values) && slices.Equal(a.Labels, b.Labels)
}

func TestPickTakesWholeRows(t *testing.T) {
	text, err := Invent(everyKind(), 50, rand.New(rand.NewPCG(3, 4)).Uint64N)
	if err != nil {
		t.Fatal(err)
	}
	d, err := loadText(everyKind(), JSONL, string(text), LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all := make([]int, d.Rows)
	for i := range all {
		all[i] = i
	}
	if got := d.Pick(all); !same(got, d) || !slices.Equal(got.Indptr, d.Indptr) || got.Rows != d.Rows {
		t.Error("all rows in order are not the table")
	}
	if got := d.Pick([]int{7, 3, 7}); got.Rows != 3 || !same(got.Pick([]int{0}), got.Pick([]int{2})) || !same(got.Pick([]int{1}), d.Pick([]int{3})) {
		t.Error("rows 7, 3, 7 are not those rows")
	}
}
