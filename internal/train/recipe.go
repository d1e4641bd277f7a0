package train

import "math"

// The recipe: what a user who tunes nothing gets. Every default is a function of the config alone, of public numbers;
// never of measured speed or of records, else ε and σ would differ from machine to machine or tell of the table. Its
// constants were chosen on a held-out part of training tables, never on a test table.

// fullBatchWork is the largest rows × parameters for which every row joins every step. Full-batch descent has exact
// Gaussian accounting and the best signal to noise ratio; above this it takes too long.
const fullBatchWork = 8e9

// travel is κ, the standard deviation of a weight after all the noise of a run, in the absence of any gradient. Under a
// given privacy it is also, up to a factor, how far a weight can go: less leaves a model under-trained, more drowns it.
const travel = 1.4

// adamLearningRate is what adam takes where no learning rate is stated.
const adamLearningRate = 0.01

// shape is what the recipe looks at.
type shape struct {
	slots   int  // public number of slots
	params  int  // length of the parameter vector
	classes int  // of the label
	hidden  bool // has hidden layers
}

// samplingProbability is 1 for logistic regression while rows × parameters allow it, and 0.2 otherwise.
func (s shape) samplingProbability() float64 {
	if !s.hidden && float64(s.slots)*float64(s.params) <= fullBatchWork {
		return 1
	}
	return 0.2
}

// steps is 200, or 300 with hidden layers. At a fixed learning rate × steps, more steps cost no more noise: where μ,
// the Gaussian privacy parameter of the whole run, would let the learning rate go beyond its limit, up to 600 steps take
// its place. μ is 0 where it is not known.
func (s shape) steps(mu float64) int {
	steps := 200.0
	if s.hidden {
		steps = 300
	}
	return int(math.Max(steps, math.Min(600, math.Ceil(travel*float64(s.slots)*mu/s.rateLimit()))))
}

// learningRate follows from the noise: lr = κ·B/(σ·C·√T), B the divisor, so that the noise injected over the whole run
// has a standard deviation of about κ a weight; limited where the curvature of the loss sets the limit.
func (s shape) learningRate(divisor, noiseMultiplier, maxGradNorm float64, steps int) float64 {
	return math.Min(s.rateLimit(), travel*divisor/(noiseMultiplier*maxGradNorm*math.Sqrt(float64(steps))))
}

// rateLimit is the largest learning rate of the recipe: 20 for each class. With rows of norm 1 and a bias, the
// curvature of the mean loss is at most about 2/classes, where all rows agree and all classes are equally likely; descent
// with momentum 0.9 is stable up to 38 ÷ curvature, which is about 20 × classes.
func (s shape) rateLimit() float64 { return 20 * float64(s.classes) }
