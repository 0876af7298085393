// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "load.hpp"

#if defined(MARS_HAS_ONNX)
#include <mars/io/onnx.hpp>

#include <utility>
#endif

namespace mars_map {

#if defined(MARS_HAS_ONNX)

auto load_onnx_workload(options const& o) -> mars::expected<workload> {
  mars::io::onnx_options wanted;
  if (o.batch) wanted.batch = *o.batch;
  if (o.element_bits) wanted.element_bits = *o.element_bits;
  if (o.sequence)
    for (auto const* name : {"sequence", "sequence_length", "seq", "seq_len", "seq_length",
                             "seqlen", "max_seq_len", "S"})
      wanted.symbols.emplace(name, *o.sequence);
  auto read = mars::io::load_onnx(o.model, wanted);
  if (!read) return mars::unexpected{std::move(read).error()};
  return workload{std::move(read->graph), std::move(read->warnings)};
}

#else

auto load_onnx_workload(options const& o) -> mars::expected<workload> {
  return mars::fail(mars::error_code::unsupported, o.model, "an ONNX file", "a name or a JSON file",
                    "this build of mars-map cannot read ONNX");
}

#endif

} // namespace mars_map
