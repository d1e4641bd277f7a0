package train

import (
	"errors"
	"fmt"
	"math"

	"dptrain/internal/data"
	"dptrain/internal/privacy"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train/nn"
)

// decideTrain fills in all of the train section but the learning rate, which follows from the noise.
func (p *Plan) decideTrain(o Options) error {
	t := o.Train
	p.Train = PlanTrain{Optimizer: t.Optimizer, Momentum: 0.9, AverageLast: 0.5, WeightDecay: t.WeightDecay}
	if p.Train.Optimizer == "" {
		p.Train.Optimizer = SGD
	}
	if t.Momentum != nil {
		p.Train.Momentum = *t.Momentum
	}
	if t.AverageLast != nil {
		p.Train.AverageLast = *t.AverageLast
	}
	switch {
	case p.Train.Optimizer != SGD && p.Train.Optimizer != Adam:
		return &data.SpecError{Key: "train.optimizer", Msg: fmt.Sprintf("is %q, want %s or %s", t.Optimizer, SGD, Adam)}
	case !(p.Train.Momentum >= 0 && p.Train.Momentum < 1):
		return &data.SpecError{Key: "train.momentum", Msg: fmt.Sprintf("is %v, want a number in [0, 1)", *t.Momentum)}
	case !(p.Train.AverageLast >= 0 && p.Train.AverageLast <= 1):
		return &data.SpecError{Key: "train.average_last", Msg: fmt.Sprintf("is %v, want a number in [0, 1]", *t.AverageLast)}
	case !(t.WeightDecay >= 0 && t.WeightDecay <= math.MaxFloat32):
		return &data.SpecError{Key: "train.weight_decay", Msg: fmt.Sprintf("is %v, want a number of at least 0", t.WeightDecay)}
	case t.LearningRate != nil && !(*t.LearningRate > 0 && *t.LearningRate <= math.MaxFloat32):
		return &data.SpecError{Key: "train.learning_rate", Msg: fmt.Sprintf("is %v, want auto or a positive number", *t.LearningRate)}
	}
	if err := p.decideSampling(t); err != nil {
		return err
	}
	return p.decideSteps(o)
}

func (p *Plan) decideSampling(t TrainOptions) error {
	switch {
	case t.BatchSize != nil && t.SamplingProbability != nil:
		return &data.SpecError{Key: "train.batch_size", Msg: "is stated beside sampling_probability", Suggestion: "state one of the two"}
	case t.BatchSize != nil:
		if *t.BatchSize < 1 || *t.BatchSize > p.Rows {
			return &data.SpecError{Key: "train.batch_size", Msg: fmt.Sprintf("is %d, want a number from 1 to data.rows, %d", *t.BatchSize, p.Rows)}
		}
		p.Train.SamplingProbability = float64(*t.BatchSize) / float64(p.Rows)
	case t.SamplingProbability != nil:
		if p.Train.SamplingProbability = *t.SamplingProbability; !(p.Train.SamplingProbability > 0 && p.Train.SamplingProbability <= 1) {
			return &data.SpecError{Key: "train.sampling_probability", Msg: fmt.Sprintf("is %v, want a number in (0, 1]", *t.SamplingProbability)}
		}
	default:
		p.Train.SamplingProbability = p.shape().samplingProbability()
	}
	return nil
}

// maxSteps is far beyond any run that ends.
const maxSteps = 1_000_000_000

func (p *Plan) decideSteps(o Options) error {
	switch t := o.Train; {
	case t.Epochs != nil && t.Steps != nil:
		return &data.SpecError{Key: "train.epochs", Msg: "is stated beside steps", Suggestion: "state one of the two"}
	case t.Epochs != nil:
		if !(*t.Epochs > 0 && *t.Epochs/p.Train.SamplingProbability <= maxSteps) {
			return &data.SpecError{Key: "train.epochs", Msg: fmt.Sprintf("is %v, want a positive number of at most %d steps", *t.Epochs, maxSteps)}
		}
		p.Train.Steps = int(math.Ceil(*t.Epochs / p.Train.SamplingProbability))
	case t.Steps != nil:
		if p.Train.Steps = *t.Steps; *t.Steps < 1 || *t.Steps > maxSteps {
			return &data.SpecError{Key: "train.steps", Msg: fmt.Sprintf("is %d, want a number from 1 to %d", *t.Steps, maxSteps)}
		}
	default:
		mu, err := p.targetMu(o)
		if err != nil {
			return err
		}
		p.Train.Steps = p.shape().steps(mu)
	}
	return nil
}

// shape is what the recipe looks at.
func (p *Plan) shape() shape {
	return shape{slots: p.Slots(), params: p.Net.Params(), classes: len(p.Schema.Classes()), hidden: len(p.Model.Hidden) > 0}
}

// targetMu is the μ of the Gaussian mechanism that has the target ε at δ, or 0 where the noise is stated instead; +Inf
// without privacy.
func (p *Plan) targetMu(o Options) (float64, error) {
	if o.NoPrivacy {
		return math.Inf(1), nil
	}
	if p.Privacy.TargetEpsilon == nil {
		return 0, nil
	}
	sigma, err := p.calibrate(func(noiseMultiplier float64) accounting.Event {
		return accounting.Gaussian{NoiseMultiplier: noiseMultiplier}
	})
	return 1 / sigma, err
}

