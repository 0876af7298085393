// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/export/exported.hpp>
#include <mars/io/export/tensor_split.hpp>
#include <mars/io/report/detail/text.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// JAX's PartitionSpec as JSON. One document, schema "mars.partition_spec/1":
//
//   schema, workload, system
//   sets[]        {id, accelerators: system numbers in rank order, design}
//   operators[]   in graph order
//     name, set
//     mesh        [[axis, size], …]: jax.sharding.Mesh(devices.reshape(sizes), axes), the set's
//                 accelerators row-major, the first axis slowest; [] for one accelerator. An axis is
//                 named after the dimension that it cuts; what is left over is "replica".
//     partial_sums [axis, …]: axes over which each device computes a part of a sum. The specs of
//                 outputs are those after it is reduced.
//     rotates     {dim, ways}, where shards travel round a ring; else absent
//     tensors[]   operands in their order, without state
//       role      "input" | "weight" | "output"
//       name      of a weight or an external input, else absent
//       shape     [extent, …]
//       spec      one element per tensor axis, as in PartitionSpec: null (not divided), "axis", or
//                 ["major", "minor"]; axes not named replicate
//       parts     "equal": the spec says all. "uneven": disjoint parts in that order, of unequal
//                 sizes or not the whole tensor; "overlapping": in that order, with halos;
//                 "irregular": no spec says it, and the axis is null
//       boxes     unless equal: by rank, [[begin, end], …] per axis: what the device really holds
//                 (output) or needs before it starts (input, weight)

