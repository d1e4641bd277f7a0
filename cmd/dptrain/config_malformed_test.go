package main

import (
	"slices"
	"strings"
	"testing"
)

// A malformed is a text that is refused with exit status 3, with how the error and its hint start.
type malformed struct{ name, text, want, hint string }

// edit is smallConfig with the first old text replaced.
func edit(old, new string) string {
	if !strings.Contains(smallConfig, old) {
		panic("smallConfig has no " + old)
	}
	return strings.Replace(smallConfig, old, new, 1)
}

// malformedConfigs are YAML, but no configs.
func malformedConfigs() []malformed {
	return []malformed{
		// Keys.
		{"unknown key", edit("delta:", "dleta:"), `14:3: unknown key "dleta" in privacy`, "did you mean delta?"},
		{"unknown key at the top", edit("privacy:", "privcay:"), `11:1: unknown key "privcay"`, "did you mean privacy?"},
		{"unknown key of a feature", edit("min: 17", "mim: 17"), `7:34: unknown key "mim" in data.features[0]`, "did you mean min?"},
		{"unknown key in brackets", edit("classes:", "clases:"), `5:20: unknown key "clases" in data.label`, "did you mean classes?"},
		{"unknown key like none", edit("unit: row", "unit: row\n  colour: red"), `13:3: unknown key "colour" in privacy`, "the keys here are unit, adjacency, "},
		{"part of a key", edit("target_epsilon:", "epsilon:"), `13:3: unknown key "epsilon" in privacy`, "did you mean target_epsilon?"},
		{"key of another section", edit("train:\n  steps", "train:\n  delta: 1e-6\n  steps"), `16:3: unknown key "delta" in train`, "the key is privacy.delta"},
		{"mis-cased key", edit("delta:", "Delta:"), `14:3: unknown key "Delta" in privacy`, "keys are written in lower case: delta"},
		{"mis-cased section", edit("privacy:", "PRIVACY:"), `11:1: unknown key "PRIVACY"`, "keys are written in lower case: privacy"},
		{"dash for underscore", edit("target_epsilon:", "target-epsilon:"), `13:3: unknown key "target-epsilon" in privacy`, "keys are written in lower case: target_epsilon"},
		{"letter that looks like one", edit("delta:", "d\u0435lta:"), `14:3: unknown key "d\u0435lta" in privacy`, "did you mean delta?"},
		{"path as a key", edit("privacy:", "privacy.delta: 1\nprivacy:"), `11:1: unknown key "privacy.delta"`, "the key is privacy.delta: give it its place"},
		{"empty key", edit("version: 1", "version: 1\n\"\": 2"), `2:1: unknown key ""`, "the keys here are version, data, "},
		{"merge key", edit("  unit: row", "  <<: {unit: row}"), `12:3: unknown key "<<" in privacy`, "merge keys have no use in a config"},
		{"duplicate key", edit("delta: 1e-5", "delta: 1e-5\n  delta: 1e-6"), `15:3: key "delta" comes twice, first on line 14`, "remove one of the two"},
		{"duplicate section", smallConfig + "data: {}\n", `17:1: key "data" comes twice, first on line 2`, "remove one of the two"},
		{"duplicate key in brackets", edit("max: 90", "max: 90, min: 18"), `7:52: key "min" comes twice, first on line 7`, "remove one of the two"},
		{"duplicate key by escape", edit("max: 90", `max: 90, "m\u0069n": 18`), `7:52: key "min" comes twice, first on line 7`, "remove one of the two"},
		{"duplicate unknown key", "a: 1\na: 2\n", `2:1: key "a" comes twice, first on line 1`, "remove one of the two"},
		{"ledger", edit("unit: row", "unit: row\n  ledger: l.jsonl"), "13:11: privacy.ledger is stated without privacy.dataset", "privacy.dataset: "},
		{"dataset", edit("unit: row", "unit: row\n  dataset: d"), "13:12: privacy.dataset is stated without privacy.ledger", "privacy.ledger: "},
		{"max_total_epsilon", edit("unit: row", "unit: row\n  max_total_epsilon: 3"), "13:22: privacy.max_total_epsilon is stated without privacy.ledger", "privacy.ledger: "},

		// What is missing or stated twice over.
		{"no version", edit("version: 1\n", ""), "1:1: version is missing", "version: the version of the config's format"},
		{"other version", edit("version: 1", "version: 2"), "1:10: version is 2, want 1", "this program reads configs of version 1"},
		{"no table", edit("  train: t.csv\n", ""), "2:1: data.train is missing", "data.train: the table to learn from"},
		{"no label", edit("  label: {name: y, classes: [no, yes]}\n", ""), "2:1: data.label.name is missing", "data.label.name: "},
		{"no classes", edit(", classes: [no, yes]", ""), "5:3: data.label.classes is missing", "data.label.classes: "},
		{"no unit", edit("  unit: row\n", ""), "11:1: privacy.unit is missing", "privacy.unit: what one promise protects, without a default"},
		{"empty unit", edit("unit: row", "unit:"), "12:3: privacy.unit is empty, want row", "privacy.unit: what one promise protects, without a default"},
		{"other unit", edit("unit: row", "unit: user"), "12:9: privacy.unit is user, want row", "privacy.unit: what one promise protects, without a default"},
		{"no delta", edit("  delta: 1e-5\n", ""), "11:1: privacy.delta is missing", "privacy.delta: "},
		{"neither epsilon nor noise", edit("  target_epsilon: 1.0\n", ""), "11:1: privacy states neither target_epsilon nor noise_multiplier", "privacy.target_epsilon: the ε to reach, such as 1.0"},
		{"no name of a feature", edit("name: age, ", ""), "7:7: data.features[0] has no name", "data.features[].name: "},
		{"no kind of a feature", edit("      kind: categorical\n", ""), "8:7: data.features[1] has no kind", "data.features[].kind: "},
		{"no end of a run of columns", edit("min: 17", "columns: {prefix: p, first: 0}"), "7:43: data.features[0].columns has no last", "data.features[].columns.last: "},
		{"no end of an alias", edit("name: y,", "name: y, aliases: [{from: a}],"), "5:30: data.label.aliases[0] has no to", "data.label.aliases[].to: "},
		{"epsilon and noise", edit("delta: 1e-5", "delta: 1e-5\n  noise_multiplier: 2"), "15:3: privacy.noise_multiplier is stated beside target_epsilon", "state one of the two"},
		{"noise and epsilon", edit("unit: row", "unit: row\n  noise_multiplier: 2"), "14:3: privacy.target_epsilon is stated beside noise_multiplier", "state one of the two"},
		{"epochs and steps", edit("train:\n  steps: 200", "train: {epochs: 2, steps: 200}"), "15:20: train.steps is stated beside epochs", "state one of the two"},
		{"batch size and probability", edit("  steps", "  batch_size: 2\n  sampling_probability: 0.1\n  steps"), "17:3: train.sampling_probability is stated beside batch_size", "state one of the two"},

		// Numbers.
		{"fraction for an integer", edit("steps: 200", "steps: 10.5"), "16:10: train.steps is 10.5, want an integer", "write a whole number in digits"},
		{"whole fraction for an integer", edit("steps: 200", "steps: 200.0"), "16:10: train.steps is 200.0, want an integer", "write a whole number in digits"},
		{"exponent for an integer", edit("steps: 200", "steps: 2e2"), "16:10: train.steps is 2e2, want an integer", "write a whole number in digits"},
		{"leading zero", edit("steps: 200", "steps: 010"), "16:10: train.steps is 010, want an integer", "write it without leading zeros"},
		{"leading zero of a fraction", edit("delta: 1e-5", "delta: 00.1"), "14:10: privacy.delta is 00.1, want a number", "write it without leading zeros"},
		{"underscores", edit("rows: 1000", "rows: 1_000"), "4:9: data.rows is 1_000, want an integer above 0", "write the digits without underscores"},
		{"hexadecimal", edit("rows: 1000", "rows: 0x10"), "4:9: data.rows is 0x10, want an integer above 0", "write it in decimal digits"},
		{"octal", edit("rows: 1000", "rows: 0o10"), "4:9: data.rows is 0o10, want an integer above 0", "write it in decimal digits"},
		{"hexadecimal fraction", edit("delta: 1e-5", "delta: 0x1p-5"), "14:10: privacy.delta is 0x1p-5, want a number", "write it in decimal digits"},
		{"nan", edit("target_epsilon: 1.0", "target_epsilon: .nan"), "13:19: privacy.target_epsilon is .nan, want a number", "write a finite number"},
		{"NaN", edit("min: 17", "min: NaN"), "7:39: data.features[0].min is NaN, want a number", "write a finite number"},
		{"infinity", edit("target_epsilon: 1.0", "target_epsilon: .inf"), "13:19: privacy.target_epsilon is .inf, want a number", "write a finite number"},
		{"negative infinity", edit("min: 17", "min: -.Inf"), "7:39: data.features[0].min is -.Inf, want a number", "write a finite number"},
		{"too large", edit("max: 90", "max: 1e400"), "7:48: data.features[0].max is 1e400, want a number", "numbers go up to 1.7e308"},
		{"too small", edit("delta: 1e-5", "delta: 1e-400"), "14:10: privacy.delta is 1e-400, which is too close to 0 for a float64", "write a number that can be told from 0"},
		{"integer too large", edit("rows: 1000", "rows: 9999999999999999999"), "4:9: data.rows is 9999999999999999999, want an integer above 0", "integers go up to 9223372036854775807"},
		{"quoted integer", edit("steps: 200", `steps: "200"`), `16:10: train.steps is "200", want an integer`, "remove the quotes"},
		{"quoted number", edit("delta: 1e-5", `delta: '1e-5'`), `14:10: privacy.delta is "1e-5", want a number`, "remove the quotes"},
		{"zero rows", edit("rows: 1000", "rows: 0"), "4:9: data.rows is 0, want an integer above 0", "data.rows: "},
		{"negative rows", edit("rows: 1000", "rows: -5"), "4:9: data.rows is -5, want an integer above 0", "data.rows: "},
		{"zero clipping norm", edit("unit: row", "unit: row\n  max_grad_norm: 0"), "13:18: privacy.max_grad_norm is 0, want a number above 0", "privacy.max_grad_norm: "},
		{"zero row norm", edit("rows: 1000", "row_norm: 0"), "4:13: data.row_norm is 0, want a number above 0 or none", "data.row_norm: "},
		{"text for a number", edit("delta: 1e-5", "delta: small"), "14:10: privacy.delta is small, want a number", "privacy.delta: "},
		{"boolean for a number", edit("delta: 1e-5", "delta: true"), "14:10: privacy.delta is true, want a number", "privacy.delta: "},
		{"clock for a number", edit("steps: 200", "steps: 12:30"), "16:10: train.steps is 12:30, want an integer", "train.steps: "},
		{"two signs", edit("delta: 1e-5", "delta: --1"), "14:10: privacy.delta is --1, want a number", "privacy.delta: "},
		{"no exponent", edit("delta: 1e-5", "delta: 1e-"), "14:10: privacy.delta is 1e-, want a number", "privacy.delta: "},
		{"other blank behind a number", edit("delta: 1e-5", "delta: 1e-5\u00a0"), `14:10: privacy.delta is "1e-5\u00a0", want a number`, "privacy.delta: "},
		{"word beside a number", edit("steps: 200", "learning_rate: automatic"), "16:18: train.learning_rate is automatic, want a number or auto", "train.learning_rate: "},
		{"mis-cased word", edit("rows: 1000", "row_norm: None"), "4:13: data.row_norm is None, want a number above 0 or none", "data.row_norm: "},
		{"fraction in a list", smallConfig + "model: {hidden: [64, 3.5]}\n", "17:22: model.hidden[1] is 3.5, want an integer", "write a whole number in digits"},
		{"text in a list", edit("min: 17", "edges: [20, x]"), "7:46: data.features[0].edges[1] is x, want a number", "data.features[].edges: "},
		{"three ends", edit("min: 17", "to: [0, 1, 2]"), "7:38: data.features[0].to has 3 numbers, want two", "data.features[].to: "},

		{"no weights", edit("steps: 200", "class_weights: even"), "16:18: train.class_weights is even, want a list of numbers or dp", "train.class_weights: "},
		{"text among weights", edit("steps: 200", "class_weights: [1, much]"), "16:22: train.class_weights[1] is much, want a number", "train.class_weights: "},
		{"share of nothing", edit("unit: row", "unit: row\n  standardize: {share: 0}"), "13:24: privacy.standardize.share is 0, want a number above 0", "privacy.standardize.share: "},
		{"standardize without privacy", edit("min: 17", "standardize: true"), "7:47: data.features[0].standardize is true, want dp", "data.features[].standardize: "},

		// Shapes and text.
		{"list for a number", edit("delta: 1e-5", "delta: [1e-5]"), "14:10: privacy.delta is a list, want a number", "privacy.delta: "},
		{"number for a list", smallConfig + "model: {hidden: 64}\n", "17:17: model.hidden is 64, want a list of integers", "model.hidden: "},
		{"mapping for text", edit("train: t.csv", "train: {file: t.csv}"), "3:10: data.train is a mapping, want text", "data.train: "},
		{"number for an interval", edit("min: 17", "to: 1"), "7:38: data.features[0].to is 1, want two numbers", "data.features[].to: "},
		{"text for a section", edit("train:\n  steps: 200", "train: fast"), "15:8: train is fast, want a mapping", "train: how to learn"},
		{"null for a section", edit("train:\n  steps: 200", "train: ~"), "15:8: train is ~, want a mapping", "train: how to learn"},
		{"list for a section", edit("train:\n  steps: 200", "train: [steps]"), "15:8: train is a list, want a mapping", "train: how to learn"},
		{"mapping for features", edit("  features:\n    - {name: age", "  features:\n    x: {name: age"), "8:5: the indentation fits nothing above", "align the line"},
		{"text for a feature", edit("- {name: age, kind: numeric, min: 17, max: 90}", "- age"), "7:7: data.features[0] is age, want a mapping", "data.features: "},
		{"empty feature", edit("- {name: age, kind: numeric, min: 17, max: 90}", "-"), "7:5: data.features[0] is empty, want a mapping", "data.features: "},
		{"no features", edit("train: t.csv", "train: t.csv\n  missing:"), "4:3: data.missing is empty, want a list of texts", "data.missing: "},
		{"null for text", edit("train: t.csv", "train: ~"), "3:10: data.train is ~, want text", "put it in quotes if the text itself is meant"},
		{"null in a list of text", edit("[no, yes]", "[no, null]"), "5:34: data.label.classes[1] is null, want text", "put it in quotes if the text itself is meant"},
		{"empty item of a list", edit("[clerk, 39, true]", "\n      - clerk\n      -\n      - x"), "12:7: data.features[1].values[1] is empty, want text", "data.features[].values: "},
		{"empty text", edit("train: t.csv", `train: ""`), `3:10: data.train is "", want text`, "data.train: "},
		{"list in a list of text", edit("[no, yes]", "[no, [yes]]"), "5:34: data.label.classes[1] is a list, want text", "data.label.classes: "},
		{"word that is no choice", edit("unit: row", "unit: row\n  adjacency: zero-out"), "13:14: privacy.adjacency is zero-out, want zero_out, add_or_remove_one or replace_one", "did you mean zero_out?"},
		{"word unlike any choice", edit("unit: row", "unit: row\n  accountant: gdp"), "13:15: privacy.accountant is gdp, want pld or rdp", ""},
		{"mis-cased choice", edit("kind: numeric", "kind: Numeric"), "7:25: data.features[0].kind is Numeric, want numeric, categorical, hashed, text or vector", "did you mean numeric?"},
		{"long text", edit("unit: row", "unit: "+strings.Repeat("r", 100)), "12:9: privacy.unit is " + strings.Repeat("r", 39) + "…, want row", "privacy.unit: "},
		{"list as a config", "- version: 1\n", "1:1: the config is a list, want a mapping", "start with version: 1"},
		{"text as a config", "version 1\n", "1:1: the config is version 1, want a mapping", "start with version: 1"},
		{"empty config", "", "1:1: the config is empty", "the README's section on the config"},
		{"comments only", "# version: 1\n\n# data:\n", "1:1: the config is empty", "the README's section on the config"},
		{"null config", "~\n", "1:1: the config is empty", "the README's section on the config"},
		{"mark only", "---\n", "1:1: the config is empty", "the README's section on the config"},
	}
}

