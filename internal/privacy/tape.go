package privacy

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"sync"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
)

// A Tape runs a mechanism twice, on two neighbouring tables with one randomness, and compares what the runs do: record
// and play (Cebere, Erb, Desfontaines, Bellet and Fitzsimons 2026, arXiv:2602.17454). The first run is real. The second
// throws the same coins; where it would draw noise, the Tape compares the exact sums of both and gives out what the first
// run gave out. From there on both runs know the same, so that whatever else differs between them, a model, a report, a line
// of output, has come around the noise.
//
// A Tape sees exact sums. It takes a seed therefore, and never a key: no run that promises anything can be taped.
type Tape struct {
	seed   uint64
	steps  []*tapeStep       // of the first run, its queries among them
	played int               // steps of the second run so far
	drawn  map[[4]int64]bool // the first draws of each block so far
	found  Comparison
}

// A Comparison is what a Tape found.
type Comparison struct {
	// Moved is the largest distance of the two sums of a step, in units of what neighbours may differ by.
	Moved float64
	// Draws is the number of coordinates that noise was added to, and Noise its mean square in units of what is claimed.
	Draws int
	Noise float64
	// Faults says what is not as it must be; none is the only good number.
	Faults []string
}

// tapeStep is what one step did.
type tapeStep struct {
	mutex  sync.Mutex
	ranges map[int]tapeRange // by first slot
	rows   []int32           // whose gradients were asked for
	blocks map[uint64]tapeBlock
	moved  *big.Int // squared distance of the sums, in lattice steps
}

// tapeRange is a range of slots whose coins were thrown.
type tapeRange struct {
	end   int
	drawn []int32
	coin  uint64 // the coin after the last: it tells which stream they are of, and how many were thrown
}

// tapeBlock is a block of coordinates to which noise was added.
type tapeBlock struct {
	sum, noisy []int64
	first      [4]int64 // draws, as far as there are so many
	word       uint64   // of the noise's stream, after the last
}

// NewTape returns an empty tape, on which all randomness is that of the seed.
func NewTape(seed uint64) *Tape { return &Tape{seed: seed, drawn: make(map[[4]int64]bool)} }

// Taped is a mechanism on a tape.
type Taped struct {
	tape      *Tape
	mechanism *Mechanism
	plan      *Plan // of the steps or of a query
	now       *tapeStep
	played    bool
	bound     float64 // by which sums of neighbours may differ
	apart     int32   // the row in which the tables differ
	done      int
}

// Record is the first run, over all rows.
func (t *Tape) Record(p *Plan, slots Slots, layout Layout) (*Taped, error) {
	return t.run(p, func(watched *Plan, key rng.Key) (*Mechanism, error) {
		return NewMechanism(watched, slots, key, layout)
	})
}

// RecordQuery is query i of the first run.
func (t *Tape) RecordQuery(p *Plan, i int, slots Slots, workers int) (*Taped, error) {
	return t.run(p.queries[i], func(watched *Plan, key rng.Key) (*Mechanism, error) {
		asking := *p
		asking.queries = slices.Clone(p.queries)
		asking.queries[i] = watched
		return NewQuery(&asking, i, slots, key, workers)
	})
}

// Play makes of what was to be recorded a part of the second run, over a table that differs from the first in row apart, by
// nulling it or by its not being there; or, under accounting.ReplaceOne, by another row in its place.
func (r *Taped) Play(apart int32, adjacency accounting.Adjacency) *Taped {
	r.played, r.apart = true, apart
	r.bound = r.plan.Clipper.Bound() * (1 + r.plan.Lattice.Eta)
	if adjacency == accounting.ReplaceOne { // by way of the table where the row is null
		r.bound *= 2
	}
	return r
}

func (t *Tape) run(p *Plan, ready func(*Plan, rng.Key) (*Mechanism, error)) (*Taped, error) {
	r := &Taped{tape: t, plan: p}
	watched := *p
	watched.Sampler = tapedSampler{p.Sampler, r}
	var err error
	if r.mechanism, err = ready(&watched, rng.TestKey(t.seed)); err != nil {
		return nil, err
	}
	r.mechanism.noise = tapedNoise{r.mechanism.noise, r}
	return r, nil
}

// Found is the comparison of the steps that both runs have done.
func (t *Tape) Found() Comparison {
	c := t.found
	c.Noise /= math.Max(1, float64(c.Draws))
	return c
}

func (t *Tape) fault(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(t.found.Faults, text) {
		t.found.Faults = append(t.found.Faults, text)
	}
}

// Spent is what the steps cost.
func (r *Taped) Spent() accounting.Event { return r.mechanism.Spent() }

// Close ends the mechanism.
func (r *Taped) Close() { r.mechanism.Close() }

