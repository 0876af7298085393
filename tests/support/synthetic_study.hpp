// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/random.hpp>
#include <mars/exploration/study.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// A study without an engine: times from a made-up product of factors and noise, everything else derived
// from the cells by the shortest loop that does it. For pages and tables; no figure in it means anything.

namespace mars_test {

struct study_shape {
  std::size_t networks{3}, compressions{4}, primitives{5}, designs{3};
  bool measured{true};
};

class study_builder {
public:
  explicit study_builder(study_shape shape) : shape_{shape} {
    name_axes();
    fill_cells();
    fill_fronts();
    fill_moves();
    fill_rest();
  }
  [[nodiscard]] auto take() -> mars::exploration::study { return std::move(s_); }

private:
  using coordinate = mars::exploration::coordinate;
  using axis_id = mars::exploration::axis_id;

  auto noise() -> double { return 2 * random_.uniform() - 1; }
  [[nodiscard]] static auto first(std::vector<mars::exploration::axis_element> all, std::size_t n)
      -> std::vector<mars::exploration::axis_element> {
    all.resize(std::min(n, all.size()));
    return all;
  }
  void name_axes() {
    s_.axes = {{{"network", first({{"resnet18", "1.8 GMAC", {}},
                                   {"mobilenet_v2", "0.3 GMAC", {}},
                                   {"vgg16", "15.5 GMAC", {}},
                                   {"resnet50", "4.1 GMAC", {}},
                                   {"efficientnet_b0", "0.4 GMAC", {}},
                                   {"mobilenet_v1", "0.6 GMAC", {}},
                                   {"densenet161", "7.7 GMAC", {}}},
                                  shape_.networks)},
                {"compression", first({{"none", "32-bit floats", {}},
                                       {"weight_pruning_80", "80 % of the weights are zero", 0.8},
                                       {"int8", "8-bit integers", {}},
                                       {"channel_pruning_50", "half of the channels", {}},
                                       {"bf16", "", {}},
                                       {"weight_pruning_50", "half of the weights are zero", 0.5},
                                       {"weight_pruning_95", "", 0.95},
                                       {"channel_pruning_25", "", {}}},
                                      shape_.compressions)},
                {"primitive", first({{"direct", "", {}},
                                     {"im2col_gemm", "", {}},
                                     {"csr_direct", "", {}},
                                     {"winograd_f4x3", "", {}},
                                     {"spatial_pack", "", {}},
                                     {"csr_gemm", "", {}},
                                     {"winograd_f2x3", "", {}},
                                     {"csr_spatial_pack", "", {}}},
                                    shape_.primitives)},
                {"code generation", {{"untuned", "", {}}, {"tuned", "", {}}}},
                {"design", first({{"server_cpu", "analytic", {}},
                                  {"mobile_gpu", "analytic", {}},
                                  {"this_cpu", "measured", {}},
                                  {"edge_gpu", "analytic", {}},
                                  {"mobile_cpu", "analytic", {}}},
                                 shape_.designs)}}};
  }
  [[nodiscard]] auto extent(std::size_t a) const -> std::size_t {
    return s_.axes[a].elements.size();
  }
  [[nodiscard]] auto is_sparse(std::size_t primitive) const -> bool {
    return s_.axes[2].elements[primitive].name.rfind("csr", 0) == 0;
  }
  [[nodiscard]] auto index(coordinate const& at) const -> std::size_t {
    std::size_t i = 0;
    for (std::size_t a = 0; a < at.size(); ++a) i = i * extent(a) + at[a];
    return i;
  }
  /// ln time; nothing if the cell cannot be.
  [[nodiscard]] auto time(coordinate const& at) const -> double const* {
    auto const c = cell_[index(at)];
    return c < 0 ? nullptr : &log_time_[static_cast<std::size_t>(c)];
  }

