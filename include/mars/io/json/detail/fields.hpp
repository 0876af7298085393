// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>
#include <mars/io/json/reader.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A model's parameters are listed once, in a function `visit(fields, model)`; `field_reader` fills the
// model from a document, `field_writer` writes it down. So what is written is what can be read.

namespace mars::io::detail {

enum class presence : std::uint8_t { required, optional };

/// Fills in what the document gives; optional keys keep their defaults. `finish` refuses keys that
/// were not asked for.
class field_reader {
public:
  explicit field_reader(reader r, std::vector<std::string_view> known = {})
      : from_{r}, known_{std::move(known)} {}

  void text(std::string_view key, std::string& x, presence p = presence::optional) {
    with(key, p, [&](reader const& r) { x = r.text(); });
  }
  template <std::integral T>
  requires(!std::same_as<T, bool>) void integer(std::string_view key, T& x, std::int64_t least,
                                                presence p = presence::optional) {
    constexpr auto limit = std::numeric_limits<T>::max();
    constexpr auto most =
        static_cast<std::uint64_t>(limit) <
                static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
            ? static_cast<std::int64_t>(limit)
            : std::numeric_limits<std::int64_t>::max();
    with(key, p, [&](reader const& r) { x = static_cast<T>(r.integer(least, most)); });
  }
  void flag(std::string_view key, bool& x) {
    with(key, presence::optional, [&](reader const& r) { x = r.boolean(); });
  }
  void number(std::string_view key, double& x, number_domain d, presence p = presence::optional) {
    with(key, p, [&](reader const& r) { x = r.number(d); });
  }
  template <class Unit>
  void quantity(std::string_view key, mars::quantity<Unit, double>& x, number_domain d,
                presence p = presence::optional) {
    with(key, p, [&](reader const& r) { x = mars::quantity<Unit, double>{r.number(d)}; });
  }
  /// NaN, "nobody said", is null.
  template <class Unit>
  void known_quantity(std::string_view key, mars::quantity<Unit, double>& x) {
    with(key, presence::optional, [&](reader const& r) {
      x = mars::quantity<Unit, double>{r.is_null() ? std::numeric_limits<double>::quiet_NaN()
                                                   : r.number(number_domain::not_negative)};
    });
  }
  template <class Enum>
  void choice(std::string_view key, Enum& x, std::span<std::string_view const> names) {
    with(key, presence::optional, [&](reader const& r) { x = static_cast<Enum>(r.choice(names)); });
  }
  /// `each(fields)` visits what is in the object.
  template <class Each>
  void object(std::string_view key, Each each) {
    with(key, presence::optional, [&](reader const& r) {
      field_reader inner{r};
      each(inner);
      inner.finish();
    });
  }
  /// `each(item)` gives an element.
  template <class List, class Read, class Write>
  void list(std::string_view key, List& x, std::size_t most, Read read, Write const&,
            presence p = presence::optional) {
    with(key, p, [&](reader const& r) {
      x = {};
      for (auto const& item : r.items(most)) x.push_back(read(item));
    });
  }

  /// A key that nobody knows is reported before one that is missing: it may be that one, misspelt.
  void finish() {
    if (from_.allow(known_) && !missing_.empty()) (void)from_[missing_];
  }

private:
  template <class F>
  void with(std::string_view key, presence p, F f) {
    known_.push_back(key);
    if (auto const r = from_.find(key))
      f(*r);
    else if (p == presence::required && missing_.empty())
      missing_ = key;
  }

  reader from_;
  std::vector<std::string_view> known_;
  std::string_view missing_;
};

[[nodiscard]] inline auto write_number(double x) -> ordered_json {
  if (std::isnan(x)) return nullptr;
  if (std::isinf(x)) return "infinity";
  return x;
}

class field_writer {
public:
  explicit field_writer(ordered_json& to) : to_{&to} {}

  void text(std::string_view key, std::string const& x, presence = presence::optional) {
    put(key, x);
  }
  template <std::integral T>
  requires(!std::same_as<T, bool>) void integer(std::string_view key, T const& x, std::int64_t,
                                                presence = presence::optional) {
    put(key, x);
  }
  void flag(std::string_view key, bool const& x) { put(key, x); }
  template <class Each>
  void object(std::string_view key, Each each) {
    ordered_json inside;
    field_writer inner{inside};
    each(inner);
    put(key, std::move(inside));
  }
  void number(std::string_view key, double const& x, number_domain, presence = presence::optional) {
    put(key, write_number(x));
  }
  template <class Unit>
  void quantity(std::string_view key, mars::quantity<Unit, double> const& x, number_domain d,
                presence p = presence::optional) {
    bool const unused = x.count() == 0 && d != number_domain::not_negative;
    if (!unused || p == presence::required) put(key, write_number(x.count()));
  }
  template <class Unit>
  void known_quantity(std::string_view key, mars::quantity<Unit, double> const& x) {
    put(key, write_number(x.count()));
  }
  template <class Enum>
  void choice(std::string_view key, Enum const& x, std::span<std::string_view const> names) {
    put(key, std::string{names[static_cast<std::size_t>(x)]});
  }
  template <class List, class Read, class Write>
  void list(std::string_view key, List const& x, std::size_t, Read const&, Write write,
            presence p = presence::optional) {
    if (x.size() == 0 && p == presence::optional) return;
    auto items = ordered_json::array();
    for (std::size_t i = 0; i < x.size(); ++i) items.push_back(write(x[i]));
    put(key, std::move(items));
  }

private:
  void put(std::string_view key, ordered_json value) {
    (*to_)[std::string{key}] = std::move(value);
  }
  ordered_json* to_;
};

} // namespace mars::io::detail
