package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"

	"dptrain/internal/data"
	"dptrain/internal/privacy"
	"dptrain/internal/privacy/accounting"

	"github.com/go-json-experiment/json/jsontext"
)

// ReportSchema names the layout of a report.
const ReportSchema = "dptrain.report/1"

// A Report states exactly what was promised to the people in the table, in enough detail to recompute it. Nothing in
// it is computed from records: each field is of the config, derived from the config, or a constant.
type Report struct {
	Private bool `json:"private"` // first, so that nobody reads on under a wrong impression

	Schema   string `json:"schema"`
	ReportID string `json:"report_id"` // SHA-256 of the canonical report with this and hashes.model empty
	Version  string `json:"dptrain_version"`

	Epsilon         *float64 `json:"epsilon"` // null where nothing is promised
	Delta           float64  `json:"delta"`
	NoiseMultiplier float64  `json:"noise_multiplier"`
	MaxGradNorm     float64  `json:"max_grad_norm"`
	Steps           int      `json:"steps"` // charged

	Claim      ReportClaim          `json:"claim"`
	Setting    ReportSetting        `json:"setting"`
	Unit       string               `json:"unit"`
	Adjacency  accounting.Adjacency `json:"adjacency"`
	Mechanism  ReportMechanism      `json:"mechanism"`
	Accounting ReportAccounting     `json:"accounting"`
	Learned    *Learned             `json:"learned"` // by queries, before the first step; null where nothing was asked
	Training   ReportTraining       `json:"training"`
	Declared   ReportDeclared       `json:"declared_public"`
	Hashes     ReportHashes         `json:"hashes"`
	Warnings   []string             `json:"warnings"`
}

// ReportClaim is the guarantee, in symbols and in words.
type ReportClaim struct {
	Definition string `json:"definition"`
	// EpsilonLower and EpsilonUpper bracket the ε of the mechanism as accounted; the upper end is claimed.
	EpsilonLower *float64 `json:"epsilon_lower"`
	EpsilonUpper *float64 `json:"epsilon_upper"`
	// MuGDP is the μ of Gaussian differential privacy of the mechanism as accounted, for rates from 1e-6.
	MuGDP *float64 `json:"mu_gdp"`
	// Deltas are further points of the guarantee: each pair holds.
	Deltas []ReportPoint `json:"delta_at_epsilon"`
	// AttackSuccess bounds how often a membership attack with 1 % false alarms is right about a member.
	AttackSuccess *float64 `json:"tpr_at_1pct_fpr"`
	// Person is the claim for a person with several rows; null where the config does not say how many.
	Person    *ReportPerson `json:"person"`
	Statement string        `json:"statement"`
}

// ReportPerson is what is promised to a person with up to MaxRows rows, at the δ of the claim.
type ReportPerson struct {
	MaxRows int      `json:"max_rows_per_person"`
	Epsilon *float64 `json:"epsilon"` // null where nothing is promised
}

// ReportPoint is one pair of the guarantee.
type ReportPoint struct {
	Epsilon float64 `json:"epsilon"`
	Delta   float64 `json:"delta"`
}

// ReportSetting says who is trusted and what is protected.
type ReportSetting struct {
	Model      string   `json:"model"`
	Covered    []string `json:"covered"`
	NotCovered []string `json:"not_covered"`
}

// ReportMechanism says what was run.
type ReportMechanism struct {
	Sampler             string  `json:"sampler"`
	SamplingProbability float64 `json:"sampling_probability"`
	Slots               int     `json:"slots"`
	Divisor             float64 `json:"divisor"`
	DivisorConvention   string  `json:"divisor_convention"`
	StepsPlanned        int     `json:"steps_planned"`
	StepsApplied        int     `json:"steps_applied"`
	StepsCharged        int     `json:"steps_charged"`
	Clipping            string  `json:"clipping"`
	NoiseDistribution   string  `json:"noise_distribution"`
	NoiseParameter      int64   `json:"noise_parameter"` // of the discrete Gaussian, in lattice steps
	LatticeStep         float64 `json:"lattice_step"`
	TotalVariation      float64 `json:"noise_total_variation"` // all the run's noise, from a continuous Gaussian rounded to the lattice
	Eta                 float64 `json:"eta"`                   // what rounding can add to the sensitivity, relative to C
	RangeSlots          int     `json:"range_slots"`
	RangeMaxDrawn       int     `json:"range_max_drawn"`
	Randomness          string  `json:"randomness"`
	// Queries are what was asked before the first step.
	Queries []ReportQuery `json:"queries"`
}

