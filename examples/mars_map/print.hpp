// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "run.hpp"

#include <string>
#include <vector>

namespace mars_map {

/// Models, systems, policies.
[[nodiscard]] auto list_text() -> std::string;

/// A feasible answer for a person.
[[nodiscard]] auto plan_text(options const& o, workload const& w, mars::any_system const& system,
                             outcome const& answer) -> std::string;

/// Why nothing fits: which limit, where, by how much, what fills it, what would help.
/// `levers` come from `find_levers`.
[[nodiscard]] auto explanation_text(workload const& w, mars::any_system const& system,
                                    mars::plan const& plan, std::vector<std::string> const& levers)
    -> std::string;

/// What would help, one line each: tried, or computed from the plan.
[[nodiscard]] auto find_levers(options const& o, workload const& w, mars::any_system const& system,
                               mars::plan const& plan) -> std::vector<std::string>;

/// One line: control characters replaced, nothing longer than a screenful.
[[nodiscard]] auto one_line(std::string text) -> std::string;

} // namespace mars_map
