// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "load.hpp"
#include "options.hpp"

#include <mars/core/expected.hpp>
#include <mars/io/export/exported.hpp>

namespace mars_map {

/// The mapping of `o.files` in the format `o.format`.
/// Errors: `invalid_mapping` and others when it is no mapping; those of the exporters.
[[nodiscard]] auto export_mapping(options const& o, workload const& w,
                                  mars::any_system const& system)
    -> mars::expected<mars::io::exported>;

/// As ONNX: where `o.model` is an ONNX file, that model with annotations, else a skeleton.
[[nodiscard]] auto export_onnx_model(options const& o, workload const& w,
                                     mars::any_system const& system, mars::mapping const& mapping)
    -> mars::expected<mars::io::exported>;

} // namespace mars_map
