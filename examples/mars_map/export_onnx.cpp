// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "export.hpp"

#if defined(MARS_HAS_ONNX)
#include <mars/io/files.hpp>
#include <mars/io/onnx/write_model.hpp>

#include <utility>
#endif

namespace mars_map {

#if defined(MARS_HAS_ONNX)

auto export_onnx_model(options const& o, workload const& w, mars::any_system const& system,
                       mars::mapping const& mapping) -> mars::expected<mars::io::exported> {
  if (!has_suffix(o.model, ".onnx")) return mars::io::export_onnx(w.graph, system, mapping);
  auto const bytes = mars::io::read_file(o.model, std::uint64_t{1} << 31);
  if (!bytes) return mars::unexpected{in_file(o.model, bytes.error())};
  auto found = mars::io::export_onnx(w.graph, system, mapping, *bytes);
  if (!found) return mars::unexpected{in_file(o.model, std::move(found).error())};
  return found;
}

#else

auto export_onnx_model(options const&, workload const&, mars::any_system const&,
                       mars::mapping const&) -> mars::expected<mars::io::exported> {
  return mars::fail(mars::error_code::unsupported, "--format", "onnx", "another format",
                    "this build of mars-map cannot write ONNX");
}

#endif

} // namespace mars_map
