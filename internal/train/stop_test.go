package train

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train/disk/disktest"
)

// TestStoppedRunsAreChargedWhatTheyDrew tells runs to stop, several times each and after any number of steps, on disks that are calm,
// fail, or lose the process at any call. What is charged is never less than what was drawn, nor less than before; where the disk is calm
// it is exactly that.
func TestStoppedRunsAreChargedWhatTheyDrew(t *testing.T) {
	s := standardizedSchema(t)
	runs := map[string]*crashRun{
		"one row nulled": newCrashRun(t, func(*Options) {}),
		"queries":        newCrashRunOn(t, s, load(t, standardizedTable(t, 40), s), func(o *Options) { o.Train.EvenClasses = true }),
		"one row less": newCrashRun(t, func(o *Options) {
			o.Privacy.Adjacency, o.Rows, o.RowsAtMost = string(accounting.AddOrRemoveOne), 0, 60
		}),
	}
	runs["one row less"].secret = true
	chains := 100
	if testing.Short() {
		chains = 20
	}
	random := rand.New(rand.NewPCG(1, 2))
	for name, whole := range runs {
		exact := 0
		for range chains {
			c := whole.again()
			charged := 0
			for range 1 + random.IntN(4) {
				c.stopAt = 1 + random.IntN(25)
				fsys := &disktest.FS{}
				if random.IntN(3) > 0 {
					faults := disktest.Faults()
					fsys.Fault, fsys.At = faults[random.IntN(len(faults))], 1+random.IntN(90)
					fsys.PowerCut = fsys.Fault.Kills() && random.IntN(2) == 0
				}
				drawn, before := c.drawn, charged
				_, _, err := c.attempt(fsys, -1)
				if charged = c.check(before); fsys.Fault == disktest.None && errors.Is(err, context.Canceled) {
					exact++
					if charged-before != c.drawn-drawn {
						t.Errorf("%s: %d more steps are charged, %d were drawn", name, charged-before, c.drawn-drawn)
					}
				}
				if _, finished := c.charged(); finished {
					break
				}
				if t.Failed() {
					t.Fatalf("%s: stopped after %d steps, %v at call %d: %v", name, c.stopAt, fsys.Fault, fsys.At, err)
				}
			}
		}
		if exact < chains/5 {
			t.Errorf("%s: %d runs were stopped on a calm disk: the test sees little", name, exact)
		}
	}
}
