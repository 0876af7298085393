// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/detail/algorithm_choice.hpp>
#include <mars/evaluation/detail/interner.hpp>
#include <mars/evaluation/detail/layout_pool.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::detail {

/// How a tensor leaves an operator, or is wanted by one, where formats are chosen with layouts.
struct tensor_end {
  std::uint32_t layout{};
  std::uint32_t format{};      ///< number of its name
  std::uint32_t compression{}; ///< number; two of one compression need no conversion
  int bits{};                  ///< of an element
  std::uint32_t designs{};     ///< who rewrites it: number of a list by rank
};

/// Distinct ends, and what it takes to rewrite what one left as another wants it.
template <class Catalogue, deferred D = when_called>
class tensor_ends {
public:
  tensor_ends(Catalogue const& catalogue, basic_layout_pool<D> const& layouts)
      : catalogue_{&catalogue}, layouts_{&layouts} {}

  [[nodiscard]] auto operator()(std::uint32_t layout, std::string_view format,
                                std::uint32_t compression, int bits,
                                std::span<std::uint32_t const> designs = {}) -> std::uint32_t {
    auto const name = static_cast<std::uint32_t>(
        std::find(formats_.begin(), formats_.end(), format) - formats_.begin());
    if (name == formats_.size()) formats_.emplace_back(format);
    later<std::vector<std::uint32_t>, D> list(designs.begin(), designs.end());
    auto const who = designs_of_(list);
    if (who == lists_.size()) lists_.push_back(std::move(list));
    auto const id = ids_({layout, name, compression, static_cast<std::uint32_t>(bits), who});
    if (id == ends_.size()) ends_.push_back({layout, name, compression, bits, who});
    return id;
  }
  [[nodiscard]] auto operator[](std::uint32_t id) const -> tensor_end const& { return ends_[id]; }

  /// The number of a price, 0 for nothing to do.
  [[nodiscard]] auto reorder(std::uint32_t from, std::uint32_t to) -> std::uint32_t {
    if (prices_.empty()) prices_.emplace_back();
    auto const& a = ends_[from];
    auto const& b = ends_[to];
    auto const bits = a.compression == b.compression ? a.bits : b.bits;
    if (a.format == b.format && a.bits == bits) return 0;
    auto const number = known_({a.format, static_cast<std::uint32_t>(a.bits),
                                static_cast<std::uint32_t>(bits), to}) +
                        1;
    if (number == prices_.size())
      prices_.push_back(price_of_reorder(*catalogue_, lists_[b.designs], (*layouts_)[b.layout],
                                         {formats_[a.format], a.bits}, {formats_[b.format], bits}));
    return number;
  }
  [[nodiscard]] auto price(std::uint32_t number) const -> reorder_price const& {
    return prices_[number];
  }

private:
  Catalogue const* catalogue_;
  basic_layout_pool<D> const* layouts_;
  std::vector<std::string> formats_;
  later<interner<std::vector<std::uint32_t>>, D> designs_of_;
  later<std::vector<std::vector<std::uint32_t>>, D> lists_;
  later<interner<std::array<std::uint32_t, 5>>, D> ids_;
  std::vector<tensor_end> ends_;
  later<interner<std::array<std::uint32_t, 4>>, D>
      known_; ///< by format, bits before and after, and the end
  std::vector<reorder_price> prices_;
};

} // namespace mars::detail
