package kernel

// Tanh computes y[i] = gain·tanh(y[i]) in place, within 2 ulp before the multiplication. NaN stays NaN.
func Tanh(y []float32, gain float32) {
	tanh(y, gain)
}

// TanhBackward multiplies d by the derivative of [Tanh] at its output y.
//
//	for i := range d {
//		t := y[i] * (1 / gain)
//		d[i] *= gain * ((1 - t) * (1 + t))
//	}
//
// d and y: of one length; gain: as given to Tanh, not 0. Near saturation the derivative may be off by an ulp of gain. All
// versions give the same bits.
func TanhBackward(d, y []float32, gain float32) {
	tanhBackward(d, shape(y, 1, len(d)), gain)
}

// Relu replaces negative elements of y by +0 and multiplies by gain, above 0. NaN stays NaN. All versions give the same bits.
func Relu(y []float32, gain float32) {
	relu(y, gain)
}

// ReluBackward sets d[i] to +0 where y[i] <= 0, and multiplies by gain. y: the output of [Relu], of d's length. A NaN in y counts
// as above 0. All versions give the same bits.
func ReluBackward(d, y []float32, gain float32) {
	reluBackward(d, shape(y, 1, len(d)), gain)
}

// SoftmaxDelta computes the gradient of the cross-entropy of softmax(logits) with respect to the logits:
// the softmax, minus 1 at the label.
//
//	for i := range m {
//		e := exp(logits[i] - max(logits[i]))        // [n]
//		rest := sum of e but for e[labels[i]]
//		delta[i] = e / (rest + e[labels[i]])
//		delta[i][labels[i]] = -rest / (rest + e[labels[i]])
//	}
//
// delta, logits: [m×n], and may be the same slice; labels: [m], each in [0, n), else it panics. The relative error of an
// element is at most (8 + |logit − max|)·2⁻²⁴, the second term from the rounding of that difference, also where a row is
// sure of its label; or the absolute error at most n·2⁻¹²⁵, as e below exp(−87) is 0. A row with a NaN or +Inf logit
// becomes NaN throughout.
func SoftmaxDelta(delta, logits []float32, labels []int32, m, n int) {
	labels = shape(labels, 1, m)
	checkLabels(labels, n)
	softmaxDelta(shape(delta, m, n), shape(logits, m, n), labels, m, n)
}

// SigmoidDelta computes the gradient of the cross-entropy of sigmoid(logits) with respect to the logits.
//
//	for i := range delta {
//		if labels[i] == 0 {
//			delta[i] = 1 / (1 + exp(-logits[i]))
//		} else {
//			delta[i] = -1 / (1 + exp(logits[i]))
//		}
//	}
//
// delta, logits and labels: of one length; delta and logits may be the same slice; labels: each 0 or 1, else it panics.
// The relative error is at most 4·2⁻²⁴, or the absolute error 2⁻¹²⁵.
func SigmoidDelta(delta, logits []float32, labels []int32) {
	logits, labels = shape(logits, 1, len(delta)), shape(labels, 1, len(delta))
	checkLabels(labels, 2)
	sigmoidDelta(delta, logits, labels)
}

// checkLabels panics unless every label is in [0, n).
func checkLabels(labels []int32, n int) {
	for _, label := range labels {
		if uint(label) >= uint(n) {
			panic("kernel: label out of range")
		}
	}
}
