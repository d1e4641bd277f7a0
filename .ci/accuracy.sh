#!/usr/bin/env bash
# Trains by the shipped configs on the real tables and holds the accuracy on their test files against what is promised.
#
#   accuracy.sh BINARY           every table, the mean of three runs
#   accuracy.sh BINARY --short   three tables, one run each, with a margin for the noise of a single run
#
# TEST_TABLES names the folder of the tables. Without it nothing is run.
set -euo pipefail
shopt -s inherit_errexit

# One line a case: config, tables to train and test on, target_epsilon, least mean accuracy in per cent. Together they are
# read in every format and dialect that the tables come in.
full="
adult      adult/train.csv       adult/test.csv        0.5  85.4
adult      adult/train.csv       adult/test.csv        1    85.7
adult      adult/train.csv       adult/test.csv        3    85.8
adult_standardized adult/train.csv adult/test.csv      1    85.2
adult_raw  adult_raw/adult.data  adult_raw/adult.test  1    85.7
sms_spam   sms_spam/train.csv    sms_spam/test.csv     3    96.2
banking77  banking77/train.csv   banking77/test.csv    3    72.0
banking77  banking77/train.csv   banking77/test.csv    8    80.5
kdd99      kdd99/train.csv.gz    kdd99/test.csv.gz     1    98.9
mnist      mnist/train.csv.gz    mnist/test.csv.gz     1    90.5
mnist_mlp  mnist/train.csv.gz    mnist/test.jsonl.gz   3    94.3
"
# The same, less four standard deviations of a single run: 0.1, 0.4 and 0.5 points, measured over 4 to 12 runs.
short="
adult_raw  adult_raw/adult.data  adult_raw/adult.test  1    85.3
sms_spam   sms_spam/train.csv    sms_spam/test.csv     3    94.6
banking77  banking77/train.csv   banking77/test.csv    3    70.0
"

binary=$1 cases=$full runs=3
if [ "${2:-}" = --short ]; then
	cases=$short runs=1
fi
if [ -z "${TEST_TABLES:-}" ]; then
	echo "accuracy: skipped: TEST_TABLES does not name the folder of the real tables"
	exit 0
fi
if [ ! -d "$TEST_TABLES" ]; then
	echo "accuracy: TEST_TABLES names $TEST_TABLES, which is no folder" >&2
	exit 1
fi

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# accuracy CONFIG TRAIN TEST EPSILON prints the accuracy on TEST, in per cent, of one model trained on TRAIN.
accuracy() {
	"$binary" fit -c "configs/$1.yaml" --data "$2" --set "privacy.target_epsilon=$4" --require-private --max-epsilon "$4" \
		-o "$out" --fresh --quiet --json >"$out/fit.json"
	"$binary" eval -m "$out/model.safetensors" --data "$3" --json |
		awk 'match($0, /"accuracy": *[0-9.eE+-]+/) { s = substr($0, RSTART, RLENGTH); sub(/.*:/, "", s); print 100 * s }'
}

failed=0 ran=0
while read -r config train test epsilon least; do
	[ -n "$config" ] || continue
	train=$TEST_TABLES/$train test=$TEST_TABLES/$test
	if [ ! -f "$train" ] || [ ! -f "$test" ]; then
		echo "accuracy: $config: skipped: no $train or no $test"
		continue
	fi
	got=""
	for _ in $(seq "$runs"); do
		got="$got $(accuracy "$config" "$train" "$test" "$epsilon")"
	done
	ran=$((ran + 1))
	echo "$got" | awk -v name="$config" -v epsilon="$epsilon" -v least="$least" '{
		for (i = 1; i <= NF; i++) sum += $i
		mean = NF ? sum / NF : 0
		ok = NF && mean >= least
		printf "accuracy: %-10s epsilon %-4s %6.2f %%, want at least %s %%: %s   (runs:%s)\n",
			name, epsilon, mean, least, ok ? "ok" : "TOO LOW", $0
		exit !ok
	}' || failed=1
done <<<"$cases"
echo "accuracy: $ran cases, $runs run(s) each"
exit "$failed"
