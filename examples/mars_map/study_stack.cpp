// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "study_stack.hpp"

#include "load.hpp"
#include "numbers.hpp"

#include <mars/core/closest_name.hpp>
#include <mars/hardware/presets/processor.hpp>

#include <optional>
#include <string_view>

namespace mars_map {

namespace {

namespace compression = mars::compression;
using mars::error_code;

/// What a study looks at when nobody says: the seven networks of DLAS.
constexpr std::string_view usual_networks[] = {"resnet18",     "resnet50",     "vgg16",
                                               "mobilenet_v1", "mobilenet_v2", "efficientnet_b0",
                                               "densenet161"};
constexpr std::string_view usual_compressions[] = {"none",
                                                   "weight_pruning_50",
                                                   "weight_pruning_80",
                                                   "weight_pruning_90",
                                                   "weight_pruning_95",
                                                   "float16",
                                                   "channel_pruning_50",
                                                   "bfloat16",
                                                   "int8",
                                                   "weight_pruning_50+int8"};

/// The names asked for, or else the usual ones.
template <class Usual>
[[nodiscard]] auto wanted(std::vector<std::string> const& asked, Usual const& usual)
    -> std::vector<std::string> {
  if (!asked.empty()) return asked;
  return {std::begin(usual), std::end(usual)};
}

/// Values of every type of compression.
struct compression_values {
  std::vector<compression::none> none;
  std::vector<compression::weight_pruning> weights;
  std::vector<compression::channel_pruning> channels;
  std::vector<compression::float16> half;
  std::vector<compression::bfloat16> brain;
  std::vector<compression::int8> narrow;
  std::vector<compression::then<compression::weight_pruning, compression::int8>> weights_narrow;
  std::vector<compression::then<compression::channel_pruning, compression::int8>> channels_narrow;
  std::vector<compression::then<compression::channel_pruning, compression::weight_pruning>> both;

  /// False: no such compression.
  [[nodiscard]] auto add(std::string_view name) -> bool {
    auto const plus = name.find('+');
    auto const w = percent_after(name.substr(0, plus), "weight_pruning_");
    auto const c = percent_after(name.substr(0, plus), "channel_pruning_");
    compression::weight_pruning const pruned{.sparsity = w.value_or(0)};
    compression::channel_pruning const slim{.keep = 1 - c.value_or(0)};
    if (plus != name.npos) {
      auto const rest = name.substr(plus + 1);
      auto const last = percent_after(rest, "weight_pruning_");
      if (w && rest == "int8")
        weights_narrow.push_back({pruned, {}});
      else if (c && rest == "int8")
        channels_narrow.push_back({slim, {}});
      else if (c && last)
        both.push_back({slim, {.sparsity = *last}});
      else
        return false;
    } else if (w) {
      weights.push_back(pruned);
    } else if (c) {
      channels.push_back(slim);
    } else if (name == "none") {
      none.emplace_back();
    } else if (name == "float16") {
      half.emplace_back();
    } else if (name == "bfloat16") {
      brain.emplace_back();
    } else if (name == "int8" || name == "int8_inside") {
      narrow.push_back({.keep_ends = name == "int8_inside"});
    } else {
      return false;
    }
    return true;
  }
};

[[nodiscard]] auto make_networks(options const& o) -> mars::expected<networks_axis> {
  std::vector<mars::exploration::network> all;
  for (auto const& name : wanted(o.study.networks, usual_networks)) {
    options one = o;
    one.model = name;
    one.element_bits = 32;
    auto w = load_workload(one);
    if (!w) {
      auto e = std::move(w).error();
      if (e.path == "--model") e.path = "--networks";
      return mars::unexpected{std::move(e)};
    }
    all.push_back({name, std::move(w->graph)});
  }
  return networks_axis{std::move(all)};
}

[[nodiscard]] auto make_compressions(options const& o) -> mars::expected<compressions_axis> {
  compression_values v;
  for (auto const& name : wanted(o.study.compressions, usual_compressions))
    if (!v.add(name))
      return mars::fail(error_code::unknown_name, "--compressions", name.substr(0, 64),
                        "none, float16, bfloat16, int8, int8_inside, weight_pruning_N, "
                        "channel_pruning_N, or weight_pruning_N+int8, channel_pruning_N+int8, "
                        "channel_pruning_N+weight_pruning_M");
  return compressions_axis{v.none,   v.weights,        v.channels,        v.half, v.brain,
                           v.narrow, v.weights_narrow, v.channels_narrow, v.both};
}

[[nodiscard]] auto make_hardware(options const& o) -> mars::expected<hardware_axis> {
  std::vector<study_design> all;
  auto names = o.study.hardware;
  if (names.empty())
    for (auto const& p : mars::presets::processors()) names.emplace_back(p.name);
  std::vector<std::string_view> known;
  std::string listed;
  for (auto const& p : mars::presets::processors()) {
    known.push_back(p.name);
    (listed += listed.empty() ? "one of " : ", ") += p.name;
  }
  for (auto const& name : names) {
    bool found = false;
    for (auto const& p : mars::presets::processors())
      if (p.name == name) {
        all.push_back({mars::presets::processor_design(p)});
        found = true;
      }
    if (found) continue;
    auto const near = mars::detail::closest_name(name, known);
    return mars::fail(error_code::unknown_name, "--hardware", name.substr(0, 64), listed,
                      near.empty() ? std::string{}
                                   : std::string{"did you mean "} + std::string{near} + "?");
  }
  return hardware_axis{std::move(all)};
}

/// Those of an axis of single values that are wanted.
template <class Axis>
[[nodiscard]] auto selected(char const* option, Axis const& all,
                            std::vector<std::string> const& names) -> mars::expected<Axis> {
  if (names.empty()) return all;
  auto chosen = all.select(names);
  if (!chosen) {
    auto e = std::move(chosen).error();
    e.path = option;
    return mars::unexpected{std::move(e)};
  }
  return chosen;
}

} // namespace

auto make_stack(options const& o) -> mars::expected<study_stack> {
  namespace primitive = mars::primitive;
  auto compressions = make_compressions(o);
  if (!compressions) return mars::unexpected{std::move(compressions).error()};
  auto primitives = selected("--primitives",
                             primitives_axis{primitive::direct{}, primitive::im2col_gemm{},
                                             primitive::spatial_pack{}, primitive::winograd<2>{},
                                             primitive::winograd<4>{}, primitive::csr_direct{},
                                             primitive::csr_gemm{}, primitive::csr_spatial_pack{}},
                             o.study.primitives);
  if (!primitives) return mars::unexpected{std::move(primitives).error()};
  auto code =
      selected("--codegen", code_axis{mars::exploration::untuned{}, mars::exploration::tuned{}},
               o.study.code_generations);
  if (!code) return mars::unexpected{std::move(code).error()};
  auto hardware = make_hardware(o);
  if (!hardware) return mars::unexpected{std::move(hardware).error()};
  auto networks = make_networks(o);
  if (!networks) return mars::unexpected{std::move(networks).error()};
  return study_stack{*std::move(networks), *std::move(compressions), *std::move(primitives),
                     *std::move(code), *std::move(hardware)};
}

auto with_design(study_stack stack, study_design design) -> study_stack {
  auto designs = stack.designs.values<0>();
  designs.push_back(std::move(design));
  stack.designs = hardware_axis{std::move(designs)};
  return stack;
}

} // namespace mars_map
