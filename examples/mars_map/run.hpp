// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "load.hpp"
#include "options.hpp"

#include <mars/core/expected.hpp>
#include <mars/core/observer.hpp>
#include <mars/core/stop.hpp>
#include <mars/io/compression_result.hpp>
#include <mars/io/simulation_result.hpp>
#include <mars/io/stream_result.hpp>
#include <mars/mapper.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mars_map {

/// An answer, and what it is measured by.
struct outcome {
  mars::plan plan;
  std::optional<mars::plan> baseline;        ///< priced by the same objective; may not fit
  std::string no_baseline;                   ///< why there is none
  bool baseline_cut_short{false};            ///< with more time it may be better
  std::vector<mars::progress> convergence{}; ///< without their phases
  std::string no_checkpoint{};               ///< why it could not be written
  std::optional<mars::io::simulation_result> simulation{};
  std::optional<mars::io::stream_result> streams{};
  std::optional<mars::io::compression_result> compression{}; ///< of the workload
};

/// Settles what the command line left open: schedules where the system stages transfers or the search
/// is one for schedules, and then a search and a strategy for them. Errors: options that do not go
/// together.
[[nodiscard]] auto settle(options& o, mars::any_system const& system) -> mars::expected<void>;

/// The written baseline (MARS's, for latency, whatever the objective). Errors: as `mars::mapper`.
[[nodiscard]] auto find_baseline(options const& o, mars::graph const& graph,
                                 mars::any_system const& system) -> mars::expected<mars::plan>;

/// Searches. Errors: `build_problem`'s; `out_of_range` for graphs beyond an exhaustive search.
[[nodiscard]] auto find_mapping(options const& o, mars::graph const& graph,
                                mars::any_system const& system, mars::stop_token stop,
                                std::function<mars::verdict(mars::progress const&)> observer)
    -> mars::expected<outcome>;

/// The same for `--semantics scheduled`.
[[nodiscard]] auto find_schedule(options const& o, mars::graph const& graph,
                                 mars::any_system const& system, mars::stop_token stop,
                                 std::function<mars::verdict(mars::progress const&)> observer)
    -> mars::expected<outcome>;

/// What schedules are compared with: H2H's four steps where transfers are staged, else the written
/// baseline.
[[nodiscard]] auto find_schedule_baseline(options const& o, mars::graph const& graph,
                                          mars::any_system const& system)
    -> mars::expected<mars::plan>;

/// Can operators have streams here? Asked before a search. Errors: `unsupported`.
[[nodiscard]] auto check_streams(options const& o, mars::any_system const& system)
    -> mars::expected<void>;
/// Gives the operators of a plan streams, as `o.streams` says, where that is faster. The bound is that
/// of the placement. Errors: `unsupported`, where the mapping uses no design with kernels.
[[nodiscard]] auto add_streams(options const& o, mars::graph const& graph,
                               mars::any_system const& system, mars::stop_token stop, outcome& into)
    -> mars::expected<void>;

/// Executes a mapping event by event, links shared as `o.simulate` says. Errors: as evaluating it.
[[nodiscard]] auto simulate_mapping(options const& o, mars::graph const& graph,
                                    mars::any_system const& system, mars::mapping const& mapping)
    -> mars::expected<mars::io::simulation_result>;

/// Whether a baseline of schedules ended because its budget did.
[[nodiscard]] auto is_cut_short(options const& o, mars::graph const& graph,
                                mars::plan const& baseline) -> bool;

/// Adds the baseline of sequential mappings or of schedules, with its value by the objective at hand.
using price_function = std::function<mars::expected<mars::plan>(mars::mapping)>;
void add_baseline(options const& o, mars::graph const& graph, mars::any_system const& system,
                  bool scheduled, price_function const& price, outcome& into);

/// Prices a given mapping. Errors: `invalid_mapping` and others when it is none.
[[nodiscard]] auto price_mapping(options const& o, mars::graph const& graph,
                                 mars::any_system const& system, mars::mapping mapping)
    -> mars::expected<outcome>;

} // namespace mars_map
