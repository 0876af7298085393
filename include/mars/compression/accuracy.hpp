// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/concept.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/error.hpp>
#include <mars/core/expected.hpp>

#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

// Accuracy is looked up, never modelled: a network and a setting that nobody published have none.

namespace mars::compression {

/// One published measurement, with where it stands.
struct accuracy_point {
  std::string network;                  ///< as the source spells it: `ResNet-50`
  std::string dataset;                  ///< `ImageNet`, `CIFAR-10`
  std::string compression;              ///< `none`, `int8`, `weight_pruning`, …, or a sum of them
  std::string setting;                  ///< as the source says it: `sparsity 80 %`
  std::string method;                   ///< how it was trained or converted
  double top1{};                        ///< percent
  std::optional<double> reference_top1; ///< percent: uncompressed, in the same source
  std::string source;
  std::string locator; ///< path @commit, or page
  std::string note;

  /// Percent points lost. Accuracies of different sources do not compare, so there is no other loss.
  [[nodiscard]] auto loss() const -> std::optional<double> {
    if (!reference_top1) return std::nullopt;
    return *reference_top1 - top1;
  }
  friend auto operator==(accuracy_point const&, accuracy_point const&) -> bool = default;
};

namespace detail {

/// Equal but for case and what is neither letter nor digit: `ResNet-18` is `resnet18`.
template <deferred = when_called>
[[nodiscard]] auto same_network(std::string_view a, std::string_view b) -> bool {
  auto const next = [](std::string_view& s) -> char {
    while (!s.empty()) {
      auto const c = s.front();
      s.remove_prefix(1);
      if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) return c;
    }
    return '\0';
  };
  for (;;) {
    auto const c = next(a);
    if (c != next(b)) return false;
    if (c == '\0') return true;
  }
}

/// Records of comma-separated values (RFC 4180: quotes, doubled quotes, line breaks within them), with
/// the line each begins at.
template <deferred D = when_called>
class basic_csv_reader {
public:
  explicit basic_csv_reader(std::string_view text) : rest_{text} {}

  [[nodiscard]] auto line() const -> std::size_t { return begin_; }
  /// The next record that is not empty; none at the end, or where a quote is never closed (`failed`).
  [[nodiscard]] auto next() -> later<std::optional<std::vector<std::string>>, D> {
    later<std::vector<std::string>, D> fields;
    while (!rest_.empty() && (rest_.front() == '\n' || rest_.front() == '\r')) (void)take();
    begin_ = line_;
    if (rest_.empty()) return std::nullopt;
    for (std::string field;;) {
      bool const quoted = !rest_.empty() && rest_.front() == '"';
      if (quoted) {
        (void)take();
        for (;; field += take()) {
          if (rest_.empty()) {
            failed_ = true;
            return std::nullopt;
          }
          if (rest_.front() != '"') continue;
          (void)take();
          if (rest_.empty() || rest_.front() != '"') break;
        }
      }
      while (!rest_.empty() && rest_.front() != ',' && rest_.front() != '\n') field += take();
      if (!quoted && !field.empty() && field.back() == '\r') field.pop_back();
      fields.push_back(std::exchange(field, {}));
      if (rest_.empty() || take() == '\n') return fields;
    }
  }
  [[nodiscard]] auto failed() const -> bool { return failed_; }

private:
  auto take() -> char {
    auto const c = rest_.front();
    rest_.remove_prefix(1);
    line_ += c == '\n';
    return c;
  }
  std::string_view rest_;
  std::size_t line_{1};
  std::size_t begin_{1};
  bool failed_{false};
};

} // namespace detail

