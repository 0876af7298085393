// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/report/data.hpp>
#include <mars/io/report/detail/lanes.hpp>
#include <mars/io/report/detail/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

// The drawing of the system. Accelerators stand on an ellipse, those with links among themselves side
// by side; switches and hosts inside, the further from accelerators the closer to the middle. Rings,
// full meshes, groups through a host, switches and trees come out without a node on a line. A large
// system of direct links only (a mesh or torus) is drawn as a grid.

namespace mars::io::detail {

struct point {
  double x{}, y{};
};

class topology_layout {
public:
  static constexpr double width = 560;
  static constexpr double height = 380;

  explicit topology_layout(report_data const& r) : at_(r.nodes.size()), n_{r.accelerators.size()} {
    neighbours_.resize(r.nodes.size());
    for (auto const& l : r.links) {
      neighbours_[l.from].push_back(l.to);
      neighbours_[l.to].push_back(l.from);
    }
    auto const groups = components();
    radius_ = n_ <= 12 ? 19 : n_ <= 24 ? 14 : n_ <= 80 ? 9 : 6;
    if (n_ == r.nodes.size() && groups.size() == 1 && n_ > 12)
      place_grid();
    else
      place_rings(groups);
  }

  [[nodiscard]] auto operator[](std::size_t node) const -> point { return at_[node]; }
  [[nodiscard]] auto radius() const -> double { return radius_; }
  /// A straight line would pass through other nodes of the grid.
  [[nodiscard]] auto is_long(std::size_t a, std::size_t b) const -> bool {
    return spacing_ > 0 && std::hypot(at_[a].x - at_[b].x, at_[a].y - at_[b].y) > 1.6 * spacing_;
  }

private:
  /// Accelerators with links among themselves, or under the same switch.
  [[nodiscard]] auto components() const -> std::vector<std::vector<std::size_t>> {
    std::vector<std::size_t> label(n_, n_);
    std::vector<std::vector<std::size_t>> out;
    bool const direct =
        std::any_of(neighbours_.begin(), neighbours_.begin() + offset(n_), [&](auto const& near) {
          return std::any_of(near.begin(), near.end(), [&](auto k) { return k < n_; });
        });
    auto const visit = [&](auto const& self, std::size_t a) -> void {
      label[a] = out.size() - 1;
      out.back().push_back(a);
      for (auto const b : neighbours_[a]) {
        if (b < n_ && label[b] == n_) self(self, b);
        if (b >= n_ && !direct)
          for (auto const c : neighbours_[b])
            if (c < n_ && label[c] == n_) self(self, c);
      }
    };
    for (std::size_t a = 0; a < n_; ++a)
      if (label[a] == n_) {
        out.emplace_back();
        visit(visit, a);
        std::sort(out.back().begin(), out.back().end());
      }
    return out;
  }

  void place_rings(std::vector<std::vector<std::size_t>> const& groups) {
    constexpr double turn = 2 * std::numbers::pi;
    double const gap = groups.size() > 1 && groups.size() < n_ ? 0.9 : 0;
    double const slots = static_cast<double>(n_) + gap * static_cast<double>(groups.size());
    std::vector<double> angle(at_.size());
    // The middle of the first group points to the left.
    double slot = -(static_cast<double>(groups.empty() ? 1 : groups.front().size()) - 1) / 2;
    for (auto const& g : groups) {
      for (auto const a : g) angle[a] = turn * (0.5 + slot++ / std::max(1.0, slots));
      slot += gap;
    }
    for (std::size_t a = 0; a < n_; ++a) at_[a] = on_ellipse(angle[a], n_ == 1 ? 0 : 1);

    // Levels of the others by their distance from accelerators.
    std::vector<std::size_t> level(at_.size());
    std::vector<std::size_t> wave(n_);
    std::iota(wave.begin(), wave.end(), std::size_t{0});
    std::size_t deepest = 0;
    for (std::size_t depth = 1; !wave.empty(); ++depth) {
      std::vector<std::size_t> next;
      for (auto const a : wave)
        for (auto const b : neighbours_[a])
          if (b >= n_ && level[b] == 0) {
            level[b] = deepest = depth;
            next.push_back(b);
          }
      wave = std::move(next);
    }
    for (std::size_t depth = 1; depth <= deepest; ++depth) {
      std::vector<std::size_t> here;
      for (std::size_t v = n_; v < at_.size(); ++v)
        if (level[v] == depth) here.push_back(v);
      if (here.size() == 1 && depth == deepest) {
        at_[here[0]] = on_ellipse(0, n_ == 1 ? 0.7 : 0);
        continue;
      }
      for (auto const v : here) { // towards what they serve, else evenly
        point sum;
        for (auto const b : neighbours_[v])
          if (level[b] + 1 == depth) sum.x += std::cos(angle[b]), sum.y += std::sin(angle[b]);
        angle[v] = std::hypot(sum.x, sum.y) > 0.3 ? std::atan2(sum.y, sum.x)
                                                  : turn * static_cast<double>(&v - here.data()) /
                                                        static_cast<double>(here.size());
        at_[v] =
            on_ellipse(angle[v], 1 - static_cast<double>(depth) / static_cast<double>(deepest + 1));
      }
    }
  }

