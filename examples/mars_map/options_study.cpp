// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "options_study.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace mars_map {

auto add_study(CLI::App& app, raw_study& raw, study_options& o) -> CLI::App* {
  auto* const study =
      app.add_subcommand("study",
                         "Explore the acceleration stack: every network, compression, primitive, "
                         "code generation and device together")
          ->fallthrough();
  auto const list = [study](char const* name, std::string& into, char const* help) {
    study->add_option(name, into, help)->type_name("A,B,…");
  };
  list("--networks", raw.networks, "Models of --list that look at images");
  list("--compressions", raw.compressions,
       "none, float16, bfloat16, int8, int8_inside, weight_pruning_N, channel_pruning_N (N percent "
       "are taken away), and sums: weight_pruning_50+int8");
  list("--primitives", raw.primitives, "Algorithms of convolutions, see --list");
  list("--codegen", raw.code_generations, "untuned, tuned");
  list("--hardware", raw.hardware, "Processors of --list");
  study->add_option("--accuracy", o.accuracy, "Accuracies from this table instead of the published")
      ->type_name("FILE.csv");
  study->add_flag("--measure", o.measure,
                  "Run this library's kernels, too: adds the design this_machine, whose model is "
                  "fitted to them");
  study->add_option("--measurements", o.measurements, "Keep what is measured there; read it first")
      ->type_name("FILE");
  return study;
}

auto split_names(char const* option, std::string const& text)
    -> mars::expected<std::vector<std::string>> {
  std::vector<std::string> names;
  for (std::string_view rest = text;;) {
    auto const comma = rest.find(',');
    auto const name = rest.substr(0, comma);
    if (name.empty() || name.find('\0') != name.npos)
      return mars::fail(mars::error_code::invalid_argument, option, text.substr(0, 64),
                        "names with commas between them");
    if (std::find(names.begin(), names.end(), name) != names.end())
      return mars::fail(mars::error_code::duplicate, option, std::string{name.substr(0, 64)},
                        "each name once");
    names.emplace_back(name);
    if (comma == rest.npos) return names;
    rest.remove_prefix(comma + 1);
  }
}

auto check_study(CLI::App const& study, raw_study const& raw, study_options& o)
    -> mars::expected<void> {
  for (auto const& [name, text, into] : {std::tuple{"--networks", &raw.networks, &o.networks},
                                         {"--compressions", &raw.compressions, &o.compressions},
                                         {"--primitives", &raw.primitives, &o.primitives},
                                         {"--codegen", &raw.code_generations, &o.code_generations},
                                         {"--hardware", &raw.hardware, &o.hardware}}) {
    if (study.count(name) == 0) continue;
    auto names = split_names(name, *text);
    if (!names) return mars::unexpected{std::move(names).error()};
    *into = *std::move(names);
  }
  for (auto const& [name, value] :
       {std::pair{"--accuracy", &o.accuracy}, {"--measurements", &o.measurements}})
    if (study.count(name) != 0 && (value->empty() || value->find('\0') != value->npos))
      return mars::fail(mars::error_code::invalid_argument, name, "nothing", "a file");
  if (!o.measurements.empty() && !o.measure)
    return mars::fail(mars::error_code::invalid_argument, "--measurements", o.measurements,
                      "none without --measure");
  return {};
}

} // namespace mars_map
