// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/exploration/detail/compiled_network.hpp>
#include <mars/search/detail/elimination.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace mars::exploration::detail {

/// A way to run an operator, between formats by number (0: any, without a reorder).
struct algorithm_option {
  ticks time{};
  std::uint16_t algorithm{};
  std::uint8_t in{};
  std::uint8_t out{};
};

struct format_answer {
  ticks time{no_ticks};                 ///< `no_ticks`: some operator has no option
  ticks reorders{};                     ///< of `time`
  bool exact{true};                     ///< nothing is faster
  std::vector<std::uint16_t> option_of; ///< by position, which of its class's options
};

/// The option of every operator that makes the network fastest: options cost what they take, tensors
/// what `reorder(bytes, from, to)` does where formats differ, once per reader. This is a mapping problem
/// of one device whose choices are algorithms and whose layouts are formats, so it is solved as those
/// are: by elimination, exact while tables stay below `most_entries`.
template <class Reorder, deferred D = when_called>
[[nodiscard]] auto choose_options(later<compiled_network, D> const& n,
                                  std::vector<std::vector<algorithm_option>> const& options,
                                  std::size_t formats, Reorder const& reorder,
                                  std::size_t most_entries = std::size_t{1} << 20)
    -> later<format_answer, D> {
  later<format_answer, D> answer;
  auto const& skeleton = n.tables;
  std::uint32_t in_play = 0;
  for (auto const& of : options) {
    if (of.empty()) return answer;
    for (auto const& o : of) in_play |= 1U << o.in | 1U << o.out;
  }
  in_play &= ~1U;                       // any
  if ((in_play & (in_play - 1)) == 0) { // one format at most: each for itself
    std::vector<std::uint16_t> least;
    answer.time = 0;
    for (std::size_t c = 0; c < options.size(); ++c) {
      auto const best = std::min_element(options[c].begin(), options[c].end(),
                                         [](auto& a, auto& b) { return a.time < b.time; });
      least.push_back(static_cast<std::uint16_t>(best - options[c].begin()));
      for (std::int64_t i = 0; i < n.count[c]; ++i)
        answer.time = mapping_problem::add(answer.time, best->time);
    }
    for (auto const c : skeleton.op_class) answer.option_of.push_back(least[c]);
    return answer;
  }

  auto t = skeleton;
  t.how = aggregate::sum;
  t.accelerators = 1;
  t.sets.push_back({{accelerator_id{0}}, 0, std::numeric_limits<std::int64_t>::max()});
  t.designs = {{"device"}};
  t.pair_class = {{0}};
  t.pair_classes = 1;
  t.dims.resize(options.size());
  std::vector<std::uint16_t> operands(options.size()), outputs(options.size());
  for (auto const& e : t.edges) {
    auto& most_in = operands[t.op_class[e.consumer]];
    auto& most_out = outputs[t.op_class[e.producer]];
    most_in = std::max<std::uint16_t>(most_in, e.operand + 1);
    most_out = std::max<std::uint16_t>(most_out, e.output + 1);
  }
  for (std::size_t c = 0; c < options.size(); ++c) {
    auto& row = t.rows.emplace_back(1).front();
    std::vector<std::uint16_t> in, out;
    row.node.resize(1);
    for (auto const& o : options[c]) {
      row.node[0].push_back(o.time);
      in.push_back(o.in);
      out.push_back(o.out);
    }
    row.shardings.resize(options[c].size());
    row.need.assign(operands[c], in);
    row.own.assign(outputs[c], out);
  }
  t.edge_tables.resize(n.edge_bytes.size());
  for (std::uint32_t e = 0; e < n.edge_bytes.size(); ++e) {
    auto& table = t.edge_tables[e];
    t.table_of.push_back(e);
    table.columns = static_cast<std::uint32_t>(formats);
    for (std::size_t from = 0; from < formats; ++from)
      for (std::size_t to = 0; to < formats; ++to)
        table.time.push_back(
            from == 0 || to == 0 || from == to ? 0 : reorder(n.edge_bytes[e], from, to));
    table.missing.assign(formats * formats, 0);
  }
  later<mapping_problem, D> const problem{std::move(t)};
  search::detail::domains all(problem.size());
  for (std::size_t v = 0; v < problem.size(); ++v)
    for (auto const& o : options[skeleton.op_class[v]])
      all[v].push_back({{0, 0}, static_cast<std::uint16_t>(all[v].size()), o.time});
  search::detail::basic_elimination<D> eliminate{problem, all, most_entries};
  auto const found = eliminate([] { return false; });
  if (found.bound >= no_ticks) return answer;
  answer.exact = found.exact;
  answer.option_of.assign(problem.size(), 0);
  for (std::size_t v = 0; v < found.state_of.size(); ++v)
    answer.option_of[v] = static_cast<std::uint16_t>(found.state_of[v]);
  answer.time = 0;
  for (std::size_t v = 0; v < problem.size(); ++v)
    answer.time =
        mapping_problem::add(answer.time, problem.node_value(v, {0, 0}, answer.option_of[v]));
  for (auto const& e : problem.edges())
    answer.reorders =
        mapping_problem::add(answer.reorders, problem.edge_value(e, 0, answer.option_of[e.producer],
                                                                 0, answer.option_of[e.consumer]));
  answer.time = mapping_problem::add(answer.time, answer.reorders);
  return answer;
}

} // namespace mars::exploration::detail
