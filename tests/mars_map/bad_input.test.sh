#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Whatever is wrong: status 2, one line on standard error that names the culprit, no file written.
set -eu
tool=$1
make_onnx=${2:-}
fail() {
  echo "$*" >&2
  exit 1
}

# Inputs lie in a folder of their own, notes outside: whatever appears there was written by the tool.
mkdir inputs
cd inputs

# refused WORDS ARGUMENTS...: WORDS are to be in the line.
refused() {
  words=$1
  shift
  ls -AR . >../before
  status=0
  "$tool" "$@" >../out 2>../err || status=$?
  ls -AR . >../after
  [ "$status" = 2 ] || fail "$*: status $status: $(cat ../err)"
  [ ! -s ../out ] || fail "$*: something on standard output"
  [ "$(wc -l <../err)" -eq 1 ] || fail "$*: not one line: $(cat ../err)"
  grep -q '^mars-map: error: ' ../err || fail "$*: $(cat ../err)"
  grep -qF -- "$words" ../err || fail "$*: '$words' is not in: $(cat ../err)"
  cmp -s ../before ../after || fail "$*: files were written"
}
model() {
  words=$1
  shift
  refused "$words" --model "$@" --system aws_f1_16xlarge --json result.json --report report
}
system() {
  words=$1
  shift
  refused "$words" --model alexnet --system "$@" --json result.json --report report
}

# ---- Models ----
: >empty.json
: >empty.onnx
model empty.json empty.json
model empty.onnx empty.onnx
model missing.json missing.json
model missing.onnx missing.onnx
model 'did you mean resnet101' resnet1O1
model nosuchmodel nosuchmodel
model --model ''
model --list model.txt
head -c 300 "$tool" >noise.onnx
model noise.onnx noise.onnx
if [ -n "$make_onnx" ]; then
  "$make_onnx" whole.onnx
  head -c "$(($(wc -c <whole.onnx) / 2))" whole.onnx >half.onnx
  model half.onnx half.onnx
fi
graph() {
  printf '{"schema": "mars.workload/1", "inputs": [{"name": "x", "shape": [%s]}], "operators": [%s]}\n' "$1" "$2"
}
relu() { printf '{"name": "%s", "kind": "relu", "inputs": ["%s"]}' "$1" "$2"; }
graph '1, 8' "{\"name\": \"a\", \"kind\": \"add\", \"inputs\": [\"x\", \"b\"]}, $(relu b a)" >cycle.json
model 'cycle.json: operators[0].inputs[1]' cycle.json
graph '1, 8' "$(relu a a)" >itself.json
model itself.json itself.json
graph '1, 8' "$(relu a nobody)" >dangling.json
model nobody dangling.json
graph '1, 8' "$(relu a x), $(relu a x)" >twice.json
model 'operators[1].name' twice.json
for extent in 4611686018427387904 9223372036854775807 9223372036854775808 1e999 0 -1 1.5 NaN '"8"' null; do
  graph "1, $extent" "$(relu a x)" >extent.json
  model extent.json extent.json
done
graph '1, 2305843009213693952' "$(relu a x)" >extent.json
model 'inputs[0].shape' extent.json
graph '1, 8' "{\"name\": \"a\", \"kind\": \"relu\", \"inputs\": [\"x\"], \"colour\": 3}" >key.json
model 'operators[0].colour' key.json
graph '1, 8' "{\"name\": \"a\", \"kind\": \"relo\", \"inputs\": [\"x\"]}" >kind.json
model 'did you mean relu' kind.json
graph '1, 8' "$(relu a x)" | tr -d '}' >open.json
model open.json open.json
printf '{"schema": "mars.workload/1", "operators": []}' >none.json
model none.json none.json
awk 'BEGIN { for (i = 0; i < 100000; ++i) printf "["; }' >deep.json
model deep.json deep.json
refused --batch --model cycle.json --system aws_f1_16xlarge --batch 2

# ---- Systems ----
machine() {
  printf '{"schema": "mars.system/1", "name": "s", "accelerators": [{"name": "a", "count": 2, "memory_bytes": %s,
    "designs": [{"kind": "roofline", "name": "r", "peak_flops_per_s": %s, "bandwidth_bytes_per_s": 1e9}]}],
    "interconnect": {"kind": "ring", "bandwidth_bytes_per_s": %s}}\n' "$1" "$2" "$3"
}
system nosuchsystem nosuchsystem
system empty.json empty.json
for bandwidth in NaN '"nan"' 1e999 -1 0; do
  machine 1e9 1e12 "$bandwidth" >bandwidth.json
  system bandwidth.json bandwidth.json
done
machine 1e9 1e12 '"nan"' >bandwidth.json
system interconnect.bandwidth_bytes_per_s bandwidth.json
for memory in 0 -1 1e30 '"1 GB"'; do
  machine "$memory" 1e12 1e9 >memory.json
  system 'accelerators[0].memory_bytes' memory.json
done
machine 1e9 -1 1e9 >peak.json
system 'accelerators[0].designs[0].peak_flops_per_s' peak.json
machine 1e9 1e12 '1e9, "bandwith": 1' >key.json
system interconnect.bandwith key.json
echo '{"schema": "mars.system/1", "preset": "aws_f1_16xlarg"}' >preset.json
system 'did you mean aws_f1_16xlarge' preset.json

# ---- Mappings ----
map() {
  words=$1
  shift
  refused "$words" --model alexnet --system aws_f1_16xlarge --mapping "$@" --json result.json
}
"$tool" --model alexnet --system aws_f1_16xlarge --search baseline --quiet --json good.json
map empty.json empty.json
map missing.json missing.json
map schema preset.json
# Its designs and dimensions, but not this network.
refused operators --model vgg16 --system aws_f1_16xlarge --mapping good.json
sed 's/"design": "[a-z_]*"/"design": "nosuch"/' good.json >design.json
map design.json design.json
sed '0,/"ways": [0-9]*/s//"ways": 3/' good.json >ways.json
map ways.json ways.json

# ---- Arguments ----
with() {
  words=$1
  shift
  refused "$words" --model alexnet --system aws_f1_16xlarge "$@"
}
for value in -1 1.5 1e5 0x10 99999999999999999999 nan inf '' ' 1' '1 ' 1x; do
  with --seed --seed "$value"
  with --threads --threads "$value"
  with --batch --batch "$value"
  with --image --image "$value"
  with --evaluations --evaluations "$value"
  with --element-bits --element-bits "$value"
done
for value in -1s 10 s nans infs 1e999s 0s 1h '' '1 s' 10ss 1,5s; do
  with --budget --budget "$value"
done
with batch --batch 0
with "batch 9223372036854775807" --batch 9223372036854775807
with image --image 1
with "9223372036854775807" --image 9223372036854775807
with sequence --sequence 7
with element --element-bits 65
with --evaluations --evaluations 0
with 'wanted an objective that adds up' --search exact --objective throughput
with 'wanted genetic, exact, annealing, list or h2h' --semantics scheduled --search beam
with 'did you mean genetic' --search genetix
with --strategy --strategy other
with --cost --cost other
with --objective --objective other
with energy --objective energy # no design of that system knows its own
with --nonsense --nonsense
with surplus surplus
with --json --json
with --json --json .
with --json --json nowhere/result.json
with --json --json ''
with --report --report empty.json
with --report --report empty.json/below
with --budget --budget 1s --evaluations 5
with --search --search baseline --search genetic
refused --model
refused --model --system aws_f1_16xlarge
refused --system --model alexnet
refused --model streams
refused studie studie
