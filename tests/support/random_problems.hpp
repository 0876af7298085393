// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Random small networks, problems and assignments.

#include <mars/collective/cheapest.hpp>
#include <mars/core/random.hpp>
#include <mars/cost/analytical.hpp>
#include <mars/evaluation/build_problem.hpp>
#include <mars/evaluation/evaluate.hpp>
#include <mars/interconnect/components.hpp>
#include <mars/parallel/exclusive_shared.hpp>
#include <mars/testing/random_problem.hpp>
#include <mars/workload/builder.hpp>
#include <mars/workload/graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace mars_test {

/// About `operators` operators on a small image: chains, branches that meet again, results read
/// twice or never, two results, a tail without spatial axes.
inline auto random_network(mars::random_stream& r, std::size_t operators) -> mars::graph {
  mars::builder b{"random"};
  auto const number = [&](std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(r.below(static_cast<std::uint64_t>(most - least + 1)));
  };
  auto const side = number(3, 9);
  auto const image = b.input("image", {number(1, 3), 4, side, side});
  std::vector<mars::value> live{image};
  auto const like = [&](mars::value x) {
    std::vector<mars::value> same;
    for (auto const y : live)
      if (b.shape(y) == b.shape(x)) same.push_back(y);
    return r.pick(same);
  };
  while (b.size() < operators) {
    // The newest tensor more often than the others.
    auto const x = r.chance(0.6) ? live.back() : r.pick(live);
    auto const channels = 2 * number(1, 4);
    switch (r.below(10)) {
    case 0:
    case 1:
    case 2:
      live.push_back(b.conv(
          x,
          {.out_channels = channels, .kernel = {3, 3}, .padding = {1, 1}, .bias = r.chance(0.3)}));
      break;
    case 3: live.push_back(b.conv(x, {.out_channels = channels, .kernel = {1, 1}})); break;
    case 4:
      live.push_back(b.conv(
          x, {.out_channels = channels, .kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 1}}));
      break;
    case 5: live.push_back(b.relu(x)); break;
    case 6: live.push_back(b.add(x, like(x))); break;
    case 7:
      if (b.shape(x)[1] < 20) live.push_back(b.concat({x, like(x), x}, 1));
      break;
    case 8:
      if (b.shape(x)[1] > 1) live.push_back(b.split(x, 1, {1, b.shape(x)[1] - 1}).back());
      break;
    default: live.push_back(b.softmax(x, 1)); break;
    }
  }
  auto const last = live.back();
  if (r.chance(0.3)) {
    auto const flat = b.flatten(last, 1);
    b.output(b.linear(b.linear(flat, number(2, 12)), 6));
  } else if (r.chance(0.2)) {
    auto const sequence = b.reshape(last, {-1, b.shape(last)[0], b.shape(last)[3]});
    b.output(b.lstm(sequence, 4).front());
  } else {
    b.output(last);
  }
  return std::move(b).build().value();
}

/// A workload without operators.
struct empty_graph {};
inline auto operators(empty_graph const&) -> std::vector<mars::operator_id> { return {}; }
inline auto op(empty_graph const&, mars::operator_id) -> mars::operation const& {
  static mars::operation const none{};
  return none;
}
inline auto inputs(empty_graph const&, mars::operator_id) -> std::vector<mars::input_edge> {
  return {};
}

/// Candidate sets as the façade takes them.
template <mars::Interconnect Net>
auto candidates_of(Net const& net) -> std::vector<std::vector<mars::accelerator_id>> {
  return mars::interconnect::with_halves(mars::interconnect::threshold_components(net));
}

template <mars::WorkloadGraph Graph, class System, mars::Objective O = mars::objective::latency,
          mars::ParallelismStrategy Strategy = mars::parallel::exclusive_shared>
auto make_problem(Graph const& g, System const& s, Strategy const& strategy = {}, O objective = {})
    -> mars::mapping_problem {
  return mars::build_problem(g, s, mars::cost::analytical{}, strategy, mars::collective::standard{},
                             objective, candidates_of(s.interconnect))
      .value();
}

/// Is this something that the problem allows?
inline auto is_legal(mars::mapping_problem const& p, mars::assignment const& a) -> bool {
  return p.accepts(a);
}
using mars::testing::random_assignment;

} // namespace mars_test