  void fill_cells() {
    using mars::exploration::provenance;
    s_.rejections = {{"executes_for", "the design has no unit for 8-bit integers", 0},
                     {"accepts_for", "the primitive keeps no zeros out of dense weights", 0}};
    constexpr std::array<double, 7> work{1.8e9, 3e8, 1.55e10, 4.1e9, 3.9e8, 5.7e8, 7.7e9};
    constexpr std::array<double, 7> parameters{11.7e6, 3.5e6, 138e6, 25.5e6, 5.2e6, 4.2e6, 28.5e6};
    constexpr std::array<double, 7> accuracy{69.76, 71.88, 71.59, 76.15, 77.69, 70.9, 77.65};
    constexpr std::array<double, 5> rate{140e9, 60e9, 95e9, 400e9, 18e9};
    constexpr std::array<double, 8> of_primitive{0, 0.35, 0.7, -0.5, -0.05, 1.0, -0.3, 0.9};
    constexpr std::array<double, 8> loss{0, 0.7, 0.2, 1.6, 0.08, 0.3, 4, 0.6};
    for (std::size_t n = 0; n < extent(0); ++n)
      for (std::size_t c = 0; c < extent(1); ++c)
        for (std::size_t p = 0; p < extent(2); ++p)
          for (std::size_t g = 0; g < extent(3); ++g)
            for (std::size_t d = 0; d < extent(4); ++d) {
              coordinate const at{static_cast<std::uint16_t>(n), static_cast<std::uint16_t>(c),
                                  static_cast<std::uint16_t>(p), static_cast<std::uint16_t>(g),
                                  static_cast<std::uint16_t>(d)};
              auto const level = s_.axes[1].elements[c].level;
              int const why = c == 2 && d == 1 ? 0 : is_sparse(p) && !level ? 1 : -1;
              if (why >= 0) {
                ++s_.rejections[static_cast<std::size_t>(why)].cells;
                s_.rejected.push_back({at, static_cast<std::uint16_t>(why)});
                cell_.push_back(-1);
                continue;
              }
              auto l = std::log(work[n] / rate[d]) + of_primitive[p] + 0.12 * noise();
              if (g == 0) l += 0.5 + 0.5 * std::sin(3.0 * static_cast<double>(p + 2 * d));
              if (is_sparse(p)) l += std::log(1.05 - level.value_or(0));
              if (c == 2) l -= d == 0 ? 1.1 : 0.2 - 0.15 * static_cast<double>(d);
              if (c == 4) l += d == 3 ? -0.6 : 0.15;
              if (c == 3) l -= 1.1;
              if (c == 7) l -= 0.4;
              auto const share = c == 3 ? 0.3 : c == 7 ? 0.6 : 1.0;
              auto const width = c == 2 ? 1.0 : c == 4 ? 2.0 : 4.0;
              mars::exploration::cell x;
              x.at = at;
              x.time = mars::seconds{std::exp(l)};
              x.reorders = x.time * 0.03;
              x.weights = mars::bytes{static_cast<std::int64_t>(
                  parameters[n] * share * (is_sparse(p) ? 8 * (1 - level.value_or(0)) : width))};
              x.workspace = mars::bytes{p == 1 ? 4'700'000 : 0};
              x.valid = mars::macs{static_cast<std::int64_t>(work[n] * share)};
              x.executed = work[n] * share * (p == 3 ? 0.35 : 1.02);
              x.fallback = p == 3 ? 0.21 : 0;
              if ((c != 3 || n < 2) && c < 6 && !(c == 1 && n == 2))
                x.accuracy = {c == 5 ? provenance::measured : provenance::published,
                              accuracy[n] - loss[c], accuracy[n], "a table of the makers",
                              "top-1, ImageNet"};
              if (shape_.measured && d == 2 && n < 2) {
                auto const off = 0.08 * noise() + (p == 2 ? 0.1 : 0);
                x.run = mars::exploration::cell_measurement{mars::seconds{std::exp(l + off) * 0.97},
                                                            mars::seconds{std::exp(l) * 0.97}, 0.97,
                                                            off};
              }
              cell_.push_back(static_cast<std::ptrdiff_t>(s_.cells.size()));
              log_time_.push_back(l);
              s_.cells.push_back(std::move(x));
            }
    s_.questions = 11 * s_.cells.size();
    s_.operators = 40 * extent(0);
    s_.timing_is_measured = shape_.measured;
  }

  void fill_fronts() {
    for (std::size_t d = 0; d < extent(4); ++d)
      for (bool const known : {true, false}) {
        add_front({}, d, known);
        for (std::size_t n = 0; n < extent(0); ++n) add_front(n, d, known);
      }
  }
  void add_front(std::optional<std::size_t> network, std::size_t d, bool known) {
    using mars::exploration::criterion;
    std::vector<std::size_t> group;
    for (std::size_t i = 0; i < s_.cells.size(); ++i)
      if (auto const& c = s_.cells[i];
          (!network || c.at[0] == *network) && c.at[4] == d &&
          (c.accuracy.known != mars::exploration::provenance::unknown) == known)
        group.push_back(i);
    if (group.empty()) return;
    mars::exploration::pareto_front f;
    if (network) f.network = static_cast<std::uint16_t>(*network);
    f.design = static_cast<std::uint16_t>(d);
    f.criteria = {criterion::model_bytes, criterion::time};
    if (known) f.criteria.insert(f.criteria.begin(), criterion::accuracy);
    f.candidates = group.size();
    for (auto const i : group) {
      auto const& c = s_.cells[i];
      auto const beats = [&](std::size_t k) {
        auto const& o = s_.cells[k];
        bool const least = o.time <= c.time && o.weights <= c.weights &&
                           (!known || o.accuracy.top1 >= c.accuracy.top1);
        return k != i && least && (o.time < c.time || o.weights < c.weights);
      };
      if (std::none_of(group.begin(), group.end(), beats)) f.cells.push_back(i);
    }
    std::stable_sort(f.cells.begin(), f.cells.end(),
                     [&](auto a, auto b) { return s_.cells[a].time < s_.cells[b].time; });
    s_.fronts.push_back(std::move(f));
  }