// ReportQuery is a query over all slots, of clipping norm 1, at q = 1.
type ReportQuery struct {
	PlanQuery
	NoiseParameter int64   `json:"noise_parameter"`
	LatticeStep    float64 `json:"lattice_step"`
	Eta            float64 `json:"eta"`
}

// ReportAccounting says how ε was computed.
type ReportAccounting struct {
	Accountant     string          `json:"accountant"`
	Version        string          `json:"version"`
	Events         json.RawMessage `json:"events"`
	AccountedDelta float64         `json:"accounted_delta"` // δ without the share set aside for arithmetic
	ExtraEpsilon   float64         `json:"extra_epsilon"`   // added for what the lattice's noise differs from a Gaussian
	EpsilonRDP     *float64        `json:"epsilon_rdp"`     // second opinion
	Ledger         *ReportLedger   `json:"ledger"`          // where the run is entered; null: nowhere
	Assumptions    []string        `json:"assumptions"`
}

// ReportLedger names the line by which a run is entered in a ledger.
type ReportLedger struct {
	Dataset         string  `json:"dataset"`
	MaxTotalEpsilon float64 `json:"max_total_epsilon"` // of all runs of the ledger together, at the claim's δ
	Entry           string  `json:"entry"`             // hash of the line
}

// ReportTraining is what else the model depends on: post-processing of noisy means.
type ReportTraining struct {
	Model      PlanModel `json:"model"`
	Train      PlanTrain `json:"train"`
	Parameters int       `json:"parameters"`
}

// ReportDeclared is what the config declares to be public.
type ReportDeclared struct {
	Rows       int       `json:"rows,omitempty"`
	RowsAtMost int       `json:"rows_at_most,omitempty"`
	Data       data.Spec `json:"data"`
}

// ReportHashes are SHA-256 in hexadecimal. There is none of the table: it would confirm a guessed row.
type ReportHashes struct {
	Config string `json:"config"` // of the canonical resolved config
	Schema string `json:"schema"` // of the canonical data section
	Model  string `json:"model"`  // of the model file
}

// A void says why a run promises nothing; it is empty where the run promises something.
type void string

const (
	seededRun    void = "the randomness came from a stated seed. This model is for tests"
	noiselessRun void = "nothing was clipped and no noise was added. The model may reveal whole records"
)

// seededRandomness is where the randomness of a run with a stated seed came from, as its report says.
const seededRandomness = "AES-256-CTR streams, keyed from a stated seed"

// voidOf looks at the plan and at what the run says it spent: either alone is enough for a report to claim nothing.
func voidOf(p *Plan, fitted *Fitted, seeded bool) void {
	_, exact := fitted.Spent.(accounting.NonPrivate)
	switch {
	case exact || p.Noiseless():
		return noiselessRun
	case seeded:
		return seededRun
	}
	return ""
}

// NewReport states what a fit by plan promised. seeded says that the randomness came from a stated seed: then, and
// without noise, nothing is promised.
func NewReport(p *Plan, fitted *Fitted, seeded bool, version string) (*Report, error) {
	charged := max(p.Train.Steps, fitted.Steps)
	void := voidOf(p, fitted, seeded)
	r := &Report{
		Schema: ReportSchema, Version: version,
		Private: void == "", Delta: p.Privacy.Delta,
		NoiseMultiplier: p.Privacy.NoiseMultiplier, MaxGradNorm: p.Privacy.MaxGradNorm, Steps: charged,
		Setting: reportSetting(p, fitted.Ledger), Unit: p.Privacy.Unit, Adjacency: p.Privacy.Adjacency,
		Mechanism: reportMechanism(p, fitted, seeded),
		Learned:   fitted.Learned,
		Training:  ReportTraining{Model: p.Model, Train: p.Train, Parameters: p.Net.Params()},
		Declared:  p.declared(),
		Warnings:  []string{},
	}
	r.Mechanism.StepsCharged = charged
	for _, w := range p.Warnings {
		r.Warnings = append(r.Warnings, w.String())
	}
	if seeded {
		r.Warnings = append(r.Warnings, SeededRun().String())
	}
	var err error
	if r.Accounting, err = reportAccounting(p, charged, void); err != nil {
		return nil, err
	}
	r.Accounting.Ledger = fitted.Ledger
	if r.Claim, err = reportClaim(p, charged, void); err != nil {
		return nil, err
	}
	r.Epsilon = r.Claim.EpsilonUpper
	if r.Hashes.Schema, err = hashJSON(r.Declared.Data); err != nil {
		return nil, err
	}
	if r.Hashes.Config, err = p.ConfigHash(); err != nil {
		return nil, err
	}
	r.ReportID, err = r.Identity()
	return r, err
}

