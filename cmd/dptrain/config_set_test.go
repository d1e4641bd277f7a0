package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"dptrain/internal/data"
)

func TestSet(t *testing.T) {
	for _, test := range []struct {
		set  []string
		got  func(*config) any
		want any
	}{
		{[]string{"privacy.delta=1E-6"}, func(c *config) any { return c.Options.Privacy.Delta }, 1e-6},
		{[]string{"privacy.delta=1e-6", "privacy.delta=1e-7"}, func(c *config) any { return c.Options.Privacy.Delta }, 1e-7},
		{[]string{"privacy.noise_multiplier=2"}, func(c *config) any { return c.Options.Privacy.TargetEpsilon }, (*float64)(nil)},
		{[]string{"privacy.noise_multiplier=2", "privacy.target_epsilon=3"}, func(c *config) any { return c.Options.Privacy.NoiseMultiplier }, (*float64)(nil)},
		{[]string{"privacy.noise_multiplier=2", "privacy.target_epsilon=3"}, func(c *config) any { return *c.Options.Privacy.TargetEpsilon }, 3.},
		{[]string{"train.epochs=2"}, func(c *config) any { return c.Options.Train.Steps }, (*int)(nil)},
		{[]string{"train.batch_size=10", "train.sampling_probability=0.5"}, func(c *config) any { return c.Options.Train.BatchSize }, (*int)(nil)},
		{[]string{"train.sampling_probability=0.5", "train.batch_size=10"}, func(c *config) any { return c.Options.Train.SamplingProbability }, (*float64)(nil)},
		{[]string{"train.learning_rate=0.5", "train.learning_rate=auto"}, func(c *config) any { return c.Options.Train.LearningRate }, (*float64)(nil)},
		{[]string{"data.row_norm=none"}, func(c *config) any { return c.Spec.RowNorm }, 0.},
		{[]string{"model.hidden=[64, 32]"}, func(c *config) any { return c.Options.Model.Hidden }, []int{64, 32}},
		{[]string{"data.missing=[NA, '']"}, func(c *config) any { return c.Spec.Missing }, []string{"NA", ""}},
		{[]string{`data.delimiter="\t"`}, func(c *config) any { return c.Spec.Delimiter }, "\t"},
		{[]string{"data.train=a=b.csv"}, func(c *config) any { return c.table() }, "a=b.csv"},
		{[]string{"data.train= My Table.CSV # there"}, func(c *config) any { return c.table() }, "My Table.CSV"},
		{[]string{"data.label.name=Income.Class"}, func(c *config) any { return c.Spec.Label.Name }, "Income.Class"},
		{[]string{"data.label.classes=[Yes, yes]"}, func(c *config) any { return c.Spec.Label.Classes }, []string{"Yes", "yes"}},
		{[]string{"data.label.name=z", "data.label={name: Z, classes: [a, b]}"}, func(c *config) any { return c.Spec.Label }, data.Label{Name: "Z", Classes: []string{"a", "b"}}},
		{[]string{"data.label={name: Z, classes: [a, b]}", "data.label.name=z"}, func(c *config) any { return c.Spec.Label }, data.Label{Name: "z", Classes: []string{"a", "b"}}},
		{[]string{"data.features=[{name: A.b, kind: hashed, buckets: 8}]"}, func(c *config) any { return c.Spec.Features },
			[]data.Feature{{Name: "A.b", Kind: data.Hashed, Buckets: 8}}},
	} {
		c, err := parseConfig(smallConfig, configFlags{Set: test.set})
		if err != nil {
			t.Errorf("--set %q: %v", test.set, err)
			continue
		}
		if got := test.got(c); !reflect.DeepEqual(got, test.want) {
			t.Errorf("--set %q: %v, want %v", test.set, got, test.want)
		}
	}
}

