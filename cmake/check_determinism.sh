#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# sh check_determinism.sh MARS_MAP...
#
# Same model, system, search and seed: every given build of mars-map, run twice, with one thread and with two, must
# write the same JSON, wall-clock fields aside.
set -eu
[ $# -ge 1 ] || {
  echo "usage: check_determinism.sh MARS_MAP..." >&2
  exit 2
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

compare() {
  name=$1
  shift
  reference=
  for tool in $tools; do
    for threads in 1 2 1; do
      out=$scratch/out.json
      "$tool" "$@" --threads "$threads" --quiet --json "$out" >"$scratch/log" 2>&1 || {
        echo "$name: $tool --threads $threads failed:" >&2
        cat "$scratch/log" >&2
        exit 1
      }
      [ -s "$out" ] || {
        echo "$name: $tool wrote no JSON" >&2
        exit 1
      }
      sed -E 's/"(wall_s|evaluations_per_s)"[[:space:]]*:[[:space:]]*[^,}[:space:]]*//g' "$out" >"$scratch/now"
      if [ -z "$reference" ]; then
        reference="$tool --threads $threads"
        mv "$scratch/now" "$scratch/first"
      elif ! cmp -s "$scratch/first" "$scratch/now"; then
        echo "$name: '$reference' and '$tool --threads $threads' differ:" >&2
        diff "$scratch/first" "$scratch/now" | cut -c1-300 | head -20 >&2
        exit 1
      fi
      rm -f "$out"
    done
  done
  echo "$name: same bytes"
}

tools=$*
for search in baseline genetic exact annealing beam portfolio; do
  for model in alexnet resnet34; do
    compare "$model, $search" --model "$model" --system aws_f1_16xlarge --search "$search" --seed 1
  done
done
