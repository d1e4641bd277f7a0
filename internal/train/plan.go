package train

import (
	"fmt"
	"math"

	"dptrain/internal/data"
	"dptrain/internal/privacy"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train/nn"
)

// The optimizers.
const (
	SGD  = "sgd"
	Adam = "adam"
)

// UnitRow is the one privacy unit there is: a row of the table.
const UnitRow = "row"

// A Plan is a training job with everything decided, before any record is read: the sections below are the config's,
// with defaults and calibrated values filled in. It is a function of public numbers alone.
type Plan struct {
	Rows       int           // declared number of rows; 0 where RowsAtMost takes its place
	RowsAtMost int           // public cap on the number of rows; 0 where Rows is declared
	Model      PlanModel     `json:"model"`
	Privacy    PlanPrivacy   `json:"privacy"`
	Train      PlanTrain     `json:"train"`
	Warnings   []Warning     // what a careful reader should know
	Schema     *data.Schema  // of the table
	Net        *nn.Net       // of the model
	Mechanism  *privacy.Plan // of the run; nil without privacy
	Accountant accounting.Accountant
	Claim      accounting.Interval // ε of the planned steps; the upper end is what is claimed
	Person     float64             // ε for a person with up to MaxRowsPerPerson rows; 0 where that is not stated
}

// PlanModel is the resolved model section.
type PlanModel struct {
	Hidden     []int         `json:"hidden"`
	Activation nn.Activation `json:"activation"`
}

// PlanPrivacy is the resolved privacy section.
type PlanPrivacy struct {
	Unit            string               `json:"unit"`
	Adjacency       accounting.Adjacency `json:"adjacency"`
	TargetEpsilon   *float64             `json:"target_epsilon,omitempty"`
	NoiseMultiplier float64              `json:"noise_multiplier"`
	Delta           float64              `json:"delta"`
	MaxGradNorm     float64              `json:"max_grad_norm"`
	Accountant      string               `json:"accountant"`

	MaxRowsPerPerson int `json:"max_rows_per_person,omitempty"`

	Queries []PlanQuery `json:"queries,omitempty"`
}

// PlanQuery is a query that is asked before the first step.
type PlanQuery struct {
	Name            string  `json:"name"`
	Length          int     `json:"length"` // of a row's vector
	Share           float64 `json:"share"`  // of μ²
	NoiseMultiplier float64 `json:"noise_multiplier"`
}

// PlanTrain is the resolved train section.
type PlanTrain struct {
	Steps               int     `json:"steps"`
	SamplingProbability float64 `json:"sampling_probability"`
	Optimizer           string  `json:"optimizer"`
	LearningRate        float64 `json:"learning_rate"`
	Momentum            float64 `json:"momentum"`
	AverageLast         float64 `json:"average_last"`
	WeightDecay         float64 `json:"weight_decay"`

	ClassWeights []float64 `json:"class_weights,omitempty"` // as declared
}

// NewPlan decides everything a fit of o on tables of the schema needs, or says by a *data.SpecError which key of the
// config is in the way.
func NewPlan(o Options, schema *data.Schema) (*Plan, error) {
	p := &Plan{Rows: o.Rows, RowsAtMost: o.RowsAtMost, Schema: schema}
	for _, decide := range []func(Options) error{p.decideModel, p.decidePrivacy, p.decideTrain, p.decideQueries, p.decideNoise} {
		if err := decide(o); err != nil {
			return nil, err
		}
	}
	p.decideLearningRate(o)
	p.Warnings = p.lint()
	return p, nil
}

// Noiseless reports that the plan is one without privacy: there is no mechanism that a claim could be made of.
func (p *Plan) Noiseless() bool { return p.Mechanism == nil }

// Divisor is the public constant that turns a sum of gradients into a mean: the expected number of drawn slots.
func (p *Plan) Divisor() float64 { return p.Train.SamplingProbability * float64(p.Slots()) }

// Slots is the public number of places for rows.
func (p *Plan) Slots() int {
	if p.Privacy.Adjacency == accounting.AddOrRemoveOne {
		return p.RowsAtMost
	}
	return p.Rows
}

func (p *Plan) decideModel(o Options) error {
	p.Model = PlanModel{Hidden: o.Model.Hidden, Activation: nn.Activation(o.Model.Activation)}
	if p.Model.Hidden == nil {
		p.Model.Hidden = []int{}
	}
	if p.Model.Activation == "" {
		p.Model.Activation = nn.Tanh
	}
	for i, width := range p.Model.Hidden {
		if width < 1 {
			return &data.SpecError{Key: fmt.Sprintf("model.hidden[%d]", i), Msg: fmt.Sprintf("is %d, want an integer above 0", width)}
		}
	}
	net, err := newNet(p.Schema, p.Model)
	if err != nil {
		return &data.SpecError{Key: "model", Msg: "cannot be built: " + err.Error()}
	}
	p.Net = net
	return nil
}

// newNet lays out the net of a model section on a schema.
func newNet(schema *data.Schema, m PlanModel) (*nn.Net, error) {
	return nn.New(nn.Shape{
		Dense: schema.DenseWidth(), Sparse: schema.SparseWidth(),
		Hidden: m.Hidden, Classes: len(schema.Classes()), Activation: m.Activation,
	})
}

