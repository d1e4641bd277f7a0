package train

import "time"

// A pace decides how many steps are reserved at once. What a killed process had reserved is lost, so blocks are short;
// each costs a checkpoint and an entry in the log, a few milliseconds, so they are not too short. A block takes thirty
// times as long as keeping the last one did, at least 50 ms, and a hundredth of the time passed so far: some hundreds of
// entries for a run of any length.
//
// The clock is wall time, which depends on the records. It decides what a killed run loses, and nothing else; where the
// number of rows is private there is no clock, and a block is a twentieth of the steps.
type pace struct {
	clock func() time.Duration // since any moment; nil: no clock
	steps int                  // planned

	block  int           // steps in the last block; 0 before the first
	begun  time.Duration // when the first block was asked for
	ended  time.Duration // when the last block had ended
	opened time.Duration // when the last block began
}

const (
	blockPerCost = 30                    // length of a block, in times of keeping one
	minBlock     = 50 * time.Millisecond // length of a block, at least
	blocksAll    = 20                    // blocks where there is no clock
)

// next is the number of steps of the next block, at most left. Its caller keeps the last block safe, and then calls kept.
func (c *pace) next(left int) int {
	if c.clock == nil {
		return min(left, (c.steps+blocksAll-1)/blocksAll)
	}
	now := c.clock()
	if c.block == 0 {
		c.block, c.begun, c.ended = 1, now, now // one step, to see how long it takes
		return 1
	}
	length := max(blockPerCost*(c.opened-c.ended), minBlock, (now-c.begun)/100)
	step := max(1, (now-c.opened)/time.Duration(c.block))
	c.block = int(min(int64(left), max(1, int64(length/step))))
	c.ended = now
	return c.block
}

// kept says that the last block is safe and the next begins.
func (c *pace) kept() {
	if c.clock != nil {
		c.opened = c.clock()
	}
}
