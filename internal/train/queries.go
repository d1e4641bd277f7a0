package train

import (
	"fmt"
	"math"

	"dptrain/internal/data"
	"dptrain/internal/privacy"
	"dptrain/internal/privacy/accounting"
)

// The names of the queries.
const (
	queryMoments   = "moments"         // of the standardized features
	queryHistogram = "label_histogram" // for class weights
)

// usualShare is the share of μ² that a query takes where the config states none: it leaves the steps all but 1.5 % of
// what μ they would have.
const usualShare = 0.03

// decideQueries fixes what is asked before the first step, and the class weights that are declared.
//
// With μ* the Gaussian privacy parameter that has the target ε at δ, a query of share s is the Gaussian mechanism of
// μ² = s·μ*², that is σ = 1/√(s·μ*²); at q = 1 the squares add up, and the steps get what is left. In any case the noise of the
// steps is calibrated on the list of all events, so the shares decide how the budget is spent, never how much of it.
func (p *Plan) decideQueries(o Options) error {
	if err := p.decideClassWeights(o.Train); err != nil {
		return err
	}
	spec := p.Schema.Spec()
	standardized := len(spec.Standardized())
	queries := []struct {
		query PlanQuery
		asked bool
		share *float64
		key   string // of its section
		needs string
	}{
		{PlanQuery{Name: queryMoments, Length: p.momentsLength(standardized)}, standardized > 0, o.Privacy.StandardizeShare, "privacy.standardize", "a feature with standardize: dp"},
		{PlanQuery{Name: queryHistogram, Length: len(spec.Label.Classes)}, o.Train.EvenClasses, o.Privacy.HistogramShare, "privacy.class_weights", "train.class_weights: dp"},
	}
	total := 0.0
	for _, q := range queries {
		if q.share != nil {
			q.query.Share = *q.share
		} else {
			q.query.Share = usualShare
		}
		switch {
		case q.share != nil && !q.asked:
			return &data.SpecError{Key: q.key, Msg: "belongs to a query that is not asked", Suggestion: "it needs " + q.needs}
		case !q.asked:
			continue
		case !(q.query.Share > 0 && q.query.Share <= 0.5):
			return &data.SpecError{Key: q.key + ".share", Msg: fmt.Sprintf("is %v, want a number in (0, 0.5]", q.query.Share)}
		}
		p.Privacy.Queries = append(p.Privacy.Queries, q.query)
		if total += q.query.Share; total >= 1 {
			return &data.SpecError{Key: q.key + ".share", Msg: "leaves nothing to the steps", Suggestion: "shares of all queries add up to less than 1"}
		}
	}
	if o.NoPrivacy || len(p.Privacy.Queries) == 0 {
		return nil
	}
	mu, err := p.budgetMu(o, total)
	if err != nil {
		return p.unsupported(err)
	}
	for i := range p.Privacy.Queries {
		q := &p.Privacy.Queries[i]
		q.NoiseMultiplier = accounting.RoundUp(1/(mu*math.Sqrt(q.Share)), 6)
	}
	return nil
}

// budgetMu is μ*: of the target or, where the noise of the steps is stated, such that they are left with what they cost
// when queries take a share of it.
func (p *Plan) budgetMu(o Options, share float64) (float64, error) {
	if o.Privacy.NoiseMultiplier == nil {
		return p.targetMu(o)
	}
	sampler, err := privacy.NewSampler(p.Train.SamplingProbability)
	if err != nil {
		return 0, err
	}
	delta := privacy.AccountedDelta(p.Privacy.Delta)
	step := sampler.Event(accounting.Gaussian{NoiseMultiplier: *o.Privacy.NoiseMultiplier})
	steps, err := p.Accountant.Epsilon(privacy.EventOf(nil, step, p.Train.Steps), delta)
	if err != nil {
		return 0, err
	}
	if !(steps.Upper > 0 && steps.Upper <= privacy.MaxEpsilon) {
		return 1, nil // nothing would be promised, and decideNoise says so
	}
	sigma, err := accounting.NoiseMultiplier(p.Accountant, steps.Upper, delta, func(noiseMultiplier float64) accounting.Event {
		return accounting.Gaussian{NoiseMultiplier: noiseMultiplier}
	})
	return 1 / (sigma * math.Sqrt(1-share)), err
}

// queries are the plan's queries, as the mechanism takes them.
func (p *Plan) queries() []privacy.Query {
	var list []privacy.Query
	for _, q := range p.Privacy.Queries {
		list = append(list, privacy.Query{Name: q.Name, Length: q.Length, NoiseMultiplier: q.NoiseMultiplier})
	}
	return list
}

// momentsLength is the number of sums that the moments of some features need: z and z² of each, and the number of rows
// where that is private.
func (p *Plan) momentsLength(features int) int {
	if p.countsRows() {
		return 2*features + 1
	}
	return 2 * features
}

// countsRows reports whether the number of rows that take part is private, so that the query for moments asks it too.
func (p *Plan) countsRows() bool {
	spec := p.Schema.Spec()
	return p.Privacy.Adjacency == accounting.AddOrRemoveOne || spec.OnBadRow == data.NullRow || spec.Split != nil
}

// decideClassWeights takes the declared class weights.
func (p *Plan) decideClassWeights(t TrainOptions) error {
	if t.ClassWeights == nil {
		return nil
	}
	if classes := len(p.Schema.Classes()); len(t.ClassWeights) != classes {
		return &data.SpecError{Key: "train.class_weights", Msg: fmt.Sprintf("has %d weights for %d classes", len(t.ClassWeights), classes),
			Suggestion: "one for each of data.label.classes, in their order"}
	}
	for i, w := range t.ClassWeights {
		if !(w > 0 && w <= math.MaxFloat32) {
			return &data.SpecError{Key: fmt.Sprintf("train.class_weights[%d]", i), Msg: fmt.Sprintf("is %v, want a number above 0", w)}
		}
	}
	p.Train.ClassWeights = t.ClassWeights
	return nil
}
