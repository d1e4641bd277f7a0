package main

import (
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

func TestTablesAreCurrent(t *testing.T) {
	dir := t.TempDir()
	if err := generate(dir, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"train.csv", "test.csv"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", "quickstart", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("testdata/quickstart/%s is not what the generator writes: run make gen", name)
		}
	}
}

func TestModelIsWellFormed(t *testing.T) {
	all := intents()
	var priors float64
	lists := make(map[string]int) // clause -> intent
	slot := regexp.MustCompile(`\{(\w+)\}`)
	for i, it := range all {
		priors += it.prior
		var plan, tenure float64
		for j := range it.plans {
			plan += it.plans[j]
			tenure += it.tenures[j]
		}
		if math.Abs(plan-1) > 1e-9 || math.Abs(tenure-1) > 1e-9 {
			t.Errorf("%s: plans sum to %v and tenures to %v, want 1", it.name, plan, tenure)
		}
		for _, r := range it.related {
			if r == i || r < 0 || r >= len(all) || it.related[0] == it.related[1] {
				t.Errorf("%s: related = %v, want two other intents", it.name, it.related)
			}
		}
		for _, c := range it.clauses {
			if other, found := lists[c]; found {
				t.Errorf("clause %q is listed by %s and by %s, want one", c, all[other].name, it.name)
			}
			lists[c] = i
			for _, m := range slot.FindAllStringSubmatch(c, -1) {
				if len(slots()[m[1]]) == 0 {
					t.Errorf("clause %q has the slot %s, which nothing fills", c, m[1])
				}
			}
		}
	}
	if math.Abs(priors-1) > 1e-9 {
		t.Errorf("priors sum to %v, want 1", priors)
	}
}

// Numbers from the lists of intents.go: months 5 is in the bracket of 3 to 11, and each list has 12 clauses.
func TestPosteriorOfExamples(t *testing.T) {
	all := intents()
	own, related, foreign := clause{0, 2}, clause{1, 0}, clause{2, 0}
	for _, test := range []struct {
		name string
		r    record
		want float64 // of card_lost
	}{
		{"own clause", record{plan: 0, months: 5, clauses: []clause{own}}, 0.18 * 0.35 * 0.25 / 9 * 0.90 / 12},
		{"related clause", record{plan: 3, months: 40, clauses: []clause{related}}, 0.18 * 0.10 * 0.30 / 84 * 0.05 / 12},
		{"two clauses", record{plan: 0, months: 5, clauses: []clause{own, related}}, 0.18 * 0.35 * 0.25 / 9 * 0.90 / 12 * 0.05 / 12},
		{"foreign clause", record{plan: 0, months: 5, clauses: []clause{own, foreign}}, 0},
		{"missing cells", record{plan: -1, months: -1, clauses: []clause{own}}, 0.18 * 0.90 / 12},
	} {
		if got := posterior(all, 0, &test.r); math.Abs(got-test.want) > 1e-12*test.want {
			t.Errorf("%s: posterior = %v, want %v", test.name, got, test.want)
		}
	}
}

// If the records are drawn by the model that the posterior is of, its largest term is, on average, how often it is right.
// With 50,000 draws the difference of the two has a standard deviation of about 0.001; 0.006 is passed by chance with
// probability below 1e-8. It would catch a source that strays a fifth more often than the model says.
func TestRecordsFollowThePosterior(t *testing.T) {
	const draws = 50_000
	records, all := newSource(3).records(draws), intents()
	var claimed float64
	for i := range records {
		var sum, largest float64
		for class := range all {
			p := posterior(all, class, &records[i])
			sum += p
			largest = max(largest, p)
		}
		claimed += largest / sum / draws
	}
	if got := bayesAccuracy(records); math.Abs(got-claimed) > 0.006 {
		t.Errorf("bayesAccuracy = %.4f, want the mean of the largest posteriors, %.4f", got, claimed)
	}
}