func TestSetLabelReplacesTheFiles(t *testing.T) {
	c, err := parseConfig(fullConfig, configFlags{Set: []string{"data.label={name: y, classes: [a, b]}"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := (data.Label{Name: "y", Classes: []string{"a", "b"}}); !reflect.DeepEqual(c.Spec.Label, want) {
		t.Errorf("Label = %+v, want %+v: no alias of the file's", c.Spec.Label, want)
	}
}

func TestSetRefuses(t *testing.T) {
	for _, test := range []struct{ set, want, hint string }{
		{"privacy.delta", "--set privacy.delta: is not of the form KEY=VALUE", "such as --set privacy.target_epsilon=1"},
		{"privacy.delta=", "--set privacy.delta=: privacy.delta is empty, want a number", "privacy.delta: the chance"},
		{"privacy.delta=1_0", "--set privacy.delta=1_0: privacy.delta is 1_0, want a number", "write the digits without underscores"},
		{`train.steps="10"`, `--set train.steps="10": train.steps is "10", want an integer`, "remove the quotes"},
		{"train.steps=10.5", "--set train.steps=10.5: train.steps is 10.5, want an integer", "write a whole number"},
		{"train.steps=[1", `--set train.steps=[1: "[" is not closed`, "add the closing bracket"},
		{"train.steps=1\n---\n2", `--set "train.steps=1\n---\n2": a second document starts here`, "a config is one document"},
		{"privacy.detla=1", `--set privacy.detla=1: unknown key "privacy.detla"`, "did you mean privacy.delta?"},
		{"Privacy.Delta=1", `--set Privacy.Delta=1: unknown key "Privacy.Delta"`, "did you mean privacy.delta?"},
		{"delta=1", `--set delta=1: unknown key "delta"`, "the key is privacy.delta"},
		{"privacy.epsilon=1", `--set privacy.epsilon=1: unknown key "privacy.epsilon"`, "did you mean target_epsilon?"},
		{"privacy={unit: row}", "--set privacy={unit: row}: privacy is a section", "set one key of it at a time, such as --set privacy.unit=..."},
		{"data.features[0].min=1", "--set data.features[0].min=1: cannot set an element of a list", "set the whole list: --set 'data.features=[...]'"},
		{"data.features[].min=1", "--set data.features[].min=1: cannot set an element of a list", "set the whole list: --set 'data.features=[...]'"},
		{"data.features=[{kind: hashed}]", "--set data.features=[{kind: hashed}]: data.features[0] has no name", "data.features[].name: "},
		{"data.features=[{name: x, kind: hashes}]", "--set data.features=[{name: x, kind: hashes}]: data.features[0].kind is hashes, want numeric, categorical, hashed, text or vector", "did you mean hashed?"},
		{"privacy.ledger=x", "--set privacy.ledger=x: privacy.ledger is stated without privacy.dataset", "privacy.dataset: "},
		{"version=2", "--set version=2: version is 2, want 1", "this program reads configs of version 1"},
	} {
		_, err := parseConfig(smallConfig, configFlags{Set: []string{test.set}})
		checkConfigError(t, test.set, err, test.want)
		var bad *configError
		if errors.As(err, &bad) && (!strings.HasPrefix(bad.Hint(), test.hint) || bad.excerpt() != "") {
			t.Errorf("--set %s: hint %q, excerpt %q, want hint %s", test.set, bad.Hint(), bad.excerpt(), test.hint)
		}
	}
}

func TestLocate(t *testing.T) {
	set := configFlags{Set: []string{"train.momentum=2", "data.label.classes=[a]", "privacy.noise_multiplier=0"}}
	c, err := parseConfig(smallConfig, set)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ key, want, excerpt string }{
		{"privacy.delta", "config.yaml:14:10: privacy.delta is bad", "  14 |   delta: 1e-5\n     |          ^\n"},
		{"privacy.accountant", "config.yaml:11:1: privacy.accountant is bad", "  11 | privacy:\n     | ^\n"},
		{"data.features", "config.yaml:6:3: data.features is bad", "  6 |   features:\n    |   ^\n"},
		{"data.features[0].max", "config.yaml:7:48: data.features[0].max is bad",
			"  7 |     - {name: age, kind: numeric, min: 17, max: 90}\n    |                                                ^\n"},
		{"data.features[0].edges", "config.yaml:7:7: data.features[0].edges is bad", ""},
		{"data.features[1].values[2]", "config.yaml:10:27: data.features[1].values[2] is bad", ""},
		{"data.features[1].values[7]", "config.yaml:10:7: data.features[1].values[7] is bad", ""},
		{"data.features[1].edges", "config.yaml:8:7: data.features[1].edges is bad", ""},
		{"data.features[9]", "config.yaml:6:3: data.features[9] is bad", ""},
		{"data.features[x].name", "config.yaml:6:3: data.features[x].name is bad", ""},
		{"data.label", "config.yaml:5:3: data.label is bad", ""},
		{"model.hidden", "config.yaml:1:1: model.hidden is bad", ""},
		{"train.momentum", "--set train.momentum=2: train.momentum is bad", ""},
		{"data.label.classes[0]", "--set data.label.classes=[a]: data.label.classes[0] is bad", ""},
		{"privacy.noise_multiplier", "--set privacy.noise_multiplier=0: privacy.noise_multiplier is bad", ""},
	} {
		cause := &data.SpecError{Key: test.key, Msg: "is bad"}
		err := c.locate(cause)
		checkConfigError(t, test.key, err, test.want)
		var bad *configError
		if errors.As(err, &bad) && test.excerpt != "" && bad.excerpt() != test.excerpt {
			t.Errorf("%s: excerpt\n%s, want\n%s", test.key, bad.excerpt(), test.excerpt)
		}
		if !errors.Is(err, cause) {
			t.Errorf("%s: errors.Is(locate(err), err) = false, want true", test.key)
		}
	}
	c, err = parseConfig(smallConfig, configFlags{Set: []string{"data.label.name=z", "data.label={name: y, classes: [a]}"}})
	if err != nil {
		t.Fatal(err)
	}
	checkConfigError(t, "replaced", c.locate(&data.SpecError{Key: "data.label.name", Msg: "is bad"}),
		"--set data.label={name: y, classes: [a]}: data.label.name is bad")
	var bad *configError
	if err := c.locate(&data.SpecError{Key: "data.features[0].min", Msg: "is bad", Suggestion: "mend it"}); !errors.As(err, &bad) || bad.Hint() != "mend it" {
		t.Errorf("locate(%v) has not the suggestion as its hint", err)
	}
	if err := c.locate(&data.SpecError{Key: "data.features[0].min", Msg: "is bad"}); !errors.As(err, &bad) || !strings.HasPrefix(bad.Hint(), "data.features[].min: ") {
		t.Errorf("locate(%v) has not the key's hint", err)
	}
	if other := errors.New("other"); c.locate(other) != other || c.locate(nil) != nil {
		t.Error("locate changes an error that is no *data.SpecError")
	}
}
