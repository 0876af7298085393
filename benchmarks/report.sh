#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Every figure of README and CHANGELOG about speed comes from here:
#
#   sh benchmarks/report.sh BUILD_FOLDER [OUT_FOLDER]      e.g. build/bench, after the preset `bench`
#
# Prints Markdown tables (standard output) and writes growth.svg to OUT_FOLDER (default: the current one): how the time
# and the memory of building a problem grow with operators and accelerators. Times are CPU times of one core.
# ONLY=REGEX runs the matching benchmarks only.
set -eu
programs=$1/benchmarks
out=${2:-.}
here=$(dirname "$0")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$out"

run() {
  "$programs/bench_$1" --benchmark_format=csv --benchmark_filter="${ONLY:-.}" "$2" 2>"$scratch/log" >"$scratch/$1.csv" || {
    cat "$scratch/log" >&2
    exit 1
  }
}
run build --benchmark_min_time=0
run search --benchmark_min_time=0.2
run simulator --benchmark_min_time=0.2

# One row a benchmark: name, milliseconds, items/s, and the counters asked for. Columns are found by their names.
table() {
  awk -v wanted="$2" '
    function bare(s) { gsub(/"/, "", s); return s }
    BEGIN { FS = ","; n = split(wanted, names, " ") }
    !columns && /^name,/ { for (i = 1; i <= NF; ++i) at[bare($i)] = i; columns = 1
      printf "| benchmark | ms | per second |"; for (i = 1; i <= n; ++i) printf " %s |", names[i]
      printf "\n|---|---:|---:|"; for (i = 1; i <= n; ++i) printf "---:|"; print ""; next }
    columns && /^"/ {
      unit = $(at["time_unit"]); scale = unit == "ns" ? 1e-6 : unit == "us" ? 1e-3 : unit == "s" ? 1e3 : 1
      rate = $(at["items_per_second"])
      name = bare($1); sub(/\/iterations:1$/, "", name)
      printf "| %s | %.4g | %s |", name, $(at["cpu_time"]) * scale, rate == "" ? "" : sprintf("%.3g", rate)
      for (i = 1; i <= n; ++i) { v = $(at[names[i]]); printf " %s |", v == "" || v == "nan" ? "" : sprintf("%.6g", v) }
      print "" }' "$1"
}
echo "## Building a problem"
echo
table "$scratch/build.csv" "operators accelerators sets peak_mib"
echo
echo "## Evaluating and searching, aws_f1_16xlarge"
echo
table "$scratch/search.csv" "operators proven above_optimum"
echo
echo "## Simulating 100,000 transfers between 64 accelerators"
echo
table "$scratch/simulator.csv" "transfers in_flight slowed"
if [ -x "$programs/count_moves" ] && command -v valgrind >/dev/null; then
  echo
  echo "## Moves of the delta evaluator, resnet101 on aws_f1_16xlarge"
  echo
  sh "$here/instructions.sh" "$programs/count_moves" | sed 's/^/    /'
fi

sh "$here/growth_svg.sh" "$scratch/build.csv" >"$scratch/growth.svg"
mv "$scratch/growth.svg" "$out/growth.svg"
