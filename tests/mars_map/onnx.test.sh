#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# ONNX files map, or are refused in one line.
set -eu
tool=$1
make_onnx=${2:-}
fail() {
  echo "$*" >&2
  exit 1
}
[ -n "$make_onnx" ] || {
  echo "built without ONNX: skipped"
  exit 0
}
value() { sed -n "s/^ *\"$1\": \\(.*[^,]\\),\\{0,1\\}\$/\\1/p" "$2" | head -1; }
macs_of() { sed -n 's/^    "macs": \([0-9]*\),*$/\1/p' "$1"; }
parameters_of() { sed -n 's/^    "parameters": \([0-9]*\),*$/\1/p' "$1"; }

"$make_onnx" demo.onnx
"$tool" --model demo.onnx --system aws_f1_16xlarge --json a.json >text || fail "the demonstration model: $?"
"$tool" --model demo.onnx --system aws_f1_16xlarge --mapping a.json --json b.json --quiet || fail "--mapping: $?"
[ "$(value latency_s a.json)" = "$(value latency_s b.json)" ] || fail "priced again, the latency differs"
"$tool" --model demo.onnx --system aws_f1_16xlarge --batch 4 --search baseline --quiet --json c.json || fail "--batch 4: $?"
[ "$(macs_of c.json)" = $((4 * $(macs_of a.json))) ] || fail "four times the batch, but not the MACs"

data=${MARS_TEST_SHARED_DIR:-}/data/onnx
[ -d "$data" ] || exit 0
for file in "$data"/*.onnx; do
  status=0
  "$tool" --model "$file" --system aws_f1_16xlarge --evaluations 1000000 --quiet --json d.json 2>err || status=$?
  name=$(basename "$file" .onnx)
  case $status in
  0) [ ! -s err ] || fail "$name: mapped with errors: $(cat err)" ;;
  2)
    [ "$(wc -l <err)" -eq 1 ] || fail "$name: not one line: $(cat err)"
    [ "$name" = attention_distilbert ] || fail "$name: refused: $(cat err)"
    continue
    ;;
  *) fail "$name: status $status: $(cat err)" ;;
  esac
  # MACs and parameters, from the README beside the files.
  case $name in
  light_bvlc_alexnet) wanted="654560384 60965224" ;;
  light_densenet121) wanted="2834161664 8146152" ;;
  light_inception_v1) wanted="1431556352 6998552" ;;
  light_inception_v2) wanted="2018851840 11234792" ;;
  light_resnet50) wanted="4089184256 25610152" ;;
  light_shufflenet) wanted="124664528 1420152" ;;
  light_squeezenet) wanted="349151936 1235496" ;;
  light_vgg19) wanted="19632062464 143667240" ;;
  light_zfnet512) wanted="1481727008 87250536" ;;
  bart_self_attention_megatron_basic_test) wanted="6144 83" ;;
  *) continue ;;
  esac
  [ "$(macs_of d.json) $(parameters_of d.json)" = "$wanted" ] ||
    fail "$name: $(macs_of d.json) MACs and $(parameters_of d.json) parameters, wanted $wanted"
done
