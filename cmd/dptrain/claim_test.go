package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"dptrain/internal/train"
)

// TestMaxEpsilonIsHeldAgainstTheClaim passes the claimed ε itself and refuses what is a hair below.
func TestMaxEpsilonIsHeldAgainstTheClaim(t *testing.T) {
	dir := workshop(t)
	claimed := *fit(t, dir, "--dry-run").Epsilon
	for _, test := range []struct {
		most float64
		want status
	}{{claimed, statusDone}, {claimed * (1 - 1e-5), statusPrivacy}, {claimed / 1.5, statusPrivacy}} {
		got, _, _ := dptrain(t, dir, "fit", "-c", "c.yaml", "--dry-run", "--max-epsilon", fmt.Sprint(test.most))
		if status(got) != test.want {
			t.Errorf("epsilon %v under --max-epsilon %v: exit status %d, want %d", claimed, test.most, got, test.want)
		}
	}
}

// TestResumedRunsDrawFreshRandomness resumes one interrupted run twice, from copies: with the randomness of the run, or of
// its files, both would draw the same noise.
func TestResumedRunsDrawFreshRandomness(t *testing.T) {
	dir := slowConfig(t)
	if code, stderr := startAndStop(t, dir, syscall.SIGINT); code != 130 {
		t.Fatalf("exit status = %d:\n%s", code, stderr)
	}
	if charged := chargedSoFar(t, dir); charged == 0 || charged == 1000000 {
		t.Fatalf("%d steps are charged: there is nothing to resume, or nothing left to draw", charged)
	}
	var models [2][]byte
	for i := range models {
		copied := filepath.Join(dir, fmt.Sprint("copy", i))
		if err := os.CopyFS(copied, os.DirFS(filepath.Join(dir, "runs", "c"))); err != nil {
			t.Fatal(err)
		}
		r := fit(t, dir, "--resume", "-o", copied)
		model, err := train.ReadModel(*r.Model)
		if err != nil {
			t.Fatal(err)
		}
		models[i] = fmt.Append(nil, model.Params)
	}
	if bytes.Equal(models[0], models[1]) {
		t.Error("two resumptions of one run give the same model")
	}
}
