package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"dptrain/internal/data"
	"dptrain/internal/train"
	"dptrain/internal/train/ledger"
)

// A config is what the file, the environment and the flags say together, each value of the type its key wants. Ranges
// and combinations are checked by those who use it; locate finds their place.
type config struct {
	Path      string        // of the file
	DataTrain []string      // the table's files: relative to the file where the file states them, else to the working directory
	Cache     bool          // of the encoded table, in a file beside it
	OutputDir string        // relative to the working directory
	Ledger    *ledgerConfig // nil: no ledger is named
	Spec      data.Spec     // of the table
	Options   train.Options // of the job

	root     *node    // of the file
	src      *source  // of root
	assigned []string // by --set, as it was given

	set map[string]string // for each path set outside of the file: by what, as an error names it
}

// table names the table in a message.
func (c *config) table() string { return strings.Join(c.DataTrain, ", ") }

// command is another command on the same config, to be pasted into a shell.
func (c *config) command(name string) string {
	words := []string{name, "-c", c.Path}
	for _, set := range c.assigned {
		words = append(words, "--set", set)
	}
	return shellCommand(words...)
}

// configFlags are the flags that make a config. Empty: not given.
type configFlags struct {
	File      string   // -c
	Set       []string // --set, in order
	Data      string   // --data
	OutputDir string   // -o
}

// addFlags adds -c and --set.
func (f *configFlags) addFlags(flags *pflag.FlagSet) {
	flags.StringVarP(&f.File, "config", "c", "", "read the config from `FILE`")
	flags.StringArrayVar(&f.Set, "set", nil, "set `KEY=VALUE` in the config, such as privacy.delta=1e-6; may be repeated")
}

// addDataFlag adds --data.
func (f *configFlags) addDataFlag(flags *pflag.FlagSet) {
	flags.StringVar(&f.Data, "data", "", "learn from the table `FILE` instead of the config's")
}

// addOutputFlag adds -o.
func (f *configFlags) addOutputFlag(flags *pflag.FlagSet) {
	flags.StringVarP(&f.OutputDir, "output-dir", "o", "", "write the results into the folder `DIR`")
}

// loadConfig makes the config that flags, environment and file say, in this order of precedence. Every error but that of a
// flag which is missing is a *configError; one about the file as such wraps the error of the operating system.
func loadConfig(f configFlags, getenv func(string) string) (*config, error) {
	src, err := readConfig(f.File)
	if err != nil {
		return nil, err
	}
	if !looksLikeConfig(src) {
		return nil, &configError{File: f.File, msg: "is no config: it has none of the sections version, data, model, privacy, train and output",
			hint: "a config begins with version: 1; dptrain init TABLE writes one to fill in"}
	}
	return newConfig(src, f, getenv)
}

// looksLikeConfig reports whether a file is YAML by its name, is empty, or has a section of a config. Errors quote what they
// are about: those of a table that was given for a config would print records.
func looksLikeConfig(src *source) bool {
	switch strings.ToLower(filepath.Ext(src.name)) {
	case ".yaml", ".yml":
		return true
	}
	return strings.TrimSpace(src.text) == "" || regexp.MustCompile(`(?im)(^|[{,])\s*["']?(version|data|model|privacy|train|output)["']?\s*:`).MatchString(src.text)
}

// readConfig reads the file at path. What is a table by its name is refused unread, see [looksLikeConfig].
func readConfig(path string) (*source, error) {
	if path == "" {
		return nil, usage("give the config by -c CONFIG; dptrain init TABLE writes one to fill in", "--config is missing")
	}
	if data.NamesTable(path) {
		return nil, &configError{File: path, msg: "is a table by its name, want a YAML file", hint: "-c names the config, --data the table; dptrain init TABLE writes a config to fill in"}
	}
	text, err := readBounded(path)
	if err != nil {
		var cause *fs.PathError
		msg := err.Error()
		if errors.As(err, &cause) {
			msg = cause.Err.Error() // the path stands before it already
		}
		return nil, &configError{File: path, msg: msg, hint: "-c names the YAML file that says what to learn from what", err: err}
	}
	if len(text) > maxConfigBytes {
		return nil, &configError{File: path, msg: fmt.Sprintf("the config has more than %d bytes", maxConfigBytes),
			hint: "declare long runs of columns by kind: vector, and large sets of values by kind: hashed"}
	}
	return &source{name: path, text: strings.TrimPrefix(text, "\uFEFF"), file: true}, nil
}

// readBounded returns the text of a file, or one byte more than a config may have.
func readBounded(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxConfigBytes+1))
	return string(text), err
}

