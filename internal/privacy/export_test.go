package privacy

// TestOnlySum is the exact lattice sum of one step before its noise: what no other code gets to see.
func (m *Mechanism) TestOnlySum(step int, gradients Source) []int64 {
	m.step, m.gradients = uint64(step), gradients
	m.sum()
	total := make([]int64, m.plan.Params)
	for b, lo := range m.layout.Blocks[:len(m.layout.Blocks)-1] {
		sum := m.collect(0, lo, m.layout.Blocks[b+1])
		copy(total[lo:], sum)
		clear(sum)
	}
	return total
}