namespace mars::io {

namespace detail {

template <class Range, class Write>
[[nodiscard]] auto json_list(Range const& range, Write const& write) -> std::string {
  std::string text{"["};
  for (auto const& x : range) {
    if (text.size() > 1) text += ", ";
    text += write(x);
  }
  return text + "]";
}

/// Names of the axes of an operator's mesh.
[[nodiscard]] inline auto mesh_axis_names(operation const& o, sharding const& s,
                                          std::size_t set_size) -> std::vector<std::string> {
  std::vector<std::string> names;
  for (auto const& c : s.exclusive) names.emplace_back(o.dims[c.dim].name.view());
  if (shard_count(s) < static_cast<std::int64_t>(set_size))
    names.emplace_back(find_dim(o, "replica") ? "replica'" : "replica");
  return names;
}

[[nodiscard]] inline auto role_text(role r) -> std::string_view {
  constexpr std::string_view names[] = {"input", "weight", "output", "state"};
  return names[static_cast<std::size_t>(r)];
}

[[nodiscard]] inline auto spec_json(axis_split const& split, std::vector<std::string> const& names)
    -> std::string {
  if (split.empty()) return "null";
  auto const quoted = [&](std::uint8_t digit) { return json_text(names[digit]); };
  return split.size() == 1 ? quoted(split[0]) : json_list(split, quoted);
}

[[nodiscard]] inline auto partitioned_tensor(operation const& o, operand const& t,
                                             sharding const& s, std::size_t size,
                                             std::vector<std::string> const& names,
                                             tensor_split const& split) -> std::string {
  std::string text = std::string{R"({"role": ")"} + std::string{role_text(t.role)} + '"';
  if (!t.name.empty()) text += std::string{", \"name\": "} + json_text(t.name);
  text +=
      ", \"shape\": " + json_list(t.axes, [](axis const& a) { return std::to_string(a.extent); });
  text += ", \"spec\": " +
          json_list(split.axes, [&](axis_split const& a) { return spec_json(a, names); });
  text += std::string{", \"parts\": \""} + std::string{name_of(split.boxes)} + '"';
  if (split.boxes != tensor_split::parts::equal)
    text += ", \"boxes\": " + json_list(layout_of(o, t, s, size), [](tensor_box const& box) {
              return json_list(box, [](interval i) {
                return "[" + std::to_string(i.begin) + ", " + std::to_string(i.end) + "]";
              });
            });
  return text + "}";
}

[[nodiscard]] inline auto partitioned_operator(operation const& o, placement const& placed,
                                               std::size_t size, std::vector<std::size_t>& unlike)
    -> std::string {
  auto const& s = placed.sharding;
  auto const names = mesh_axis_names(o, s, size);
  device_digits const digits{s, size};
  std::string text = std::string{"    {\"name\": "} + json_text(o.name) +
                     ", \"set\": " + std::to_string(placed.set.value) + ", \"mesh\": [";
  for (std::size_t i = 0; i < names.size(); ++i)
    text += std::string{i == 0 ? "[" : ", ["} + json_text(names[i]) + ", " +
            std::to_string(digits.ways[i]) + "]";
  std::vector<std::string> reduced;
  for (std::size_t i = 0; i < s.exclusive.size(); ++i)
    if (o.dims[s.exclusive[i].dim].kind == dim_kind::reduction) reduced.push_back(names[i]);
  text += "], \"partial_sums\": " +
          json_list(reduced, [](std::string const& name) { return json_text(name); });
  if (s.shared)
    text += std::string{", \"rotates\": {\"dim\": "} +
            json_text(o.dims[s.shared->dim].name.view()) +
            ", \"ways\": " + std::to_string(s.shared->ways) + "}";
  text += ", \"tensors\": [";
  bool first = true;
  for (auto const& t : o.operands) {
    if (t.role == role::state) continue;
    auto const split = split_of(o, t, s, size);
    ++unlike[static_cast<std::size_t>(split.boxes)];
    text += std::string{first ? "\n      " : ",\n      "} +
            partitioned_tensor(o, t, s, size, names, split);
    first = false;
  }
  return text + "]}";
}

} // namespace detail

/// Where each operator's tensors are, as JAX names it: `partition_spec.json`, described above.
/// Errors: as `features_of`.
template <WorkloadGraph G, class System>
[[nodiscard]] auto export_partition_spec(G const& g, System const& system, mapping const& m)
    -> expected<exported> {
  auto const uses = features_of(g, m, system.accelerators.size());
  if (!uses) return unexpected{uses.error()};
  std::string workload, name;
  if constexpr (requires { std::string{g.name()}; }) workload = std::string{g.name()};
  if constexpr (requires { std::string{system.name}; }) name = std::string{system.name};
  std::string text = std::string{"{\n  \"schema\": \"mars.partition_spec/1\",\n  \"workload\": "} +
                     detail::json_text(workload) + ",\n  \"system\": " + detail::json_text(name) +
                     ",\n  \"sets\": [";
  for (std::size_t i = 0; i < m.sets.size(); ++i)
    text += std::string{i == 0 ? "\n" : ",\n"} + "    {\"id\": " + std::to_string(i) +
            ", \"accelerators\": " +
            detail::json_list(m.sets[i].accelerators,
                              [](accelerator_id a) { return std::to_string(a.value); }) +
            ", \"design\": " + detail::json_text(m.sets[i].design) + "}";
  text += "],\n  \"operators\": [";
  std::vector<std::size_t> unlike(4);
  bool first = true;
  for (operator_id const v : operators(g)) {
    auto const& placed = m.operators[v.index()];
    text += first ? "\n" : ",\n";
    first = false;
    text += detail::partitioned_operator(op(g, v), placed,
                                         m.sets[placed.set.index()].accelerators.size(), unlike);
  }
  text += "]\n}\n";

  exported out{{{"partition_spec.json", std::move(text)}}, {}};
  auto const tell = [&out](std::string sentence) {
    out.not_expressed.push_back(std::move(sentence));
  };
  if (uses->rotating)
    tell(said(uses->rotating) + "pass shards round a ring; a PartitionSpec says where they start.");
  if (uses->sets > 1)
    tell("Meshes of several sets are several programs to JAX: one jit each, device_put between.");
  if (auto const n = unlike[1] + unlike[2] + unlike[3]; n != 0)
    tell(std::string{"Uneven, overlapping or irregular parts of "} + counted(n, "tensor") +
         "; JAX wants equal ones, their boxes are listed beside the spec.");
  if (uses->on_streams)
    tell(said(uses->on_streams) + "are on streams beside the first, which nothing says.");
  if (uses->scheduled) tell("The launch order: JAX dispatches in program order.");
  if (uses->streamed)
    tell(said(uses->streamed) + "have streamed weights; a PartitionSpec has no memory kind.");
  if (uses->state)
    tell(said(uses->state) + "carry a state from step to step, whose layout is left out.");
  return out;
}

} // namespace mars::io
