package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/audit"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train"
	"dptrain/internal/train/sheet"
)

// auditOptions are the flags of audit.
type auditOptions struct {
	config     configFlags
	canaries   int
	given      bool // --canaries
	workers    workers
	noProgress bool
	quiet      bool
	json       bool
}

func (o *auditOptions) addFlags(f *pflag.FlagSet) {
	o.config.addFlags(f)
	f.IntVar(&o.canaries, "canaries", 1000, "plant `N` rows, each with a slot and a parameter of its own; fewer where there is no room")
	o.workers.addFlag(f, "train with `N` goroutines; changes no result")
	f.BoolVar(&o.noProgress, "no-progress", false, "show no progress bar")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print neither progress nor warnings")
	f.BoolVar(&o.json, "json", false, "print the result as one JSON object")
}

// The levels at which an audit speaks: it shows the bound that papers show, and raises an alarm only where chance is no
// explanation.
const (
	auditAlpha      = 0.05
	auditFalseAlarm = 1e-6
)

func newAuditCommand(s *streams) *cobra.Command {
	var o auditOptions
	c := &cobra.Command{
		Use:   "audit -c CONFIG",
		Short: "Attack one run of a config: a lower bound on ε beside the claim",
		Long: `audit runs the real fit once, on an invented table with planted rows (canaries),
and attacks it. Each planted row has a place in the table, a direction and a
fair coin of its own; the coin decides whether the row is there. The attacker
knows all other rows, sees the noisy mean of every step, and guesses the coins.
How often it is right bounds ε from below, whatever the program claims. No table
is read: an audit costs no privacy.

The lower bound is at 95 % confidence: of runs that keep their promise exactly,
one in twenty shows a bound above the claim. The alarm, exit status 8, needs a
bound above the claim at a false-alarm rate of 1e-6. More canaries and less
noise make an audit sharper; at large σ no attack tells much.

Exit status is 0 when the audit does not contradict the claim, 2 for a wrong
flag, 3 for an invalid config, 8 when it does, and 130 when interrupted.`,
		Example: `  dptrain audit -c configs/quickstart.yaml
  dptrain audit -c configs/quickstart.yaml --set privacy.noise_multiplier=1 --set train.steps=1 --json
  dptrain audit -c configs/adult.yaml --canaries 100`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			o.given = c.Flags().Changed("canaries")
			if err := o.workers.check(); err != nil {
				return err
			}
			return runAudit(c.Context(), s, &o)
		},
	}
	o.addFlags(c.Flags())
	return c
}

// auditResult is what audit prints with --json.
type auditResult struct {
	LowerBound float64      `json:"lower_bound"` // on ε, at the confidence
	Claim      float64      `json:"claim"`
	Delta      float64      `json:"delta"`
	Canaries   int          `json:"canaries"`
	Correct    int          `json:"correct"` // guesses; every canary is guessed at
	Confidence float64      `json:"confidence"`
	Method     string       `json:"method"`
	Alarm      auditAlarm   `json:"alarm"`
	Others     []auditBound `json:"other_bounds"` // at the confidence, from the same attack

	NoiseMultiplier     float64              `json:"noise_multiplier"`
	SamplingProbability float64              `json:"sampling_probability"`
	Steps               int                  `json:"steps"`
	Adjacency           accounting.Adjacency `json:"adjacency"`
}

// auditAlarm says whether the claim is refuted beyond chance.
type auditAlarm struct {
	Raised         bool    `json:"raised"`
	LowerBound     float64 `json:"lower_bound"`
	FalseAlarmRate float64 `json:"false_alarm_rate"`
}

// auditBound is a lower bound by another method.
type auditBound struct {
	Method     string  `json:"method"`
	LowerBound float64 `json:"lower_bound"`
}

// The methods, with their sources.
const (
	methodIndependent = "independent canaries"
	methodFDP         = "f-DP in one run (arXiv:2410.22235)"
	methodOneRun      = "(epsilon, delta) in one run (arXiv:2305.08846)"
)

