// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "study_measure.hpp"

#include "native/kernels.hpp"

#include <mars/compression/concept.hpp>
#include <mars/cost/cross_validation.hpp>
#include <mars/measurement/break_even.hpp>
#include <mars/measurement/choice.hpp>
#include <mars/measurement/measurements.hpp>
#include <mars/measurement/probes.hpp>
#include <mars/measurement/progress_bar.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace mars_map {

namespace {

namespace cost = mars::cost;
namespace measurement = mars::measurement;
using measurement::measured_layer;

constexpr std::string_view machine_name = "this_machine";

/// Networks and the shares of weights that are not zero, to be measured together.
struct pass {
  std::vector<mars::graph> networks;
  std::vector<double> densities{1};
};

/// The networks, all weights and with zeros, so that what is compared is measured together; with fewer
/// channels; layers of no network, for the model.
[[nodiscard]] auto passes_of(study_stack const& stack) -> mars::expected<std::array<pass, 3>> {
  std::array<pass, 3> all;
  auto &whole = all[0], &slim = all[1];
  std::set<double, std::greater<>> densities{1};
  stack.networks.for_each([&](auto const& network) {
    whole.networks.push_back(network.workload);
    stack.compressions.for_each([&](auto const& c) {
      constexpr auto effects = mars::effects_of<std::remove_cvref_t<decltype(c)>>();
      // There are no kernels of other widths; both kinds of pruning at once are left to the model.
      if (effects.element_bits != 0 || effects.zero_weights == effects.fewer_channels) return;
      auto g = c(network.workload);
      if (!g) return;
      if (effects.fewer_channels) {
        slim.networks.push_back(*std::move(g));
        return;
      }
      for (auto const v : operators(*g))
        if (auto const l = mars::layer_of(mars::shard{op(*g, v)}); l && l->density < 1)
          densities.insert(l->density);
    });
  });
  whole.densities.assign(densities.begin(), densities.end());
  auto probes = measurement::probe_layers();
  if (!probes) return mars::unexpected{std::move(probes).error()};
  all[2].networks.push_back(*std::move(probes));
  return all;
}

/// Nothing where no layer was measured with two shares of zeros.
[[nodiscard]] auto break_even_text(std::vector<measurement::layer_break_even> const& all)
    -> std::string {
  if (all.empty()) return {};
  auto text = fmt::format("\n{:<44} {:>6} {:>6} {:>6} {:>6} {:>8}\n",
                          "break-even sparsity, the network left out", "pairs", "seen", "error",
                          "worst", "in 0.10");
  std::map<std::string, std::vector<measurement::layer_break_even>> groups;
  for (auto const& b : all)
    groups[fmt::format("{} {} against {}", b.code, b.sparse, b.opponent)].push_back(b);
  for (auto const& [name, of] : groups) {
    auto const j = measurement::judge(of);
    text += fmt::format("{:<44} {:>6} {:>6} {:>6} {:>6} {:>8}\n", name, j.pairs, j.seen,
                        j.seen == 0 ? "-" : fmt::format("{:.3f}", j.mean),
                        j.seen == 0 ? "-" : fmt::format("{:.3f}", j.worst),
                        j.seen == 0 ? "-" : fmt::format("{:.0f} %", 100 * j.within_10));
  }
  return text;
}

} // namespace

auto measure_stack(options const& o, study_stack const& stack, mars::stop_token stop)
    -> mars::expected<measured_machine> {
  measurement::measurements cache;
  auto const& file = o.study.measurements;
  if (!file.empty() && std::filesystem::exists(file)) {
    auto loaded = measurement::load_measurements(file);
    if (!loaded) return mars::unexpected{std::move(loaded).error()};
    cache = *std::move(loaded);
  }
  measurement::measure_options how{.on = native_machine(), .cache = &cache};
  // The stack's kernels, and those that run what these do not support.
  std::vector<std::string> primitives{std::string{mars::primitive::direct{}.name()},
                                      std::string{mars::primitive::csr_direct{}.name()}};
  stack.primitives.for_each([&](auto const& p) { primitives.emplace_back(p.name()); });
  bool untuned = false, tuned = false;
  stack.code_generations.for_each(
      [&](auto const& g) { (g.name() == std::string_view{"tuned"} ? tuned : untuned) = true; });
  how.sources.push_back(native_kernels(std::move(primitives), untuned, tuned));

  auto const planned = passes_of(stack);
  if (!planned) return mars::unexpected{planned.error()};
  auto const& passes = *planned;
  double all = 0, done = 0;
  for (auto const& p : passes) all += static_cast<double>(p.networks.size() * p.densities.size());
  measurement::progress_bar bar{o.quiet ? nullptr : stderr};
  measured_machine result{.layers = {.on = how.on}};
  for (auto const& p : passes) {
    if (!result.layers.complete) break;
    auto const part = static_cast<double>(p.networks.size() * p.densities.size());
    how.densities = p.densities;
    auto some =
        measurement::measure_layers(p.networks, how, [&](measurement::job_progress const& at) {
          auto const share = at.total > 0 ? at.done / at.total : 1.0;
          bar.show({.done = done + part * share, .total = all, .what = at.what});
          return !stop.stop_requested();
        });
    if (!some) {
      // What other layers took is kept: a second try starts behind them.
      bar.clear();
      if (!file.empty()) (void)measurement::save_measurements(file, cache);
      return mars::unexpected{std::move(some).error()};
    }
    done += part;
    auto& rows = result.layers.rows;
    std::move(some->rows.begin(), some->rows.end(), std::back_inserter(rows));
    result.layers.clock = some->clock;
    result.layers.complete = some->complete;
    result.layers.restless += some->restless;
    if (&p == &passes.front()) result.whole = rows.size();
  }
  bar.clear();
  if (!file.empty())
    if (auto ok = measurement::save_measurements(file, cache); !ok)
      return mars::unexpected{std::move(ok).error()};
  auto fit = cost::calibration::fit(measurement::observations_of(result.layers),
                                    measurement::rates_of(result.layers.on));
  if (!fit) return mars::unexpected{std::move(fit).error()};
  result.fit = *std::move(fit);
  return result;
}

