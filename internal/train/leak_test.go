package train

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dptrain/internal/data"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train/ledger"
)

// An origin says where a field of a file gets its value from.
type origin string

// The origins there are. None is "a record".
const (
	config    origin = "config"    // stated in the config, or a function of it alone
	declared  origin = "declared"  // the config's declaration of the table
	output    origin = "output"    // given out by the mechanism, or post-processing of that: paid for
	constant  origin = "constant"  // of the program
	course    origin = "course"    // how the run went: when it began, how often it was interrupted
	container origin = "container" // its parts are classed
)

// origins classes every field of every file that a fit writes. A field that is not here fails the tests, so that
// nobody adds one without saying where its value comes from.
func origins() map[string]origin {
	table := map[string]origin{
		"report.private": config, "report.schema": constant, "report.report_id": output, "report.dptrain_version": constant,
		"report.epsilon": config, "report.delta": config, "report.noise_multiplier": config, "report.max_grad_norm": config,
		"report.steps": config, "report.unit": config, "report.adjacency": config, "report.warnings": config,

		"report.claim": container, "report.claim.definition": config, "report.claim.epsilon_lower": config, "report.claim.epsilon_upper": config,
		"report.claim.mu_gdp": config, "report.claim.delta_at_epsilon": container, "report.claim.delta_at_epsilon.epsilon": config,
		"report.claim.delta_at_epsilon.delta": config, "report.claim.tpr_at_1pct_fpr": config, "report.claim.person": container,
		"report.claim.person.max_rows_per_person": config, "report.claim.person.epsilon": config, "report.claim.statement": config,

		"report.setting": container, "report.setting.model": constant, "report.setting.covered": constant, "report.setting.not_covered": config,

		"report.mechanism": container, "report.mechanism.sampler": config, "report.mechanism.sampling_probability": config,
		"report.mechanism.slots": declared, "report.mechanism.divisor": config, "report.mechanism.divisor_convention": constant,
		"report.mechanism.steps_planned": config, "report.mechanism.steps_applied": course, "report.mechanism.steps_charged": config,
		"report.mechanism.clipping": constant, "report.mechanism.noise_distribution": constant, "report.mechanism.noise_parameter": config,
		"report.mechanism.lattice_step": config, "report.mechanism.noise_total_variation": config, "report.mechanism.eta": config,
		"report.mechanism.range_slots": config, "report.mechanism.range_max_drawn": config, "report.mechanism.randomness": config,
		"report.mechanism.queries": container, "report.mechanism.queries.name": config, "report.mechanism.queries.length": config,
		"report.mechanism.queries.share": config, "report.mechanism.queries.noise_multiplier": config,
		"report.mechanism.queries.noise_parameter": config, "report.mechanism.queries.lattice_step": config, "report.mechanism.queries.eta": config,

		"report.accounting": container, "report.accounting.accountant": config, "report.accounting.version": constant,
		"report.accounting.events": config, "report.accounting.accounted_delta": config, "report.accounting.extra_epsilon": config,
		"report.accounting.epsilon_rdp": config, "report.accounting.assumptions": constant, "report.accounting.ledger": container,
		"report.accounting.ledger.dataset": config, "report.accounting.ledger.max_total_epsilon": config, "report.accounting.ledger.entry": course,

		"report.training": container, "report.training.parameters": config,
		"report.declared_public": container, "report.declared_public.rows": declared, "report.declared_public.rows_at_most": declared,
		"report.declared_public.data": declared,
		"report.hashes":               container, "report.hashes.config": config, "report.hashes.schema": declared, "report.hashes.model": output,

		// The model's metadata, section by section, and its tensors.
		"model.format": constant, "model.version": constant, "model.report_id": output, "model.private": config,
		"model.data":  output, // declared, with the moments that were learned
		"model.model": container, "model.privacy": container, "model.train": container, "model.tensors": output,

		// The log, and the checkpoint's metadata and tensors.
		"log.start": container, "log.start.format": constant, "log.start.run": course, "log.start.config": config, "log.start.steps": config,
		"log.reserve": container, "log.reserve.query": config, "log.reserve.count": course, "log.learned": container,
		"log.return": container, "log.return.query": config, "log.return.count": course,
		"checkpoint.format": constant, "checkpoint.run": course, "checkpoint.config": config, "checkpoint.applied": course,
		"checkpoint.charged": course, "checkpoint.averaged": course, "checkpoint.tensors": output,

		// A ledger's lines.
		"ledger.dataset": config, "ledger.unit": config, "ledger.adjacency": config, "ledger.delta": config, "ledger.max_total_epsilon": config,
		"ledger.run": course, "ledger.time": course, "ledger.config": config, "ledger.events": config, "ledger.extra_epsilon": config,
		"ledger.arithmetic_delta": config, "ledger.total": container, "ledger.total.cost": config, "ledger.total.epsilon": config,
		"ledger.total.extra_epsilon": config, "ledger.total.arithmetic_delta": config,
	}
	for _, where := range []string{"report.training.", "model."} {
		maps.Copy(table, map[string]origin{
			where + "model": container, where + "model.hidden": config, where + "model.activation": config,
			where + "train": container, where + "train.steps": config, where + "train.sampling_probability": config, where + "train.optimizer": config,
			where + "train.learning_rate": config, where + "train.momentum": config, where + "train.average_last": config,
			where + "train.weight_decay": config, where + "train.class_weights": config,
		})
	}
	for _, key := range []string{"unit", "adjacency", "target_epsilon", "noise_multiplier", "delta", "max_grad_norm", "accountant", "max_rows_per_person",
		"queries", "queries.name", "queries.length", "queries.share", "queries.noise_multiplier"} {
		table["model.privacy."+key] = config
	}
	table["model.privacy.queries"] = container
	for _, where := range []string{"report.learned", "log.learned"} {
		maps.Copy(table, map[string]origin{
			where: container, where + ".moments": container, where + ".moments.feature": declared, where + ".moments.mean": output,
			where + ".moments.deviation": output, where + ".class_weights": output,
		})
	}
	return table
}

