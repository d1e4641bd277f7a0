package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"dptrain/internal/data"
	"dptrain/internal/privacy"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train/nn"
)

// A Run is what a fit needs beside its plan and its table.
type Run struct {
	Key      rng.Key
	Workers  int            // goroutines; at least 1; changes no result
	Progress func(done int) // called after each step with the number of steps done; may be nil
	// Attempt is where steps are reserved before they are drawn, and what was learned is kept; it is open. Nil: nowhere,
	// for a run that is charged whole by other means.
	Attempt *Attempt
	// Clock is the time since any moment, by which the attempt is paced; nil where time may not tell of the records.
	Clock func() time.Duration

	// watch makes the mechanism where its work is to be seen: in a replay, or in an audit. No other package can set it.
	watch      func(slots privacy.Slots, layout privacy.Layout) (means, error)
	watchQuery func(i int, slots privacy.Slots) (means, error)
}

// A Fitted is the outcome of a fit.
type Fitted struct {
	Params []float32        // the model
	Steps  int              // steps applied, by this attempt and those before it
	Drawn  int              // steps that this attempt trained for
	Ledger *ReportLedger    // where the run is entered; nil: nowhere
	Spent  accounting.Event // what that cost

	Learned  *Learned     // before the first step; nil: nothing
	Encoding *data.Schema // by which the model encodes tables
}

// A DivergedError says that a model's parameters ran away.
type DivergedError struct{ LearningRate float64 }

func (e *DivergedError) Error() string {
	return fmt.Sprintf("the model diverged at learning rate %v; its privacy is spent, and no model was written", e.LearningRate)
}

// Hint is what to do about it.
func (e *DivergedError) Hint() string {
	return "lower train.learning_rate, or leave it to the recipe, and start anew with --fresh"
}

// groupBytes is the memory that one group of rows may take in a worker's scratch: half of a small second-level cache,
// so that a row is read from memory once for forward and backward.
const groupBytes = 1 << 19

// Fit trains a model by the plan. It errs where the table does not match the plan, where ctx ends, where steps cannot be
// reserved, and with a *DivergedError; what the attempt has kept by then is what was learned.
func Fit(ctx context.Context, p *Plan, d *data.Dataset, r Run) (*Fitted, error) {
	layout := newLayout(p, r.Workers)
	means, err := p.newMeans(d, r, layout)
	if err != nil {
		return nil, err
	}
	defer means.Close()
	learned, err := p.learn(d, r, means)
	if err != nil {
		return nil, err
	}
	encoding, err := p.encoding(learned)
	if err != nil {
		return nil, err
	}
	if encoding != p.Schema {
		d = d.Standardized(encoding)
	}
	table, err := newTable(p.Net, d)
	if err != nil {
		return nil, err
	}
	batches := make([]*nn.Batch, layout.Groups)
	for i := range batches {
		batches[i] = p.Net.NewBatch(layout.GroupRows)
	}

	l := p.startLearner(r)
	keep := newKeeper(r, l)
	weights := p.Net.NewWeights(keepsPacked(p, layout))
	weights.Set(l.params)
	weighted := weighting(table, p.classWeights(learned), layout)
	gradients := func(group int, rows []int32) privacy.Gradients {
		return weighted(group, rows, batches[group].Gradients(weights, table, rows))
	}
	learn := func(lo int, mean []float32) {
		l.learn(lo, mean)
		weights.Update(lo, lo+len(mean))
	}
	first := l.next
	for l.next < p.Train.Steps {
		if ctx.Err() != nil {
			return nil, errors.Join(keep.stop(), ctx.Err())
		}
		if err := keep.reserve(); err != nil {
			return nil, err
		}
		means.Step(nil, gradients, learn)
		l.learned()
		if r.Progress != nil {
			r.Progress(l.next)
		}
	}
	if err := keep.save(); err != nil {
		return nil, err
	}
	fitted, err := l.model()
	if err != nil {
		return nil, err
	}
	fitted.Drawn, fitted.Spent = l.next-first, means.Spent()
	fitted.Learned, fitted.Encoding = learned, encoding
	return fitted, nil
}

// weighting returns a function that gives the gradients of rows the weights of their classes; nil weighs all alike.
func weighting(table *nn.Table, ofClass []float32, layout privacy.Layout) func(group int, rows []int32, g privacy.Gradients) privacy.Gradients {
	if ofClass == nil {
		return func(_ int, _ []int32, g privacy.Gradients) privacy.Gradients { return g }
	}
	weights, scratch := make([][]float32, layout.Groups), make([][]float32, layout.Groups)
	for i := range weights {
		weights[i], scratch[i] = make([]float32, layout.GroupRows), make([]float32, layout.GroupRows)
	}
	return func(group int, rows []int32, g privacy.Gradients) privacy.Gradients {
		of := weights[group][:len(rows)]
		for i, row := range rows {
			of[i] = ofClass[table.Labels[row]]
		}
		return privacy.Weighted{Gradients: g, Weights: of, Scratch: scratch[group]}
	}
}

