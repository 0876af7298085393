// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/closest_name.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/graph.hpp>
#include <mars/zoo/alexnet.hpp>
#include <mars/zoo/bert.hpp>
#include <mars/zoo/densenet.hpp>
#include <mars/zoo/efficientnet.hpp>
#include <mars/zoo/gpt.hpp>
#include <mars/zoo/inception.hpp>
#include <mars/zoo/mobilenet.hpp>
#include <mars/zoo/multi_modal.hpp>
#include <mars/zoo/network.hpp>
#include <mars/zoo/resnet.hpp>
#include <mars/zoo/squeezenet.hpp>
#include <mars/zoo/t5.hpp>
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
  std::optional<int> element_bits{}; ///< empty: 16; 32 where the source is a table of 32-bit layers
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

template <auto const& Network>
[[nodiscard]] auto build_with(arguments const& a) -> expected<graph> {
  auto bits = a.element_bits.value_or(16);
  if constexpr (requires { Network.element_bits; })
    bits = a.element_bits.value_or(Network.element_bits);
  if constexpr (Network.reads_text) {
    if (a.image)
      return fail(error_code::invalid_argument, "image", std::to_string(*a.image), "no image",
                  std::string{Network.name} + " reads text");
    return Network.build({.batch = a.batch, .sequence = a.sequence, .element_bits = bits});
  } else {
    if (a.sequence)
      return fail(error_code::invalid_argument, "sequence", std::to_string(*a.sequence),
                  "no sequence", std::string{Network.name} + " looks at an image");
    return Network.build(
        {.batch = a.batch, .image = a.image, .element_bits = bits, .bias = a.bias});
  }
}

template <class Entry, auto const& Network>
[[nodiscard]] constexpr auto list_network() -> Entry {
  auto size = [] {
    if constexpr (Network.reads_text)
      return Network.sequence;
    else
      return Network.image;
  };
  return {.name = Network.name,
          .family = Network.family,
          .source = Network.source,
          .reads_text = Network.reads_text,
          .size = size(),
          .build = build_with<Network>};
}

// Of `entry`: a template so that the networks are compiled only where the list is used.
template <class Entry>
inline constexpr Entry entries[] = {
    list_network<Entry, alexnet>(),      list_network<Entry, alexnet_2012>(),
    list_network<Entry, vgg16>(),        list_network<Entry, vgg19>(),
    list_network<Entry, resnet18>(),     list_network<Entry, resnet34>(),
    list_network<Entry, resnet50>(),     list_network<Entry, resnet101>(),
    list_network<Entry, resnet152>(),    list_network<Entry, wrn50_2>(),
    list_network<Entry, googlenet>(),    list_network<Entry, inception_v3>(),
    list_network<Entry, mobilenet_v1>(), list_network<Entry, mobilenet_v2>(),
    list_network<Entry, squeezenet>(),   list_network<Entry, densenet121>(),
    list_network<Entry, densenet161>(),  list_network<Entry, efficientnet_b0>(),
    list_network<Entry, vit_b16>(),      list_network<Entry, bert_base>(),
    list_network<Entry, bert_large>(),   list_network<Entry, gpt2>(),
    list_network<Entry, gpt3_175b>(),    list_network<Entry, t5_small_encoder>(),
    list_network<Entry, casia_surf>(),   list_network<Entry, facebag>(),
};

} // namespace detail

/// Every network, in the order in which lists show them.
template <class Entry = entry>
[[nodiscard]] auto list() -> std::span<Entry const> {
  return detail::entries<Entry>;
}

template <deferred = when_called>
[[nodiscard]] auto names() -> std::vector<std::string_view> {
  std::vector<std::string_view> out;
  for (auto const& e : list()) out.push_back(e.name);
  return out;
}

/// The network of that name. Errors: `unknown_name` at `model`, with a suggestion; what the network
/// says of the arguments, at `batch`, `image`, `sequence`, `element_bits`, or the network's name
/// when only their product is too large.
template <deferred = when_called>
[[nodiscard]] auto find(std::string_view name, arguments const& a = {}) -> expected<graph> {
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
