// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/checked.hpp>
#include <mars/io/onnx/device_configuration.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

// What ONNX says of its multi-device annotations and no checker tests.

namespace mars::io {

struct onnx_violation {
  enum class rule : std::uint8_t {
    old_ir_version, ///< annotations need IR version 11
    unnamed_configuration,
    duplicate_configuration, ///< a name twice
    no_devices,              ///< num_devices below 1
    device_names,            ///< neither none nor one for each device
    unknown_configuration,   ///< a configuration_id that the model does not define
    repeated_configuration,  ///< a configuration_id twice in a node
    unknown_tensor,          ///< neither an input nor an output of the node
    repeated_tensor,         ///< a tensor twice in a list of specs
    axis_out_of_range,
    repeated_axis,      ///< an axis twice, negative numbers included
    no_shards,          ///< num_shards below 1
    wrong_device_count, ///< not as many devices as shards
    wrong_dim_value,    ///< dim_values do not make the axis
    unknown_device,     ///< neither a device nor a group
    group_member,       ///< a member of a group is no device
    repeated_group_member,
    overlapping_groups, ///< a device in two groups, or a key twice
    uneven_split,       ///< a warning: a backend divides as it likes
    stage_order,        ///< a warning: a consumer in an earlier stage than its producer
  };
  rule what{};
  std::string path;   ///< `graph.node[3].device_configurations[0].sharding_spec[1]`
  std::string detail; ///< a sentence

  [[nodiscard]] auto is_warning() const -> bool { return what >= rule::uneven_split; }
};

[[nodiscard]] constexpr auto name_of(onnx_violation::rule r) -> std::string_view {
  constexpr std::string_view names[] = {"old-ir-version",
                                        "unnamed-configuration",
                                        "duplicate-configuration",
                                        "no-devices",
                                        "device-names",
                                        "unknown-configuration",
                                        "repeated-configuration",
                                        "unknown-tensor",
                                        "repeated-tensor",
                                        "axis-out-of-range",
                                        "repeated-axis",
                                        "no-shards",
                                        "wrong-device-count",
                                        "wrong-dim-value",
                                        "unknown-device",
                                        "group-member",
                                        "repeated-group-member",
                                        "overlapping-groups",
                                        "uneven-split",
                                        "stage-order"};
  return names[static_cast<std::size_t>(r)];
}
/// `path: detail [rule]`
[[nodiscard]] inline auto text_of(onnx_violation const& v) -> std::string {
  return v.path + ": " + v.detail + " [" + std::string{name_of(v.what)} + "]";
}

namespace onnx_detail {

/// Extents of a tensor as the file says them: −1 where it does not.
using stored_extents = std::vector<std::int64_t>;

/// What the file itself says of shapes: inputs, results, value_info, initializers.
template <class Graph>
[[nodiscard]] auto stored_shapes(Graph const& g)
    -> std::unordered_map<std::string, stored_extents> {
  std::unordered_map<std::string, stored_extents> shapes;
  auto const describe = [&](auto const& info) {
    if (!info.has_type() || !info.type().has_tensor_type() ||
        !info.type().tensor_type().has_shape())
      return;
    stored_extents extents;
    for (auto const& d : info.type().tensor_type().shape().dim())
      extents.push_back(d.has_dim_value() && d.dim_value() > 0 ? d.dim_value() : -1);
    shapes.try_emplace(info.name(), std::move(extents));
  };
  for (auto const& t : g.initializer())
    shapes.try_emplace(t.name(), stored_extents(t.dims().begin(), t.dims().end()));
  for (auto const& i : g.input()) describe(i);
  for (auto const& i : g.output()) describe(i);
  for (auto const& i : g.value_info()) describe(i);
  return shapes;
}

class device_auditor {
public:
  using rule = onnx_violation::rule;

  explicit device_auditor(std::vector<onnx_violation>& found) : found_{&found} {}

  void report(rule what, std::string const& path, std::string detail) const {
    found_->push_back({what, path, std::move(detail)});
  }

