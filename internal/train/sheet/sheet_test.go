package sheet

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"

	"dptrain/internal/data"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
)

func pointer[T any](v T) *T { return &v }

// honest is a report as fit writes it.
func honest(t testing.TB, change func(*train.Options)) *train.Report {
	t.Helper()
	schema, err := data.NewSchema(data.Spec{
		Missing: []string{""}, RowNorm: 1,
		Label: data.Label{Name: "y", Classes: []string{"no", "yes"}},
		Features: []data.Feature{
			{Name: "x", Kind: data.Numeric, Min: pointer(-1.0), Max: pointer(1.0), Edges: []float64{0}},
			{Name: "c", Kind: data.Categorical, Values: []string{"a", "b"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	o := train.Options{Rows: 4000, Privacy: train.PrivacyOptions{Unit: "row", TargetEpsilon: pointer(2.0), Delta: 1e-5, MaxRowsPerPerson: 3}}
	if change != nil {
		change(&o)
	}
	plan, err := train.NewPlan(o, schema)
	if err != nil {
		t.Fatal(err)
	}
	r, err := train.NewReport(plan, &train.Fitted{Steps: plan.Train.Steps}, false, "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	r.Hashes.Model = strings.Repeat("0", 64)
	return r
}

// everything is the sheet in all its forms.
func everything(t testing.TB, s *Sheet) string {
	t.Helper()
	var b bytes.Buffer
	for _, write := range []func(io.Writer) error{
		func(w io.Writer) error { return s.Text(w, 80) }, s.Markdown, s.HTML,
	} {
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestHonestReportsRaiseNoAlarm(t *testing.T) {
	for name, change := range map[string]func(*train.Options){
		"full batch": nil,
		"poisson":    func(o *train.Options) { o.Train.SamplingProbability = pointer(0.1) },
		"rdp":        func(o *train.Options) { o.Privacy.Accountant, o.Privacy.MaxRowsPerPerson = "rdp", 0 },
		"add/remove": func(o *train.Options) { o.Privacy.Adjacency, o.Rows, o.RowsAtMost = "add_or_remove_one", 0, 5000 },
		"weak":       func(o *train.Options) { o.Privacy.TargetEpsilon = pointer(300.0) },
	} {
		s := New(honest(t, change))
		if len(s.Check.Problems) > 0 {
			t.Errorf("%s: problems = %q, want none", name, s.Check.Problems)
		}
		if s.DeltaChart() == nil || s.StepsChart() == nil {
			t.Errorf("%s: a curve is missing", name)
		}
		if text := everything(t, s); strings.Contains(text, "Inf") || strings.Contains(text, "NaN") || strings.Contains(text, "%!") {
			t.Errorf("%s: the page shows Inf, NaN or a wrong format", name)
		}
	}
}

// TestLiesAreFound changes an honest report in one place after another.
func TestLiesAreFound(t *testing.T) {
	for name, lie := range map[string]func(*train.Report){
		"ε":           func(r *train.Report) { r.Epsilon, r.Claim.EpsilonUpper = pointer(0.5), pointer(0.5) },
		"ε at top":    func(r *train.Report) { r.Epsilon = pointer(0.5) },
		"events":      func(r *train.Report) { r.Accounting.Events = json.RawMessage(`{"event":"non_private"}`) },
		"no events":   func(r *train.Report) { r.Accounting.Events = nil },
		"attack":      func(r *train.Report) { r.Claim.AttackSuccess = pointer(0.0101) },
		"accountant":  func(r *train.Report) { r.Accounting.Accountant = "guess" },
		"accounted δ": func(r *train.Report) { r.Accounting.AccountedDelta = 0.5 },
	} {
		r := honest(t, nil)
		lie(r)
		r.ReportID, _ = r.Identity()
		s := New(r)
		if len(s.Check.Problems) == 0 {
			t.Errorf("%s: the lie is not found", name)
		}
		for format, write := range map[string]func(io.Writer) error{
			"text": func(w io.Writer) error { return s.Text(w, 80) }, "md": s.Markdown, "html": s.HTML,
		} {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			page := b.String()
			if format == "html" {
				_, page, _ = strings.Cut(page, "<body>") // the title is no part of what is read
			}
			warned := strings.Index(strings.ToLower(page), "do not rely on this report")
			if claimed := strings.Index(page, s.Headline); warned < 0 || warned > claimed {
				t.Errorf("%s: the page as %s does not say so before the claim", name, format)
			}
		}
	}
	r := honest(t, nil)
	r.Warnings = append(r.Warnings, "all is well")
	if s := New(r); len(s.Check.Problems) != 1 {
		t.Errorf("a changed report gives the problems %q, want one", s.Check.Problems)
	}
}

// TestStringsAreEscaped plants markup and terminal codes in every string of a report.
func TestStringsAreEscaped(t *testing.T) {
	const evil = "\x1b[31m<script>alert(1)</script>\u202e](javascript:x)\n# x|`" + `"'onload=x`
	r := honest(t, nil)
	plant(reflect.ValueOf(r).Elem(), evil)
	s := New(r)
	var text, markdown, page strings.Builder
	for _, err := range []error{s.Text(&text, 80), s.Markdown(&markdown), s.HTML(&page)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, out := range map[string]string{"text": text.String(), "Markdown": markdown.String(), "HTML": page.String()} {
		if strings.ContainsAny(out, "\x1b\u202e") || strings.Contains(out, "\n# x") {
			t.Errorf("the %s moves the cursor, turns the writing or begins a line", name)
		}
	}
	if strings.Contains(page.String(), "<script") || strings.Contains(page.String(), `"'onload`) {
		t.Error("the HTML holds markup of the report")
	}
	if !strings.Contains(page.String(), "alert(1)") {
		t.Error("the HTML does not show the strings at all")
	}
	bare := strings.NewReplacer(`\\`, "", `\<`, "", `\[`, "", `\]`, "", `\|`, "", "\\`", "").Replace(markdown.String())
	if strings.ContainsAny(bare, "<[]") {
		t.Error("the Markdown holds markup of the report")
	}
	for _, line := range strings.Split(bare, "\n") {
		if strings.HasPrefix(line, "|") && strings.Count(line, "|") != 4 {
			t.Errorf("a row of the Markdown has %d bars, want 4: %q", strings.Count(line, "|"), line)
		}
	}
}

// plant sets every string below v.
func plant(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		if !v.IsNil() {
			plant(v.Elem(), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			plant(v.Field(i), text)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			plant(v.Index(i), text)
		}
	default:
	}
}

// TestFieldsExist holds every field that the sheet names against the report.
func TestFieldsExist(t *testing.T) {
	for _, change := range []func(*train.Options){nil, func(o *train.Options) { o.Privacy.Adjacency, o.Rows, o.RowsAtMost = "add_or_remove_one", 0, 5000 }} {
		r := honest(t, change)
		text, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := json.Unmarshal(text, &tree); err != nil {
			t.Fatal(err)
		}
		for _, section := range New(r).Sections {
			for _, row := range section.Rows {
				if row.Silent != (row.Field == "") {
					t.Errorf("%s: %q names field %q", section.Title, row.Name, row.Field)
				}
				if row.Value == "" {
					t.Errorf("%s: %q has no answer", section.Title, row.Name)
				}
				if row.Field == "" {
					continue
				}
				var at any = tree
				for _, name := range strings.Split(row.Field, ".") {
					object, _ := at.(map[string]any)
					found, ok := object[name]
					if !ok {
						t.Errorf("%s: %q names the field %s, which the report does not have", section.Title, row.Name, row.Field)
					}
					at = found
				}
			}
		}
	}
}

func TestReportThatPromisesNothing(t *testing.T) {
	r := honest(t, nil)
	r.Private, r.Epsilon, r.Claim = false, nil, train.ReportClaim{Statement: "No guarantee: tests."}
	r.ReportID, _ = r.Identity()
	s := New(r)
	if s.Headline != "No privacy guarantee" || len(s.Check.Problems) > 0 || s.DeltaChart() != nil || len(s.Beliefs) > 0 {
		t.Errorf("the sheet says %q, problems %q", s.Headline, s.Check.Problems)
	}
	if text := everything(t, s); strings.Contains(text, "at most 0") || !strings.Contains(text, "nothing: this run is not private") {
		t.Error("the page promises something")
	}
}

// FuzzSheet feeds numbers that no fit writes.
func FuzzSheet(f *testing.F) {
	f.Add(1.0, 1e-5, 1e-5, 0.0, 0.02, `{"event":"self_composed","count":10,"of":{"event":"gaussian","noise_multiplier":2}}`, "row", true)
	f.Add(math.Inf(1), math.NaN(), -1.0, 1e308, -5.0, `{"event":"self_composed","count":1,"of":{"event":"non_private"}}`, "<b>", true)
	f.Add(0.0, 0.0, 0.0, 0.0, 0.0, `{}`, "", false)
	base := honest(f, nil)
	f.Fuzz(func(t *testing.T, epsilon, delta, accounted, extra, attack float64, events, text string, private bool) {
		if len(events) > 300 { // pricing long lists is slow, not wrong
			return
		}
		r := *base
		r.Private, r.Epsilon, r.Claim.EpsilonUpper, r.Delta = private, &epsilon, &epsilon, delta
		r.Accounting.AccountedDelta, r.Accounting.ExtraEpsilon, r.Accounting.Events = accounted, extra, json.RawMessage(events)
		r.Claim.AttackSuccess, r.Claim.MuGDP, r.Unit, r.Adjacency = &attack, &epsilon, text, accounting.Adjacency(text)
		if !private {
			r.Epsilon, r.Claim.EpsilonUpper = nil, nil
		}
		everything(t, New(&r))
	})
}

// TestBeliefsAreBounded holds the stated beliefs against the mechanism itself, which at q = 1 is Gaussian of mu-GDP: its loss is
// normal with mean μ²/2 and variance μ², and takes the odds beyond what is stated with the stated chance at most. Beyond ε itself it
// takes them more often than that: e^ε alone would be no bound.
func TestBeliefsAreBounded(t *testing.T) {
	r := honest(t, nil)
	s, mu := New(r), *r.Claim.MuGDP
	chance := func(loss float64) float64 { return math.Erfc((loss/mu-mu/2)/math.Sqrt2) / 2 }
	for _, b := range s.Beliefs {
		loss := math.Log(b.After / (1 - b.After) * (1 - b.Before) / b.Before)
		if got := chance(loss); got > s.Surprise {
			t.Errorf("%v sure becomes more than %v sure with chance %g, the sheet says %g", b.Before, b.After, got, s.Surprise)
		}
	}
	if got := chance(*r.Epsilon); len(s.Beliefs) == 0 || got <= s.Surprise {
		t.Errorf("the loss exceeds ε with chance %g, no more than the %g stated", got, s.Surprise)
	}
}
