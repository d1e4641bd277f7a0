// Package sheet turns a privacy report into a page for people: as text, as Markdown, or as one HTML file that needs no
// network. It adds nothing to what the report says but its meaning, and recomputes the claim from the report's own events
// on the way, so that a page never looks better than its numbers. A report is a file from somewhere: all of its strings
// are escaped, and none of its numbers is trusted.
//
// It explains; it never says that a law is complied with.
package sheet

import (
	"fmt"
	"math"
	"strings"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
)

// A Sheet is a report with all that is shown of it.
type Sheet struct {
	Report   *train.Report
	Headline string // the claim in a few words
	Sentence string // the claim in plain words
	Strength string // what people call such an ε; empty where nothing is promised
	Check    Check  // what recomputing the claim gave
	Beliefs  []Belief
	Surprise float64 // chance that a belief becomes firmer than Beliefs say
	Covered  []string
	Open     []string // what is not covered
	Sections []Section
}

// A Section is a table under a heading.
type Section struct {
	ID, Title string
	Lead      string   // a sentence before the table
	Columns   []string // names of the three columns
	Rows      []Row
}

// A Row is a line of a table.
type Row struct {
	Name   string // what it is about
	Value  string // what the report says
	Note   string // what that means, or the field that says it
	Field  string // path of the field in the report; empty where the report has no answer
	Silent bool   // the report cannot answer this
}

// A Belief says how far the model can move somebody who thought that a row was in the table with a certain probability, but for a
// chance of [Sheet.Surprise].
//
// No bound on beliefs follows from ε alone, however small δ: the loss l, by which e^l the odds grow, exceeds ε itself more often than δ. But
// δ ≥ E(1 − e^(ε−l))₊ ≥ P(l > ε + log 2)·(1 − ½): odds grow by more than 2·e^ε with a chance of 2δ at most.
type Belief struct{ Before, After float64 }

// New makes a sheet of a report.
func New(r *train.Report) *Sheet {
	s := &Sheet{Report: r, Check: recompute(r), Covered: r.Setting.Covered, Open: r.Setting.NotCovered}
	if r.Private {
		s.claim()
	} else {
		s.Headline = "No privacy guarantee"
		s.Sentence = "Nothing is promised to the people in the table. " + strings.TrimPrefix(r.Claim.Statement, "No guarantee: ")
	}
	s.Sections = []Section{s.parameters(), s.training(), s.declared(), dpfy(r), nist(r), law(r), s.evidence()}
	return s
}

// claim fills in what only a private report has.
func (s *Sheet) claim() {
	r := s.Report
	epsilon := *r.Epsilon
	s.Headline = fmt.Sprintf("ε = %s at δ = %s for each %s", accounting.FormatUp(epsilon, 4), power(r.Delta), r.Unit)
	times := accounting.FormatUp(math.Exp(epsilon), 3)
	if epsilon > 12 {
		times = "e^" + accounting.FormatUp(epsilon, 4)
	}
	s.Sentence = fmt.Sprintf("No conclusion that anybody draws from the model becomes more than %s times as likely because one %s was in the table, "+
		"but for a chance of %s.", times, r.Unit, power(r.Delta))
	if rate := r.Claim.AttackSuccess; rate != nil {
		s.Sentence += fmt.Sprintf(" An attacker who knows every other %s and accepts 1\u00a0%% false alarms recognises at most %s of those that were in it; "+
			"guessing recognises 1\u00a0%%.", r.Unit, percent(*rate))
	}
	s.Strength, s.Surprise = Strength(epsilon), min(1, 2*r.Delta)
	for _, before := range []float64{0.01, 0.1, 0.5} {
		odds := 2 * math.Exp(epsilon) * before / (1 - before)
		after := 1.0
		if !math.IsInf(odds, 1) {
			after = odds / (1 + odds)
		}
		s.Beliefs = append(s.Beliefs, Belief{before, after})
	}
}

// Strength is what people call an ε, by the four digits that they see of it.
func Strength(epsilon float64) string {
	epsilon = accounting.RoundUp(epsilon, 4)
	switch {
	case epsilon < 1:
		return "very strong"
	case epsilon <= 10:
		return "moderate"
	}
	return "weak"
}

// power writes a small number as a power of ten.
func power(x float64) string {
	if !(x > 0) || x >= 0.001 {
		return fmt.Sprintf("%g", x)
	}
	mantissa, exponent, _ := strings.Cut(fmt.Sprintf("%.2e", x), "e-")
	mantissa = strings.TrimSuffix(strings.TrimRight(mantissa, "0"), ".")
	digits := strings.NewReplacer("0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")
	exponent = "10⁻" + digits.Replace(strings.TrimLeft(exponent, "0"))
	if mantissa == "1" {
		return exponent
	}
	return mantissa + " × " + exponent
}

// percent writes a probability as a percentage of three digits, rounded up.
func percent(p float64) string {
	switch {
	case p >= 1:
		return "100\u00a0%"
	case p > 0.999:
		return "over 99.9\u00a0%"
	}
	return accounting.FormatUp(100*p, 3) + "\u00a0%"
}

// show writes a number that may be missing.
func show(x *float64) string {
	if x == nil {
		return "none"
	}
	return accounting.FormatUp(*x, 4)
}
