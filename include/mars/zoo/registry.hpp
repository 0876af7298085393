// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/closest_name.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/graph.hpp>
#include <mars/zoo/alexnet.hpp>
#include <mars/zoo/bert.hpp>
#include <mars/zoo/densenet.hpp>
#include <mars/zoo/efficientnet.hpp>
#include <mars/zoo/gpt.hpp>
#include <mars/zoo/inception.hpp>
#include <mars/zoo/mobilenet.hpp>
#include <mars/zoo/network.hpp>
#include <mars/zoo/resnet.hpp>
#include <mars/zoo/squeezenet.hpp>
#include <mars/zoo/vgg.hpp>
#include <mars/zoo/vit.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mars::zoo {

/// What may be chosen when the network is chosen by name; what is empty is the network's own.
struct arguments {
  std::int64_t batch{1};
  std::optional<std::int64_t> image{};    ///< side in pixels; only of networks that look at images
  std::optional<std::int64_t> sequence{}; ///< tokens; only of networks that read text
  int element_bits{16};
  bool bias{true}; ///< see `image_options`; networks that read text always have theirs
};

/// Builds a network; never raises.
using network_factory = auto(arguments const&) -> expected<graph>;

/// A line of the list of networks.
struct entry {
  std::string_view name;
  std::string_view family;
  std::string_view source;
  bool reads_text{};
  std::int64_t size{}; ///< the image's side, or the tokens, when the caller does not say
  network_factory* build{nullptr};
};

namespace detail {

template <image_network const& Network>
[[nodiscard]] auto build_with(arguments const& a) -> expected<graph> {
  if (a.sequence)
    return fail(error_code::invalid_argument, "sequence", std::to_string(*a.sequence),
                "no sequence", std::string{Network.name} + " looks at an image");
  return Network.build(
      {.batch = a.batch, .image = a.image, .element_bits = a.element_bits, .bias = a.bias});
}
template <text_network const& Network>
[[nodiscard]] auto build_with(arguments const& a) -> expected<graph> {
  if (a.image)
    return fail(error_code::invalid_argument, "image", std::to_string(*a.image), "no image",
                std::string{Network.name} + " reads text");
  return Network.build({.batch = a.batch, .sequence = a.sequence, .element_bits = a.element_bits});
}

template <image_network const& Network>
[[nodiscard]] constexpr auto list_image_network() -> entry {
  return {.name = Network.name,
          .family = Network.family,
          .source = Network.source,
          .reads_text = false,
          .size = Network.image,
          .build = build_with<Network>};
}
template <text_network const& Network>
[[nodiscard]] constexpr auto list_text_network() -> entry {
  return {.name = Network.name,
          .family = Network.family,
          .source = Network.source,
          .reads_text = true,
          .size = Network.sequence,
          .build = build_with<Network>};
}

inline constexpr entry entries[] = {
    list_image_network<alexnet>(),      list_image_network<alexnet_2012>(),
    list_image_network<vgg16>(),        list_image_network<vgg19>(),
    list_image_network<resnet18>(),     list_image_network<resnet34>(),
    list_image_network<resnet50>(),     list_image_network<resnet101>(),
    list_image_network<resnet152>(),    list_image_network<wrn50_2>(),
    list_image_network<googlenet>(),    list_image_network<inception_v3>(),
    list_image_network<mobilenet_v1>(), list_image_network<mobilenet_v2>(),
    list_image_network<squeezenet>(),   list_image_network<densenet121>(),
    list_image_network<densenet161>(),  list_image_network<efficientnet_b0>(),
    list_image_network<vit_b16>(),      list_text_network<bert_base>(),
    list_text_network<bert_large>(),    list_text_network<gpt2>(),
    list_text_network<gpt3_175b>(),
};

} // namespace detail

/// Every network, in the order in which lists show them.
[[nodiscard]] constexpr auto list() -> std::span<entry const> { return detail::entries; }

[[nodiscard]] inline auto names() -> std::vector<std::string_view> {
  std::vector<std::string_view> out;
  for (auto const& e : list()) out.push_back(e.name);
  return out;
}

/// The network of that name. Errors: `unknown_name` at `model`, with a suggestion; what the network
/// says of the arguments, at `batch`, `image`, `sequence`, `element_bits`, or the network's name
/// when only their product is too large.
[[nodiscard]] inline auto find(std::string_view name, arguments const& a = {}) -> expected<graph> {
  for (auto const& e : list())
    if (e.name == name) return e.build(a);
  std::string known;
  for (auto const& e : list()) known += (known.empty() ? "one of " : ", ") + std::string{e.name};
  auto const near = mars::detail::closest_name(name, names());
  return fail(error_code::unknown_name, "model", std::string{name.substr(0, 64)}, std::move(known),
              near.empty() ? std::string{}
                           : std::string{"did you mean "} + std::string{near} + "?");
}

} // namespace mars::zoo
