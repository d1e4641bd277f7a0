package main

import (
	"slices"
	"testing"
)

// TestMutantsFitTheSource notices a change of the source that leaves a fault without its place.
func TestMutantsFitTheSource(t *testing.T) {
	var names []string
	short := 0
	for _, m := range mutants() {
		sources, err := read("../..", m)
		if err == nil {
			_, err = patched(sources, m)
		}
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if len(m.tests) == 0 || slices.Contains(names, m.name) {
			t.Errorf("%s: no tests, or listed twice", m.name)
		}
		names = append(names, m.name)
		if m.short {
			short++
		}
	}
	if short == 0 {
		t.Error("no mutant is marked short")
	}
}