// refusedConfigs hold values of the right type that cannot be: out of range, or not beside each other.
func refusedConfigs() []malformed {
	age := func(fields string) string { return edit("kind: numeric, min: 17, max: 90", fields) }
	train := func(line string) string { return edit("steps: 200", line) }
	unit := func(line string) string { return edit("unit: row", "unit: row\n  "+line) }
	return []malformed{
		// The table.
		{"bounds that meet", edit("max: 90", "max: 17"), "7:48: data.features[0].max is 17, want a number above min 17", "data.features[].max: "},
		{"bounds too far apart", age("kind: numeric, min: -1.7e308, max: 1.7e308"), "7:54: data.features[0].max is 1.7e+308, want a finite number", ""},
		{"no upper bound", edit(", max: 90", ""), "7:7: data.features[0].max is required for a numeric feature", "bounds are declared, never learned"},
		{"edge outside the bounds", edit("max: 90", "max: 90, edges: [10]"), "7:60: data.features[0].edges[0] is 10, want a number between min 17 and max 90", ""},
		{"edges that descend", edit("max: 90", "max: 90, edges: [30, 20]"), "7:64: data.features[0].edges[1] is 20, want a number above the edge before it, 30", ""},
		{"no edges", edit("max: 90", "max: 90, edges: []"), "7:52: data.features[0].edges is empty", "leave it out for a scaled number"},
		{"impute outside the bounds", edit("max: 90", "max: 90, impute: 5"), "7:60: data.features[0].impute is 5, want a number from min 17 to max 90", ""},
		{"log of -1", age("kind: numeric, min: -1, max: 9, transform: log1p"), "7:39: data.features[0].min is -1, want a number above -1", ""},
		{"log of bins", edit("max: 90", "max: 90, edges: [20], transform: log1p"), "7:76: data.features[0].transform has no effect on a feature that is cut at edges", "leave out transform"},
		{"standardize bins", edit("max: 90", "max: 90, edges: [20], standardize: dp"), "7:78: data.features[0].standardize has no effect on a feature that is cut at edges", "leave out standardize"},
		{"standardize without impute", edit("max: 90", "max: 90, standardize: dp"), "7:7: data.features[0].impute is required by standardize: dp", "a missing cell counts as it"},
		{"standardize words", age("kind: hashed, buckets: 9, standardize: dp"), "7:58: data.features[0].standardize does not apply to a hashed feature", "it belongs to kind: numeric"},
		{"bounds of a hashed feature", age("kind: hashed, min: 17"), "7:38: data.features[0].min does not apply to a hashed feature", "it belongs to kind: numeric or vector"},
		{"buckets of a number", edit("max: 90", "max: 90, buckets: 4"), "7:61: data.features[0].buckets does not apply to a numeric feature", "it belongs to kind: hashed or text"},
		{"no buckets", age("kind: hashed"), "7:7: data.features[0].buckets is required for a hashed feature", "64 suits"},
		{"too many buckets", age("kind: hashed, buckets: 999999999"), "7:42: data.features[0].buckets is 999999999, want 1 to 67108864", ""},
		{"n-grams of nine", age("kind: text, buckets: 64, ngrams: 9"), "7:52: data.features[0].ngrams is 9, want 1 to 5", ""},
		{"vector without size", age("kind: vector"), "7:7: data.features[0].size is required for a vector feature", "or columns, "},
		{"half a bound of a vector", age("kind: vector, size: 3, min: 0"), "7:7: data.features[0] has one of min and max, want both or neither", ""},
		{"range of an unbounded vector", age("kind: vector, size: 3, to: [0, 1]"), "7:42: data.features[0].to needs min and max", ""},
		{"run backwards", age("kind: vector, columns: {prefix: p, first: 5, last: 2}"), "7:33: data.features[0].columns runs from 5 to 2, want 0 <= first <= last", ""},
		{"two sizes", age("kind: vector, size: 3, columns: {prefix: p, first: 0, last: 5}"), "7:39: data.features[0].size is 3, but columns runs over 6", "leave out size"},
		{"no values", edit("[clerk, 39, true]", "[]"), "10:7: data.features[1].values is required for a categorical feature", "list the values"},
		{"value twice", edit("[clerk, 39, true]", "[clerk, clerk]"), `10:23: data.features[1].values[1] is "clerk", which is in the list already`, ""},
		{"one class", edit("[no, yes]", "[no]"), "5:20: data.label.classes lists fewer than two classes", "classes are declared, never learned"},
		{"class twice", edit("[no, yes]", "[no, no]"), `5:34: data.label.classes[1] is "no", which is in the list already`, ""},
		{"alias of a class", edit("name: y,", "name: y, aliases: [{from: no, to: yes}],"), `5:37: data.label.aliases[0].from is "no", which is a declared value itself`, ""},
		{"alias for no class", edit("name: y,", "name: y, aliases: [{from: n, to: maybe}],"), `5:44: data.label.aliases[0].to is "maybe", want a declared value`, ""},
		{"label as a feature", edit("name: age", "name: y"), "7:14: data.features[0].name is the label, which cannot be a feature", ""},
		{"feature twice", age("kind: numeric, min: 17, max: 90}\n    - {name: age, kind: numeric, min: 0, max: 9"), `8:14: data.features[1].name is "age", which data.features[0] declares already`, ""},
		{"long delimiter", edit("train: t.csv", "train: t.csv\n  delimiter: ab"), `4:14: data.delimiter is "ab", want one character`, ""},
		{"quote as delimiter", edit("train: t.csv", "train: t.csv\n  delimiter: '\"'"), `4:14: data.delimiter is "\"", want one character`, ""},
		{"split of all", edit("rows: 1000", "rows: 1000\n  split: {test: 1, by: job}"), "5:17: data.split.test is 1, want a number in (0, 1)", "data.split.test: "},
		{"split empty", edit("rows: 1000", "rows: 1000\n  split: {}"), "5:10: data.split is empty", "data.split: which rows are held out"},
		{"split by nothing", edit("rows: 1000", "rows: 1000\n  split: {test: 0.2}"), "5:17: data.split.test is stated without data.split.by", ""},
		{"no number of rows", edit("  rows: 1000\n", ""), "2:1: data.rows is needed by adjacency zero_out", "declare the number of rows, which becomes public"},
		{"too many rows", edit("rows: 1000", "rows: 3000000000"), "4:9: data.rows is 3000000000, want at most 2147483647", ""},
		{"two numbers of rows", edit("rows: 1000", "rows: 1000\n  rows_at_most: 5"), "5:17: data.rows_at_most does not go with adjacency zero_out", ""},

		// The model.
		{"hidden layer of nothing", smallConfig + "model: {hidden: [8, 0]}\n", "17:21: model.hidden[1] is 0, want an integer above 0", "model.hidden: "},
		{"endless model", smallConfig + "model: {hidden: [100000000000]}\n", "17:1: model cannot be built: the net has more than 2147483648 parameters", ""},

		// The promise.
		{"delta of 0", edit("delta: 1e-5", "delta: 0"), "14:10: privacy.delta is 0, want a number in (0, 1)", "delta is the chance that the bound fails"},
		{"delta of 1", edit("delta: 1e-5", "delta: 1"), "14:10: privacy.delta is 1, want a number in (0, 1)", ""},
		{"negative delta", edit("delta: 1e-5", "delta: -1e-5"), "14:10: privacy.delta is -1e-05, want a number in (0, 1)", ""},
		{"epsilon of 0", edit("target_epsilon: 1.0", "target_epsilon: 0"), "13:19: privacy.target_epsilon is 0, want a number in (0, 1000]", ""},
		{"epsilon beyond all use", edit("target_epsilon: 1.0", "target_epsilon: 1e9"), "13:19: privacy.target_epsilon is 1e+09, want a number in (0, 1000]", ""},
		{"no noise", edit("target_epsilon: 1.0", "noise_multiplier: 0"), "13:21: privacy.noise_multiplier is 0, want a number in (0, 1e+06]", ""},
		{"too little noise", edit("target_epsilon: 1.0", "noise_multiplier: 1e-5"), "13:21: privacy.noise_multiplier is 1e-05, at which epsilon is above 1000", "state target_epsilon"},
		{"clipping norm out of range", unit("max_grad_norm: 1e9"), "13:18: privacy.max_grad_norm is 1e+09, want a number in [1e-6, 1e6]", ""},
		{"too many rows a person", unit("max_rows_per_person: 1000"), "13:24: privacy.max_rows_per_person is 1000, want a number from 1 to 128", ""},
		{"cap missing", unit("adjacency: add_or_remove_one"), "2:1: data.rows_at_most is needed by adjacency add_or_remove_one", "declare a public cap"},

		{"query that is not asked", unit("standardize: {share: 0.1}"), "13:3: privacy.standardize belongs to a query that is not asked", "it needs a feature with standardize: dp"},
		{"share above a half", smallConfig[:len(smallConfig)-len("train:\n  steps: 200\n")] + "  class_weights: {share: 0.7}\ntrain: {class_weights: dp}\n", "15:26: privacy.class_weights.share is 0.7, want a number in (0, 0.5]", ""},

		// The training.
		{"too few weights", train("class_weights: [1]"), "16:3: train.class_weights has 1 weights for 2 classes", "one for each of data.label.classes"},
		{"weight of nothing", train("class_weights: [1, 0]"), "16:22: train.class_weights[1] is 0, want a number above 0", ""},
		{"no steps", train("steps: 0"), "16:10: train.steps is 0, want a number from 1 to 1000000000", ""},
		{"no epochs", train("epochs: 0"), "16:11: train.epochs is 0, want a positive number", ""},
		{"batch larger than the table", train("batch_size: 2000"), "16:15: train.batch_size is 2000, want a number from 1 to data.rows, 1000", ""},
		{"probability of 0", train("sampling_probability: 0"), "16:25: train.sampling_probability is 0, want a number in (0, 1]", ""},
		{"probability above 1", train("sampling_probability: 1.5"), "16:25: train.sampling_probability is 1.5, want a number in (0, 1]", ""},
		{"momentum of 1", train("momentum: 1"), "16:13: train.momentum is 1, want a number in [0, 1)", ""},
		{"average over two runs", train("average_last: 2"), "16:17: train.average_last is 2, want a number in [0, 1]", ""},
		{"negative decay", train("weight_decay: -1"), "16:17: train.weight_decay is -1, want a number of at least 0", ""},
		{"no learning", train("learning_rate: 0"), "16:18: train.learning_rate is 0, want auto or a positive number", ""},
	}
}

