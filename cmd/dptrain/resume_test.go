package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dptrain/internal/train"
	"dptrain/internal/train/disk"
	"dptrain/internal/train/disk/disktest"
)

// asProgram is the environment variable that makes the test binary the program.
const asProgram = "DPTRAIN_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// program is the program as a process of its own, in dir.
func program(dir string, args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Dir = dir
	c.Env = append(os.Environ(), asProgram+"=1")
	return c
}

// chargedSoFar is what fit --resume --dry-run --json tells.
func chargedSoFar(t *testing.T, dir string) int {
	t.Helper()
	code, stdout, stderr := dptrain(t, dir, "fit", "-c", "c.yaml", "--resume", "--dry-run", "--json")
	var r fitResult
	if err := json.Unmarshal([]byte(stdout), &r); code != 0 || err != nil {
		t.Fatalf("fit --resume --dry-run = %d, %s%s", code, stdout, stderr)
	}
	return r.StepsCharged
}

// slowConfig is goodConfig with steps that take seconds: a log runs ahead of the steps, and must not reach their end while a test looks on.
func slowConfig(t *testing.T) string {
	t.Helper()
	dir := workshop(t)
	write(t, dir, "c.yaml", strings.Replace(goodConfig, "steps: 20", "steps: 1000000", 1))
	return dir
}

// startAndStop starts a fit, waits until it has charged steps, sends it a signal, and returns its exit status and
// standard error.
func startAndStop(t *testing.T, dir string, signal os.Signal, args ...string) (status int, stderr string) {
	t.Helper()
	c := program(dir, append([]string{"fit", "-c", "c.yaml"}, args...)...)
	var b bytes.Buffer
	c.Stderr = &b
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for before := chargedSoFar(t, dir); chargedSoFar(t, dir) == before; time.Sleep(5 * time.Millisecond) {
		select {
		case err := <-ended:
			t.Fatalf("the fit ends before it charges a step: %v\n%s", err, b.String())
		default:
		}
	}
	if err := c.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	err := <-ended
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), b.String()
}

func TestInterruptedFitResumes(t *testing.T) {
	dir := slowConfig(t)
	var before int
	for _, test := range []struct {
		signal os.Signal
		status int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}, {syscall.SIGKILL, -1}} {
		code, stderr := startAndStop(t, dir, test.signal, "--resume")
		if code != test.status {
			t.Errorf("%v: exit status = %d, want %d\n%s", test.signal, code, test.status, stderr)
		}
		if code > 0 && !strings.Contains(stderr, "fit --resume goes on with the run") {
			t.Errorf("%v: stderr = %q, want the way to go on", test.signal, stderr)
		}
		charged := chargedSoFar(t, dir)
		if charged <= before {
			t.Errorf("%v: %d steps are charged, %d were before", test.signal, charged, before)
		}
		before = charged
		for _, name := range []string{train.LogFile, train.CheckpointFile} {
			if info, err := os.Stat(filepath.Join(dir, "runs", "c", name)); err != nil || info.Mode().Perm() != disk.Private {
				t.Errorf("%s: %v, %v, want a file of mode 0600", name, info, err)
			}
		}
	}
	if code, _, stderr := dptrain(t, dir, "fit", "-c", "c.yaml"); code != int(statusResources) || !strings.Contains(stderr, "--resume") {
		t.Errorf("fit beside an interrupted run: exit status %d, %s", code, stderr)
	}
	code, _, stderr := dptrain(t, dir, "fit", "-c", "c.yaml", "--resume", "--set", "privacy.target_epsilon=2")
	if code != int(statusIntegrity) || !strings.Contains(stderr, "another config") || !strings.Contains(stderr, "--fresh") {
		t.Errorf("fit --resume with another config: exit status %d, %s", code, stderr)
	}
	r := fit(t, dir, "--resume")
	if *r.StepsApplied <= 0 || *r.StepsApplied > 1000000 || r.StepsCharged != 1000000 || *r.Epsilon > 3 {
		t.Errorf("fit --resume = %+v", r)
	}
	if got := files(t, filepath.Join(dir, "runs")); len(got) != 2 {
		t.Errorf("files = %v, want a model and a report", got)
	}
	var report train.Report
	text, err := os.ReadFile(*r.Report)
	if err != nil || json.Unmarshal(text, &report) != nil {
		t.Fatal(err)
	}
	if m := report.Mechanism; m.StepsApplied != *r.StepsApplied || m.StepsCharged != 1000000 || m.StepsPlanned != 1000000 {
		t.Errorf("mechanism = %+v", m)
	}
	if again := fit(t, dir, "--resume"); *again.StepsApplied != *r.StepsApplied || chargedSoFar(t, dir) != 1000000 {
		t.Errorf("fit --resume of a finished run = %+v", again)
	}
	if after, err := os.ReadFile(*r.Report); err != nil || !bytes.Equal(text, after) {
		t.Errorf("fit --resume of a finished run changes its report, %v", err)
	}
}

