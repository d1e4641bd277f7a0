package train

import (
	"errors"

	"dptrain/internal/privacy/rng"
)

// A learner is a model on its way: what steps change, all of it post-processing of noisy means.
type learner struct {
	plan      *Plan
	tensors   []tensor // all that steps change, by name: the memory of what follows
	params    []float32
	optimizer optimizer
	average   *tailAverage
	next      int // number of the next step of the plan, from 0
	applied   int // steps that moved the parameters: fewer than next where some were lost
}

// learnerTensors names what a learner of the plan has to keep, each of a number a parameter.
func learnerTensors(p *Plan) []string {
	return append([]string{"params", "average"}, optimizerState(p.Train.Optimizer)...)
}

// newLearner is a learner before its first step, with parameters 0, or where a checkpoint left it, whose tensors it takes.
func newLearner(p *Plan, from *checkpoint) *learner {
	l := &learner{plan: p}
	if from != nil {
		l.tensors = from.tensors
	} else {
		for _, name := range learnerTensors(p) {
			l.tensors = append(l.tensors, tensor{name, []int{p.Net.Params()}, make([]float32, p.Net.Params())})
		}
	}
	var state [][]float32
	for _, t := range l.tensors[2:] {
		state = append(state, t.values)
	}
	l.params, l.optimizer = l.tensors[0].values, newOptimizer(p, state)
	l.average = newTailAverage(l.tensors[1].values, p.Train.Steps, p.Train.AverageLast)
	if from != nil {
		l.next, l.applied, l.average.count = from.charged, from.applied, from.averaged
		if from.averaged == 0 {
			clear(l.average.mean) // whatever the file says
		}
	}
	return l
}

// learn takes the coordinates from lo on of the noisy mean gradient of the next step. Several goroutines may call it at once
// for different coordinates; learned follows when all are taken.
func (l *learner) learn(lo int, gradient []float32) {
	l.optimizer.step(l.applied+1, l.params, gradient, lo)
	l.average.add(l.next, l.params, lo, lo+len(gradient))
}

// learned ends the step.
func (l *learner) learned() {
	l.average.added(l.next)
	l.applied++
	l.next++
}

// model is what was learned: the average, or the last iterate where there is none. It errs with a *DivergedError.
func (l *learner) model() (*Fitted, error) {
	params := l.params
	if l.average.count > 0 {
		params = l.average.mean
	}
	if !finite(params) { // post-processing: what is looked at is the model
		return nil, l.diverged()
	}
	return &Fitted{Params: params, Steps: l.applied}, nil
}

func (l *learner) diverged() error { return &DivergedError{LearningRate: l.plan.Train.LearningRate} }

// A keeper lets no step be drawn that is not reserved on disk, and keeps what was learned at the end of each block of
// steps. Without an attempt it does nothing.
type keeper struct {
	attempt *Attempt
	learner *learner
	pace    pace
	saved   int // steps applied in the checkpoint on disk
}

// startLearner is the run's learner where its attempt starts.
func (p *Plan) startLearner(r Run) (l *learner) {
	if r.Attempt != nil && r.Attempt.saved != nil {
		l = newLearner(p, r.Attempt.saved)
		r.Attempt.saved.tensors = nil // they are the learner's now
	} else {
		l = newLearner(p, nil)
		p.Net.Init(l.params, normals(r.Key.Source(rng.Initialisation).Stream(0, 0)))
	}
	if r.Attempt != nil {
		l.next = r.Attempt.charged // what was drawn after the checkpoint is lost
	}
	return l
}

func newKeeper(r Run, l *learner) *keeper {
	return &keeper{attempt: r.Attempt, learner: l, pace: pace{clock: r.Clock, steps: l.plan.Train.Steps}, saved: l.applied}
}

// reserve makes sure that the next step may be drawn.
func (k *keeper) reserve() error {
	if k.attempt == nil || k.learner.next < k.attempt.charged {
		return nil
	}
	count := k.pace.next(k.learner.plan.Train.Steps - k.learner.next)
	if err := k.save(); err != nil {
		return err
	}
	if err := k.attempt.reserve(count); err != nil {
		return err
	}
	k.pace.kept()
	return nil
}

// stop keeps what was learned, and gives back the steps that were reserved and will not be drawn.
func (k *keeper) stop() error {
	err := k.save()
	if k.attempt != nil && k.learner.next < k.attempt.charged {
		err = errors.Join(err, k.attempt.giveBack(k.attempt.charged-k.learner.next))
	}
	return err
}

// save keeps what was learned since the last time. A model that has run away is not worth it, and ends the run: the
// claim is that of its plan in any case.
func (k *keeper) save() error {
	if k.attempt == nil || k.learner.applied == k.saved {
		return nil
	}
	c := k.learner.checkpoint()
	if !c.finite() {
		return k.learner.diverged()
	}
	if err := k.attempt.save(c); err != nil {
		return err
	}
	k.saved = k.learner.applied
	return nil
}
