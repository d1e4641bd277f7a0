package train

import (
	"context"
	"math"
	"reflect"
	"slices"
	"testing"

	"dptrain/internal/privacy"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train/nn"
)

func TestNoiselessFitLearns(t *testing.T) {
	for _, q := range []float64{1, 0.3} {
		o := testOptions()
		o.NoPrivacy, o.Train.SamplingProbability = true, &q
		m, p, f := fitted(t, o, rng.TestKey(1), 1)
		d := testTable(t, m.Schema, 400)
		probabilities, err := m.Predict(context.Background(), d)
		if err != nil {
			t.Fatal(err)
		}
		if got := Evaluate(probabilities, d.Labels, m.Schema.Classes()); *got.Accuracy != 1 {
			t.Errorf("q = %v: accuracy = %v, want 1", q, *got.Accuracy)
		}
		if _, again, _ := fitted(t, o, rng.TestKey(1), 7); !reflect.DeepEqual(p.Train, again.Train) {
			t.Errorf("plans differ: %+v, %+v", p.Train, again.Train)
		}
		if _, _, again := fitted(t, o, rng.TestKey(1), 7); !slices.Equal(f.Params, again.Params) {
			t.Errorf("q = %v: 7 workers give another model than 1", q)
		}
	}
}

// TestNoiselessMeansAreExact holds the first means of a net that is summed in waves, and of one that is not, against sums in
// float64 of the rows' gradients, and against those of other numbers of workers.
func TestNoiselessMeansAreExact(t *testing.T) {
	for _, test := range []struct {
		shape nn.Shape
		rows  int
	}{
		{nn.Shape{Dense: 60, Hidden: []int{500}, Classes: 10, Activation: nn.Tanh}, 5000}, // more than a wave
		{nn.Shape{Sparse: 1 << 18, Classes: 3, Activation: nn.Tanh}, 300},
		{nn.Shape{Dense: 20, Classes: 3, Activation: nn.Tanh}, 5000},
	} {
		s, rows := test.shape, test.rows
		j := newBenchJob(t, s, rows, rows, 1)
		noiseless(j)
		table, err := newTable(j.plan.Net, j.table)
		if err != nil {
			t.Fatal(err)
		}
		weights, params := j.plan.Net.NewWeights(true), make([]float32, j.plan.Net.Params())
		j.plan.Net.Init(params, normals(rng.TestKey(1).Source(rng.Initialisation).Stream(0, 0)))
		weights.Set(params)
		want, one := make([]float64, len(params)), make([]float32, len(params))
		batch := j.plan.Net.NewBatch(1)
		for row := range int32(rows) {
			clear(one)
			batch.Gradients(weights, table, []int32{row}).AddTo(one, 0, len(one))
			for i, v := range one {
				want[i] += float64(v) / float64(rows)
			}
		}
		var first []float32
		for _, workers := range []int{1, 2, 5} {
			layout := newLayout(j.plan, workers)
			if layout.Waves != (len(s.Hidden) > 0) {
				t.Fatalf("%v: waves is %v", s, layout.Waves)
			}
			e, err := newExactMeans(j.plan, rows, Run{Key: rng.TestKey(1), Workers: workers}, layout)
			if err != nil {
				t.Fatal(err)
			}
			batches := make([]*nn.Batch, layout.Groups)
			for i := range batches {
				batches[i] = j.plan.Net.NewBatch(layout.GroupRows)
			}
			for range 2 { // the second finds what the first leaves
				got := make([]float32, len(params))
				e.Step(got, func(group int, rows []int32) privacy.Gradients { return batches[group].Gradients(weights, table, rows) }, nil)
				for i, v := range got {
					if math.Abs(float64(v)-want[i]) > 1e-6 {
						t.Fatalf("%v, %d workers: coordinate %d of the mean is %v, want %v", s, workers, i, v, want[i])
					}
				}
				if first == nil {
					first = got
				}
				if !slices.Equal(got, first) {
					t.Errorf("%v: %d workers give another mean than 1", s, workers)
				}
			}
		}
	}
}

// TestNoiselessRunClaimsNothing holds both locks: a plan without privacy, and a fit that spent the records themselves.
func TestNoiselessRunClaimsNothing(t *testing.T) {
	o := testOptions()
	_, private, noised := fitted(t, o, rng.TestKey(1), 1)
	o.NoPrivacy = true
	_, open, exact := fitted(t, o, rng.TestKey(1), 1)
	for name, test := range map[string]struct {
		plan   *Plan
		fitted *Fitted
		want   bool
	}{
		"with noise":                      {private, noised, true},
		"without":                         {open, exact, false},
		"private plan, exact fit":         {private, exact, false},
		"plan without privacy, noisy fit": {open, noised, false},
	} {
		r, err := NewReport(test.plan, test.fitted, false, "test")
		if err != nil {
			t.Fatal(name, err)
		}
		if r.Private != test.want || (r.Epsilon != nil) != test.want || (r.Claim.EpsilonUpper != nil) != test.want || (r.Claim.AttackSuccess != nil) != test.want {
			t.Errorf("%s: the report says private %v, ε %v, claim %+v", name, r.Private, r.Epsilon, r.Claim)
		}
	}
	if open.Mechanism != nil || open.Privacy.NoiseMultiplier != 0 {
		t.Errorf("a plan without privacy has a mechanism, or noise multiplier %v", open.Privacy.NoiseMultiplier)
	}
	if exact.Spent != (accounting.NonPrivate{}) {
		t.Errorf("an exact fit spent %v", exact.Spent)
	}
}
