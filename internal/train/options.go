package train

// Options is a training job as its config states it: every value public, nothing yet derived. Zero values and nil
// pointers mean "not stated"; [NewPlan] fills them in by the recipe and refuses what cannot be run.
type Options struct {
	// Rows is the declared public number of rows: required by zero-out adjacency; 0 when not stated.
	Rows int
	// RowsAtMost is the public cap on the number of rows that takes the place of Rows under add/remove adjacency.
	RowsAtMost int

	// NoPrivacy leaves out clipping and noise: the model is then not private. No key of the config says so.
	NoPrivacy bool

	Model   ModelOptions
	Privacy PrivacyOptions
	Train   TrainOptions
}

// ModelOptions is the config's model section.
type ModelOptions struct {
	Hidden     []int  // widths of the hidden layers; none is logistic regression
	Activation string // "tanh" or "relu"; empty: tanh
}

// PrivacyOptions is the config's privacy section.
type PrivacyOptions struct {
	Unit            string   // "row"; required
	Adjacency       string   // "zero_out", "add_or_remove_one" or "replace_one"; empty: zero_out
	TargetEpsilon   *float64 // exactly one of these two is stated
	NoiseMultiplier *float64
	Delta           float64 // in (0, 1); required
	MaxGradNorm     float64 // clipping norm C; 0: 1
	Accountant      string  // "pld" or "rdp"; empty: pld

	MaxRowsPerPerson int // up to how many rows one person has, at most 128; 0: not stated

	// Shares of the budget μ² that queries take; nil: 0.03. Each is stated only where its query is asked.
	StandardizeShare *float64
	HistogramShare   *float64
}

// TrainOptions is the config's train section.
type TrainOptions struct {
	Steps               *int     // nil: by the recipe, or from Epochs
	Epochs              *float64 // with BatchSize: steps = ceil(epochs × rows / batch size)
	SamplingProbability *float64 // in (0, 1]; nil: by the recipe, or from BatchSize
	BatchSize           *int     // expected batch size; with Rows, sampling probability = batch size / rows
	Optimizer           string   // "sgd" or "adam"; empty: sgd
	LearningRate        *float64 // nil: auto, by the recipe
	Momentum            *float64 // in [0, 1); nil: 0.9
	AverageLast         *float64 // in [0, 1]: the share of the last iterates whose mean is the model; nil: 0.5
	WeightDecay         float64  // >= 0

	ClassWeights []float64 // how much a row of each class counts, above 0; nil: all alike
	EvenClasses  bool      // class weights follow from a noised histogram of the labels
}
