package sheet

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"dptrain/internal/privacy/accounting"
)

// notToRelyOn stands before whatever recomputing the claim has found.
const notToRelyOn = "do not rely on this report"

// Text writes the sheet as plain text of at most width columns, at least 40.
func (s *Sheet) Text(w io.Writer, width int) error {
	t := &textWriter{width: max(width, 40)}
	t.line("private: %v", s.Report.Private)
	t.line("")
	for _, problem := range s.Check.Problems { // before the claim, which they take back
		t.paragraph("! ", notToRelyOn+": "+problem)
	}
	if len(s.Check.Problems) > 0 {
		t.line("")
	}
	t.line("%s%s", s.Headline, inBrackets(s.Strength))
	t.paragraph("", s.Sentence)
	for _, warning := range s.Report.Warnings {
		t.paragraph("! ", warning)
	}
	if len(s.Beliefs) > 0 {
		t.heading("What it means")
		t.paragraph("- ", fmt.Sprintf("ε is %s: %s. Below 1 is very strong, 1 to 10 moderate, above 10 weak.", accounting.FormatUp(*s.Report.Epsilon, 4), s.Strength))
		for _, b := range s.Beliefs {
			t.paragraph("- ", s.beliefSentence(b))
		}
	}
	t.list("Covered", s.Covered)
	t.list("Not covered", s.Open)
	for _, section := range s.Sections {
		t.heading(section.Title)
		if section.Lead != "" {
			t.paragraph("", section.Lead)
		}
		for _, row := range section.Rows {
			t.paragraph("- ", fmt.Sprintf("%s: %s%s", row.Name, row.Value, inBrackets(row.Field)))
			if row.Note != "" {
				t.paragraph("    ", row.Note)
			}
		}
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

func inBrackets(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

// beliefSentence says what a belief may become.
func (s *Sheet) beliefSentence(b Belief) string {
	return fmt.Sprintf("Somebody who was %s sure that a row is in the table may become at most %s sure, but for a chance of %s.",
		percent(b.Before), percent(b.After), power(s.Surprise))
}

// A textWriter wraps lines.
type textWriter struct {
	b     strings.Builder
	width int
}

func (t *textWriter) line(format string, args ...any) {
	t.b.WriteString(Clean(fmt.Sprintf(format, args...)) + "\n")
}

func (t *textWriter) heading(title string) {
	t.line("")
	t.line("%s", title)
	t.line("%s", strings.Repeat("-", utf8.RuneCountInString(title)))
}

func (t *textWriter) list(title string, items []string) {
	t.heading(title)
	for _, item := range items {
		t.paragraph("- ", item)
	}
}

// paragraph writes text behind a mark, wrapped; further lines are indented by as much.
func (t *textWriter) paragraph(mark, text string) {
	at := mark
	column := utf8.RuneCountInString(mark)
	indent := strings.Repeat(" ", column)
	for _, word := range strings.FieldsFunc(Clean(text), func(r rune) bool { return r == ' ' }) {
		n := utf8.RuneCountInString(word)
		if column > len(indent) && column+1+n > t.width {
			t.b.WriteString(at + "\n")
			at, column = indent, len(indent)
		}
		if column > len(indent) {
			at, column = at+" ", column+1
		}
		at, column = at+word, column+n
	}
	t.b.WriteString(at + "\n")
}

// Clean takes out of a text what moves a terminal's cursor or turns its writing round: a report comes from anywhere.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// Count is a number of things in words: 1 row, 2 rows, 3 classes.
func Count(n int, thing string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(thing, "s"):
		thing += "es"
	default:
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// Markdown writes the sheet as Markdown with tables.
func (s *Sheet) Markdown(w io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("private: %v\n", s.Report.Private)
	for _, problem := range s.Check.Problems {
		line("> **Warning:** %s: %s\n", notToRelyOn, mark(problem))
	}
	line("# %s%s\n", mark(s.Headline), inBrackets(s.Strength))
	line("%s\n", mark(s.Sentence))
	for _, warning := range s.Report.Warnings {
		line("> **Warning:** %s\n", mark(warning))
	}
	for _, belief := range s.Beliefs {
		line("- %s", mark(s.beliefSentence(belief)))
	}
	for _, list := range []struct {
		title string
		items []string
	}{{"Covered", s.Covered}, {"Not covered", s.Open}} {
		line("\n## %s\n", list.title)
		for _, item := range list.items {
			line("- %s", mark(item))
		}
	}
	for _, section := range s.Sections {
		line("\n## %s\n", section.Title)
		if section.Lead != "" {
			line("%s\n", mark(section.Lead))
		}
		line("| %s |\n|---|---|---|", strings.Join(section.Columns, " | "))
		for _, row := range section.Rows {
			third := mark(row.Note)
			if row.Note == "" && row.Field != "" {
				third = "`" + row.Field + "`"
			}
			line("| %s | %s | %s |", mark(row.Name), mark(row.Value), third)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mark escapes a text for Markdown, on one line: every character that could begin markup or HTML.
func mark(text string) string {
	var b strings.Builder
	for _, r := range Clean(text) {
		if strings.ContainsRune("\\`*_{}[]<>#|~!&", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
