package main

import (
	"context"

	"dptrain/internal/train"
)

// A trial is the evaluation that fit ends with.
type trial struct {
	gates      []gate
	evaluation evaluation
}

// newTrial checks the gates and reads the table of --eval, before anything is trained; nil without --eval, and in a dry run.
func (o *fitOptions) newTrial(ctx context.Context, s *streams, p *train.Plan) (*trial, error) {
	gates, err := parseGates(o.failUnder)
	if err != nil {
		return nil, err
	}
	if err := refuseHopeless(gates, p.Schema.Classes(), false, false); err != nil || o.eval == "" || o.dryRun {
		return nil, err
	}
	schema, err := withFormat(p.Schema, "")
	if err != nil {
		return nil, err
	}
	t := &trial{gates: gates, evaluation: evaluation{path: o.eval}}
	return t, t.evaluation.load(ctx, s, schema)
}

// run evaluates the model that was written: what is measured is what is shipped.
func (t *trial) run(ctx context.Context, path string) (_ *evalResult, err error) {
	if t.evaluation.model, err = train.ReadModel(path); err != nil {
		return nil, err
	}
	return t.evaluation.run(ctx)
}
