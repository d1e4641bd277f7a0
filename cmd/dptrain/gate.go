package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"dptrain/internal/train"
	"dptrain/internal/train/sheet"
)

// A gate is a --fail-under.
type gate struct {
	metric string
	bound  float64
}

// gateMetrics names the metrics of a whole table; those of a class have its name behind a dot.
func gateMetrics() []string {
	return []string{"accuracy", "balanced_accuracy", "macro_f1", "log_loss", "auc", "average_precision", "expected_calibration_error",
		"largest_gap", "worst_group_accuracy"}
}

// parseGates reads the values of --fail-under. A class name may hold any character, so the last = divides.
func parseGates(args []string) ([]gate, error) {
	var gates []gate
	for _, arg := range args {
		at := strings.LastIndexByte(arg, '=')
		if at < 0 {
			return nil, wrongGate(arg)
		}
		bound, err := strconv.ParseFloat(arg[at+1:], 64)
		name := arg[:at]
		kind, _, ofClass := strings.Cut(name, ".")
		known := slices.Contains(gateMetrics(), name) || ofClass && slices.Contains([]string{"precision", "recall", "f1"}, kind)
		if err != nil || math.IsNaN(bound) || !known {
			return nil, wrongGate(arg)
		}
		gates = append(gates, gate{name, bound})
	}
	return gates, nil
}

func wrongGate(arg string) error {
	return usage(fmt.Sprintf("such as --fail-under accuracy=0.85; the metrics are %s, and precision.CLASS, recall.CLASS and f1.CLASS",
		strings.Join(gateMetrics(), ", ")), "--fail-under is %q, want metric=number", arg)
}

// lessIsBetter reports whether the gate's bound is one from above.
func (g gate) lessIsBetter() bool {
	return slices.Contains([]string{"log_loss", "expected_calibration_error", "largest_gap"}, g.metric)
}

// value is the gate's metric; nil where it does not exist for the table.
func (g gate) value(r *evalResult) *float64 {
	switch g.metric {
	case "accuracy":
		return r.Accuracy
	case "balanced_accuracy":
		return r.BalancedAccuracy
	case "macro_f1":
		return r.MacroF1
	case "log_loss":
		return r.LogLoss
	case "auc":
		return r.AUC
	case "average_precision":
		return r.AveragePrecision
	case "expected_calibration_error":
		return r.CalibrationError
	case "largest_gap":
		if r.LargestGap != nil {
			return &r.LargestGap.Accuracy
		}
		return nil
	case "worst_group_accuracy":
		if r.LargestGap != nil {
			return &r.LargestGap.worst
		}
		return nil
	}
	kind, name, _ := strings.Cut(g.metric, ".")
	at := slices.IndexFunc(r.Classes, func(c train.Class) bool { return c.Name == name })
	if at < 0 {
		return nil
	}
	switch kind {
	case "precision":
		return r.Classes[at].Precision
	case "recall":
		return r.Classes[at].Recall
	}
	return r.Classes[at].F1
}

// refuseHopeless refuses gates that no table could pass: of a class that the model does not have, of groups without --by,
// and beside noisy counts of what does not follow from them.
func refuseHopeless(gates []gate, classes []string, grouped, noisy bool) error {
	for _, g := range gates {
		_, class, ofClass := strings.Cut(g.metric, ".")
		switch {
		case ofClass && !slices.Contains(classes, class):
			return usage("the model's classes are "+strings.Join(classes, ", "), "--fail-under %s names no class of the model", g.metric)
		case !grouped && slices.Contains([]string{"largest_gap", "worst_group_accuracy"}, g.metric):
			return usage("--by COLUMN", "--fail-under %s needs groups", g.metric)
		case noisy && slices.Contains([]string{"log_loss", "auc", "average_precision", "expected_calibration_error"}, g.metric):
			return usage("hold accuracy, or a figure of a class", "--fail-under %s does not go with --dp-epsilon: it does not follow from counts", g.metric)
		}
	}
	return nil
}

// check returns a failure where the metric is worse than the bound, or does not exist.
func (g gate) check(r *evalResult) error {
	const hint = "more rows, a larger ε or better features raise quality"
	value := g.value(r)
	switch {
	case value == nil:
		return &failure{statusQuality, fmt.Errorf("%s does not exist for this table, want %v", g.metric, g.bound), "the table lacks rows, classes or groups"}
	case g.lessIsBetter() && *value > g.bound:
		return &failure{statusQuality, fmt.Errorf("%s is %.6g, want at most %v", g.metric, *value, g.bound), hint}
	case !g.lessIsBetter() && *value < g.bound:
		return &failure{statusQuality, fmt.Errorf("%s is %.6g, want at least %v", g.metric, *value, g.bound), hint}
	}
	return nil
}

// An outcome is a gate and why it failed, or nil.
type outcome struct {
	gate gate
	err  error
}

func checkGates(gates []gate, r *evalResult) (outcomes []outcome) {
	for _, g := range gates {
		outcomes = append(outcomes, outcome{g, g.check(r)})
	}
	return outcomes
}

// firstFailure is the error of all gates that failed: the first one's, naming the others.
func firstFailure(outcomes []outcome) error {
	var failed []error
	for _, o := range outcomes {
		if o.err != nil {
			failed = append(failed, o.err)
		}
	}
	if len(failed) < 2 {
		return errors.Join(failed...)
	}
	var first *failure
	errors.As(failed[0], &first)
	return &failure{first.status, errors.Join(failed...), first.hint}
}

// junitSuite is the outcome of the gates as CI systems read it. The format has no standard; this is the part that all of
// them read.
type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
}

// writeJUnit writes the outcomes to path, and that the model could be evaluated; nowhere if path is empty.
func writeJUnit(path string, r *evalResult, outcomes []outcome) error {
	if path == "" {
		return nil
	}
	suite := junitSuite{Name: "dptrain eval", Cases: []junitCase{{Class: "dptrain.eval", Name: fmt.Sprintf("evaluated on %s", sheet.Count(r.Rows, "row"))}}}
	for _, o := range outcomes {
		c := junitCase{Class: "dptrain.eval", Name: fmt.Sprintf("%s at least %v", o.gate.metric, o.gate.bound)}
		if o.gate.lessIsBetter() {
			c.Name = fmt.Sprintf("%s at most %v", o.gate.metric, o.gate.bound)
		}
		if o.err != nil {
			c.Failure = &junitFailure{Message: o.err.Error()}
			suite.Failures++
		}
		suite.Cases = append(suite.Cases, c)
	}
	suite.Tests = len(suite.Cases)
	text, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return err
	}
	return writeResult(path, append([]byte(xml.Header), append(text, '\n')...))
}
