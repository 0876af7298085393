// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace mars::io {

/// What an exporter answers: files by name, and what of the mapping they do not say.
struct exported {
  struct file {
    std::string name; ///< relative, without folders
    std::string content;
  };
  std::vector<file> files;
  std::vector<std::string> not_expressed; ///< sentences, each once
};

/// What a mapping makes use of: an exporter says which of it is lost.
struct features {
  struct use {
    std::size_t count{};
    std::string first; ///< name of the first operator

    void add(operation const& o) {
      if (count++ == 0) first = o.name;
    }
    explicit operator bool() const { return count != 0; }
  };
  use rotating;     ///< operators with a shared cut
  use partial_sums; ///< operators whose partial results are exchanged
  use state;        ///< operators that carry a state from step to step
  use streamed;     ///< operators whose weights are in the host's memory
  use on_streams;   ///< operators on another stream than the first
  std::size_t sets{};
  bool designs_differ{};
  bool sets_overlap{};
  bool scheduled{};
};

/// "1 tensor", "2 tensors"
[[nodiscard]] inline auto counted(std::size_t n, std::string const& noun) -> std::string {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}
/// "3 operators, the first 'conv1', "
[[nodiscard]] inline auto said(features::use const& u) -> std::string {
  return counted(u.count, "operator") + (u.count == 1 ? ", '" : ", the first '") + u.first + "', ";
}

/// What every exporter relies on: a place for each operator, sets of accelerators that are there, and
/// shardings that `check` accepts. Memory and designs are `validate`'s matter. Error
/// `invalid_mapping`: the path names set or operator.
template <WorkloadGraph G>
[[nodiscard]] auto features_of(G const& g, mapping const& m, std::size_t accelerators)
    -> expected<features> {
  auto const wrong = [](std::string path, std::string found, std::string wanted) {
    return fail(error_code::invalid_mapping, std::move(path), std::move(found), std::move(wanted));
  };
  auto const at = [](char const* what, std::size_t i) {
    return std::string{what} + "[" + std::to_string(i) + "]";
  };
  features f;
  std::vector<bool> taken(accelerators, false);
  f.sets = m.sets.size();
  f.scheduled = m.is_scheduled();
  for (std::size_t s = 0; s < m.sets.size(); ++s) {
    auto const& set = m.sets[s];
    if (set.accelerators.empty()) return wrong(at("sets", s) + ".accelerators", "none", "some");
    f.designs_differ |= set.design != m.sets.front().design;
    for (std::size_t i = 0; i < set.accelerators.size(); ++i) {
      auto const a = set.accelerators[i];
      auto const path = at("sets", s) + "." + at("accelerators", i);
      if (a.index() >= accelerators)
        return wrong(path, std::to_string(a.index()),
                     std::string{"below "} + std::to_string(accelerators));
      for (std::size_t j = 0; j < i; ++j)
        if (set.accelerators[j] == a)
          return wrong(path, std::to_string(a.index()), "each accelerator once");
      f.sets_overlap |= taken[a.index()];
      taken[a.index()] = true;
    }
  }
  std::size_t n = 0;
  for (operator_id const v : operators(g)) {
    ++n;
    if (v.index() >= m.operators.size()) continue;
    auto const& placed = m.operators[v.index()];
    operation const& o = op(g, v);
    auto const path = at("operators", v.index());
    if (placed.set.index() >= m.sets.size())
      return wrong(path + ".set", std::to_string(placed.set.index()),
                   std::string{"below "} + std::to_string(m.sets.size()));
    auto const size = m.sets[placed.set.index()].accelerators.size();
    if (auto ok = check(o, placed.sharding, size); !ok)
      return unexpected{std::move(ok).error().inside(path + ".sharding")};
    if (placed.sharding.shared) f.rotating.add(o);
    if (partial_sums(o, placed.sharding) > 1) f.partial_sums.add(o);
    if (std::any_of(o.operands.begin(), o.operands.end(),
                    [](operand const& t) { return t.role == role::state; }))
      f.state.add(o);
    if (placed.weights == residency::streamed) f.streamed.add(o);
    if (m.stream_of(v).value > 0) f.on_streams.add(o);
  }
  if (m.operators.size() != n)
    return wrong("operators", std::to_string(m.operators.size()),
                 std::to_string(n) + ", one for each operator of the graph");
  if (m.is_scheduled()) {
    std::vector<bool> launched(n, false);
    for (auto const v : m.launch_order) {
      if (v.index() >= n || launched[v.index()])
        return wrong("launch_order", std::to_string(v.index()), "every operator once");
      launched[v.index()] = true;
    }
    if (m.launch_order.size() != n)
      return wrong("launch_order", std::to_string(m.launch_order.size()) + " operators",
                   std::to_string(n));
  }
  return f;
}

} // namespace mars::io
