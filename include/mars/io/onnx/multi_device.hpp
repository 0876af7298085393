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
#include <unordered_map>
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

/// All accelerators, with their names if each has one of its own.
template <class System>
[[nodiscard]] auto configuration_of(System const& system) -> onnx_configuration {
  onnx_configuration c{std::string{onnx_configuration_name},
                       static_cast<std::int32_t>(system.accelerators.size()),
                       {}};
  std::set<std::string> names;
  for (auto const& a : system.accelerators)
    if constexpr (requires { std::string{a.name}; }) names.insert(c.device.emplace_back(a.name));
  if (names.size() != system.accelerators.size() || names.contains({})) c.device.clear();
  return c;
}

using shape_table = std::unordered_map<std::string, stored_extents>;

/// Annotates node by node, and counts what is lost.
class annotator {
public:
  explicit annotator(shape_table shapes) : shapes_{std::move(shapes)} {}

  void skip(operation const& o) { unmatched_.add(o); }
  [[nodiscard]] auto annotate(operation const& o, sharding const& s,
                              std::vector<accelerator_id> const& members, matched_node const& match)
      -> onnx_node_configuration {
    ++annotated_;
    onnx_node_configuration c{std::string{onnx_configuration_name}, {}, {}};
    for (std::size_t i = 0; i < o.operands.size(); ++i) {
      auto const& t = o.operands[i];
      if (t.role == role::state) continue;
      auto const& name = match.tensors[i];
      if (name.empty()) {
        ++nameless_;
        continue;
      }
      ++seen_[static_cast<std::size_t>(split_of(o, t, s, members.size()).boxes)];
      auto const stored = shapes_.find(name);
      auto spec = spec_of(o, t, s, members, [&](std::size_t axis) {
        return stored != shapes_.end() && stored->second[axis] < 0;
      });
      spec.tensor_name = name;
      auto const known = std::find_if(c.specs.begin(), c.specs.end(),
                                      [&](auto const& other) { return other.tensor_name == name; });
      if (known == c.specs.end())
        c.specs.push_back(std::move(spec));
      else
        twice_ += !(*known == spec);
    }
    return c;
  }

  [[nodiscard]] auto annotated() const -> std::size_t { return annotated_; }
  /// Sentences on what the annotations lack.
  [[nodiscard]] auto losses(features const& uses) const -> std::vector<std::string> {
    std::vector<std::string> lost;
    auto const tell = [&](std::string sentence) { lost.push_back(std::move(sentence)); };
    using parts = tensor_split::parts;
    auto const seen = [&](parts p) { return seen_[static_cast<std::size_t>(p)]; };
    if (unmatched_)
      tell(said(unmatched_) +
           "that are no node of the main graph by a name of its own: no annotation.");
    if (nameless_ != 0)
      tell(counted(nameless_, "operand") + " of annotated nodes that are no tensor of the node as "
                                           "it is in the file: no annotation.");
    if (twice_ != 0)
      tell(counted(twice_, "tensor") +
           " that a node reads twice, sharded differently: the first is said.");
    if (uses.rotating)
      tell(said(uses.rotating) + "pass shards round a ring; the annotation says where they start.");
    if (uses.partial_sums)
      tell(said(uses.partial_sums) + "leave partial sums; where they are exchanged is implicit.");
    if (auto const n = seen(parts::overlapping); n != 0)
      tell(std::string{"The halos of "} + counted(n, "tensor") + ".");
    if (auto const n = seen(parts::uneven); n != 0)
      tell(std::string{"The unequal parts of "} + counted(n, "tensor") +
           ": a backend divides as it likes.");
    if (auto const n = seen(parts::irregular); n != 0)
      tell(std::string{"The parts of "} + counted(n, "tensor") +
           ", which no split of an axis says; the axis is called whole.");
    tell("Transfers and their times: communication is implicit in ONNX.");
    if (uses.designs_differ) tell("The designs of the sets, but for the metadata mars.set.*.");
    if (uses.on_streams)
      tell(said(uses.on_streams) + "are on streams beside the first, which nothing says.");
    if (uses.scheduled) tell("The launch order: nodes stay in the order of the file.");
    if (uses.streamed) tell(said(uses.streamed) + "have streamed weights.");
    if (uses.state) tell(said(uses.state) + "carry a state from step to step, which is left out.");
    return lost;
  }

private:
  shape_table shapes_;
  features::use unmatched_;
  std::size_t annotated_{}, nameless_{}, twice_{};
  std::size_t seen_[4]{}; // tensors by tensor_split::parts
};

