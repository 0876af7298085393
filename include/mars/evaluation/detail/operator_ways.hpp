// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/hash.hpp>
#include <mars/evaluation/detail/algorithm_choice.hpp>
#include <mars/evaluation/detail/workload_classes.hpp>
#include <mars/evaluation/problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::detail {

/// A price that has been asked for: operator signature, design, extents of the critical phase.
struct price_question {
  std::uint32_t signature{};
  std::uint32_t design{};
  mars::extents extents;

  friend auto operator==(price_question const&, price_question const&) -> bool = default;
};
struct price_question_hash {
  [[nodiscard]] auto operator()(price_question const& q) const -> std::size_t {
    stable_hash h;
    h.add(q.signature).add(q.design);
    for (auto const e : q.extents) h.add(e);
    return static_cast<std::size_t>(h.digest());
  }
};

/// The ways in which an operator can run on a set, besides its sharding: the algorithms that designs
/// list and, for operators and algorithms that work in any format, the formats.
template <class Catalogue, class Cost, deferred D = when_called>
class operator_ways {
public:
  struct way {
    operator_variant how;
    operator_run run;
    std::size_t design{}; ///< that can run so, of the set's options
  };

  operator_ways(Catalogue const& catalogue, Cost const& cost)
      : catalogue_{&catalogue}, cost_{&cost} {}

  /// Finds the designs that list algorithms for an operator as a whole, and in which formats; none of
  /// them, if there is nothing to `choose`. True if there are any. O(operator classes · designs) calls.
  [[nodiscard]] auto survey(later<std::vector<operator_class>, D> const& operators, bool choose)
      -> bool {
    bool any = false;
    formats_.assign(catalogue_->size(), {});
    for (std::uint32_t d = 0; choose && d < formats_.size(); ++d)
      for (auto const& k : operators)
        for (auto const& a : algorithms_of(*cost_, shard{*k.first}, (*catalogue_)[d])) {
          any = true;
          if (formats_[d].empty()) formats_[d].emplace_back(plain_format);
          for (auto const name : {a.how.input_format, a.how.output_format})
            if (!name.empty() &&
                std::find(formats_[d].begin(), formats_[d].end(), name) == formats_[d].end())
              formats_[d].emplace_back(name);
        }
    return any;
  }
  /// `signature` numbers operators for which the answers are the same.
  template <class Options>
  [[nodiscard]] auto operator()(later<operation, D> const& o, std::uint32_t signature,
                                sharding const& s, Options const& options) -> std::vector<way> {
    std::vector<way> all;
    for (std::size_t d = 0; d < options.size(); ++d) {
      auto const& designs = options[d].by_member;
      auto const& formats = formats_[designs.front()];
      if (formats.empty()) {
        all.push_back({.how = {}, .run = {}, .design = d});
        continue;
      }
      auto const common = algorithms_on<D>(
          o, s, designs,
          [&](std::uint32_t number, std::size_t rank) -> std::vector<algorithm_cost> const& {
            auto const part = rank_extents(o, s, designs.size(), rank);
            auto const [entry, fresh] = asked_.try_emplace({signature, number, part});
            if (fresh) entry->second = algorithms_of(*cost_, shard{o, part}, (*catalogue_)[number]);
            return entry->second;
          });
      auto const add = [&](set_algorithm const& a, std::string_view format) {
        auto const named = format == plain_format ? std::string_view{} : format;
        all.push_back({{std::string{a.name}, std::string{named}, {}},
                       run_of<D>(o, s, designs.size(), a, format),
                       d});
      };
      for (auto const& a : common)
        if (a.carries())
          for (auto const& f : formats) add(a, f);
        else
          add(a, {});
      for (auto const& f : formats)
        if (common.empty() && (f == plain_format || carries_formats(o.kind))) add({}, f);
    }
    return all;
  }

private:
  Catalogue const* catalogue_;
  Cost const* cost_;
  std::vector<std::vector<std::string>> formats_; ///< by design: plain first; empty: no algorithms
  later<std::unordered_map<price_question, std::vector<algorithm_cost>, price_question_hash>, D>
      asked_;
};

} // namespace mars::detail
