// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The acceleration stack that the command `study` knows: types here, values by name.
#pragma once

#include "options.hpp"

#include <mars/compression/channel_pruning.hpp>
#include <mars/compression/concept.hpp>
#include <mars/compression/none.hpp>
#include <mars/compression/precision.hpp>
#include <mars/compression/then.hpp>
#include <mars/compression/weight_pruning.hpp>
#include <mars/core/expected.hpp>
#include <mars/exploration/axis.hpp>
#include <mars/exploration/stack.hpp>
#include <mars/primitive/csr_direct.hpp>
#include <mars/primitive/csr_gemm.hpp>
#include <mars/primitive/csr_spatial_pack.hpp>
#include <mars/primitive/direct.hpp>
#include <mars/primitive/im2col_gemm.hpp>
#include <mars/primitive/processor.hpp>
#include <mars/primitive/spatial_pack.hpp>
#include <mars/primitive/winograd.hpp>

#include <string>
#include <utility>
#include <vector>

namespace mars_map {

/// A processor of a study. `only_wide`: it is this machine, whose kernels compute in 32 bits.
struct study_design : mars::primitive::processor {
  bool only_wide{false};

  template <mars::Compression C>
  [[nodiscard]] auto executes(C const&) const -> bool {
    return !only_wide || mars::effects_of<C>().element_bits == 0;
  }
};

using networks_axis = mars::exploration::axis<mars::exploration::network>;
using compressions_axis = mars::exploration::axis<
    mars::compression::none, mars::compression::weight_pruning, mars::compression::channel_pruning,
    mars::compression::float16, mars::compression::bfloat16, mars::compression::int8,
    mars::compression::then<mars::compression::weight_pruning, mars::compression::int8>,
    mars::compression::then<mars::compression::channel_pruning, mars::compression::int8>,
    mars::compression::then<mars::compression::channel_pruning, mars::compression::weight_pruning>>;
using primitives_axis =
    mars::exploration::axis<mars::primitive::direct, mars::primitive::im2col_gemm,
                            mars::primitive::spatial_pack, mars::primitive::winograd<2>,
                            mars::primitive::winograd<4>, mars::primitive::csr_direct,
                            mars::primitive::csr_gemm, mars::primitive::csr_spatial_pack>;
using code_axis = mars::exploration::axis<mars::exploration::untuned, mars::exploration::tuned>;
using hardware_axis = mars::exploration::axis<study_design>;
using study_stack = mars::exploration::stack<networks_axis, compressions_axis, primitives_axis,
                                             code_axis, hardware_axis>;

/// The stack that the options name. Errors: `unknown_name` and what loading a model says, at the option.
[[nodiscard]] auto make_stack(options const& o) -> mars::expected<study_stack>;

/// The stack with one more design.
[[nodiscard]] auto with_design(study_stack stack, study_design design) -> study_stack;

} // namespace mars_map
