// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Needs Boost.Graph (headers only). With -fno-exceptions the including program must define
// boost::throw_exception, as Boost asks; mars never makes it run.

#include <mars/interconnect/detail/common.hpp>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::interconnect {

/// What `arbitrary::build` needs to know.
struct topology {
  std::size_t accelerators{};
  std::vector<link> links{}; ///< directed; nameless ones get a name
  forwarding_mode forwarding{forwarding_mode::cut_through};
  bool accelerators_forward{true}; ///< may a route pass through an accelerator?
  bytes reference{1'000'000};      ///< routes are the fastest for store and forward of this size
};

/// Any directed links among accelerators, switches and hosts. Routes are fixed at construction:
/// shortest by Σ (latency + reference/bandwidth), then by fewest links (Dijkstra, O(n·m log m) for
/// n accelerators and m links); transfer_time is O(1).
class arbitrary {
public:
  /// Errors: a bandwidth that is not above 0, a latency that is negative or not finite, an endpoint
  /// outside the system, a link from a node to itself, a pair of accelerators without a route.
  [[nodiscard]] static auto build(topology t) -> expected<arbitrary>;

  [[nodiscard]] static constexpr auto name() -> std::string_view { return "arbitrary"; }
  [[nodiscard]] auto size() const -> std::size_t { return size_; }
  [[nodiscard]] auto forwarding() const -> forwarding_mode { return forwarding_; }
  /// What `build` was told, names of links filled in: the same value again makes an equal network.
  [[nodiscard]] auto described() const -> topology {
    return {size_, links_, forwarding_, accelerators_forward_, reference_};
  }
  [[nodiscard]] auto links() const -> std::span<link const> { return links_; }
  [[nodiscard]] auto route(accelerator_id from, accelerator_id to) const
      -> std::span<link_id const> {
    auto const p = pair(from, to);
    return std::span{crossed_}.subspan(first_[p], first_[p + 1] - first_[p]);
  }
  [[nodiscard]] auto transfer_time(accelerator_id from, accelerator_id to, bytes size) const
      -> seconds {
    auto const& c = costs_[pair(from, to)];
    return c.latency + static_cast<double>(size.count()) * c.per_byte;
  }
  /// A value of this class is always valid; see `build`.
  [[nodiscard]] auto validate() const -> expected<void> { return {}; }

  friend auto operator==(arbitrary const&, arbitrary const&) -> bool = default;

private:
  struct cost {
    seconds latency;
    seconds per_byte;
    friend auto operator==(cost const&, cost const&) -> bool = default;
  };

  arbitrary() = default;
  [[nodiscard]] auto pair(accelerator_id from, accelerator_id to) const -> std::size_t {
    return from.index() * size_ + to.index();
  }

  std::size_t size_{};
  forwarding_mode forwarding_{};
  bool accelerators_forward_{true};
  bytes reference_{};
  std::vector<link> links_;
  std::vector<std::size_t> first_; ///< where the route of a pair begins in crossed_
  std::vector<link_id> crossed_;
  std::vector<cost> costs_;
};

namespace detail {

/// Length of a path: seconds, then links, so that free links cannot make a route wander.
struct path_length {
  double time{};
  std::size_t hops{};

  friend auto operator<(path_length const& a, path_length const& b) -> bool {
    return a.time != b.time ? a.time < b.time : a.hops < b.hops;
  }
  friend auto operator+(path_length const& a, path_length const& b) -> path_length {
    return {a.time + b.time, a.hops + b.hops};
  }
  [[nodiscard]] static auto unreachable() -> path_length {
    return {std::numeric_limits<double>::infinity(), std::numeric_limits<std::size_t>::max() / 2};
  }
};

[[nodiscard]] inline auto check_link(topology const& t, std::size_t i) -> expected<void> {
  auto const& l = t.links[i];
  auto const path = at("links", i);
  for (auto const& [side, e] : {std::pair{".from", l.from}, std::pair{".to", l.to}})
    if (e.kind == node_kind::accelerator && e.index >= t.accelerators)
      return fail(error_code::out_of_range, path + side, std::to_string(e.index),
                  std::string{"an accelerator below "} + std::to_string(t.accelerators));
  if (l.from == l.to)
    return fail(error_code::invalid_argument, path, to_text(l.from), "two different endpoints");
  if (auto r = check_bandwidth(path + ".bandwidth", l.bandwidth); !r) return r;
  return check_latency(path + ".latency", l.latency);
}

} // namespace detail

