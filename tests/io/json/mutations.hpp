// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/json/document.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars_test {

/// A document that is wrong, or at least other, in one place.
struct mutation {
  std::string what;  ///< e.g. `operators[1].kind := null`
  std::string where; ///< the path of the culprit
  std::string text;
};

namespace detail {

inline void mutate_at(mars::io::json& root, mars::io::json& at, std::string const& path,
                      std::vector<mutation>& all) {
  using mars::io::json;
  auto const keep = at;
  auto const add = [&](std::string const& how, std::string where) {
    all.push_back({path + how, std::move(where), root.dump()});
  };
  static json const others[] = {nullptr,
                                true,
                                "text",
                                "",
                                0,
                                -1,
                                0.5,
                                4611686018427387904,
                                18446744073709551615U,
                                1e308,
                                json::array(),
                                json::array({nullptr}),
                                json::object(),
                                json::object({{"dim", 3}})};
  for (auto const& other : others) {
    at = other;
    add(std::string{" := "} + other.dump(), path);
  }
  at = keep;
  auto const sub = path.empty() ? std::string{} : path + ".";
  if (keep.is_object()) {
    at["no_such_key"] = 1;
    add(" with an unknown key", sub + "no_such_key");
    at = keep;
    for (auto const& [key, value] : keep.items()) {
      at.erase(key);
      add(std::string{" without "} + key, sub + key);
      at = keep;
    }
    for (auto const& [key, value] : keep.items()) mutate_at(root, at[key], sub + key, all);
  }
  if (keep.is_array()) {
    for (std::size_t i = 0; i < keep.size(); ++i) {
      at.erase(i);
      add(std::string{" without ["} + std::to_string(i) + "]", path);
      at = keep;
    }
    for (std::size_t i = 0; i < keep.size(); ++i)
      mutate_at(root, at[i], path + "[" + std::to_string(i) + "]", all);
  }
}

} // namespace detail

/// Every value of a document replaced by values of every type, every key and entry dropped, an unknown
/// key in every object.
inline auto mutations_of(std::string_view text) -> std::vector<mutation> {
  auto root = mars::io::parse_json(text).value();
  std::vector<mutation> all;
  detail::mutate_at(root, root, {}, all);
  return all;
}

} // namespace mars_test
