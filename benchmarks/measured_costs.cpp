// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Our kernels and, where it is installed, oneDNN's on the layers of some networks, measured on this machine;
// and how well cost::calibrated predicts them: cross-validated, with a network left out, and by what is lost
// when it chooses the kernel of each layer.
//
//   measured_costs [--cache FILE] [--rows FILE] [--vendor-only] [--fp32] [--sparse] [--no-probes] [NETWORK...]
//
// Without a network: resnet18 and vgg16. The rows go to FILE as comma-separated values. --fp32: of the library
// nothing else. --sparse: our sparse kernels, too, and from which share of zeros on they pay. --no-probes: fits
// know the layers of networks only.
#include <mars/core/files.hpp>
#include <mars/cost/cross_validation.hpp>
#include <mars/measurement.hpp>
#include <mars/measurement/own_kernels.hpp>
#include <mars/zoo/registry.hpp>
#if defined(MARS_HAS_ONEDNN)
#include <mars/measurement/onednn.hpp>
#endif

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace cost = mars::cost;
namespace measurement = mars::measurement;
using measurement::measured_layer;
using measurement::precision;

struct arguments {
  std::string cache{};
  std::string rows{};
  bool own{true};
  bool sparse{};
  bool probes{true};
  std::vector<precision> vendor{precision::fp32, precision::bf16, precision::int8};
  std::vector<std::string> networks{};
};

auto to_csv(measurement::measured_layers const& m, cost::held_out_times const& folds,
            cost::held_out_times const& left_out) -> std::string {
  auto const or_nothing = [](std::optional<mars::seconds> t) {
    return t ? fmt::format("{:.9g}", t->count()) : std::string{};
  };
  std::string text =
      "network,layer,repeats,shape,primitive,code,precision,implementation,reorders_input,"
      "reorders_output,automatic,executed_macs,valid_macs,time_s,median_s,spread,samples,"
      "cross_validated_s,left_out_s\n";
  for (std::size_t i = 0; i < m.rows.size(); ++i) {
    auto const& r = m.rows[i];
    text += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{:.0f},{},{:.9g},{:.9g},{:.4f},{},{},{}\n", r.network,
        r.layer, r.repeats, measurement::to_text(r.shape), r.primitive, r.code,
        to_string(r.element), r.record.implementation, r.record.reorders_input ? 1 : 0,
        r.record.reorders_output ? 1 : 0, r.automatic ? 1 : 0, r.executed(), r.valid().count(),
        r.time().count(), r.record.time.median.count(), r.record.time.spread, r.record.time.samples,
        or_nothing(folds[i]), or_nothing(left_out[i]));
  }
  return text;
}

void print(std::string_view what, mars::agreement const& a) {
  if (a.n == 0) return;
  fmt::print("  {:32} {:4}  {:6.1f} {:6.1f} {:6.1f}  {:6.0f}  {:6.3f} {:6.3f}\n", what, a.n,
             100 * a.mape, 100 * a.median, 100 * a.worst, 100 * a.within_10, a.tau_b.value_or(0),
             a.rho.value_or(0));
}
void print_head(std::string_view what) {
  fmt::print("\n{:34} {:>4}  {:>6} {:>6} {:>6}  {:>6}  {:>6} {:>6}\n", what, "n", "MAPE", "median",
             "worst", "in 10%", "tau", "rho");
}
/// A line of the table of targets.
void print_target(std::string_view what, double got, double minimum, double good,
                  bool larger_is_better) {
  auto const meets = [&](double target) {
    return larger_is_better ? got >= target : got <= target;
  };
  fmt::print("  {:52} {:>9.4g} {:>9.4g} {:>9.4g}  {}\n", what, minimum, good, got,
             meets(good)      ? "good"
             : meets(minimum) ? "minimum"
                              : "missed");
}

/// Probes teach; they are not what is asked about.
auto of_a_network(cost::observation const& o) -> bool {
  return o.group != measurement::probes_name;
}

