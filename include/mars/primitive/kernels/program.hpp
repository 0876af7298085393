// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/layout.hpp>
#include <mars/primitive/rates.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <cassert>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace mars::primitive::kernels {

using primitive::code_generation;

/// A kernel that is ready to run one layer again and again: weights packed, tile chosen. One indirect call
/// a run. Copies share the weights. May be called from several threads, each with its own output and
/// workspace.
class program {
public:
  template <class Kernel>
  program(std::string_view primitive, std::string tile, layout format,
          convolution_layer const& layer, Kernel kernel)
      : primitive_{primitive},
        tile_{std::move(tile)},
        format_{format},
        input_size_{input_of(layer).size(format)},
        output_size_{output_of(layer).size(format)},
        workspace_size_{kernel.workspace_size()},
        weights_bytes_{kernel.weights_bytes()},
        run_{[kept = std::make_shared<Kernel const>(std::move(kernel))](
                 float const* in, float* out, float* workspace) { (*kept)(in, out, workspace); }} {}

  [[nodiscard]] auto primitive() const -> std::string_view { return primitive_; }
  [[nodiscard]] auto tile() const -> std::string_view { return tile_; }
  /// Of input and output.
  [[nodiscard]] auto format() const -> layout { return format_; }
  /// Elements of the three buffers a run takes.
  [[nodiscard]] auto input_size() const -> std::size_t {
    return static_cast<std::size_t>(input_size_);
  }
  [[nodiscard]] auto output_size() const -> std::size_t {
    return static_cast<std::size_t>(output_size_);
  }
  [[nodiscard]] auto workspace_size() const -> std::size_t {
    return static_cast<std::size_t>(workspace_size_);
  }
  [[nodiscard]] auto workspace_bytes() const -> std::size_t {
    return workspace_size() * sizeof(float);
  }
  /// As packed.
  [[nodiscard]] auto weights_bytes() const -> std::size_t { return weights_bytes_; }

  /// The workspace's contents do not matter, before or after. Buffers must not overlap; aligned to a cache
  /// line they are faster.
  void operator()(std::span<float const> in, std::span<float> out,
                  std::span<float> workspace) const {
    assert(in.size() == input_size() && out.size() == output_size());
    assert(workspace.size() >= workspace_size());
    run_(in.data(), out.data(), workspace.data());
  }

private:
  std::string_view primitive_;
  std::string tile_;
  layout format_;
  offset input_size_;
  offset output_size_;
  offset workspace_size_;
  std::size_t weights_bytes_;
  std::function<void(float const*, float*, float*)> run_;
};

} // namespace mars::primitive::kernels
