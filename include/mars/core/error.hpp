// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#if defined(__cpp_exceptions)
#include <stdexcept>
#endif

namespace mars {

/// Stable codes: their numbers never change meaning. See `code_name`.
enum class error_code : std::uint16_t {
  invalid_argument = 100, ///< a command-line or API argument
  unknown_name = 101,     ///< a model, system, policy, operator or dimension nobody knows
  unknown_key = 102,      ///< a key a document does not define
  missing_key = 103,
  wrong_type = 104,     ///< a value of another kind than wanted
  out_of_range = 105,   ///< a number outside its domain (NaN, negative, zero, too large)
  overflow = 106,       ///< a product of extents that does not fit
  shape_mismatch = 200, ///< operands whose shapes do not go together
  cycle = 201,          ///< an operator that depends on itself
  dangling = 202,       ///< a tensor nobody produces
  duplicate = 203,      ///< two things of one name
  unsupported = 204,    ///< legal input this version cannot represent
  parse = 300,          ///< a document that is not of its format
  io = 301,             ///< a file that cannot be read or written
  invalid_mapping = 400,
  infeasible = 401, ///< nothing fits; the message says which limit binds
  device = 500,     ///< a call of a device's runtime that failed
  race = 501,       ///< an access that nothing orders after the one it depends on
};

[[nodiscard]] constexpr auto code_name(error_code code) -> std::string_view {
  switch (code) {
  case error_code::invalid_argument: return "invalid-argument";
  case error_code::unknown_name: return "unknown-name";
  case error_code::unknown_key: return "unknown-key";
  case error_code::missing_key: return "missing-key";
  case error_code::wrong_type: return "wrong-type";
  case error_code::out_of_range: return "out-of-range";
  case error_code::overflow: return "overflow";
  case error_code::shape_mismatch: return "shape-mismatch";
  case error_code::cycle: return "cycle";
  case error_code::dangling: return "dangling";
  case error_code::duplicate: return "duplicate";
  case error_code::unsupported: return "unsupported";
  case error_code::parse: return "parse";
  case error_code::io: return "io";
  case error_code::invalid_mapping: return "invalid-mapping";
  case error_code::infeasible: return "infeasible";
  case error_code::device: return "device";
  case error_code::race: return "race";
  }
  return "unknown";
}

/// What was wrong with an input, and where: one line for a person, fields for a program.
struct error {
  error_code code{};
  std::string path;   ///< to the culprit, e.g. `operators[17].inputs[1]`; empty = the whole input
  std::string found;  ///< the value found
  std::string wanted; ///< the value or domain wanted
  std::string detail; ///< anything else worth saying, in words

  /// The same error seen from outside: `prefix` goes before the path.
  [[nodiscard]] auto inside(std::string_view prefix) && -> error {
    bool const joined = path.empty() || path.front() == '[';
    path = std::string{prefix} + (joined ? "" : ".") + path;
    return std::move(*this);
  }
};

/// `path: found X, wanted Y (detail) [code]`, always one line.
[[nodiscard]] inline auto to_string(error const& e) -> std::string {
  std::string line;
  auto const append = [&line](std::string_view prefix, std::string_view text) {
    if (text.empty()) return;
    if (!line.empty()) line += prefix;
    line += text;
  };
  append("", e.path);
  append(": found ", e.found);
  append(e.found.empty() ? ": wanted " : ", wanted ", e.wanted);
  append(e.found.empty() && e.wanted.empty() ? ": " : "; ", e.detail);
  for (auto& c : line)
    if (c == '\n' || c == '\r') c = ' ';
  return line + " [" + std::string{code_name(e.code)} + "]";
}

#if defined(__cpp_exceptions)
/// Thrown by `expected::value()` where exceptions are enabled; carries the error unchanged.
class exception : public std::runtime_error {
public:
  explicit exception(mars::error e) : std::runtime_error{to_string(e)}, error_{std::move(e)} {}
  [[nodiscard]] auto error() const noexcept -> mars::error const& { return error_; }

private:
  mars::error error_;
};
#endif

} // namespace mars