  void audit_dims(onnx_sharding_spec const& s, std::string const& path,
                  stored_extents const* extents) const {
    std::map<std::int64_t, std::size_t> axes;
    std::optional<std::int64_t> shards{1};
    for (std::size_t i = 0; i < s.dims.size(); ++i) {
      auto const& d = s.dims[i];
      auto const at = path + ".sharded_dim[" + std::to_string(i) + "]";
      auto axis = d.axis;
      bool inside = true;
      if (extents != nullptr) {
        auto const rank = static_cast<std::int64_t>(extents->size());
        inside = axis >= -rank && axis < rank;
        if (!inside)
          report(rule::axis_out_of_range, at,
                 std::string{"axis "} + std::to_string(axis) + " of a tensor of rank " +
                     std::to_string(rank));
        if (axis < 0) axis += rank;
      }
      if (!axes.emplace(axis, i).second)
        report(rule::repeated_axis, at, std::string{"axis "} + std::to_string(d.axis) + " again");
      auto const extent =
          extents != nullptr && inside ? (*extents)[static_cast<std::size_t>(axis)] : -1;
      audit_axis(d, at, extent, shards);
    }
    auto const devices = static_cast<std::int64_t>(s.device.size());
    if (shards != devices)
      report(rule::wrong_device_count, path,
             std::to_string(devices) + " devices for " +
                 (shards ? std::to_string(*shards) : std::string{"too many"}) + " shards");
  }

  void audit_devices(onnx_sharding_spec const& s, std::string const& path,
                     std::int64_t num_devices) const {
    std::map<std::int64_t, std::size_t> keys;
    std::map<std::int64_t, std::size_t> owner;
    for (std::size_t i = 0; i < s.groups.size(); ++i) {
      auto const& g = s.groups[i];
      auto const at = path + ".index_to_device_group_map[" + std::to_string(i) + "]";
      if (!keys.emplace(g.key, i).second)
        report(rule::overlapping_groups, at,
               std::string{"key "} + std::to_string(g.key) + " again");
      for (auto const d : g.devices) {
        if (d < 0 || d >= num_devices) {
          report(rule::group_member, at,
                 std::string{"device "} + std::to_string(d) + " of " + std::to_string(num_devices));
          continue;
        }
        auto const [entry, fresh] = owner.emplace(d, i);
        if (fresh) continue;
        bool const here = entry->second == i;
        report(here ? rule::repeated_group_member : rule::overlapping_groups, at,
               std::string{"device "} + std::to_string(d) +
                   (here ? " twice" : " is in another group too"));
      }
    }
    for (std::size_t i = 0; i < s.device.size(); ++i)
      if (auto const d = s.device[i]; !keys.contains(d) && (d < 0 || d >= num_devices))
        report(rule::unknown_device, path + ".device[" + std::to_string(i) + "]",
               std::to_string(d) + std::string{" is no group and no device of "} +
                   std::to_string(num_devices));
  }

private:
  void audit_axis(onnx_sharded_dim const& d, std::string const& at, std::int64_t extent,
                  std::optional<std::int64_t>& shards) const {
    std::optional<std::int64_t> product{1};
    bool all_said = !d.simple.empty();
    std::optional<std::int64_t> ways{1};
    for (auto const& s : d.simple) {
      if (s.num_shards < 1) {
        report(rule::no_shards, at, std::to_string(s.num_shards) + " shards");
        all_said = false;
        continue;
      }
      if (ways) ways = checked_multiply(*ways, s.num_shards);
      if (shards) shards = checked_multiply(*shards, s.num_shards);
      all_said = all_said && s.dim_value.has_value();
      if (product && s.dim_value) product = checked_multiply(*product, *s.dim_value);
      if (s.dim_value && *s.dim_value > 0 && *s.dim_value % s.num_shards != 0)
        report(rule::uneven_split, at,
               std::to_string(*s.dim_value) + " in " + std::to_string(s.num_shards) + " shards");
    }
    if (extent < 0) return;
    if (all_said && product != extent)
      report(rule::wrong_dim_value, at,
             std::string{"dim_values do not make "} + std::to_string(extent));
    else if (!all_said && ways && *ways > 0 && extent % *ways != 0)
      report(rule::uneven_split, at,
             std::to_string(extent) + " in " + std::to_string(*ways) + " shards");
  }

