#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The command `streams`: operators of one GPU on its streams, from models, graphs and profiles.
set -eu
tool=$1
fail() {
  echo "$*" >&2
  exit 1
}
value() { sed -n "s/^ *\"$1\": \\(.*[^,]\\),\\{0,1\\}\$/\\1/p" "$2" | head -1; }
run() {
  out=$1
  shift
  "$tool" streams --quiet --json "$out" "$@" || fail "$* ended with $?"
}
ended() { # status words arguments
  wanted=$1
  words=$2
  shift 2
  status=0
  "$tool" streams "$@" >out 2>err || status=$?
  [ $status = "$wanted" ] || fail "$*: status $status, not $wanted: $(cat err)"
  [ "$(wc -l <err)" -eq 1 ] || fail "$*: not one line: $(cat err)"
  grep -qF -- "$words" err || fail "$*: '$words' is not in: $(cat err)"
}
not_above() { awk "BEGIN { exit !($1 <= $2 * (1 + 1e-12)) }" || fail "$3: $1 is above $2"; }

# Two equal kernels that fill half of a device of two SMs each: beside each other in the time of one.
cat >two.json <<'JSON'
{"schema": "mars.kernels/1", "name": "two",
 "device": {"sms": 2, "peak_flops_per_s": 1e12, "bandwidth_bytes_per_s": 1e11,
            "overheads": {"graph_s": 0, "gap_s": 0, "event_s": 0}},
 "nodes": [{"name": "a", "inputs": [], "kernels": [{"name": "k", "blocks": 1, "threads": 256, "registers": 32,
                                                    "alone_s": 1e-3}], "output_bytes": 10},
           {"name": "b", "inputs": [], "kernels": [{"name": "k", "blocks": 1, "threads": 256, "registers": 32,
                                                    "alone_s": 1e-3}], "output_bytes": 30}]}
JSON
run one.json --graph two.json --scheduler sequential
[ "$(value latency_s one.json)" = 0.002 ] || fail "one stream: $(value latency_s one.json)"
run best.json --graph two.json
[ "$(value latency_s best.json)" = 0.001 ] || fail "two streams: $(value latency_s best.json)"
[ "$(value streams best.json)" = 2 ] || fail "streams: $(value streams best.json)"
[ "$(value gap best.json)" = 0.0 ] || fail "not proven: $(value gap best.json)"
[ "$(value peak_memory_bytes best.json)" = 40 ] || fail "memory: $(value peak_memory_bytes best.json)"
run narrow.json --graph two.json --max-streams 1
[ "$(value latency_s narrow.json)" = 0.002 ] || fail "limit of streams: $(value latency_s narrow.json)"

# Every scheduler on a model: none below the bound, none of them better than best.
run best.json --model googlenet --device a100_pcie --element-bits 32
[ "$(value schema best.json)" = '"mars.streams/1"' ] || fail "schema"
for scheduler in sequential path-cover chain-cover opara ios ios-greedy critical-path; do
  run it.json --model googlenet --device a100_pcie --element-bits 32 --scheduler $scheduler
  not_above "$(value lower_bound_s it.json)" "$(value latency_s it.json)" "bound of $scheduler"
  not_above "$(value latency_s best.json)" "$(value latency_s it.json)" "best against $scheduler"
done
not_above "$(value latency_s best.json)" "$(value sequential_s best.json)" "best against one stream"
run again.json --model googlenet --device a100_pcie --element-bits 32
sed '/"wall_s"/d' best.json >first
sed '/"wall_s"/d' again.json | cmp -s first - || fail "the same call said something else"
run limited.json --model googlenet --device a100_pcie --max-streams 2 --max-events 10
[ "$(value streams limited.json)" -le 2 ] || fail "more than two streams"
[ "$(value events limited.json)" -le 10 ] || fail "more than ten events"
"$tool" streams --model googlenet --device h100_sxm --launch eager | grep -q 'lower bound' || fail "no text"

data=${MARS_TEST_SHARED_DIR:-}/data
if [ -d "$data/opara" ]; then
  run it.json --graph "$data/opara/googlenet_fx.json" --device a100_pcie --scheduler opara
  [ "$(value streams it.json) $(value events it.json) $(value cross_stream_edges it.json)" = "28 36 54" ] ||
    fail "Opara on GoogLeNet: $(value streams it.json) $(value events it.json)"
  run it.json --graph "$data/opara/inception_v3_fx.json" --device a100_pcie --scheduler chain-cover
  [ "$(value streams it.json)" = 6 ] || fail "chains of Inception-v3: $(value streams it.json)"
  # What is reported is what is limited: the events that are needed (of all dependences there are 40).
  run it.json --graph "$data/opara/inception_v3_fx.json" --device a100_pcie --scheduler critical-path --max-events 33
  [ "$(value events it.json)" -le 33 ] || fail "more than 33 events: $(value events it.json)"
  run it.json --graph "$data/ios/squeezenet.json" --device v100_sxm2 --scheduler ios --ios-schedule staged.json
  [ "$(value transitions it.json)" = 406 ] || fail "IOS on SqueezeNet: $(value transitions it.json)"
  run again.json --graph staged.json --device v100_sxm2 --scheduler ios
  run it.json --graph "$data/ios/squeezenet.json" --device v100_sxm2 --scheduler ios --no-merge --ios-schedule staged.json
  run again.json --graph staged.json --device v100_sxm2 --scheduler ios --no-merge
  [ "$(value latency_s it.json)" = "$(value latency_s again.json)" ] || fail "IOS's file read back"
  ended 2 --ios-schedule --graph "$data/opara/googlenet_fx.json" --device a100_pcie --scheduler ios \
    --ios-schedule staged.json
else
  echo "no shared data: graphs of Opara and IOS skipped"
fi

ended 2 --model --device a100_pcie
ended 2 --device --model googlenet
ended 2 "did you mean a100_pcie" --model googlenet --device a100_pci
ended 2 --scheduler --model googlenet --device a100_pcie --scheduler nimble
ended 2 --launch --model googlenet --device a100_pcie --launch lazy
ended 2 --max-streams --model googlenet --device a100_pcie --max-streams 0
ended 2 --system --model googlenet --device a100_pcie --system h2h_0.5
ended 2 --graph --model googlenet --graph two.json --device a100_pcie
ended 2 missing.json --graph missing.json --device a100_pcie
echo '{"schema": "mars.kernels/1", "nodes": [{"name": "a", "inputs": ["b"], "kernels": []}]}' >bad.json
ended 2 'nodes[0].inputs[0]' --graph bad.json --device a100_pcie
sed 's/"threads": 256/"threads": 4096/' two.json >wide.json
ended 1 'nodes[0].kernels[0]' --graph wide.json
ended 1 'keeps the limits' --model googlenet --device a100_pcie --memory-limit 1kB
