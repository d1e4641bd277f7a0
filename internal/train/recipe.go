package train

import "math"

// The recipe: what a user who tunes nothing gets. Every default is a function of the config alone, of public numbers;
// never of measured speed or of records, else ε and σ would differ from machine to machine or tell of the table.

// fullBatchWork is the largest rows × parameters for which every row joins every step. Full-batch descent has exact
// Gaussian accounting and the best signal to noise ratio; above this it takes too long.
const fullBatchWork = 8e9

// adamLearningRate is what adam takes where no learning rate is stated.
const adamLearningRate = 0.01

// shape is what the recipe looks at.
type shape struct {
	slots  int  // public number of slots
	params int  // length of the parameter vector
	logits int  // 1 for two classes
	hidden bool // has hidden layers
}

// samplingProbability is 1 for logistic regression while rows × parameters allow it, and 0.1 otherwise.
func (s shape) samplingProbability() float64 {
	if !s.hidden && float64(s.slots)*float64(s.params) <= fullBatchWork {
		return 1
	}
	return 0.1
}

// steps is 200, or 300 with hidden layers. At a fixed learning rate × steps, more steps cost no more noise: where μ, the
// privacy parameter of the whole run, would let the learning rate go beyond its limit, more steps take its place.
func (s shape) steps(mu float64) int {
	if s.hidden {
		return 300
	}
	return 200
}

// learningRate follows from the noise: lr = κ·B/(σ·C·√T), B the divisor, so that the noise injected over the whole run
// has a standard deviation of about κ a weight; limited where the curvature of the loss sets the limit.
func (s shape) learningRate(divisor, noiseMultiplier, maxGradNorm float64, steps int) float64 {
	kappa := 1.4
	if s.hidden {
		kappa = 2
	}
	return math.Min(s.rateLimit(), kappa*divisor/(noiseMultiplier*maxGradNorm*math.Sqrt(float64(steps))))
}

// rateLimit is the largest learning rate of the recipe.
func (s shape) rateLimit() float64 {
	switch {
	case s.hidden:
		return 600
	case s.logits == 1:
		return 40
	}
	return 400
}
