package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train/disk"
	"dptrain/internal/train/disk/disktest"
	"dptrain/internal/train/ledger"
)

func terms() ledger.Terms {
	return ledger.Terms{Dataset: "customers", Unit: "row", Adjacency: accounting.ZeroOut, Delta: 1e-5, MaxTotalEpsilon: 3}
}

// spend is a run of 200 full-batch steps at σ = 52.7592: ε = 1 at δ = 1e-5.
func spend(run string) ledger.Spend {
	return ledger.Spend{Run: run, Time: "2026-11-25T00:00:00Z", Config: "c", ExtraEpsilon: 1e-15, ArithmeticDelta: 1e-20,
		Events: []byte(`{"event":"self_composed","count":200,"of":{"event":"gaussian","noise_multiplier":52.7592}}`)}
}

// sampled is a run that joins rows by coins.
func sampled(run string) ledger.Spend {
	s := spend(run)
	s.Events = []byte(`{"event":"self_composed","count":300,"of":{"event":"poisson_sampled","sampling_probability":0.2,"of":{"event":"gaussian","noise_multiplier":13.02}}}`)
	return s
}

func enter(t *testing.T, path string, s ledger.Spend) (ledger.Line, error) {
	t.Helper()
	return ledger.Enter(context.Background(), &disktest.FS{}, path, terms(), s)
}

// TestLedgerHoldsSevenRunsOfOneInThree: Gaussian μ adds up in squares, and (μ(3)/μ(1))² is 7.2 at δ = 1e-5.
func TestLedgerHoldsSevenRunsOfOneInThree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.jsonl")
	for i := range 7 {
		line, err := enter(t, path, spend(fmt.Sprint(i)))
		if err != nil {
			t.Fatalf("run %d: %v", i+1, err)
		}
		if line.Total.Epsilon > 3 || line.Hash == "" {
			t.Errorf("run %d: %+v", i+1, line)
		}
	}
	var overspent *ledger.OverspentError
	if _, err := enter(t, path, spend("8")); !errors.As(err, &overspent) || overspent.After <= 3 {
		t.Errorf("run 8: %v, want that it is overspent", err)
	}
	// A smaller one fits.
	small := spend("9")
	small.Events = []byte(`{"event":"gaussian","noise_multiplier":20}`)
	if _, err := enter(t, path, small); err != nil {
		t.Errorf("a smaller run: %v", err)
	}
	l, err := ledger.Read(disk.OS{}, path)
	if err != nil || len(l.Lines) != 8 || l.Spent().Epsilon > 3 || l.Filter.Method != accounting.FilterGDP {
		t.Errorf("Read = %+v, %v", l, err)
	}
}

// TestBudgetOfOneHoldsARunOfOne: what remains for arithmetic must not cost the only run.
func TestBudgetOfOneHoldsARunOfOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.jsonl")
	one := terms()
	one.MaxTotalEpsilon = 1
	if _, err := ledger.Enter(context.Background(), &disktest.FS{}, path, one, spend("1")); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Enter(context.Background(), &disktest.FS{}, path, one, spend("2")); err == nil {
		t.Error("a second run is taken")
	}
}

func TestSampledRunsAreCountedAtOneOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.jsonl")
	for i := range 5 {
		if _, err := enter(t, path, sampled(fmt.Sprint(i))); err != nil {
			t.Fatalf("run %d: %v", i+1, err)
		}
	}
	if _, err := enter(t, path, spend("full batch")); err != nil {
		t.Error(err)
	}
	l, err := ledger.Read(disk.OS{}, path)
	if err != nil || l.Filter.Method != accounting.FilterRenyi || l.Spent().Epsilon > 3 {
		t.Errorf("Read = %+v, %v", l, err)
	}
	if _, err := enter(t, path, sampled("7")); err == nil {
		t.Error("the seventh run is taken")
	}
}

func TestRunIsEnteredOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.jsonl")
	first, err1 := enter(t, path, spend("1"))
	again := spend("1")
	again.Time = "2026-11-26T00:00:00Z"
	second, err2 := enter(t, path, again)
	if err1 != nil || err2 != nil || first.Hash != second.Hash {
		t.Errorf("Enter = %v, %v, then %v, %v", first, err1, second, err2)
	}
	other := sampled("1")
	if _, err := enter(t, path, other); err == nil {
		t.Error("another run of the same name is taken for it")
	}
	if l, err := ledger.Read(disk.OS{}, path); err != nil || len(l.Lines) != 1 {
		t.Errorf("Read = %+v, %v", l, err)
	}
}

func TestOtherTermsAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.jsonl")
	if _, err := enter(t, path, spend("1")); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*ledger.Terms){
		"dataset":           func(o *ledger.Terms) { o.Dataset = "patients" },
		"unit":              func(o *ledger.Terms) { o.Unit = "person" },
		"adjacency":         func(o *ledger.Terms) { o.Adjacency = accounting.AddOrRemoveOne },
		"delta":             func(o *ledger.Terms) { o.Delta = 1e-6 },
		"max_total_epsilon": func(o *ledger.Terms) { o.MaxTotalEpsilon = 4 },
	} {
		other := terms()
		change(&other)
		var bad *ledger.TermsError
		if _, err := ledger.Enter(context.Background(), &disktest.FS{}, path, other, spend("2")); !errors.As(err, &bad) || bad.Term != "privacy."+name {
			t.Errorf("%s: %v, want that it is another", name, err)
		}
	}
}

// TestParallelRunsNeverOverspend enters ten runs of ε = 1 at once into a budget of 3.
func TestParallelRunsNeverOverspend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.jsonl")
	var group sync.WaitGroup
	var mutex sync.Mutex
	taken := map[string]bool{}
	for i := range 10 {
		group.Go(func() {
			line, err := enter(t, path, spend(fmt.Sprint(i)))
			var overspent *ledger.OverspentError
			if err != nil && !errors.As(err, &overspent) {
				t.Error(err)
			}
			if err == nil {
				mutex.Lock()
				taken[line.Hash] = true
				mutex.Unlock()
			}
		})
	}
	group.Wait()
	l, err := ledger.Read(disk.OS{}, path)
	if err != nil || len(l.Lines) != 7 || len(taken) != 7 || l.Spent().Epsilon > 3 {
		t.Fatalf("%d runs were told that they are entered; the ledger: %+v, %v", len(taken), l, err)
	}
	for _, line := range l.Lines {
		if !taken[line.Hash] {
			t.Errorf("run %s is entered and was not told so", line.Run)
		}
	}
}

// TestLedgerSurvivesEveryFault kills a process, or fails its disk, at every call while it enters a run: a run that was told
// that it is entered is, and the ledger goes on.
func TestLedgerSurvivesEveryFault(t *testing.T) {
	for _, fault := range disktest.Faults() {
		for _, cut := range []bool{false, true} {
			for before := range 2 {
				for at := 1; ; at++ {
					path := filepath.Join(t.TempDir(), "l.jsonl")
					for i := range before {
						if _, err := enter(t, path, spend(fmt.Sprint("before", i))); err != nil {
							t.Fatal(err)
						}
					}
					entered, ended := enterOn(&disktest.FS{Fault: fault, At: at, PowerCut: cut}, path)
					l, err := ledger.Read(disk.OS{}, path)
					if errors.Is(err, os.ErrNotExist) && before == 0 && !entered {
						l, err = &ledger.Ledger{}, nil
					}
					if err != nil {
						t.Fatalf("%v at call %d: %v", fault, at, err)
					}
					if n := len(l.Lines); n < before || entered && n != before+1 {
						t.Errorf("%v at call %d, power cut %v: %d lines, %d were there before, entered %v", fault, at, cut, n, before, entered)
					}
					if _, err := enter(t, path, spend("run")); err != nil {
						t.Errorf("%v at call %d: the next attempt: %v", fault, at, err)
					}
					if l, err := ledger.Read(disk.OS{}, path); err != nil || l.Cut || len(l.Lines) != before+1 {
						t.Errorf("%v at call %d: afterwards %+v, %v", fault, at, l, err)
					}
					if ended {
						break
					}
				}
			}
		}
	}
}

// enterOn enters a run on a disk with a fault, and tells whether it was told that it is entered, and whether there was no fault.
func enterOn(fsys *disktest.FS, path string) (entered, ended bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, simulated := p.(disktest.Killed); !simulated {
				panic(p)
			}
		}
	}()
	_, err := ledger.Enter(context.Background(), fsys, path, terms(), spend("run"))
	return err == nil, fsys.Calls < fsys.At
}

