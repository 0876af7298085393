#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Schedules: what is made of --semantics, --search list and h2h, --host-bandwidth and the strategies; and the way back.
#   sh schedule.test.sh MARS_MAP
set -eu
tool=$1
fail() {
  echo "schedule: $*" >&2
  exit 1
}
number() { sed -nE "s/^[[:space:]]*\"$1\": ([-+.0-9e]+),?\$/\1/p" "$2" | head -1; }
word() { sed -nE "s/^[[:space:]]*\"$1\": \"(.*)\",?\$/\1/p" "$2" | head -1; }
is() { # is FILE KEY WORD
  [ "$(word "$2" "$1")" = "$3" ] || fail "$1: $2 is $(word "$2" "$1"), not $3"
}
near() { awk -v a="$1" -v b="$2" -v e="$3" 'BEGIN { d = a - b; exit !(d <= e && -d <= e) }'; }
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; }
on_h2h() { "$tool" --model casia_surf --system h2h_0.125 --quiet "$@"; }
on_f1() { "$tool" --model alexnet --system aws_f1_16xlarge --quiet "$@"; }

# H2H's four steps are the baseline of staged systems, 354.613 ms at 0.125 GB/s by the reference.
on_h2h --search h2h --json h2h.json
is h2h.json semantics staged
is h2h.json policy h2h
near "$(number latency_s h2h.json)" 0.354613 0.0000005 || fail "H2H takes $(number latency_s h2h.json) s"
[ "$(number latency_s h2h.json)" = "$(number baseline_latency_s h2h.json)" ] || fail "H2H is not its own baseline"
! grep -q '"ways"' h2h.json || fail "H2H cuts operators"

# A baseline that had no time for all its steps is said to be cut short, and only then.
! grep -q 'cut short' h2h.json || fail "H2H was cut short"
on_h2h --budget 0.001ms --json short.json
grep -q 'cut short' short.json || fail "a baseline of no time at all passes for H2H's"

# Without more words: the best search of schedules, operators cut for unlike devices.
on_h2h --evaluations 12000 --threads 1 --json cut.json
is cut.json semantics staged
is cut.json policy annealing
grep -q '"parts"' cut.json || fail "no uneven parts"
at_most "$(number latency_s cut.json)" "$(number latency_s h2h.json)" || fail "slower than H2H"
at_most "$(number lower_bound_s cut.json)" "$(number latency_s cut.json)" || fail "a bound above the latency"
on_h2h --evaluations 12000 --threads 2 --json two.json
for f in cut two; do grep -vE '"(wall_s|evaluations_per_s)"' $f.json >$f.txt; done
cmp -s cut.txt two.txt || fail "the answer depends on the number of threads"

on_h2h --strategy whole --evaluations 8000 --json whole.json
! grep -q '"ways"' whole.json || fail "--strategy whole cuts operators"
at_most "$(number latency_s whole.json)" "$(number latency_s h2h.json)" || fail "whole operators are slower than H2H's"
on_h2h --strategy single-cut --search list --json single.json
is single.json policy list
grep -q '"ways"' single.json || fail "--strategy single-cut cuts nothing"
on_h2h --strategy whole --search list --json one.json
at_most "$(number latency_s single.json)" "$(number latency_s one.json)" || fail "list schedules cut too much"
on_h2h --objective throughput --evaluations 2000 --json through.json
is through.json objective throughput
on_h2h --semantics sequential --search genetic --evaluations 20000 --json sequential.json
is sequential.json semantics sequential
! grep -q launch_order sequential.json || fail "a launch order without a schedule"

# A link of another speed is the preset of that speed.
on_h2h --host-bandwidth 1.25e9 --search h2h --json faster.json
"$tool" --model casia_surf --system h2h_1.25 --quiet --search h2h --json preset.json
[ "$(number latency_s faster.json)" = "$(number latency_s preset.json)" ] || fail "--host-bandwidth is not the preset's"

# Overlapped schedules, where accelerators have links and designs to choose from.
on_f1 --search list --json list.json
is list.json semantics overlapped
on_f1 --search h2h --json ones.json
is ones.json semantics overlapped
on_f1 --semantics scheduled --evaluations 2000 --json overlapped.json
is overlapped.json semantics overlapped
is overlapped.json policy annealing
on_f1 --search exact --json exact.json
at_most "$(number latency_s overlapped.json)" "$(number latency_s exact.json)" ||
  fail "a schedule is slower than one operator after another"

# What was written is read, is valid, and takes as long.
for f in h2h cut whole; do
  on_h2h --mapping $f.json --json again.json || fail "$f.json is not read"
  [ "$(number latency_s again.json)" = "$(number latency_s $f.json)" ] || fail "$f.json takes another time when read"
  is again.json semantics staged
done
for f in list ones overlapped; do
  on_f1 --mapping $f.json --json again.json || fail "$f.json is not read"
  [ "$(number latency_s again.json)" = "$(number latency_s $f.json)" ] || fail "$f.json takes another time when read"
done

"$tool" explain cut.json --operator M1L13 >text || fail "explain ended with $?"
grep -q '^M1L13: h2h-conv on accelerator' text || fail "explain: $(head -1 text)"
grep -q 'ms from ' text || fail "explain knows no times"
"$tool" explain h2h.json --operator M3L12 >text
grep -q '^  results  ' text || fail "explain does not say what storing results takes"
"$tool" --model casia_surf --system h2h_0.125 --mapping h2h.json >text
grep -q 'storing results' text || fail "the summary does not say what storing results takes"
"$tool" diff h2h.json cut.json >text || fail "diff ended with $?"
grep -q '^launch_order\[' text || fail "diff sees no other order"
grep -q '(.*+.*)$' text || fail "diff sees no parts"
"$tool" diff h2h.json h2h.json | grep -q '^0 differences' || fail "diff of the same"

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
wrong() {
  words=$1
  shift
  refused "$words" --model casia_surf --system h2h_0.125 "$@"
}
for search in beam baseline portfolio exhaustive; do
  wrong 'annealing, list or h2h for schedules' --search $search
done
wrong 'latency or throughput' --objective energy
wrong 'latency or throughput' --objective weighted
wrong --energy-limit --energy-limit 1J
wrong --checkpoint --checkpoint c
wrong 'it makes schedules' --semantics sequential --search h2h
wrong 'it makes schedules' --semantics sequential --search list
wrong --semantics --semantics parallel
for value in 0 -1 fast nan '' inf; do
  wrong --host-bandwidth --host-bandwidth "$value"
done
refused 'has links of its own' --model alexnet --system aws_f1_16xlarge --host-bandwidth 1e9
refused h2h_0.126 --model casia_surf --system h2h_0.126
refused 'wanted 1; casia_surf is a table' --model casia_surf --system h2h_0.125 --batch 2
sed 's/"launch_order": \[/"launch_order": ["M1L2",/' h2h.json >order.json
refused launch_order --model casia_surf --system h2h_0.125 --mapping order.json
sed '0,/"parts": \[/s//"parts": [1, /' cut.json >parts.json
refused parts --model casia_surf --system h2h_0.125 --mapping parts.json