// newTable makes a dataset ready for a net.
func newTable(net *nn.Net, d *data.Dataset) (*nn.Table, error) {
	t := &nn.Table{Rows: d.Rows, Dense: d.Dense, Indptr: d.Indptr, Indices: d.Indices, Values: d.Values, Labels: d.Labels}
	return t, t.Check(net.Shape())
}

// newLayout cuts the plan's steps up for the caches.
func newLayout(p *Plan, workers int) privacy.Layout {
	l := privacy.Layout{Workers: workers, GroupRows: groupRows(p.Net), Groups: workers, Blocks: p.Net.Blocks()}
	sparse := sparseParams(p.Net)
	if p.Net.Params()-sparse <= fewParams || sparse > 0 && p.Noiseless() {
		return l
	}
	l.GroupRows = min(240, max(48, waveGroupBytes/rowBytes(p.Net)/privacy.TileRows*privacy.TileRows))
	perRange := 1
	if !p.Noiseless() {
		perRange = (p.Mechanism.Ranges.MaxDrawn + l.GroupRows - 1) / l.GroupRows
	}
	if groups := waveBytes / (rowBytes(p.Net) * l.GroupRows); groups >= perRange {
		l.Waves, l.Groups = true, max(perRange, min(groups, waveRows/l.GroupRows))
	}
	return l
}

// Workers is how many of most goroutines are worth while: each should have some ten microseconds of a step. They meet several times in
// one, which takes a microsecond, and a thousand where other programs want the processors too. It changes no result.
func (p *Plan) Workers(most int) int {
	const share, row, parameter, sums = 10e-6, 1e-7, 2e-9, 3e-10 // seconds; sums: for each parameter and row
	params, dense := float64(p.Net.Params()), float64(p.Net.Params()-sparseParams(p.Net))
	step := p.Divisor()*(row+sums*dense) + parameter*params
	return int(min(float64(most), max(1, step/share)))
}

// sparseParams is the number of weights of sparse inputs.
func sparseParams(net *nn.Net) int {
	columns, width := net.SparseWeights()
	return columns * width
}

// groupRows is the number of rows in a group: a function of the shape alone, and a multiple of the rows in a tile of
// products.
func groupRows(net *nn.Net) int {
	return min(240, max(privacy.TileRows, groupBytes/rowBytes(net)/privacy.TileRows*privacy.TileRows))
}

// rowBytes is the memory that a row takes in a batch.
func rowBytes(net *nn.Net) int {
	s := net.Shape()
	floats := s.Dense + 2*net.Outputs()
	for _, width := range s.Hidden {
		floats += 2 * width
	}
	return 4 * floats
}

// fewParams is the number of parameters, beside those of sparse inputs, whose sums fit beside the rows in each worker's cache.
const fewParams = 1 << 14

// The rows of a wave of ranges that workers share: enough to pass the sum seldom, few enough for the third-level cache.
const (
	waveRows       = 2048
	waveBytes      = 24 << 20
	waveGroupBytes = 3 << 19 // of a group: the sum is passed once for each
)

// keptBytes is what a fit keeps beside packed weights: what the learner has, and sums: in int64 with others beside them in float32; of
// the weights of sparse inputs in two int32. Each worker has its own, but of the former in waves.
func keptBytes(p *Plan, l privacy.Layout) int {
	params, sparse := p.Net.Params(), sparseParams(p.Net)
	kept := params*valueBytes*len(learnerTensors(p)) + 8*sparse*l.Workers
	if l.Waves {
		return kept + 8*(params-sparse)
	}
	return kept + 12*(params-sparse)*l.Workers
}

// packedBytes is what the weights packed for the forward pass take, where they are kept.
func packedBytes(net *nn.Net) int { return valueBytes * (net.Params() - sparseParams(net)) }

// keepsPacked reports whether there is memory for the packed weights beside the parameters, which saves time: whether with them no
// more than 24 bytes a parameter and worker are kept, or they are few.
func keepsPacked(p *Plan, l privacy.Layout) bool {
	const most, few = 24, 1 << 22
	params := p.Net.Params()
	return keptBytes(p, l)+packedBytes(p.Net) <= most*l.Workers*params || params <= few
}

// normals returns a generator of standard normal numbers (Box and Muller 1958) for initial parameters, which depend on
// no record. It is not fit for private noise: see package lattice.
func normals(stream *rng.Stream) func() float64 {
	uniform := func() float64 { return (float64(stream.Uint64()>>11) + 0.5) * 0x1p-53 }
	return func() float64 {
		radius := math.Sqrt(-2 * math.Log(uniform()))
		return radius * math.Cos(2*math.Pi*uniform())
	}
}