func (p *Plan) decidePrivacy(o Options) error {
	s := o.Privacy
	if s.Unit != UnitRow {
		return &data.SpecError{Key: "privacy.unit", Msg: fmt.Sprintf("is %q, want %q", s.Unit, UnitRow),
			Suggestion: "the guarantee protects one row of the table; if a person can have several, ε holds for each row, not for the person"}
	}
	p.Privacy = PlanPrivacy{Unit: s.Unit, Adjacency: accounting.Adjacency(s.Adjacency), TargetEpsilon: s.TargetEpsilon,
		Delta: s.Delta, MaxGradNorm: 1, Accountant: s.Accountant,
		MaxRowsPerPerson: s.MaxRowsPerPerson}
	if p.Privacy.Adjacency == "" {
		p.Privacy.Adjacency = accounting.ZeroOut
	}
	if s.MaxGradNorm != 0 {
		p.Privacy.MaxGradNorm = s.MaxGradNorm
	}
	if _, err := privacy.NewFlat(p.Privacy.MaxGradNorm); err != nil {
		return &data.SpecError{Key: "privacy.max_grad_norm", Msg: fmt.Sprintf("is %v, want a number in [1e-6, 1e6]", p.Privacy.MaxGradNorm)}
	}
	if p.Privacy.Accountant == "" {
		p.Privacy.Accountant = "pld"
	}
	if !(s.Delta >= minDelta && s.Delta < 1) {
		return &data.SpecError{Key: "privacy.delta", Msg: fmt.Sprintf("is %v, want a number in (0, 1), at least %v", s.Delta, minDelta),
			Suggestion: "delta is the chance that the bound fails: take it well below 1/rows, such as 1e-6"}
	}
	if err := p.decideRows(o); err != nil {
		return err
	}
	switch {
	case o.NoPrivacy: // neither is looked at
		p.Privacy.TargetEpsilon = nil
	case s.TargetEpsilon == nil && s.NoiseMultiplier == nil:
		return &data.SpecError{Key: "privacy", Msg: "states neither target_epsilon nor noise_multiplier",
			Suggestion: "target_epsilon: 1.0 asks for the noise that gives ε = 1"}
	case s.TargetEpsilon != nil && s.NoiseMultiplier != nil:
		return &data.SpecError{Key: "privacy.noise_multiplier", Msg: "is stated beside target_epsilon",
			Suggestion: "state one: target_epsilon to ask for a guarantee, noise_multiplier to set the noise"}
	case s.TargetEpsilon != nil && !(*s.TargetEpsilon > 0 && *s.TargetEpsilon <= privacy.MaxEpsilon):
		return &data.SpecError{Key: "privacy.target_epsilon", Msg: fmt.Sprintf("is %v, want a number in (0, %v]", *s.TargetEpsilon, privacy.MaxEpsilon)}
	case s.NoiseMultiplier != nil && !(*s.NoiseMultiplier > 0 && *s.NoiseMultiplier <= maxNoiseMultiplier):
		return &data.SpecError{Key: "privacy.noise_multiplier", Msg: fmt.Sprintf("is %v, want a number in (0, %v]", *s.NoiseMultiplier, maxNoiseMultiplier)}
	}
	var err error
	p.Accountant, err = accounting.New(p.Privacy.Accountant, p.Privacy.Adjacency)
	if err != nil {
		return &data.SpecError{Key: "privacy.accountant", Msg: err.Error()}
	}
	return nil
}

// The ends of what can be asked for.
const (
	minDelta           = 1e-100
	maxNoiseMultiplier = 1e6
)

// decideRows checks that the number of slots is declared the way the adjacency needs.
func (p *Plan) decideRows(o Options) error {
	switch p.Privacy.Adjacency {
	case accounting.ZeroOut, accounting.ReplaceOne:
		if o.Rows < 1 {
			return &data.SpecError{Key: "data.rows", Msg: fmt.Sprintf("is needed by adjacency %s", p.Privacy.Adjacency),
				Suggestion: "declare the number of rows, which becomes public, or use adjacency: add_or_remove_one with rows_at_most"}
		}
		if o.RowsAtMost != 0 {
			return &data.SpecError{Key: "data.rows_at_most", Msg: fmt.Sprintf("does not go with adjacency %s", p.Privacy.Adjacency)}
		}
	case accounting.AddOrRemoveOne:
		if o.RowsAtMost < 1 {
			return &data.SpecError{Key: "data.rows_at_most", Msg: "is needed by adjacency add_or_remove_one",
				Suggestion: "declare a public cap on the number of rows; the number itself stays private"}
		}
		if o.Rows != 0 {
			return &data.SpecError{Key: "data.rows", Msg: "does not go with adjacency add_or_remove_one, which keeps the number of rows private"}
		}
		if o.Train.BatchSize != nil {
			return &data.SpecError{Key: "train.batch_size", Msg: "does not go with adjacency add_or_remove_one", Suggestion: "state sampling_probability"}
		}
		if o.Train.Epochs != nil {
			return &data.SpecError{Key: "train.epochs", Msg: "does not go with adjacency add_or_remove_one", Suggestion: "state steps"}
		}
	default:
		return &data.SpecError{Key: "privacy.adjacency", Msg: fmt.Sprintf("is %q, want zero_out, add_or_remove_one or replace_one", p.Privacy.Adjacency)}
	}
	if p.Slots() > math.MaxInt32 {
		key := "data.rows"
		if p.RowsAtMost != 0 {
			key = "data.rows_at_most"
		}
		return &data.SpecError{Key: key, Msg: fmt.Sprintf("is %d, want at most %d", p.Slots(), math.MaxInt32)}
	}
	return nil
}
