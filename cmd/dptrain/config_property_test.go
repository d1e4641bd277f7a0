package main

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// scalar draws a value of a kind as the checker returns it.
func scalar(t *rapid.T, k *key) any {
	word := rapid.OneOf(rapid.SampledFrom([]string{"Age", "AGE", "a.b", "yes", "010", "1e-5", ".nan", "", " x ", "é", "\t", "${HOME}", "$HOME", "[1]", "{a: b}", "a,b", "0x10"}), rapid.String())
	real := rapid.OneOf(rapid.SampledFrom([]float64{0, 1e-300, 5e-324, math.MaxFloat64, -math.MaxFloat64, 0.1, 1 << 53, 1e-5}), rapid.Float64().Filter(func(x float64) bool { return !math.IsInf(x, 0) }))
	whole := rapid.OneOf(rapid.SampledFrom([]int{0, 1, math.MaxInt, math.MinInt, 1<<53 + 1}), rapid.Int())
	switch k.kind {
	case kindText, kindCell, kindChoice:
		return word.Draw(t, k.path)
	case kindBool:
		return rapid.Bool().Draw(t, k.path)
	case kindCells, kindTexts:
		return rapid.SliceOf(word).Draw(t, k.path)
	case kindInteger:
		return whole.Draw(t, k.path)
	case kindIntegers:
		return rapid.SliceOf(whole).Draw(t, k.path)
	case kindNumbersOrWord:
		if rapid.Bool().Draw(t, "word") {
			return k.words[0]
		}
		return rapid.SliceOf(real).Draw(t, k.path)
	case kindNumber, kindNumberOrWord:
		if k.kind == kindNumberOrWord && rapid.Bool().Draw(t, "word") {
			return k.words[0]
		}
		return real.Draw(t, k.path)
	}
	t.Fatalf("viper is given %s, which is no scalar nor list of scalars", k.path)
	return nil
}

// TestViperChangesNoValue puts random values at every key in random layers and expects each back as it was, from the
// highest layer that states it.
func TestViperChangesNoValue(t *testing.T) {
	ks := keys(keyTable())
	rapid.Check(t, func(t *rapid.T) {
		file, defaults, want := make(map[string]any), make(map[string]any), make(map[string]any)
		var above []assignment
		for i := range ks {
			k := &ks[i]
			if k.kind == kindMapping || isDeclared(k.path) {
				continue
			}
			if rapid.Bool().Draw(t, "default") {
				defaults[k.path] = scalar(t, k)
				want[k.path] = defaults[k.path]
			}
			if rapid.Bool().Draw(t, "file") {
				want[k.path] = scalar(t, k)
				at, name := file, k.path
				for section, rest, nested := strings.Cut(name, "."); nested; section, rest, nested = strings.Cut(name, ".") {
					if at[section] == nil {
						at[section] = make(map[string]any)
					}
					at, name = at[section].(map[string]any), rest
				}
				at[name] = want[k.path]
			}
			if rapid.Bool().Draw(t, "above") {
				want[k.path] = scalar(t, k)
				above = append(above, assignment{path: k.path, value: want[k.path]})
			}
		}
		if got := layeredValues(ks, file, above, defaults); !reflect.DeepEqual(got, want) {
			t.Fatalf("layeredValues = %v, want %v", got, want)
		}
	})
}

func TestViperNeverSeesLabelAndFeatures(t *testing.T) {
	src := &source{name: "x", text: fullConfig, file: true}
	root, err := parseYAML(src)
	if err != nil {
		t.Fatal(err)
	}
	file, err := (&checker{keys: keyTable(), src: src}).file(root)
	if err != nil {
		t.Fatal(err)
	}
	declaredValues(file, nil)
	section := file["data"].(map[string]any)
	if split, ok := section["split"].(map[string]any); !ok || len(split) != 3 {
		t.Errorf("viper is given data.split as %v", section["split"])
	}
	delete(section, "split") // scalars by names of the table, as other sections
	for name, value := range section {
		switch value.(type) {
		case string, int, float64, bool, []string:
		default:
			t.Errorf("viper is given data.%s, a %T", name, value)
		}
	}
	if len(section) == 0 {
		t.Error("nothing is left of the data section")
	}
}

// FuzzConfig reads arbitrary text as a config and as the value of a --set.
func FuzzConfig(f *testing.F) {
	f.Add(smallConfig, "")
	f.Add(fullConfig, "privacy.delta=1e-6")
	f.Add(fullJSON, "data.features=[{name: a, kind: hashed, buckets: 1}]")
	for _, test := range malformedConfigs() {
		f.Add(test.text, "train.steps=10.5")
	}
	for _, test := range malformedYAML() {
		f.Add(test.text, "data.label="+test.text)
	}
	f.Fuzz(func(t *testing.T, text, set string) {
		for _, flags := range []configFlags{{}, {Set: []string{set}}} {
			c, err := parseConfig(text, flags)
			if err == nil {
				if again, err := parseConfig(text, flags); err != nil || !reflect.DeepEqual(again.Spec, c.Spec) || !reflect.DeepEqual(again.Options, c.Options) {
					t.Fatalf("read again: %v, %+v, want %+v", err, again, c)
				}
				continue
			}
			var bad *configError
			if !errors.As(err, &bad) {
				t.Fatalf("error %v, want *configError", err)
			}
			if bad.Hint() == "" {
				t.Fatalf("%v has no hint", err)
			}
			if strings.Contains(bad.Error()+bad.Hint(), "\n") {
				t.Fatalf("%q or hint %q has more than one line", bad.Error(), bad.Hint())
			}
			lines := strings.Split(text, "\n")
			if bad.Line > len(lines) || bad.Line > 0 && (bad.Column < 1 || bad.Column > len(lines[bad.Line-1])+1) {
				t.Fatalf("%v is outside of the text", err)
			}
			if e := bad.excerpt(); e != "" && strings.Count(e, "\n") != 2 || len(e) > 1000 {
				t.Fatalf("excerpt %q, want two short lines", e)
			}
		}
	})
}
