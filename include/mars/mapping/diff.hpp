// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars {

enum class difference_kind : std::uint8_t {
  set_removed,
  set_added,
  design,           ///< the same accelerators, configured otherwise
  operator_removed, ///< the second mapping places fewer operators
  operator_added,
  placement, ///< on other accelerators
  exclusive,
  shared,
  scatter,
  weights,      ///< resident or streamed
  launch_order, ///< where the two first differ
  stream,
  algorithm,
  format,
  compression,
};

[[nodiscard]] constexpr auto kind_name(difference_kind kind) -> std::string_view {
  constexpr std::string_view names[] = {
      "set removed",  "set added", "design",    "operator removed", "operator added",
      "placement",    "exclusive", "shared",    "scatter",          "weights",
      "launch order", "stream",    "algorithm", "format",           "compression"};
  return names[static_cast<std::size_t>(kind)];
}

/// One respect in which two mappings differ. `path` is that of the first mapping, of the second for
/// what was added.
struct difference {
  difference_kind kind{};
  std::string path;
  std::string name;   ///< of the operator, where a graph was given
  std::string before; ///< empty for what was added
  std::string after;  ///< empty for what was removed

  friend auto operator==(difference const&, difference const&) -> bool = default;
};

/// `operators[3].exclusive (conv4): k:4 -> y:2 x:2`
template <deferred = when_called>
[[nodiscard]] auto to_string(difference const& d) -> std::string {
  auto const shown = [](std::string const& text) { return text.empty() ? std::string{"-"} : text; };
  return d.path + (d.name.empty() ? "" : std::string{" ("} + d.name + ")") + ": " +
         shown(d.before) + " -> " + shown(d.after);
}

/// `[0,1,2,3]`
template <deferred = when_called>
[[nodiscard]] auto to_string(std::vector<accelerator_id> const& members) -> std::string {
  std::string text{"["};
  for (std::size_t i = 0; i < members.size(); ++i)
    text += (i == 0 ? "" : ",") + std::to_string(members[i].value);
  return text + "]";
}

