package kernel

// HeavyBall moves parameters by a step of gradient descent with damped momentum.
//
//	for i, g := range gradient {
//		velocity[i] = keep*velocity[i] + take*g
//		params[i] -= rate*velocity[i] + decay*params[i]
//	}
//
// params, velocity and gradient: of one length; the first two are written. Every operation rounds, in the order of the loop. All
// versions give the same bits.
func HeavyBall(params, velocity, gradient []float32, keep, take, rate, decay float32) {
	n := len(gradient)
	heavyBall(shape(params, 1, n), shape(velocity, 1, n), gradient, keep, take, rate, decay)
}

// AdamStep is the numbers of one step of [Adam].
type AdamStep struct {
	Keep, Take             float64 // shares of the mean and of the gradient in the new mean: β₁ and 1−β₁
	KeepSquare, TakeSquare float64 // the same of the mean square: β₂ and 1−β₂
	Correct, CorrectSquare float64 // divisors of the means, for having started at 0: 1−β₁ⁿ and 1−β₂ⁿ
	Tiny                   float64 // ε
	Rate, Decay            float64
}

// Adam moves parameters by a step of Adam with decoupled weight decay, computed in float64.
//
//	for i, g := range gradient {
//		m := s.Keep*mean[i] + s.Take*g
//		v := s.KeepSquare*square[i] + s.TakeSquare*g*g
//		mean[i], square[i] = float32(m), float32(v)
//		move := m/s.Correct/(sqrt(v/s.CorrectSquare)+s.Tiny) + s.Decay*params[i]
//		params[i] -= float32(s.Rate * move)
//	}
//
// params, mean, square and gradient: of one length; the first three are written. Every operation rounds, in the order of the loop. All
// versions give the same bits.
func Adam(params, mean, square, gradient []float32, s AdamStep) {
	n := len(gradient)
	adam(shape(params, 1, n), shape(mean, 1, n), shape(square, 1, n), gradient, s)
}

// RunningMean moves means towards values.
//
//	for i := range mean {
//		mean[i] += (x[i] - mean[i]) * share
//	}
//
// mean and x: of one length. Every operation rounds. All versions give the same bits.
func RunningMean(mean, x []float32, share float32) {
	runningMean(mean, shape(x, 1, len(mean)), share)
}
