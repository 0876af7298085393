// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <optional>

namespace mars::zoo {

/// What a caller may choose of a network that looks at an image. Pixels are square, three channels.
struct image_options {
  std::int64_t batch{1};
  std::optional<std::int64_t> image{}; ///< side in pixels; the network's own size when empty
  std::int64_t classes{1000};
  int element_bits{16}; ///< of activations and weights alike
  bool bias{true};      ///< false: weights only, as mars.md §8 and many papers count parameters
};

/// What a caller may choose of a network that reads tokens.
struct text_options {
  std::int64_t batch{1};
  std::optional<std::int64_t> sequence{}; ///< tokens; the network's own length when empty
  int element_bits{16};                   ///< of activations, weights and token numbers alike
};

} // namespace mars::zoo