inline auto arbitrary::build(topology t) -> expected<arbitrary> {
  using graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS,
                                      boost::no_property, std::size_t>; // edges carry link numbers
  if (auto r = detail::check_count("accelerators", t.accelerators); !r)
    return unexpected{std::move(r).error()};
  if (t.reference < bytes{0})
    return fail(error_code::out_of_range, "reference", std::to_string(t.reference.count()),
                "at least 0 bytes");
  for (std::size_t i = 0; i < t.links.size(); ++i)
    if (auto r = detail::check_link(t, i); !r) return unexpected{std::move(r).error()};

  // Accelerators come first; switches and hosts get vertices as they are met.
  std::map<endpoint, std::size_t> others;
  auto const vertex = [&](endpoint e) {
    if (e.kind == node_kind::accelerator) return std::size_t{e.index};
    return others.try_emplace(e, t.accelerators + others.size()).first->second;
  };
  std::vector<std::pair<std::size_t, std::size_t>> ends;
  for (auto& l : t.links) {
    // One at a time: the order of evaluation decides the numbers of new vertices.
    auto const from = vertex(l.from);
    auto const to = vertex(l.to);
    ends.emplace_back(from, to);
    if (l.name.empty()) l.name = detail::to_text(l.from) + "->" + detail::to_text(l.to);
  }
  auto const vertices = t.accelerators + others.size();
  graph g{vertices};
  for (std::size_t i = 0; i < ends.size(); ++i)
    boost::add_edge(ends[i].first, ends[i].second, i, g);

  arbitrary net;
  net.size_ = t.accelerators;
  net.forwarding_ = t.forwarding;
  net.accelerators_forward_ = t.accelerators_forward;
  net.reference_ = t.reference;
  net.first_.push_back(0);
  std::vector<detail::path_length> lengths(t.links.size());
  std::vector<detail::path_length> distance(vertices);
  std::vector<std::size_t> arrival(vertices); // the link a vertex is reached by

  struct remember : boost::dijkstra_visitor<> {
    std::vector<std::size_t>* arrival;
    explicit remember(std::vector<std::size_t>* a) : arrival{a} {}
    void edge_relaxed(graph::edge_descriptor e, graph const& in) const {
      (*arrival)[boost::target(e, in)] = in[e];
    }
  };

  for (std::size_t from = 0; from < t.accelerators; ++from) {
    for (std::size_t i = 0; i < t.links.size(); ++i) {
      auto const& l = t.links[i];
      bool const closed =
          !t.accelerators_forward && ends[i].first < t.accelerators && ends[i].first != from;
      lengths[i] = closed ? detail::path_length::unreachable()
                          : detail::path_length{(l.latency + t.reference / l.bandwidth).count(), 1};
    }
    boost::dijkstra_shortest_paths(
        g, from,
        boost::weight_map(
            boost::make_iterator_property_map(lengths.begin(), boost::get(boost::edge_bundle, g)))
            .distance_map(boost::make_iterator_property_map(distance.begin(),
                                                            boost::get(boost::vertex_index, g)))
            .distance_zero(detail::path_length{})
            .distance_inf(detail::path_length::unreachable())
            .distance_compare(std::less<detail::path_length>{})
            .distance_combine(std::plus<detail::path_length>{})
            .visitor(remember{&arrival}));
    for (std::size_t to = 0; to < t.accelerators; ++to) {
      if (!(distance[to] < detail::path_length::unreachable()))
        return fail(error_code::invalid_argument, "links",
                    std::string{"no route from accelerator "} + std::to_string(from) +
                        " to accelerator " + std::to_string(to),
                    "a route between every two accelerators");
      auto const begin = static_cast<std::ptrdiff_t>(net.crossed_.size());
      cost c{};
      for (auto v = to; v != from; v = ends[arrival[v]].first) {
        auto const& l = t.links[arrival[v]];
        auto const per_byte = bytes{1} / l.bandwidth;
        c.latency += l.latency;
        c.per_byte = t.forwarding == forwarding_mode::cut_through ? std::max(c.per_byte, per_byte)
                                                                  : c.per_byte + per_byte;
        net.crossed_.push_back(link_id{arrival[v]});
      }
      std::reverse(net.crossed_.begin() + begin, net.crossed_.end());
      net.first_.push_back(net.crossed_.size());
      net.costs_.push_back(c);
    }
  }
  net.links_ = std::move(t.links);
  return net;
}

} // namespace mars::interconnect
