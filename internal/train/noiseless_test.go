package train

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
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
