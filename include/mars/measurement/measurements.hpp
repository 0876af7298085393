// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/core/files.hpp>
#include <mars/measurement/timing.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace mars::measurement {

/// A timed kernel.
struct kernel_record {
  timing time{};
  std::string implementation{}; ///< what ran: a tile, a library's name for its kernel; may be empty
  bool reorders_input{};        ///< it wants another layout than nchw
  bool reorders_output{};

  friend auto operator==(kernel_record const&, kernel_record const&) -> bool = default;
};

/// Timings by machine and kernel, to be kept in a file. Keys are words for people: `machine::key()`, and
/// whatever tells one kernel from all others (shape, algorithm, precision); neither has tabs or line
/// breaks, neither is empty. Entries of machines that nobody here knows stay.
class measurements {
public:
  using key = std::pair<std::string, std::string>; ///< machine, kernel

  /// A new timing replaces the old one. Error: words that a file cannot hold.
  auto set(std::string machine, std::string kernel, kernel_record record) -> expected<void> {
    auto const bad = [](std::string const& word) {
      return word.find_first_of("\t\n\r") != word.npos;
    };
    for (auto const* word : {&machine, &kernel, &record.implementation})
      if (bad(*word) || (word->empty() && word != &record.implementation))
        return fail(error_code::invalid_argument,
                    word == &machine  ? "machine"
                    : word == &kernel ? "kernel"
                                      : "implementation",
                    *word, "a name without tabs and line breaks");
    entries_.insert_or_assign({std::move(machine), std::move(kernel)}, std::move(record));
    return {};
  }
  [[nodiscard]] auto find(std::string const& machine, std::string const& kernel) const
      -> std::optional<kernel_record> {
    auto const it = entries_.find({machine, kernel});
    if (it == entries_.end()) return std::nullopt;
    return it->second;
  }
  /// Takes over all of `other`, whose timings replace those here.
  void merge(measurements const& other) {
    for (auto const& [k, t] : other.entries_) entries_.insert_or_assign(k, t);
  }
  /// By machine, then kernel.
  [[nodiscard]] auto entries() const -> std::map<key, kernel_record> const& { return entries_; }

  friend auto operator==(measurements const&, measurements const&) -> bool = default;

private:
  std::map<key, kernel_record> entries_;
};

inline constexpr std::string_view measurements_schema = "mars.measurements/1";

