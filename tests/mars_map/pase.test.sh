#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The command `pase`: F of a workload on equal devices, proven, with its conventions.
set -eu
tool=$1
fail() {
  echo "$*" >&2
  exit 1
}
value() { sed -n "s/^ *\"$1\": \\(.*[^,]\\),\\{0,1\\}\$/\\1/p" "$2" | head -1; }
run() {
  out=$1
  shift
  "$tool" pase --quiet --json "$out" "$@" || fail "$* ended with $?"
}
refused() {
  words=$1
  shift
  status=0
  "$tool" pase "$@" >out 2>err || status=$?
  [ $status = 2 ] || fail "$*: status $status"
  [ "$(wc -l <err)" -eq 1 ] || fail "$*: not one line: $(cat err)"
  grep -qF -- "$words" err || fail "$*: '$words' is not in: $(cat err)"
}

# One matrix product 8 x 16 x 32 (x [8, 32], weight [16, 32]), by hand. On one device three products of 4096 MACs.
# On two, a word of one byte and r = 1: the cheapest cut is k, 6144 and 128 words of result to sum up.
cat >product.json <<'JSON'
{"schema": "mars.workload/1", "name": "product",
 "operators": [{"name": "fc", "kind": "matmul", "type": "Gemm",
   "dims": [{"name": "m", "extent": 8}, {"name": "n", "extent": 16}, {"name": "k", "extent": 32, "kind": "reduction"}],
   "operands": [
     {"role": "input", "axes": [{"extent": 8, "terms": [{"dim": "m"}]}, {"extent": 32, "terms": [{"dim": "k"}]}]},
     {"role": "weight", "axes": [{"extent": 16, "terms": [{"dim": "n"}]}, {"extent": 32, "terms": [{"dim": "k"}]}]},
     {"role": "output", "axes": [{"extent": 8, "terms": [{"dim": "m"}]}, {"extent": 16, "terms": [{"dim": "n"}]}]}],
   "work": {"macs": 1}}]}
JSON
run one.json --model product.json --devices 1
[ "$(value objective_flop one.json)" = 12288.0 ] || fail "one device: $(value objective_flop one.json)"
run two.json --model product.json --devices 2 --peak 1 --bandwidth 1 --element-bytes 1
[ "$(value objective_flop two.json)" = 6272.0 ] || fail "two devices: $(value objective_flop two.json)"
[ "$(value exhausted two.json)" = true ] || fail "not proven"
grep -q '"dim": "k"' two.json || fail "not cut along k: $(cat two.json)"
run forward.json --model product.json --devices 1 --forward --flop-per-mac 2
[ "$(value objective_flop forward.json)" = 8192.0 ] || fail "inference: $(value objective_flop forward.json)"

# A network: proven, and the parts add up.
run alexnet.json --model alexnet --batch 128 --element-bits 32 --devices 8
[ "$(value exhausted alexnet.json)" = true ] || fail "alexnet: not proven"
[ "$(value flop_per_byte alexnet.json)" = 625.0 ] || fail "r is not 625"
sum=$(awk '/_flop":/ && !/objective|bound/ { gsub(/[^0-9.e+-]/, "", $2); s += $2 } END { printf "%.0f", s }' alexnet.json)
awk "BEGIN { d = $sum - $(value objective_flop alexnet.json); exit !(d < 1 && d > -1) }" || fail "parts: $sum"
"$tool" pase --model alexnet --batch 128 --element-bits 32 --devices 8 | grep -q 'the minimum' || fail "no text"

refused --devices --model alexnet
refused --devices --model alexnet --devices 0
refused --peak --model alexnet --devices 2 --peak -1
refused --holders --model alexnet --devices 2 --holders everyone
refused --system --model alexnet --devices 2 --system aws_f1_16xlarge
refused --model --devices 2
refused baseline --model alexnet --devices 2 --search baseline
