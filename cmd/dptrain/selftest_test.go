package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestSelftestPasses replays every kind of run, and the run of a config whose table is not there.
func TestSelftestPasses(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "c.yaml", goodConfig)
	for name, args := range map[string][]string{"all kinds": nil, "a config": {"-c", "c.yaml", "--set", "train.sampling_probability=0.5"}} {
		code, stdout, stderr := dptrain(t, dir, append([]string{"selftest", "--json"}, args...)...)
		var r selftestResult
		if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != 0 {
			t.Fatalf("%s: exit status %d, %v:\n%s", name, code, err, stderr)
		}
		if want := map[bool]int{true: 42, false: 1}[args == nil]; !r.Passed || len(r.Checks) != want {
			t.Errorf("%s: passed = %v in %d checks, want true in %d", name, r.Passed, len(r.Checks), want)
		}
		for _, c := range r.Checks {
			if c.Pairs == 0 || c.Draws == 0 || !(c.Moved > 0.1 && c.Moved <= 1) {
				t.Errorf("%s: %s saw too little: %+v", name, c.Name, *c)
			}
		}
	}
	if code, stdout, _ := dptrain(t, dir, "selftest", "-c", "c.yaml"); code != 0 || !strings.Contains(stdout, "c.yaml") || strings.Contains(stdout, "FAULT") {
		t.Errorf("selftest -c: exit status %d, prints\n%s", code, stdout)
	}
	if code, _, _ := dptrain(t, dir, "selftest", "--set", "model.hidden=[3]"); status(code) != statusUsage {
		t.Errorf("selftest --set without -c: exit status %d, want %d", code, statusUsage)
	}
}