  /// Moves from the base of every network; networks are moved from the first.
  void fill_moves() {
    auto const moved = [](coordinate at, std::size_t a, std::size_t to) {
      at[a] = static_cast<std::uint16_t>(to);
      return at;
    };
    for (std::size_t n = 0; n < extent(0); ++n) {
      coordinate const base{static_cast<std::uint16_t>(n), 0, 0, 0, 0};
      auto const* l00 = time(base);
      for (std::size_t a = n == 0 ? 0 : 1; a < base.size(); ++a)
        for (std::size_t i = 0; i < extent(a); ++i) {
          auto const* l10 = i == base[a] ? nullptr : time(moved(base, a, i));
          if (l10 == nullptr) continue;
          s_.perturbations.push_back(
              {static_cast<axis_id>(a), base, static_cast<std::uint16_t>(i), *l10 - *l00});
          for (auto b = a + 1; b < base.size(); ++b)
            for (std::size_t k = 0; k < extent(b); ++k) {
              auto const* l01 = k == base[b] ? nullptr : time(moved(base, b, k));
              auto const* l11 = time(moved(moved(base, a, i), b, k));
              if (l01 == nullptr || l11 == nullptr) continue;
              s_.interactions.push_back({static_cast<axis_id>(a), static_cast<axis_id>(b), base,
                                         static_cast<std::uint16_t>(i),
                                         static_cast<std::uint16_t>(k), *l11 - *l10 - *l01 + *l00});
            }
        }
    }
    s_.interactions_tried = s_.interactions.size();
    std::stable_sort(s_.interactions.begin(), s_.interactions.end(),
                     [](auto& a, auto& b) { return std::abs(a.effect) > std::abs(b.effect); });
  }

  /// The best primitive's ln time and number.
  [[nodiscard]] auto best(coordinate at) const -> std::pair<double, std::uint16_t> {
    std::pair<double, std::uint16_t> least{HUGE_VAL, 0};
    for (at[2] = 0; at[2] < extent(2); ++at[2])
      if (auto const* l = time(at); l != nullptr) least = std::min(least, {*l, at[2]});
    return least;
  }
  void fill_rest();

