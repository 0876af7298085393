// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "names.hpp"

#include <mars/core/expected.hpp>
#include <mars/core/stop.hpp>
#include <mars/core/units.hpp>
#include <mars/cost/pase.hpp>
#include <mars/evaluation/objective.hpp>
#include <mars/parallel/iteration_splits.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mars_map {

/// Of the command `pase`.
struct pase_options {
  std::size_t devices{};
  mars::cost::pase cost{};
  mars::parallel::iteration_splits splits{.idle = true};
};

/// Of the command `streams`.
struct streams_options {
  std::string graph{};  ///< a file of operators, instead of --model
  std::string device{}; ///< a name
  scheduler_name scheduler{scheduler_name::best};
  bool eager{false};
  bool merge{true};
  std::size_t most_streams{}; ///< 0: any number
  std::optional<std::size_t> most_events{};
  std::string ios_file{}; ///< where to write stages as IOS does
};

/// Of the command `study`: names of elements, axis by axis; an empty list is the tool's own choice.
struct study_options {
  std::vector<std::string> networks{};
  std::vector<std::string> compressions{};
  std::vector<std::string> primitives{};
  std::vector<std::string> code_generations{};
  std::vector<std::string> hardware{};
  std::string accuracy{};     ///< a file of accuracies, instead of the published ones
  bool measure{false};        ///< run kernels on this machine, too
  std::string measurements{}; ///< a file that remembers what was measured
};

/// What the command line asks for.
struct options {
  std::string model;  ///< a name, or a file
  std::string system; ///< a name, or a file
  strategy_name strategy{strategy_name::exclusive_shared};
  cost_name cost{cost_name::analytical};
  objective_name objective{objective_name::latency};
  mars::objective::weighted weights{};        ///< of the objective weighted
  std::optional<mars::bytes> memory_limit{};  ///< of an accelerator
  std::optional<mars::joules> energy_limit{}; ///< of an inference
  search_name search{search_name::genetic};
  semantics_name semantics{semantics_name::sequential};
  bool strategy_given{false}; ///< or a default, which may depend on the system
  bool search_given{false};
  bool semantics_given{false};
  std::optional<mars::bytes_per_second> host_bandwidth{}; ///< of a staged system
  std::optional<sharing_name> simulate{};                 ///< how links are shared
  std::optional<scheduler_name> streams{};                ///< of GPUs, once a mapping is found
  std::uint64_t seed{1};
  mars::budget budget{};
  unsigned threads{0};
  std::optional<std::int64_t> batch{};
  std::optional<std::int64_t> image{};
  std::optional<std::int64_t> sequence{};
  std::optional<int> element_bits{};
  std::vector<std::string> compressions{}; ///< of the network; empty: as it is
  double accuracy_loss{1};                 ///< percent points of top-1, at most
  bool accuracy_unknown{false};            ///< or any
  std::string json;                        ///< a file, or "-"
  std::string report;                      ///< a folder
  std::string mapping;                     ///< a file
  std::string checkpoint{};                ///< a file
  std::vector<std::string> files{};        ///< of a subcommand
  std::string operator_name{};             ///< to explain
  format_name format{};                    ///< to export
  std::string out{};                       ///< a folder, to export to
  pase_options pase{};
  streams_options streams_command{};
  study_options study{};
  bool quiet{false};

  [[nodiscard]] auto json_to_stdout() const -> bool { return json == "-"; }
};

/// What to do: show a text, a list, map, look at mappings, export one, minimise PaSE's objective,
/// schedule streams of one device, or study the acceleration stack.
struct command {
  enum class kind : std::uint8_t {
    show,
    list,
    map,
    diff,
    explain,
    export_to,
    pase,
    streams,
    study
  } what{kind::map};
  std::string text{}; ///< to show
  mars_map::options options{};
};

/// Errors: `invalid_argument`, `unknown_name`, `out_of_range`; the path is the option.
[[nodiscard]] auto parse_command_line(int argc, char const* const* argv) -> mars::expected<command>;

} // namespace mars_map
