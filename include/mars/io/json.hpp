// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// JSON in and out (component mars::json; needs nlohmann/json).
//
//   load_workload(text) → graph                    workload_to_json(graph)
//   load_system(text) → any_system                 system_to_json(system)
//   load_mapping(text, graph, system) → mapping    mapping_to_json(mapping, graph)
//   load_checkpoint(text) → search, seed, state   checkpoint_to_json(document)
//   load_stream_graph(text, design) → stream graph    of any of the three files of operators below
//   load_operator_graph(text) → operators before a device lowers them (io/operator_graph.hpp)
//   load_kernel_profile(text) → kernels, device    kernel_profile_to_json(profile)
//   write_ios_schedule(text, graph, schedule)      a schedule of stages in IOS's format
//   parse_json(text), write_json(value)            text ↔ value, strict and deterministic
//   reader                                         for schemas of your own
//
//   auto const text = mars::io::read_file("net.json");                    // io/files.hpp
//   auto const net = text ? mars::io::load_workload(*text) : …;
//   mars::io::write_file("net.out.json", mars::io::write_json(mars::io::workload_to_json(*net)));
//
// Nothing throws. Errors are `mars::error` with the path to the culprit, `operators[17].inputs[1]`; where
// the text is not JSON the path is `line 3, column 7`. Keys are checked: one that nobody knows is an
// error, so is one given twice. Whole numbers may be written 1e9. Keys in brackets may be left out; what
// stands after `=` is what they mean then.
//
// ---- Workload: "mars.workload/1" ----------------------------------------------------------------
//
//   {"schema": "mars.workload/1", ["name" = ""], ["element_bits" = 16],
//    "operators": […],                      by kind or by algebra, all alike
//    ["outputs" = what nobody reads]: […]}  references to results
//
// A reference is a name ("conv1"; of an operator with several results also "split1:2", counted from
// 0) or {"operator": name, ["output" = 0]}.
//
// By kind, shapes are inferred and weights made:
//
//   ["inputs": [{"name", "shape": […], ["element_bits"]}]], ["constants": the same; weights],
//   "operators": [{"name", "kind", "inputs": [references], attributes…}]
//
//   kind             inputs  attributes
//   conv             1       out_channels, kernel = [1], stride = [1], dilation = [1], padding = [0],
//                            groups = 1, bias = true; lists per axis, a number stands for all axes
//                    2–3     weight and bias as inputs: without out_channels, kernel, bias
//   conv_transpose   1–3     the same, output_padding = [0]
//   linear           1–3     out_features, bias = true
//   matmul           2
//   gemm             2–3     transpose_a = false, transpose_b = false
//   attention        3       heads, kv_heads = heads, causal = false; becomes several operators
//   max_pool, avg_pool   1   kernel, stride, dilation, padding, ceil_mode = false, count_include_pad = true
//   global_avg_pool, global_max_pool, relu   1
//   unary            1       type, flops_per_element = 1
//   add, mul         2
//   elementwise      ≥ 1     type
//   batch_norm       1       parameters_per_channel = 4
//   layer_norm       1       axis = −1, parameters_per_element = 2      (rms_norm: 1)
//   group_norm       1       groups, parameters_per_channel = 2
//   lrn              1       size
//   softmax          1       axis = −1
//   reduce           1       axes = all, keep_dims = true, type = "ReduceSum"
//   concat           ≥ 1     axis
//   split            1       axis, sizes
//   reshape, expand  1       shape
//   flatten          1       axis = 1
//   transpose        1       permutation
//   slice            1       starts, ends, axes = the first ones, steps = 1
//   pad              1       begins, ends
//   gather           2       axis = 0
//   embedding        1       vocabulary, width
//   resize           1       shape, mode = "nearest" | "interpolate"
//   lstm, gru        1       hidden, directions = 1
//   opaque           any     type, output_shapes
//
// By algebra, every operator is written out (what `workload_to_json` does; any graph comes back equal):
//
//   {"name", "kind": kind_name(op_kind), ["type" = ""],
//    "dims": [{"name": at most 15 bytes, "extent", ["kind" = "parallel" | "reduction" | "sequential"]}],
//    ["work": {["macs" = 0], ["flops" = 0], ["over" = all: names of dims]}],
//    "operands": [{"role": "input" | "weight" | "output" | "state", ["name"], ["element_bits"],
//                  ["numbers" = "automatic" | "bfloat" | "integer"], ["density" = 1, of nonzero elements],
//                  "axes": [{"extent", ["offset" = 0], ["terms" = none, read whole]:
//                            [{"dim", ["stride" = 1]}]}],
//                  ["from": reference]}]}     of an input that another operator produces
//
// ---- System: "mars.system/1" --------------------------------------------------------------------
//
//   {"schema": "mars.system/1", "preset": one of presets::names(), ["name"], ["memory_bytes" of each]}
//
//   {"schema": "mars.system/1", ["name" = ""],
//    "accelerators": [{["name"], ["count"], "memory_bytes", ["power_w" = null, unknown], "designs": […]}],
//    "interconnect": {"kind", ["name"], …}}
//
// With `count`, that many accelerators `name0`, `name1`, …. Units are in the keys. Where ∞ makes sense,
// null and "infinity" mean it.
//
//   design          keys beside kind and name; all optional, except as marked *
//   super_lip       tm, tn, tr, tc, clock_hz, weight_words_per_cycle (∞), input_words_per_cycle (∞),
//                   output_words_per_cycle (∞), clip_tiles, vector_elements_per_cycle
//   systolic_array  row, col, vec, row_loop, col_loop, vec_loop ("out_channels" | "in_channels" | "rows" |
//                   "columns"), fill, clock_hz, dram_bytes_per_s (∞), vector_elements_per_cycle
//   winograd        n, r, pn, pm, other_layers ("fallback" | "direct" | "split" | "unsupported"), clock_hz,
//                   dram_bytes_per_s (∞), vector_elements_per_cycle
//   roofline        peak_flops_per_s* (∞), bandwidth_bytes_per_s* (∞), launch_s, compute_efficiency,
//                   memory_efficiency, peaks: [{element_bits, numbers, flops_per_s}], power_w
//   gpu             sms*, threads_per_sm, registers_per_sm, shared_bytes_per_sm, blocks_per_sm, warp,
//                   register_unit, shared_unit_bytes, shared_reserved_bytes, peak_flops_per_s*, peaks: as above,
//                   bandwidth_bytes_per_s*, l2_bytes, saturating_warps, bytes_per_warp, dram_latency_s,
//                   overheads: {launch_s, wait_s, record_s, gap_s, event_s, graph_s, barrier_s},
//                   memory_efficiency, elementwise_efficiency, power_w; see mars::gpu_device
//   processor       peak_flops_per_s*, peaks: as above, lanes, caches: [{bytes, bandwidth_bytes_per_s}],
//                   bandwidth_bytes_per_s*, launch_s, code_generation ("tuned" | "untuned"), primitives: {name:
//                   {macs, traffic, call_s, transforms, decoding, untuned, least_channels; of spatial_pack and
//                   csr_spatial_pack tile_rows, tile_columns; of spatial_pack whole_blocks; of csr_direct and csr_gemm registers}},
//                   reordering: {the same rates}, power_w; see mars::primitive::rates
//   h2h             layers ("conv" | "fc" | "lstm"), rate_flops_per_s*, clock_hz*, port_bits, tm, tn, tr, tc,
//                   tr_in, tc_in, power_w
//
//   interconnect          keys; bandwidths may be ∞, latencies are optional, forwarding is
//                         "store_and_forward" | "cut_through"
//   fully_connected       bandwidth_bytes_per_s*, latency_s, accelerators
//   grouped_through_host  groups*: [[0, 1], [2, 3]], intra_bandwidth_bytes_per_s, host_bandwidth_bytes_per_s
//                         or host_bandwidths_bytes_per_s: […], latency_s, forwarding
//   ring                  bandwidth_bytes_per_s*, latency_s, forwarding, accelerators
//   mesh, torus           extents*: […], bandwidth_bytes_per_s*, latency_s, forwarding; torus: wrap: [bool…]
//   switched              bandwidth_bytes_per_s or bandwidths_bytes_per_s: […], latency_s, forwarding,
//                         accelerators
//   host_staged           bandwidth_bytes_per_s or bandwidths_bytes_per_s: […], latency_s, follow_first,
//                         accelerators
//   hierarchy             nodes*, accelerators_per_node*, node_bandwidth_bytes_per_s, node_latency_s,
//                         network_bandwidth_bytes_per_s, network_latency_s, forwarding
//   fat_tree              arity*: […], bandwidth_bytes_per_s*: […], latency_s: […], forwarding
//   arbitrary             links*: [{["name"], "from": {"accelerator" | "switch" | "host": number}, "to",
//                         "bandwidth_bytes_per_s", ["latency_s"]}], forwarding, accelerators_forward,
//                         reference_bytes, accelerators
//
// ---- Tables of H2H: "mars.h2h.model/1", "mars.h2h.accelerators/1" --------------------------------
//
//   `load_workload` reads tables of layers, `load_system` tables of accelerators around a host:
//   {"schema": "mars.h2h.model/1", ["name"], ["source"], ["batch" = 1], ["element_bits" = 32], ["notes"],
//    ["totals": {"layers", "parameters", "macs"}],       checked against what the layers add up to
//    "layers": [{"id", "kind": "conv" | "fc", "M_out_channels", "N_in_channels", "R_out_rows",
//                "C_out_cols", "K_kernel", ["modality"], ["stride" = 1]},
//               {"id", "kind": "lstm", "H_hidden", "D_input", "steps"}],
//    "edges": [{"from", "to", ["kind": "chain" | "cross_modality"]}]}
//   {"schema": "mars.h2h.accelerators/1", ["name"], ["GB_means_bytes" = 1e9], ["ops_per_mac"],
//    "host_bandwidth_levels": [{"name", "GB_per_s"}],    the first one is taken
//    "accelerators": [{"id", "supported_kinds": […], "throughput_GOP_per_s", "clock_MHz",
//                      "dram_port_bits", "dram_GB", "weight_fraction_of_dram", ["power_W"],
//                      ["tile": {"Tm_out_channels", "Tn_in_channels", "Tr_out_rows", "Tc_out_cols",
//                                "Tr_in_rows", "Tc_in_cols"}], ["board"], ["note"], …}]}
//
// ---- Mapping: "mars.mapping/1" ------------------------------------------------------------------
//
//   {"schema": "mars.mapping/1",
//    "sets": [{"id", "accelerators": [numbers, in rank order], "design"}],
//    "operators": [{"name", "set": id, "exclusive": [{"dim", "ways"}], ["shared" = null]: {"dim", "ways"},
//                   ["scatter" = null]: dim, ["weights" = "resident" | "streamed"], ["stream" = 0],
//                   ["start_s"], ["end_s"], ["compute_s"], ["communication_s"]}],
//    ["launch_order": [names]]}
//
// The first exclusive cut may have "parts": [iterations of each]. A launch order makes the mapping a
// scheduled one, whose sets may overlap. A stream of some operator makes it a streamed one, which needs
// a launch order; streams are numbered by accelerator.
//
// Every operator of the workload once, in any order. The other keys of the contract are results: they
// may be there (`mapping_keys`) and are not read.

