// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/io/json/detail/schema.hpp>
#include <mars/io/json/document.hpp>
#include <mars/io/json/reader.hpp>
#include <mars/search/checkpoint.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace mars::io {

inline constexpr std::string_view checkpoint_schema = "mars.checkpoint/1";

/// A checkpoint, and which search it is of: neither policy nor seed can be told from the state.
struct checkpoint_document {
  std::string search;
  std::uint64_t seed{};
  mars::checkpoint checkpoint;
};

namespace detail {
/// What a bound can be called (`static_bounds` and the searches): a name in a file becomes one of these,
/// because bounds refer to text that lives for ever.
inline constexpr std::array<std::string_view, 9> bound_names{
    "none", "work", "path", "roofline", "cut", "memory", "spending", "elimination", "exhausted"};

/// 64 bits do not fit into a JSON number everywhere.
[[nodiscard]] inline auto hex_text(std::uint64_t n) -> std::string {
  std::string text(16, '0');
  for (auto at = text.rbegin(); at != text.rend(); ++at, n >>= 4U)
    *at = "0123456789abcdef"[n & 15U];
  return text;
}
[[nodiscard]] inline auto read_hex(reader const& r) -> std::uint64_t {
  auto const text = r.text();
  std::uint64_t n = 0;
  for (char const c : text) {
    auto const digit = std::string_view{"0123456789abcdef"}.find(c);
    if (digit == std::string_view::npos || text.size() != 16) {
      r.reject(error_code::out_of_range, "16 hexadecimal digits");
      return 0;
    }
    n = n << 4U | digit;
  }
  if (text.size() != 16) r.reject(error_code::out_of_range, "16 hexadecimal digits");
  return n;
}
[[nodiscard]] inline auto read_numbers(reader const& list) -> std::vector<std::uint16_t> {
  std::vector<std::uint16_t> all;
  for (auto const& item : list.items())
    all.push_back(
        static_cast<std::uint16_t>(item.integer(0, std::numeric_limits<std::uint16_t>::max())));
  return all;
}
} // namespace detail

/// A `mars.checkpoint/1` document: `search`, `seed`, `problem` (fingerprint), `rounds`, `evaluations`,
/// `bound{value, name}`, `exhausted`, `best{slots[[set, design]], slot_of[], choice_of[]}`.
[[nodiscard]] inline auto checkpoint_to_json(checkpoint_document const& d) -> ordered_json {
  auto const& c = d.checkpoint;
  ordered_json j;
  j["schema"] = std::string{checkpoint_schema};
  j["search"] = d.search;
  j["seed"] = detail::hex_text(d.seed);
  j["problem"] = detail::hex_text(c.problem);
  j["rounds"] = c.rounds;
  j["evaluations"] = c.evaluations;
  j["bound"]["value"] = c.bound.value;
  j["bound"]["name"] = std::string{c.bound.name};
  j["exhausted"] = c.exhausted;
  auto& best = j["best"];
  best["slots"] = ordered_json::array();
  for (auto const& s : c.best.slots) best["slots"].push_back({s.set, s.design});
  best["slot_of"] = c.best.slot_of;
  best["choice_of"] = c.best.choice_of;
  return j;
}

/// Errors carry the path to the culprit. Whether it is of the problem at hand is for
/// `mapper::find` to say.
[[nodiscard]] inline auto load_checkpoint(std::string_view text) -> expected<checkpoint_document> {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  auto const document = parse_json(text);
  if (!document) return unexpected{document.error()};
  reader_context context{*document};
  auto const root = context.root();
  detail::read_schema(root, checkpoint_schema);
  root.allow({"schema", "search", "seed", "problem", "rounds", "evaluations", "bound", "exhausted",
              "best"});
  checkpoint_document d;
  auto& c = d.checkpoint;
  d.search = root["search"].text();
  d.seed = detail::read_hex(root["seed"]);
  c.problem = detail::read_hex(root["problem"]);
  c.rounds = static_cast<std::uint64_t>(root["rounds"].integer(0, 1 << 20));
  c.evaluations = static_cast<std::uint64_t>(root["evaluations"].integer(0, most));
  c.bound.value = root["bound"]["value"].integer(0, no_ticks);
  c.bound.name = detail::bound_names[root["bound"]["name"].choice(detail::bound_names)];
  c.exhausted = root["exhausted"].boolean();
  auto const best = root["best"];
  for (auto const& s : best["slots"].items(std::numeric_limits<std::uint16_t>::max())) {
    auto const parts = s.items(2);
    if (parts.size() != 2) {
      s.reject(error_code::out_of_range, "a set and a design");
      break;
    }
    constexpr auto largest = std::numeric_limits<std::uint32_t>::max();
    c.best.slots.push_back({static_cast<std::uint32_t>(parts[0].integer(0, largest)),
                            static_cast<std::uint32_t>(parts[1].integer(0, largest))});
  }
  c.best.slot_of = detail::read_numbers(best["slot_of"]);
  c.best.choice_of = detail::read_numbers(best["choice_of"]);
  if (context.failed()) return unexpected{error{context.failure()}};
  return d;
}

} // namespace mars::io