/// The set and the sharding that put the tensors of an operator where its specs say; `sets` grows if
/// none of them does: the order of ranks is then that of a spec, of the one with most shards if it can
/// be. Errors: as `read_onnx_mapping`.
[[nodiscard]] inline auto place(operation const& o,
                                std::vector<onnx_sharding_spec const*> const& given,
                                std::string const& design, std::vector<accelerator_set>& sets)
    -> expected<placement> {
  auto const sorted = [](std::vector<std::int64_t> list) {
    std::sort(list.begin(), list.end());
    return list;
  };
  auto finest = given;
  std::erase(finest, nullptr);
  std::stable_sort(finest.begin(), finest.end(), [](auto const* a, auto const* b) {
    return a->device.size() > b->device.size();
  });
  std::vector<std::int64_t> devices;
  for (auto const* s : finest)
    for (auto const d : devices_of(*s)) devices.push_back(d);
  devices = sorted(std::move(devices));
  devices.erase(std::unique(devices.begin(), devices.end()), devices.end());
  if (devices.empty() || devices.front() < 0 || devices.back() > 0xFFFF'FFFE)
    return fail(error_code::parse, {}, std::string{"'"} + o.name + "' on no devices", "some");
  if (devices.size() > most_devices)
    return fail(error_code::unsupported, {},
                std::string{"'"} + o.name + "' on " + std::to_string(devices.size()) + " devices",
                std::string{"at most "} + std::to_string(most_devices));

  auto const sharding_on = [&](accelerator_set const& set) -> std::optional<sharding> {
    std::vector<std::int64_t> members;
    for (auto const a : set.accelerators) members.push_back(a.value);
    if (sorted(std::move(members)) != devices) return std::nullopt;
    return sharding_finder{o, given, set.accelerators}.find();
  };
  for (std::size_t s = 0; s < sets.size(); ++s)
    if (auto const found = sharding_on(sets[s])) return placement{set_id{s}, *found};
  for (auto const* spec : finest) {
    accelerator_set set{{}, design};
    for (auto const d : listed_devices(*spec))
      set.accelerators.push_back(accelerator_id{static_cast<std::uint32_t>(d)});
    if (auto const found = sharding_on(set)) {
      sets.push_back(std::move(set));
      return placement{set_id{sets.size() - 1}, *found};
    }
  }
  return fail(error_code::unsupported, {},
              std::string{"a place of the tensors of '"} + o.name + "' that no sharding has",
              "one that divides its iterations");
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
  annotations->configurations.push_back(onnx_detail::configuration_of(system));

  auto const matches = onnx_detail::match_nodes(g, model);
  onnx_detail::annotator notes{onnx_detail::stored_shapes(model.graph())};
  for (operator_id const v : operators(g)) {
    auto const& match = matches[v.index()];
    auto const& placed = m.operators[v.index()];
    if (match)
      annotations->nodes[match->node].push_back(notes.annotate(
          op(g, v), placed.sharding, m.sets[placed.set.index()].accelerators, *match));
    else
      notes.skip(op(g, v));
  }
  if (notes.annotated() == 0)
    return fail(error_code::invalid_argument, "model", "no node of the graph's operators",
                "the model that the graph was imported from");
  write_device_configurations(model, *annotations);
  onnx_detail::write_sets(model, m);
  auto lost = notes.losses(*uses);
  auto const& weights = model.graph().initializer();
  if (std::any_of(weights.begin(), weights.end(),
                  [](auto const& t) { return t.external_data_size() > 0; }))
    lost.emplace_back("External data: it is found beside the model, and not copied.");
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
    for (std::size_t i = 0; i < o.operands.size(); ++i)
      for (auto const& s : said_here->specs)
        if (!s.tensor_name.empty() && s.tensor_name == matches[v.index()]->tensors[i])
          given[i] = &s;
    auto found = onnx_detail::place(o, given, design, m.sets);
    if (!found) return unexpected{std::move(found).error().inside(path)};
    m.operators.push_back(*found);
  }
  return m;
}

} // namespace mars::io