// newConfig makes a config of the text of its file.
func newConfig(src *source, f configFlags, getenv func(string) string) (*config, error) {
	ks := keys(keyTable())
	root, err := parseYAML(src)
	if err != nil {
		return nil, err
	}
	check := &checker{keys: ks, src: src}
	file, err := check.file(root)
	if err != nil {
		return nil, err
	}
	above, err := f.assignments(ks, getenv)
	if err != nil {
		return nil, err
	}
	above = dropReplaced(ks, file, above)
	c := &config{Path: src.name, root: root, src: src, assigned: f.Set, set: make(map[string]string)}
	for _, a := range above {
		c.set[a.path] = a.source
	}
	values := declaredValues(file, above)
	for path, v := range layeredValues(ks, file, above, c.defaults()) {
		values[path] = v
	}
	if err := c.checkStated(ks, values); err != nil {
		return nil, err
	}
	if err := c.fill(values); err != nil {
		return nil, err
	}
	return c, nil
}

// defaults are the values of keys that nobody states. Those of the model, privacy and train sections are the plan's.
func (c *config) defaults() map[string]any {
	base := filepath.Base(c.Path)
	return map[string]any{
		"data.missing":  []string{"", "?"},
		"data.row_norm": 1.0,
		"output.dir":    filepath.Join("runs", strings.TrimSuffix(base, filepath.Ext(base))),
	}
}

// layeredValues lays the file over the defaults and the assignments over both, and returns the values by path, of all
// keys but label and features. All that viper does here is to carry values by key: names and types were checked before,
// and no key that it is given has a capital or a dot of its own.
func layeredValues(ks keys, file map[string]any, above []assignment, defaults map[string]any) map[string]any {
	v := viper.New()
	for path, value := range defaults {
		v.SetDefault(path, value)
	}
	_ = v.MergeConfigMap(file) // always nil
	for _, a := range above {
		if !isDeclared(a.path) {
			v.Set(a.path, a.value)
		}
	}
	values := make(map[string]any)
	for _, k := range ks {
		if k.kind == kindMapping || isDeclared(k.path) {
			continue
		}
		if value := v.Get(k.path); value != nil {
			values[k.path] = value
		}
	}
	return values
}

// isDeclared reports whether a path belongs to the label or the features, which viper never sees: it would lower the
// case of names inside lists and split them at dots.
func isDeclared(path string) bool {
	return path == "data.label" || strings.HasPrefix(path, "data.label.") || strings.HasPrefix(path, "data.features")
}

// declaredValues takes label and features out of the file's sections and returns them by path, under the assignments
// above.
func declaredValues(file map[string]any, above []assignment) map[string]any {
	values := make(map[string]any)
	put := func(path string, value any) {
		if label, ok := value.(map[string]any); ok { // data.label as a whole
			for name := range values {
				if strings.HasPrefix(name, path+".") {
					delete(values, name)
				}
			}
			for name, value := range label {
				values[joinPath(path, name)] = value
			}
			return
		}
		values[path] = value
	}
	if section, ok := file["data"].(map[string]any); ok {
		for _, name := range []string{"label", "features"} {
			if value, ok := section[name]; ok {
				put(joinPath("data", name), value)
				delete(section, name)
			}
		}
	}
	for _, a := range above {
		if isDeclared(a.path) {
			put(a.path, a.value)
		}
	}
	return values
}

// checkStated refuses a config that lacks a key without a default, or is of another version.
func (c *config) checkStated(ks keys, values map[string]any) error {
	for _, k := range ks {
		_, stated := values[k.path]
		for _, path := range k.along {
			if stated && values[path] == nil {
				return c.locate(&data.SpecError{Key: k.path, Msg: fmt.Sprintf("is stated without %s", path), Suggestion: ks.at(path).hint()})
			}
		}
		if !k.required || k.inList() || stated {
			continue
		}
		missing := data.SpecError{Key: k.path, Msg: "is missing", Suggestion: k.hint()}
		if other := ks.at(k.instead); other != nil {
			if _, stated := values[other.path]; stated {
				continue
			}
			missing = data.SpecError{Key: parentPath(k.path), Msg: fmt.Sprintf("states neither %s nor %s", k.name(), other.name()),
				Suggestion: k.hint()}
		}
		return c.locate(&missing)
	}
	if version := values["version"]; version != 1 {
		return c.locate(&data.SpecError{Key: "version", Msg: fmt.Sprintf("is %v, want 1", version), Suggestion: "this program reads configs of version 1"})
	}
	return nil
}