/// Everything that is asked of one code's fp32 kernels.
void report(measurement::measured_layers const& m, std::vector<cost::observation> const& all,
            cost::held_out_times const& folds, cost::held_out_times const& left_out,
            std::string const& code, std::string const& algorithm) {
  auto const is = [&](cost::observation const& o) {
    return o.algorithm == algorithm && o.element_bits == 32 && of_a_network(o);
  };
  auto const of_class = [&](cost::layer_class kind) {
    return cost::judge(all, folds, [&](auto const& o) { return is(o) && o.kind == kind; });
  };
  auto const dense = cost::judge(all, folds, [&](auto const& o) {
    return is(o) && (o.kind == cost::layer_class::dense || o.kind == cost::layer_class::pointwise);
  });
  auto const every = cost::judge(all, folds, is);
  if (every.n == 0) return;
  std::set<std::string> networks;
  for (auto const& o : all)
    if (of_a_network(o)) networks.insert(o.group);
  print_head(fmt::format("{}, cross-validated, by class", algorithm));
  for (auto const kind : {cost::layer_class::dense, cost::layer_class::pointwise,
                          cost::layer_class::depthwise, cost::layer_class::matrix_vector})
    print(to_string(kind), of_class(kind));
  double sum = 0, worst = 0, n = 0;
  print_head(fmt::format("{}, network left out", algorithm));
  for (auto const& network : networks) {
    auto const a =
        cost::judge(all, left_out, [&](auto const& o) { return is(o) && o.group == network; });
    if (a.n == 0) continue;
    print(network, a);
    sum += a.mape;
    worst = std::max(worst, a.mape);
    n += 1;
  }
  auto const mine = [&](measured_layer const& r) {
    return r.code == code && r.element == precision::fp32 && r.shape.density == 1 &&
           r.network != measurement::probes_name;
  };
  fmt::print("\n{}, fp32{:36} {:>9} {:>9} {:>9}\n", algorithm, "", "minimum", "good", "got");
  print_target("dense, cross-validated: MAPE, %", 100 * dense.mape, 8, 4, false);
  print_target("dense, cross-validated: within 10 %, %", 100 * dense.within_10, 80, 92, true);
  print_target("all classes, cross-validated: MAPE, %", 100 * every.mape, 12, 5, false);
  if (n > 1) {
    print_target("network left out: MAPE, mean of networks, %", 100 * sum / n, 8, 4, false);
    print_target("network left out: MAPE, worst network, %", 100 * worst, 20, 12, false);
  }
  print_target("Kendall's tau over layers, cross-validated", every.tau_b.value_or(0), 0.95, 0.98,
               true);
  if (n > 1) {
    auto const regret = measurement::regret_of_model(m, mine, left_out);
    print_target("choice of algorithm, network left out: time lost, %",
                 100 * measurement::mean_loss(regret), 5, 1, false);
  }
}

void report_choices(std::string_view who, std::vector<measurement::choice_regret> const& all) {
  for (auto const& r : all)
    if (r.layers > 0)
      fmt::print(
          "  {:34} {:12} {:3} of {:3} layers right, {:9.3f} ms for {:9.3f}: {:6.1f} % lost\n", who,
          r.network, r.hits, r.layers, 1e3 * r.chosen.count(), 1e3 * r.best.count(),
          100 * r.loss());
}

void report_break_evens(measurement::measured_layers const& m,
                        cost::held_out_times const& left_out) {
  auto all = measurement::break_evens_of(m, left_out);
  std::erase_if(all, [](auto const& b) { return b.network == measurement::probes_name; });
  auto const sparsity = [](std::optional<double> s) {
    return s ? fmt::format("{:.2f}", *s) : std::string{"never"};
  };
  fmt::print(
      "\nbreak-even sparsity, tuned csr_direct against tuned direct: measured, and by the model, "
      "network left out\n");
  for (auto const& b : all)
    if (b.code == "tuned" && b.opponent == "direct" && b.sparse == "csr_direct")
      fmt::print("  {:12} {:28} {:>6} {:>6}\n", b.network, b.layer, sparsity(b.measured),
                 sparsity(b.predicted));
  // What a constant would do: the mean of the other networks' layers.
  auto constant = all;
  for (auto& b : constant) {
    double sum = 0, n = 0;
    for (auto const& other : all)
      if (other.network != b.network && other.code == b.code && other.sparse == b.sparse &&
          other.opponent == b.opponent && other.seen()) {
        sum += *other.measured;
        ++n;
      }
    b.predicted = n > 0 ? std::optional{sum / n} : std::nullopt;
  }
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < all.size(); ++i) {
    groups[fmt::format("{:8} {:18} {}", all[i].code, all[i].sparse, all[i].opponent)].push_back(i);
    groups[fmt::format("{:8} all", all[i].code)].push_back(i);
  }
  fmt::print("\n{:44} {:>5} {:>7} {:>5} {:>6} {:>6} {:>8} {:>8}   {:>8} {:>8}\n",
             "break-even: sparse kernel, dense one", "pairs", "agreed", "seen", "error", "worst",
             "in 0.10", "in 0.03", "constant", "in 0.10");
  for (auto const& [name, members] : groups) {
    auto const judged = [&members = members](auto const& of) {
      std::vector<measurement::layer_break_even> some;
      for (auto const i : members) some.push_back(of[i]);
      return measurement::judge(some);
    };
    auto const j = judged(all), c = judged(constant);
    fmt::print("  {:42} {:>5} {:>6.0f}% {:>5} {:>6.3f} {:>6.3f} {:>7.0f}% {:>7.0f}%   {:>8.3f} "
               "{:>7.0f}%\n",
               name, j.pairs, 100 * j.agreed, j.seen, j.mean, j.worst, 100 * j.within_10,
               100 * j.within_3, c.mean, 100 * c.within_10);
  }
}

