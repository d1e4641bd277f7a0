package train

import "runtime"

// A learner is a model on its way: what steps change, all of it post-processing of noisy means.
type learner struct {
	plan      *Plan
	params    []float32
	optimizer optimizer
	average   *tailAverage
	next      int // number of the next step of the plan, from 0
	applied   int // steps that moved the parameters: fewer than next where some were lost
}

// newLearner is a learner before its first step, with parameters 0.
func newLearner(p *Plan) *learner {
	params := p.Net.Params()
	return &learner{plan: p, params: make([]float32, params), optimizer: newOptimizer(p, params),
		average: newTailAverage(params, p.Train.Steps, p.Train.AverageLast)}
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

// model is what was learned, which takes l's parameters. It errs with a *DivergedError.
func (l *learner) model() (*Fitted, error) {
	l.average.mean(l.params)
	if !finite(l.params) { // post-processing: what is looked at is the model
		return nil, l.diverged()
	}
	return &Fitted{Params: l.params, Steps: l.applied}, nil
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

// newKeeper sets l to where the run's attempt starts.
func newKeeper(r Run, p *Plan, l *learner) *keeper {
	k := &keeper{attempt: r.Attempt, learner: l, pace: pace{clock: r.Clock, steps: p.Train.Steps}}
	if r.Attempt != nil {
		l.restore(r.Attempt.saved, r.Attempt.charged)
		k.saved = l.applied
	}
	return k
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
	runtime.GC() // a table's size in garbage, all of it copies of the model, would gather before the next collection
	return nil
}
