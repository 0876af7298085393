#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Processors: algorithms are chosen, proven best, written, read back and explained; compressions of the network are
# those that somebody published.
#   sh algorithms.test.sh MARS_MAP
set -eu
tool=$1
fail() {
  echo "algorithms: $*" >&2
  exit 1
}
number() { sed -nE "s/^[[:space:]]*\"$1\": ([-+.0-9e]+),?\$/\1/p" "$2" | head -1; }
less() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }'; }
on_core() { "$tool" --model resnet18 --system zen5_core --element-bits 32 --quiet "$@"; }

on_core --search exact --json found.json
[ "$(number gap found.json)" = 0.0 ] || [ "$(number gap found.json)" = 0 ] || fail "not proven: gap $(number gap found.json)"
for algorithm in direct winograd_f4x3 in_blocks; do
  grep -q "\"algorithm\": \"$algorithm\"" found.json || fail "$algorithm runs nothing"
done
grep -q '"reorder_s": ' found.json || fail "nothing is reordered"
on_core --mapping found.json --json again.json
[ "$(number latency_s again.json)" = "$(number latency_s found.json)" ] || fail "read back, it takes another time"
sed 's/"winograd_f4x3"/"fft"/' found.json >wrong.json
if on_core --mapping wrong.json 2>said; then fail "an algorithm that is not there was priced"; fi
grep -q "operators\[.*\].algorithm: .* runs as 'fft'" said || fail "it was not named: $(cat said)"
"$tool" explain found.json --operator layer1.0.conv1 --element-bits 32 >explained
grep -q "algorithm winograd_f4x3" explained || fail "explain says no algorithm"
grep -q "replicated, direct" explained || fail "explain offers no other"

on_core --search exact --compressions none,bfloat16,int8 --json narrow.json
grep -q '"name": "int8"' narrow.json || fail "int8 is not chosen"
grep -q '"locator": "github.com' narrow.json || fail "no source of its accuracy"
grep -q '"reason": "nobody published' narrow.json || fail "bfloat16 is not rejected"
less "$(number latency_s narrow.json)" "$(number latency_s found.json)" || fail "int8 gains nothing"
on_core --mapping narrow.json --compressions int8 --json again.json
[ "$(number latency_s again.json)" = "$(number latency_s narrow.json)" ] || fail "compressed, it takes another time"
# Who looks at the plan looks at the compressed network.
"$tool" diff narrow.json again.json --json compared.json >/dev/null || fail "diff ended with $?"
grep -q "$(number latency_s narrow.json)" compared.json || fail "diff prices another network: $(cat compared.json)"
if "$tool" diff narrow.json found.json 2>said; then fail "plans of two networks were compared"; fi
grep -q "found.json: compression" said || fail "it was not named: $(cat said)"
"$tool" explain narrow.json --operator layer1.0.conv1 >explained || fail "explain ended with $?"
"$tool" export narrow.json --format device-map --out exported >/dev/null || fail "export ended with $?"
sed 's/"name": "int8"/"name": "int3"/' narrow.json >wrong.json
if "$tool" explain wrong.json --operator layer1.0.conv1 2>said; then fail "int3 was explained"; fi
grep -q "int3" said || fail "int3 was not named: $(cat said)"
on_core --search exact --compressions none,int8 --accuracy-loss 0.01 --json exact.json
[ "$(number latency_s exact.json)" = "$(number latency_s found.json)" ] || fail "int8 loses more than 0.01"
if on_core --search exact --compressions int8 --accuracy-loss 0.01 2>said; then fail "nothing was permitted"; fi
grep -q "accuracy-unknown" said || fail "no way out is said: $(cat said)"
on_core --search exact --compressions float16 --accuracy-unknown --json half.json
grep -q '"accuracy": null' half.json || fail "an accuracy that nobody published"
for bad in "" int3 int8,int8 weight_pruning_101; do
  if on_core --compressions "$bad" 2>said; then fail "--compressions '$bad' was taken"; fi
  grep -q "compressions" said || fail "--compressions '$bad': $(cat said)"
done
if on_core --accuracy-loss 1 2>said; then fail "a limit for nothing"; fi
