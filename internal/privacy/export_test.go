package privacy

// TestOnlySum is the exact lattice sum of one step before its noise: what no other code gets to see.
func (m *Mechanism) TestOnlySum(step int, gradients Source) []int64 {
	m.step, m.gradients = uint64(step), gradients
	m.sum()
	total := make([]int64, m.plan.Params)
	for _, w := range m.workers {
		for j, v := range w.sum {
			total[j] += v
		}
		clear(w.sum)
	}
	return total
}
