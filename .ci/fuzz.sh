#!/usr/bin/env bash
# fuzz.sh DURATION: runs every fuzz target for DURATION from the corpus in testdata/corpus.tar.gz, then writes the inputs that
# reach new code back to it. A failing input is written below the package's testdata/fuzz and ends the run with an error.
set -euo pipefail
cd "$(dirname "$0")/.."

corpus=$PWD/testdata/corpus.tar.gz
cache=$(go env GOCACHE)/fuzz
module=$(go list -m)
log=$(mktemp)
trap 'rm -f "$log"' EXIT

mkdir -p "$cache/$module"
[ ! -f "$corpus" ] || tar -C "$cache" -xzf "$corpus"

status=0
for package in $(go list ./...); do
	for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz'); do
		echo "$package $target"
		if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" "$package" >"$log" 2>&1; then
			# A run that ends by the clock can report the clock itself as an error: golang/go#75804.
			if ! grep -q 'context deadline exceeded' "$log" || grep -q 'Failing input written' "$log"; then
				cat "$log"
				status=1
			fi
		fi
		{ grep '^fuzz: elapsed' "$log" || true; } | tail -n 1
	done
done

# Sorted, and without owners and times: the same inputs make the same archive.
tar -C "$cache" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - "$module" | gzip -9n >"$corpus.new"
mv "$corpus.new" "$corpus"
exit $status
