package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dptrain/internal/data"
	"dptrain/internal/privacy"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train/disk"
	"dptrain/internal/train/disk/disktest"
)

// A crashRun is a run in a folder, by as many attempts as it takes.
type crashRun struct {
	t      *testing.T
	dir    string
	plan   *Plan
	table  *data.Dataset
	report *Report // of the plan
	seed   uint64  // of the last attempt
	drawn  int     // steps drawn by all attempts
	stopAt int     // each attempt is told to stop after so many steps; 0: never
	secret bool    // whether there is no clock

	queried []int // queries drawn by all attempts
}

// attempt makes one attempt on fsys. killed says that the process ended; else err is what the attempt gave.
func (c *crashRun) attempt(fsys disk.FS, killAtStep int) (applied int, killed bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			if _, simulated := p.(disktest.Killed); !simulated {
				panic(p)
			}
			killed = true
		}
	}()
	a, err := ResumeAttempt(fsys, c.dir, c.plan)
	if err != nil {
		return 0, false, err
	}
	if a == nil {
		if a, err = NewAttempt(fsys, c.dir, c.plan, "run"); err != nil {
			return 0, false, err
		}
	}
	if err := a.Open(); err != nil {
		return 0, false, err
	}
	c.seed++
	steps := 0
	key := rng.TestKey(c.seed)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	// A step takes a tenth of a block: blocks are of 1, 10, 10, … steps.
	clock := func() time.Duration { return time.Duration(steps) * minBlock / 10 }
	if c.secret {
		clock = nil
	}
	f, err := Fit(ctx, c.plan, c.table, Run{Key: key, Workers: 1, Attempt: a, Clock: clock,
		watch: func(slots privacy.Slots, layout privacy.Layout) (means, error) {
			m, err := privacy.NewMechanism(c.plan.Mechanism, slots, key, layout)
			return counting{m, &c.drawn}, err
		},
		watchQuery: func(i int, slots privacy.Slots) (means, error) {
			c.queried = append(c.queried, i)
			return privacy.NewQuery(c.plan.Mechanism, i, slots, key, 1)
		},
		Progress: func(int) {
			steps++
			if steps == killAtStep {
				panic(disktest.Killed{})
			}
			if steps == c.stopAt {
				stop()
			}
		},
	})
	if err != nil {
		return 0, false, errors.Join(err, a.Close())
	}
	r := *c.report
	m := &Model{Schema: f.Encoding, Net: c.plan.Net, Params: f.Params, Model: c.plan.Model, Privacy: c.plan.Privacy,
		Train: c.plan.Train, Private: true, Version: "test"}
	if err := Write(fsys, c.dir, m, &r); err != nil {
		return 0, false, errors.Join(err, a.Close())
	}
	return f.Steps, false, a.Finish()
}

// counting is a mechanism that counts the steps it draws, whatever becomes of them.
type counting struct {
	*privacy.Mechanism
	drawn *int
}

func (m counting) Step(dst []float32, gradients privacy.Source, released func(lo int, mean []float32)) {
	*m.drawn++
	m.Mechanism.Step(dst, gradients, released)
}

