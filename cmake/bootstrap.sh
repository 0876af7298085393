#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# From a fresh clone to a result: see `sh cmake/bootstrap.sh help`.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build/release

say() { printf '== %s\n' "$*"; }
fail() {
  printf 'bootstrap: %s\n' "$*" >&2
  exit 1
}

help() {
  cat <<'TXT'
Usage: sh cmake/bootstrap.sh COMMAND

  demo             build the command-line tool, map resnet101 and an ONNX file (made by the build) onto the
                   system aws_f1_16xlarge, print both plans and write a report for each into build/demo
  test             build everything and run all tests
  packages [FILE]  only install the Debian packages that FILE lists (default: cmake/debian-packages.txt)
  help             this text

Missing packages are installed through apt-get where this is root, or sudo asks for no password; elsewhere they are
named. The build goes to build/release. CXX chooses the compiler, JOBS how many compilations run at once.
TXT
}

missing_packages() {
  sed -e 's/#.*//' "$1" | while read -r package _; do
    [ -n "$package" ] || continue
    status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || printf '%s ' "$package"
  done
}

install_packages() {
  list=$1
  [ -r "$list" ] || fail "no package list $list"
  if ! command -v dpkg-query >/dev/null 2>&1; then
    say "not a Debian system: assuming that what $(basename "$list") names is here"
    return
  fi
  missing=$(missing_packages "$list")
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -eq 0 ]; then
    as_root=''
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
  else
    fail "these packages are missing and may not be installed from here; as root, run
  apt-get install --no-install-recommends $missing"
  fi
  say "installing $missing"
  # Word splitting is meant: $missing is a list, $as_root may be empty.
  # shellcheck disable=SC2086
  { $as_root apt-get update -q </dev/null &&
    $as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -q -y --no-install-recommends $missing </dev/null; } ||
    fail "apt-get could not install: $missing"
}

jobs() {
  if [ -n "${JOBS:-}" ]; then
    echo "$JOBS"
  elif command -v nproc >/dev/null 2>&1; then
    nproc
  else
    echo 2
  fi
}

configure() {
  say "configuring $build"
  (cd "$root" && cmake --preset release)
}

demo() {
  install_packages "$root/cmake/debian-packages.txt"
  configure
  say "building"
  cmake --build "$build" --parallel "$(jobs)" --target mars-map make-demo-onnx
  tools=$build/examples
  out=$root/build/demo
  mkdir -p "$out"
  say "writing $out/demo.onnx"
  "$tools/make-demo-onnx" "$out/demo.onnx"
  say "mapping resnet101 onto aws_f1_16xlarge"
  "$tools/mars-map" --model resnet101 --system aws_f1_16xlarge --search genetic --seed 1 \
    --report "$out/resnet101"
  say "mapping $out/demo.onnx onto aws_f1_16xlarge"
  "$tools/mars-map" --model "$out/demo.onnx" --system aws_f1_16xlarge --search genetic --seed 1 \
    --report "$out/onnx"
  say "reports, to be opened in a browser:"
  printf '   %s\n' "$out/resnet101/report.html" "$out/onnx/report.html"
}

run_tests() {
  install_packages "$root/cmake/debian-packages.txt"
  configure
  say "building"
  cmake --build "$build" --parallel "$(jobs)"
  say "testing"
  ctest --test-dir "$build" --no-tests=error --output-on-failure --parallel "$(jobs)"
}

case "${1:-help}" in
demo) demo ;;
test) run_tests ;;
packages) install_packages "${2:-$root/cmake/debian-packages.txt}" ;;
help | -h | --help) help ;;
*)
  help >&2
  fail "no command '$1'"
  ;;
esac
