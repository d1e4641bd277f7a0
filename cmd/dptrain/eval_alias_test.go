package main

import (
	"strings"
	"testing"

	"dptrain/internal/data"
)

// TestEvalReadsLabelsByAliases gives eval a table that spells its labels otherwise than the training table did.
func TestEvalReadsLabelsByAliases(t *testing.T) {
	dir := workshop(t)
	r := fit(t, dir, "--set", `data.label.aliases=[{from: "1", to: "yes"}]`)
	write(t, dir, "usual.csv", evalTable())
	write(t, dir, "dotted.csv", strings.NewReplacer("no\n", "no.\n", "yes\n", "yes.\n").Replace(evalTable()))
	_, want, _ := dptrain(t, dir, "eval", "-m", *r.Model, "--data", "usual.csv", "--json")
	for _, test := range []struct {
		table  string
		args   []string
		status status
		stderr string
	}{
		{"dotted.csv", []string{"no.=no", "yes.=yes"}, statusDone, ""},
		{"usual.csv", []string{"no.=no"}, statusDone, ""},
		{"dotted.csv", []string{"no.=no"}, statusData, `dotted.csv:3:9: column "y" is not one of the declared classes` + "\ndptrain: hint: --label-alias FROM=TO"},
		{"dotted.csv", []string{"no.=maybe"}, statusUsage, `--label-alias "no.=maybe" names no class of the model behind an =` + "\ndptrain: hint: the model's classes are no, yes\n"},
		{"dotted.csv", []string{"no."}, statusUsage, "want spelling=class"},
		{"dotted.csv", []string{"no.=no", "no.=yes"}, statusUsage, `"no.=yes": the spelling is "no.", which another alias maps already`},
		{"dotted.csv", []string{"no.=no", "no.=no"}, statusUsage, "which another alias maps already"},
		{"usual.csv", []string{"1=no"}, statusUsage, "which another alias maps already"},
		{"usual.csv", []string{"yes=no"}, statusUsage, "which is a declared value itself"},
		{"usual.csv", []string{"n\xff=no"}, statusUsage, "not valid UTF-8"},
	} {
		args := []string{"eval", "-m", *r.Model, "--data", test.table, "--json"}
		for _, alias := range test.args {
			args = append(args, "--label-alias", alias)
		}
		code, out, stderr := dptrain(t, dir, args...)
		if code != int(test.status) || !strings.Contains(stderr, test.stderr) {
			t.Errorf("%q of %s = %d, want %d, with %q:\n%s", test.args, test.table, code, test.status, test.stderr, stderr)
		}
		if code == 0 && out != want || code != 0 && out != "" {
			t.Errorf("%q of %s prints\n%s\nwant, where it ends with 0,\n%s", test.args, test.table, out, want)
		}
	}
}

// TestAliasesDivideBehindAClass reads spellings and classes that hold = themselves.
func TestAliasesDivideBehindAClass(t *testing.T) {
	classes := []string{"<=50K", ">50K", "a", "b=a"}
	for _, test := range []struct {
		arg  string
		want data.Alias
		err  string
	}{
		{"<=50K.=<=50K", data.Alias{From: "<=50K.", To: "<=50K"}, ""},
		{">50K.=>50K", data.Alias{From: ">50K.", To: ">50K"}, ""},
		{"=a", data.Alias{From: "", To: "a"}, ""},
		{"==a", data.Alias{From: "=", To: "a"}, ""},
		{"x=b=a", data.Alias{}, `may mean "x" for the class "b=a", or "x=b" for "a"`},
	} {
		got, err := parseAlias(test.arg, classes)
		if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("parseAlias(%q) = %q, %v, want %q, %q", test.arg, got, err, test.want, test.err)
		}
	}
}