/// Points from a table of comma-separated values whose first line names the columns: `model`, `dataset`,
/// `compression`, `setting`, `top1_percent`, `source`, `locator`, and, if there, `method`,
/// `reference_top1_percent` (empty: the source has none) and `note`; others are passed over.
/// Errors: `line 7, column top1_percent: …`: a column missing or given twice (`missing_key`, `duplicate`),
/// a line of another number of fields, a quote never closed (`parse`), an empty field where provenance
/// belongs, a percentage outside 0 to 100 (`out_of_range`).
template <deferred D = when_called>
[[nodiscard]] auto load_accuracy_points(std::string_view text)
    -> later<expected<std::vector<accuracy_point>>, D> {
  enum column {
    model,
    dataset,
    compression,
    setting,
    top1,
    source,
    locator,
    method,
    reference,
    note
  };
  static constexpr std::string_view names[] = {"model",   "dataset",      "compression",
                                               "setting", "top1_percent", "source",
                                               "locator", "method",       "reference_top1_percent",
                                               "note"};
  static constexpr std::size_t required = 7;
  detail::basic_csv_reader<D> csv{text};
  auto const at = [&csv](std::string_view column) {
    return "line " + std::to_string(csv.line()) + ", column " + std::string{column};
  };
  auto const line = [&csv] { return "line " + std::to_string(csv.line()); };

  auto const header = csv.next();
  if (!header) return fail(error_code::parse, line(), "no text", "a line that names the columns");
  std::size_t place[std::size(names)];
  for (std::size_t n = 0; n < std::size(names); ++n) {
    place[n] = header->size();
    for (std::size_t i = 0; i < header->size(); ++i) {
      if ((*header)[i] != names[n]) continue;
      if (place[n] != header->size())
        return fail(error_code::duplicate, at(names[n]), "two of it", "one");
      place[n] = i;
    }
    if (n < required && place[n] == header->size())
      return fail(error_code::missing_key, at(names[n]), "no such column", "a column of that name");
  }

  later<std::vector<accuracy_point>, D> points;
  while (auto const fields = csv.next()) {
    if (fields->size() != header->size())
      return fail(error_code::parse, line(), std::to_string(fields->size()) + " fields",
                  std::to_string(header->size()) + ", as many as columns");
    auto const field = [&](column c) {
      return place[c] < fields->size() ? (*fields)[place[c]] : std::string{};
    };
    for (std::size_t n = 0; n < required; ++n)
      if ((*fields)[place[n]].empty())
        return fail(error_code::parse, at(names[n]), "nothing", "a value");
    accuracy_point p{.network = field(model),
                     .dataset = field(dataset),
                     .compression = field(compression),
                     .setting = field(setting),
                     .method = field(method),
                     .top1 = 0,
                     .reference_top1 = {},
                     .source = field(source),
                     .locator = field(locator),
                     .note = field(note)};
    for (auto const c : {top1, reference}) {
      auto const number = field(c);
      if (number.empty()) continue; // a reference
      double value = 0;
      auto const [end, wrong] =
          std::from_chars(number.data(), number.data() + number.size(), value);
      if (wrong != std::errc{} || end != number.data() + number.size() || !(value >= 0) ||
          !(value <= 100))
        return fail(error_code::out_of_range, at(names[c]), number, "a percentage, 0 to 100");
      if (c == top1)
        p.top1 = value;
      else
        p.reference_top1 = value;
    }
    points.push_back(std::move(p));
  }
  if (csv.failed())
    return fail(error_code::parse, line(), "a quote never closed", "a closing quote");
  return points;
}

/// All points of a network (spelled with or without dashes and capitals) on a data set whose compression
/// and setting are exactly these, in the table's order. Nothing is interpolated between settings.
template <deferred D = when_called>
[[nodiscard]] auto find_accuracies(std::span<accuracy_point const> points, std::string_view network,
                                   accuracy_key const& key, std::string_view dataset = "ImageNet")
    -> later<std::vector<accuracy_point>, D> {
  later<std::vector<accuracy_point>, D> found;
  for (auto const& p : points)
    if (p.compression == key.compression && p.setting == key.setting && p.dataset == dataset &&
        detail::same_network(p.network, network))
      found.push_back(p);
  return found;
}

/// The first of them, or nothing: then the accuracy is unknown, and stays so.
template <deferred = when_called>
[[nodiscard]] auto find_accuracy(std::span<accuracy_point const> points, std::string_view network,
                                 accuracy_key const& key, std::string_view dataset = "ImageNet")
    -> std::optional<accuracy_point> {
  for (auto const& p : points)
    if (p.compression == key.compression && p.setting == key.setting && p.dataset == dataset &&
        detail::same_network(p.network, network))
      return p;
  return std::nullopt;
}
/// The same of a compression as it names its accuracy; unknown where it does not.
template <Compression C>
[[nodiscard]] auto find_accuracy(std::span<accuracy_point const> points, std::string_view network,
                                 C const& compression, std::string_view dataset = "ImageNet")
    -> std::optional<accuracy_point> {
  if constexpr (names_its_accuracy<C>)
    return find_accuracy(points, network, accuracy_key{compression.accuracy()}, dataset);
  else
    return std::nullopt;
}

} // namespace mars::compression
