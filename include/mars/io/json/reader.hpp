// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/closest_name.hpp>
#include <mars/core/expected.hpp>
#include <mars/core/label.hpp>
#include <mars/io/json/document.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io {

/// What numbers a key takes.
enum class number_domain : std::uint8_t {
  any, ///< every finite number
  not_negative,
  positive,
  positive_or_infinite, ///< also null and "infinity"
  fraction,             ///< above 0, at most 1
};

/// A value of a document together with the way to it. Reads are checked: the first mistake is kept,
/// with its path, and from then on everything reads as empty, so a reader of a schema needs to ask
/// only once, at its end, whether it failed. Readers are cheap to copy; the document must outlive them.
///
///     reader_context context{document};
///     auto const root = context.root();
///     root.allow({"name", "extent"});
///     auto const extent = root["extent"].integer(1, 100);
///     if (context.failed()) return unexpected{context.failure()};
class reader;

class reader_context {
public:
  explicit reader_context(json const& document) : document_{&document} {}

  [[nodiscard]] auto root() -> reader;
  [[nodiscard]] auto failed() const -> bool { return failure_.has_value(); }
  /// Precondition: failed().
  [[nodiscard]] auto failure() const -> error const& { return *failure_; }
  /// Keeps the first error only.
  void record(error e) {
    if (!failed()) failure_ = std::move(e);
  }
  /// Paths are found by looking for the value: they cost nothing until something is wrong.
  [[nodiscard]] auto path_to(json const* value) const -> std::string {
    std::string path;
    (void)search(*document_, value, path);
    return path;
  }

private:
  // Recursion is bounded by max_json_depth.
  [[nodiscard]] static auto search(json const& in, json const* value, std::string& path) -> bool {
    if (&in == value) return true;
    auto const length = path.size();
    if (auto const* items = in.get_ptr<json::array_t const*>())
      for (std::size_t i = 0; i < items->size(); ++i) {
        path += std::string{"["} + std::to_string(i) + "]";
        if (search((*items)[i], value, path)) return true;
        path.resize(length);
      }
    if (auto const* members = in.get_ptr<json::object_t const*>())
      for (auto const& [key, member] : *members) {
        (path += path.empty() ? "" : ".") += key;
        if (search(member, value, path)) return true;
        path.resize(length);
      }
    return false;
  }

  json const* document_;
  std::optional<error> failure_;
};

class reader {
public:
  reader(json const* value, reader_context& context) : value_{value}, context_{&context} {}

  [[nodiscard]] auto failed() const -> bool { return context_->failed(); }
  [[nodiscard]] auto path() const -> std::string {
    return value_ == nullptr ? std::string{} : context_->path_to(value_);
  }
  [[nodiscard]] auto is_object() const -> bool { return value_ != nullptr && value_->is_object(); }
  [[nodiscard]] auto is_array() const -> bool { return value_ != nullptr && value_->is_array(); }
  [[nodiscard]] auto is_text() const -> bool { return value_ != nullptr && value_->is_string(); }
  [[nodiscard]] auto is_number() const -> bool { return value_ != nullptr && value_->is_number(); }
  [[nodiscard]] auto is_null() const -> bool { return value_ != nullptr && value_->is_null(); }

  /// Records that this value is wrong.
  void reject(error_code code, std::string wanted, std::string detail = {}) const {
    if (value_ != nullptr && !failed())
      context_->record({code, path(), describe(), std::move(wanted), std::move(detail)});
  }
  /// Records an error found by somebody else about this value; its path goes behind ours.
  void reject(error e) const {
    if (failed()) return;
    auto const here = path();
    context_->record(here.empty()     ? std::move(e)
                     : e.path.empty() ? error{e.code, here, e.found, e.wanted, e.detail}
                                      : std::move(e).inside(here));
  }

  // ---- objects ----
  /// An object with none but these keys. Error: wrong_type, or unknown_key with a suggestion.
  auto allow(std::span<std::string_view const> keys) const -> bool {
    if (!is_object()) {
      reject(error_code::wrong_type, "an object");
      return false;
    }
    for (auto const& [key, member] : value_->get_ref<json::object_t const&>()) {
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
      if (failed()) return false;
      std::string list;
      for (auto const k : keys) list += (list.empty() ? "one of " : ", ") + std::string{k};
      auto const near = mars::detail::closest_name(key, {keys.begin(), keys.end()});
      context_->record(
          {error_code::unknown_key, context_->path_to(&member), "a key nobody knows",
           list.empty() ? "no key" : std::move(list),
           near.empty() ? std::string{} : std::string{"did you mean "} + std::string{near} + "?"});
      return false;
    }
    return true;
  }
  auto allow(std::initializer_list<std::string_view> keys) const -> bool {
    return allow(std::span{keys.begin(), keys.size()});
  }
  [[nodiscard]] auto has(std::string_view key) const -> bool { return member(key) != nullptr; }
  /// A key that must be there.
  [[nodiscard]] auto operator[](std::string_view key) const -> reader {
    if (auto const* m = member(key)) return {m, *context_};
    if (is_object() && !failed()) {
      auto const here = path();
      context_->record({error_code::missing_key,
                        here + (here.empty() ? "" : ".") + std::string{key},
                        "nothing",
                        "this key",
                        {}});
    } else {
      reject(error_code::wrong_type, "an object");
    }
    return {nullptr, *context_};
  }
  /// A key that may be absent.
  [[nodiscard]] auto find(std::string_view key) const -> std::optional<reader> {
    if (auto const* m = member(key)) return reader{m, *context_};
    return std::nullopt;
  }

