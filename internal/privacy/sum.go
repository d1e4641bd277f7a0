package privacy

import "dptrain/internal/privacy/lattice"

// sum draws the step's rows and adds their clipped gradients to the sums.
func (m *Mechanism) sum() {
	ranges := m.plan.Ranges.count(m.plan.Slots)
	if m.wave == nil {
		m.crew.each(ranges, m.tasks.sumRange)
		return
	}
	for first := 0; first < ranges; first += len(m.wave.drawn) {
		m.sumWave(first, min(len(m.wave.drawn), ranges-first))
	}
}

// draw returns the rows that stand in range t's drawn slots, in slot order, in memory that starts with dst.
func (m *Mechanism) draw(dst []int32, w, t int) []int32 {
	lo := t * m.plan.Ranges.Slots
	hi := min(lo+m.plan.Ranges.Slots, m.plan.Slots)
	coins := &m.workers[w].coins
	m.coins.Open(coins, m.step, uint64(t))
	drawn := m.plan.Sampler.Sample(dst[:0], lo, hi, coins)
	// More than MaxDrawn, which Tail pays for, are cut off, so that memory is bounded.
	return drawn[:min(len(drawn), m.plan.Ranges.MaxDrawn)]
}

// clipped computes the gradients of a group's rows, scales each to the clipping norm, and adds what is sparse of them to worker
// w's sum.
func (m *Mechanism) clipped(w, group int, rows []int32) Gradients {
	k := &m.workers[w]
	norms, scale := k.norms[:len(rows)], k.scale[:len(rows)]
	g := m.gradients(group, rows)
	g.SquaredNorms(norms)
	m.plan.Clipper.Scale(scale, norms)
	g.Scale(scale)
	if k.products != nil {
		g.AddProducts(k.addProduct)
	}
	return g
}

// sumRange adds the clipped gradients of range t's drawn rows to worker w's sum. The float32 sum starts at +0 for each
// range and is rounded to the lattice where the range ends.
func (m *Mechanism) sumRange(w, t int) {
	k := &m.workers[w]
	k.drawn = m.draw(k.drawn, w, t)
	rows := m.slots.resolve(k.drawn)
	if len(rows) == 0 {
		return
	}
	for len(rows) > 0 {
		n := min(len(rows), m.layout.GroupRows)
		g := m.clipped(w, w, rows[:n])
		g.AddTo(k.range32, m.plan.Sparse.coordinates(), m.plan.Params)
		rows = rows[n:]
	}
	lattice.RoundAdd(k.sum, k.range32, 1/m.plan.Lattice.Step)
}

// A wave is some ranges whose rows' gradients are held together.
type wave struct {
	first  int       // its first range
	drawn  [][]int32 // by range of the wave: slots drawn, then their rows
	rows   [][]int32 // by range of the wave: the rows
	groups []group   // of all its ranges, in order
}

// group is consecutive drawn rows of one range.
type group struct {
	at   int // number of the range in its wave
	rows []int32
	held Gradients
}

// newWave returns the memory for waves of as many ranges as the layout's groups hold, or nil where it asks for none.
func newWave(p *Plan, l Layout) *wave {
	if !l.Waves {
		return nil
	}
	ranges := min(l.Groups/l.groupsPerRange(p), p.Ranges.count(p.Slots))
	v := &wave{drawn: make([][]int32, ranges), rows: make([][]int32, ranges), groups: make([]group, 0, l.Groups)}
	for i := range v.drawn {
		v.drawn[i] = make([]int32, 0, p.Ranges.MaxDrawn+drawnSlack)
	}
	return v
}

// cut cuts the rows of the wave's first ranges into groups of at most groupRows rows, or a half or a quarter of that where
// there would be too few for all workers to end together. Larger ones pass the sum less often.
func (v *wave) cut(ranges, groupRows, workers int) {
	const perWorker, fewest = 2, 24
	total := 0
	for _, rows := range v.rows[:ranges] {
		total += len(rows)
	}
	for groupRows >= 2*fewest && total < perWorker*workers*groupRows && 2*total/groupRows+ranges <= cap(v.groups) {
		groupRows /= 2
	}
	v.groups = v.groups[:0]
	for at, rows := range v.rows[:ranges] {
		for count := (len(rows) + groupRows - 1) / groupRows; len(rows) > 0; count-- {
			n := min(len(rows), groupRows, (len(rows)/count+TileRows-1)/TileRows*TileRows)
			v.groups = append(v.groups, group{at: at, rows: rows[:n]})
			rows = rows[n:]
		}
	}
}

// TileRows is the number of rows that products take together: groups are best a multiple of it.
const TileRows = 12

// sumWave adds the clipped gradients of the drawn rows of count ranges from first on to the sum.
func (m *Mechanism) sumWave(first, count int) {
	m.wave.first = first
	m.crew.each(count, m.tasks.draw)
	m.wave.cut(count, m.layout.GroupRows, m.layout.Workers)
	m.crew.each(len(m.wave.groups), m.tasks.clip)
	m.crew.each(len(m.layout.Blocks)-1, m.tasks.sumBlock)
}

// drawRange draws the wave's range i.
func (m *Mechanism) drawRange(w, i int) {
	v := m.wave
	v.drawn[i] = m.draw(v.drawn[i], w, v.first+i)
	v.rows[i] = m.slots.resolve(v.drawn[i])
}

// clipGroup computes the wave's group i.
func (m *Mechanism) clipGroup(w, i int) {
	g := &m.wave.groups[i]
	g.held = m.clipped(w, i, g.rows)
}

// sumBlock adds block b of the wave's gradients to the sum, range by range: sumRange on some of the coordinates.
func (m *Mechanism) sumBlock(w, b int) {
	sparse := m.plan.Sparse.coordinates()
	lo, hi := m.layout.Blocks[b], m.layout.Blocks[b+1]
	if lo < sparse { // its rows were added when they were clipped
		return
	}
	range32 := m.workers[w].range32[:hi-lo]
	groups := m.wave.groups
	for i := range groups {
		groups[i].held.AddTo(range32, lo, hi)
		if i+1 == len(groups) || groups[i+1].at != groups[i].at {
			lattice.RoundAdd(m.shared[lo-sparse:hi-sparse], range32, 1/m.plan.Lattice.Step)
		}
	}
}