func runAudit(ctx context.Context, s *streams, o *auditOptions) error {
	cfg, err := loadConfig(o.config, os.Getenv)
	if err != nil {
		return err
	}
	plan, err := makePlan(cfg)
	if err != nil {
		return err
	}
	most := plan.MaxCanaries()
	switch {
	case o.canaries < 1, o.given && o.canaries > most:
		return usage("each canary takes a row and a parameter of its own", "--canaries is %d, want 1 to %d", o.canaries, most)
	case !o.given:
		o.canaries = min(o.canaries, most)
	}
	outcome, err := o.attack(ctx, s, plan)
	if err != nil {
		return interrupted(ctx, err)
	}
	result, err := newAuditResult(plan, outcome)
	if err != nil {
		return err
	}
	if o.json {
		err = json.NewEncoder(s.out).Encode(result)
	} else {
		err = printAudit(s, result)
	}
	if err == nil && result.Alarm.Raised {
		err = &failure{statusAudit, fmt.Errorf("epsilon is at least %v, above the claim %v: by chance once in a million audits", result.Alarm.LowerBound, result.Claim),
			"do not trust this build with records; dptrain selftest may say what is wrong"}
	}
	return err
}

// attack runs fit once, with two keys of the operating system: one for the run, which is any run's, and one for the coins.
func (o *auditOptions) attack(ctx context.Context, s *streams, p *train.Plan) (train.AuditOutcome, error) {
	key, err := rng.NewKey(rand.Reader)
	if err != nil {
		return train.AuditOutcome{}, err
	}
	coins, err := rng.NewKey(rand.Reader)
	if err != nil {
		return train.AuditOutcome{}, err
	}
	bar := newProgress(s.err, p.Train.Steps, progressOptions{off: o.noProgress || o.quiet,
		price: func(int) (float64, bool) { return 0, false }})
	defer bar.clear()
	return train.Audit(ctx, p, o.canaries, coins.Source(rng.Coins).Stream(0, 0), train.Run{Key: key, Workers: o.workers.of(p), Progress: bar.step})
}

// newAuditResult holds the guesses against the claim. What looks at ε and δ alone does best with the surest of them.
func newAuditResult(p *train.Plan, outcome train.AuditOutcome) (*auditResult, error) {
	g := outcome.All
	r := &auditResult{
		Claim: accounting.RoundUp(p.Claim.Upper, 6), Delta: p.Privacy.Delta, Canaries: g.Canaries, Correct: g.Correct,
		Confidence: 1 - auditAlpha, Method: methodIndependent, Alarm: auditAlarm{FalseAlarmRate: auditFalseAlarm},
		NoiseMultiplier: p.Privacy.NoiseMultiplier, SamplingProbability: p.Train.SamplingProbability,
		Steps: p.Train.Steps, Adjacency: p.Privacy.Adjacency,
	}
	family, err := p.AuditFamily()
	if err != nil {
		return nil, err
	}
	shown, err := family.Independent(g, auditAlpha)
	if err != nil {
		return nil, err
	}
	sure, err := family.Independent(g, auditFalseAlarm)
	if err != nil {
		return nil, err
	}
	fdp, err := family.FDP(g, auditAlpha)
	if err != nil {
		return nil, err
	}
	down := func(x float64) float64 { return accounting.RoundDown(x, 6) }
	r.LowerBound, r.Alarm.LowerBound = down(shown), down(sure)
	r.Alarm.Raised = r.Alarm.LowerBound > r.Claim
	r.Others = []auditBound{{methodFDP, down(fdp)}, {methodOneRun, down(audit.OneRun(outcome.Surest, p.Privacy.Delta, auditAlpha))}}
	return r, nil
}

// printAudit prints the result for people.
func printAudit(s *streams, r *auditResult) error {
	w := newPage(s.out)
	fmt.Fprintf(w, "claim\tε = %s at δ = %g for one row (%s)\n", accounting.FormatUp(r.Claim, 4), r.Delta, r.Adjacency)
	fmt.Fprintf(w, "attack\t%d of %d coins guessed (%.1f %%), σ = %g, %s at q = %.4g\n", r.Correct, r.Canaries,
		100*float64(r.Correct)/float64(r.Canaries), r.NoiseMultiplier, sheet.Count(r.Steps, "step"), r.SamplingProbability)
	fmt.Fprintf(w, "lower bound\tε ≥ %s at %g %% confidence (%s)\n", accounting.FormatDown(r.LowerBound, 4), 100*r.Confidence, r.Method)
	for _, b := range r.Others {
		fmt.Fprintf(w, "\tε ≥ %s (%s)\n", accounting.FormatDown(b.LowerBound, 4), b.Method)
	}
	verdict := "does not contradict the claim"
	if r.Alarm.Raised {
		verdict = "CONTRADICTS THE CLAIM"
	}
	fmt.Fprintf(w, "alarm\tε ≥ %s at a false-alarm rate of %g: %s\n", accounting.FormatDown(r.Alarm.LowerBound, 4), r.Alarm.FalseAlarmRate, verdict)
	return w.Flush()
}