  std::vector<onnx_violation>* found_;
};

template <class Graph>
void audit_stages(Graph const& g, onnx_annotations const& a, device_auditor const& audit) {
  // By configuration and tensor: the stage and the node that produce it.
  std::map<std::pair<std::string, std::string>, std::pair<std::int32_t, int>> made;
  for (int i = 0; i < g.node_size(); ++i)
    for (auto const& c : a.nodes[static_cast<std::size_t>(i)])
      if (c.pipeline_stage)
        for (auto const& t : g.node(i).output())
          made.insert_or_assign({c.configuration_id, t}, std::pair{*c.pipeline_stage, i});
  for (int i = 0; i < g.node_size(); ++i)
    for (auto const& c : a.nodes[static_cast<std::size_t>(i)])
      if (c.pipeline_stage)
        for (auto const& t : g.node(i).input())
          if (auto const p = made.find({c.configuration_id, t});
              p != made.end() && p->second.first > *c.pipeline_stage)
            audit.report(onnx_violation::rule::stage_order,
                         std::string{"graph.node["} + std::to_string(i) + "]",
                         std::string{"in stage "} + std::to_string(*c.pipeline_stage) +
                             std::string{" reads "} + in_quotes(t) + " of stage " +
                             std::to_string(p->second.first));
}

} // namespace onnx_detail

/// Every rule that the annotations of a model break, in the order of the file; empty: sound.
/// Precondition: one entry of `a.nodes` for each node of the main graph.
template <class Model>
[[nodiscard]] auto validate_device_configurations(Model const& model, onnx_annotations const& a)
    -> std::vector<onnx_violation> {
  using rule = onnx_violation::rule;
  std::vector<onnx_violation> found;
  onnx_detail::device_auditor const audit{found};
  auto const& g = model.graph();
  bool const any =
      !a.configurations.empty() ||
      std::any_of(a.nodes.begin(), a.nodes.end(), [](auto const& list) { return !list.empty(); });
  if (any && model.ir_version() < 11)
    audit.report(rule::old_ir_version, "ir_version", std::to_string(model.ir_version()));
  std::map<std::string, std::int64_t> devices;
  for (std::size_t i = 0; i < a.configurations.size(); ++i) {
    auto const& c = a.configurations[i];
    auto const path = std::string{"configuration["} + std::to_string(i) + "]";
    if (c.name.empty()) audit.report(rule::unnamed_configuration, path, "no name");
    if (!devices.emplace(c.name, c.num_devices).second)
      audit.report(rule::duplicate_configuration, path, onnx_detail::in_quotes(c.name) + " again");
    if (c.num_devices < 1)
      audit.report(rule::no_devices, path, std::to_string(c.num_devices) + " devices");
    if (!c.device.empty() && static_cast<std::int64_t>(c.device.size()) != c.num_devices)
      audit.report(rule::device_names, path,
                   std::to_string(c.device.size()) + " names for " + std::to_string(c.num_devices) +
                       " devices");
  }
  auto const shapes = onnx_detail::stored_shapes(g);
  for (int i = 0; i < g.node_size(); ++i) {
    auto const& node = g.node(i);
    std::map<std::string, int> said;
    auto const& list = a.nodes[static_cast<std::size_t>(i)];
    for (std::size_t k = 0; k < list.size(); ++k) {
      auto const& c = list[k];
      auto const path = std::string{"graph.node["} + std::to_string(i) +
                        "].device_configurations[" + std::to_string(k) + "]";
      auto const defined = devices.find(c.configuration_id);
      if (defined == devices.end())
        audit.report(rule::unknown_configuration, path, onnx_detail::in_quotes(c.configuration_id));
      if (said[c.configuration_id]++ != 0)
        audit.report(rule::repeated_configuration, path,
                     onnx_detail::in_quotes(c.configuration_id) + " again");
      std::map<std::string, int> tensors;
      for (std::size_t s = 0; s < c.specs.size(); ++s) {
        auto const& spec = c.specs[s];
        auto const at = path + ".sharding_spec[" + std::to_string(s) + "]";
        auto const is_it = [&](std::string const& name) { return name == spec.tensor_name; };
        if (spec.tensor_name.empty() ||
            (std::none_of(node.input().begin(), node.input().end(), is_it) &&
             std::none_of(node.output().begin(), node.output().end(), is_it)))
          audit.report(rule::unknown_tensor, at, onnx_detail::in_quotes(spec.tensor_name));
        if (tensors[spec.tensor_name]++ != 0)
          audit.report(rule::repeated_tensor, at,
                       onnx_detail::in_quotes(spec.tensor_name) + " again");
        auto const shape = shapes.find(spec.tensor_name);
        audit.audit_dims(spec, at, shape == shapes.end() ? nullptr : &shape->second);
        if (defined != devices.end()) audit.audit_devices(spec, at, defined->second);
      }
    }
  }
  onnx_detail::audit_stages(g, a, audit);
  return found;
}

} // namespace mars::io
