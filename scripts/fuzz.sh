#!/usr/bin/env bash
# Runs each fuzz target in turn for the time given, and stops at the first that finds something.
#
#   scripts/fuzz.sh 30s
set -euo pipefail
cd "$(dirname "$0")/.."

each=${1:-30s}
go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}' ./... | while read -r dir; do
  [ -n "$dir" ] || continue
  for file in "$dir"/*_test.go; do
    sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"
  done | while read -r target; do
    printf '== %s %s\n' "${dir#"$PWD"/}" "$target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$each" "$dir" </dev/null
  done
done