// charged is what a dry run tells, and whether the run has ended.
func (c *crashRun) charged() (steps int, finished bool) {
	c.t.Helper()
	a, err := ResumeAttempt(disk.OS{}, c.dir, c.plan)
	if err != nil {
		c.t.Fatal(err)
	}
	if a != nil {
		return a.Charged(), false
	}
	r, err := ReadFinished(disk.OS{}, c.dir, c.plan)
	if errors.Is(err, os.ErrNotExist) {
		return 0, false
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return r.Mechanism.StepsCharged, true
}

// check holds what stands in the folder against what was drawn.
func (c *crashRun) check(before int) (charged int) {
	c.t.Helper()
	charged, finished := c.charged()
	if charged < c.drawn {
		c.t.Errorf("%d steps are charged, %d drew noise", charged, c.drawn)
	}
	if charged < before {
		c.t.Errorf("%d steps are charged, %d were before", charged, before)
	}
	if charged > c.plan.Train.Steps {
		c.t.Errorf("%d steps are charged, %d are planned", charged, c.plan.Train.Steps)
	}
	_, err := ReadModel(filepath.Join(c.dir, ModelFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) || err != nil && finished {
		c.t.Errorf("the model is not whole: %v", err)
	}
	return charged
}

// newCrashRun readies a run of 40 steps.
func newCrashRun(t *testing.T, change func(*Options)) *crashRun {
	t.Helper()
	s := testSchema(t)
	return newCrashRunOn(t, s, testTable(t, s, 40), change)
}

// newCrashRunOn readies it on a table of 40 rows.
func newCrashRunOn(t *testing.T, s *data.Schema, table *data.Dataset, change func(*Options)) *crashRun {
	t.Helper()
	o := testOptions()
	o.Rows, o.Train.Steps = 40, pointer(40)
	change(&o)
	p, err := NewPlan(o, s)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReport(p, &Fitted{Steps: 40, Spent: p.Mechanism.Event(40)}, false, "test")
	if err != nil {
		t.Fatal(err)
	}
	return &crashRun{t: t, dir: t.TempDir(), plan: p, table: table, report: r}
}

// again is the same run in another folder.
func (c *crashRun) again() *crashRun {
	return &crashRun{t: c.t, dir: c.t.TempDir(), plan: c.plan, table: c.table, report: c.report, secret: c.secret}
}

// finish resumes until the run has ended, on a disk without faults, and looks at what is left.
func (c *crashRun) finish(charged int) (applied int) {
	c.t.Helper()
	applied, killed, err := c.attempt(&disktest.FS{}, -1)
	if err != nil || killed {
		c.t.Fatalf("the last attempt: %v", err)
	}
	if c.check(charged); c.drawn > c.plan.Train.Steps {
		c.t.Errorf("%d steps drew noise, %d are planned", c.drawn, c.plan.Train.Steps)
	}
	c.tidy()
	return applied
}

// tidy holds the folder to model and report alone.
func (c *crashRun) tidy() {
	c.t.Helper()
	listing, err := os.ReadDir(c.dir)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range listing {
		if name := f.Name(); name != ModelFile && name != ReportFile && !strings.HasPrefix(name, ".") {
			c.t.Errorf("%s is left", name)
		}
	}
}

// TestCrashNeverUndercharges ends the process, or fails the disk, at every call of a run that touches the disk, and resumes.
// Killed processes are those of a machine that goes on and of one whose power is cut.
func TestCrashNeverUndercharges(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	whole := newCrashRun(t, func(*Options) {})
	calm := &disktest.FS{}
	if _, _, err := whole.attempt(calm, -1); err != nil || calm.Calls < 40 {
		t.Fatalf("an attempt without faults: %d calls, %v", calm.Calls, err)
	}
	for _, fault := range disktest.Faults() {
		for _, cut := range []bool{false, true} {
			if cut && !fault.Kills() {
				continue
			}
			for at := 1; at <= calm.Calls; at++ {
				c := whole.again()
				fsys := &disktest.FS{Fault: fault, At: at, PowerCut: cut}
				applied, killed, err := c.attempt(fsys, -1)
				name := fmt.Sprintf("%v at call %d of %d, power cut %v", fault, at, calm.Calls, cut)
				if killed != fault.Kills() {
					t.Errorf("%s: killed %v", name, killed)
				}
				if !fault.Kills() && err == nil && applied != 40 {
					t.Errorf("%s: no error, and %d steps", name, applied)
				}
				charged := c.check(0)
				if _, finished := c.charged(); finished {
					continue
				}
				if lost := c.finish(charged); lost < 40-20 {
					t.Errorf("%s: %d of 40 steps are in the model", name, lost)
				}
				if t.Failed() {
					t.Fatalf("%s", name)
				}
			}
		}
	}
}

// TestCrashNeverAsksTwice ends the process at every call that touches the disk of a run with queries. It is then resumed
// with what was learned, bit for bit; or the queries are asked, where they were not reserved; or steps of the run ask again,
// and that is interrupted, too.
func TestCrashNeverAsksTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	s := standardizedSchema(t)
	whole := newCrashRunOn(t, s, load(t, standardizedTable(t, 40), s), func(o *Options) { o.Train.EvenClasses = true })
	calm := &disktest.FS{}
	if _, _, err := whole.attempt(calm, -1); err != nil {
		t.Fatal(err)
	}
	var again, kept, asked int
	for _, fault := range disktest.Faults() {
		if !fault.Kills() {
			continue
		}
		for at := 1; at <= calm.Calls; at++ {
			c := whole.again()
			if _, killed, err := c.attempt(&disktest.FS{Fault: fault, At: at, PowerCut: true}, -1); !killed {
				t.Fatalf("%v at call %d: not killed, %v", fault, at, err)
			}
			a, err := ResumeAttempt(disk.OS{}, c.dir, c.plan)
			switch {
			case err != nil:
				t.Fatalf("%v at call %d: %v", fault, at, err)
			case a == nil || a.learned == nil && len(a.lost) == 0:
				asked++
			case a.learned == nil:
				again++
			default:
				kept++
			}
			if a != nil && a.learned == nil && c.drawn > 0 {
				t.Errorf("%v at call %d: steps were drawn before the queries were answered", fault, at)
			}
			if _, finished := c.charged(); finished {
				continue
			}
			before := len(c.queried)
			lost := 0
			if a != nil {
				lost = len(a.lost)
			}
			if lost > 0 {
				if _, killed, err := c.attempt(&disktest.FS{Fault: fault, At: 2 + at%7, PowerCut: true}, -1); !killed {
					t.Fatalf("%v at call %d, resumed: not killed, %v", fault, at, err)
				}
			}
			applied := c.finish(c.check(0))
			if wanted := len(c.plan.Privacy.Queries); a != nil && a.learned != nil && len(c.queried) != before || len(c.queried) > wanted {
				t.Errorf("%v at call %d: queries %v were asked, %d before it", fault, at, c.queried, before)
			}
			if lost > 0 && applied > 40-lost {
				t.Errorf("%v at call %d: %d steps are in the model, after those that asked for %d queries", fault, at, applied, lost)
			}
		}
	}
	if again == 0 || kept == 0 || asked == 0 {
		t.Errorf("%d runs asked again by steps, %d kept what was learned, %d asked, want some of each", again, kept, asked)
	}
}

// TestKilledAtEveryStep kills a run after each step in turn, and its resumption three steps later, under every adjacency
// and optimizer.
func TestKilledAtEveryStep(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	for name, change := range map[string]func(*Options){
		"default": func(*Options) {},
		"poisson": func(o *Options) { o.Train.SamplingProbability = pointer(0.3) },
		"adam":    func(o *Options) { o.Train.Optimizer = Adam },
		"add_or_remove_one": func(o *Options) {
			o.Privacy.Adjacency, o.Rows, o.RowsAtMost = string(accounting.AddOrRemoveOne), 0, 60
		},
	} {
		t.Run(name, func(t *testing.T) {
			whole := newCrashRun(t, change)
			for step := 1; step <= 40; step++ {
				c := whole.again()
				charged := 0
				for _, next := range []int{step, 3} {
					if _, killed, err := c.attempt(&disktest.FS{}, next); err != nil {
						t.Fatal(err)
					} else if killed {
						charged = c.check(charged)
					}
				}
				if _, finished := c.charged(); !finished {
					c.finish(charged)
				}
			}
		})
	}
}

// TestResumedRunKeepsEarlierWork interrupts a run by its context, within a block: what was learned by then is in the model, bit for
// bit, and the steps of the block that were not drawn are still to be had.
func TestResumedRunKeepsEarlierWork(t *testing.T) {
	c := newCrashRun(t, func(o *Options) { o.Train.AverageLast = pointer(0.0) })
	a, err := NewAttempt(disk.OS{}, c.dir, c.plan, "run")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	steps := 0
	_, err = Fit(ctx, c.plan, c.table, Run{Key: rng.TestKey(1), Workers: 1, Attempt: a,
		watch: func(slots privacy.Slots, layout privacy.Layout) (means, error) {
			m, err := privacy.NewMechanism(c.plan.Mechanism, slots, rng.TestKey(1), layout)
			return counting{m, &c.drawn}, err
		},
		Progress: func(int) {
			if steps++; steps == 15 {
				cancel()
			}
		},
		Clock: func() time.Duration { return time.Duration(steps) * minBlock / 10 }, // blocks of 1, 10, 10, … steps
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Fit = %v, want the context's end", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := ResumeAttempt(disk.OS{}, c.dir, c.plan)
	if err != nil {
		t.Fatal(err)
	}
	if left.Kept() != 15 || left.Charged() != 15 {
		t.Fatalf("%d steps are kept and %d charged, want the 15 that were drawn", left.Kept(), left.Charged())
	}
	// A disk that fails while a checkpoint is read says nothing against it: who starts anew pays twice.
	for at := 1; ; at++ {
		fsys := &disktest.FS{Fault: disktest.IOError, At: at}
		_, err := ResumeAttempt(fsys, c.dir, c.plan)
		if fsys.Calls < at {
			break
		}
		var damaged *ResumeError
		if !errors.Is(err, syscall.EIO) || errors.As(err, &damaged) {
			t.Errorf("call %d of %d fails: ResumeAttempt = %v, want the error of the disk", at, fsys.Calls, err)
		}
	}
	l := newLearner(c.plan, left.saved)
	for i, w := range l.params {
		if w == 0 {
			t.Errorf("parameter %d is 0 after 15 steps", i)
		}
	}
	if applied := c.finish(left.Charged()); applied != 40 {
		t.Errorf("%d steps are in the model, want those kept and those left: 40", applied)
	}
}