// ---- Operators of one device ---------------------------------------------------------------------
//
// Which file a text is says its `schema`, or else its keys: `blocks` is a graph of IOS, `model` and `nodes` one
// of torch.fx. Both have shapes of one input; batch and element_bits (1 and 32) are the caller's.
//
// Kernels, as a profiler saw them: {"schema": "mars.kernels/1", ["name"], ["device"],
//   "nodes": [{"name", "inputs": [names of nodes before it], ["output_bytes" = 0], ["block"]: not decreasing,
//              ["kernels"]: [{["name"], "blocks", "threads", ["registers" = 32], ["shared_bytes" = 0],
//                             ["flops" = 0], ["bytes" = 0], ["element_bits" = 32],
//                             ["compute_efficiency" = 1], ["memory_efficiency" = 1],
//                             ["alone_s" = 0, not measured]}]}]}
//   shared_bytes is of a block, registers of a thread, flops and bytes (with DRAM) of all blocks.
//   device: {"sms", "peak_flops_per_s", "bandwidth_bytes_per_s", ["threads_per_sm"], ["registers_per_sm"],
//            ["shared_bytes_per_sm"], ["blocks_per_sm"], ["warp"], ["register_unit"], ["shared_unit_bytes"],
//            ["shared_reserved_bytes"], ["l2_bytes"], ["saturating_warps"], ["bytes_per_warp"],
//            ["dram_latency_s"], ["peaks"]: [{"element_bits", ["numbers"], "flops_per_s"}],
//            ["overheads"]: {["launch_s"], ["wait_s"], ["record_s"], ["gap_s"], ["event_s"], ["graph_s"],
//                            ["barrier_s"]}}, what is left out as in hardware/gpu_device.hpp
//
// IOS: {"name", "input": NODE, "blocks": [{"enter_name", "enter_node": NODE, "inner_nodes": [NODE…],
//       "exit_node": NODE, "stages": [[[name…]…]…]}]}
//   NODE = {"type": "placeholder" | "conv" | "pool" | "identity", "name", ["hint_name"],
//           "output_shape": [C, H, W], "inputs": [[[producer, first channel, end channel]…]…], …}
//   conv: out_channels, kernel, stride, padding, groups, act ("relu" | "identity" | "sigmoid" | "tanh");
//   pool: pool_type ("max" | "avg" | "global_max" | "global_avg"), kernel, stride, padding.
//   An enter node is the exit node before it once more, and is one node here. Values of a term are added (a
//   kernel each), terms concatenated (a kernel): in front of the node's own, in the same node. A slice of
//   channels is read where it lies. Bias and activation of a conv belong to its kernel; a convolution may be
//   merged if it reads one whole tensor. The placeholder launches nothing, nor does an identity of one value.
//
// torch.fx: {"model", ["source"], "nodes": [{"name", "kind", "inputs": [names], "shape": [N, …],
//       ["opara_memory_bound"], "conv": {"out", "inp", "k", "s", "p", "groups"}, "linear": [in, out]}], ["expected"]}
//   placeholder, output, flatten, Dropout   launch nothing, and are nodes
//   Conv2d (without bias), BatchNorm2d, relu, cat (channels), Linear   one kernel each
//   MaxPool2d, max_pool2d, avg_pool2d   windows are not in the file: 3×3; stride 1 and padding 1 where the
//                                       extent stays, else the stride in/out rounded and no padding, output
//                                       rounded up if that is what fits
//   AdaptiveAvgPool2d                   windows of in/out

#include <mars/io/json/checkpoint.hpp>
#include <mars/io/json/document.hpp>
#include <mars/io/json/ios_schedule.hpp>
#include <mars/io/json/kernel_profile.hpp>
#include <mars/io/json/mapping.hpp>
#include <mars/io/json/operator_graph.hpp>
#include <mars/io/json/reader.hpp>
#include <mars/io/json/system.hpp>
#include <mars/io/json/workload.hpp>
