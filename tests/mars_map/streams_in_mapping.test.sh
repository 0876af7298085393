#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# --streams: operators of the GPUs of a mapping get streams; what is written is read, valid, and takes as long.
#   sh streams_in_mapping.test.sh MARS_MAP
set -eu
tool=$1
fail() {
  echo "streams_in_mapping: $*" >&2
  exit 1
}
number() { sed -nE "s/^[[:space:]]*\"$1\": ([-+.0-9e]+),?\$/\1/p" "$2" | head -1; }
word() { sed -nE "s/^[[:space:]]*\"$1\": \"(.*)\",?\$/\1/p" "$2" | head -1; }
is() { # is FILE KEY WORD
  [ "$(word "$2" "$1")" = "$3" ] || fail "$1: $2 is $(word "$2" "$1"), not $3"
}
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; }
less() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }'; }
on_a100() { "$tool" --model googlenet --system a100_pcie "$@"; }

# One GPU: every scheduler, never slower than one stream, above the bound.
on_a100 --semantics scheduled --search list --quiet --json plain.json
for scheduler in sequential path-cover chain-cover opara ios ios-greedy critical-path best; do
  f=$scheduler.json
  on_a100 --streams $scheduler --evaluations 500 --quiet --json $f || fail "$scheduler ended with $?"
  is $f semantics streamed
  is $f scheduler $scheduler
  [ "$(number latency_one_stream_s $f)" = "$(number latency_s plain.json)" ] || fail "$f: one stream is not the schedule without"
  at_most "$(number latency_s $f)" "$(number latency_one_stream_s $f)" || fail "$f: slower than one stream"
  at_most "$(number lower_bound_s $f)" "$(number latency_s $f)" || fail "$f: a bound above the latency"
  grep -q '"launch_order": \[' $f || fail "$f: no launch order"
  grep -q '"stream": 0' $f || fail "$f: no streams of operators"
done
[ "$(number streams sequential.json)" = 1 ] || fail "sequential has more than one stream"
[ "$(number latency_s sequential.json)" = "$(number latency_one_stream_s sequential.json)" ] || fail "sequential"
! grep -q '"stream": 1' sequential.json || fail "sequential uses stream 1"
less "$(number latency_s critical-path.json)" "$(number latency_one_stream_s critical-path.json)" || fail "critical-path gains nothing"
grep -q '"stream": 3' critical-path.json || fail "critical-path: not four streams"
! grep -q '"stream"' plain.json || fail "streams without --streams"
at_most "$(number latency_s best.json)" "$(number latency_s opara.json)" || fail "best is worse than opara"

# The same twice; and for a person.
on_a100 --streams best --evaluations 500 --quiet --json again.json
for f in best again; do grep -vE '"(wall_s|evaluations_per_s)"' $f.json >$f.txt; done
cmp -s best.txt again.txt || fail "two answers to one question"
on_a100 --streams critical-path >text
grep -q '^streams      4 by critical-path, reduced by .* from .* on one stream$' text || fail "$(grep streams text)"
grep -q 'of this placement' text || fail "the bound does not say what it is of"
on_a100 --streams sequential | grep -q '^streams      1 by sequential, no faster than one stream$' || fail "sequential in words"

# What was written is read, is valid, and takes as long; it can be looked at, executed and shown.
on_a100 --mapping critical-path.json --quiet --json read.json
is read.json semantics streamed
[ "$(number latency_s read.json)" = "$(number latency_s critical-path.json)" ] || fail "another latency when read"
on_a100 --mapping plain.json --streams critical-path --quiet --json given.json
[ "$(number latency_s given.json)" = "$(number latency_s critical-path.json)" ] || fail "streams of a given mapping"
"$tool" diff sequential.json critical-path.json >text || fail "diff ended with $?"
grep -q '^operators\[.*\.stream (.*): 0 -> ' text || fail "diff sees no streams"
grep -q '^0 differences' text && fail "diff sees nothing"
name=$(sed -nE '/"stream": 3/q; s/^[[:space:]]*"name": "(.*)",$/\1/p' critical-path.json | tail -1)
"$tool" explain critical-path.json --operator "$name" >text || fail "explain ended with $?"
grep -q '^stream 3$' text || fail "explain does not say the stream of $name"
on_a100 --mapping critical-path.json --simulate fair --quiet --json simulated.json
[ "$(sed -n '/"simulation"/,/}/p' simulated.json | sed -nE 's/.*"latency_s": ([^,]*),/\1/p')" = "$(number latency_s simulated.json)" ] ||
  fail "nothing moves, but the simulation takes another time"