// calibrate finds the noise multiplier at which an event costs the target. A billionth of ε is left for what the
// lattice's noise differs from the Gaussian.
func (p *Plan) calibrate(event func(noiseMultiplier float64) accounting.Event) (float64, error) {
	target := *p.Privacy.TargetEpsilon * (1 - 1e-9)
	sigma, err := accounting.NoiseMultiplier(p.Accountant, target, privacy.AccountedDelta(p.Privacy.Delta), event)
	var unreachable *accounting.UnreachableError
	if errors.As(err, &unreachable) { // in the words of the config
		stated := *unreachable
		stated.Target, stated.Delta = *p.Privacy.TargetEpsilon, p.Privacy.Delta
		return 0, &stated
	}
	return sigma, err
}

// decideNoise calibrates the noise to the target, or takes it as stated, and certifies what it costs.
func (p *Plan) decideNoise(o Options) error {
	sampler, err := privacy.NewSampler(p.Train.SamplingProbability)
	if err != nil {
		return &data.SpecError{Key: "train.sampling_probability", Msg: err.Error()}
	}
	// What is accounted, and therefore said everywhere, is the probability of the coins, 2⁻⁶⁴ above the one stated at most.
	p.Train.SamplingProbability = sampler.Probability()
	if o.NoPrivacy {
		return nil
	}
	if o.Privacy.NoiseMultiplier != nil {
		p.Privacy.NoiseMultiplier = *o.Privacy.NoiseMultiplier
	} else if p.Privacy.NoiseMultiplier, err = p.calibrate(func(noiseMultiplier float64) accounting.Event {
		step := sampler.Event(accounting.Gaussian{NoiseMultiplier: noiseMultiplier})
		return privacy.EventOf(p.queries(), step, p.Train.Steps)
	}); err != nil {
		return p.unsupported(err)
	}
	p.Mechanism, err = privacy.NewPlan(privacy.Spec{
		Params: p.Net.Params(), Sparse: sparseOf(p.Net), Slots: p.Slots(), Steps: p.Train.Steps,
		SamplingProbability: p.Train.SamplingProbability,
		NoiseMultiplier:     p.Privacy.NoiseMultiplier,
		MaxGradNorm:         p.Privacy.MaxGradNorm,
		Delta:               p.Privacy.Delta,
		Queries:             p.queries(),
	})
	if err != nil {
		refused := &data.SpecError{Key: "privacy", Msg: "cannot be run: " + err.Error()}
		var hinted interface{ Hint() string }
		if errors.As(err, &hinted) {
			refused.Suggestion = hinted.Hint()
		}
		return refused
	}
	if p.Claim, err = p.Mechanism.Bracket(p.Accountant, p.Train.Steps); err != nil {
		return p.unsupported(err)
	}
	if math.IsInf(p.Claim.Upper, 1) {
		return &data.SpecError{Key: "privacy.noise_multiplier",
			Msg:        fmt.Sprintf("is %v, at which epsilon is above %v: nothing would be promised", p.Privacy.NoiseMultiplier, privacy.MaxEpsilon),
			Suggestion: "state target_epsilon, and the noise follows"}
	}
	if target := p.Privacy.TargetEpsilon; target != nil && p.Claim.Upper > *target {
		return fmt.Errorf("calibration gives epsilon %v, above the target %v", p.Claim.Upper, *target)
	}
	if p.Privacy.MaxRowsPerPerson > 0 {
		a, err := p.personAccountant()
		if err != nil {
			return err
		}
		p.Person, err = p.Mechanism.Epsilon(a, p.Train.Steps)
		return err
	}
	return nil
}

// sparseOf is where the net's gradients are sparse.
func sparseOf(net *nn.Net) privacy.Sparse {
	columns, width := net.SparseWeights()
	return privacy.Sparse{Columns: columns, Width: width}
}

// personAccountant prices what is promised to a person with several rows. Nulling k rows moves a sum by k times as much
// as nulling one, at most, through the tables in between; so the event's group bound applies as it stands.
func (p *Plan) personAccountant() (accounting.Accountant, error) {
	a, err := accounting.New("pld", p.Privacy.Adjacency) // RDP has no bound for groups
	if err != nil {
		return nil, err
	}
	if a, err = accounting.ForGroups(a, p.Privacy.MaxRowsPerPerson); err != nil {
		return nil, &data.SpecError{Key: "privacy.max_rows_per_person", Msg: fmt.Sprintf("is %d, want a number from 1 to 128", p.Privacy.MaxRowsPerPerson)}
	}
	return a, nil
}

// unsupported turns an accountant's refusal into one of the config.
func (p *Plan) unsupported(err error) error {
	var unsupported *accounting.UnsupportedError
	var parameter *accounting.ParameterError
	if errors.As(err, &unsupported) {
		return &data.SpecError{Key: "privacy", Msg: fmt.Sprintf("cannot be accounted for under adjacency %s: %v", p.Privacy.Adjacency, err)}
	}
	if errors.As(err, &parameter) {
		return &data.SpecError{Key: "privacy." + parameter.Name, Msg: fmt.Sprintf("is %s, want %s", parameter.Value, parameter.Want)}
	}
	return err
}

// decideLearningRate takes the stated rate, or the recipe's.
func (p *Plan) decideLearningRate(o Options) {
	if o.Train.LearningRate != nil {
		p.Train.LearningRate = *o.Train.LearningRate
		return
	}
	if p.Train.Optimizer == Adam {
		p.Train.LearningRate = adamLearningRate
		return
	}
	p.Train.LearningRate = p.shape().learningRate(p.Divisor(), p.Privacy.NoiseMultiplier, p.Privacy.MaxGradNorm, p.Train.Steps)
}
