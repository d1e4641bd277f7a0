#!/usr/bin/env bash
# Exports models and holds onnxruntime's predictions against dptrain's own, to 1e-5: on an invented table with every kind of
# column, and, where TEST_TABLES names the folder of the real tables, on 1,000 rows each of adult and mnist, some of their
# cells made missing or unknown. The runtime comes from npm, with its install script ignored: the package holds its binary.
#
#   check.sh BINARY
set -euo pipefail
shopt -s inherit_errexit

binary=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
configs=$(cd "$here/../../configs" && pwd)
if ! command -v npm >/dev/null; then
	echo "onnx: skipped: there is no npm"
	exit 0
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cd "$out"
ORT_MODULES=${ORT_MODULES:-$out}
export ORT_MODULES
if [ ! -d "$ORT_MODULES/node_modules/onnxruntime-node" ]; then
	echo '{"private": true}' >package.json
	if ! npm install --ignore-scripts --no-audit --no-fund --loglevel=error onnxruntime-node@1.30.0 >npm.log 2>&1; then
		cat npm.log >&2
		exit 1
	fi
fi

# compare NAME TABLE PREFIX holds the model in NAME/ against the rows of a table.
compare() {
	"$binary" export -m "$1/model.safetensors" --to onnx -o "$1/model.onnx" --json >"$1/export.json"
	"$binary" predict -m "$1/model.safetensors" --data "$2" -o "$1/predictions.csv"
	echo -n "$1: "
	node "$here/check.mjs" "$1/model.onnx" "$1/export.json" "$2" "$1/predictions.csv" "$3"
}

# Every kind of column that the graph encodes, and each way to treat a missing cell.
cat >every.yaml <<'YAML'
version: 1
data:
  train: every.csv
  rows: 400
  missing: ["", "?"]
  label: {name: y, classes: [one, two, three]}
  features:
    - {name: binned, kind: numeric, min: -10, max: 10, edges: [-5, 0, 0.1, 5]}
    - {name: binned filled, kind: numeric, min: -10, max: 10, edges: [0, 5], impute: 1}
    - {name: scaled, kind: numeric, min: 0, max: 100}
    - {name: logged, kind: numeric, min: 0, max: 1000, transform: log1p}
    - {name: filled, kind: numeric, min: 0, max: 100, impute: 50}
    - {name: standardized, kind: numeric, min: 0, max: 1000, impute: 3, standardize: dp}
    - {name: town, kind: categorical, values: [Ulm, Bern], aliases: [{from: Berne, to: Bern}]}
    - {name: vector, kind: vector, columns: {prefix: v, first: 0, last: 3}, min: -1, max: 1, to: [0, 1], impute: 0}
model: {hidden: [8, 4], activation: relu}
privacy: {unit: row, target_epsilon: 8, delta: 1.0e-4}
train: {steps: 40}
YAML
awk 'BEGIN {
	srand(1); split("Ulm Bern Berne Rome ? ,one two three", t, /[ ,]/)
	print "binned,binned filled,scaled,logged,filled,standardized,town,v0,v1,v2,v3,y"
	for (i = 0; i < 400; i++) {
		line = ""
		for (j = 0; j < 6; j++) line = line (rand() < 0.2 ? (rand() < 0.5 ? "?" : "") : int(2400 * rand() - 1200) / 100) ","
		line = line t[1 + int(6 * rand())]
		for (j = 0; j < 4; j++) line = line "," (rand() < 0.1 ? "" : int(300 * rand() - 150) / 100)
		print line "," t[7 + i % 3]
	}
}' >every.csv
"$binary" fit -c every.yaml -o every --quiet --json >/dev/null
compare every every.csv v

if [ -z "${TEST_TABLES:-}" ]; then
	echo "onnx: adult and mnist: skipped: TEST_TABLES does not name the folder of the real tables"
	exit 0
fi
head -1001 "$TEST_TABLES/adult/test.csv" | awk -F, -v OFS=, 'NR > 1 {
	if (NR % 5 == 0) $1 = "?"; if (NR % 7 == 0) $2 = "Astronaut"; if (NR % 11 == 0) $4 = ""; if (NR % 13 == 0) $13 = ""; if (NR % 17 == 0) $11 = "1e9"
} { print }' >adult.csv
"$binary" fit -c "$configs/adult.yaml" --data "$TEST_TABLES/adult/train.csv" -o adult --quiet --json >/dev/null
compare adult adult.csv none
set +o pipefail # head ends early
gzip -dc "$TEST_TABLES/mnist/test.csv.gz" | head -1001 >mnist_mlp.csv
set -o pipefail
"$binary" fit -c "$configs/mnist_mlp.yaml" --data "$TEST_TABLES/mnist/train.csv.gz" --set train.steps=20 -o mnist_mlp --quiet --json >/dev/null
compare mnist_mlp mnist_mlp.csv p