on_a100 --mapping critical-path.json --quiet --report report
grep -q 'gpu0 stream 3' report/report.html || fail "no row of stream 3"
grep -q '"name":"stream 3"' report/trace.json || fail "no thread of stream 3"
"$tool" export critical-path.json --format sdy --out sdy >/dev/null 2>notes || fail "export ended with $?"
grep -q 'are on streams' notes || fail "export does not say what it leaves out"

# Two GPUs by their limits, and one that launches no kernels.
cat >three.json <<'END'
{"schema": "mars.system/1", "name": "three", "accelerators": [
  {"name": "gpu", "count": 2, "memory_bytes": 4e9, "designs": [{"kind": "gpu", "name": "gpu", "sms": 40,
    "peak_flops_per_s": 1e13, "bandwidth_bytes_per_s": 5e11, "l2_bytes": 4e6, "overheads": {"gap_s": 2e-6}}]},
  {"name": "plain", "memory_bytes": 4e9, "designs": [{"kind": "roofline", "name": "plain",
    "peak_flops_per_s": 1e12, "bandwidth_bytes_per_s": 1e11}]}],
 "interconnect": {"kind": "switched", "bandwidth_bytes_per_s": 2e10, "latency_s": 1e-6}}
END
"$tool" --model googlenet --system three.json --semantics scheduled --evaluations 2000 --streams opara --quiet --json two.json ||
  fail "three.json ended with $?"
is two.json semantics streamed
at_most "$(number latency_s two.json)" "$(number latency_one_stream_s two.json)" || fail "two.json: slower than one stream"
at_most "$(number lower_bound_s two.json)" "$(number latency_s two.json)" || fail "two.json: a bound above the latency"
"$tool" --model googlenet --system three.json --mapping two.json --quiet --json read.json
[ "$(number latency_s read.json)" = "$(number latency_s two.json)" ] || fail "two.json takes another time when read"

# ---- Refused ----
refused() {
  words=$1
  shift
  status=0
  "$tool" "$@" >out 2>err || status=$?
  [ "$status" = 2 ] || fail "$*: status $status: $(cat err)"
  [ "$(wc -l <err)" -eq 1 ] || fail "$*: not one line: $(cat err)"
  grep -qF -- "$words" err || fail "$*: '$words' is not in: $(cat err)"
}
refused 'did you mean opara?' --model alexnet --system a100_pcie --streams opera
refused '--streams' --model alexnet --system a100_pcie --streams ''
refused 'no design of aws_f1_16xlarge launches kernels' --model alexnet --system aws_f1_16xlarge --streams best
refused 'wanted latency' --model alexnet --system a100_pcie --streams best --objective throughput
refused 'wanted analytical' --model alexnet --system a100_pcie --streams best --cost roofline
refused 'none with a command' diff plain.json plain.json --streams best
refused 'none with a command' pase --model alexnet --devices 2 --streams best
sed 's/"stream": 3/"stream": -1/' critical-path.json >bad.json
refused 'stream' --model googlenet --system a100_pcie --mapping bad.json
sed '/"launch_order": \[/,/\]/d' critical-path.json >bad.json
refused 'without a launch order' --model googlenet --system a100_pcie --mapping bad.json
sed 's/"stream": 0/"stream": 2/' two.json >bad.json
if grep -q '"design": "plain"' two.json; then
  refused 'launches no kernels' --model googlenet --system three.json --mapping bad.json
fi
"$tool" --list | grep -q -- '--streams' || fail "--list does not mention it"
