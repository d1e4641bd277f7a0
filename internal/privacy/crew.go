package privacy

import "sync/atomic"

// A crew is the goroutines that work on a step together. What a step does between two parts of its work takes
// microseconds, and waking a sleeping goroutine takes tens of them, so workers wait awake for a while before they sleep.
// They do sleep: a worker that kept its processor while it waits could be in the way of the one that it waits for.
type crew struct {
	helpers []waiter // the goroutines beside the caller's
	caller  waiter

	task  func(worker, i int) // what the part at hand does
	count int64               // for i in [0, count)

	_      [64]byte     // what follows changes all the time: a cache line for each
	part   atomic.Int64 // number of the part at hand, or dismissed
	_      [64]byte
	next   atomic.Int64 // the next i
	_      [64]byte
	absent atomic.Int64 // helpers that are not done with the part
}

// dismissed is the last part of a crew's work.
const dismissed = -1

// newCrew starts workers−1 goroutines, which end with dismiss.
func newCrew(workers int) *crew {
	c := &crew{helpers: make([]waiter, workers-1), caller: newWaiter()}
	for i := range c.helpers {
		c.helpers[i] = newWaiter()
		go c.help(i + 1)
	}
	return c
}

// each calls task(worker, i) for each i in [0, n), in any order, from all workers, and returns when all is done. The caller is
// worker 0.
func (c *crew) each(n int, task func(worker, i int)) {
	if len(c.helpers) == 0 || n == 1 {
		for i := range n {
			task(0, i)
		}
		return
	}
	c.task, c.count = task, int64(n)
	c.next.Store(0)
	c.begin(c.part.Load() + 1)
	c.work(0)
	c.finish()
}

// dismiss ends the goroutines, and returns when they are at their end.
func (c *crew) dismiss() {
	c.begin(dismissed)
	c.finish()
}

// begin sets all helpers to the part.
func (c *crew) begin(part int64) {
	c.absent.Store(int64(len(c.helpers)))
	c.part.Store(part)
	for i := range c.helpers {
		c.helpers[i].wake()
	}
}

// finish waits until all helpers are done with the part.
func (c *crew) finish() {
	c.caller.await(func() bool { return c.absent.Load() == 0 })
}

// help is a helper's goroutine.
func (c *crew) help(worker int) {
	for part := int64(0); part != dismissed; {
		c.helpers[worker-1].await(func() bool { return c.part.Load() != part })
		if part = c.part.Load(); part != dismissed {
			c.work(worker)
		}
		if c.absent.Add(-1) == 0 {
			c.caller.wake()
		}
	}
}

// work takes one i after another while there are any.
func (c *crew) work(worker int) {
	for i := c.next.Add(1) - 1; i < c.count; i = c.next.Add(1) - 1 {
		c.task(worker, int(i))
	}
}

// A waiter is how one goroutine waits for another.
type waiter struct {
	asleep *atomic.Bool
	signal chan struct{} // of one element: sent to by whoever clears asleep
}

func newWaiter() waiter { return waiter{new(atomic.Bool), make(chan struct{}, 1)} }

// patience is how often a waiter looks before it sleeps: some ten microseconds.
const patience = 8_000

// await returns when done does, which someone makes true before they call wake.
func (w waiter) await(done func() bool) {
	for {
		for range patience {
			if done() {
				return
			}
		}
		w.asleep.Store(true)
		// What was done meanwhile may have missed that; otherwise whoever does it sends.
		if !done() || !w.asleep.CompareAndSwap(true, false) {
			<-w.signal
		}
	}
}

// wake ends the waiter's sleep, if it sleeps.
func (w waiter) wake() {
	if w.asleep.Load() && w.asleep.CompareAndSwap(true, false) {
		w.signal <- struct{}{}
	}
}
