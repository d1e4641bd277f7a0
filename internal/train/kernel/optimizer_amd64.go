//go:build !purego

package kernel

import "unsafe"

func heavyBall(params, velocity, gradient []float32, keep, take, rate, decay float32) {
	if active == generic {
		heavyBallGeneric(params, velocity, gradient, keep, take, rate, decay)
		return
	}
	heavyBallAVX2(unsafe.SliceData(params), unsafe.SliceData(velocity), unsafe.SliceData(gradient), len(gradient), keep, take, rate, decay)
}

// adam leaves what is beyond whole vectors to the generic version, which gives the same bits.
func adam(params, mean, square, gradient []float32, s AdamStep) {
	whole := len(gradient) / 4 * 4
	if active == generic || whole == 0 {
		adamGeneric(params, mean, square, gradient, s)
		return
	}
	adamAVX2(&params[0], &mean[0], &square[0], &gradient[0], whole/4,
		s.Keep, s.Take, s.KeepSquare, s.TakeSquare, s.Correct, s.CorrectSquare, s.Tiny, s.Rate, s.Decay)
	adamGeneric(params[whole:], mean[whole:], square[whole:], gradient[whole:], s)
}

func runningMean(mean, x []float32, share float32) {
	if active == generic {
		runningMeanGeneric(mean, x, share)
		return
	}
	runningMeanAVX2(unsafe.SliceData(mean), unsafe.SliceData(x), len(mean), share)
}
