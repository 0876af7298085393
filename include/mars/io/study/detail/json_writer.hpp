// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/report/detail/text.hpp>

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mars::io::detail {

/// Appends JSON: `w.object([&] { w.member("n", 3); w.list("all", numbers); })`. Numbers are the shortest
/// that read back the same; what is not finite is null. One row of a list per line, so that files can
/// be compared.
class json_writer {
public:
  explicit json_writer(std::string& out) : out_{out} {}

  template <class F>
  void object(F&& members) {
    enclosed('{', '}', members);
  }
  template <class F>
  void object(std::string_view name, F&& members) {
    key(name);
    object(members);
  }
  template <class T>
  void member(std::string_view name, T const& value) {
    key(name);
    put(value);
  }
  /// `element(x)` writes each.
  template <class Range, class F>
  void list(std::string_view name, Range const& all, F&& element) {
    key(name);
    enclosed('[', ']', [&] {
      for (auto const& x : all) {
        next();
        out_ += '\n';
        element(x);
      }
    });
  }
  template <class Range>
  void list(std::string_view name, Range const& all) {
    key(name);
    put_list(all);
  }
  template <class Range>
  void put_list(Range const& all) {
    enclosed('[', ']', [&] {
      for (auto const& x : all) {
        next();
        put(x);
      }
    });
  }
  /// Values of different types in one list.
  template <class... T>
  void row(T const&... values) {
    enclosed('[', ']', [&] { (..., (next(), put(values))); });
  }

  void put(std::string_view text) { out_ += json_text(text); }
  void put(std::string const& text) { put(std::string_view{text}); }
  void put(char const* text) { put(std::string_view{text}); }
  void put(bool value) { out_ += value ? "true" : "false"; }
  void put(std::integral auto value) { out_ += fmt::format("{}", value); }
  void put(double value) { out_ += std::isfinite(value) ? fmt::format("{}", value) : "null"; }
  void put(std::nullopt_t) { out_ += "null"; }
  template <class T>
  void put(std::optional<T> const& value) {
    if (value)
      put(*value);
    else
      put(std::nullopt);
  }

private:
  void next() {
    if (!first_) out_ += ", ";
    first_ = false;
  }
  void key(std::string_view name) {
    next();
    if (depth_ == 1) out_ += '\n';
    put(name);
    out_ += ": ";
  }
  template <class F>
  void enclosed(char open, char close, F&& inside) {
    out_ += open;
    ++depth_;
    first_ = true;
    inside();
    first_ = false;
    --depth_;
    out_ += close;
  }

  std::string& out_;
  bool first_{true};
  int depth_{};
};

} // namespace mars::io::detail