  study_shape shape_;
  mars::random_stream random_{7, 0};
  mars::exploration::study s_;
  std::vector<std::ptrdiff_t> cell_; ///< of the product: which cell; −1: cannot be
  std::vector<double> log_time_;     ///< by cell
};

inline void study_builder::fill_rest() {
  using namespace mars::exploration;
  auto const id = [](std::size_t i) { return static_cast<std::uint16_t>(i); };
  s_.variance = {
      variance_method::orthogonal, s_.cells.size() / 2, s_.cells.size() / 2, 1234.5, {}, {}};
  for (std::size_t a = 0; a < axis_count; ++a)
    for (std::size_t i = 0; i < extent(a); ++i)
      if (a != 2 || !is_sparse(i)) s_.variance.block[a].push_back(id(i));
  using enum mars::exploration::axis_id;
  for (auto const& [axes, share] :
       std::vector<std::pair<std::vector<axis_id>, double>>{{{network}, 0.604},
                                                            {{compression}, 0.052},
                                                            {{primitive}, 0.071},
                                                            {{code_generation}, 0.038},
                                                            {{design}, 0.171},
                                                            {{primitive, design}, 0.024},
                                                            {{compression, design}, 0.021},
                                                            {{primitive, code_generation}, 0.013},
                                                            {{code_generation, design}, 0.0058},
                                                            {{network, primitive}, 0.0002}})
    s_.variance.shares.push_back({axes, share * 1234.5, share});

  for (std::size_t q = 0; q < 4; ++q) {
    s_.correlations.push_back(
        {static_cast<quantity_id>(q), true, 0, 0, 0, s_.cells.size(), 0.5 - 0.2 * double(q), 0.6});
    for (std::size_t p = 0; p < extent(2); ++p)
      for (std::size_t d = 0; d < extent(4); ++d) {
        auto const tau = q == 3 ? 0.4 * noise() : 0.86 + 0.13 * noise();
        s_.correlations.push_back({static_cast<quantity_id>(q), false, id(p), 1, id(d), extent(0),
                                   tau, std::min(1.0, tau + 0.03)});
      }
    s_.correlation_ranges.push_back(
        {static_cast<quantity_id>(q), 40, q == 3 ? -0.6 : 0.62, q == 3 ? 0.2 : 0.9, 1.0});
  }
  s_.correlations.push_back({quantity_id::accuracy, false, 0, 0, 0, 1, {}, {}});

  for (std::size_t n = 0; n < extent(0); ++n)
    for (std::size_t d = 0; d < extent(4); ++d) {
      for (std::size_t g = 0; g < extent(3); ++g) {
        for (std::size_t p = 0; p < extent(2); ++p)
          for (std::size_t o = 0; o < extent(2); ++o)
            if (is_sparse(p) && !is_sparse(o)) {
              auto const at = 0.62 + 0.1 * double(d) + 0.07 * double(o) + 0.05 * noise();
              s_.break_evens.push_back({id(n), id(p), id(o), id(g), id(d),
                                        at < 0.95 ? std::optional{at} : std::nullopt, at < 0.6});
            }
        for (std::size_t c = 0; c < extent(1); ++c) {
          auto const [l, primitive] = best({id(n), id(c), 0, id(g), id(d)});
          if (!std::isfinite(l)) continue;
          best_algorithms b{id(n), id(c), id(g), id(d), n != 1, {}, {}, {}, {}, primitive, {}};
          b.uniform = mars::seconds{std::exp(l)};
          b.time = b.uniform * 0.85;
          b.reorders = b.time * 0.04;
          b.blind = b.time * 1.2;
          for (std::size_t v = 0; v < 21 + 15 * n; ++v) {
            auto const name = [&](double at) -> std::string const& {
              auto const k = static_cast<std::size_t>(at * double(extent(2)) * 0.999);
              return s_.axes[2].elements[is_sparse(k) ? 0 : k].name;
            };
            auto const run = name(0.5 + 0.5 * std::sin(0.3 * double(v + 3 * d)));
            bool const wish = random_.below(6) == 0;
            b.operators.push_back(
                {"layer" + std::to_string(v / 4) + ".conv" + std::to_string(v % 4), run,
                 wish ? name(0.99) : run, "nchw", v % 5 == 0 ? "nchwc" : "nchw",
                 b.time * (1.0 / (22.0 + 15.0 * double(n))), b.time * (v % 7 == 3 ? 0.004 : 0.0)});
          }
          s_.best.push_back(std::move(b));
        }
      }
      for (std::size_t c = 0; c < extent(1); ++c) {
        auto const [l0, untuned] = best({id(n), id(c), 0, 0, id(d)});
        auto const [l1, tuned] = best({id(n), id(c), 0, 1, id(d)});
        if (!std::isfinite(l0) || !std::isfinite(l1)) continue;
        ++s_.flip_candidates;
        if (untuned != tuned) s_.flips.push_back({id(n), id(c), id(d), untuned, tuned});
      }
    }
  for (std::size_t n = 0; n < extent(0); ++n)
    for (std::size_t c = 1; c < extent(1); ++c)
      for (std::size_t g = 0; g < extent(3); ++g) {
        compression_effect e{id(n), id(c), id(g), {}, false};
        double low = 0, high = 0;
        for (std::size_t d = 0; d < extent(4); ++d) {
          auto const with = best({id(n), id(c), 0, id(g), id(d)}).first;
          auto const without = best({id(n), 0, 0, id(g), id(d)}).first;
          e.by_design.push_back(std::isfinite(with) ? std::optional{with - without} : std::nullopt);
          low = std::min(low, e.by_design.back().value_or(0));
          high = std::max(high, e.by_design.back().value_or(0));
        }
        e.sign_changes = low < 0 && high > 0;
        s_.compression_effects.push_back(std::move(e));
      }
  s_.findings = {{"uncorrelated",
                  "Model size, accuracy and inference time are not guaranteed to correlate.",
                  verdict::holds, "Pooled tau-b of bytes with time is 0.50, of accuracy −0.10."},
                 {"hardware_dependent", "The speed-up of a compression depends on the hardware.",
                  verdict::holds, "In 11 of 18 rows the sign changes between designs."},
                 {"tuning_flips", "Auto-tuning can change which algorithm is best.",
                  verdict::does_not_hold, "The winner changes in 0 of 48 choices."},
                 {"interactions", "Perturbations interact across the layers of the stack.",
                  verdict::cannot_be_said, "No complete block has two elements on two axes."}};
}

[[nodiscard]] inline auto make_synthetic_study(study_shape shape = {}) -> mars::exploration::study {
  return study_builder{shape}.take();
}

} // namespace mars_test
