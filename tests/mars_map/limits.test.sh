# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Objectives that weigh, and limits on memory and energy.
#   sh limits.test.sh MARS_MAP
set -eu
tool=$1
fail() {
  echo "limits: $*" >&2
  exit 1
}
number() { sed -nE "s/^[[:space:]]*\"$1\": ([-+.0-9e]+),?\$/\1/p" "$2" | head -1; }
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b * (1 + 1e-12)) }'; }
map() { "$tool" --model resnet34 --system a100_sxm_8 --search exact --quiet "$@"; }

map --json fast.json
map --objective energy --json frugal.json
fast=$(number energy_j fast.json)
frugal=$(number energy_j frugal.json)
at_most "$frugal" "$fast" || fail "least energy $frugal J is above $fast J"

# Half way between: within the limit, no faster than without, proven.
limit=$(awk -v a="$fast" -v b="$frugal" 'BEGIN { printf "%.9f", (a + b) / 2 }')
map --energy-limit "${limit}J" --json limited.json
at_most "$(number energy_j limited.json)" "$limit" || fail "spends more than $limit J"
at_most "$(number latency_s fast.json)" "$(number latency_s limited.json)" || fail "a limit made it faster"
grep -q '"exhausted": true' limited.json || fail "not proven"

status=0
map --energy-limit 1uJ 2>log || status=$?
[ $status -eq 1 ] || fail "exit status $status for a microjoule"
grep -q 'the limit is lower' log || fail "does not say what is short: $(cat log)"

map --objective weighted --weights 0,1 --json weighed.json
at_most "$(number energy_j weighed.json)" "$frugal" || fail "energy alone, weighed, is not the least energy"
grep -q '"objective": "weighted"' weighed.json || fail "the objective is not named"

status=0
"$tool" --model vgg16 --system aws_f1_16xlarge --memory-limit 20MB --quiet 2>log || status=$?
[ $status -eq 1 ] || fail "exit status $status for VGG16 in 8 times 20 MB"
grep -q 'short' log || fail "does not say what is short: $(cat log)"
"$tool" --model vgg16 --system aws_f1_16xlarge --memory-limit 100MB --quiet --json small.json
grep -q '"capacity_bytes": 100000000' small.json || fail "the limit is not in the answer"
