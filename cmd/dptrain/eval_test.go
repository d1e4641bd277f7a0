package main

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// evalTable has 60 rows in two groups, both large enough to compare.
func evalTable() string {
	var b strings.Builder
	b.WriteString("age,town,y\n")
	for i := range 60 {
		b.WriteString([]string{"20,Ulm,no\n", "80,Bern,yes\n", "90,Bern,no\n", "30,Ulm,no\n"}[i%4])
	}
	return b.String()
}

func TestEvalGatesOfEveryKind(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir, "--set", "privacy.target_epsilon=100")
	write(t, dir, "test.csv", evalTable())
	for _, test := range []struct {
		args   string
		status status
		stderr string
	}{
		{"--fail-under balanced_accuracy=0 --fail-under macro_f1=0 --fail-under average_precision=0", statusDone, ""},
		{"--fail-under expected_calibration_error=0", statusQuality, "expected_calibration_error is"},
		{"--fail-under recall.yes=0 --fail-under precision.no=0 --fail-under f1.no=0", statusDone, ""},
		{"--fail-under recall.maybe=0", statusUsage, "names no class"},
		{"--by town --fail-under largest_gap=0 --fail-under worst_group_accuracy=1.1", statusQuality, "; worst_group_accuracy is"},
		{"--by town --fail-under largest_gap=1", statusDone, ""},
		{"--fail-under largest_gap=1", statusUsage, "needs groups"},
		{"--dp-epsilon 1 --fail-under auc=0.5", statusUsage, "does not follow from counts"},
		{"--dp-epsilon 1 --fail-under accuracy=0", statusDone, ""},
		{"--dp-epsilon 0", statusUsage, "--dp-epsilon"},
		{"--dp-epsilon 1 --by town", statusUsage, "--by does not go with --dp-epsilon"},
	} {
		args := append([]string{"eval", "-m", *r.Model, "--data", "test.csv"}, strings.Fields(test.args)...)
		code, out, stderr := dptrain(t, dir, args...)
		if code != int(test.status) || !strings.Contains(stderr, test.stderr) {
			t.Errorf("eval %s = %d, want %d, with %q:\n%s", test.args, code, test.status, test.stderr, stderr)
		}
		if code == 0 && !strings.Contains(out, "\nnote: ") {
			t.Errorf("eval %s does not say what its figures are:\n%s", test.args, out)
		}
	}
}

func TestEvalWritesJUnitAndPlots(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir)
	write(t, dir, "test.csv", evalTable())
	args := []string{"eval", "-m", *r.Model, "--data", "test.csv", "--junit", "j.xml", "--plot", "plots", "--fail-under", "accuracy=1.1", "--fail-under", "log_loss=99"}
	if code, _, stderr := dptrain(t, dir, args...); code != int(statusQuality) {
		t.Fatalf("exit status = %d, want %d\n%s", code, statusQuality, stderr)
	}
	text, err := os.ReadFile(filepath.Join(dir, "j.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var suite junitSuite
	if err := xml.Unmarshal(text, &suite); err != nil || suite.Tests != 3 || suite.Failures != 1 || suite.Cases[1].Failure == nil {
		t.Errorf("JUnit = %s, %v", text, err)
	}
	for _, name := range []string{"roc", "precision_recall", "calibration", "confusion"} {
		for ext, magic := range map[string]string{".svg": "<svg", ".png": "\x89PNG"} {
			if content, err := os.ReadFile(filepath.Join(dir, "plots", name+ext)); err != nil || !strings.Contains(string(content[:min(len(content), 400)]), magic) {
				t.Errorf("%s%s is no picture: %v", name, ext, err)
			}
		}
	}
	if code, _, _ := dptrain(t, dir, args...); code != int(statusResources) {
		t.Errorf("existing files: exit status = %d, want %d", code, statusResources)
	}
}

func TestNoisyEvalPrintsCountsAlone(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir)
	write(t, dir, "test.csv", evalTable())
	_, out, _ := dptrain(t, dir, "eval", "-m", *r.Model, "--data", "test.csv", "--dp-epsilon", "1", "--json", "--plot", "p")
	var fields map[string]any
	if err := json.Unmarshal([]byte(out), &fields); err != nil || fields["dp_epsilon"] != 1.0 {
		t.Errorf("eval --json = %s, %v", out, err)
	}
	for _, name := range []string{"auc", "log_loss", "average_precision", "expected_calibration_error", "calibration"} {
		if fields[name] != nil {
			t.Errorf("%s = %v, want nothing", name, fields[name])
		}
	}
	if drawn := files(t, filepath.Join(dir, "p")); len(drawn) != 2 {
		t.Errorf("plots = %v, want the confusion matrix alone", drawn)
	}
}

