// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io {

/// What is read. Keys are sorted; documents with a key twice are refused.
using json = nlohmann::json;
/// What is written: keys keep the order in which they were added.
using ordered_json = nlohmann::ordered_json;

/// Deeper documents are refused: no schema of mars comes near, and recursion must end somewhere.
inline constexpr std::size_t max_json_depth = 64;
/// Longer texts are refused: a document takes many times its text in memory.
inline constexpr std::size_t max_json_size = std::size_t{256} << 20;

namespace detail {

/// `line 3, column 7`, both from 1, of a place in a text; a byte is a column.
[[nodiscard]] inline auto place_in(std::string_view text, std::size_t offset) -> std::string {
  auto const before = text.substr(0, std::min(offset, text.size()));
  auto const line = 1 + std::count(before.begin(), before.end(), '\n');
  auto const column =
      before.size() - (before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1);
  return std::string{"line "} + std::to_string(line) + ", column " + std::to_string(column);
}

/// The words of nlohmann's exception without its identifier, its place and unprintable bytes.
[[nodiscard]] inline auto plain_reason(std::string_view what) -> std::string {
  if (auto const id = what.find("] "); id != what.npos) what.remove_prefix(id + 2);
  if (what.starts_with("parse error"))
    if (auto const place = what.find(": "); place != what.npos) what.remove_prefix(place + 2);
  std::string out;
  for (char const c : what.substr(0, 200))
    out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E ? '?' : c;
  return out;
}

/// Builds a value from the parser's events and stops at the first thing that is wrong. Nothing
/// throws, which nlohmann's own way to a value does.
class document_builder {
public:
  explicit document_builder(std::string_view text) : text_{text} {}

  auto null() -> bool { return add(nullptr); }
  auto boolean(bool b) -> bool { return add(b); }
  auto number_integer(json::number_integer_t n) -> bool { return add(n); }
  auto number_unsigned(json::number_unsigned_t n) -> bool { return add(n); }
  auto number_float(json::number_float_t n, std::string const&) -> bool { return add(n); }
  auto string(std::string& s) -> bool { return add(std::move(s)); }
  auto binary(json::binary_t&) -> bool { return false; }
  auto start_object(std::size_t) -> bool { return open(json::object()); }
  auto start_array(std::size_t) -> bool { return open(json::array()); }
  auto end_object() -> bool { return close(); }
  auto end_array() -> bool { return close(); }
  auto key(std::string& k) -> bool {
    auto const [it, fresh] =
        open_.back()->get_ref<json::object_t&>().emplace(std::move(k), nullptr);
    if (!fresh) {
      failure_ = error{error_code::duplicate,
                       path() + (open_.size() > 1 ? "." : "") + it->first,
                       "the key twice",
                       "each key once",
                       {}};
      return false;
    }
    member_ = &it->second;
    return true;
  }
  auto parse_error(std::size_t position, std::string const&, nlohmann::detail::exception const& e)
      -> bool {
    bool const empty = std::all_of(text_.begin(), text_.end(), [](char c) {
      return c == ' ' || c == '\n' || c == '\r' || c == '\t';
    });
    failure_ =
        empty ? error{error_code::parse, {}, "an empty document", "a JSON document", {}}
              : error{error_code::parse, place_in(text_, position), {}, {}, plain_reason(e.what())};
    return false;
  }

  [[nodiscard]] auto take() -> json { return std::move(root_); }
  [[nodiscard]] auto failure() const -> error const& { return failure_; }

private:
  template <class T>
  auto place(T&& value) -> json* {
    if (open_.empty()) {
      root_ = std::forward<T>(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      auto& items = open_.back()->get_ref<json::array_t&>();
      items.emplace_back(std::forward<T>(value));
      return &items.back();
    }
    *member_ = std::forward<T>(value);
    return member_;
  }
  template <class T>
  auto add(T&& value) -> bool {
    (void)place(std::forward<T>(value));
    return true;
  }
  auto open(json&& container) -> bool {
    if (open_.size() == max_json_depth) {
      failure_ = error{error_code::parse,
                       {},
                       std::string{"nesting deeper than "} + std::to_string(max_json_depth),
                       "a flatter document",
                       {}};
      return false;
    }
    open_.push_back(place(std::move(container)));
    return true;
  }
  auto close() -> bool {
    open_.pop_back();
    return true;
  }
  /// Of the innermost open container.
  [[nodiscard]] auto path() const -> std::string {
    std::string p;
    for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
      if (open_[i]->is_array()) {
        p += std::string{"["} + std::to_string(open_[i]->size() - 1) + "]";
        continue;
      }
      for (auto const& [k, v] : open_[i]->get_ref<json::object_t const&>())
        if (&v == open_[i + 1]) p += (p.empty() ? "" : ".") + k;
    }
    return p;
  }

  std::string_view text_;
  json root_;
  std::vector<json*> open_; // a container's address is fixed while it is the last one
  json* member_{};
  error failure_;
};

} // namespace detail

/// A JSON text as a value. Errors: `parse` (not JSON, with line and column; nested too deeply; longer
/// than `max_json_size`), `duplicate` (a key twice, with its path). No recursion, no exceptions.
[[nodiscard]] inline auto parse_json(std::string_view text) -> expected<json> {
  if (text.size() > max_json_size)
    return fail(error_code::parse, {}, std::to_string(text.size()) + " bytes",
                std::string{"at most "} + std::to_string(max_json_size));
  detail::document_builder builder{text};
  if (!json::sax_parse(text.begin(), text.end(), &builder))
    return unexpected{error{builder.failure()}};
  return builder.take();
}

/// The text of a value: two spaces, keys in order, shortest numbers that read back the same, a newline
/// at the end. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] inline auto write_json(ordered_json const& value) -> std::string {
  return value.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

} // namespace mars::io
