package train

import (
	"math"

	"dptrain/internal/train/kernel"
)

// An optimizer moves parameters by noisy means. It sees no data: all it does is post-processing.
type optimizer interface {
	// step updates the parameters from lo on of params [P] by their noisy mean gradient; it is update number n, from 1.
	// Several goroutines may call it at once for different parameters.
	step(n int, params, gradient []float32, lo int)
}

// optimizerState names what an optimizer carries from step to step, each of a number a parameter.
func optimizerState(name string) []string {
	if name == Adam {
		return []string{"mean", "square"}
	}
	return []string{"velocity"}
}

// newOptimizer returns the plan's optimizer, which keeps its state, as [optimizerState] lists it, in the memory given.
func newOptimizer(p *Plan, state [][]float32) optimizer {
	if p.Train.Optimizer == Adam {
		return &adam{rate: p.Train.LearningRate, decay: p.Train.WeightDecay, beta1: p.Train.Momentum, mean: state[0], square: state[1]}
	}
	return &heavyBall{rate: p.Train.LearningRate, momentum: p.Train.Momentum,
		decay: p.Train.LearningRate * p.Train.WeightDecay, velocity: state[0]}
}

// heavyBall is gradient descent with damped momentum: V ← m·V + (1−m)·g, W ← W − lr·V. Damped, so that the learning
// rate keeps its meaning whatever the momentum.
type heavyBall struct {
	rate, momentum, decay float64
	velocity              []float32
}

func (o *heavyBall) step(_ int, params, gradient []float32, lo int) {
	// In float32: the noise is far coarser.
	kernel.HeavyBall(params[lo:], o.velocity[lo:], gradient, float32(o.momentum), float32(1-o.momentum), float32(o.rate), float32(o.decay))
}

// adam is Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1) with decoupled weight decay (Loshchilov and Hutter
// 2019, arXiv:1711.05101, algorithm 2).
type adam struct {
	rate, decay, beta1 float64
	mean, square       []float32
}

func (o *adam) step(n int, params, gradient []float32, lo int) {
	const beta2, tiny = 0.999, 1e-8
	kernel.Adam(params[lo:], o.mean[lo:], o.square[lo:], gradient, kernel.AdamStep{
		Keep: o.beta1, Take: 1 - o.beta1, Correct: 1 - math.Pow(o.beta1, float64(n)),
		KeepSquare: beta2, TakeSquare: 1 - beta2, CorrectSquare: 1 - math.Pow(beta2, float64(n)),
		Tiny: tiny, Rate: o.rate, Decay: o.decay,
	})
}

// tailAverage is the mean of the last iterates, the model that is kept: it averages part of the noise away (Polyak and
// Juditsky 1992) and, like everything after the noise, costs no privacy.
//
// It is kept as a running mean, m ← m + (w − m)/k with the k-th iterate w (Welford 1962): a float32 a parameter, where a sum
// would need a float64. A step's rounding is at most about 2⁻²³ of the largest iterate, and later steps shrink it as they do m, so that
// the mean of n iterates is off by less than n·2⁻²⁴ of the largest: 6e-5 for a thousand, and by far less as roundings cancel.
type tailAverage struct {
	first int // number of the first step that counts
	count int
	mean  []float32 // of count iterates; 0 before the first
}

func newTailAverage(mean []float32, steps int, share float64) *tailAverage {
	first := steps - int(math.Round(share*float64(steps)))
	return &tailAverage{first: min(first, max(steps-1, 0)), mean: mean}
}

// add takes the parameters [lo, hi) after step number step (from 0). Several goroutines may call it at once for
// different parameters; added follows when all are taken.
func (a *tailAverage) add(step int, params []float32, lo, hi int) {
	if step < a.first {
		return
	}
	kernel.RunningMean(a.mean[lo:hi], params[lo:hi], 1/float32(a.count+1))
}

// added counts step number step.
func (a *tailAverage) added(step int) {
	if step >= a.first {
		a.count++
	}
}
