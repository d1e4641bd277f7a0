package train

import (
	"context"
	"slices"
	"testing"

	"dptrain/internal/data"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train/nn"
)

// auditPlan is a run of enough rows and parameters for a thousand canaries.
func auditPlan(t *testing.T, change func(*Options)) *Plan {
	t.Helper()
	schema, err := data.NewSchema(data.Spec{
		Label: data.Label{Name: "y", Classes: []string{"no", "yes"}},
		Features: []data.Feature{
			{Name: "x", Kind: data.Numeric, Min: pointer(-1.0), Max: pointer(1.0)},
			{Name: "w", Kind: data.Text, Buckets: 3000},
		},
		RowNorm: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Rows: 2000, Privacy: PrivacyOptions{Unit: UnitRow, NoiseMultiplier: pointer(1.0), Delta: 1e-5},
		Train: TrainOptions{Steps: pointer(1), SamplingProbability: pointer(1.0)}}
	change(&o)
	p, err := NewPlan(o, schema)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAuditComesNearTheClaim audits correct runs with 1,000 canaries. The seeds are stated; for fresh ones the chance of a
// bound at α = 10⁻⁶ above the claim is 10⁻⁶ each, and that of a bound at 95 % below the share wanted is 10⁻⁶ and, sampled, 10⁻².
func TestAuditComesNearTheClaim(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	for name, test := range map[string]struct {
		change func(*Options)
		share  float64 // of the claim
	}{
		"full batch":        {func(*Options) {}, 0.4},
		"many steps":        {func(o *Options) { o.Train.Steps, o.Privacy.NoiseMultiplier = pointer(25), pointer(5.0) }, 0.4},
		"sampled":           {func(o *Options) { o.Train.Steps, o.Train.SamplingProbability = pointer(1000), pointer(0.01) }, 0.2},
		"MLP":               {func(o *Options) { o.Model.Hidden = []int{4} }, 0.4},
		"another norm":      {func(o *Options) { o.Privacy.MaxGradNorm = 0.01 }, 0.4},
		"replace_one":       {func(o *Options) { o.Privacy.Adjacency, o.Privacy.NoiseMultiplier = "replace_one", pointer(2.0) }, 0.4},
		"add_or_remove_one": {func(o *Options) { o.Privacy.Adjacency, o.Rows, o.RowsAtMost = "add_or_remove_one", 0, 2000 }, 0.4},
	} {
		p := auditPlan(t, test.change)
		outcome, err := Audit(context.Background(), p, 1000, rng.TestKey(1).Source(rng.Coins).Stream(0, 0), Run{Key: rng.TestKey(2), Workers: 2})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		family, err := p.AuditFamily()
		if err != nil {
			t.Fatal(err)
		}
		shown, err := family.Independent(outcome.All, 0.05)
		if err != nil || shown < test.share*p.Claim.Upper {
			t.Errorf("%s: lower bound %v, %v, want at least %v of the claim %v", name, shown, err, test.share, p.Claim.Upper)
		}
		if sure, err := family.Independent(outcome.All, 1e-6); err != nil || sure > p.Claim.Upper {
			t.Errorf("%s: lower bound %v at 1e-6, %v, above the claim %v", name, sure, err, p.Claim.Upper)
		}
		if g := outcome.Surest; g.Made != 100 || g.Correct*1000 < outcome.All.Correct*100 {
			t.Errorf("%s: of the surest guesses %+v are correct, of all %+v", name, g, outcome.All)
		}
	}
}

func TestCanariesStandInEveryTensor(t *testing.T) {
	p := auditPlan(t, func(o *Options) { o.Model.Hidden = []int{4, 3} })
	for _, n := range []int{1, 10, 1000, p.MaxCanaries()} {
		c, err := newCanaries(p, n, rng.TestKey(1).Source(rng.Coins).Stream(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		coords, rows := slices.Clone(c.coord), 0
		slices.Sort(coords)
		if distinct := slices.Compact(coords); len(distinct) != n || distinct[n-1] >= p.Net.Params() {
			t.Errorf("%d canaries have %d coordinates", n, len(distinct))
		}
		for _, j := range c.at {
			if j >= 0 {
				rows++
			}
		}
		if rows != n {
			t.Errorf("%d canaries have %d rows", n, rows)
		}
		for i, b := range p.Net.Tensors() {
			if n >= 10 && !slices.ContainsFunc(c.coord, func(j int) bool { return j >= b.From && j < b.To }) {
				t.Errorf("no canary of %d is in tensor %d, %+v", n, i, b)
			}
		}
	}
	if _, err := newCanaries(p, p.MaxCanaries()+1, nil); err == nil {
		t.Error("more canaries than rows or parameters are planted")
	}
}

// TestBlocksCoverTheParameters, each once.
func TestBlocksCoverTheParameters(t *testing.T) {
	for _, s := range []nn.Shape{
		{Dense: 3, Classes: 2, Activation: nn.Tanh},
		{Dense: 3, Sparse: 5, Hidden: []int{4}, Classes: 3, Activation: nn.Tanh},
	} {
		net, err := nn.New(s)
		if err != nil {
			t.Fatal(err)
		}
		next := 0
		for _, b := range net.Tensors() {
			if b.From != next || b.To <= b.From {
				t.Errorf("block %+v, want one from %d on", b, next)
			}
			next = b.To
		}
		if next != net.Params() {
			t.Errorf("blocks end at %d of %d parameters", next, net.Params())
		}
	}
}
