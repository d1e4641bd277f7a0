package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// auditConfig is a run whose claim is RDP's, a little above what is true: an attack on the noise that is claimed then raises
// an alarm with a probability of 3e-8, and one on half of it nearly always.
const auditConfig = `version: 1
data:
  train: nowhere.csv
  rows: 2000
  label: {name: y, classes: ["no", "yes"]}
  features: [{name: message, kind: text, buckets: 2000}]
privacy: {unit: row, noise_multiplier: 1, delta: 1.0e-5, accountant: rdp}
train: {steps: 1, sampling_probability: 1}
`

// TestAuditStaysSilent audits a correct program: no alarm. The lower bound is above a quarter of the claim but for a
// probability of 1e-9.
func TestAuditStaysSilent(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "c.yaml", auditConfig)
	code, stdout, stderr := dptrain(t, dir, "audit", "-c", "c.yaml", "--json")
	var r auditResult
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != 0 || r.Alarm.Raised {
		t.Fatalf("audit: exit status %d, %v, alarm %v:\n%s", code, err, r.Alarm.Raised, stderr)
	}
	if r.LowerBound < 0.25*r.Claim || r.Canaries != 1000 || r.Confidence != 0.95 || r.Method != methodIndependent || len(r.Others) != 2 {
		t.Errorf("audit = %+v, want a bound above a quarter of the claim from 1000 canaries", r)
	}
	if len(files(t, dir)) != 1 {
		t.Error("audit leaves a file")
	}
	if code, stdout, _ := dptrain(t, dir, "audit", "-c", "c.yaml", "--canaries", "50"); code != 0 || !strings.Contains(stdout, "of 50 coins") {
		t.Errorf("audit --canaries 50: exit status %d, prints\n%s", code, stdout)
	}
}

func TestAuditRefuses(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "c.yaml", auditConfig)
	for _, test := range []struct {
		args   string
		status status
		want   string
	}{
		{"", statusUsage, "--config is missing"},
		{"-c c.yaml --canaries 0", statusUsage, "want 1 to 2000"},
		{"-c c.yaml --canaries 2001", statusUsage, "want 1 to 2000"},
		{"-c c.yaml --workers 0", statusUsage, "--workers"},
		{"-c none.yaml", statusConfig, "none.yaml"},
	} {
		code, _, stderr := dptrain(t, dir, append([]string{"audit"}, strings.Fields(test.args)...)...)
		if status(code) != test.status || !strings.Contains(stderr, test.want) {
			t.Errorf("audit %s: exit status %d, want %d; stderr %q, want %q", test.args, code, test.status, stderr, test.want)
		}
	}
}

// TestAuditOfAFewRows has fewer slots and parameters than canaries by default.
func TestAuditOfAFewRows(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "c.yaml", goodConfig)
	code, stdout, stderr := dptrain(t, dir, "audit", "-c", "c.yaml", "--json")
	var r auditResult
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != 0 || r.Canaries != 7 {
		t.Errorf("audit of eight rows: exit status %d, %v, %d canaries, want 7, as many as parameters\n%s", code, err, r.Canaries, stderr)
	}
}
