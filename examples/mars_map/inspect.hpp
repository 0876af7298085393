// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "load.hpp"
#include "options.hpp"

#include <mars/core/expected.hpp>
#include <mars/mapper.hpp>

#include <string>
#include <vector>

namespace mars_map {

/// Fills in what the command line leaves out from what a mapping file says of itself.
/// Errors: those of reading; `missing_key` where the file does not say.
[[nodiscard]] auto complete_from_mapping(options& o, std::string const& file)
    -> mars::expected<void>;

/// An answer in words and as a JSON document.
struct report_text {
  std::string text;
  std::string json;
};

/// Subcommand `diff A B`: in what respects two mappings differ, and what that changes.
[[nodiscard]] auto diff_mappings(options const& o, workload const& w,
                                 mars::any_system const& system) -> mars::expected<report_text>;

/// Subcommand `explain MAPPING --operator NAME`: where an operator runs, what each device holds, where
/// its time goes, and what other shardings would cost in its place.
[[nodiscard]] auto explain_operator(options const& o, workload const& w,
                                    mars::any_system const& system) -> mars::expected<report_text>;

/// Another sharding or algorithm of one operator, or another set of the mapping for it, everything else as it is.
struct alternative {
  mars::placement how;                           ///< but for its set
  std::vector<mars::accelerator_id> elsewhere{}; ///< its set; empty: the one it has
  mars::ticks change{};                          ///< of the objective's value
};
/// The cheapest first; empty where the mapping is not one of the strategy's, or values do not add up.
[[nodiscard]] auto find_alternatives(options const& o, mars::graph const& graph,
                                     mars::any_system const& system, mars::mapping const& mapping,
                                     mars::operator_id which)
    -> mars::expected<std::vector<alternative>>;
/// The same for a mapping with a launch order: changes of the makespan.
[[nodiscard]] auto find_schedule_alternatives(options const& o, mars::graph const& graph,
                                              mars::any_system const& system,
                                              mars::mapping const& mapping, mars::operator_id which)
    -> mars::expected<std::vector<alternative>>;

} // namespace mars_map
