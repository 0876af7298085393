#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The subcommands that look at mappings: diff and explain.
set -eu
tool=$1
fail() {
  echo "$*" >&2
  exit 1
}
refused() {
  words=$1
  shift
  status=0
  "$tool" "$@" >out 2>err || status=$?
  [ $status = 2 ] || fail "$*: status $status"
  [ "$(wc -l <err)" -eq 1 ] || fail "$*: not one line: $(cat err)"
  [ ! -s out ] || fail "$*: prints although refused"
  grep -qF -- "$words" err || fail "$*: '$words' is not in: $(cat err)"
}
for search in baseline exact; do
  "$tool" --model alexnet --system aws_f1_16xlarge --search $search --quiet --json $search.json
done

# Model and system come from the file.
"$tool" diff baseline.json baseline.json >same || fail "diff ended with $?"
[ "$(cat same)" = "0 differences; latency 1.810 ms -> 1.810 ms" ] || fail "no difference: $(cat same)"
"$tool" diff baseline.json exact.json --json d.json >other || fail "diff ended with $?"
grep -q '^sets\[0\]: ' other || fail "no difference of sets: $(cat other)"
grep -q '"kind": "set added"' d.json || fail "no kind in: $(cat d.json)"
"$tool" diff baseline.json exact.json --model alexnet --system aws_f1_16xlarge --json - | grep -q '"latency_s"' ||
  fail "no latency in the document"

# An optimum has no better alternative; the baseline has.
"$tool" explain exact.json --operator conv2 >text || fail "explain ended with $?"
grep -q 'sharding y:2 k:4 ring c:4' text || fail "no sharding in: $(cat text)"
grep -Eq '^weight .* rotates$|^input .* rotates$' text || fail "nothing rotates in: $(cat text)"
grep -q '^  x\|^  y\|^  k\|^  c' text || fail "no alternatives in: $(cat text)"
if grep -q ' -[0-9]' text; then fail "better than the optimum: $(cat text)"; fi
"$tool" explain baseline.json --operator conv2 --json - >doc || fail "explain --json ended with $?"
for key in operator design accelerators sharding dimensions tensors compute_s alternatives; do
  grep -q "\"$key\"" doc || fail "explain has no $key"
done

refused 'did you mean conv' explain exact.json --operator conv22
refused '--operator is required' explain exact.json
refused 'B is required' diff exact.json
refused 'missing.json: cannot open' diff missing.json exact.json
refused 'missing.json: cannot open' diff exact.json missing.json
printf '{}' >empty.json
refused 'does not say what it maps' diff empty.json exact.json
printf '{"schema": ' >cut.json
refused 'cut.json: line 1' explain cut.json --operator conv2
refused 'vgg99' diff exact.json exact.json --model vgg99
refused 'operators' diff exact.json exact.json --model vgg16