// Step is a step of the mechanism.
func (r *Taped) Step(dst []float32, gradients Source, released func(lo int, mean []float32)) {
	if dst == nil {
		dst = make([]float32, r.plan.Params)
	}
	r.now = &tapeStep{ranges: make(map[int]tapeRange), blocks: make(map[uint64]tapeBlock), moved: new(big.Int)}
	if r.played && r.tape.played >= len(r.tape.steps) {
		r.tape.fault("one run takes more steps than the other")
		r.played = false
	}
	r.mechanism.Step(dst, func(group int, rows []int32) Gradients {
		r.now.mutex.Lock()
		r.now.rows = append(r.now.rows, rows...)
		r.now.mutex.Unlock()
		return gradients(group, rows)
	}, released)
	r.checkRelease(dst)
	if !r.played {
		r.tape.steps = append(r.tape.steps, r.now)
	} else {
		r.compare(r.tape.steps[r.tape.played])
		r.tape.played++
	}
	r.done++
}

// checkRelease holds one step against what it must do on any table.
func (r *Taped) checkRelease(dst []float32) {
	covered := 0
	unit := r.plan.Lattice.Step / (r.plan.Sampler.Probability() * float64(r.plan.Slots))
	for t, b := range r.now.blocks {
		first := r.mechanism.layout.Blocks[t]
		covered += len(b.sum)
		for j, v := range b.noisy {
			if first+j >= len(dst) || dst[first+j] != float32(float64(v)*unit) {
				r.tape.fault("step %d gives out something else than the noisy sum over the public divisor", r.done)
				break
			}
			if !r.played {
				z := float64(v-b.sum[j]) / float64(r.plan.Lattice.Parameter)
				r.tape.found.Noise += z * z
				r.tape.found.Draws++
			}
		}
		if !r.played && r.tape.drawn[b.first] {
			r.tape.fault("step %d draws noise that was drawn before", r.done)
		}
		r.tape.drawn[b.first] = true
	}
	if covered != len(dst) {
		r.tape.fault("step %d adds noise to %d of %d coordinates", r.done, covered, len(dst))
	}
	slots := 0
	for first, g := range r.now.ranges {
		slots += g.end - first
	}
	if slots != r.plan.Slots {
		r.tape.fault("step %d throws coins for %d of %d slots", r.done, slots, r.plan.Slots)
	}
}

// compare holds the step against the one of the first run.
func (r *Taped) compare(first *tapeStep) {
	same := len(first.ranges) == len(r.now.ranges)
	for lo, g := range r.now.ranges {
		other := first.ranges[lo]
		same = same && g.end == other.end && g.coin == other.coin && slices.Equal(g.drawn, other.drawn)
	}
	if !same {
		r.tape.fault("step %d throws other coins", r.done)
	}
	if !slices.Equal(r.others(first.rows), r.others(r.now.rows)) {
		r.tape.fault("step %d asks for other rows' gradients", r.done)
	}
	for t, b := range r.now.blocks {
		if other := first.blocks[t]; len(other.sum) != len(b.sum) || other.first != b.first || other.word != b.word {
			r.tape.fault("step %d draws other noise", r.done)
		}
	}
	square := new(big.Float).SetPrec(200).SetInt(r.now.moved)
	moved, _ := square.Sqrt(square).Float64()
	moved *= r.plan.Lattice.Step / r.bound
	r.tape.found.Moved = math.Max(r.tape.found.Moved, moved)
	if moved > 1 {
		r.tape.fault("step %d: the sums of neighbours differ by %.6g times what they may", r.done, moved)
	}
}

// others is rows in ascending order, without the one in which the tables differ.
func (r *Taped) others(rows []int32) []int32 {
	rows = slices.DeleteFunc(slices.Clone(rows), func(row int32) bool { return row == r.apart })
	slices.Sort(rows)
	return rows
}

// tapedSampler is a sampler whose coins are seen.
type tapedSampler struct {
	Sampler
	run *Taped
}

func (s tapedSampler) Sample(dst []int32, lo, hi int, coins *rng.Stream) []int32 {
	before := len(dst)
	dst = s.Sampler.Sample(dst, lo, hi, coins)
	now := s.run.now
	now.mutex.Lock()
	defer now.mutex.Unlock()
	if _, again := now.ranges[lo]; again {
		s.run.tape.fault("step %d throws the coins of a range twice", s.run.done)
	}
	now.ranges[lo] = tapeRange{end: hi, drawn: slices.Clone(dst[before:]), coin: coins.Uint64()}
	return dst
}

// tapedNoise is a noiser whose sums are seen and, in the second run, replaced.
type tapedNoise struct {
	noiser
	run *Taped
}

func (n tapedNoise) addNoise(sum []int64, step, t uint64, stream *rng.Stream) {
	b := tapeBlock{sum: slices.Clone(sum)}
	n.noiser.addNoise(sum, step, t, stream)
	b.noisy, b.word = slices.Clone(sum), stream.Uint64()
	for j := range min(len(sum), len(b.first)) {
		b.first[j] = sum[j] - b.sum[j]
	}
	now := n.run.now
	now.mutex.Lock()
	defer now.mutex.Unlock()
	now.blocks[t] = b
	if !n.run.played {
		return
	}
	first := n.run.tape.steps[n.run.tape.played].blocks[t]
	if len(first.noisy) != len(sum) {
		return // compare says so
	}
	for j, v := range b.sum {
		if d := v - first.sum[j]; d != 0 {
			square := big.NewInt(d)
			now.moved.Add(now.moved, square.Mul(square, square))
		}
	}
	copy(sum, first.noisy)
	b.noisy = first.noisy
	now.blocks[t] = b
}
