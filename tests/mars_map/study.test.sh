#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The command `study`: cells add up, files appear together, names are checked, kernels run.
set -eu
tool=$1
fail() {
  echo "$*" >&2
  exit 1
}
ended() { # words arguments
  words=$1
  shift
  status=0
  "$tool" study "$@" >out 2>err || status=$?
  [ $status = 2 ] || fail "$*: status $status, not 2: $(cat err)"
  [ "$(wc -l <err)" -eq 1 ] || fail "$*: not one line: $(cat err)"
  grep -qF -- "$words" err || fail "$*: '$words' is not in: $(cat err)"
}
cells() { sed -n "s/^\"cells\": {\"product\": \\([0-9]*\\), \"legal\": \\([0-9]*\\), \"rejected\": \\([0-9]*\\),.*/\\$1/p" "$2"; }

# Law: legal + rejected = product; and the reasons add up.
small="--networks resnet18,mobilenet_v1 --compressions none,weight_pruning_80,channel_pruning_50,int8,channel_pruning_25+weight_pruning_50
  --hardware zen5_core,jetson_agx_xavier"
# shellcheck disable=SC2086
"$tool" study $small --json a.json --report report >text || fail "study ended with $?"
[ "$(cells 1 a.json)" -eq $((2 * 5 * 8 * 2 * 2)) ] || fail "product: $(cells 1 a.json)"
[ "$(cells 1 a.json)" -eq $(($(cells 2 a.json) + $(cells 3 a.json))) ] || fail "cells do not add up"
reasons=$(sed -n 's/.*"relation": .*"cells": \([0-9]*\)}.*/\1/p' a.json | awk '{ n += $1 } END { print n }')
[ "$reasons" -eq "$(cells 3 a.json)" ] || fail "reasons: $reasons"
for file in study.html study.json cells.csv rejections.csv; do [ -s "report/$file" ] || fail "no $file"; done
cmp -s report/study.json a.json || fail "the JSON of the report is another"
[ "$(wc -l <report/cells.csv)" -eq $(($(cells 2 a.json) + 1)) ] || fail "a cell is missing in cells.csv"
grep -q 'auto-tuning can change which algorithm is best' text || fail "findings are missing"
# shellcheck disable=SC2086
"$tool" study $small --quiet --json b.json && cmp -s a.json b.json || fail "another run, other bytes"
"$tool" study --networks resnet18 --primitives direct,winograd_f4x3 --codegen tuned --hardware zen5_core >text ||
  fail "chosen elements: $?"
grep -q '^study of 1 network x 10 compressions x 2 primitives x 1 code generation x 1 design' text || fail "$(head -1 text)"

# Accuracies of one's own; unknown where the table says nothing.
cat >accuracy.csv <<'CSV'
model,dataset,compression,setting,top1_percent,reference_top1_percent,source,locator
resnet18,ImageNet,none,fp32,50,50,mine,here
CSV
"$tool" study --networks resnet18 --compressions none,int8 --hardware zen5_core --accuracy accuracy.csv --json - >c.json
grep -q ', 50, 50, "published"' c.json || fail "the table was not read"

ended "did you mean resnet18" --networks resnet8
ended "did you mean zen5_core" --hardware zen5
ended "weight_pruning_N" --compressions weight_pruning_100
ended "winograd_f4x3" --primitives winograd
ended "one of untuned, tuned" --codegen fast
ended "each name once" --networks vgg16,vgg16
ended "names with commas" --networks vgg16,,resnet18
ended "study has axes of its own" --model vgg16
ended "none without --measure" --measurements m.tsv
ended "nowhere.csv" --accuracy nowhere.csv
echo "model,dataset" >bad.csv
ended "bad.csv" --accuracy bad.csv
touch file
ended "--report" --networks resnet18 --report file

# Kernels on this machine: one small network, two primitives; remembered, so that a second run measures nothing.
if [ -z "${MARS_TEST_SANITIZED:-}" ]; then
  measured="--networks squeezenet --image 32 --compressions none --primitives direct,im2col_gemm --codegen untuned
    --hardware zen5_core --measure --measurements m.tsv"
  # shellcheck disable=SC2086
  "$tool" study $measured --json d.json >text || fail "--measure ended with $?"
  grep -q 'model against measurement' text || fail "no agreement: $(cat text)"
  grep -q '"this_machine"' d.json || fail "this_machine is not in the study"
  head -1 m.tsv | grep -q 'mars.measurements/1' || fail "$(head -1 m.tsv)"
  echo "nonsense" >>m.tsv
  # shellcheck disable=SC2086
  ended "m.tsv" $measured
fi
