#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# mars-map export: each format, what it notes, what it refuses.
set -eu
tool=$1
make_onnx=${2:-}
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
  grep -q '^mars-map: error: ' err || fail "$*: $(cat err)"
  [ ! -s out ] || fail "$*: prints although refused"
  grep -qF -- "$words" err || fail "$*: '$words' is not in: $(cat err)"
  [ ! -e refused ] || fail "$*: a folder was made"
}
# exported FORMAT FILES...: model and system come from the file, notes are one line each.
exported() {
  format=$1
  shift
  "$tool" export mapping.json --format "$format" --out "$format" >out 2>err || fail "$format: $? $(cat err)"
  for file; do
    [ -s "$format/$file" ] || fail "$format: no $file"
    grep -qxF "$format/$file" out || fail "$format: $file is not told"
  done
  [ "$(ls "$format" | wc -l)" -eq "$(wc -l <out)" ] || fail "$format: other files: $(ls "$format")"
  if grep -v '^note: .*\.$' err; then fail "$format: not a note"; fi
  # The same again, to the byte, and silently.
  "$tool" export mapping.json --format "$format" --out again --quiet >out 2>err || fail "$format: $?"
  [ ! -s out ] && [ ! -s err ] || fail "$format: --quiet talks"
  for file; do
    cmp "$format/$file" "again/$file" || fail "$format: $file differs"
  done
  rm -r again
}
noted() { grep -qF -- "$2" "$1.notes" || fail "$1: '$2' is not noted: $(cat "$1.notes")"; }

"$tool" --model alexnet --system aws_f1_16xlarge --search exact --quiet --json mapping.json

exported sdy mapping.mlir
grep -q '^  sdy.mesh @set0 = <\["x"=' sdy/mapping.mlir || fail "no mesh"
grep -q 'mars.name = "conv2"' sdy/mapping.mlir || fail "no conv2"
"$tool" export mapping.json --format sdy --out sdy 2>sdy.notes >/dev/null
noted sdy 'pass shards round a ring'

exported jax partition_spec.json
grep -q '"schema": "mars.partition_spec/1"' jax/partition_spec.json || fail "no schema"

exported chakra trace.0.et trace.1.et trace.7.et network.yml system.json memory.json
ls chakra | grep -q '^comm_groups' || fail "no groups"
grep -q '^npus_count: \[ 4, 2 \]$' chakra/network.yml || fail "network: $(cat chakra/network.yml)"
"$tool" export mapping.json --format chakra --out chakra 2>chakra.notes >/dev/null
noted chakra 'microseconds'
noted chakra 'between groups'

refused "mapping.json: operators[0]: found 'conv1' on" export mapping.json --format device-map --out refused
"$tool" --model alexnet --system alveo_u55c --search baseline --quiet --json single.json
"$tool" export single.json --format device-map --out single >out 2>err || fail "device-map: $?"
printf '{\n  "": 0\n}\n' | cmp - single/device_map.json || fail "device-map: $(cat single/device_map.json)"
refused 'at least two' export single.json --format chakra --out refused

if [ -n "$make_onnx" ]; then
  exported onnx model.onnx
  "$make_onnx" demo.onnx
  "$tool" --model demo.onnx --system aws_f1_16xlarge --search baseline --quiet --json demo.json
  # The workload's name is not the file's: the model is to be named.
  "$tool" export demo.json --model demo.onnx --format onnx --out demo >out 2>err || fail "demo: $? $(cat err)"
  grep -qF 'stem.pool' demo/model.onnx || fail "demo: not the model"
  # Annotated, it is the same workload still.
  "$tool" --model demo/model.onnx --system aws_f1_16xlarge --mapping demo.json --quiet || fail "annotated: $?"
  refused 'demo.onnx' export demo.json --model missing-demo.onnx --format onnx --out refused
  refused "operators" export mapping.json --model demo.onnx --format onnx --out refused
else
  refused 'cannot write ONNX' export mapping.json --format onnx --out refused
fi

refused '--format is required' export mapping.json --out refused
refused '--out is required' export mapping.json --format sdy
refused 'did you mean sdy' export mapping.json --format sdi --out refused
refused 'MAPPING is required' export --format sdy --out refused
refused 'missing.json: cannot open' export missing.json --format sdy --out refused
refused 'is no folder' export mapping.json --format sdy --out mapping.json/refused
refused '--out' export mapping.json --format sdy --out ''
refused '--json' export mapping.json --format sdy --out refused --json x.json
refused '--report' export mapping.json --format sdy --out refused --report x
refused 'vgg99' export mapping.json --format sdy --out refused --model vgg99
refused 'operators' export mapping.json --format sdy --out refused --model vgg16
printf '{"schema": ' >cut.json
refused 'cut.json: line 1' export cut.json --format sdy --out refused
sed 's/"ways": [0-9]*/"ways": 3/' mapping.json >ways.json
refused 'ways.json' export ways.json --format sdy --out refused
