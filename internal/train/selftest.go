package train

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"

	"dptrain/internal/data"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
)

// A SelftestCase is one kind of run to be tested on invented tables.
type SelftestCase struct {
	Name    string
	Options Options
	Spec    data.Spec
}

// A SelftestResult is what a case showed.
type SelftestResult struct {
	Name  string `json:"name"`
	Pairs int    `json:"pairs"` // neighbouring tables
	// Moved is the largest distance between the sums of two neighbours, in units of what it may be.
	Moved float64 `json:"moved"`
	// Noise is the mean square of the noise in units of what is claimed, over Draws draws.
	Noise  float64  `json:"noise"`
	Draws  int      `json:"draws"`
	Faults []string `json:"faults"`
}

// The size of a case: hundreds of rows in several ranges, a few steps.
const (
	selftestRows  = 360
	selftestSteps = 4
	selftestPairs = 8
	selftestSeed  = 1
)

// Selftest replays the case on pairs of neighbouring tables, whose rows are invented, and compares what the runs do. All
// its randomness comes from a stated seed: it has one outcome. Its errors are those of plans and tables.
func Selftest(ctx context.Context, c SelftestCase) (*SelftestResult, error) {
	stream := rng.TestKey(selftestSeed).Source(rng.Initialisation).Stream(1, 0)
	p, table, err := c.plan(ctx, stream)
	if err != nil {
		return nil, err
	}
	result := &SelftestResult{Name: c.Name, Faults: []string{}}
	var squares float64
	for pair := range selftestPairs {
		row, other := int(stream.Uint64n(uint64(table.Rows))), int(stream.Uint64n(uint64(table.Rows)))
		found, err := replay(ctx, p, table, row, other, uint64(pair))
		if err != nil {
			return nil, err
		}
		result.Pairs++
		result.Moved = math.Max(result.Moved, found.Moved)
		result.Draws += found.Draws
		squares += found.Noise * float64(found.Draws)
		for _, fault := range found.Faults {
			if !slices.Contains(result.Faults, fault) {
				result.Faults = append(result.Faults, fault)
			}
		}
	}
	result.Noise = squares / math.Max(1, float64(result.Draws))
	// Seven standard deviations of the mean of so many squares of a normal variable.
	if margin := 7 * math.Sqrt(2/math.Max(1, float64(result.Draws))); !(math.Abs(result.Noise-1) < margin) {
		result.Faults = append(result.Faults, fmt.Sprintf("the noise has %.4g times the variance claimed, over %d draws", result.Noise, result.Draws))
	}
	if result.Moved == 0 {
		result.Faults = append(result.Faults, "no row moved a sum: nothing was seen")
	}
	return result, nil
}

// plan is the case's plan, cut to a size for tests, and an invented table for it.
func (c SelftestCase) plan(ctx context.Context, stream *rng.Stream) (*Plan, *data.Dataset, error) {
	spec := c.Spec
	spec.Format = data.JSONL
	schema, err := data.NewSchema(spec)
	if err != nil {
		return nil, nil, err
	}
	full, err := NewPlan(c.Options, schema)
	if err != nil {
		return nil, nil, err
	}
	o, steps, q, sigma := c.Options, selftestSteps, full.Train.SamplingProbability, full.Privacy.NoiseMultiplier
	if q < 1 { // so that the rows in question are drawn
		q = math.Max(q, 0.25)
	}
	o.Train.Steps, o.Train.Epochs, o.Train.SamplingProbability, o.Train.BatchSize = &steps, nil, &q, nil
	o.Privacy.NoiseMultiplier, o.Privacy.TargetEpsilon = &sigma, nil
	rows := selftestRows
	if full.Privacy.Adjacency == accounting.AddOrRemoveOne {
		o.RowsAtMost = selftestRows * 3 / 2
	} else {
		o.Rows = rows
	}
	p, err := NewPlan(o, schema)
	if err != nil {
		return nil, nil, err
	}
	table, err := inventTable(ctx, schema, rows, stream)
	return p, table, err
}

