package train

import (
	"context"
	"math"

	"dptrain/internal/data"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
)

// An Outlook is what can be said of a plan's outcome before a record is read. All of it but Memory is exact arithmetic on
// the plan; how accurate the model will be depends on the records.
type Outlook struct {
	Mu              float64 // of the Gaussian mechanism that has the claim's ε at its δ; 0 without privacy
	RowsMu          float64 // rows × μ: how the sum over all rows stands against noise
	RowsMuPerClass  float64
	NoisePerStep    float64 // standard deviation of the noise in a weight of one step's mean gradient: σ·C ÷ divisor
	NoisePerWeight  float64 // of all the run's noise in a weight, at the plan's learning rate, before averaging
	SignalToNoise   float64 // rows × μ ÷ √parameters: norm of a mean in which all rows agree ÷ norm of the noise
	Parameters      int
	ExamplesPerStep float64 // expected
	Memory          float64 // bytes, about
}

// Outlook says what can be expected of the plan with a number of workers.
func (p *Plan) Outlook(workers int) Outlook {
	params := float64(p.Net.Params())
	o := Outlook{Mu: p.mu(), Parameters: p.Net.Params(), ExamplesPerStep: p.Divisor()}
	o.RowsMu = float64(p.Slots()) * o.Mu
	o.RowsMuPerClass = o.RowsMu / float64(len(p.Schema.Classes()))
	o.SignalToNoise = o.RowsMu / math.Sqrt(params)
	o.NoisePerStep = p.Privacy.NoiseMultiplier * p.Privacy.MaxGradNorm / p.Divisor()
	o.NoisePerWeight = p.Train.LearningRate * o.NoisePerStep * math.Sqrt(float64(p.Train.Steps))
	row := 4*float64(p.Schema.DenseWidth()) + 8*float64(p.ones()) + 4
	if p.Schema.SparseWidth() > 0 {
		row += 8
	}
	l := newLayout(p, workers)
	kept := keptBytes(p, l)
	if keepsPacked(p, l) {
		kept += packedBytes(p.Net)
	}
	o.Memory = row*float64(p.Slots()) + float64(kept) + float64(l.Groups*l.GroupRows*rowBytes(p.Net))
	return o
}

// mu is the μ of the Gaussian mechanism that has the claim's ε at its δ; 0 where there is none.
func (p *Plan) mu() float64 {
	if p.Noiseless() || !(p.Claim.Upper > 0) {
		return 0
	}
	sigma, err := accounting.NoiseMultiplier(p.Accountant, p.Claim.Upper, p.Mechanism.AccountedDelta(), func(noiseMultiplier float64) accounting.Event {
		return accounting.Gaussian{NoiseMultiplier: noiseMultiplier}
	})
	if err != nil {
		return 0
	}
	return 1 / sigma
}

// textOnes is how many buckets a short message fills.
const textOnes = 12

// ones is about how many sparse columns of a row are set.
func (p *Plan) ones() (n int) {
	for _, f := range p.Schema.Spec().Features {
		switch f.Kind {
		case data.Text:
			n += textOnes
		case data.Vector:
		default:
			n++
		}
	}
	return min(n, p.Schema.SparseWidth())
}

// Mock is a table of the plan's shape that comes from nowhere: for timing a few steps before the real one is read.
func (p *Plan) Mock(rows int) *data.Dataset {
	d := &data.Dataset{Rows: rows, DenseWidth: p.Schema.DenseWidth(), SparseWidth: p.Schema.SparseWidth(), Indptr: []int{0}}
	ones := p.ones()
	for i := range rows {
		for j := range d.DenseWidth {
			d.Dense = append(d.Dense, float32((i+j)%7)/float32(7*(d.DenseWidth+1)))
		}
		for j := range ones {
			width := d.SparseWidth / ones
			d.Indices = append(d.Indices, uint32(j*width+(i*31)%width))
			d.Values = append(d.Values, float32(1/math.Sqrt(float64(ones))))
		}
		d.Indptr = append(d.Indptr, len(d.Indices))
		d.Labels = append(d.Labels, int32(i%len(p.Schema.Classes())))
	}
	return d
}

// Rehearse runs steps steps of the plan's shape over a mock table, all of whose rows join every step, and calls done after
// each. Nothing of it is kept: it is there to be timed.
func (p *Plan) Rehearse(ctx context.Context, mock *data.Dataset, steps, workers int, done func(step int)) error {
	noise, full := 1.0, 1.0
	o := Options{Rows: mock.Rows, Model: ModelOptions{Hidden: p.Model.Hidden, Activation: string(p.Model.Activation)},
		Privacy: PrivacyOptions{Unit: UnitRow, NoiseMultiplier: &noise, Delta: 1e-5},
		Train:   TrainOptions{Steps: &steps, SamplingProbability: &full}}
	rehearsal, err := NewPlan(o, p.Schema)
	if err != nil {
		return err
	}
	_, err = Fit(ctx, rehearsal, mock, Run{Key: rng.TestKey(1), Workers: workers, Progress: done})
	return err
}
