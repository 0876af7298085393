#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# A chain of 100,000 operators is legal, and one of 50,000 is scheduled: no recursion over it, nothing quadratic in it.
# (Under sanitisers, whose stack frames are larger, 40,000 and 20,000.)
set -eu
tool=$1
fail() {
  echo "$*" >&2
  exit 1
}
chain() { # chain LENGTH EVERY: an operator in EVERY is a convolution, the others are not
  awk -v length_of="$1" -v every="$2" 'BEGIN {
  printf "{\"schema\": \"mars.workload/1\", \"name\": \"chain\", \"inputs\": [{\"name\": \"x\", \"shape\": [1, 16, 32, 32]}],\n"
  printf " \"operators\": [\n"
  from = "x"
  for (i = 0; i < length_of; ++i) {
    attributes = i % every ? "\"relu\"" : "\"conv\", \"out_channels\": 16, \"kernel\": [3, 3], \"padding\": [1, 1]"
    printf "%s  {\"name\": \"v%d\", \"kind\": %s, \"inputs\": [\"%s\"]}", i ? ",\n" : "", i, attributes, from
    from = "v" i
  }
  print "]}"
}'
}
long=100000 half=50000
if [ -n "${MARS_TEST_SANITIZED:-}" ]; then long=40000 half=20000; fi
chain $long 2 >chain.json
"$tool" --model chain.json --system aws_f1_16xlarge --search baseline --json a.json >text || fail "baseline ended with $?"
grep -q '"operators": '$long a.json || fail "operators are missing"
[ "$(wc -l <text)" -lt 200 ] || fail "the plan is not condensed"
"$tool" --model chain.json --system aws_f1_16xlarge --search genetic --evaluations 1 --quiet || fail "genetic ended with $?"
"$tool" --model chain.json --system aws_f1_16xlarge --search exact --evaluations 1 --quiet || fail "exact ended with $?"
"$tool" --model chain.json --system aws_f1_16xlarge --mapping a.json --quiet || fail "--mapping ended with $?"
chain $half 1 >convolutions.json
"$tool" --model convolutions.json --system aws_f1_16xlarge --semantics scheduled --evaluations 1 --json s.json --quiet ||
  fail "--semantics scheduled ended with $?"
grep -q '"operators": '$half s.json || fail "operators are missing in the schedule"
grep -q '"launch_order": \[' s.json || fail "there is no schedule"
status=0
"$tool" --model chain.json --system aws_f1_16xlarge --search exhaustive 2>err || status=$?
[ $status = 2 ] || fail "exhaustive: status $status"
[ "$(wc -l <err)" -eq 1 ] || fail "exhaustive: not one line"
