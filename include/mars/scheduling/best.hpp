// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/random.hpp>
#include <mars/scheduling/chain_cover.hpp>
#include <mars/scheduling/concept.hpp>
#include <mars/scheduling/critical_path.hpp>
#include <mars/scheduling/detail/policy.hpp>
#include <mars/scheduling/detail/segment_search.hpp>
#include <mars/scheduling/detail/stream_meter.hpp>
#include <mars/scheduling/ios.hpp>
#include <mars/scheduling/opara.hpp>
#include <mars/scheduling/path_cover.hpp>
#include <mars/scheduling/sequential.hpp>
#include <mars/scheduling/simulate_streams.hpp>
#include <mars/scheduling/stream_bounds.hpp>
#include <mars/scheduling/stream_context.hpp>
#include <mars/scheduling/stream_problem.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::scheduling {

/// Search over streams, launch order and merged kernels against the simulator. Starts from what every
/// other policy says; a network is cut at the nodes that everything passes through, its segments are
/// improved one by one (`detail::basic_segment_search`), those that launch the same kernels once, and
/// joined. Times add up over segments when a graph is replayed; when the host launches one by one, or
/// events and memory are limited, the whole counts as well and decides.
///
/// Prefer it: never worse than any other policy, with a lower bound; proven optimal where they meet.
/// Deterministic. O(evaluations · (V + E)).
template <deferred D = when_called>
struct basic_best {
  std::uint64_t seed{1};
  /// Segments simulated, unless the context has a budget; fewer of segments with over 100 nodes.
  std::uint64_t evaluations{30'000};

  [[nodiscard]] auto name() const -> std::string_view { return "best"; }

  [[nodiscard]] auto operator()(later<stream_problem, D> const& problem,
                                later<stream_context, D> const& context) const -> stream_solution {
    mars::detail::stream_meter meter{context, evaluations};
    later<stream_solution, D> result;
    std::vector<later<stream_schedule, D>> starts;
    auto const offer = [&](later<stream_solution, D> found) {
      starts.push_back(found.schedule);
      result.evaluations += std::max<std::uint64_t>(1, found.evaluations);
      if (starts.size() > 1 && found.timeline.latency >= result.timeline.latency) return;
      result.timeline = std::move(found.timeline);
      result.schedule = std::move(found.schedule);
    };
    for_each_other(problem, context, meter, offer);
    if (context.start) offer(detail::answer<D>(problem, *context.start));
    auto const bound = bound_streams<D>(problem);
    result.bound = bound.value;
    result.binding = bound.binding;
    if (result.timeline.latency > result.bound && !meter.spent())
      search(problem, context, starts, meter, result);
    result.evaluations += meter.evaluations();
    result.exhausted = result.timeline.latency <= result.bound;
    return result;
  }

  friend auto operator==(basic_best const&, basic_best const&) -> bool = default;

private:
  using plan = later<mars::detail::segment_plan, D>;
  using segment = later<mars::detail::stream_segment, D>;
  using segment_key = later<std::vector<std::int64_t>, D>;
  using segment_search = mars::detail::basic_segment_search<D>;

  /// Of larger problems covers and stages are not asked for: their memory grows with V².
  static constexpr std::size_t most_covered = 20'000;

  /// One stream first: it is there when time runs out at once.
  template <class Offer>
  static void for_each_other(later<stream_problem, D> const& problem,
                             later<stream_context, D> const& context,
                             mars::detail::stream_meter& meter, Offer const& offer) {
    later<stream_context, D> part;
    part.stop = context.stop;
    if (context.budget.wall) part.budget.wall = *context.budget.wall / 3;
    auto const ask = [&](auto const& policy) {
      if (!meter.spent()) offer(policy(problem, part));
    };
    offer(basic_sequential<D>{}(problem, part));
    ask(basic_critical_path<D>{});
    for (auto const demand : {opara_demand::shared_memory, opara_demand::max_of_three,
                              opara_demand::duration, opara_demand::arithmetic_intensity})
      ask(basic_opara<D>{.demand = demand});
    if (problem.size() > most_covered) return;
    ask(basic_path_cover<D>{});
    ask(basic_chain_cover<D>{});
    ask(basic_ios<D>{});
  }

  struct part {
    segment_search search;
    plan best;
    mars::detail::time_ticks bound;
    std::size_t weight;
  };

  /// Segments simulated before the next part has its turn, while there is time.
  static constexpr std::uint64_t a_round = 2'000;
  /// Of a segment with so many nodes, unless a number of evaluations is given: three million nodes are
  /// simulated, fewer above a thousand, where more run beside each other and each costs more.
  [[nodiscard]] static auto most_moves(std::size_t size) -> double {
    auto const n = static_cast<double>(size);
    return 3e6 / n * std::min(1.0, 1000 / n);
  }

  void search(later<stream_problem, D> const& problem, later<stream_context, D> const& context,
              std::vector<later<stream_schedule, D>> const& starts,
              mars::detail::stream_meter& meter, later<stream_solution, D>& result) const {
    auto segments = mars::detail::find_segments<D>(problem);
    if (problem.options().mode == launch_mode::eager) {
      // The host's time is shared by all: one segment.
      segment all;
      for (std::uint32_t v = 0; v < problem.size(); ++v) all.nodes.push_back(v);
      segments.assign(1, std::move(all));
    }
    std::map<segment_key, std::size_t> known;
    std::vector<part> parts;
    later<std::vector<std::size_t>, D> part_of(segments.size(), no_part);
    std::size_t weights = 0;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      if (segments[i].nodes.size() < 2) continue;
      segment_search of{problem, segments[i]};
      auto const [at, added] = known.emplace(key_of(of.problem(), segments[i]), parts.size());
      part_of[i] = at->second;
      if (!added) continue;
      plan best;
      for (auto const& s : starts) {
        auto p = of.restrict(s);
        if (p.value < best.value) best = std::move(p);
      }
      auto const bounds = mars::detail::segment_bound<D>(problem, segments[i]);
      auto const begun = segments[i].entry == segment::none
                             ? std::int64_t{0}
                             : problem.alone(segments[i].entry).count();
      auto const bound =
          *std::max_element(bounds.begin(), bounds.end()) + begun + problem.overheads().graph;
      auto const weight = is_chain(of.problem()) ? 0 : of.size() * of.size();
      weights += weight;
      parts.push_back({std::move(of), std::move(best), bound, weight});
    }
    // Time is spent in rounds, so that every part has its share of it; a number of evaluations at once.
    bool const timed = !context.budget.evaluations && context.budget.wall;
    auto const budget = static_cast<double>(timed ? a_round : meter.limit());
    random_stream const random{seed, 0x7374726d};
    for (std::uint64_t round = 0; weights > 0 && !meter.spent(); ++round) {
      bool open = false;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        auto& x = parts[i];
        if (x.weight == 0 || x.best.value <= x.bound || x.best.value >= never.count()) continue;
        open = true;
        auto moves = budget * static_cast<double>(x.weight) / static_cast<double>(weights);
        if (!context.budget.evaluations) moves = std::min(moves, most_moves(x.search.size()));
        x.search.improve(x.best, x.bound, static_cast<std::uint64_t>(moves) + 1,
                         random.substream(round).substream(i),
                         [&] { return meter.count(), meter.spent(); });
      }
      if (!timed || !open) break;
    }
    later<stream_schedule, D> joined = join(problem, segments, part_of, parts);
    auto found = detail::answer<D>(problem, std::move(joined));
    if (found.timeline.latency >= result.timeline.latency) return;
    result.timeline = std::move(found.timeline);
    result.schedule = std::move(found.schedule);
  }

  static constexpr std::size_t no_part = static_cast<std::size_t>(-1);

  /// The segments after each other, each as its part says; what has no part, on its entry's stream.
  [[nodiscard]] static auto join(later<stream_problem, D> const& problem,
                                 std::vector<segment> const& segments,
                                 later<std::vector<std::size_t>, D> const& part_of,
                                 std::vector<part> const& parts) -> later<stream_schedule, D> {
    later<stream_schedule, D> s;
    s.stream_of.resize(problem.size());
    for (std::size_t i = 0; i < segments.size(); ++i) {
      auto nodes = segments[i].nodes;
      if (part_of[i] == no_part) {
        if (segments[i].entry != segment::none)
          for (auto const v : nodes) s.stream_of[v] = s.stream_of[segments[i].entry];
        s.launch_order.insert(s.launch_order.end(), nodes.begin(), nodes.end());
        continue;
      }
      auto const& best = parts[part_of[i]].best;
      bool const entry = segments[i].entry != segment::none;
      if (entry) nodes.insert(nodes.begin(), segments[i].entry);
      // Stream 0 of the segment is the one its entry has got; the others take names in order.
      auto const zero = entry ? s.stream_of[nodes.front()].value : 0;
      auto const named = [zero](std::uint32_t x) {
        return stream_id{x == 0 ? zero : x <= zero ? x - 1 : x};
      };
      for (std::size_t u = entry ? 1 : 0; u < best.units.size(); ++u) {
        for (auto const k : best.units[u]) {
          s.launch_order.push_back(nodes[k]);
          s.stream_of[nodes[k]] = named(best.streams[u]);
        }
        if (best.units[u].size() < 2) continue;
        auto& group = s.merged.emplace_back();
        for (auto const k : best.units[u]) group.push_back(nodes[k]);
      }
    }
    renumber(s);
    return s;
  }

  /// Streams by their first launch, without holes.
  static void renumber(later<stream_schedule, D>& s) {
    later<std::vector<stream_id>, D> names(s.streams(), stream_id{no_name});
    std::size_t next = 0;
    for (auto const v : s.launch_order) {
      auto& name = names[s.stream_of[v].index()];
      if (name.value == no_name) name = stream_id{next++};
    }
    for (auto& x : s.stream_of) x = names[x.index()];
  }
  static constexpr std::uint32_t no_name = 0xFFFF'FFFF;

  [[nodiscard]] static auto is_chain(later<stream_problem, D> const& p) -> bool {
    for (std::size_t v = 1; v < p.size(); ++v)
      if (p.inputs(v).size() != 1 || p.inputs(v)[0] + 1 != v) return false;
    return true;
  }

  /// What a segment's best plan depends on: structure and prices, not names.
  [[nodiscard]] static auto key_of(later<stream_problem, D> const& p, segment const& s)
      -> segment_key {
    segment_key key{s.entry != segment::none ? 1 : 0, s.exit != segment::none ? 1 : 0,
                    s.exit == segment::none ? -1 : static_cast<std::int64_t>(p.size())};
    for (std::size_t v = 0; v < p.size(); ++v) {
      key.push_back(static_cast<std::int64_t>(p.kernels(v).size()));
      for (auto const& k : p.kernels(v))
        key.insert(key.end(),
                   {k.blocks, k.warps, k.registers, k.shared,
                    std::bit_cast<std::int64_t>(k.compute), std::bit_cast<std::int64_t>(k.memory),
                    std::bit_cast<std::int64_t>(k.memory_efficiency),
                    std::bit_cast<std::int64_t>(k.wave)});
      key.push_back(static_cast<std::int64_t>(p.inputs(v).size()));
      for (auto const u : p.inputs(v)) key.push_back(u);
      key.push_back(p.may_merge(v) ? 1 : 0);
      if (!p.may_merge(v)) continue;
      auto const& c = *p.node(v).convolution;
      for (auto const* list : {&c.input, &c.options.kernel, &c.options.stride, &c.options.padding,
                               &c.options.dilation}) {
        key.push_back(static_cast<std::int64_t>(list->size()));
        key.insert(key.end(), list->begin(), list->end());
      }
      key.insert(key.end(), {c.options.out_channels, c.options.groups});
      for (auto const letter : c.activation) key.push_back(letter);
    }
    return key;
  }
};
using best = basic_best<>;

} // namespace mars::scheduling