// declared is what the plan's config declares to be public.
func (p *Plan) declared() ReportDeclared {
	return ReportDeclared{Rows: p.Rows, RowsAtMost: p.RowsAtMost, Data: p.Schema.Spec()}
}

// ConfigHash is the SHA-256 of the canonical resolved config: of all that a run depends on, but for its table.
func (p *Plan) ConfigHash() (string, error) {
	return hashJSON(map[string]any{"data": p.declared(), "model": p.Model, "privacy": p.Privacy, "train": p.Train})
}

// claimDigits is how many significant digits of ε are claimed, the last rounded up.
const claimDigits = 6

func reportClaim(p *Plan, steps int, void void) (ReportClaim, error) {
	c := ReportClaim{
		Definition: fmt.Sprintf("(ε, δ)-differential privacy; neighbouring tables: %s", neighbours(p.Privacy.Adjacency)),
		Deltas:     []ReportPoint{},
	}
	if void != "" {
		c.Statement = fmt.Sprintf("No guarantee: %s.", void)
		return c, nil
	}
	bracket, err := p.Mechanism.Bracket(p.Accountant, steps)
	if err != nil {
		return c, err
	}
	lower := accounting.RoundDown(bracket.Lower, claimDigits)
	upper := accounting.RoundUp(bracket.Upper, claimDigits)
	c.EpsilonLower, c.EpsilonUpper = &lower, &upper
	event := p.Mechanism.Event(steps)
	curve, err := p.Accountant.Curve(event)
	if err != nil {
		return c, err
	}
	mu, err := curve.MuGDP(1e-6)
	if err != nil {
		return c, err
	}
	rate, err := curve.TruePositiveRate(0.01)
	if err != nil {
		return c, err
	}
	rate = rate*math.Exp(p.Mechanism.ExtraEpsilon(steps)) + p.Privacy.Delta - p.Mechanism.AccountedDelta()
	mu, rate = accounting.RoundUp(mu, claimDigits), math.Min(1, accounting.RoundUp(rate, claimDigits))
	c.MuGDP, c.AttackSuccess = &mu, &rate
	for _, factor := range []float64{0.25, 0.5, 0.75, 1.5, 2} {
		epsilon := min(privacy.MaxEpsilon, accounting.RoundUp(factor*upper, claimDigits))
		delta, err := p.Mechanism.DeltaAt(p.Accountant, steps, epsilon)
		if err != nil {
			return c, err
		}
		c.Deltas = append(c.Deltas, ReportPoint{Epsilon: epsilon, Delta: math.Min(1, accounting.RoundUp(delta, claimDigits))})
	}
	c.Statement = Statement(upper, p.Privacy.Delta, rate, 1)
	if p.Privacy.MaxRowsPerPerson > 0 {
		c.Person = &ReportPerson{MaxRows: p.Privacy.MaxRowsPerPerson}
		if !math.IsInf(p.Person, 1) {
			epsilon := accounting.RoundUp(p.Person, claimDigits)
			c.Person.Epsilon = &epsilon
		}
	}
	return c, nil
}

// Statement says in plain words what ε, δ and the bound on attacks with 1 % false alarms mean for one row, or for a
// person with up to rows of them.
func Statement(epsilon, delta, rate float64, rows int) string {
	who, whom := "one row was", "a member"
	if rows > 1 {
		who, whom = fmt.Sprintf("the up to %d rows of one person were", rows), "such a person"
	}
	factor := "e^" + accounting.FormatUp(epsilon, 4)
	if epsilon < 30 { // beyond, the number says less than its exponent
		factor += " = " + accounting.FormatUp(math.Exp(epsilon), 3)
	}
	return fmt.Sprintf("Whatever is released, any conclusion drawn from it is at most %s times as likely whether or "+
		"not %s in the table, but for a chance of %.3g. An attacker who knows every other row and accepts 1 %% false alarms "+
		"recognises %s at most %.3g %% of the time; guessing gives 1 %%.",
		factor, who, delta, whom, 100*rate)
}

// neighbours says in words which tables are neighbours.
func neighbours(a accounting.Adjacency) string {
	switch a {
	case accounting.AddOrRemoveOne:
		return "one has one row more (add or remove one); the number of rows is private, its cap public"
	case accounting.ReplaceOne:
		return "one row is replaced by any other (replace one); the number of rows is public"
	default:
		return "one row is replaced by a null row, which contributes nothing (zero out); the number of rows is public"
	}
}

