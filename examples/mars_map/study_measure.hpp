// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"
#include "study_stack.hpp"

#include <mars/core/expected.hpp>
#include <mars/core/stop.hpp>
#include <mars/core/units.hpp>
#include <mars/cost/calibration.hpp>
#include <mars/exploration/cell_cost.hpp>
#include <mars/measurement/measure_layers.hpp>
#include <mars/workload/convolution_layer.hpp>
#include <mars/workload/shard.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mars_map {

/// What this machine did, and a model fitted to it.
struct measured_machine {
  mars::measurement::measured_layers layers;
  std::size_t whole{}; ///< rows of the networks as they are or with zeros, which come first
  mars::cost::calibration fit{};
};

/// Runs the stack's kernels on its layers: of the networks as they are, with each share of zeros, and with
/// fewer channels; and on layers of no network, for the model. Remembers them where the options say. Errors:
/// of the file; of kernels. An interruption ends the measurement, and what was measured counts.
[[nodiscard]] auto measure_stack(options const& o, study_stack const& stack, mars::stop_token stop)
    -> mars::expected<measured_machine>;

/// The design `this_machine`.
[[nodiscard]] auto machine_design(mars::measurement::machine const& m) -> study_design;

/// How well the model predicts, and what is lost where it chooses.
[[nodiscard]] auto agreement_text(measured_machine const& m) -> std::string;

/// Prices cells: those of `this_machine` by its fitted model, others as their design says.
struct study_cost {
  std::shared_ptr<measured_machine const> machine{}; ///< null: nothing was measured

  template <class P, class G>
  [[nodiscard]] auto operator()(mars::shard const& s, mars::convolution_layer const& l, P const& p,
                                G const& g, study_design const& d) const
      -> mars::exploration::operator_price {
    auto price = mars::exploration::listed_algorithms{}(s, l, p, g, d);
    if (machine == nullptr || !d.only_wide) return price;
    auto const algorithm = std::string{g.name()} + " " + std::string{p.name()};
    if (auto const t = machine->fit.predict(algorithm, l.element_bits, mars::cost::class_of(l),
                                            p.work(l, d.lanes)))
      price.time = t->total;
    return price;
  }
};

/// What was measured of cells.
struct study_times {
  std::shared_ptr<measured_machine const> machine{};

  [[nodiscard]] auto operator()(mars::shard const& s, std::string_view primitive,
                                std::string_view code, std::string_view design) const
      -> std::optional<mars::seconds>;
};

} // namespace mars_map
