// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/graph.hpp>
#include <mars/zoo/detail/image_layers.hpp>
#include <mars/zoo/detail/text_layers.hpp>
#include <mars/zoo/options.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace mars::zoo {
namespace detail {

template <deferred = when_called>
[[nodiscard]] auto check_at_least(std::string_view path, std::int64_t found, std::int64_t least,
                                  std::string why = {}) -> expected<void> {
  if (found >= least) return {};
  return fail(error_code::out_of_range, std::string{path}, std::to_string(found),
              std::string{"at least "} + std::to_string(least), std::move(why));
}

template <deferred = when_called>
[[nodiscard]] auto check_element_bits(int found) -> expected<void> {
  if (found >= 1 && found <= 64) return {};
  return fail(error_code::out_of_range, "element_bits", std::to_string(found), "1 to 64");
}

/// The graph, or the builder's complaint in terms of what the caller chose: each argument has been
/// checked by itself, so only their product can still be wrong.
template <deferred = when_called>
[[nodiscard]] auto finish(std::string_view name, std::string chosen, builder layers)
    -> expected<graph> {
  auto built = std::move(layers).build();
  if (built) return built;
  auto const& cause = built.error();
  return fail(cause.code, std::string{name}, std::move(chosen), "a network whose tensors fit",
              cause.path + ": " + cause.found);
}

} // namespace detail

/// What is known of a network that looks at an image before it is built.
struct image_facts {
  std::string_view name;
  std::string_view family;
  std::string_view source;     ///< paper, and the definition where the paper leaves a choice
  std::int64_t image{224};     ///< side of the image it was published with
  std::int64_t least_image{1}; ///< smaller ones do not survive its windows
  std::int64_t multiple{1};    ///< the side is a multiple of this (patches)
};

/// A network that looks at an image: its facts and its layers, written once. Calling it gives the
/// graph, `auto const network = zoo::resnet101({.batch = 8});`, and raises on bad arguments;
/// `build` gives the error instead. `Layers` writes what comes behind the image, given
/// `detail::image_layers` and a value, and returns the class scores; it is a type so that only
/// networks that are called are compiled.
template <class Layers>
struct image_network : image_facts {
  static constexpr bool reads_text = false;
  Layers layers;

  /// Errors: `batch`, `image`, `classes` or `element_bits` out of range; a product beyond 2⁶²,
  /// with the path `<name>`.
  [[nodiscard]] auto build(image_options o = {}) const -> expected<graph> {
    auto const side = o.image.value_or(this->image);
    if (auto ok = detail::check_at_least("batch", o.batch, 1); !ok) return unexpected{ok.error()};
    if (auto ok = detail::check_at_least("classes", o.classes, 1); !ok)
      return unexpected{ok.error()};
    if (auto ok = detail::check_element_bits(o.element_bits); !ok) return unexpected{ok.error()};
    if (auto ok = detail::check_at_least("image", side, least_image, needed_by()); !ok)
      return unexpected{ok.error()};
    if (side % multiple != 0)
      return fail(error_code::out_of_range, "image", std::to_string(side),
                  std::string{"a multiple of "} + std::to_string(multiple), needed_by());

    builder b{std::string{name}, o.element_bits};
    auto const x = b.input("image", {o.batch, 3, side, side});
    detail::image_layers<builder> net{b, o.classes, o.bias};
    b.output(layers(net, x));
    return detail::finish(name,
                          std::string{"batch "} + std::to_string(o.batch) + ", image " +
                              std::to_string(side) + std::string{", classes "} +
                              std::to_string(o.classes),
                          std::move(b));
  }

  /// The graph, or `mars::exception` (abort with -fno-exceptions) on bad arguments.
  [[nodiscard]] auto operator()(image_options o = {}) const -> graph { return build(o).value(); }

private:
  [[nodiscard]] auto needed_by() const -> std::string {
    return std::string{name} + " needs it, in pixels a side";
  }
};

template <class Layers>
image_network(image_facts, Layers) -> image_network<Layers>;

/// What is known of a network that reads tokens before it is built.
struct text_facts {
  std::string_view name;
  std::string_view family;
  std::string_view source;
  std::int64_t sequence{};      ///< tokens when the caller does not say
  std::int64_t most_sequence{}; ///< rows of its table of positions; 0: it has none, any length
  detail::transformer_shape shape;
};

/// A network that reads tokens; used like `image_network`. `Layers` writes it from its token numbers
/// to its result, given `detail::text_layers`.
template <class Layers>
struct text_network : text_facts {
  static constexpr bool reads_text = true;
  Layers layers;

  /// Errors: `batch`, `sequence` or `element_bits` out of range; a product beyond 2⁶², with the
  /// path `<name>`.
  [[nodiscard]] auto build(text_options o = {}) const -> expected<graph> {
    auto const tokens = o.sequence.value_or(sequence);
    if (auto ok = detail::check_at_least("batch", o.batch, 1); !ok) return unexpected{ok.error()};
    if (most_sequence == 0) {
      if (auto ok = detail::check_at_least("sequence", tokens, 1); !ok)
        return unexpected{ok.error()};
    } else if (tokens < 1 || tokens > most_sequence) {
      return fail(error_code::out_of_range, "sequence", std::to_string(tokens),
                  std::string{"1 to "} + std::to_string(most_sequence),
                  std::string{name} + " has that many positions");
    }
    if (auto ok = detail::check_element_bits(o.element_bits); !ok) return unexpected{ok.error()};

    builder b{std::string{name}, o.element_bits};
    detail::text_layers<builder> net{{b, this->shape}, o.batch, tokens, most_sequence};
    b.output(layers(net));
    return detail::finish(name,
                          std::string{"batch "} + std::to_string(o.batch) + ", sequence " +
                              std::to_string(tokens),
                          std::move(b));
  }

  /// The graph, or `mars::exception` (abort with -fno-exceptions) on bad arguments.
  [[nodiscard]] auto operator()(text_options o = {}) const -> graph { return build(o).value(); }
};
template <class Layers>
text_network(text_facts, Layers) -> text_network<Layers>;

} // namespace mars::zoo