  /// Rows as wide as the commonest distance between the numbers of neighbours.
  void place_grid() {
    std::vector<std::size_t> votes(n_ + 1);
    for (std::size_t a = 0; a < n_; ++a)
      for (auto const b : neighbours_[a])
        if (b > a + 1 && b - a < n_ && n_ % (b - a) == 0) ++votes[b - a];
    auto columns =
        static_cast<std::size_t>(std::max_element(votes.begin(), votes.end()) - votes.begin());
    if (columns < 2) columns = static_cast<std::size_t>(std::ceil(std::sqrt(n_)));
    auto const rows = (n_ + columns - 1) / columns;
    spacing_ = std::min({64.0, (width - 70) / static_cast<double>(columns),
                         (height - 60) / static_cast<double>(std::max<std::size_t>(rows, 1))});
    radius_ = std::min(radius_, spacing_ * 0.34);
    for (std::size_t a = 0; a < n_; ++a)
      at_[a] = {width / 2 + spacing_ * (static_cast<double>(a % columns) -
                                        (static_cast<double>(columns) - 1) / 2),
                height / 2 + spacing_ * (static_cast<double>(a / columns) -
                                         (static_cast<double>(rows) - 1) / 2)};
  }

  [[nodiscard]] static auto on_ellipse(double angle, double share) -> point {
    return {width / 2 + share * (width / 2 - 40) * std::cos(angle),
            height / 2 + share * (height / 2 - 32) * std::sin(angle)};
  }
  [[nodiscard]] static auto offset(std::size_t n) -> std::ptrdiff_t {
    return static_cast<std::ptrdiff_t>(n);
  }

  std::vector<point> at_;
  std::vector<std::vector<std::size_t>> neighbours_;
  std::size_t n_;
  double radius_{};
  double spacing_{}; ///< of a grid
};

/// Load classes: idle, then quarters of the busiest link's time.
[[nodiscard]] inline auto load_class(double busy, double busiest) -> int {
  if (!(busy > 0) || !(busiest > 0)) return 0;
  return std::clamp(static_cast<int>(std::ceil(4 * busy / busiest - 1e-9)), 1, 4);
}
inline constexpr std::array<double, 5> load_width{1.2, 2, 3, 4.2, 5.6};

[[nodiscard]] inline auto link_svg(report_data const& r, report_link const& l,
                                   topology_layout const& place, int load) -> std::string {
  auto const a = place[l.from];
  auto const b = place[l.to];
  double const length = std::max(1e-3, std::hypot(b.x - a.x, b.y - a.y));
  point const along{(b.x - a.x) / length, (b.y - a.y) / length};
  double const side = place.radius() > 10 ? 3.6 : 2; // each direction keeps to its own side
  point const from{a.x - along.y * side, a.y + along.x * side};
  point const to{b.x - along.y * side, b.y + along.x * side};
  auto path = fmt::format("M{:.1f} {:.1f}", from.x, from.y);
  if (place.is_long(l.from, l.to))
    path += fmt::format("Q{:.1f} {:.1f} ", (from.x + to.x) / 2 - along.y * 22,
                        (from.y + to.y) / 2 + along.x * 22);
  else
    path += "L";
  path += fmt::format("{:.1f} {:.1f}", to.x, to.y);
  auto const share = r.latency_s > 0 ? l.busy_s / r.latency_s : 0;
  return fmt::format("<path class=\"l{}\" stroke-width=\"{}\" d=\"{}\"><title>{} → {}\n{} per "
                     "inference at {}\nbusy {} ({} of the latency)</title></path>\n",
                     load, load_width[static_cast<std::size_t>(load)], path,
                     html_text(r.nodes[l.from].name), html_text(r.nodes[l.to].name),
                     bytes_text(l.bytes), quantity_text(l.bandwidth_bytes_per_s, "B/s"),
                     time_text(l.busy_s), percent_text(share));
}

[[nodiscard]] inline auto node_svg(report_data const& r, std::size_t v, point at, double radius,
                                   std::optional<std::size_t> set) -> std::string {
  auto const& node = r.nodes[v];
  if (node.what != report_node::kind::accelerator) {
    bool const text = radius > 10;
    double const half = text ? std::max(23.0, 3.4 * static_cast<double>(node.name.size())) : 7;
    auto const title = fmt::format("<title>{}</title>", html_text(node.name));
    auto out = fmt::format("<g>{}<rect class=\"other\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
                           "height=\"{}\" rx=\"{}\"/>",
                           title, at.x - half, at.y - (text ? 12 : 7), 2 * half, text ? 24 : 14,
                           node.what == report_node::kind::host ? 4
                           : text                               ? 12
                                                                : 7);
    if (text)
      out += fmt::format("<text class=\"inverse\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", at.x,
                         at.y + 3.5, html_text(node.name));
    return out + "</g>\n";
  }
  auto const& a = r.accelerators[v];
  auto const role = set ? fmt::format("set {} · {}", *set, r.sets[*set].design) : "not used";
  auto out =
      fmt::format("<g><title>{}\n{}\nmemory: {} of {} at the peak</title><circle class=\"{}\" "
                  "cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/>",
                  html_text(a.name), html_text(role), bytes_text(a.peak_bytes),
                  bytes_text(a.capacity_bytes), set ? set_class(*set) : "off", at.x, at.y, radius);
  if (radius > 8)
    out += fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>",
                       set ? "on" : "label", at.x, at.y + 4, v);
  return out + "</g>\n";
}

