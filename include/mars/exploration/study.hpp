// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>
#include <mars/hardware/concept.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a study found, as plain values: pages, tables and tests read it, none needs the types it was
// made of. Nothing here is computed on reading.

namespace mars::exploration {

/// The five axes, slowest first: cells lie in this order.
enum class axis_id : std::uint8_t { network, compression, primitive, code_generation, design };
inline constexpr std::size_t axis_count = 5;
inline constexpr std::array<axis_id, axis_count> all_axes{
    axis_id::network, axis_id::compression, axis_id::primitive, axis_id::code_generation,
    axis_id::design};

/// One element of each axis, by `axis_id`: which of `axis_values::elements`.
using coordinate = std::array<std::uint16_t, axis_count>;

struct axis_element {
  std::string name;
  std::string note;              ///< what it is, for people; may be empty
  std::optional<double> level{}; ///< of a compression that only prunes weights: the share of zeros
};
struct axis_values {
  std::string name; ///< "network", "compression", "primitive", "code generation", "design"
  std::vector<axis_element> elements;
};

/// Whose word an accuracy is. It is never modelled.
enum class provenance : std::uint8_t { unknown, published, measured };

struct cell_accuracy {
  provenance known{provenance::unknown};
  double top1{};      ///< percent; meaningless while unknown
  double reference{}; ///< percent, uncompressed, of the same source: compare with this only
  std::string source; ///< and where in it
  std::string setting;
};

/// A real run beside the model: of the operators that were measured, both sums.
struct cell_measurement {
  seconds measured{};
  seconds modelled{}; ///< of the same operators
  double share{};     ///< of the cell's modelled time that these operators take
  double log_ratio{}; ///< ln(measured / modelled)
};

/// One legal cell. Sums over the operators of the compressed network.
struct cell {
  coordinate at{};
  seconds time{};     ///< by the model, reorders between formats included
  seconds reorders{}; ///< of `time`
  bytes weights{};    ///< of the model as the primitive keeps it: indices and scales included
  bytes workspace{};  ///< the largest of an operator
  macs valid{};       ///< taps inside the image, zeros of the weights included
  double executed{};  ///< MACs the primitive does: padding and rounding in, skipped zeros out
  double fallback{};  ///< share of nominal MACs in layers that the primitive does not support
  joules energy{unknown_joules}; ///< reorders included, at what the design draws
  cell_accuracy accuracy;
  std::optional<cell_measurement> run{};
};

/// Cells that cannot be, under the first relation that fails.
struct rejection {
  std::string relation; ///< "executes_for"
  std::string reason;   ///< one sentence
  std::size_t cells{};
};
struct rejected_cell {
  coordinate at{};
  std::uint16_t why{}; ///< which of `study::rejections`
};

/// One axis moved from a base cell, the others kept.
struct perturbation {
  axis_id axis{};
  coordinate base{};
  std::uint16_t to{};
  double effect{}; ///< ln(time moved / time of base)
};
/// Two axes moved, one by one and together: l11 − l10 − l01 + l00, l = ln time. Zero: the moves
/// multiply.
struct interaction {
  axis_id first{};
  axis_id second{};
  coordinate base{};
  std::uint16_t to_first{};
  std::uint16_t to_second{};
  double effect{};
};

/// How much of the spread of ln time the axes explain.
struct variance_share {
  std::vector<axis_id> axes; ///< one: a main effect; more: their interaction
  double sum_of_squares{};
  double share{}; ///< of the total
};
enum class variance_method : std::uint8_t {
  orthogonal, ///< over a complete block: the shares add up to one
  drop_one,   ///< what the fit loses without a factor: shares need not add up
};
struct variance_analysis {
  variance_method method{variance_method::orthogonal};
  std::size_t cells{};                                      ///< analysed
  std::size_t excluded{};                                   ///< legal, but outside the block
  double total{};                                           ///< sum of squares about the mean
  std::array<std::vector<std::uint16_t>, axis_count> block; ///< elements of the block, by axis
  std::vector<variance_share> shares;                       ///< main effects first
};

/// What a front weighs up.
enum class criterion : std::uint8_t { accuracy, model_bytes, time, energy };
/// Cells that no other cell of the group beats: one network on one design, or all networks on one.
/// Accuracies of two sources do not compare: of cells with known accuracy these are the fronts of each
/// source (and, within a network, of each reference) together. Cells of unknown accuracy have a front of
/// their own, without it. Energy counts where it is known and says more than time.
struct pareto_front {
  std::optional<std::uint16_t> network{}; ///< nothing: all
  std::uint16_t design{};
  std::vector<criterion> criteria;
  std::size_t candidates{};
  std::vector<std::size_t> cells; ///< which of `study::cells`, fastest first
};

enum class quantity_id : std::uint8_t { model_bytes, valid_macs, executed_macs, accuracy };
/// Rank correlation of a quantity with time over the networks and compressions of one slice (primitive,
/// code generation and design fixed), or over all cells. Of accuracies only those of one source, which
/// has the most cells there (ties: the first by name), and at least three that differ.
struct correlation {
  quantity_id quantity{};
  bool pooled{};
  std::uint16_t primitive{}; ///< of a slice
  std::uint16_t code_generation{};
  std::uint16_t design{};
  std::size_t n{};
  std::optional<double> kendall{};    ///< tau-b; nothing if either side is constant
  std::optional<double> spearman{};   ///< as above
  std::optional<double> discordant{}; ///< of pairs that differ in both: the share in opposite order
  std::string source{};               ///< of accuracies; else empty
};
/// Tau-b over networks alone, everything else fixed: how it spreads over such slices.
struct correlation_range {
  quantity_id quantity{};
  std::size_t slices{};
  double least{};
  double median{};
  double most{};
};

/// From which share of zero weights on a sparse primitive beats a dense one.
struct break_even {
  std::uint16_t network{};
  std::uint16_t sparse{};   ///< primitive
  std::uint16_t opponent{}; ///< primitive, on the dense network
  std::uint16_t code_generation{};
  std::uint16_t design{};
  std::optional<double> sparsity{}; ///< nothing: never within the levels that were studied
  bool at_most{};                   ///< ahead at the lowest level already: it may be less
};

/// What one operator does in the best choice.
struct operator_choice {
  std::string name;
  std::string algorithm;
  std::string fastest; ///< what it would run if reorders were free
  std::string input_format;
  std::string output_format;
  seconds time{};
  seconds reorders{}; ///< of its inputs
};
/// The best algorithm of every operator together, reorders included.
struct best_algorithms {
  std::uint16_t network{};
  std::uint16_t compression{};
  std::uint16_t code_generation{};
  std::uint16_t design{};
  bool exact{true};   ///< no choice is faster
  seconds time{};     ///< reorders included
  seconds reorders{}; ///< of `time`
  seconds blind{};    ///< each operator's fastest, then reorders paid as they come
  seconds uniform{};  ///< the fastest single primitive, as a cell of the study
  std::uint16_t uniform_primitive{};
  std::vector<operator_choice> operators; ///< that had a choice
};

/// Of one network and compression on one design, without and with tuning.
struct algorithm_flip {
  std::uint16_t network{};
  std::uint16_t compression{};
  std::uint16_t design{};
  std::uint16_t untuned{}; ///< best primitive
  std::uint16_t tuned{};
};

/// What compressing buys on the designs: ln(time / time uncompressed), best primitive on both sides.
struct compression_effect {
  std::uint16_t network{};
  std::uint16_t compression{};
  std::uint16_t code_generation{};
  std::vector<std::optional<double>> by_design; ///< nothing: no legal cell
  bool sign_changes{}; ///< faster on one, slower on another, by more than 2 % each
};

enum class verdict : std::uint8_t { holds, does_not_hold, cannot_be_said };
/// A claim of DLAS's abstracts, held against this study's own cells.
struct finding {
  std::string name;  ///< "uncorrelated", "hardware_dependent", "tuning_flips", "interactions"
  std::string claim; ///< what the paper says
  verdict result{verdict::cannot_be_said};
  std::string evidence; ///< one sentence with the figures
};

/// Everything: axes, cells in index order, and what follows from them.
struct study {
  std::array<axis_values, axis_count> axes;
  std::vector<cell> cells;             ///< legal, rising by coordinate
  std::vector<rejected_cell> rejected; ///< rising by coordinate; with `cells` the whole product
  std::vector<rejection> rejections;   ///< in the order in which relations are asked
  coordinate base{};                   ///< what moves start from
  bool base_is_uncompressed{true};     ///< the base's compression changes nothing
  std::size_t questions{};             ///< put to the cost model
  std::size_t operators{};             ///< distinct signatures among all compressed networks
  bool timing_is_measured{};           ///< any cell has a `run`
  bool fitted_to_runs{}; ///< the times of what was run are of a model fitted to these runs

