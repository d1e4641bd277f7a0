package train

import (
	"testing"

	"dptrain/internal/privacy/rng"
)

// TestFitDrawsWhatItsPlanCharges compares what drew noise with what the plan priced.
func TestFitDrawsWhatItsPlanCharges(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"full batch": func(*Options) {},
		"sampled":    func(o *Options) { o.Train.SamplingProbability = pointer(0.2) },
	} {
		o := testOptions()
		change(&o)
		_, p, f := fitted(t, o, rng.TestKey(1), 2)
		if want := p.Mechanism.Event(p.Train.Steps); f.Spent != want || f.Steps != p.Train.Steps {
			t.Errorf("%s: fit spent %v in %d steps, want %v in %d", name, f.Spent, f.Steps, want, p.Train.Steps)
		}
	}
}
