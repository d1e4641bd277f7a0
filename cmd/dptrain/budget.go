package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
	"dptrain/internal/train/ledger"
)

// fitLedger is what a ledger says of a run.
type fitLedger struct {
	File            string  `json:"file"`
	Dataset         string  `json:"dataset"`
	TotalEpsilon    float64 `json:"total_epsilon"` // of all runs up to this one
	MaxTotalEpsilon float64 `json:"max_total_epsilon"`
}

// terms are those that a ledger of the config has.
func (c *config) terms(p *train.Plan) ledger.Terms {
	return ledger.Terms{Dataset: c.Ledger.Dataset, Unit: p.Privacy.Unit, Adjacency: p.Privacy.Adjacency,
		Delta: p.Privacy.Delta, MaxTotalEpsilon: c.Ledger.MaxTotalEpsilon}
}

// spendOf is what a run by the plan spends, whole.
func spendOf(p *train.Plan, run string) (s ledger.Spend, err error) {
	steps := p.Train.Steps
	s = ledger.Spend{Run: run, Time: time.Now().UTC().Format(time.RFC3339),
		ExtraEpsilon: p.Mechanism.ExtraEpsilon(steps), ArithmeticDelta: p.Mechanism.ArithmeticDelta(steps)}
	if s.Config, err = p.ConfigHash(); err != nil {
		return s, err
	}
	s.Events, err = accounting.MarshalEvent(p.Mechanism.Event(steps))
	return s, err
}

// preview holds the run against the config's ledger, if it names one, before a record is read. attempt is nil where none
// was made.
func (o *fitOptions) preview(s *streams, cfg *config, p *train.Plan, attempt *train.Attempt) (*fitLedger, error) {
	if cfg.Ledger == nil {
		return nil, nil
	}
	if void := o.void(); void != "" {
		return nil, refuse(fmt.Sprintf("leave %s out, or privacy.ledger", void), "a run with %s has no epsilon for a ledger to count", void)
	}
	run := ""
	if attempt != nil {
		run = attempt.Run()
	}
	spend, err := spendOf(p, run)
	if err != nil {
		return nil, err
	}
	_, line, err := ledger.Preview(s.fsys, cfg.Ledger.Path, cfg.terms(p), spend)
	if err != nil {
		return nil, s.refused(cfg, p, err)
	}
	return cfg.ledgerResult(line), nil
}

// enter puts the run into the config's ledger, if it names one.
func (o *fitOptions) enter(ctx context.Context, s *streams, cfg *config, p *train.Plan, attempt *train.Attempt, result *fitResult) (*train.ReportLedger, error) {
	if cfg.Ledger == nil {
		return nil, nil
	}
	spend, err := spendOf(p, attempt.Run())
	if err != nil {
		return nil, err
	}
	line, err := ledger.Enter(ctx, s.fsys, cfg.Ledger.Path, cfg.terms(p), spend)
	if err != nil {
		return nil, s.refused(cfg, p, err)
	}
	result.Ledger = cfg.ledgerResult(line)
	return &train.ReportLedger{Dataset: cfg.Ledger.Dataset, MaxTotalEpsilon: cfg.Ledger.MaxTotalEpsilon, Entry: line.Hash}, nil
}

func (c *config) ledgerResult(line ledger.Line) *fitLedger {
	return &fitLedger{File: c.Ledger.Path, Dataset: c.Ledger.Dataset, TotalEpsilon: accounting.RoundUp(line.Total.Epsilon, 6),
		MaxTotalEpsilon: c.Ledger.MaxTotalEpsilon}
}

// refused puts a ledger's refusal into the words of the config; where the budget does not hold the run, its hint says what
// it would hold.
func (s *streams) refused(cfg *config, p *train.Plan, err error) error {
	var unsupported *accounting.UnsupportedError
	if errors.As(err, &unsupported) {
		return &failure{statusPrivacy, fmt.Errorf("%s: this ledger cannot count the run: %w", cfg.Ledger.Path, err),
			"a ledger counts full-batch fits of every adjacency, and sampled ones of all but replace_one: set train.sampling_probability=1"}
	}
	var overspent *ledger.OverspentError
	if !errors.As(err, &overspent) || overspent.Arithmetic {
		return err
	}
	target, found := s.whatFits(cfg, p)
	if !found {
		return &failure{statusPrivacy, err, fmt.Sprintf("not even a hundredth of max_total_epsilon is left: nothing more can be learned from %s", cfg.Ledger.Dataset)}
	}
	hint := fmt.Sprintf("--set privacy.target_epsilon=%g would fit", target)
	if p.Train.SamplingProbability < 1 {
		hint += "; --set train.sampling_probability=1 may fit more"
	}
	return &failure{statusPrivacy, err, hint}
}

// whatFits finds the largest target ε, to three digits, of a run like the plan's that the ledger would take now; false where it is below a
// hundredth of the budget. What it returns was held against the ledger.
func (s *streams) whatFits(cfg *config, p *train.Plan) (target float64, found bool) {
	fits := func(target float64) bool {
		options := cfg.Options
		options.Privacy.TargetEpsilon, options.Privacy.NoiseMultiplier = &target, nil
		smaller, err := train.NewPlan(options, p.Schema)
		if err != nil {
			return false
		}
		spend, err := spendOf(smaller, "")
		if err != nil {
			return false
		}
		_, _, err = ledger.Preview(s.fsys, cfg.Ledger.Path, cfg.terms(smaller), spend)
		return err == nil
	}
	good, bad := accounting.RoundUp(cfg.Ledger.MaxTotalEpsilon/100, 3), accounting.RoundUp(cfg.Ledger.MaxTotalEpsilon, 3)
	if !fits(good) {
		return 0, false
	}
	for range 12 {
		middle := accounting.RoundDown((good+bad)/2, 3)
		if middle <= good {
			break
		}
		if fits(middle) {
			good = middle
		} else {
			bad = middle
		}
	}
	return good, true
}