func TestFitEvaluatesAndGates(t *testing.T) {
	for _, test := range []struct {
		name, args string
		status     status
		written    bool
		stderr     string
	}{
		{"passes", "--eval test.csv --fail-under accuracy=0 --fail-under log_loss=99", statusDone, true, ""},
		{"fails", "--eval test.csv --fail-under accuracy=1.1", statusQuality, true, "accuracy is"},
		{"no table for it", "--eval no.csv", statusData, false, "no.csv: no such file"},
		{"a bad table", "--eval bad.csv", statusData, false, "bad.csv:2"},
		{"no class of it", "--eval test.csv --fail-under recall.maybe=1", statusUsage, false, "names no class"},
		{"nothing to hold", "--fail-under accuracy=1", statusUsage, false, "needs a table"},
		{"dry run", "--eval test.csv --dry-run", statusDone, false, ""},
	} {
		dir := workshop(t)
		write(t, dir, "test.csv", evalTable())
		write(t, dir, "bad.csv", "age,town,y\n20,Ulm,perhaps\n")
		code, out, stderr := dptrain(t, dir, append([]string{"fit", "-c", "c.yaml", "--json", "-q"}, strings.Fields(test.args)...)...)
		if code != int(test.status) || !strings.Contains(stderr, test.stderr) {
			t.Errorf("%s: fit = %d, want %d, with %q:\n%s", test.name, code, test.status, test.stderr, stderr)
		}
		if _, err := os.Stat(filepath.Join(dir, "runs", "c", "model.safetensors")); (err == nil) != test.written {
			t.Errorf("%s: the model is written: %v, want %v", test.name, err == nil, test.written)
		}
		if !test.written {
			continue
		}
		var r fitResult
		if err := json.Unmarshal([]byte(out), &r); err != nil || r.Eval == nil || r.Eval.Rows != 60 || r.Eval.Accuracy == nil {
			t.Errorf("%s: fit --json = %s, %v", test.name, out, err)
		}
	}
}

// TestStandardizedModelsAreEvaluatedAsTheyEncode: the table of --eval is read before the fit knows by what to scale it.
func TestStandardizedModelsAreEvaluatedAsTheyEncode(t *testing.T) {
	dir := workshop(t)
	write(t, dir, "c.yaml", strings.Replace(goodConfig, "kind: numeric, min: 0, max: 100", "kind: numeric, min: 0, max: 100000, standardize: dp, impute: 40", 1))
	write(t, dir, "test.csv", evalTable())
	r := fit(t, dir, "--eval", "test.csv", "--set", "privacy.target_epsilon=100")
	_, out, _ := dptrain(t, dir, "eval", "-m", *r.Model, "--data", "test.csv", "--json")
	var again evalResult
	if err := json.Unmarshal([]byte(out), &again); err != nil || *again.LogLoss != *r.Eval.LogLoss {
		t.Errorf("eval gives log loss %v, fit --eval %v, %v", *again.LogLoss, *r.Eval.LogLoss, err)
	}
	_, page, stderr := dptrain(t, dir, "report", *r.Report, "--format", "html")
	if stderr != "" || strings.Count(page, `class="line"`) != 2 || !strings.Contains(page, "query 1 before the steps") {
		t.Errorf("the report's page: %d curves, %s", strings.Count(page, `class="line"`), stderr)
	}
	if code, _, stderr := dptrain(t, dir, "tradeoff", "-c", "c.yaml", "--eval", "test.csv", "--epsilon", "100", "--runs", "1"); code != 0 {
		t.Errorf("tradeoff = %d\n%s", code, stderr)
	}
}

// TestEvalNamesTheEmptyGroup shows rows whose cell is empty as a group that can be read.
func TestEvalNamesTheEmptyGroup(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir)
	write(t, dir, "towns.csv", strings.ReplaceAll(evalTable(), "Bern", ""))
	status, stdout, stderr := dptrain(t, dir, "eval", "-m", *r.Model, "--data", "towns.csv", "--by", "town")
	if status != 0 || !strings.Contains(stdout, "\n\"\"  ") || !strings.Contains(stdout, `""`+" and Ulm") && !strings.Contains(stdout, `Ulm and ""`) {
		t.Errorf("eval --by town: exit status %d, printed\n%s%s", status, stdout, stderr)
	}
}
