#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Headers compile alone and without warnings, and so do the examples:
#
#   sh cmake/check_headers.sh all COMPILER         every header: what it needs it includes
#   sh cmake/check_headers.sh umbrellas COMPILER   the umbrellas only: between two compilers with one standard library
#                                                  a missing include is missed by both, the rest is compiled elsewhere
#
# JOBS says how many compilations run at once. Dependencies are expected where the compiler finds them by itself.
set -eu
cd "$(dirname "$0")/.."
flags='-std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Iinclude
  -DONNX_ML=1 -DONNX_NAMESPACE=onnx'
depth=100
[ "$1" = umbrellas ] && depth=1
echo "== $2: headers ($1) and examples alone"
{
  (cd include && find mars -maxdepth $depth -name '*.hpp')
  # Not the command-line tool: its parts are compiled one by one elsewhere.
  find examples -path 'examples/[0-9]*/main.cpp' | sed 's#^#../#'
} | sort |
  xargs -P "${JOBS:-2}" -I '{}' sh -c \
    'echo "#include <$1>" | "$2" $3 -x c++ - || { echo "$1: does not compile alone with $2" >&2; exit 255; }' \
    check '{}' "$2" "$(echo $flags)"