// inventTable is a table of invented rows (package data, Invent). The schema's format is JSONL.
func inventTable(ctx context.Context, schema *data.Schema, rows int, stream *rng.Stream) (*data.Dataset, error) {
	text, err := data.Invent(schema.Spec(), rows, stream.Uint64n)
	if err != nil {
		return nil, err
	}
	return data.Load(ctx, []string{"-"}, schema, data.LoadOptions{MaxRows: rows, Stdin: bytes.NewReader(text)})
}

// SelftestCases are the kinds of runs there are: every shape of model, each adjacency, sampled and full batch.
func SelftestCases() []SelftestCase {
	number := func(v float64) *float64 { return &v }
	var cases []SelftestCase
	for _, shape := range selftestShapes() {
		for _, adjacency := range []accounting.Adjacency{accounting.ZeroOut, accounting.AddOrRemoveOne, accounting.ReplaceOne} {
			for _, q := range []float64{1, 0.3} {
				c := shape
				c.Name = fmt.Sprintf("%s, %s, q = %v", shape.Name, adjacency, q)
				c.Options.Privacy = PrivacyOptions{Unit: UnitRow, Adjacency: string(adjacency), NoiseMultiplier: number(1.5),
					Delta: 1e-5, MaxGradNorm: shape.Options.Privacy.MaxGradNorm}
				c.Options.Rows = selftestRows
				if adjacency == accounting.AddOrRemoveOne {
					c.Options.Rows, c.Options.RowsAtMost = 0, 2*selftestRows
				}
				c.Options.Train.SamplingProbability = number(q)
				cases = append(cases, c)
			}
		}
	}
	return cases
}

// selftestShapes are inputs of every kind under nets of every shape. Unbounded vectors without a row norm are the most
// hostile: their rows overflow.
func selftestShapes() []SelftestCase {
	low, high := 0.0, 100.0
	words := data.Feature{Name: "words", Kind: data.Text, Buckets: 64, NGrams: 2}
	city := data.Feature{Name: "city", Kind: data.Hashed, Buckets: 16}
	town := data.Feature{Name: "plan", Kind: data.Categorical, Values: []string{"a", "b", "c"}}
	age := data.Feature{Name: "age", Kind: data.Numeric, Min: &low, Max: &high}
	cut := data.Feature{Name: "cut", Kind: data.Numeric, Min: &low, Max: &high, Edges: []float64{10, 50}}
	vector := data.Feature{Name: "vector", Kind: data.Vector, Size: 12}
	label := func(classes ...string) data.Label { return data.Label{Name: "y", Classes: classes} }
	norm := func(c float64) Options { return Options{Privacy: PrivacyOptions{MaxGradNorm: c}} }
	mlp := func(activation string, hidden ...int) Options {
		return Options{Model: ModelOptions{Hidden: hidden, Activation: activation}, Privacy: PrivacyOptions{MaxGradNorm: 0.5}}
	}
	learned := data.Feature{Name: "learned", Kind: data.Numeric, Min: &low, Max: &high, Standardize: "dp", Impute: &low}
	far := data.Feature{Name: "far", Kind: data.Numeric, Min: &low, Max: &high, Transform: "log1p", Standardize: "dp", Impute: &high}
	even := norm(0.5)
	even.Train.EvenClasses = true
	return []SelftestCase{
		{"dense", norm(1), data.Spec{Label: label("no", "yes", "maybe"), Features: []data.Feature{vector}}},
		{"sparse", norm(1e-3), data.Spec{Label: label("no", "yes"), Features: []data.Feature{words, city, town}, RowNorm: 1}},
		{"dense and sparse", norm(0.3), data.Spec{Label: label("a", "b", "c", "d"), Features: []data.Feature{age, cut, words, vector}, RowNorm: 1}},
		{"queries, class weights", even, data.Spec{Label: label("no", "yes", "maybe"), Features: []data.Feature{learned, city, far}, RowNorm: 1}},
		{"MLP, tanh", mlp("tanh", 18), data.Spec{Label: label("no", "yes", "maybe"), Features: []data.Feature{age, city, vector}}},
		{"sparse MLP", mlp("tanh", 150, 110), data.Spec{Label: label("no", "yes"), Features: []data.Feature{words, vector}}},
		{"MLP, relu, two layers", mlp("relu", 20, 6), data.Spec{Label: label("no", "yes"), Features: []data.Feature{vector, cut}, RowNorm: 1}},
	}
}