namespace detail {

inline constexpr std::string_view measurements_header =
    "machine\tkernel\ttime_s\tmedian_s\tspread\tsamples\tcalls_per_"
    "sample\treorders\timplementation";
/// By whether the input is reordered, and whether the output is.
inline constexpr std::array<std::string_view, 4> reorder_words{"none", "input", "output", "both"};

/// All of `text` as a number of at least 0; nothing else.
template <class Number>
[[nodiscard]] auto read_number(std::string_view text) -> std::optional<Number> {
  Number n{};
  auto const* const end = text.data() + text.size();
  auto const [stop, code] = std::from_chars(text.data(), end, n);
  if (code != std::errc{} || stop != end || !(n >= Number{}) ||
      !(n <= std::numeric_limits<Number>::max()))
    return std::nullopt;
  return n;
}
[[nodiscard]] inline auto shortest(double value) -> std::string {
  std::array<char, 32> text{};
  auto const [end, code] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

} // namespace detail

/// What a file of measurements holds. Errors, each naming line and field: another schema or header, a
/// line with too few or many fields, a number that is none.
[[nodiscard]] inline auto parse_measurements(std::string_view text) -> expected<measurements> {
  measurements all;
  std::size_t number = 0;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    auto const where = std::string{"line "} + std::to_string(++number);
    if (number <= 2) {
      auto const wanted = number == 1 ? measurements_schema : detail::measurements_header;
      if (line != wanted)
        return fail(error_code::parse, where, std::string{line.substr(0, 80)}, std::string{wanted});
      continue;
    }
    if (line.empty()) continue;
    std::array<std::string_view, 9> fields{};
    std::size_t count = 0;
    for (auto rest = line;; ++count) {
      auto const tab = rest.find('\t');
      if (count < fields.size()) fields[count] = rest.substr(0, tab);
      if (tab == rest.npos) break;
      rest.remove_prefix(tab + 1);
    }
    if (++count != fields.size())
      return fail(error_code::parse, where, std::to_string(count) + " fields",
                  "9 fields between tabs");
    auto const time = detail::read_number<double>(fields[2]);
    auto const median = detail::read_number<double>(fields[3]);
    auto const spread = detail::read_number<double>(fields[4]);
    auto const samples = detail::read_number<std::uint64_t>(fields[5]);
    auto const calls = detail::read_number<std::int64_t>(fields[6]);
    auto const bad = !time ? 2 : !median ? 3 : !spread ? 4 : !samples ? 5 : !calls ? 6 : 0;
    if (bad != 0)
      return fail(error_code::parse, where + ", field " + std::to_string(bad + 1),
                  std::string{fields[static_cast<std::size_t>(bad)]}, "a number of at least 0");
    auto const reorders =
        std::find(detail::reorder_words.begin(), detail::reorder_words.end(), fields[7]);
    if (reorders == detail::reorder_words.end())
      return fail(error_code::parse, where + ", field 8", std::string{fields[7]},
                  "none, input, output or both");
    auto const bits = static_cast<unsigned>(reorders - detail::reorder_words.begin());
    auto added = all.set(std::string{fields[0]}, std::string{fields[1]},
                         {.time = {.time = seconds{*time},
                                   .median = seconds{*median},
                                   .spread = *spread,
                                   .samples = static_cast<std::size_t>(*samples),
                                   .calls_per_sample = *calls},
                          .implementation = std::string{fields[8]},
                          .reorders_input = (bits & 1U) != 0,
                          .reorders_output = (bits & 2U) != 0});
    if (!added) return unexpected{std::move(added).error().inside(where)};
  }
  if (number < 2)
    return fail(error_code::parse, std::string{"line "} + std::to_string(number + 1),
                "the end of the file",
                std::string{number == 0 ? measurements_schema : detail::measurements_header});
  return all;
}

/// The same text for the same measurements: entries in order, numbers shortest that read back exactly.
[[nodiscard]] inline auto to_text(measurements const& all) -> std::string {
  auto text =
      std::string{measurements_schema}.append("\n").append(detail::measurements_header) + "\n";
  for (auto const& [key, record] : all.entries()) {
    auto const& t = record.time;
    text.append(key.first).append("\t").append(key.second).append("\t");
    text.append(detail::shortest(t.time.count())).append("\t");
    text.append(detail::shortest(t.median.count())).append("\t");
    text.append(detail::shortest(t.spread)).append("\t");
    text.append(std::to_string(t.samples)).append("\t");
    text.append(std::to_string(t.calls_per_sample)).append("\t");
    text.append(detail::reorder_words[(record.reorders_input ? 1U : 0U) +
                                      (record.reorders_output ? 2U : 0U)])
        .append("\t");
    text.append(record.implementation).append("\n");
  }
  return text;
}

/// Errors: those of `read_file` (a file that is not there is one) and `parse_measurements`, whose line
/// stands behind the path.
[[nodiscard]] inline auto load_measurements(std::string const& path) -> expected<measurements> {
  auto text = read_file(path);
  if (!text) return unexpected{std::move(text).error()};
  auto all = parse_measurements(*text);
  if (all) return all;
  auto e = std::move(all).error();
  e.path = path + ": " + e.path;
  return unexpected{std::move(e)};
}
/// All or nothing, like `write_file`. Programs that measure at the same time: load, merge, save; the
/// last one wins.
[[nodiscard]] inline auto save_measurements(std::string const& path, measurements const& all)
    -> expected<void> {
  return write_file(path, to_text(all));
}

} // namespace mars::measurement