auto machine_design(measurement::machine const& m) -> study_design {
  study_design d;
  d.title = machine_name;
  d.only_wide = true;
  d.peak_rate = m.peak;
  d.lanes = m.lanes;
  // Levels end where reading becomes slower.
  mars::bytes before{};
  for (auto const& p : m.bandwidth.points) {
    if (d.bandwidth.count() > 0 && p.rate < d.bandwidth && d.caches.size() < 4)
      d.caches.push_back({before, d.bandwidth});
    if (d.bandwidth.count() == 0 || p.rate < d.bandwidth) d.bandwidth = p.rate;
    before = p.working_set;
  }
  return d;
}

auto study_times::operator()(mars::shard const& s, std::string_view primitive,
                             std::string_view code, std::string_view design) const
    -> std::optional<mars::seconds> {
  if (machine == nullptr || design != machine_name) return std::nullopt;
  auto const layer = mars::layer_of(s);
  if (!layer) return std::nullopt;
  auto const* const row = machine->layers.find(
      *layer, [&](measured_layer const& r) { return r.primitive == primitive && r.code == code; });
  if (row == nullptr) return std::nullopt;
  return row->time();
}

auto agreement_text(measured_machine const& m) -> std::string {
  auto const& on = m.layers.on;
  auto text = fmt::format("\nmeasured on {}\n  peak {:.1f} GFLOP/s, reads", on.key(),
                          on.peak.count() / 1e9);
  for (auto const& p : on.bandwidth.points)
    text += fmt::format(" {:.0f} GB/s ({} KiB)", p.rate.count() / 1e9, p.working_set.count() >> 10);
  text += fmt::format(
      "\n  {} kernels on layers, {}{}{}\n", m.layers.rows.size(), m.layers.clock,
      m.layers.restless == 0
          ? ""
          : fmt::format("; {} layers while the machine went at another pace than with most",
                        m.layers.restless),
      m.layers.complete ? "" : "; interrupted: the rest is not measured");
  auto const all = measurement::observations_of(m.layers);
  auto const rates = measurement::rates_of(on);
  auto const folds = cost::cross_validate(all, rates);
  auto const left_out = cost::leave_groups_out(all, rates);
  if (!folds || !left_out) return text;
  text +=
      fmt::format("\n{:<28} {:>5} {:>8} {:>8} {:>8} {:>8} {:>10}\n", "model against measurement",
                  "n", "MAPE %", "median", "in 10 %", "tau-b", "left out %");
  std::set<std::string> algorithms;
  for (auto const& x : all) algorithms.insert(x.algorithm);
  for (auto const& name : algorithms) {
    // Probes teach; they are not what is asked about.
    auto const is = [&](cost::observation const& x) {
      return x.algorithm == name && x.group != measurement::probes_name;
    };
    auto const a = cost::judge(all, *folds, is);
    if (a.n == 0) continue;
    auto const b = cost::judge(all, *left_out, is);
    text += fmt::format("{:<28} {:>5} {:>8.1f} {:>8.1f} {:>8.0f} {:>8.3f} {:>10}\n", name, a.n,
                        100 * a.mape, 100 * a.median, 100 * a.within_10, a.tau_b.value_or(0),
                        b.n == 0 ? std::string{"-"} : fmt::format("{:.1f}", 100 * b.mape));
  }
  text += "\nthe model's choice of kernel, layer by layer, the network left out of its fit\n";
  auto const tuned = [first = m.layers.rows.data(), &m](measured_layer const& r) {
    return r.code == "tuned" && static_cast<std::size_t>(&r - first) < m.whole &&
           r.shape.density == 1;
  };
  for (auto const& r : measurement::regret_of_model(m.layers, tuned, *left_out))
    if (r.layers > 0)
      text += fmt::format("  {:<16} {:>3} of {:>3} right, {:.3f} ms for {:.3f}: {:.1f} % lost\n",
                          r.network, r.hits, r.layers, 1e3 * r.chosen.count(), 1e3 * r.best.count(),
                          100 * r.loss());
  return text + break_even_text(measurement::break_evens_of(m.layers, *left_out));
}

} // namespace mars_map
