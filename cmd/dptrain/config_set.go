package main

import (
	"fmt"
	"slices"
	"strings"
)

// The environment variables that a config heeds: where things are, never what is promised.
const (
	envDataTrain = "DPTRAIN_DATA_TRAIN"
	envOutputDir = "DPTRAIN_OUTPUT_DIR"
)

// An assignment is the value of one key that stands above the file's.
type assignment struct {
	path   string
	value  any    // as the checker returns it
	source string // what set it, as an error names it
}

// assignments returns what environment and flags set, in ascending precedence: the two variables, each --set, and the
// flags that have a name of their own.
func (f *configFlags) assignments(ks keys, getenv func(string) string) ([]assignment, error) {
	var above []assignment
	put := func(path, text string, value any, source string) {
		if text != "" {
			above = append(above, assignment{path, value, source})
		}
	}
	put("data.train", getenv(envDataTrain), []string{getenv(envDataTrain)}, envDataTrain)
	put("output.dir", getenv(envOutputDir), getenv(envOutputDir), envOutputDir)
	for _, text := range f.Set {
		a, err := parseSet(ks, text)
		if err != nil {
			return nil, err
		}
		above = append(above, a)
	}
	put("data.train", f.Data, []string{f.Data}, "--data")
	put("output.dir", f.OutputDir, f.OutputDir, "--output-dir")
	return above, nil
}

// parseSet reads the KEY=VALUE of one --set: the path of a key that is not inside a list, and a YAML value for it.
func parseSet(ks keys, text string) (assignment, error) {
	path, value, ok := strings.Cut(text, "=")
	path = strings.TrimSpace(path)
	src := &source{name: "--set " + shown(text, false), text: value}
	refuse := func(msg, hint string) (assignment, error) { return assignment{}, src.errorAt(0, 0, msg, hint) }
	if !ok {
		return refuse("is not of the form KEY=VALUE", "such as --set privacy.target_epsilon=1")
	}
	k := ks.at(path)
	if whole, _, indexed := strings.Cut(path, "["); indexed && ks.at(whole) != nil {
		return refuse("cannot set an element of a list", fmt.Sprintf("set the whole list: --set '%s=[...]'", whole))
	}
	switch {
	case k == nil:
		return refuse("unknown key "+shownKey(path), ks.suggestPath(path))
	case k.isSection():
		return refuse(path+" is a section", fmt.Sprintf("set one key of it at a time, such as --set %s=...", ks.under(path)[0].path))
	}
	n, err := parseYAML(src)
	if err != nil {
		return assignment{}, err
	}
	v, err := (&checker{keys: ks, src: src}).value(path, k, n)
	if err != nil {
		return assignment{}, err
	}
	return assignment{path, v, src.name}, nil
}

// suggestPath is the hint for a path that --set does not know.
func (ks keys) suggestPath(path string) string {
	var paths []string
	for i := range ks {
		if k := &ks[i]; !k.inList() && !k.isSection() {
			paths = append(paths, k.path)
		}
	}
	if near := nearest(path, paths); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	i := strings.LastIndex(path, ".")
	if i >= 0 && ks.at(path[:i]) != nil {
		return ks.suggest(path[:i], path[i+1:])
	}
	return ks.suggest("", path)
}

// dropReplaced drops what excludes a key that is set, earlier assignments and the file's value, and assignments of keys
// below one that is set later.
func dropReplaced(ks keys, file map[string]any, above []assignment) []assignment {
	var kept []assignment
	for _, a := range above {
		other := ks.at(a.path).instead
		kept = slices.DeleteFunc(kept, func(b assignment) bool {
			return b.path == other || strings.HasPrefix(b.path, a.path+".")
		})
		kept = append(kept, a)
		if section, name, ok := strings.Cut(other, "."); ok {
			if values, ok := file[section].(map[string]any); ok {
				delete(values, name)
			}
		}
	}
	return kept
}
