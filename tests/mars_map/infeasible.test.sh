#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Memory that does not suffice: status 1, and which limit binds, where, by how much, what would help.
set -eu
tool=$1
fail() {
  echo "$*" >&2
  exit 1
}
status_of() {
  status=0
  "$@" >out 2>err || status=$?
}
for megabytes in 64 36 20; do
  printf '{"schema": "mars.system/1", "preset": "aws_f1_16xlarge", "memory_bytes": %s000000}\n' $megabytes >f1_$megabytes.json
done

# 64 MB each: whichever strategy, mapped or explained.
for strategy in exclusive-only exclusive-shared; do
  status_of "$tool" --model vgg16 --system f1_64.json --strategy $strategy --json a.json
  case $status in
  0) grep -q '"feasible": true' a.json || fail "$strategy: mapped, but not feasible" ;;
  1) grep -q 'MB needed at' err || fail "$strategy: not explained: $(cat err)" ;;
  *) fail "$strategy: status $status: $(cat err)" ;;
  esac
done
[ $status = 0 ] || fail "shared shards do not make VGG16 fit 8 x 64 MB"
"$tool" --model vgg16 --system f1_64.json --mapping a.json --quiet || fail "the mapping does not validate"

# 36 MB each hold the weights (276.7 of 288 MB), but nothing besides.
status_of "$tool" --model vgg16 --system f1_36.json --strategy exclusive-only --json b.json
[ $status = 1 ] || fail "36 MB: status $status"
[ ! -s out ] || fail "36 MB: a plan is printed"
grep -q '"feasible": false' b.json || fail "36 MB: the JSON says feasible"
grep -q '"latency_s": null' b.json || fail "36 MB: a latency of what cannot run"
grep -q '"demand_bytes"' b.json || fail "36 MB: no shortage in the JSON"
for words in 'memory of accelerators' 'needed at' '36.00 MB there' 'largest weights' "'fc6'" 'what would help' \
  '--strategy exclusive-shared' '--element-bits 8: fits' 'of memory'; do
  grep -qF -- "$words" err || fail "36 MB: '$words' is not in: $(cat err)"
done
# What would help does.
"$tool" --model vgg16 --system f1_36.json --element-bits 8 --quiet || fail "--element-bits 8 does not help"

# The document of a mapping that does not fit is one nevertheless.
status_of "$tool" --model vgg16 --system f1_36.json --mapping b.json
[ $status = 1 ] || fail "a mapping that does not fit: status $status: $(cat err)"
[ "$(wc -l <err)" -eq 1 ] || fail "a mapping that does not fit: not one line"
"$tool" --model vgg16 --system aws_f1_16xlarge --mapping b.json --quiet || fail "with 1 GB it fits"

# 160 MB in all cannot hold the weights, whatever the sharding.
status_of "$tool" --model vgg16 --system f1_20.json
[ $status = 1 ] || fail "20 MB: status $status"
grep -q 'no sharding can fit' err || fail "20 MB: $(cat err)"

# 1 GB each, batch 1 and 64.
for batch in 1 64; do
  status_of "$tool" --model vgg16 --system aws_f1_16xlarge --batch $batch
  [ $status = 0 ] || [ $status = 1 ] || fail "batch $batch: status $status: $(cat err)"
done
