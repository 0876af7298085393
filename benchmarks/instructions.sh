#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Instructions of a move of the delta evaluator (valgrind --tool=callgrind), its rate, and how far that is from the
# physical limit: the rate at which this processor retires the same number of independent additions.
#
#   sh benchmarks/instructions.sh [--check] COUNT_MOVES      the program benchmarks/count_moves, built for release
#
# Instruction counts are the same on every machine of this instruction set; rates are of this one. With --check nothing
# is timed, and it fails where a move takes half as many instructions again as when this was written down.
set -eu
check=
if [ "$1" = --check ]; then
  check=yes
  shift
fi
program=$1
counts=$(mktemp -d)
trap 'rm -rf "$counts"' EXIT

# Instructions inside counted_moves for $2 moves of kind $1.
instructions() {
  valgrind --tool=callgrind --toggle-collect='*counted_moves*' --callgrind-out-file="$counts/out" \
    "$program" "$1" "$2" >/dev/null 2>"$counts/log"
  sed -nE 's/^(summary|totals): ([0-9]+).*/\2/p' "$counts/out" | head -1
}
# Seconds for $2 moves of kind $1, least of five.
seconds() {
  for _ in 1 2 3 4 5; do "$program" "$1" "$2"; done | cut -d' ' -f1 | sort -g | head -1
}

if [ -n "$check" ]; then
  failed=0
  while read -r kind few most; do
    n=$(instructions "$kind" "$few")
    awk -v kind="$kind" -v n="$n" -v few="$few" -v most="$most" 'BEGIN {
      printf "%-12s %10.1f instructions, at most %d\n", kind, n / few, most; exit n / few > most }' || failed=1
  done <<END
try_choice 20000 207
set_choice 20000 490
place 20000 851
set_design 20000 114
merge_split 1000 83000
evaluate 1000 34000
END
  exit $failed
fi

adds=$(instructions adds 1000)
peak=$(awk -v n="$adds" -v t="$(seconds adds 100000)" 'BEGIN { print n * 100 / t }')
awk -v p="$peak" 'BEGIN { printf "limit: %.2f G instructions/s\n", p / 1e9 }'
printf '%-12s %14s %14s %18s\n' move instructions 'M moves/s' 'of the limit'
for kind in try_choice set_choice place set_design merge_split evaluate; do
  case $kind in merge_split | evaluate) few=1000 many=100000 ;; *) few=20000 many=5000000 ;; esac
  n=$(instructions $kind $few)
  t=$(seconds $kind $many)
  awk -v kind=$kind -v n="$n" -v few=$few -v t="$t" -v many=$many -v peak="$peak" 'BEGIN {
    per = n / few; rate = many / t
    printf "%-12s %14.1f %14.2f %16.0f %%\n", kind, per, rate / 1e6, 100 * rate * per / peak }'
done
