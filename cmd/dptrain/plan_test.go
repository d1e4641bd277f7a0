package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPlanReadsNoTable(t *testing.T) {
	dir := workshop(t)
	if err := os.Remove(filepath.Join(dir, "train.csv")); err != nil {
		t.Fatal(err)
	}
	code, out, stderr := dptrain(t, dir, "plan", "-c", "c.yaml", "--json")
	var r planResult
	if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil {
		t.Fatalf("plan = %d, %v\n%s", code, err, stderr)
	}
	if r.Epsilon > 3 || r.Rows != 8 || r.Classes != 2 || r.Steps != 20 || !(r.TrainSeconds > 0) || !(r.MemoryBytes > 0) || len(r.Warnings) == 0 {
		t.Errorf("plan = %+v", r)
	}
	changes := map[string]planKnob{}
	for _, k := range r.Knobs {
		changes[k.Change] = k
	}
	if len(changes) != 8 || changes["twice q"].Impossible == "" {
		t.Errorf("knobs = %+v, want 8, and q no larger than 1", r.Knobs)
	}
	near := func(change string, got, want float64) {
		if !(got > want*0.9 && got < want*1.1) {
			t.Errorf("%s: %v, want about %v", change, got, want)
		}
	}
	near("twice the rows", changes["twice the rows"].Plan.SignalToNoise, 2*r.SignalToNoise)
	near("half ε", changes["half ε"].Plan.Epsilon, r.Epsilon/2)
	near("twice the steps", changes["twice the steps"].Plan.NoiseMultiplier, r.NoiseMultiplier*1.414)
	near("half q", changes["half q"].Plan.SamplingProbability, 0.5)
	code, out, stderr = dptrain(t, dir, "plan", "-c", "c.yaml")
	if code != 0 || !strings.Contains(out, "rows × μ = 8 ×") || !strings.Contains(stderr, "warning: ") {
		t.Errorf("plan = %d, %s%s", code, out, stderr)
	}
}
