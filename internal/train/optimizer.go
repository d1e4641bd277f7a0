package train

import "math"

// An optimizer moves parameters by noisy means. It sees no data: all it does is post-processing.
type optimizer interface {
	// step updates the parameters from lo on of params [P] by their noisy mean gradient; it is update number n, from 1.
	// Several goroutines may call it at once for different parameters.
	step(n int, params, gradient []float32, lo int)
	// state is what the optimizer carries from step to step, by name. The values are its own.
	state() []tensor
}

// newOptimizer returns the plan's optimizer for params parameters.
func newOptimizer(p *Plan, params int) optimizer {
	if p.Train.Optimizer == Adam {
		return &adam{rate: p.Train.LearningRate, decay: p.Train.WeightDecay, beta1: p.Train.Momentum,
			mean: make([]float32, params), square: make([]float32, params)}
	}
	return &heavyBall{rate: p.Train.LearningRate, momentum: p.Train.Momentum,
		decay: p.Train.LearningRate * p.Train.WeightDecay, velocity: make([]float32, params)}
}

// heavyBall is gradient descent with damped momentum: V ← m·V + (1−m)·g, W ← W − lr·V. Damped, so that the learning
// rate keeps its meaning whatever the momentum.
type heavyBall struct {
	rate, momentum, decay float64
	velocity              []float32
}

func (o *heavyBall) state() []tensor { return []tensor{{name: "velocity", values: o.velocity}} }

func (o *heavyBall) step(_ int, params, gradient []float32, lo int) {
	// In float32, which is a third of the time of converting to float64 and back; the noise is far coarser.
	keep, take := float32(o.momentum), float32(1-o.momentum)
	rate, decay := float32(o.rate), float32(o.decay)
	params, velocity := params[lo:][:len(gradient)], o.velocity[lo:][:len(gradient)]
	for i, g := range gradient {
		v := keep*velocity[i] + take*g
		velocity[i] = v
		params[i] -= rate*v + decay*params[i]
	}
}

// adam is Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1) with decoupled weight decay (Loshchilov and Hutter
// 2019, arXiv:1711.05101, algorithm 2).
type adam struct {
	rate, decay, beta1 float64
	mean, square       []float32
}

func (o *adam) state() []tensor {
	return []tensor{{name: "mean", values: o.mean}, {name: "square", values: o.square}}
}

func (o *adam) step(n int, params, gradient []float32, lo int) {
	const beta2, tiny = 0.999, 1e-8
	correct1 := 1 - math.Pow(o.beta1, float64(n))
	correct2 := 1 - math.Pow(beta2, float64(n))
	for j, v := range gradient {
		i, g := lo+j, float64(v)
		mean := o.beta1*float64(o.mean[i]) + (1-o.beta1)*g
		square := beta2*float64(o.square[i]) + (1-beta2)*g*g
		o.mean[i], o.square[i] = float32(mean), float32(square)
		move := mean / correct1 / (math.Sqrt(square/correct2) + tiny)
		params[i] -= float32(o.rate * (move + o.decay*float64(params[i])))
	}
}

// tailAverage is the mean of the last iterates, the model that is kept: it averages part of the noise away (Polyak and
// Juditsky 1992) and, like everything after the noise, costs no privacy.
type tailAverage struct {
	first int // number of the first step that counts
	count int
	sum   []float64
}

func newTailAverage(params, steps int, share float64) *tailAverage {
	first := steps - int(math.Round(share*float64(steps)))
	return &tailAverage{first: min(first, max(steps-1, 0)), sum: make([]float64, params)}
}

// add takes the parameters [lo, hi) after step number step (from 0). Several goroutines may call it at once for
// different parameters; added follows when all are taken.
func (a *tailAverage) add(step int, params []float32, lo, hi int) {
	if step < a.first {
		return
	}
	sum := a.sum[lo:hi]
	for i, w := range params[lo:hi] {
		sum[i] += float64(w)
	}
}

// added counts step number step.
func (a *tailAverage) added(step int) {
	if step >= a.first {
		a.count++
	}
}

// mean sets dst to the average; it leaves dst as it is where no step has counted.
func (a *tailAverage) mean(dst []float32) {
	if a.count == 0 {
		return
	}
	for i, s := range a.sum {
		dst[i] = float32(s / float64(a.count))
	}
}

// restore sets the average to the mean of count iterates.
func (a *tailAverage) restore(count int, mean []float32) {
	a.count = count
	for i, w := range mean {
		a.sum[i] = float64(count) * float64(w)
	}
}
