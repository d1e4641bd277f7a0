package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compileSchema runs dptrain schema of what, and makes a validator of what it prints.
func compileSchema(t *testing.T, what string) *jsonschema.Schema {
	t.Helper()
	code, stdout, stderr := dptrain(t, t.TempDir(), "schema", what)
	if code != 0 || stderr != "" {
		t.Fatalf("schema %s: exit status %d, %s", what, code, stderr)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(stdout)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(what+".json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(what + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// asYAML is a config as an editor reads it: unquoted true and null are no texts, other than for parseYAML.
func asYAML(t *testing.T, text string) any {
	t.Helper()
	root, err := parseYAML(&source{name: "config.yaml", text: text, file: true})
	if err != nil {
		t.Fatal(err)
	}
	return editorValue(root)
}

func editorValue(n *node) any {
	switch {
	case n.isNull():
		return nil
	case n.kind == listNode:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = editorValue(item)
		}
		return list
	case n.kind == mapNode:
		fields := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			fields[e.name] = editorValue(e.value)
		}
		return fields
	case !n.quoted && (n.text == "true" || n.text == "false"):
		return n.text == "true"
	}
	return n.value()
}

func TestSchemaAcceptsConfigs(t *testing.T) {
	paths, err := filepath.Glob("../../configs/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no shipped configs: %v", err)
	}
	texts := map[string]string{
		"small": smallConfig, "full": fullConfig, "good": goodConfig,
		"empty sections": smallConfig + "model:\noutput:\n",
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	schema := compileSchema(t, "config")
	for name, text := range texts {
		if err := schema.Validate(asYAML(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaRefusesMalformedConfigs holds the schema against the configs that the strict pass refuses: what is of the
// wrong name, type or range of words there is so in an editor, too.
func TestSchemaRefusesMalformedConfigs(t *testing.T) {
	// What the schema cannot see: the way a number or a text is written, and what YAML refuses by itself.
	unseen := map[string]bool{
		"whole fraction for an integer": true, "exponent for an integer": true, "other version": true, "too small": true, "integer too large": true,
	}
	schema := compileSchema(t, "config")
	var seen int
	for _, test := range malformedConfigs() {
		root, err := parseYAML(&source{name: "config.yaml", text: test.text, file: true})
		if err != nil || unseen[test.name] {
			continue
		}
		seen++
		if err := schema.Validate(editorValue(root)); err == nil {
			t.Errorf("%s: the schema accepts it", test.name)
		}
	}
	if seen < 80 {
		t.Errorf("%d configs were looked at, want at least 80", seen)
	}
}

func TestSchemaHoldsForReports(t *testing.T) {
	schema := compileSchema(t, "report")
	for name, args := range map[string][]string{
		"private":     nil,
		"seeded":      {"--seed", "1"},
		"no privacy":  {"--no-privacy"},
		"sampled":     {"--set", "train.sampling_probability=0.5"},
		"queries":     {"--set", "train.class_weights=dp", "--set", "data.features=[{name: age, kind: numeric, min: 0, max: 200, standardize: dp, impute: 50}]"},
		"per person":  {"--set", "privacy.max_rows_per_person=3"},
		"private n":   {"--set", "privacy.adjacency=add_or_remove_one", "--set", "data.rows_at_most=20"},
		"vector, MLP": {"--set", "model.hidden=[3]", "--set", "data.features=[{name: v, kind: vector, columns: {prefix: age, first: 0, last: 1}, min: 0, max: 9, to: [0, 1]}]"},
	} {
		dir := workshop(t)
		switch name {
		case "private n":
			write(t, dir, "c.yaml", remove(t, goodConfig, "  rows: 8\n"))
		case "vector, MLP":
			write(t, dir, "train.csv", "age0,age1,y\n1,2,no\n3,4,yes\n5,6,no\n7,8,yes\n1,2,no\n3,4,yes\n5,6,no\n7,8,yes\n")
		}
		fit(t, dir, args...)
		text, err := os.ReadFile(filepath.Join(dir, "runs/c/report.json"))
		if err != nil {
			t.Fatal(err)
		}
		var report map[string]any
		if err := json.Unmarshal(text, &report); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(report); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		checkClosed(t, schema, report, report, name)
	}
}

// checkClosed checks that an unknown field in any object of a report fails the schema, and so does a missing one that
// every report has.
func checkClosed(t *testing.T, schema *jsonschema.Schema, report, at any, name string) {
	t.Helper()
	switch at := at.(type) {
	case map[string]any:
		at["surprise"] = 1
		if schema.Validate(report) == nil {
			t.Errorf("%s: the schema accepts an unknown field", name)
		}
		delete(at, "surprise")
		for field, inner := range maps.Clone(at) {
			checkClosed(t, schema, report, inner, name+"."+field)
		}
	case []any:
		for _, inner := range at {
			checkClosed(t, schema, report, inner, name)
		}
	}
}

func TestSchemaRefusesReportsWithout(t *testing.T) {
	schema := compileSchema(t, "report")
	dir := workshop(t)
	fit(t, dir)
	text, err := os.ReadFile(filepath.Join(dir, "runs/c/report.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"schema", "epsilon", "claim", "accounting", "warnings"} {
		var report map[string]any
		if err := json.Unmarshal(text, &report); err != nil {
			t.Fatal(err)
		}
		delete(report, field)
		if schema.Validate(report) == nil {
			t.Errorf("the schema accepts a report without %s", field)
		}
	}
}