func TestMalformedConfigs(t *testing.T) {
	tests := slices.Concat(malformedYAML(), malformedConfigs(), refusedConfigs())
	if len(tests) < 40 {
		t.Fatalf("%d malformed configs, want at least 40", len(tests))
	}
	dir := t.TempDir()
	names := make(map[string]bool)
	for _, test := range tests {
		if names[test.name] {
			t.Errorf("%s: two tests of one name", test.name)
		}
		names[test.name] = true
		write(t, dir, "config.yaml", test.text)
		code, stdout, stderr := dptrain(t, dir, "fit", "-c", "config.yaml", "--dry-run")
		errorLine, rest, _ := strings.Cut(stderr, "\n")
		_, hint, hinted := strings.Cut("\n"+rest, "\ndptrain: hint: ")
		switch {
		case code != int(statusConfig):
			t.Errorf("%s: exit status %d, want %d", test.name, code, statusConfig)
		case stdout != "":
			t.Errorf("%s: printed %q", test.name, stdout)
		case !strings.HasPrefix(errorLine, "dptrain: error: config.yaml:"+test.want):
			t.Errorf("%s: printed\n%s, want\ndptrain: error: config.yaml:%s...", test.name, errorLine, test.want)
		case !hinted || !strings.HasPrefix(hint, test.hint):
			t.Errorf("%s: hint %q, want %s...", test.name, hint, test.hint)
		case strings.TrimSpace(test.text) != "" && !strings.Contains(rest, "^\n"):
			t.Errorf("%s: no caret in\n%s", test.name, rest)
		}
	}
}