func reportSetting(p *Plan, ledger *ReportLedger) ReportSetting {
	further := "further runs on the same table: their losses add up"
	if ledger != nil {
		further = "further runs on the same table that are not in its ledger: their losses add up"
	}
	s := ReportSetting{
		Model: "central: whoever runs dptrain holds the table and is trusted with it",
		Covered: []string{
			"the parameters in the model file, and all that is computed from them",
			"this report, and all that fit prints",
		},
		NotCovered: []string{
			"what the config declares: schema, bounds, categories, class names and hyperparameters",
			"several rows of one person: ε holds for each row; claim.person says what holds for the person, if the config states how many rows one has",
			"metrics that eval computes on private rows, and predictions made for them",
			"errors about a table that is not as the config declares: status, line and column",
			further,
			"the running time and memory of the program, printed times included",
		},
	}
	if len(p.Privacy.Queries) > 0 {
		s.Covered = append(s.Covered, "what was learned by queries before the first step, and all that is computed from it")
	}
	if p.Privacy.Adjacency != accounting.AddOrRemoveOne {
		s.NotCovered = append(s.NotCovered, "the number of rows")
	}
	return s
}

func reportMechanism(p *Plan, fitted *Fitted, seeded bool) ReportMechanism {
	r := ReportMechanism{
		Sampler:             "poisson: each slot joins each step independently",
		SamplingProbability: p.Train.SamplingProbability,
		Slots:               p.Slots(),
		Divisor:             p.Divisor(),
		DivisorConvention:   "sampling probability × slots, public; never the drawn number",
		StepsPlanned:        p.Train.Steps, StepsApplied: fitted.Steps,
		Clipping:          "flat: a row's whole gradient is scaled to L2 norm C at most; a non-finite one to 0",
		NoiseDistribution: "discrete Gaussian on the lattice, once per step and coordinate",
		Randomness:        "AES-256-CTR streams, keyed from the operating system",
		Queries:           []ReportQuery{},
	}
	if p.Train.SamplingProbability == 1 {
		r.Sampler = "full batch: every slot joins every step"
	}
	if seeded {
		r.Randomness = seededRandomness
	}
	if p.Noiseless() {
		r.DivisorConvention, r.Clipping, r.NoiseDistribution = "the drawn number of rows", "none", "none"
		return r
	}
	m := p.Mechanism
	r.NoiseParameter, r.LatticeStep, r.Eta = m.Lattice.Parameter, m.Lattice.Step, m.Lattice.Eta
	r.TotalVariation = m.TotalVariation(p.Train.Steps)
	for i, q := range p.Privacy.Queries {
		l := m.QueryLattice(i)
		r.Queries = append(r.Queries, ReportQuery{q, l.Parameter, l.Step, l.Eta})
	}
	r.RangeSlots, r.RangeMaxDrawn = m.Ranges.Slots, m.Ranges.MaxDrawn
	return r
}

func reportAccounting(p *Plan, steps int, void void) (ReportAccounting, error) {
	a := ReportAccounting{
		Accountant: p.Accountant.Name(), Version: accounting.Version,
		Assumptions: []string{
			"the operating system's source of randomness is unpredictable, and AES-256-CTR cannot be told from random bits",
			"a row stands in one slot, and the table is the one the config declares",
			"steps are chosen before the run and all charged, however it ends",
		},
	}
	var event accounting.Event = accounting.NonPrivate{}
	if !p.Noiseless() {
		event = p.Mechanism.Event(steps)
	}
	var err error
	if a.Events, err = accounting.MarshalEvent(event); err != nil || void != "" {
		return a, err
	}
	a.AccountedDelta, a.ExtraEpsilon = p.Mechanism.AccountedDelta(), p.Mechanism.ExtraEpsilon(steps)
	second, err := accounting.New("rdp", p.Privacy.Adjacency)
	if err != nil {
		return a, err
	}
	if epsilon, err := p.Mechanism.Epsilon(second, steps); err == nil && !math.IsInf(epsilon, 0) {
		epsilon = accounting.RoundUp(epsilon, claimDigits)
		a.EpsilonRDP = &epsilon
	}
	return a, nil
}

// Encode is the report as indented JSON.
func (r *Report) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(r)
	return b.Bytes(), err
}

// hashJSON is the SHA-256, in hexadecimal, of v's canonical JSON (RFC 8785).
func hashJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	canonical := jsontext.Value(text)
	if err := canonical.Canonicalize(); err != nil {
		return "", err
	}
	return hash(canonical), nil
}

// hash is the SHA-256 of b in hexadecimal.
func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