  std::vector<perturbation> perturbations;
  std::vector<interaction> interactions; ///< the largest, largest first
  std::size_t interactions_tried{};
  variance_analysis variance;
  std::vector<pareto_front> fronts;
  std::vector<correlation> correlations; ///< pooled first
  std::vector<correlation_range> correlation_ranges;
  std::vector<break_even> break_evens;
  std::vector<best_algorithms> best;
  std::vector<compression_effect> compression_effects;
  std::vector<algorithm_flip> flips;
  std::size_t flip_candidates{}; ///< of which `flips` are those that flip
  std::size_t measured_flips{};  ///< of real runs instead of the model's times
  std::size_t measured_flip_candidates{};
  std::vector<finding> findings;

  [[nodiscard]] auto product() const -> std::size_t {
    std::size_t n = 1;
    for (auto const& a : axes) n *= a.elements.size();
    return n;
  }
  [[nodiscard]] auto elements(axis_id a) const -> std::vector<axis_element> const& {
    return axes[static_cast<std::size_t>(a)].elements;
  }
  [[nodiscard]] auto name_of(axis_id a, std::uint16_t element) const -> std::string const& {
    return elements(a)[element].name;
  }
  [[nodiscard]] auto name_of(coordinate const& at, axis_id a) const -> std::string const& {
    return elements(a)[at[static_cast<std::size_t>(a)]].name;
  }
};

// Words of files and pages.

[[nodiscard]] constexpr auto word_of(axis_id a) -> std::string_view {
  constexpr std::string_view words[] = {"network", "compression", "primitive", "code_generation",
                                        "design"};
  return words[static_cast<std::size_t>(a)];
}
[[nodiscard]] constexpr auto word_of(provenance p) -> std::string_view {
  constexpr std::string_view words[] = {"unknown", "published", "measured"};
  return words[static_cast<std::size_t>(p)];
}
[[nodiscard]] constexpr auto word_of(variance_method m) -> std::string_view {
  return m == variance_method::orthogonal ? "orthogonal" : "drop_one";
}
[[nodiscard]] constexpr auto word_of(criterion c) -> std::string_view {
  constexpr std::string_view words[] = {"accuracy", "model_bytes", "time", "energy"};
  return words[static_cast<std::size_t>(c)];
}
[[nodiscard]] constexpr auto word_of(quantity_id q) -> std::string_view {
  constexpr std::string_view words[] = {"model_bytes", "valid_macs", "executed_macs", "accuracy"};
  return words[static_cast<std::size_t>(q)];
}
[[nodiscard]] constexpr auto word_of(verdict v) -> std::string_view {
  constexpr std::string_view words[] = {"holds", "does_not_hold", "cannot_be_said"};
  return words[static_cast<std::size_t>(v)];
}

} // namespace mars::exploration
