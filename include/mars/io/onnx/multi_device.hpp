// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/export/exported.hpp>
#include <mars/io/onnx/detail/device_specs.hpp>
#include <mars/io/onnx/detail/node_match.hpp>
#include <mars/io/onnx/device_configuration.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A mapping as ONNX's multi-device annotations, and back.
//
// One configuration, "mars", has all accelerators of the system. Each node that is an operator says
// where its inputs are when it starts and its outputs when it has ended. Sets and their designs have
// no place there; they are in the model's metadata, `mars.set.0` = "0,1,2,3 super_lip": accelerators
// in rank order, then the design. A reader that does not know them loses nothing else.

namespace mars::io {

inline constexpr std::string_view onnx_configuration_name = "mars";

namespace onnx_detail {

inline constexpr std::string_view set_key = "mars.set.";
inline constexpr std::size_t most_devices = 4096; ///< of one node: shardings are tried

template <class Model>
void write_sets(Model& model, mapping const& m) {
  auto& list = *model.mutable_metadata_props();
  for (int i = list.size(); i-- > 0;)
    if (list.Get(i).key().starts_with(set_key)) list.DeleteSubrange(i, 1);
  for (std::size_t s = 0; s < m.sets.size(); ++s) {
    std::string text;
    for (auto const a : m.sets[s].accelerators)
      text += (text.empty() ? "" : ",") + std::to_string(a.value);
    auto& entry = *list.Add();
    entry.set_key(std::string{set_key} + std::to_string(s));
    entry.set_value(text + " " + m.sets[s].design);
  }
}

/// The sets that a model's metadata says; `parse` where it is broken.
template <class Model>
[[nodiscard]] auto read_sets(Model const& model) -> expected<std::vector<accelerator_set>> {
  std::vector<accelerator_set> sets;
  for (auto const& entry : model.metadata_props()) {
    if (!entry.key().starts_with(set_key)) continue;
    auto const broken = [&] {
      return fail(error_code::parse, std::string{"metadata_props["} + printable(entry.key()) + "]",
                  in_quotes(entry.value()), "accelerators and a design: 0,1,2,3 name");
    };
    if (entry.key() != std::string{set_key} + std::to_string(sets.size())) return broken();
    auto& set = sets.emplace_back();
    auto const* at = entry.value().data();
    auto const* const end = at + entry.value().size();
    for (;;) {
      std::uint32_t number{};
      auto const [rest, failed] = std::from_chars(at, end, number);
      if (failed != std::errc{} || rest == end || (*rest != ',' && *rest != ' ')) return broken();
      set.accelerators.push_back(accelerator_id{number});
      at = rest + 1;
      if (*rest == ' ') break;
    }
    set.design.assign(at, end);
  }
  return sets;
}

} // namespace onnx_detail

/// Annotates a model with a mapping of the graph imported from it (`load_onnx`), or written by
/// `to_onnx_model`. Annotations of other configurations stay. Answers what is not expressed. Errors:
/// as `features_of`, `read_device_configurations`; `invalid_argument`, where no node of the model is an
/// operator of the graph. The model is unchanged then.
template <WorkloadGraph G, class System, class Model>
[[nodiscard]] auto annotate_onnx(Model& model, G const& g, System const& system, mapping const& m)
    -> expected<std::vector<std::string>> {
  auto const uses = features_of(g, m, system.accelerators.size());
  if (!uses) return unexpected{uses.error()};
  auto annotations = read_device_configurations(model);
  if (!annotations) return unexpected{std::move(annotations).error()};
  auto const is_ours = [](auto const& id) { return id == onnx_configuration_name; };
  std::erase_if(annotations->configurations, [&](auto const& c) { return is_ours(c.name); });
  for (auto& list : annotations->nodes)
    std::erase_if(list, [&](auto const& c) { return is_ours(c.configuration_id); });
  onnx_configuration ours{std::string{onnx_configuration_name},
                          static_cast<std::int32_t>(system.accelerators.size()),
                          {}};
  std::set<std::string> names;
  for (auto const& a : system.accelerators)
    if constexpr (requires { std::string{a.name}; }) names.insert(ours.device.emplace_back(a.name));
  if (names.size() != system.accelerators.size() || names.contains({})) ours.device.clear();
  annotations->configurations.push_back(std::move(ours));

  auto const matches = onnx_detail::match_nodes(g, model);
  auto const shapes = onnx_detail::stored_shapes(model.graph());
  features::use unmatched;
  std::size_t uneven = 0, overlapping = 0, irregular = 0, nameless = 0, matched = 0, twice = 0;
  for (operator_id const v : operators(g)) {
    operation const& o = op(g, v);
    auto const& match = matches[v.index()];
    if (!match) {
      unmatched.add(o);
      continue;
    }
    ++matched;
    auto const& placed = m.operators[v.index()];
    auto const& members = m.sets[placed.set.index()].accelerators;
    onnx_node_configuration c{std::string{onnx_configuration_name}, {}, {}};
    for (std::size_t i = 0; i < o.operands.size(); ++i) {
      auto const& t = o.operands[i];
      if (t.role == role::state) continue;
      auto const& name = match->tensors[i];
      if (name.empty()) {
        ++nameless;
        continue;
      }
      auto const boxes = split_of(o, t, placed.sharding, members.size()).boxes;
      uneven += boxes == tensor_split::parts::uneven;
      overlapping += boxes == tensor_split::parts::overlapping;
      irregular += boxes == tensor_split::parts::irregular;
      auto const stored = shapes.find(name);
      auto spec = onnx_detail::spec_of(o, t, placed.sharding, members, [&](std::size_t axis) {
        return stored != shapes.end() && stored->second[axis] < 0;
      });
      spec.tensor_name = name;
      auto const known = std::find_if(c.specs.begin(), c.specs.end(),
                                      [&](auto const& s) { return s.tensor_name == name; });
      if (known == c.specs.end())
        c.specs.push_back(std::move(spec));
      else
        twice += !(*known == spec);
    }
    annotations->nodes[match->node].push_back(std::move(c));
  }
  if (matched == 0)
    return fail(error_code::invalid_argument, "model", "no node of the graph's operators",
                "the model that the graph was imported from");
  write_device_configurations(model, *annotations);
  onnx_detail::write_sets(model, m);

  std::vector<std::string> lost;
  auto const tell = [&](std::string sentence) { lost.push_back(std::move(sentence)); };
  if (unmatched)
    tell(said(unmatched) +
         "that are no node of the main graph by a name of its own: no annotation.");
  if (nameless != 0)
    tell(counted(nameless, "operand") +
         " of annotated nodes that are no tensor of the node as it is "
         "in the file: no annotation.");
  if (twice != 0)
    tell(counted(twice, "tensor") +
         " that a node reads twice, sharded differently: the first is said.");
  if (uses->rotating)
    tell(said(uses->rotating) + "pass shards round a ring; the annotation says where they start.");
  if (uses->partial_sums)
    tell(said(uses->partial_sums) + "leave partial sums; where they are exchanged is implicit.");
  if (overlapping != 0) tell(std::string{"The halos of "} + counted(overlapping, "tensor") + ".");
  if (uneven != 0)
    tell(std::string{"The unequal parts of "} + counted(uneven, "tensor") +
         ": a backend divides as it likes.");
  if (irregular != 0)
    tell(std::string{"The parts of "} + counted(irregular, "tensor") +
         ", which no split of an axis says; the axis is called whole.");
  if (std::any_of(model.graph().initializer().begin(), model.graph().initializer().end(),
                  [](auto const& t) { return t.external_data_size() > 0; }))
    tell("External data: it is found beside the model, and not copied.");
  tell("Transfers and their times: communication is implicit in ONNX.");
  if (uses->designs_differ) tell("The designs of the sets, but for the metadata mars.set.*.");
  if (uses->scheduled) tell("The launch order: nodes stay in the order of the file.");
  if (uses->streamed) tell(said(uses->streamed) + "have streamed weights.");
  if (uses->state) tell(said(uses->state) + "carry a state from step to step, which is left out.");
  return lost;
}

/// The mapping that the annotations "mars" of a model say of the graph imported from it. Where several
/// shardings say the same, the one with the fewest cuts; sets without metadata are the devices of a
/// node as it lists them, with `design`. Not in the annotations, hence default: launch order, residency.
/// Errors: `parse`; `missing_key`, an operator without annotation; `unsupported`, naming the operator,
/// where no sharding puts its tensors so.
template <WorkloadGraph G, class Model>
[[nodiscard]] auto read_onnx_mapping(Model const& model, G const& g, std::string const& design = {})
    -> expected<mapping> {
  auto const annotations = read_device_configurations(model);
  if (!annotations) return unexpected{annotations.error()};
  auto sets = onnx_detail::read_sets(model);
  if (!sets) return unexpected{std::move(sets).error()};
  mapping m{*std::move(sets), {}, {}};
  auto const matches = onnx_detail::match_nodes(g, model);
  for (operator_id const v : operators(g)) {
    operation const& o = op(g, v);
    auto const path = std::string{"operators["} + std::to_string(v.index()) + "]";
    onnx_node_configuration const* said_here = nullptr;
    if (auto const& match = matches[v.index()])
      for (auto const& c : annotations->nodes[match->node])
        if (c.configuration_id == onnx_configuration_name) said_here = &c;
    if (said_here == nullptr)
      return fail(error_code::missing_key, path, std::string{"'"} + o.name + "' without annotation",
                  std::string{"one of the configuration "} + std::string{onnx_configuration_name});
    std::vector<onnx_sharding_spec const*> given(o.operands.size());
    std::vector<std::int64_t> devices;
    for (std::size_t i = 0; i < o.operands.size(); ++i)
      for (auto const& s : said_here->specs)
        if (!s.tensor_name.empty() && s.tensor_name == matches[v.index()]->tensors[i]) {
          given[i] = &s;
          for (auto const d : onnx_detail::devices_of(s)) devices.push_back(d);
        }
    std::sort(devices.begin(), devices.end());
    devices.erase(std::unique(devices.begin(), devices.end()), devices.end());
    if (devices.empty() || devices.front() < 0 || devices.back() > 0xFFFF'FFFE)
      return fail(error_code::parse, path, std::string{"'"} + o.name + "' on no devices", "some");
    if (devices.size() > onnx_detail::most_devices)
      return fail(error_code::unsupported, path,
                  std::string{"'"} + o.name + "' on " + std::to_string(devices.size()) + " devices",
                  std::string{"at most "} + std::to_string(onnx_detail::most_devices));

    // The order of ranks: of a set there is already, else as a spec lists the devices.
    auto const sorted = [](std::vector<std::int64_t> list) {
      std::sort(list.begin(), list.end());
      return list;
    };
    std::optional<placement> found;
    auto const try_set = [&](accelerator_set const& set, std::size_t number) {
      std::vector<std::int64_t> members;
      for (auto const a : set.accelerators) members.push_back(a.value);
      if (found || sorted(members) != devices) return;
      if (auto sharding = onnx_detail::sharding_finder{o, given, set.accelerators}.find())
        found = placement{set_id{number}, *sharding};
    };
    for (std::size_t s = 0; s < m.sets.size(); ++s) try_set(m.sets[s], s);
    auto finest = given; // the more shards, the more it says of the order
    std::erase(finest, nullptr);
    std::stable_sort(finest.begin(), finest.end(), [](auto const* a, auto const* b) {
      return a->device.size() > b->device.size();
    });
    for (auto const* s : finest) {
      if (found) break;
      accelerator_set set{{}, design};
      for (auto const d : onnx_detail::listed_devices(*s))
        set.accelerators.push_back(accelerator_id{static_cast<std::uint32_t>(d)});
      try_set(set, m.sets.size());
      if (found) m.sets.push_back(std::move(set));
    }
    if (!found)
      return fail(error_code::unsupported, path,
                  std::string{"a place of the tensors of '"} + o.name + "' that no sharding has",
                  "one that divides its iterations");
    m.operators.push_back(*found);
  }
  return m;
}

} // namespace mars::io