func TestResumeStartsWhereNothingStands(t *testing.T) {
	dir := workshop(t)
	if got := chargedSoFar(t, dir); got != 0 {
		t.Errorf("%d steps are charged before the first", got)
	}
	if r := fit(t, dir, "--resume"); *r.StepsApplied != 20 || r.StepsCharged != 20 {
		t.Errorf("fit --resume = %+v", r)
	}
}

func TestResumeRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		spoil  func(t *testing.T, dir string)
		args   []string
		status status
		want   string
	}{
		{"a seed", func(*testing.T, string) {}, []string{"--seed", "1"}, statusUsage, "--resume is given beside --seed"},
		{"no privacy", func(*testing.T, string) {}, []string{"--no-privacy"}, statusUsage, "--resume is given beside --no-privacy"},
		{"fresh", func(*testing.T, string) {}, []string{"--fresh"}, statusUsage, "--resume is given beside --fresh"},
		{"a changed log", func(t *testing.T, dir string) {
			write(t, dir, train.LogFile, strings.Replace(content(t, dir, train.LogFile), `"count":1}`, `"count":0}`, 1))
		}, nil, statusIntegrity, "run.log: line 2 was changed"},
		{"a log without its first line", func(t *testing.T, dir string) {
			_, rest, _ := strings.Cut(content(t, dir, train.LogFile), "\n")
			write(t, dir, train.LogFile, rest)
		}, nil, statusIntegrity, "run.log: line 1 does not follow"},
		{"an empty log", func(t *testing.T, dir string) { write(t, dir, train.LogFile, "") }, nil, statusIntegrity, "run.log: is empty"},
		{"no log", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, train.LogFile)); err != nil {
				t.Fatal(err)
			}
		}, nil, statusIntegrity, "stands without its log"},
		{"a changed checkpoint", func(t *testing.T, dir string) {
			write(t, dir, train.CheckpointFile, strings.Replace(content(t, dir, train.CheckpointFile), `"run":"`, `"run":"x`, 1))
		}, nil, statusIntegrity, "checkpoint.safetensors: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := interruptedRun(t)
			test.spoil(t, filepath.Join(dir, "runs", "c"))
			code, stdout, stderr := dptrain(t, dir, append([]string{"fit", "-c", "c.yaml", "--resume"}, test.args...)...)
			if code != int(test.status) || stdout != "" || !strings.Contains(stderr, test.want) {
				t.Errorf("exit status = %d, want %d; stderr = %q, want %q", code, test.status, stderr, test.want)
			}
			if fit(t, dir, "--fresh"); len(files(t, filepath.Join(dir, "runs"))) != 2 {
				t.Errorf("after --fresh: files = %v, want a model and a report", files(t, filepath.Join(dir, "runs")))
			}
		})
	}
}

