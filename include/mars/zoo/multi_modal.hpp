// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/layer_table.hpp>
#include <mars/zoo/network.hpp>
#include <mars/zoo/options.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::zoo {
namespace detail {

/// So many equal convolutions of a chain, 3×3, square maps.
struct table_run {
  int count{};
  std::int64_t out_channels{};
  std::int64_t in_channels{};
  std::int64_t rows{};
};

inline constexpr table_run casia_surf_branch[] = {
    {1, 64, 3, 112}, {3, 64, 64, 112}, {4, 64, 64, 56}, {1, 128, 64, 28}, {3, 128, 128, 28}};
inline constexpr table_run casia_surf_trunk[] = {
    {1, 256, 384, 14}, {3, 256, 256, 14}, {1, 512, 256, 7}, {3, 512, 512, 7}};
inline constexpr table_run facebag_branch[] = {
    {1, 32, 3, 56},    {1, 64, 32, 28},   {2, 64, 64, 28},   {1, 64, 128, 28}, {2, 64, 64, 28},
    {1, 128, 128, 14}, {2, 128, 128, 14}, {1, 128, 256, 14}, {2, 128, 128, 14}};
inline constexpr table_run facebag_trunk[] = {{1, 256, 256, 7},  {2, 256, 256, 7}, {1, 256, 512, 7},
                                              {2, 256, 256, 7},  {1, 512, 512, 3}, {2, 512, 512, 3},
                                              {1, 512, 1024, 3}, {2, 512, 512, 3}};

/// Three equal branches, one a modality; the trunk goes on from the first and joins the others.
template <deferred D = when_called, std::size_t B, std::size_t T>
[[nodiscard]] auto three_modalities(std::string_view name, table_run const (&branch)[B],
                                    table_run const (&trunk)[T], std::int64_t fc_in,
                                    std::int64_t fc_out, int element_bits) -> expected<graph> {
  later<std::vector<table_layer>, D> layers;
  std::vector<table_edge> edges;
  std::array<std::uint32_t, 3> last{}; // of each branch
  std::uint32_t join = 0;
  for (int modality = 1; modality <= 3; ++modality) {
    int number = 0;
    auto const add = [&](table_layer l) {
      ++number;
      l.name = std::string{"M"} + std::to_string(modality) + "L" + std::to_string(number);
      auto const id = static_cast<std::uint32_t>(layers.size());
      if (number > 1) edges.push_back({id - 1, id});
      layers.push_back(std::move(l));
    };
    auto const add_runs = [&](auto const& runs) {
      for (auto const& r : runs)
        for (int i = 0; i < r.count; ++i)
          add({{}, table_layer::what::conv, r.out_channels, r.in_channels, r.rows, r.rows, 3});
    };
    add_runs(branch);
    last[static_cast<std::size_t>(modality - 1)] = static_cast<std::uint32_t>(layers.size() - 1);
    if (modality > 1) continue;
    join = static_cast<std::uint32_t>(layers.size());
    add_runs(trunk);
    if (fc_out > 0) add({{}, table_layer::what::fc, fc_out, fc_in});
  }
  edges.push_back({last[1], join});
  edges.push_back({last[2], join});
  return graph_of_table(std::string{name}, layers, edges, element_bits);
}

struct casia_surf_layers {
  template <deferred D = when_called>
  [[nodiscard]] auto operator()(std::string_view name, int element_bits) const -> expected<graph> {
    return three_modalities<D>(name, casia_surf_branch, casia_surf_trunk, 0, 0, element_bits);
  }
};
struct facebag_layers {
  template <deferred D = when_called>
  [[nodiscard]] auto operator()(std::string_view name, int element_bits) const -> expected<graph> {
    return three_modalities<D>(name, facebag_branch, facebag_trunk, 92146, 3, element_bits);
  }
};

} // namespace detail

/// A network of several modalities, known from a layer table alone: its sizes are fixed, and its
/// elements are 32 bits wide unless the caller says otherwise.
template <class Layers>
struct table_network {
  std::string_view name;
  std::string_view family;
  std::string_view source;
  Layers layers;
  std::int64_t image{};
  static constexpr bool reads_text = false;
  static constexpr int element_bits = 32;

  /// Errors: a batch, an image or classes, which the table does not have; `element_bits` out of range.
  [[nodiscard]] auto build(image_options o = {.element_bits = 32}) const -> expected<graph> {
    if (o.batch != 1)
      return fail(error_code::out_of_range, "batch", std::to_string(o.batch), "1",
                  std::string{name} + " is a table of layers for one inference");
    if (o.image && *o.image != image)
      return fail(error_code::invalid_argument, "image", std::to_string(*o.image),
                  std::to_string(image),
                  std::string{name} + " is a table of layers of fixed sizes");
    if (o.classes != image_options{}.classes)
      return fail(error_code::invalid_argument, "classes", std::to_string(o.classes), "the default",
                  std::string{name} + " ends as its table does");
    if (auto ok = detail::check_element_bits(o.element_bits); !ok) return unexpected{ok.error()};
    return layers(name, o.element_bits);
  }
  [[nodiscard]] auto operator()(image_options o = {.element_bits = 32}) const -> graph {
    return build(o).value();
  }
};
template <class Layers>
table_network(std::string_view, std::string_view, std::string_view, Layers, std::int64_t)
    -> table_network<Layers>;

/// Face anti-spoofing from three cameras: 44 convolutions, 13.2 M parameters, 7.75 GMAC.
inline constexpr table_network casia_surf{
    "casia_surf", "multi-modal",
    "H2H, arXiv:2204.13852, and the layer tables of MARCH (Modality_case2); pooling and striding "
    "between layers are not recorded there: readers stride where maps shrink",
    detail::casia_surf_layers{}, 224};

/// The same from patches of a face: 51 convolutions and a fully connected layer, 24.7 M parameters,
/// 1.53 GMAC. Some layers of the table read more channels than are delivered; they are kept.
inline constexpr table_network facebag{
    "facebag", "multi-modal",
    "H2H, arXiv:2204.13852, and the layer tables of MARCH; the last layer's 92146 inputs are the "
    "source's",
    detail::facebag_layers{}, 112};

} // namespace mars::zoo