// fieldsOf lists the JSON paths below a type. A spec of tables is one thing: the declaration.
func fieldsOf(path string, t reflect.Type, add func(string)) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice && t != reflect.TypeFor[json.RawMessage]() {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[data.Spec]() {
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case f.Anonymous && name == "":
			fieldsOf(path, f.Type, add)
		default:
			if name == "" {
				name = f.Name
			}
			add(path + "." + name)
			fieldsOf(path+"."+name, f.Type, add)
		}
	}
}

// metadataOf lists the metadata keys and tensors of a safetensors file.
func metadataOf(t *testing.T, path, format string, file []byte, add func(string)) {
	t.Helper()
	metadata, tensors, err := readSafetensors(bytes.NewReader(file), format)
	if err != nil {
		t.Fatal(err)
	}
	for key := range metadata {
		add(path + "." + key)
	}
	if len(tensors) > 0 {
		add(path + ".tensors")
	}
}

// TestNoFieldIsOfARecord holds the files that a fit writes against the table: every field is there, and nothing else.
func TestNoFieldIsOfARecord(t *testing.T) {
	seen := map[string]bool{}
	add := func(path string) { seen[path] = true }
	fieldsOf("report", reflect.TypeFor[Report](), add)
	fieldsOf("log", reflect.TypeFor[logEntry](), add)
	fieldsOf("ledger", reflect.TypeFor[ledger.Terms](), add)
	fieldsOf("ledger", reflect.TypeFor[ledger.Line](), add)

	model, plan, _ := fitted(t, testOptions(), rng.TestKey(1), 1)
	metadataOf(t, "model", modelFormat, written(t, model.encode), add)
	for key, section := range model.sections() {
		fieldsOf("model."+key, reflect.TypeOf(section), add)
	}
	checkpoint := newLearner(plan, nil).checkpoint()
	metadataOf(t, "checkpoint", checkpointFormat, written(t, func(w io.Writer) error { return checkpoint.encode(w, logStart{}) }), add)

	table := origins()
	for _, path := range slices.Sorted(maps.Keys(seen)) {
		if table[path] == "" {
			t.Errorf("%s is not classed: say in origins where its value comes from", path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(table)) {
		if !seen[path] {
			t.Errorf("%s is classed, and is in no file", path)
		}
	}
}

// TestConfigFieldsDoNotDependOnRecords fits on two tables that have nothing in common but their declaration, and compares
// the reports: but for what is given out by the mechanism, and for how the run went, they are the same.
func TestConfigFieldsDoNotDependOnRecords(t *testing.T) {
	p, err := NewPlan(testOptions(), testSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	var reports [2]any
	for i := range reports {
		rows := testTable(t, p.Schema, 400)
		if i == 1 {
			order := make([]int, 400)
			for j := range order {
				order[j] = j % 3 // the first three rows, over and over
			}
			rows = rows.Pick(order)
		}
		f, err := Fit(t.Context(), p, rows, Run{Key: rng.TestKey(uint64(i)), Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReport(p, f, false, "test")
		if err != nil {
			t.Fatal(err)
		}
		text, err := r.Encode()
		if err != nil || json.Unmarshal(text, &reports[i]) != nil {
			t.Fatal(err)
		}
	}
	table := origins()
	var compare func(path string, a, b any)
	compare = func(path string, a, b any) {
		if o := table[path]; o == output || o == course {
			return
		}
		x, isMap := a.(map[string]any)
		y, both := b.(map[string]any)
		if !isMap || !both {
			if !reflect.DeepEqual(a, b) {
				t.Errorf("%s is %v or %v, by the records", path, a, b)
			}
			return
		}
		for key := range x {
			compare(path+"."+key, x[key], y[key])
		}
	}
	compare("report", reports[0], reports[1])
}