// content is what a file in dir holds.
func content(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// killedAt runs the program in dir, kills it at a call to the file system, and reports whether it got that far.
func killedAt(t *testing.T, dir string, fsys *disktest.FS, args ...string) (status int, stderr string, killed bool) {
	t.Helper()
	t.Chdir(dir)
	var out, err bytes.Buffer
	defer func() {
		if p := recover(); p != nil {
			if _, simulated := p.(disktest.Killed); !simulated {
				panic(p)
			}
			killed = true
		}
	}()
	s := &streams{in: strings.NewReader(""), out: &out, err: &err, fsys: fsys}
	return s.run(context.Background(), args), err.String(), false
}

// interruptedRun is a workshop with a run that was killed when its second block was to begin.
func interruptedRun(t *testing.T) string {
	t.Helper()
	dir := workshop(t)
	for at := 1; ; at++ {
		if _, _, killed := killedAt(t, dir, &disktest.FS{Fault: disktest.KilledAfter, At: at}, "fit", "-c", "c.yaml", "--fresh"); !killed {
			t.Fatal("no call leaves a checkpoint")
		}
		if _, err := os.Stat(filepath.Join(dir, "runs", "c", train.CheckpointFile)); err == nil {
			return dir
		}
	}
}

// TestFitSurvivesEveryFault kills the program, or fails its disk, at every call to the file system, and resumes it.
func TestFitSurvivesEveryFault(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	for _, fault := range disktest.Faults() {
		for at := 1; ; at++ {
			dir := workshop(t)
			code, stderr, killed := killedAt(t, dir, &disktest.FS{Fault: fault, At: at}, "fit", "-c", "c.yaml")
			if !killed && code == 0 {
				if at < 20 {
					t.Errorf("%v: a fit has %d calls", fault, at)
				}
				break
			}
			if !killed && (code != int(statusResources) || strings.Count(stderr, "dptrain: hint: ") != 1) {
				t.Errorf("%v at call %d: exit status = %d, want %d\n%s", fault, at, code, statusResources, stderr)
			}
			before := chargedSoFar(t, dir)
			if code, stderr, _ := killedAt(t, dir, &disktest.FS{}, "fit", "-c", "c.yaml", "--resume"); code != 0 || chargedSoFar(t, dir) != 20 {
				t.Errorf("%v at call %d: fit --resume = %d after %d charged steps: %s", fault, at, code, before, stderr)
			}
			if got := files(t, filepath.Join(dir, "runs")); len(got) != 2 {
				t.Errorf("%v at call %d: files = %v, want a model and a report", fault, at, got)
			}
			if _, err := train.ReadModel(filepath.Join(dir, "runs", "c", train.ModelFile)); err != nil {
				t.Errorf("%v at call %d: the model is of no use: %v", fault, at, err)
			}
		}
	}
}

// TestFitOnADiskThatFailsAgainAndAgain fails every k-th call, resuming until the run has ended.
func TestFitOnADiskThatFailsAgainAndAgain(t *testing.T) {
	for _, fault := range []disktest.Fault{disktest.NoSpace, disktest.IOError, disktest.ShortWrite} {
		for _, every := range []int{7, 16, 31} {
			dir := workshop(t)
			before, code, stderr := 0, -1, ""
			for tries := 0; code != 0 && tries < 40; tries++ {
				// The first failure comes a call later each time: a disk that always fails at one place is never done.
				code, stderr, _ = killedAt(t, dir, &disktest.FS{Fault: fault, At: every + tries, Every: true}, "fit", "-c", "c.yaml", "--resume")
				if code != 0 && code != int(statusResources) && code != int(statusPrivacy) {
					t.Fatalf("%v at every call %d: exit status = %d\n%s", fault, every+tries, code, stderr)
				}
				charged := chargedSoFar(t, dir)
				if charged < before {
					t.Errorf("%v at every call %d: %d steps are charged, %d were before", fault, every, charged, before)
				}
				before = charged
			}
			if code != 0 {
				t.Errorf("%v at every call %d and more: no attempt ends, the last with %s", fault, every, stderr)
			}
		}
	}
}

// TestRandomKills kills a fit at random moments, as often as the environment says, and resumes it each time; when a run
// has ended another is begun. `make crash` kills 200 times.
func TestRandomKills(t *testing.T) {
	kills := 8
	if n, err := strconv.Atoi(os.Getenv("DPTRAIN_TEST_KILLS")); err == nil {
		kills = n
	}
	dir := slowConfig(t)
	mode, before, ended, applied := "--fresh", 0, 0, []int{}
	for done := 0; done < kills; {
		c := program(dir, "fit", "-c", "c.yaml", mode, "-q", "--json")
		var out bytes.Buffer
		c.Stdout = &out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(200 * time.Millisecond))))
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
		if mode == "--fresh" {
			before = 0
		}
		if c.ProcessState.Success() {
			var r fitResult
			if err := json.Unmarshal(out.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			ended, applied = ended+1, append(applied, *r.StepsApplied)
			mode = "--fresh"
			if code, _, stderr := dptrain(t, dir, "eval", "-m", *r.Model, "--data", "train.csv"); code != 0 {
				t.Errorf("after %d kills the model is of no use:\n%s", done, stderr)
			}
			continue
		}
		done++
		charged := chargedSoFar(t, dir)
		if charged < before {
			t.Errorf("kill %d: %d steps are charged, %d were before", done, charged, before)
		}
		if mode == "--resume" || charged > 0 && charged < 1000000 {
			mode, before = "--resume", charged
		}
		if _, err := train.ReadModel(filepath.Join(dir, "runs", "c", train.ModelFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("kill %d: %v", done, err)
		}
	}
	if code := program(dir, "fit", "-c", "c.yaml", "--resume", "-q").Run(); code != nil {
		t.Errorf("the last fit --resume: %v", code)
	}
	slices.Sort(applied)
	t.Logf("%d kills, %d runs ended with %v of 1000000 steps in the model", kills, ended, applied)
}

func TestSecondFitIsKeptOut(t *testing.T) {
	dir := workshop(t)
	if err := os.MkdirAll(filepath.Join(dir, "runs", "c"), 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := disk.Acquire(context.Background(), filepath.Join(dir, "runs", "c", lockFile), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"--resume", "--fresh", "--quiet"} {
		code, _, stderr := dptrain(t, dir, "fit", "-c", "c.yaml", mode)
		if code != int(statusResources) || !strings.Contains(stderr, "held by another process") {
			t.Errorf("fit %s beside another: exit status %d, %s", mode, code, stderr)
		}
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	fit(t, dir)
}
