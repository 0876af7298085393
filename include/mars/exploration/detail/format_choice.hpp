// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/exploration/detail/compiled_network.hpp>
#include <mars/search/detail/elimination.hpp>

#include <algorithm>
#include <cassert>
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
/// By class of operators.
using option_lists = std::vector<std::vector<algorithm_option>>;

/// What rewriting costs, by class of tensors and formats.
struct reorder_table {
  std::size_t formats{1};
  std::vector<ticks> times; ///< [class][from][to]

  [[nodiscard]] auto operator()(std::size_t tensor, std::size_t from, std::size_t to) const
      -> ticks {
    return from == 0 || to == 0 || from == to ? 0 : times[(tensor * formats + from) * formats + to];
  }
};

struct format_answer {
  ticks time{no_ticks};                 ///< `no_ticks`: some operator has no option
  ticks reorders{};                     ///< of `time`
  bool exact{true};                     ///< nothing is faster
  std::vector<std::uint16_t> option_of; ///< by position, which of its class's options
};

/// Each operator's fastest option, where one format serves all of them: nothing is faster than that.
/// Otherwise empty.
template <deferred D = when_called>
[[nodiscard]] auto fastest_in_one_format(later<option_lists, D> const& options)
    -> std::vector<std::uint16_t> {
  std::uint32_t in_play = 1;
  for (auto const& of : options)
    for (auto const& o : of) in_play |= 1U << o.in | 1U << o.out;
  std::vector<std::uint16_t> chosen;
  for (std::uint32_t f = 0; in_play >> f != 0; ++f) {
    chosen.clear();
    for (auto const& of : options) {
      std::size_t best = of.size();
      auto least = no_ticks;
      for (std::size_t k = 0; k < of.size(); ++k) {
        auto const& o = of[k];
        bool const fits = (o.in == 0 || o.in == f) && (o.out == 0 || o.out == f);
        if (fits && (best == of.size() || o.time < of[best].time)) best = k;
        least = std::min(least, o.time);
      }
      if (best == of.size() || of[best].time > least) break;
      chosen.push_back(static_cast<std::uint16_t>(best));
    }
    if (chosen.size() == options.size()) return chosen;
  }
  return {};
}

/// The choice as a mapping problem of one device: algorithms are its choices, formats its layouts.
template <deferred D = when_called>
[[nodiscard]] auto as_problem(later<compiled_network, D> const& n,
                              later<option_lists, D> const& options,
                              later<reorder_table, D> const& moves) -> mapping_problem {
  auto t = n.tables;
  t.how = aggregate::sum;
  t.accelerators = 1;
  t.sets.push_back({{accelerator_id{0}}, 0, std::numeric_limits<std::int64_t>::max()});
  t.designs = {{"device"}};
  t.pair_class = {{0}};
  t.pair_classes = 1;
  t.dims.resize(options.size());
  std::vector<std::size_t> operands(options.size()), outputs(options.size());
  for (auto const& e : t.edges) {
    auto& most_in = operands[t.op_class[e.consumer]];
    auto& most_out = outputs[t.op_class[e.producer]];
    most_in = std::max<std::size_t>(most_in, e.operand + 1U);
    most_out = std::max<std::size_t>(most_out, e.output + 1U);
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
  auto const formats = moves.formats;
  t.edge_tables.resize(n.edge_bytes.size());
  for (std::uint32_t e = 0; e < n.edge_bytes.size(); ++e) {
    auto& table = t.edge_tables[e];
    t.table_of.push_back(e);
    table.columns = static_cast<std::uint32_t>(formats);
    for (std::size_t from = 0; from < formats; ++from)
      for (std::size_t to = 0; to < formats; ++to) table.time.push_back(moves(e, from, to));
    table.missing.assign(formats * formats, 0);
  }
  return later<mapping_problem, D>{std::move(t)};
}

/// The option of every operator that makes the network fastest: options cost what they take, tensors
/// what `moves` says where formats differ, once per reader. A mapping problem of one device, so it is
/// solved as those are: by elimination, exact while tables stay below `most_entries`.
template <deferred D = when_called>
[[nodiscard]] auto choose_options(later<compiled_network, D> const& n,
                                  later<option_lists, D> const& options,
                                  later<reorder_table, D> const& moves,
                                  std::size_t most_entries = std::size_t{1} << 20)
    -> format_answer {
  later<format_answer, D> answer;
  for (auto const& of : options)
    if (of.empty()) return answer;
  auto const& op_class = n.tables.op_class;
  if (auto const least = fastest_in_one_format<D>(options); !least.empty()) {
    answer.time = 0;
    for (auto const c : op_class) {
      answer.option_of.push_back(least[c]);
      answer.time = mapping_problem::add(answer.time, options[c][least[c]].time);
    }
    return answer;
  }
  later<mapping_problem, D> const problem = as_problem<D>(n, options, moves);
  later<search::detail::domains, D> all(problem.size());
  for (std::size_t v = 0; v < problem.size(); ++v)
    for (auto const& o : options[op_class[v]])
      all[v].push_back({{0, 0}, static_cast<std::uint16_t>(all[v].size()), o.time});
  search::detail::basic_elimination<D> eliminate{problem, all, most_entries};
  auto const found = eliminate([] { return false; });
  if (found.bound >= no_ticks) return answer;
  answer.exact = found.exact;
  answer.option_of.assign(problem.size(), 0);
  answer.time = 0;
  for (std::size_t v = 0; v < problem.size(); ++v) {
    if (v < found.state_of.size())
      answer.option_of[v] = static_cast<std::uint16_t>(found.state_of[v]);
    answer.time =
        mapping_problem::add(answer.time, problem.node_value(v, {0, 0}, answer.option_of[v]));
  }
  for (auto const& e : problem.edges())
    answer.reorders =
        mapping_problem::add(answer.reorders, problem.edge_value(e, 0, answer.option_of[e.producer],
                                                                 0, answer.option_of[e.consumer]));
  answer.time = mapping_problem::add(answer.time, answer.reorders);
  assert(!answer.exact || answer.time == found.bound);
  return answer;
}

} // namespace mars::exploration::detail