namespace detail {

/// `k:4 y:2`; dimensions by name where the operator is known, else by number.
template <deferred = when_called>
[[nodiscard]] auto cut_text(cut const& c, operation const* op) -> std::string {
  auto const name = op != nullptr && c.dim < op->dims.size()
                        ? std::string{op->dims[c.dim].name.view()}
                        : std::string{"#"} + std::to_string(c.dim);
  return name + ":" + std::to_string(c.ways);
}
template <deferred = when_called>
[[nodiscard]] auto exclusive_text(sharding const& s, operation const* op) -> std::string {
  std::string text;
  for (std::size_t i = 0; i < s.exclusive.size(); ++i) {
    text += (i == 0 ? "" : " ") + cut_text(s.exclusive[i], op);
    for (std::size_t k = 0; i == 0 && k < s.parts.size(); ++k)
      text += (k == 0 ? "(" : "+") + std::to_string(s.parts[k]);
    if (i == 0 && !s.parts.empty()) text += ")";
  }
  return text;
}

/// `operation_of(v)` is the operator, or null where none is known.
template <class OperationOf>
[[nodiscard]] auto compare(mapping const& a, mapping const& b, OperationOf operation_of)
    -> std::vector<difference> {
  std::vector<difference> found;
  auto const path = [](char const* what, std::size_t i) {
    return std::string{what} + "[" + std::to_string(i) + "]";
  };
  auto const set_text = [](accelerator_set const& s) {
    return to_string(s.accelerators) + " " + s.design;
  };
  // Sets are the same where their accelerators are, in the same order: numbers are only labels.
  std::vector<bool> matched(b.sets.size(), false);
  for (std::size_t i = 0; i < a.sets.size(); ++i) {
    std::size_t j = 0;
    while (j < b.sets.size() && (matched[j] || b.sets[j].accelerators != a.sets[i].accelerators))
      ++j;
    if (j == b.sets.size()) {
      found.push_back({difference_kind::set_removed, path("sets", i), {}, set_text(a.sets[i]), {}});
      continue;
    }
    matched[j] = true;
    if (a.sets[i].design != b.sets[j].design)
      found.push_back({difference_kind::design,
                       path("sets", i) + ".design",
                       {},
                       a.sets[i].design,
                       b.sets[j].design});
  }
  for (std::size_t j = 0; j < b.sets.size(); ++j)
    if (!matched[j])
      found.push_back({difference_kind::set_added, path("sets", j), {}, {}, set_text(b.sets[j])});

  auto const place_text = [](mapping const& m, std::size_t v) {
    auto const set = m.operators[v].set.index();
    return set < m.sets.size() ? to_string(m.sets[set].accelerators)
                               : std::string{"set "} + std::to_string(set);
  };
  auto const both = std::min(a.operators.size(), b.operators.size());
  for (std::size_t v = 0; v < std::max(a.operators.size(), b.operators.size()); ++v) {
    operation const* op = operation_of(v);
    auto const name = op != nullptr ? op->name : std::string{};
    auto const note = [&](difference_kind kind, char const* where, std::string before,
                          std::string after) {
      if (before != after)
        found.push_back(
            {kind, path("operators", v) + where, name, std::move(before), std::move(after)});
    };
    if (v >= both) {
      bool const added = v < b.operators.size();
      note(added ? difference_kind::operator_added : difference_kind::operator_removed, "",
           added ? std::string{} : place_text(a, v), added ? place_text(b, v) : std::string{});
      continue;
    }
    auto const& before = a.operators[v].sharding;
    auto const& after = b.operators[v].sharding;
    note(difference_kind::placement, ".set", place_text(a, v), place_text(b, v));
    note(difference_kind::exclusive, ".exclusive", exclusive_text(before, op),
         exclusive_text(after, op));
    auto const shared = [&](sharding const& s) {
      return s.shared ? cut_text(*s.shared, op) : std::string{};
    };
    note(difference_kind::shared, ".shared", shared(before), shared(after));
    auto const scatter = [&](sharding const& s) {
      if (!s.scatter) return std::string{};
      auto const text = cut_text({*s.scatter, 1}, op);
      return text.substr(0, text.rfind(':'));
    };
    note(difference_kind::scatter, ".scatter", scatter(before), scatter(after));
    auto const weights = [](placement const& p) {
      return std::string{p.weights == residency::streamed ? "streamed" : "resident"};
    };
    note(difference_kind::weights, ".weights", weights(a.operators[v]), weights(b.operators[v]));
    note(difference_kind::algorithm, ".algorithm", a.operators[v].algorithm,
         b.operators[v].algorithm);
    note(difference_kind::format, ".format", a.operators[v].format, b.operators[v].format);
    note(difference_kind::compression, ".compression", a.operators[v].compression,
         b.operators[v].compression);
    auto const stream = [v](mapping const& m) {
      return std::to_string(m.stream_of(operator_id{v}).value);
    };
    note(difference_kind::stream, ".stream", stream(a), stream(b));
  }
  if (a.launch_order != b.launch_order) {
    std::size_t at = 0;
    while (at < std::min(a.launch_order.size(), b.launch_order.size()) &&
           a.launch_order[at] == b.launch_order[at])
      ++at;
    auto const launched = [&](mapping const& m) {
      if (at >= m.launch_order.size()) return std::string{m.is_scheduled() ? "nothing" : "none"};
      auto const v = m.launch_order[at].index();
      operation const* op = operation_of(v);
      return op != nullptr ? op->name : std::string{"operator "} + std::to_string(v);
    };
    found.push_back(
        {difference_kind::launch_order, path("launch_order", at), {}, launched(a), launched(b)});
  }
  return found;
}

} // namespace detail

/// In what respects two mappings of one graph differ, sets first, then operators by id; empty = they
/// place and shard everything alike. Sets are told apart by their accelerators, not by their numbers.
template <deferred = when_called>
[[nodiscard]] auto diff(mapping const& a, mapping const& b) -> std::vector<difference> {
  return detail::compare(a, b, [](std::size_t) -> operation const* { return nullptr; });
}

/// The same with the names of operators and dimensions.
template <WorkloadGraph Graph>
[[nodiscard]] auto diff(mapping const& a, mapping const& b, Graph const& g)
    -> std::vector<difference> {
  std::vector<operation const*> ops;
  for (operator_id const v : operators(g)) ops.push_back(&op(g, v));
  return detail::compare(
      a, b, [&](std::size_t v) -> operation const* { return v < ops.size() ? ops[v] : nullptr; });
}

} // namespace mars
