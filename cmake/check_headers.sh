#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Headers compile alone and without warnings, and so do the examples:
#
#   sh cmake/check_headers.sh all g++              every header: what it needs it includes
#   sh cmake/check_headers.sh umbrellas COMPILER   the umbrellas only, and the examples: between two compilers with one
#                                                  standard library a missing include is missed by both, the rest is
#                                                  compiled elsewhere
#
# A header that includes one of `bases`, itself or through others, starts from that, precompiled. That hides nothing:
# what the base declares the header gets from its own includes, too, and each header on the way is checked by itself.
#
# JOBS says how many compilations run at once. Dependencies are expected where the compiler finds them by itself.
set -eu
cd "$(dirname "$0")/.."
# The most expensive first: a header starts from the first that it includes.
bases='mars/io/onnx/detail/session.hpp mars/io/onnx/detail/proto.hpp mars/io/json/mapping.hpp mars/io/json/reader.hpp
  mars/search/context.hpp mars/evaluation/problem.hpp mars/workload/builder.hpp mars/mapping/mapping.hpp
  mars/io/report/detail/text.hpp mars/workload/operation.hpp'
flags='-std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Winvalid-pch -Iinclude
  -DONNX_ML=1 -DONNX_NAMESPACE=onnx'
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
flags=$(echo $flags)

# Reads lines "header" or "header base"; compiles what `$3 NAME BASE` says.
each() {
  xargs -P "${JOBS:-2}" -L 1 sh -c "$1"' || { echo "$4: does not compile alone with $1" >&2; exit 255; }' \
    check "$2" "$flags" "$scratch"
}

case $1 in
all)
  echo "== $2: every header alone"
  # The compiler's name for a base, precompiled.
  for base in $bases; do
    mkdir -p "$scratch/$(dirname "$base")"
    echo "#include <$base>" >"$scratch/$base"
    echo "$base"
  done | each '"$1" $2 -x c++-header "$3/$4" -o "$3/$4.gch"' "$2"
  (
    cd include
    find mars -name '*.hpp' -exec grep -HoE '^ *# *include +<[^>]+>' {} +
    find mars -name '*.hpp'
  ) |
    awk -v bases="$bases" -F ':' '
      function reach(header, i) {
        if (header in seen) return
        seen[header]
        for (i = 1; i <= count[header]; ++i) reach(includes[header, i])
      }
      NF > 1 { split($2, part, /[<>]/); includes[$1, ++count[$1]] = part[2]; next }
      { headers[++n] = $1 }
      END {
        b = split(bases, base, /[ \n]+/)
        for (h = 1; h <= n; ++h) {
          split("", seen)
          reach(headers[h])
          for (i = 1; i <= b && !(base[i] in seen); ++i);
          if (i > b) print headers[h]
          else if (base[i] != headers[h]) print headers[h], base[i]
        }
      }' | sort >"$scratch/list"
  each 'echo "#include <$4>" | "$1" $2 -fsyntax-only ${5:+-include "$3/$5"} -x c++ -' "$2" <"$scratch/list"
  ;;
umbrellas)
  echo "== $2: umbrellas and examples"
  {
    (cd include && find mars -maxdepth 1 -name '*.hpp')
    # Not the command-line tool: its parts are compiled one by one elsewhere.
    find examples -path 'examples/[0-9]*/main.cpp' | sed 's#^#../#'
  } | sort | each 'echo "#include <$4>" | "$1" $2 -fsyntax-only -x c++ -' "$2"
  ;;
esac
