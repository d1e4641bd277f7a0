package train

import (
	"context"
	"math"
	"testing"
)

func TestOutlook(t *testing.T) {
	s := testSchema(t)
	p, err := NewPlan(testOptions(), s)
	if err != nil {
		t.Fatal(err)
	}
	o := p.Outlook(2)
	// At q = 1 the run is one Gaussian mechanism of σ/√T.
	if want := math.Sqrt(float64(p.Train.Steps)) / p.Privacy.NoiseMultiplier; math.Abs(o.Mu/want-1) > 1e-3 {
		t.Errorf("μ = %v, want √T/σ = %v", o.Mu, want)
	}
	if want := p.Privacy.NoiseMultiplier / 400; math.Abs(o.NoisePerStep-want) > 1e-12 {
		t.Errorf("noise per step = %v, want σC/n = %v", o.NoisePerStep, want)
	}
	if o.RowsMuPerClass != 400*o.Mu/2 || o.SignalToNoise != 400*o.Mu/math.Sqrt(float64(p.Net.Params())) || o.NoisePerWeight > travel*1.0001 {
		t.Errorf("outlook = %+v", o)
	}
	doubled := testOptions()
	doubled.Rows *= 2
	twice, err := NewPlan(doubled, s)
	if err != nil {
		t.Fatal(err)
	}
	if d := twice.Outlook(2); math.Abs(d.SignalToNoise/o.SignalToNoise-2) > 1e-3 || d.Memory <= o.Memory {
		t.Errorf("twice the rows: %+v, want twice the signal of %+v", d, o)
	}
}

func TestRehearsalRunsItsSteps(t *testing.T) {
	o := testOptions()
	o.NoPrivacy = true // what is timed does not depend on it
	p, err := NewPlan(o, testSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	if err := p.Rehearse(context.Background(), p.Mock(70), 5, 2, func(int) { steps++ }); err != nil || steps != 5 {
		t.Errorf("%d steps, %v, want 5", steps, err)
	}
}
