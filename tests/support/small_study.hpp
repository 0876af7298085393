// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/study.hpp>

#include <cstdint>
#include <utility>

namespace mars_test {

/// Two networks (the second a tenth of the first), pruned by nothing, a half and three quarters, run
/// dense or sparse (pruned only), untuned or tuned, on a cpu or a gpu. Nothing was computed from it yet.
inline auto small_study() -> mars::exploration::study {
  namespace ex = mars::exploration;
  ex::study s;
  auto const name = [&](ex::axis_id a, char const* axis, std::vector<ex::axis_element> elements) {
    s.axes[static_cast<std::size_t>(a)] = {axis, std::move(elements)};
  };
  name(ex::axis_id::network, "network", {{"big", "", {}}, {"small", "", {}}});
  name(ex::axis_id::compression, "compression",
       {{"none", "", {}}, {"half", "", 0.5}, {"quarter, left", "", 0.75}});
  name(ex::axis_id::primitive, "primitive", {{"dense", "", {}}, {"sparse", "", {}}});
  name(ex::axis_id::code_generation, "code generation", {{"untuned", "", {}}, {"tuned", "", {}}});
  name(ex::axis_id::design, "design", {{"cpu", "a \"core\"", {}}, {"gpu", "", {}}});
  s.rejections = {{"accepts_weights_for", "needs zeros, \"pruned\"", 0}};
  // By sparse and level, [code generation][design], seconds.
  constexpr double dense[2][2] = {{100, 40}, {50, 10}};
  constexpr double sparse[2][2][2] = {{{120, 90}, {30, 25}}, {{60, 80}, {20, 24}}};
  for (std::uint16_t n = 0; n < 2; ++n)
    for (std::uint16_t c = 0; c < 3; ++c)
      for (std::uint16_t p = 0; p < 2; ++p)
        for (std::uint16_t g = 0; g < 2; ++g)
          for (std::uint16_t d = 0; d < 2; ++d) {
            if (p == 1 && c == 0) {
              s.rejected.push_back({{n, c, p, g, d}, 0});
              ++s.rejections[0].cells;
              continue;
            }
            double const size = n == 0 ? 1 : 0.1;
            ex::cell cell{.at = {n, c, p, g, d}, .accuracy = {}};
            cell.time = mars::seconds{size * (p == 0 ? dense[g][d] : sparse[c - 1U][g][d])};
            cell.weights = mars::bytes{n == 0 ? 1000 : 100};
            if (p == 1) cell.weights = cell.weights * (c == 1 ? 9 : 5) / 10;
            cell.valid = mars::macs{n == 0 ? 5000 : 500};
            cell.executed = static_cast<double>(cell.valid.count()) * (p == 1 ? 0.5 / c : 1);
            if (c == 0)
              cell.accuracy = {ex::provenance::published, n == 0 ? 76.0 : 70.0,
                               n == 0 ? 76.0 : 70.0, "a table, its first page", ""};
            if (c == 1 && n == 0)
              cell.accuracy = {ex::provenance::published, 72, 70, "another table", "50 %"};
            s.cells.push_back(std::move(cell));
          }
  return s;
}

} // namespace mars_test
