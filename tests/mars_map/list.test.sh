#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What mars-map says of itself.
set -eu
tool=$1
fail() {
  echo "$*" >&2
  exit 1
}

"$tool" --list >list 2>err || fail "--list ended with $?"
[ ! -s err ] || fail "--list writes errors"
for name in alexnet vgg16 resnet101 bert_base gpt2 aws_f1_16xlarge h100_sxm_8 tpu_v4p_64 exclusive-shared data iteration-splits pase \
  analytical roofline latency throughput baseline genetic exact annealing portfolio exhaustive list h2h \
  casia_surf facebag h2h_0.125 whole single-cut; do
  grep -q "^  $name " list || fail "--list has no $name"
done
"$tool" --version | grep -Eq '^mars-map [0-9]+\.[0-9]+\.[0-9]+$' || fail "--version"
"$tool" --help | grep -q -- '--evaluations' || fail "--help"

# Every model and every system of the list can be loaded.
sed -n '/^models/,/^$/s/^  \([a-z0-9_]*\) .*/\1/p' list >models
sed -n '/^systems/,/^$/s/^  \([a-z0-9_.]*\) .*/\1/p' list >systems
[ "$(wc -l <models)" -ge 20 ] || fail "few models"
[ "$(wc -l <systems)" -ge 20 ] || fail "few systems"
while read -r model; do
  [ "$model" != gpt3_175b ] || continue # its weights alone, 349 GB, do not fit
  "$tool" --model "$model" --system alveo_u55c --search baseline --quiet || fail "$model ended with $?"
done <models
while read -r system; do
  case $system in
  tpu_*_256) continue ;; # half a minute each
  h2h_*)
    "$tool" --model casia_surf --system "$system" --search h2h --quiet || fail "$system ended with $?"
    continue
    ;;
  esac
  "$tool" --model alexnet --system "$system" --search baseline --quiet || fail "$system ended with $?"
done <systems
