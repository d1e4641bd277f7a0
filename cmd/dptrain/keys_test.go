package main

import (
	"reflect"
	"strings"
	"testing"
	"unicode"

	"dptrain/internal/data"
)

func TestKeyTableIsConsistent(t *testing.T) {
	ks := keys(keyTable())
	seen := make(map[string]bool)
	for i := range ks {
		k := &ks[i]
		if seen[k.path] {
			t.Errorf("%s is listed twice", k.path)
		}
		seen[k.path] = true
		if strings.ContainsFunc(k.path, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsUpper(r) }) {
			t.Errorf("%s is not lower case ASCII, as viper needs", k.path)
		}
		if around := strings.TrimSuffix(strings.TrimSuffix(k.path, k.name()), "."); around != "" {
			list, inList := strings.CutSuffix(around, "[]")
			if p := ks.at(list); p == nil || inList != (p.kind == kindMappings) || !inList && p.kind != kindMapping {
				t.Errorf("%s is not below a mapping or list of mappings of the table", k.path)
			}
		}
		if k.instead != "" && (ks.at(k.instead) == nil || ks.at(k.instead).instead != k.path) {
			t.Errorf("%s excludes %s, but not the other way round", k.path, k.instead)
		}
		if (len(k.words) > 0) != (k.kind == kindChoice || k.kind == kindNumberOrWord || k.kind == kindNumbersOrWord) {
			t.Errorf("%s has words %q", k.path, k.words)
		}
		if k.doc == "" || k.want() == "" {
			t.Errorf("%s has no doc or wants nothing", k.path)
		}
	}
}

// TestDeclaredKeysAreTheSpecs checks that what is handed over in JSON keeps its names.
func TestDeclaredKeysAreTheSpecs(t *testing.T) {
	ks := keys(keyTable())
	for path, field := range map[string]any{
		"data.label": data.Label{}, "data.label.aliases[]": data.Alias{}, "data.features[]": data.Feature{},
		"data.features[].aliases[]": data.Alias{}, "data.features[].columns": data.ColumnRun{},
	} {
		var names, want []string
		for _, k := range ks.under(path) {
			names = append(names, k.name())
		}
		fields := reflect.TypeOf(field)
		for i := range fields.NumField() {
			name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
			want = append(want, name)
		}
		if !reflect.DeepEqual(names, want) {
			t.Errorf("keys under %s = %q, want %q as %T has", path, names, want, field)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"steps", "epochs", "sampling_probability", "target_epsilon", "to"}
	for _, test := range []struct{ name, want string }{
		{"steps", "steps"}, {"step", "steps"}, {"setps", "steps"}, {"stepz", "steps"}, {"STEPS", "steps"}, {"ste", ""}, {"pest", ""},
		{"epoch", "epochs"}, {"epsilon", "target_epsilon"}, {"Epsilon", "target_epsilon"}, {"sampling_probabilty", "sampling_probability"},
		{"sample_probability", "sampling_probability"}, {"t", "to"}, {"x", ""}, {"", ""}, {strings.Repeat("steps", 100), ""},
	} {
		if got := nearest(test.name, words); got != test.want {
			t.Errorf("nearest(%q) = %q, want %q", test.name, got, test.want)
		}
	}
}

func TestEdits(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "xbc", 1}, {"abc", "ab", 1}, {"abc", "bca", 2},
		{"kitten", "sitting", 3}, {"ca", "abc", 3}, // the last is 2 for the unrestricted distance
	} {
		if got := edits(test.a, test.b); got != test.want {
			t.Errorf("edits(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestNumbersAsTheyAreWritten(t *testing.T) {
	check := &checker{keys: keyTable(), src: &source{name: "x"}}
	for _, test := range []struct {
		text string
		want float64
	}{
		{"0", 0}, {"1", 1}, {"-5", -5}, {"+5", 5}, {"1.0", 1}, {"1.", 1}, {".5", 0.5}, {"-.5", -0.5}, {"1e-5", 1e-5}, {"1e-05", 1e-5}, {"1E-6", 1e-6},
		{"1e+2", 100}, {"0.1e1", 1}, {"0e5", 0}, {"5e-324", 5e-324}, {"1.7976931348623157e308", 1.7976931348623157e308}, {"123456789012345678901234567890", 1.2345678901234568e29},
	} {
		got, err := check.number("x", &key{kind: kindNumber}, &node{text: test.text})
		if err != nil || got != test.want {
			t.Errorf("number(%q) = %v, %v, want %v", test.text, got, err, test.want)
		}
	}
	for _, text := range []string{"", ".", "-", "+", "e5", "1e", "1e+", "--1", "+-1", "1-", "1.2.3", "01", "-01", "00", "00.5", "1_0", "0x1", "0b1", "0o1",
		"1,5", "1 0", "½", "１", "inf", "Inf", "infinity", "nan", ".nan", ".inf", "1e309", "1e-324", "1f", "1d", "true", "~"} {
		if got, err := check.number("x", &key{kind: kindNumber}, &node{text: text}); err == nil {
			t.Errorf("number(%q) = %v, want an error", text, got)
		}
		if got, err := check.integer("x", &key{kind: kindInteger}, &node{text: text}); err == nil {
			t.Errorf("integer(%q) = %v, want an error", text, got)
		}
	}
	for _, text := range []string{"1.0", "1.", ".5", "1e5", "9223372036854775808", "-9223372036854775809"} {
		if got, err := check.integer("x", &key{kind: kindInteger}, &node{text: text}); err == nil {
			t.Errorf("integer(%q) = %v, want an error", text, got)
		}
	}
}
