#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The JSON contract, and the way back: what is written validates and costs the same when loaded.
set -eu
tool=$1
fail() {
  echo "$*" >&2
  exit 1
}
# The value of a key that stands alone on its line.
value() { sed -n "s/^ *\"$1\": \\(.*[^,]\\),\\{0,1\\}\$/\\1/p" "$2" | head -1; }

"$tool" --model resnet34 --system aws_f1_16xlarge --search genetic --seed 1 --evaluations 2000000 --json - >a.json 2>err ||
  fail "mapping ended with $?"
[ ! -s err ] || fail "not only JSON: $(cat err)"
[ "$(head -c 1 a.json)" = "{" ] || fail "standard output does not begin with JSON"

# The keys of the contract, in its order; more may follow.
cat >keys <<'TXT'
schema
workload
system
objective
latency_s
throughput_per_s
energy_j
lower_bound_s
gap
binding_bound
baseline_latency_s
reduction_vs_baseline
search
memory
sets
operators
semantics
feasible
shortages
warnings
TXT
sed -n 's/^  "\([a-z_]*\)":.*/\1/p' a.json | diff keys - || fail "keys differ from the contract"
for key in name operators macs parameters accelerators policy seed evaluations wall_s evaluations_per_s exhausted \
  accelerator peak_bytes capacity_bytes id design set exclusive dim ways shared start_s end_s compute_s \
  communication_s; do
  grep -q "\"$key\":" a.json || fail "no key $key"
done
[ "$(value schema a.json)" = '"mars.mapping/1"' ] || fail "schema"
[ "$(value policy a.json)" = '"genetic"' ] || fail "policy"
[ "$(value seed a.json)" = 1 ] || fail "seed"
[ "$(value feasible a.json)" = true ] || fail "feasible"

if command -v python3 >/dev/null 2>&1; then
  python3 - a.json <<'PY' || fail "the numbers do not fit together"
import json, math, sys
d = json.load(open(sys.argv[1]))
close = lambda a, b: math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-15)
ops = d["operators"]
assert len(ops) == d["workload"]["operators"]
assert d["workload"]["macs"] > 3e9 and d["workload"]["parameters"] > 2e7
assert 0 < d["lower_bound_s"] <= d["latency_s"] <= d["baseline_latency_s"]
assert close(d["gap"], (d["latency_s"] - d["lower_bound_s"]) / d["latency_s"])
assert close(d["reduction_vs_baseline"], 1 - d["latency_s"] / d["baseline_latency_s"])
assert d["energy_j"] is None
assert close(sum(o["compute_s"] + o["communication_s"] for o in ops), d["latency_s"])
assert max(o["end_s"] for o in ops) == d["latency_s"]
assert all(close(o["end_s"] - o["start_s"], o["compute_s"] + o["communication_s"]) for o in ops)
assert len(d["memory"]) == d["system"]["accelerators"] == 8
assert all(m["peak_bytes"] <= m["capacity_bytes"] for m in d["memory"])
used = [a for s in d["sets"] for a in s["accelerators"]]
assert len(used) == len(set(used)) and set(used) <= set(range(8))
sizes = {s["id"]: len(s["accelerators"]) for s in d["sets"]}
for o in ops:
    ways = math.prod(c["ways"] for c in o["exclusive"])
    assert sizes[o["set"]] % ways == 0 and (o["shared"] is None or o["shared"]["ways"] >= 2)
PY
fi

# The way back: validated by code that shares nothing with the search, priced without one.
"$tool" --model resnet34 --system aws_f1_16xlarge --mapping a.json --json b.json >text || fail "--mapping ended with $?"
[ "$(value latency_s a.json)" = "$(value latency_s b.json)" ] || fail "priced again, the latency differs"
[ "$(value throughput_per_s a.json)" = "$(value throughput_per_s b.json)" ] || fail "the throughput differs"
sed -n '/^  "memory"/,/^  "feasible"/p' a.json >a.part
sed -n '/^  "memory"/,/^  "feasible"/p' b.json >b.part
cmp -s a.part b.part || fail "the mapping changed on its way"
grep -q '^latency ' text || fail "no plan is printed"

# Never worse than the baseline, which is itself an answer with the same bound.
"$tool" --model resnet34 --system aws_f1_16xlarge --search baseline --quiet --json c.json >text || fail "baseline"
[ ! -s text ] || fail "--quiet prints"
[ "$(value baseline_latency_s a.json)" = "$(value latency_s c.json)" ] || fail "two baselines"
[ "$(value lower_bound_s a.json)" = "$(value lower_bound_s c.json)" ] || fail "two bounds"
for objective in throughput latency; do
  "$tool" --model mobilenet_v2 --system aws_f1_16xlarge --objective "$objective" --evaluations 1 --quiet --json d.json
  "$tool" --model mobilenet_v2 --system aws_f1_16xlarge --search baseline --quiet --json e.json
  awk "BEGIN { exit !($(value throughput_per_s d.json) >= $(value throughput_per_s e.json) || \"$objective\" == \"latency\") }" ||
    fail "worse than the baseline in throughput"
done

# A tiny graph in full: nothing is better, and it is said so.
cat >tiny.json <<'TXT'
{"schema": "mars.workload/1", "name": "tiny", "inputs": [{"name": "x", "shape": [1, 8, 8, 8]}],
 "operators": [{"name": "a", "kind": "conv", "inputs": ["x"], "out_channels": 8, "kernel": [3, 3], "padding": [1, 1]}]}
TXT
cat >pair.json <<'TXT'
{"schema": "mars.system/1", "name": "pair", "accelerators": [{"name": "d", "count": 2, "memory_bytes": 1000000,
  "designs": [{"kind": "roofline", "name": "r", "peak_flops_per_s": 1e9, "bandwidth_bytes_per_s": 1e8}]}],
 "interconnect": {"kind": "fully_connected", "bandwidth_bytes_per_s": 1e8}}
TXT
"$tool" --model tiny.json --system pair.json --search exhaustive --quiet --json f.json || fail "exhaustive ended with $?"
[ "$(value exhausted f.json)" = true ] || fail "not exhausted"
[ "$(value binding_bound f.json)" = '"exhausted"' ] || fail "exhausted, but the bound is another"
"$tool" --model tiny.json --system pair.json --seed 3 --quiet --json g.json || fail "genetic ended with $?"
[ "$(value latency_s f.json)" = "$(value latency_s g.json)" ] || fail "genetic misses the optimum of one operator"

# The report: four files, and nothing besides.
"$tool" --model tiny.json --system pair.json --report deep/report --quiet --json h.json || fail "--report ended with $?"
[ "$(ls deep/report | tr '\n' ' ')" = "graph.dot mapping.json report.html trace.json " ] || fail "files: $(ls deep/report)"
cmp -s h.json deep/report/mapping.json || fail "mapping.json is not what --json says"
grep -q '<svg' deep/report/report.html || fail "no drawing in the report"
grep -q '^digraph' deep/report/graph.dot || fail "graph.dot"
