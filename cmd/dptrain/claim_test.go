package main

import (
	"fmt"
	"testing"
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
