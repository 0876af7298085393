// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/io/json/document.hpp>
#include <mars/io/json/operator_graph.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/scheduling/stream_schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::io {

namespace detail {

/// A document of IOS with its stages replaced. Merged convolutions become one, under the name of the
/// first; what reads them reads channels of it, adjacent ones joined.
class ios_schedule_writer {
public:
  ios_schedule_writer(ordered_json document, operator_graph const& g, stream_schedule const& s)
      : document_(std::move(document)), // braces would make a list of it
        g_{g},
        s_{s} {}

  [[nodiscard]] auto write() -> expected<std::string> {
    if (auto ok = merge(); !ok) return unexpected{std::move(ok).error()};
    if (auto ok = write_stages(); !ok) return unexpected{std::move(ok).error()};
    return document_.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  }

private:
  struct slice {
    std::string name;
    std::int64_t begin;
  };

  /// Of a node, in the document. Precondition: not the input.
  [[nodiscard]] auto find(std::uint32_t v) -> ordered_json& {
    auto& block = document_["blocks"][g_.block_of[v]];
    for (auto& inner : block["inner_nodes"])
      if (inner["name"] == g_.nodes[v].name) return inner;
    return block["exit_node"];
  }

  [[nodiscard]] auto merge() -> expected<void> {
    for (auto const& group : s_.merged) {
      auto const first = group.front();
      for (auto const v : group) {
        auto const& block = document_["blocks"][g_.block_of[v]];
        if (block["exit_node"]["name"] == g_.nodes[v].name)
          return fail(error_code::unsupported, "schedule", "'" + g_.nodes[v].name + "' merged",
                      "merged convolutions inside of a block", "it is the block's exit");
      }
      auto& into = find(first);
      std::int64_t channels = 0;
      std::string hint;
      for (auto const v : group) {
        auto const& from = find(v);
        moved_[g_.nodes[v].name] = {g_.nodes[first].name, channels};
        channels += from["out_channels"].get<std::int64_t>();
        auto const* said = from["hint_name"].get_ptr<ordered_json::string_t const*>();
        hint += (hint.empty() ? "" : " ") + (said != nullptr ? *said : g_.nodes[v].name);
        for (auto const* key : {"kernel", "padding"})
          for (std::size_t i = 0; i < 2; ++i)
            into[key][i] =
                std::max(into[key][i].get<std::int64_t>(), from[key][i].get<std::int64_t>());
      }
      into["out_channels"] = channels;
      into["output_shape"][0] = channels;
      into["hint_name"] = hint;
    }
    if (moved_.empty()) return {};
    for (auto& block : document_["blocks"]) {
      auto kept = ordered_json::array();
      for (auto& inner : block["inner_nodes"]) {
        auto const at = moved_.find(inner["name"].get<std::string>());
        if (at != moved_.end() && at->second.begin != 0) continue;
        redirect(inner);
        kept.push_back(std::move(inner));
      }
      block["inner_nodes"] = std::move(kept);
      redirect(block["enter_node"]);
      redirect(block["exit_node"]);
    }
    return {};
  }
  void redirect(ordered_json& node) const {
    if (!node.contains("inputs")) return;
    auto joined = ordered_json::array();
    for (auto& term : node["inputs"]) {
      for (auto& value : term)
        if (auto const at = moved_.find(value[0].get<std::string>()); at != moved_.end()) {
          value[0] = at->second.name;
          for (std::size_t i = 1; i < 3; ++i)
            value[i] = value[i].get<std::int64_t>() + at->second.begin;
        }
      if (!joined.empty() && joined.back().size() == 1 && term.size() == 1 &&
          joined.back()[0][0] == term[0][0] && joined.back()[0][2] == term[0][1])
        joined.back()[0][2] = term[0][2];
      else
        joined.push_back(std::move(term));
    }
    node["inputs"] = std::move(joined);
  }

  [[nodiscard]] auto write_stages() -> expected<void> {
    for (auto& block : document_["blocks"]) block["stages"] = ordered_json::array();
    std::size_t number = 0;
    for (auto from = s_.launch_order.begin(); from != s_.launch_order.end(); ++number) {
      auto const of = s_.stage_of[*from];
      auto const to =
          std::find_if(from, s_.launch_order.end(), [&](auto v) { return s_.stage_of[v] != of; });
      std::map<std::size_t, ordered_json> groups; // by stream
      std::uint32_t block = 0;
      for (auto const v : std::vector<std::uint32_t>(from, to)) {
        auto const& node = g_.nodes[v];
        if (node.inputs.empty()) continue; // the input is in no stage
        auto const at = "stage " + std::to_string(number);
        if (groups.empty()) block = g_.block_of[v];
        if (g_.block_of[v] != block)
          return fail(error_code::unsupported, "schedule", at + " with nodes of two blocks",
                      "stages of one block each", node.name);
        for (auto const u : node.inputs)
          if (s_.stage_of[u] == of && s_.stream_of[u] != s_.stream_of[v] &&
              !g_.nodes[u].inputs.empty())
            return fail(error_code::unsupported, "schedule",
                        at + " with groups that wait for each other", "groups that are independent",
                        node.name);
        auto& group =
            groups.try_emplace(s_.stream_of[v].index(), ordered_json::array()).first->second;
        auto const moved = moved_.find(node.name);
        if (moved == moved_.end() || moved->second.begin == 0) group.push_back(node.name);
      }
      if (!groups.empty()) {
        auto stage = ordered_json::array();
        for (auto& [stream, group] : groups) stage.push_back(std::move(group));
        document_["blocks"][block]["stages"].push_back(std::move(stage));
      }
      from = to;
    }
    return {};
  }

  ordered_json document_;
  operator_graph const& g_;
  stream_schedule const& s_;
  std::unordered_map<std::string, slice> moved_; ///< merged convolutions
};

} // namespace detail

/// A schedule in IOS's format: `text`, the graph of IOS that `nodes_of` was made of, with the stages of the
/// schedule. Merged convolutions are one node in it. Errors: the text is no graph of IOS, or not of this
/// graph; `unsupported`: a schedule without stages, or with stages that IOS's format cannot say.
/// Precondition: the schedule is valid for the graph.
[[nodiscard]] inline auto write_ios_schedule(std::string_view text, stream_graph const& nodes_of,
                                             stream_schedule const& schedule)
    -> expected<std::string> {
  auto const document = parse_json(text);
  if (!document) return unexpected{document.error()};
  if (operator_file_of(*document) != operator_file::ios)
    return fail(error_code::unsupported, "graph", "operators of another file",
                "those of a graph of IOS", "only these have blocks to write stages into");
  auto const g = detail::read_operator_graph(*document, {});
  if (!g) return unexpected{g.error()};
  bool const same =
      std::equal(nodes_of.nodes.begin(), nodes_of.nodes.end(), g->nodes.begin(), g->nodes.end(),
                 [](auto const& a, auto const& b) { return a.name == b.name; });
  if (!same || schedule.launch_order.size() != g->nodes.size())
    return fail(error_code::shape_mismatch, "graph",
                std::to_string(nodes_of.nodes.size()) + " nodes",
                "the " + std::to_string(g->nodes.size()) + " nodes of the file, by name");
  if (schedule.stage_of.size() != g->nodes.size())
    return fail(error_code::unsupported, "schedule", "no stages", "a schedule in stages",
                "IOS's format has no other");
  return detail::ios_schedule_writer{ordered_json::parse(text, nullptr, false), *g, schedule}
      .write();
}

} // namespace mars::io
