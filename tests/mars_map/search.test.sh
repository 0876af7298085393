#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Budgets, seeds and interruption.
set -eu
tool=$1
fail() {
  echo "$*" >&2
  exit 1
}
strip() { sed -E '/"(wall_s|evaluations_per_s)":/d' "$1"; }
value() { sed -n "s/^ *\"$1\": \\(.*[^,]\\),\\{0,1\\}\$/\\1/p" "$2" | head -1; }
run() {
  out=$1
  shift
  "$tool" --model googlenet --system aws_f1_16xlarge --quiet --json "$out" "$@" || fail "$* ended with $?"
}

# Same seed and evaluations: the same bytes, whatever the threads.
run a.json --seed 7 --evaluations 3000000 --threads 1
run b.json --seed 7 --evaluations 3000000 --threads 2
run c.json --seed 7 --evaluations 3000000 --threads 0
strip a.json >a
strip b.json >b
strip c.json >c
cmp a b && cmp a c || fail "the answer depends on the threads"

# More evaluations are not worse.
run d.json --seed 7 --evaluations 1
awk "BEGIN { exit !($(value latency_s a.json) <= $(value latency_s d.json)) }" || fail "a longer search is worse"
awk "BEGIN { exit !($(value latency_s d.json) <= $(value baseline_latency_s d.json)) }" || fail "worse than the baseline"

# A budget ends the search, with an answer.
before=$(date +%s)
run e.json --budget 200ms
after=$(date +%s)
[ $((after - before)) -le 60 ] || fail "a budget of 200 ms took $((after - before)) s"
[ "$(value feasible e.json)" = true ] || fail "no answer within the budget"

# An interrupt ends the search, with an answer. (A job that a script starts with & ignores interrupts: timeout sends it.)
if command -v timeout >/dev/null 2>&1; then
  status=0
  timeout --preserve-status -s INT 1 "$tool" --model resnet152 --system aws_f1_16xlarge --threads 1 --quiet \
    --evaluations 1000000000 --json f.json 2>err || status=$?
  [ $status = 0 ] || fail "interrupted: status $status: $(cat err)"
  [ "$(value feasible f.json)" = true ] || fail "interrupted: no answer"
  grep -q interrupted err || echo "the search ended before it could be interrupted"
fi