  // ---- arrays ----
  /// The elements; none, and an error, if this is no array or has more than `most`.
  [[nodiscard]] auto items(std::size_t most = std::numeric_limits<std::size_t>::max()) const
      -> std::vector<reader> {
    std::vector<reader> all;
    if (!is_array()) {
      reject(error_code::wrong_type, "an array");
      return all;
    }
    auto const& array = value_->get_ref<json::array_t const&>();
    if (array.size() > most) {
      reject(error_code::out_of_range, std::string{"at most "} + std::to_string(most) + " entries");
      return all;
    }
    all.reserve(array.size());
    for (auto const& item : array) all.emplace_back(&item, *context_);
    return all;
  }

  // ---- leaves ----
  [[nodiscard]] auto text() const -> std::string {
    if (is_text()) return value_->get_ref<json::string_t const&>();
    reject(error_code::wrong_type, "a string");
    return {};
  }
  [[nodiscard]] auto boolean() const -> bool {
    if (value_ != nullptr && value_->is_boolean()) return *value_->get_ptr<bool const*>();
    reject(error_code::wrong_type, "true or false");
    return false;
  }
  /// A whole number; 1e9 is one.
  [[nodiscard]] auto integer(std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                             std::int64_t most = std::numeric_limits<std::int64_t>::max()) const
      -> std::int64_t {
    auto const wanted = [&] {
      return least == std::numeric_limits<std::int64_t>::min() ? "a whole number of 64 bits"
             : most == std::numeric_limits<std::int64_t>::max()
                 ? std::string{"a whole number of at least "} + std::to_string(least)
                 : std::string{"a whole number from "} + std::to_string(least) + " to " +
                       std::to_string(most);
    };
    std::optional<std::int64_t> n;
    if (!is_number()) {
      reject(error_code::wrong_type, wanted());
      return least > 0 ? least : 0;
    }
    if (auto const* real = value_->get_ptr<json::number_float_t const*>()) {
      if (*real != std::floor(*real)) {
        reject(error_code::wrong_type, wanted());
        return least > 0 ? least : 0;
      }
      if (std::abs(*real) < 9.2e18) n = static_cast<std::int64_t>(*real);
    } else if (value_->is_number_unsigned()) {
      auto const u = *value_->get_ptr<json::number_unsigned_t const*>();
      if (u <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        n = static_cast<std::int64_t>(u);
    } else {
      n = *value_->get_ptr<json::number_integer_t const*>();
    }
    if (n && *n >= least && *n <= most) return *n;
    reject(error_code::out_of_range, wanted());
    return least > 0 ? least : 0;
  }
  [[nodiscard]] auto number(number_domain domain = number_domain::any) const -> double {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    static constexpr char const* wanted[] = {
        "a number", "a number of at least 0", "a number above 0",
        "a number above 0, or \"infinity\"", "a number above 0, at most 1"};
    auto const* words = wanted[static_cast<std::size_t>(domain)];
    bool const endless = domain == number_domain::positive_or_infinite;
    if (endless && (is_null() || (is_text() && text() == "infinity"))) return infinity;
    if (!is_number()) {
      reject(error_code::wrong_type, words);
      return 1;
    }
    double const x = value_->is_number_float() ? *value_->get_ptr<json::number_float_t const*>()
                     : value_->is_number_unsigned()
                         ? static_cast<double>(*value_->get_ptr<json::number_unsigned_t const*>())
                         : static_cast<double>(*value_->get_ptr<json::number_integer_t const*>());
    bool const good = domain == number_domain::any            ? true
                      : domain == number_domain::not_negative ? x >= 0
                      : domain == number_domain::fraction     ? x > 0 && x <= 1
                                                              : x > 0;
    if (good && std::isfinite(x)) return x;
    reject(error_code::out_of_range, words);
    return 1;
  }
  /// The number of one of these names. Error: wrong_type, or unknown_name with a suggestion.
  [[nodiscard]] auto choice(std::span<std::string_view const> names) const -> std::size_t {
    auto const name = text();
    if (!is_text()) return 0;
    auto const at = std::find(names.begin(), names.end(), name);
    if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
    std::string list;
    for (auto const n : names) list += (list.empty() ? "one of " : ", ") + std::string{n};
    auto const near = mars::detail::closest_name(name, {names.begin(), names.end()});
    reject(error_code::unknown_name, std::move(list),
           near.empty() ? std::string{} : std::string{"did you mean "} + std::string{near} + "?");
    return 0;
  }
  /// A name of a dimension.
  [[nodiscard]] auto short_name() const -> label {
    auto const name = text();
    bool const plain = name.find('\0') == name.npos;
    if (is_text() && (name.empty() || !plain || !label::fits(name)))
      reject(error_code::out_of_range,
             std::string{"1 to "} + std::to_string(label::max_size) + " bytes of text");
    else if (is_text())
      return label{std::string_view{name}};
    return label{"?"};
  }

private:
  [[nodiscard]] auto member(std::string_view key) const -> json const* {
    if (!is_object()) return nullptr;
    auto const& members = value_->get_ref<json::object_t const&>();
    auto const at = members.find(std::string{key}); // no transparent comparison before 3.11
    return at == members.end() ? nullptr : &at->second;
  }
  /// What was found, short.
  [[nodiscard]] auto describe() const -> std::string {
    if (value_->is_object()) return "an object";
    if (value_->is_array()) return std::string{"an array of "} + std::to_string(value_->size());
    auto shown = value_->dump(-1, ' ', true, json::error_handler_t::replace);
    if (shown.size() > 60) shown = shown.substr(0, 57) + "...";
    return shown;
  }

  json const* value_;
  reader_context* context_;
};

inline auto reader_context::root() -> reader { return {document_, *this}; }

} // namespace mars::io
