// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Heavy to compile (every tile of every primitive); the flags of the including unit are those of the
// kernels: -O3 and -march=native, or they are slow.

#include <mars/core/expected.hpp>
#include <mars/core/random.hpp>
#include <mars/measurement/buffer.hpp>
#include <mars/measurement/candidate.hpp>
#include <mars/measurement/timing.hpp>
#include <mars/primitive/kernels/catalogue.hpp>
#include <mars/primitive/kernels/program.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::measurement {

struct own_kernel_options {
  std::vector<std::string> primitives{}; ///< empty: all
  bool untuned{true};
  bool tuned{true};
  timing_options tuning{
      .min_samples = 3, .max_samples = 15, .budget = seconds{0.02}}; ///< of one tile
};

namespace detail {

/// What the kernels of one layer share. They run one after another.
class layer_data {
public:
  explicit layer_data(convolution_layer const& c)
      : weights_{static_cast<std::size_t>(weights_of(c)), 2} {
    if (!(c.density < 1)) return;
    // Zeros anywhere, so many that the share is right to one weight.
    auto const size = weights_.size();
    auto left = size - static_cast<std::size_t>(c.density * static_cast<double>(size) + 0.5);
    random_stream random{1};
    for (std::size_t i = 0; i < size; ++i)
      if (random.below(size - i) < left) {
        weights_.data()[i] = 0;
        --left;
      }
  }
  [[nodiscard]] auto weights() const -> std::span<float const> {
    return {weights_.data(), weights_.size()};
  }
  /// Makes room for a program.
  void fit(primitive::kernels::program const& p) {
    grow(input_, p.input_size(), 1);
    grow(output_, p.output_size(), 3);
    grow(workspace_, p.workspace_size(), 4);
  }
  void run(primitive::kernels::program const& p) {
    p({input_.data(), p.input_size()}, {output_.data(), p.output_size()},
      {workspace_.data(), p.workspace_size()});
    keep(output_.data());
  }

private:
  static void grow(buffer<float>& b, std::size_t size, std::uint32_t seed) {
    if (b.size() < size) b = buffer<float>{size, seed};
  }

  buffer<float> weights_;
  buffer<float> input_;
  buffer<float> output_;
  buffer<float> workspace_;
};

} // namespace detail

/// The kernels of `primitive/kernels`: dense ones for layers without zeros, sparse ones for layers with.
/// Tuning times each tile of a primitive by itself.
[[nodiscard]] inline auto own_kernels(own_kernel_options options = {}) -> kernel_source {
  return [options = std::move(options)](
             convolution_layer const& layer) -> expected<std::vector<candidate>> {
    namespace kernels = primitive::kernels;
    std::vector<candidate> all;
    // Made by the first kernel that is prepared, and gone with the last; candidates may stay.
    auto const data = std::make_shared<std::weak_ptr<detail::layer_data>>();
    for (auto const& entry : kernels::catalogue()) {
      auto const& wanted = options.primitives;
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), entry.name) == wanted.end())
        continue;
      if ((entry.weights == weight_format::csr) != (layer.density < 1) || !entry.supports(layer))
        continue;
      for (auto const code : {kernels::code_generation::untuned, kernels::code_generation::tuned}) {
        auto const tuned = code == kernels::code_generation::tuned;
        if (tuned ? !options.tuned : !options.untuned) continue;
        auto const prepare = [=, tuning = options.tuning,
                              name = entry.name]() -> expected<prepared_kernel> {
          auto shared = data->lock();
          if (!shared) *data = shared = std::make_shared<detail::layer_data>(layer);
          auto program = kernels::prepare(name, code, layer, shared->weights(),
                                          [&](kernels::program const& p) {
                                            shared->fit(p);
                                            return time([&] { shared->run(p); }, tuning).time;
                                          });
          if (!program)
            return fail(error_code::unsupported, std::string{name},
                        "a layer that it does not support");
          shared->fit(*program);
          auto const formatted = program->format() != kernels::layout::nchw;
          auto tile = std::string{program->tile()};
          return prepared_kernel{.implementation = std::move(tile),
                                 .reorders_input = formatted,
                                 .reorders_output = formatted,
                                 .run = [shared, p = std::move(*program)] { shared->run(p); }};
        };
        all.push_back({.primitive = std::string{entry.name},
                       .code = tuned ? "tuned" : "untuned",
                       .version = std::string{"r"} + std::to_string(kernels::revision),
                       .lanes = static_cast<int>(kernels::lanes),
                       .prepare = prepare});
      }
    }
    return all;
  };
}

} // namespace mars::measurement