// fill sets the exported fields.
func (c *config) fill(values map[string]any) error {
	c.OutputDir = valueAt[string](values, "output.dir")
	c.Cache = valueAt[bool](values, "data.cache")
	c.DataTrain = slices.Clone(valueAt[[]string](values, "data.train"))
	if _, set := c.set["data.train"]; !set {
		for i, path := range c.DataTrain {
			if !filepath.IsAbs(path) && path != data.Stdin {
				c.DataTrain[i] = filepath.Join(filepath.Dir(c.Path), path)
			}
		}
	}
	c.Spec = data.Spec{
		Format:    valueAt[string](values, "data.format"),
		Delimiter: valueAt[string](values, "data.delimiter"),
		Quote:     valueAt[string](values, "data.quote"),
		Comment:   valueAt[string](values, "data.comment"),
		Names:     valueAt[[]string](values, "data.names"),
		Missing:   valueAt[[]string](values, "data.missing"),
		RowNorm:   valueAt[float64](values, "data.row_norm"), // none is 0

		SkipInitialSpace: valueAt[bool](values, "data.skip_initial_space"),
	}
	if c.Spec.OnBadRow = valueAt[string](values, "data.on_bad_row"); c.Spec.OnBadRow != data.NullRow {
		c.Spec.OnBadRow = "" // error, which is what happens anyway
	}
	if test, stated := values["data.split.test"].(float64); stated {
		c.Spec.Split = &data.Split{Test: test, By: valueAt[string](values, "data.split.by"), Key: valueAt[string](values, "data.split.key")}
	}
	// A spec's names in JSON are the config's, so label and features need no list of their fields here.
	tree, err := json.Marshal(map[string]any{
		"label": map[string]any{
			"name":    values["data.label.name"],
			"classes": values["data.label.classes"],
			"aliases": values["data.label.aliases"],
		},
		"features": values["data.features"],
	})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(tree, &c.Spec); err != nil {
		return err
	}
	c.Options = trainOptions(values)
	return c.fillLedger(values)
}

// ledgerConfig says where the runs on a data set share a budget.
type ledgerConfig struct {
	Path            string // relative to the file where the file states it, else to the working directory
	Dataset         string
	MaxTotalEpsilon float64
}

// fillLedger sets Ledger, of which all or nothing is stated.
func (c *config) fillLedger(values map[string]any) error {
	const file, most = "privacy.ledger", "privacy.max_total_epsilon"
	if values[file] == nil {
		return nil
	}
	c.Ledger = &ledgerConfig{valueAt[string](values, file), valueAt[string](values, "privacy.dataset"), valueAt[float64](values, most)}
	if c.Ledger.MaxTotalEpsilon > ledger.MaxEpsilon {
		return c.locate(&data.SpecError{Key: most, Msg: fmt.Sprintf("is %v, want a number in (0, %v]", c.Ledger.MaxTotalEpsilon, ledger.MaxEpsilon)})
	}
	if _, set := c.set[file]; !set && !filepath.IsAbs(c.Ledger.Path) {
		c.Ledger.Path = filepath.Join(filepath.Dir(c.Path), c.Ledger.Path)
	}
	return nil
}

// trainOptions are the values that a training job is made of.
func trainOptions(values map[string]any) train.Options {
	return train.Options{
		Rows:       valueAt[int](values, "data.rows"),
		RowsAtMost: valueAt[int](values, "data.rows_at_most"),
		Model: train.ModelOptions{
			Hidden:     valueAt[[]int](values, "model.hidden"),
			Activation: valueAt[string](values, "model.activation"),
		},
		Privacy: train.PrivacyOptions{
			Unit:            valueAt[string](values, "privacy.unit"),
			Adjacency:       valueAt[string](values, "privacy.adjacency"),
			TargetEpsilon:   pointerAt[float64](values, "privacy.target_epsilon"),
			NoiseMultiplier: pointerAt[float64](values, "privacy.noise_multiplier"),
			Delta:           valueAt[float64](values, "privacy.delta"),
			MaxGradNorm:     valueAt[float64](values, "privacy.max_grad_norm"),
			Accountant:      valueAt[string](values, "privacy.accountant"),

			MaxRowsPerPerson: valueAt[int](values, "privacy.max_rows_per_person"),
			StandardizeShare: pointerAt[float64](values, "privacy.standardize.share"),
			HistogramShare:   pointerAt[float64](values, "privacy.class_weights.share"),
		},
		Train: train.TrainOptions{
			Steps:               pointerAt[int](values, "train.steps"),
			Epochs:              pointerAt[float64](values, "train.epochs"),
			SamplingProbability: pointerAt[float64](values, "train.sampling_probability"),
			BatchSize:           pointerAt[int](values, "train.batch_size"),
			ClassWeights:        valueAt[[]float64](values, "train.class_weights"),
			EvenClasses:         values["train.class_weights"] == "dp",
			Optimizer:           valueAt[string](values, "train.optimizer"),
			LearningRate:        pointerAt[float64](values, "train.learning_rate"), // auto is nil
			Momentum:            pointerAt[float64](values, "train.momentum"),
			AverageLast:         pointerAt[float64](values, "train.average_last"),
			WeightDecay:         valueAt[float64](values, "train.weight_decay"),
		},
	}
}

// valueAt returns the value at a path, or the zero value where it is absent or of another type.
func valueAt[T any](values map[string]any, path string) T {
	v, _ := values[path].(T)
	return v
}

// pointerAt returns a pointer to the value at a path, or nil where it is absent or of another type.
func pointerAt[T any](values map[string]any, path string) *T {
	v, ok := values[path].(T)
	if !ok {
		return nil
	}
	return &v
}