auto run(arguments const& a) -> mars::expected<void> {
  std::vector<mars::graph> networks;
  for (auto const& name : a.networks) {
    auto g = mars::zoo::find(name, {});
    if (!g) return mars::unexpected{g.error()};
    networks.push_back(std::move(*g));
  }
  measurement::measurements cache;
  if (!a.cache.empty() && std::filesystem::exists(a.cache)) {
    auto loaded = measurement::load_measurements(a.cache);
    if (!loaded) return mars::unexpected{loaded.error()};
    cache = std::move(*loaded);
  }
  measurement::measure_options o{.on = measurement::measure_machine(), .cache = &cache};
  if (a.own) o.sources.push_back(measurement::own_kernels());
#if defined(MARS_HAS_ONEDNN)
  auto const library = measurement::onednn::open();
  if (!library) return mars::unexpected{library.error()};
  o.sources.push_back(measurement::onednn_kernels(*library, a.vendor));
#endif
  fmt::print("{}\npeak {:.1f} GFLOP/s, read", o.on.key(), o.on.peak.count() / 1e9);
  for (auto const& p : o.on.bandwidth.points)
    fmt::print(" {:.0f} GB/s ({} KiB)", p.rate.count() / 1e9, p.working_set.count() >> 10);
  fmt::print("\n");

  measurement::progress_bar bar{stderr};
  // Of a layer all that is compared is measured in one go; probes have no zeros.
  if (a.sparse) o.densities = {1, 0.5, 0.3, 0.15, 0.05};
  auto measured = measurement::measure_layers(networks, o, std::ref(bar));
  if (measured && a.probes) {
    auto probes = measurement::probe_layers();
    if (!probes) return mars::unexpected{probes.error()};
    o.densities = {1};
    auto taught = measurement::measure_layers(std::span{&*probes, 1}, o, std::ref(bar));
    if (taught) {
      measured->restless += taught->restless;
      std::move(taught->rows.begin(), taught->rows.end(), std::back_inserter(measured->rows));
    } else {
      measured = mars::unexpected{taught.error()};
    }
  }
  bar.clear();
  if (!a.cache.empty())
    if (auto ok = measurement::save_measurements(a.cache, cache); !ok) return ok;
  if (!measured) return mars::unexpected{measured.error()};
  auto const& m = *measured;
  fmt::print("{} rows, {}; {} layers at another pace\n", m.rows.size(), m.clock, m.restless);

  auto const all = measurement::observations_of(m);
  auto const rates = measurement::rates_of(m.on);
  auto const fit = cost::calibration::fit(all, rates);
  auto const folds = cost::cross_validate(all, rates);
  auto const left_out = cost::leave_groups_out(all, rates);
  if (!fit || !folds || !left_out)
    return mars::unexpected{!fit ? fit.error() : !folds ? folds.error() : left_out.error()};
  if (!a.rows.empty())
    if (auto ok = mars::write_file(a.rows, to_csv(m, *folds, *left_out)); !ok) return ok;

  fmt::print("\n{:34} {:>4} {:14} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6}\n", "coefficients",
             "bits", "class", "MACs", "bytes", "1 us", "calls", "space", "transf", "decode");
  for (auto const& [key, theta] : fit->fitted()) {
    auto const& [algorithm, bits, kind] = key;
    if (!kind) continue;
    fmt::print("  {:32} {:4} {:14}", algorithm, bits, to_string(*kind));
    for (auto const c : theta) fmt::print(" {:6.2f}", c);
    fmt::print("\n");
  }

  std::map<std::string, std::pair<std::string, int>> algorithms;
  for (auto const& x : all)
    algorithms[fmt::format("{} {}", x.algorithm, x.element_bits)] = {x.algorithm, x.element_bits};
  for (auto const& [title, predicted] : {std::pair{"cross-validated, 5 folds", &*folds},
                                         std::pair{"network left out", &*left_out}}) {
    print_head(title);
    for (auto const& [name, key] : algorithms)
      print(name, cost::judge(all, *predicted, [&, k = key](cost::observation const& x) {
              return x.algorithm == k.first && x.element_bits == k.second && of_a_network(x);
            }));
  }

  fmt::print("\nchoice of the kernel of each layer, fp32, against the one that measured best\n");
  for (auto const* code : {"untuned", "tuned", "onednn"}) {
    auto const mine = [&](measured_layer const& r) {
      return r.code == code && r.element == precision::fp32 && r.shape.density == 1 &&
             r.network != measurement::probes_name;
    };
    report_choices(fmt::format("{}: model, network left out", code),
                   measurement::regret_of_model(m, mine, *left_out));
    report_choices(fmt::format("{}: the library's own", code),
                   measurement::regret_of_library(m, mine));
    report_choices(fmt::format("{}: always direct", code),
                   measurement::regret_of(m, mine, [&](std::size_t i) {
                     return m.rows[i].primitive == "direct" ? std::optional{0.0} : std::nullopt;
                   }));
  }

  report(m, all, *folds, *left_out, "onednn", "onednn direct");
  report(m, all, *folds, *left_out, "tuned", "tuned direct");

  if (a.sparse) report_break_evens(m, *left_out);

  // How near our kernels come: sums over layers, each once, in one run.
  std::map<std::string, std::pair<double, double>> ratio; // ours, the library's direct
  for (auto const& r : m.rows) {
    if (r.code == "onednn" || r.shape.density < 1 || r.network == measurement::probes_name)
      continue;
    auto const* const theirs = m.find(r.shape, [](measured_layer const& x) {
      return x.code == "onednn" && x.primitive == "direct" && x.element == precision::fp32;
    });
    if (theirs == nullptr) continue;
    auto const square = r.shape.kernel == mars::plane{3, 3};
    auto& sum = ratio[fmt::format("{:8} {:14} {}", r.code, r.primitive, square ? "3x3" : "other")];
    sum.first += r.time().count();
    sum.second += theirs->time().count();
  }
  if (!ratio.empty()) fmt::print("\nspeed against onednn direct, the same layers\n");
  for (auto const& [name, sum] : ratio)
    fmt::print("  {:32} {:5.2f}\n", name, sum.second / sum.first);
  return {};
}

} // namespace

int main(int argc, char** argv) {
  arguments a;
  for (int i = 1; i < argc; ++i) {
    std::string_view const word{argv[i]};
    if (word == "--vendor-only")
      a.own = false;
    else if (word == "--fp32")
      a.vendor = {precision::fp32};
    else if (word == "--sparse")
      a.sparse = true;
    else if (word == "--no-probes")
      a.probes = false;
    else if ((word == "--cache" || word == "--rows") && i + 1 < argc)
      (word == "--cache" ? a.cache : a.rows) = argv[++i];
    else if (word.substr(0, 2) == "--") {
      fmt::print(stderr,
                 "measured_costs [--cache FILE] [--rows FILE] [--vendor-only] [--fp32] [--sparse] "
                 "[--no-probes] [NETWORK...]\n");
      return 2;
    } else
      a.networks.emplace_back(word);
  }
  if (a.networks.empty()) a.networks = {"resnet18", "vgg16"};
  if (auto const ok = run(a); !ok) {
    fmt::print(stderr, "measured_costs: {}\n", to_string(ok.error()));
    return 1;
  }
  return 0;
}
