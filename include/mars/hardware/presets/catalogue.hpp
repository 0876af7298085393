// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/closest_name.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/hardware/presets/fpga.hpp>
#include <mars/hardware/presets/gpu.hpp>
#include <mars/hardware/presets/gpu_device.hpp>
#include <mars/hardware/presets/h2h.hpp>
#include <mars/hardware/presets/npu.hpp>
#include <mars/hardware/presets/preset.hpp>
#include <mars/hardware/presets/processor.hpp>
#include <mars/hardware/presets/tpu.hpp>
#include <mars/hardware/system.hpp>

#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::presets {

/// A system of the catalogue: what it is, and how to make it with default options.
struct preset {
  preset_info info{};
  any_system (*make)(std::size_t row){};
  std::size_t row{};

  [[nodiscard]] auto build() const -> any_system { return make(row); }
};

namespace detail {

struct tpu_entry {
  preset_info info;
  tpu_chip chip;
  std::vector<std::uint32_t> extents;
};
template <deferred = when_called>
[[nodiscard]] auto tpu_entries() -> std::vector<tpu_entry> const& {
  static std::vector<tpu_entry> const all = [] {
    auto const named = [](std::string_view name, std::string_view description) {
      return preset_info{name, evidence::vendor, tpu_source, description};
    };
    return std::vector<tpu_entry>{
        {named("tpu_v3_16", "a 4×4 slice of TPU v3, no wrap-around"), tpu_v3, {4, 4}},
        {named("tpu_v4p_64", "a 4×4×4 cube of TPU v4p, a torus"), tpu_v4p, {4, 4, 4}},
        {named("tpu_v5p_64", "a 4×4×4 cube of TPU v5p, a torus"), tpu_v5p, {4, 4, 4}},
        {named("tpu_v5e_16", "a 4×4 slice of TPU v5e, no wrap-around"), tpu_v5e, {4, 4}},
        {named("tpu_v5e_256", "a 16×16 pod of TPU v5e, a torus"), tpu_v5e, {16, 16}},
        {named("tpu_v6e_16", "a 4×4 slice of TPU v6e, no wrap-around"), tpu_v6e, {4, 4}},
        {named("tpu_v6e_256", "a 16×16 pod of TPU v6e, a torus"), tpu_v6e, {16, 16}}};
  }();
  return all;
}

} // namespace detail

/// Every preset, in the order in which lists show them.
template <deferred = when_called>
[[nodiscard]] auto catalogue() -> std::vector<preset> {
  std::vector<preset> all;
  auto const add = [&](preset_info const& info, any_system (*make)(std::size_t)) {
    all.push_back({info, make, 0});
  };
  add(aws_f1_16xlarge_info, [](std::size_t) -> any_system { return aws_f1_16xlarge(); });
  add(aws_f1_16xlarge_vec4_info, [](std::size_t) -> any_system { return aws_f1_16xlarge_vec4(); });
  add(aws_f1_16xlarge_board_info,
      [](std::size_t) -> any_system { return aws_f1_16xlarge_board(); });
  add(aws_f1_16xlarge_ring_info, [](std::size_t) -> any_system { return aws_f1_16xlarge_ring(); });
  add(aws_f2_48xlarge_info, [](std::size_t) -> any_system { return aws_f2_48xlarge(); });
  add(alveo_u280_info, [](std::size_t) -> any_system { return alveo_u280(); });
  add(alveo_u55c_info, [](std::size_t) -> any_system { return alveo_u55c(); });
  for (std::size_t i = 0; i < std::size(h2h_levels); ++i)
    all.push_back({h2h_levels[i].info,
                   [](std::size_t row) -> any_system {
                     auto const& level = h2h_levels[row];
                     return h2h(bytes_per_second{level.gb_per_s * 1e9},
                                std::string{level.info.name});
                   },
                   i});
  for (std::size_t i = 0; i < gpu_servers().size(); ++i)
    all.push_back({info_of(gpu_servers()[i]),
                   [](std::size_t row) { return gpu_server(gpu_servers()[row]); }, i});
  for (std::size_t i = 0; i < gpu_devices().size(); ++i)
    all.push_back({info_of(gpu_devices()[i]),
                   [](std::size_t row) { return gpu_system(gpu_devices()[row]); }, i});
  for (std::size_t i = 0; i < processors().size(); ++i)
    all.push_back({info_of(processors()[i]),
                   [](std::size_t row) { return processor_system(processors()[row]); }, i});
  for (std::size_t i = 0; i < detail::tpu_entries().size(); ++i)
    all.push_back({detail::tpu_entries()[i].info,
                   [](std::size_t row) -> any_system {
                     auto const& e = detail::tpu_entries()[row];
                     return tpu_slice(e.chip, e.extents);
                   },
                   i});
  add(trn1_32xlarge_info, [](std::size_t) -> any_system { return trn1_32xlarge(); });
  add(trn2_48xlarge_info, [](std::size_t) -> any_system { return trn2_48xlarge(); });
  add(gaudi3_8_info, [](std::size_t) -> any_system { return gaudi3_8(); });
  return all;
}

template <deferred = when_called>
[[nodiscard]] auto names() -> std::vector<std::string_view> {
  std::vector<std::string_view> all;
  for (auto const& p : catalogue()) all.push_back(p.info.name);
  return all;
}

/// The system of that name. Error: `unknown_name` at `system`, with a suggestion.
template <deferred = when_called>
[[nodiscard]] auto find(std::string_view name) -> expected<any_system> {
  for (auto const& p : catalogue())
    if (p.info.name == name) return p.build();
  auto const known = names();
  std::string list;
  for (auto const n : known) list += (list.empty() ? "one of " : ", ") + std::string{n};
  auto const near = mars::detail::closest_name(name, known);
  return fail(error_code::unknown_name, "system", std::string{name.substr(0, 64)}, std::move(list),
              near.empty() ? std::string{}
                           : std::string{"did you mean "} + std::string{near} + "?");
}

/// Grade, source and description of the system of that name. Error: as `find`.
template <deferred = when_called>
[[nodiscard]] auto find_info(std::string_view name) -> expected<preset_info> {
  for (auto const& p : catalogue())
    if (p.info.name == name) return p.info;
  return unexpected{find(name).error()};
}

} // namespace mars::presets
