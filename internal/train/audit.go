package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"dptrain/internal/data"
	"dptrain/internal/privacy"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/audit"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train/nn"
)

// An AuditOutcome is how an attacker fared.
type AuditOutcome struct {
	All    audit.Guesses // at every canary
	Surest audit.Guesses // at the tenth of which the attacker was surest
}

// Audit attacks one run of the plan, on a table that is invented, and returns the attacker's guesses. Fit and mechanism
// are those of any run, with randomness of the key, and do not know of it: between them stand only canaries.
//
// A canary is a row, of a slot of its own, whose gradient is auditLength times C long in one coordinate that is its alone:
// the strongest that the guarantee must withstand, since clipping makes it C in one direction and every row between it and the
// attacker is known. By a coin of its own, which coins decides, it is in the table or null (under replace_one, itself or its
// opposite). The attacker sees the noisy mean of every step, and guesses by the likelihood of the coordinate's values.
//
// The coordinates are spread over all tensors. Other rows' gradients are zero there; elsewhere they are what the net
// computes, so that parameters move as in any run. Given the coins, the guesses are therefore independent (package audit).
func Audit(ctx context.Context, p *Plan, canaries int, coins *rng.Stream, r Run) (AuditOutcome, error) {
	table, err := auditTable(ctx, p, coins)
	if err != nil {
		return AuditOutcome{}, err
	}
	c, err := newCanaries(p, canaries, coins)
	if err != nil {
		return AuditOutcome{}, err
	}
	r.watch = func(slots privacy.Slots, layout privacy.Layout) (means, error) {
		m, err := privacy.NewMechanism(p.Mechanism, slots, r.Key, layout)
		return &audited{m, c, make([]float32, p.Net.Params())}, err
	}
	_, err = Fit(ctx, p, table, r)
	var diverged *DivergedError
	if errors.As(err, &diverged) { // its steps were seen all the same
		err = nil
	}
	return AuditOutcome{c.guesses(canaries), c.guesses((canaries + 9) / 10)}, err
}

// auditTable is as many invented rows as there are slots, over and over the same few.
func auditTable(ctx context.Context, p *Plan, stream *rng.Stream) (*data.Dataset, error) {
	spec := p.Schema.Spec()
	spec.Format = data.JSONL
	schema, err := data.NewSchema(spec)
	if err != nil {
		return nil, err
	}
	const few = 500
	table, err := inventTable(ctx, schema, min(few, p.Slots()), stream)
	if err != nil {
		return nil, err
	}
	rows := make([]int, p.Slots())
	for i := range rows {
		rows[i] = i % table.Rows
	}
	return table.Pick(rows), nil
}

// auditLength is how much longer than the clipping norm a canary's gradient is.
const auditLength = 8

// MaxCanaries is the largest number of canaries that an audit of the plan can have: each takes a slot and a parameter.
func (p *Plan) MaxCanaries() int { return min(p.Slots(), p.Net.Params()) }

// canaries are the rows that an audit plants.
type canaries struct {
	plan  *Plan
	sign  []float32 // [rows]: of the row's gradient in its coordinate; 0: the row is null
	at    []int     // [rows]: the coordinate; −1: the row is no canary
	coord []int     // all coordinates of canaries
	in    []bool    // [canaries]: what the coins said
	score []float64 // [canaries]: log likelihood ratio of being in
	value float32   // of a canary's gradient in its coordinate
}

func newCanaries(p *Plan, n int, coins *rng.Stream) (*canaries, error) {
	if n < 1 || n > p.MaxCanaries() {
		return nil, fmt.Errorf("%d canaries, want 1 to %d", n, p.MaxCanaries())
	}
	c := &canaries{plan: p, sign: make([]float32, p.Slots()), at: make([]int, p.Slots()),
		coord: spread(p.Net.Tensors(), n), in: make([]bool, n), score: make([]float64, n),
		value: float32(auditLength * p.Privacy.MaxGradNorm)}
	for row := range c.at {
		c.at[row] = -1
	}
	for i, j := range c.coord {
		row := int(int64(i) * int64(p.Slots()) / int64(n))
		c.at[row], c.in[i] = j, coins.Uint64()>>63 == 1
		switch {
		case c.in[i]:
			c.sign[row] = 1
		case p.Privacy.Adjacency == accounting.ReplaceOne:
			c.sign[row] = -1
		}
	}
	return c, nil
}

// spread chooses n coordinates, evenly within each block, and as evenly over the blocks as their sizes permit.
func spread(blocks []nn.Tensor, n int) []int {
	share := make([]int, len(blocks))
	for left := n; left > 0; {
		for i, b := range blocks {
			if left > 0 && share[i] < b.To-b.From {
				share[i]++
				left--
			}
		}
	}
	var chosen []int
	for i, b := range blocks {
		for k := range share[i] {
			chosen = append(chosen, b.From+int(int64(k)*int64(b.To-b.From)/int64(share[i])))
		}
	}
	return chosen
}

// audited is the mechanism of a run with canaries among its rows.
type audited struct {
	*privacy.Mechanism
	canaries *canaries
	mean     []float32 // [P]
}