[[nodiscard]] inline auto topology_card(report_data const& r) -> std::string {
  constexpr std::size_t most_drawn = 600;
  topology_layout const place{r};
  auto const set = sets_by_accelerator(r);
  std::vector<std::size_t> by_load(r.links.size());
  std::iota(by_load.begin(), by_load.end(), std::size_t{0});
  std::stable_sort(by_load.begin(), by_load.end(),
                   [&](auto a, auto b) { return r.links[a].busy_s > r.links[b].busy_s; });
  double const busiest = by_load.empty() ? 0 : r.links[by_load.front()].busy_s;
  auto const shown = std::min(by_load.size(), most_drawn);

  auto out = fmt::format("<section class=\"card\"><h2>System<small>load of each link over one "
                         "inference</small></h2>\n<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" "
                         "aria-label=\"Accelerators and links\"><g class=\"links\">\n",
                         topology_layout::width, topology_layout::height);
  for (std::size_t k = shown; k-- > 0;) // the busiest on top
    out += link_svg(r, r.links[by_load[k]], place, load_class(r.links[by_load[k]].busy_s, busiest));
  out += "</g>\n<g class=\"nodes\">\n";
  for (std::size_t v = 0; v < r.nodes.size(); ++v)
    out += node_svg(r, v, place[v], place.radius(),
                    v < set.size() ? set[v] : std::optional<std::size_t>{});
  out += "</g></svg>\n<ul class=\"legend\">";
  constexpr std::size_t most_sets = 24;
  for (std::size_t s = 0; s < std::min(most_sets, r.sets.size()); ++s)
    out += fmt::format("<li><i class=\"swatch {}\"></i><span><b>set {}</b> {}, {}×</span></li>",
                       set_class(s), s, html_text(r.sets[s].design), r.sets[s].accelerators.size());
  if (r.sets.size() > most_sets)
    out += fmt::format("<li>… and {} more sets</li>", r.sets.size() - most_sets);
  out += "</ul>\n";
  if (r.links.empty())
    return out + "<p class=\"muted\">No links: the system has none, or does not list "
                 "them.</p></section>\n";
  out += "<ul class=\"legend\">";
  for (int c = 0; c < 5; ++c)
    out += fmt::format("<li><svg viewBox=\"0 0 26 10\"><path class=\"l{}\" fill=\"none\" "
                       "stroke-width=\"{}\" d=\"M0 5H26\"/></svg>{}</li>",
                       c, load_width[static_cast<std::size_t>(c)],
                       c == 0 ? std::string{"idle"}
                              : (c == 1 ? "busy ≤ " : "≤ ") + time_text(busiest * c / 4));
  out += "</ul>\n";
  if (shown < r.links.size())
    out += fmt::format("<p class=\"muted\">The {} busiest of {} links are drawn.</p>\n", shown,
                       r.links.size());
  return out + "</section>\n";
}

} // namespace mars::io::detail
