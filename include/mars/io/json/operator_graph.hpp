// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/io/json/detail/fx_graph.hpp>
#include <mars/io/json/detail/ios_graph.hpp>
#include <mars/io/json/detail/schema.hpp>
#include <mars/io/json/document.hpp>
#include <mars/io/json/kernel_profile.hpp>
#include <mars/io/json/reader.hpp>
#include <mars/io/operator_graph.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace mars::io {

/// Files that hold operators of one device.
enum class operator_file : std::uint8_t {
  none,
  ios,     ///< a graph of IOS: key `blocks`
  fx,      ///< a graph of torch.fx with shapes: key `model`
  kernels, ///< a profile, `mars.kernels/1`
};
/// Which of them a document is.
[[nodiscard]] inline auto operator_file_of(json const& document) -> operator_file {
  if (!document.is_object()) return operator_file::none;
  reader_context context{document};
  if (detail::has_schema(context.root(), kernels_schema)) return operator_file::kernels;
  if (document.contains("blocks")) return operator_file::ios;
  if (document.contains("model") && document.contains("nodes")) return operator_file::fx;
  return operator_file::none;
}

namespace detail {
[[nodiscard]] inline auto read_operator_graph(json const& document,
                                              operator_graph_options const& options)
    -> expected<operator_graph> {
  if (options.batch < 1 || options.batch > max_elements)
    return fail(error_code::out_of_range, "batch", std::to_string(options.batch), "at least 1");
  if (options.element_bits < 1 || options.element_bits > 64)
    return fail(error_code::out_of_range, "element_bits", std::to_string(options.element_bits),
                "1 to 64");
  reader_context context{document};
  auto const root = context.root();
  operator_graph g;
  switch (operator_file_of(document)) {
  case operator_file::ios: g = ios_graph_reader{root, options}.read(); break;
  case operator_file::fx: g = fx_graph_reader{root, options}.read(); break;
  default:
    root.reject(error_code::parse,
                "a graph of IOS (\"blocks\") or of torch.fx (\"model\" and \"nodes\")");
  }
  if (context.failed()) return unexpected{error{context.failure()}};
  return g;
}
} // namespace detail

/// A graph of IOS or of torch.fx (see io/json.hpp), whichever the text is. Errors carry the path to the
/// culprit: `parse`, `unknown_key`, `missing_key`, `wrong_type`, `duplicate`, `dangling`, `cycle`,
/// `shape_mismatch`, `unsupported`, and whatever the operators refuse.
[[nodiscard]] inline auto load_operator_graph(std::string_view text,
                                              operator_graph_options const& options = {})
    -> expected<operator_graph> {
  auto const document = parse_json(text);
  if (!document) return unexpected{document.error()};
  return detail::read_operator_graph(*document, options);
}

/// A stream graph of any file of `operator_file`: `lower` is a design or what `to_stream_graph` takes;
/// a profile has its kernels, and batch and width are in it.
template <class Lower>
[[nodiscard]] auto load_stream_graph(std::string_view text, Lower const& lower,
                                     operator_graph_options const& options = {})
    -> expected<kernel_profile> {
  auto const document = parse_json(text);
  if (!document) return unexpected{document.error()};
  if (operator_file_of(*document) == operator_file::kernels) {
    reader_context context{*document};
    auto profile = detail::read_profile(context.root());
    if (context.failed()) return unexpected{error{context.failure()}};
    return profile;
  }
  auto const g = detail::read_operator_graph(*document, options);
  if (!g) return unexpected{g.error()};
  return kernel_profile{to_stream_graph(*g, lower), std::nullopt};
}

} // namespace mars::io