func (a *audited) Step(dst []float32, gradients privacy.Source, released func(lo int, mean []float32)) {
	if dst == nil {
		dst = a.mean
	}
	a.Mechanism.Step(dst, func(group int, rows []int32) privacy.Gradients {
		return &planted{Gradients: gradients(group, rows), canaries: a.canaries, rows: rows}
	}, nil)
	a.canaries.see(dst)
	released(0, dst)
}

// see scores the canaries by what a step gave out. With x a coordinate of the noisy sum in units of C, s the noise's
// standard deviation in the same units, and q the probability of a slot to be drawn, a canary that is in has the
// density of x times 1 − q + q·exp((x − 1/2)/s²) that it has when null.
func (c *canaries) see(mean []float32) {
	m := c.plan.Mechanism
	q, s := m.Sampler.Probability(), m.NoiseMultiplier*(1+m.Lattice.Eta)
	ratio := func(x float64) float64 {
		exponent := (x - 0.5) / (s * s)
		if exponent > 700 { // beyond what exp holds; 1 − q is nothing beside it
			return math.Log(q) + exponent
		}
		return math.Log1p(q * math.Expm1(exponent))
	}
	for i, j := range c.coord {
		x := float64(mean[j]) * m.Divisor() / m.Clipper.Bound()
		c.score[i] += ratio(x)
		if c.plan.Privacy.Adjacency == accounting.ReplaceOne {
			c.score[i] -= ratio(-x)
		}
	}
}

// guesses holds guesses at coins, those of which the scores are surest, against the coins.
func (c *canaries) guesses(made int) audit.Guesses {
	order := make([]int, len(c.in))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(math.Abs(c.score[b]), math.Abs(c.score[a])) })
	g := audit.Guesses{Canaries: len(c.in), Made: made}
	for _, i := range order[:made] {
		if (c.score[i] > 0) == c.in[i] {
			g.Correct++
		}
	}
	return g
}

// planted is a group of rows with canaries in place of some of them.
type planted struct {
	privacy.Gradients
	canaries *canaries
	rows     []int32
	scale    []float32 // [rows]: of canaries; 0 for other rows
}

func (g *planted) SquaredNorms(dst []float64) {
	g.Gradients.SquaredNorms(dst)
	c := g.canaries
	for i, row := range g.rows {
		switch {
		case c.at[row] < 0:
		case c.sign[row] == 0:
			dst[i] = math.NaN() // null
		default:
			dst[i] = float64(c.value) * float64(c.value)
		}
	}
}

// Scale keeps the canaries' scales, and makes null the rows that they stand in place of.
func (g *planted) Scale(scale []float32) {
	others := make([]float32, len(scale))
	g.scale = make([]float32, len(scale))
	for i, row := range g.rows {
		if g.canaries.at[row] < 0 {
			others[i] = scale[i]
		} else {
			g.scale[i] = scale[i]
		}
	}
	g.Gradients.Scale(others)
}

// AddTo adds what the rows' gradients are outside the canaries' coordinates, and the canaries.
func (g *planted) AddTo(sum []float32, lo, hi int) {
	c := g.canaries
	kept := make([]float32, len(c.coord))
	for i, j := range c.coord {
		if j >= lo && j < hi {
			kept[i] = sum[j-lo]
		}
	}
	g.Gradients.AddTo(sum, lo, hi)
	for i, j := range c.coord {
		if j >= lo && j < hi {
			sum[j-lo] = kept[i]
		}
	}
	for i, row := range g.rows {
		if j := c.at[row]; j >= lo && j < hi && g.scale[i] != 0 {
			sum[j-lo] += g.scale[i] * c.sign[row] * c.value
		}
	}
}

// AddProducts is AddTo for the coordinates of sparse inputs. A column by itself is the product of a row's value and its deltas.
func (g *planted) AddProducts(add func(columns []uint32, values, d []float32)) {
	c := g.canaries
	columns, width := c.plan.Net.SparseWeights()
	of := make(map[uint32][]int) // canaries' places in a column
	for _, j := range c.coord {
		if j < columns*width {
			of[uint32(j/width)] = append(of[uint32(j/width)], j%width)
		}
	}
	kept := make([]float32, width)
	g.Gradients.AddProducts(func(columns []uint32, values, d []float32) {
		for t, column := range columns {
			copy(kept, d)
			for _, j := range of[column] {
				kept[j] = 0
			}
			add(columns[t:t+1], values[t:t+1], kept)
		}
	})
	for i, row := range g.rows {
		if j := c.at[row]; j >= 0 && j < columns*width {
			d := make([]float32, width)
			d[j%width] = g.scale[i] * c.sign[row] * c.value
			add([]uint32{uint32(j / width)}, []float32{1}, d)
		}
	}
}

// AuditFamily is the runs of the plan's kind, against which an audit's guesses are held.
func (p *Plan) AuditFamily() (*audit.Family, error) {
	a, err := accounting.New("pld", p.Privacy.Adjacency) // whatever the claim is by: the tightest sees most
	if err != nil {
		return nil, err
	}
	return &audit.Family{Accountant: a, Delta: p.Privacy.Delta, Claimed: p.Privacy.NoiseMultiplier,
		Event: func(noiseMultiplier float64) accounting.Event {
			step := p.Mechanism.Sampler.Event(accounting.Gaussian{NoiseMultiplier: noiseMultiplier})
			return accounting.SelfComposed{Event: step, Count: p.Train.Steps}
		}}, nil
}