// rewrite makes a chain anew, as whoever forges a ledger would.
func rewrite(t *testing.T, path string, change func(line string) string) {
	t.Helper()
	entries, _, err := disk.ReadJournal(disk.OS{}, path)
	if err != nil {
		t.Fatal(err)
	}
	var j *disk.Journal
	for i, e := range entries {
		changed := raw(change(string(e.JSON)))
		if i == 0 {
			j, err = disk.CreateJournal(&disktest.FS{}, path, disk.Public, changed)
		} else {
			_, err = j.Append(changed)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

type raw string

func (r raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// TestForgedTotalsAreFound: a chain of right hashes over wrong sums is no ledger.
func TestForgedTotalsAreFound(t *testing.T) {
	for name, change := range map[string][2]string{
		"cheaper events":   {`"noise_multiplier":52.7592`, `"noise_multiplier":152.7592`},
		"fewer steps":      {`"count":200`, `"count":20`},
		"no events":        {`{"event":"self_composed","count":200,"of":{"event":"gaussian","noise_multiplier":52.7592}}`, `{"event":"no_op"}`},
		"smaller total":    {`"total":{"cost":0.2`, `"total":{"cost":0.1`},
		"smaller budget":   {`"max_total_epsilon":3`, `"max_total_epsilon":1.2`},
		"larger delta":     {`"delta":0.00001`, `"delta":0.0001`},
		"another filter":   {`"method":"gdp"`, `"method":"renyi","order":3`},
		"another unit":     {`"filter":{"method":"gdp","adjacency":"zero_out"}`, `"filter":{"method":"gdp","adjacency":"replace_one"}`},
		"an unknown field": {`"config":"c"`, `"config":"c","note":"x"`},
		"negative share":   {`"extra_epsilon":1e-15,"arithmetic_delta"`, `"extra_epsilon":-1e-15,"arithmetic_delta"`},
		"one run twice":    {`"run":"2"`, `"run":"1"`},
	} {
		path := filepath.Join(t.TempDir(), "l.jsonl")
		for i := range 3 {
			if _, err := enter(t, path, spend(fmt.Sprint(i+1))); err != nil {
				t.Fatal(err)
			}
		}
		rewrite(t, path, func(line string) string { return line })
		if _, err := ledger.Read(disk.OS{}, path); err != nil {
			t.Fatalf("a chain made anew of the same lines: %v", err)
		}
		changed := false
		rewrite(t, path, func(line string) string {
			changed = changed || strings.Contains(line, change[0])
			return strings.Replace(line, change[0], change[1], 1)
		})
		var damaged *ledger.DamagedError
		if _, err := ledger.Read(disk.OS{}, path); !changed || !errors.As(err, &damaged) {
			t.Errorf("%s: changed %v, Read = %v", name, changed, err)
		}
	}
}

func FuzzLedger(f *testing.F) {
	path := filepath.Join(f.TempDir(), "l.jsonl")
	for _, s := range []ledger.Spend{spend("1"), sampled("2")} {
		if _, err := ledger.Enter(context.Background(), &disktest.FS{}, path, terms(), s); err != nil && s.Run == "1" {
			f.Fatal(err)
		}
	}
	entries, _, err := disk.ReadJournal(disk.OS{}, path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(entries[0].JSON), []byte(entries[1].JSON))
	f.Add([]byte(`{"open":{"filter":{"method":"renyi","order":1e300}}}`), []byte(`{"spend":{"events":[]}}`))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		// The chain is right, so that what it holds is looked at.
		path := filepath.Join(t.TempDir(), "l.jsonl")
		if bytes.ContainsAny(append(first, second...), "\n\r") {
			return
		}
		j, err := disk.CreateJournal(&disktest.FS{}, path, disk.Public, raw(first))
		if err != nil {
			return // no JSON
		}
		_, _ = j.Append(raw(second))
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		l, err := ledger.Read(disk.OS{}, path)
		if err == nil && !(l.Spent().Epsilon <= l.MaxTotalEpsilon) {
			t.Errorf("a ledger of %s and %s is overspent", first, second)
		}
	})
}
