package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestReportFormats(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir)
	for format, want := range map[string]string{
		"text": "private: true\n\nε = 3 at δ = 0.001 for each row (moderate)",
		"md":   "# ε = 3 at δ = 0.001 for each row (moderate)",
		"html": "<!doctype html>",
		"json": `{"private":true,`,
	} {
		code, out, stderr := dptrain(t, dir, "report", *r.Report, "--format", format)
		if code != 0 || stderr != "" || !strings.Contains(out[:min(len(out), 200)], want) {
			t.Errorf("report --format %s = %d, %.200s%s, want %q", format, code, out, stderr, want)
		}
	}
	_, out, _ := dptrain(t, dir, "report", *r.Report, "--format", "json")
	var fields struct {
		Epsilon  float64  `json:"epsilon"`
		Problems []string `json:"problems"`
	}
	if err := json.Unmarshal([]byte(out), &fields); err != nil || fields.Epsilon != *r.Epsilon || len(fields.Problems) > 0 {
		t.Errorf("report --format json = %+v, %v", fields, err)
	}
}

func TestReportTrustsNoFile(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir)
	text, err := os.ReadFile(*r.Report)
	if err != nil {
		t.Fatal(err)
	}
	whole := string(text)
	replace := func(old, new string) string {
		if !strings.Contains(whole, old) {
			t.Fatalf("the report has no %q", old)
		}
		return strings.Replace(whole, old, new, 1)
	}
	for name, test := range map[string]struct {
		content string
		status  status
		stderr  string
	}{
		"no JSON":           {"no report", statusIntegrity, "not a usable report"},
		"a list":            {"[]", statusIntegrity, "not a usable report"},
		"null":              {"null", statusIntegrity, "its schema is not"},
		"a model's config":  {"{}", statusIntegrity, "its schema is not"},
		"cut short":         {whole[:len(whole)/2], statusIntegrity, "not a JSON object"},
		"more after it":     {whole + "{}", statusIntegrity, "not a JSON object"},
		"unknown field":     {replace(`"private"`, `"safe": true, "private"`), statusIntegrity, "fields"},
		"twice":             {replace(`"private": true`, `"private": true, "private": true`), statusIntegrity, "not a usable report"},
		"another case":      {replace(`"private"`, `"Private"`), statusIntegrity, "fields"},
		"epsilon null":      {replace(`"epsilon": 2`, `"epsilon": null, "delta": 1, "x": 2`), statusIntegrity, "not a usable report"},
		"private no more":   {replace(`"private": true`, `"private": false`), statusIntegrity, "do not fit together"},
		"another unit":      {replace(`"unit": "row"`, `"unit": "world"`), statusDone, "warning: the report was changed after it was written"},
		"newer schema":      {replace(`dptrain.report/1`, `dptrain.report/2`), statusIntegrity, "its schema is not"},
		"a string for ε":    {replace(`"delta": 0.001`, `"delta": "small"`), statusIntegrity, "fields"},
		"number far beyond": {replace(`"delta": 0.001`, `"delta": 1e999`), statusIntegrity, "fields"},
	} {
		write(t, dir, "r.json", test.content)
		code, _, stderr := dptrain(t, dir, "report", "r.json")
		if code != int(test.status) || !strings.Contains(stderr, test.stderr) {
			t.Errorf("%s: exit status = %d, want %d, with %q:\n%s", name, code, test.status, test.stderr, stderr)
		}
	}
	if code, _, _ := dptrain(t, dir, "report", "no.json"); code != int(statusResources) {
		t.Errorf("no file: exit status = %d, want %d", code, statusResources)
	}
	if code, _, _ := dptrain(t, dir, "report", *r.Report, "--format", "pdf"); code != int(statusUsage) {
		t.Errorf("--format pdf: exit status = %d, want %d", code, statusUsage)
	}
}
