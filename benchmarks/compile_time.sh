#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# CPU seconds that including a header costs, least of three, and as a multiple of <boost/graph/adjacency_list.hpp>:
#
#   sh benchmarks/compile_time.sh [--at-most RATIO] [HEADER...]      default: the umbrellas and the concepts
#
# With --at-most it fails when a header costs more; both costs come from one run, so a busy machine changes neither much.
# Compilers: g++ and clang++ where they are here, or those named in CXXS. Syntax only, C++20.
set -eu
cd "$(dirname "$0")/.."
flags='-std=c++20 -fsyntax-only -Iinclude -DONNX_ML=1 -DONNX_NAMESPACE=onnx -x c++'

# Prints hundredths of a CPU second: user and system time of the compiler.
cost() {
  least=
  for _ in 1 2 3; do
    # `times` of a subshell that waited for the compiler: its second line is that of its children.
    # shellcheck disable=SC2086
    spent=$(sh -c 'echo "#include <$1>" | '"$compiler $flags"' - && times' cost "$1" |
      awk 'NR == 2 { gsub("[ms]", " "); print int(100 * ($1 * 60 + $2 + $3 * 60 + $4) + 0.5) }')
    [ -n "$spent" ] || { echo "$1 does not compile with $compiler" >&2; exit 1; }
    if [ -z "$least" ] || [ "$spent" -lt "$least" ]; then least=$spent; fi
  done
  echo "$least"
}

most=
if [ "${1:-}" = --at-most ]; then
  most=${2:?"--at-most wants a ratio"}
  shift 2
fi
if [ $# -eq 0 ]; then
  # shellcheck disable=SC2046
  set -- $(cd include && find mars -maxdepth 1 -name '*.hpp' | sort) \
    $(cd include && find mars -name concept.hpp | sort) mars/io/json.hpp mars/io/onnx.hpp mars/io/report.hpp
fi
failed=0
for compiler in ${CXXS:-g++ clang++}; do
  command -v "$compiler" >/dev/null 2>&1 || continue
  unit=$(cost boost/graph/adjacency_list.hpp)
  printf '%s\n' "$compiler"
  printf '  %-34s %6s %7s\n' header 's' 'of BGL'
  for header in boost/graph/adjacency_list.hpp "$@"; do
    spent=$(cost "$header")
    awk -v h="$header" -v s="$spent" -v u="$unit" -v most="$most" 'BEGIN {
      dear = most != "" && h ~ /^mars/ && s > most * u
      printf "  %-34s %6.2f %7.2f%s\n", h, s / 100, s / u, dear ? "   above " most : ""
      exit dear
    }' || failed=1
  done
done
exit $failed
