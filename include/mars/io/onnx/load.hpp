// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/io/onnx/detail/importer.hpp>
#include <mars/io/onnx/options.hpp>

#include <google/protobuf/stubs/logging.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

namespace mars::io {

namespace onnx_detail {

/// The graph's own inputs: an initializer of that name makes it a default value, not an input.
inline auto read_inputs(session& s, frame& f, pb::GraphProto const& g) -> expected<void> {
  for (int i = 0; i < g.input_size(); ++i) {
    auto const& info = g.input(i);
    if (f.names.contains(info.name())) continue;
    auto const where = f.path + "input[" + std::to_string(i) + "](" + in_quotes(info.name()) + ")";
    tensor t;
    t.name = printable(info.name());
    t.type = info.type().tensor_type().elem_type();
    t.bits = s.bits_for(t.type);
    auto shape = stored_shape(s, info, where);
    t.shaped = shape.has_value();
    if (shape) {
      t.shape = *std::move(shape);
      if (s.options.batch > 0 && !t.shape.empty()) {
        s.old_batches.insert(t.shape[0]);
        t.shape[0] = s.options.batch;
      }
      if (auto const n = count_elements(t.shape); !n)
        return unexpected{error{n.error()}.inside(where)};
    }
    f.names.emplace(info.name(), s.add(std::move(t)));
  }
  return {};
}

/// Declares the results, and compares them with what the file promises.
inline void mark_outputs(session& s, frame const& f) {
  std::unordered_set<tensor_id> marked;
  for (auto const name : f.outputs) {
    auto const id = f.find(name);
    if (!id) continue;
    auto const& t = s.at(*id);
    if (auto const* info = f.find_stored(name);
        info != nullptr && t.shaped && s.options.batch == 0) {
      bool concrete = info->type().tensor_type().has_shape();
      tensor_shape promised;
      for (auto const& d : info->type().tensor_type().shape().dim()) {
        concrete &= d.has_dim_value() && d.dim_value() > 0;
        promised.push_back(d.dim_value());
      }
      if (concrete && promised != t.shape)
        s.warn(f.path + "output " + in_quotes(name) + ": " + to_string(t.shape) +
               std::string{", although the file says "} + to_string(promised));
    }
    if (t.produced && marked.insert(*id).second) s.graph.output(*t.handle);
  }
}

inline auto import_model(pb::ModelProto const& model, onnx_options const& options)
    -> expected<onnx_import> {
  if (!model.has_graph()) return fail(error_code::parse, "graph", "none", "an ONNX model");
  auto const& g = model.graph();
  session s{options, model, g.name().empty() ? "onnx" : printable(g.name())};
  if (options.element_bits < 0 || options.element_bits > 64)
    return fail(error_code::out_of_range, "options.element_bits",
                std::to_string(options.element_bits), "0 to 64");
  if (options.batch < 0)
    return fail(error_code::out_of_range, "options.batch", std::to_string(options.batch),
                "at least 0");
  if (model.ir_version() > 13)
    s.warn(std::string{"ir_version "} + std::to_string(model.ir_version()) +
           " is newer than this importer (13)");
  for (auto const& f : model.functions())
    s.functions.insert_or_assign(session::function_key(f.domain(), f.name(), overload_of(f)), &f);
  frame f;
  f.path = "graph.";
  f.nodes = &g.node();
  f.opsets = read_opsets(model.opset_import());
  if (!f.opsets.contains(""))
    f.opsets[""] = model.ir_version() >= 3 ? 13 : 1; // before IR 3 there was only version 1
  if (auto ok = read_tensors(s, f, g); !ok) return unexpected{std::move(ok).error()};
  if (auto ok = read_inputs(s, f, g); !ok) return unexpected{std::move(ok).error()};
  if (auto ok = importer{s}.run(f); !ok) return unexpected{std::move(ok).error()};
  if (s.graph.size() == 0)
    return fail(error_code::invalid_argument, "graph.node", "nothing to compute",
                "at least one operator on an input");
  mark_outputs(s, f);
  auto graph = std::move(s.graph).build();
  if (!graph) return unexpected{std::move(graph).error().inside("graph")};
  return onnx_import{*std::move(graph), s.take_warnings()};
}

} // namespace onnx_detail

/// A graph from the bytes of an ONNX model.
///
/// One operator per compute node, named after the node (`Conv_17` if it has no name), weights named
/// after their initializers. See <mars/io/onnx.hpp> for what is folded, elided and guessed.
/// Errors: `parse` (no ONNX), `cycle`, `dangling`, `duplicate`, `shape_mismatch`, `overflow`,
/// `out_of_range`, `missing_key`, `unsupported`; the path names node and tensor:
/// `graph.node[17](Conv "conv1").input[1]`.
[[nodiscard]] inline auto parse_onnx(std::string_view bytes, onnx_options const& options = {})
    -> expected<onnx_import> {
  if (bytes.empty()) return fail(error_code::parse, "", "nothing", "an ONNX model");
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    return fail(error_code::unsupported, "", std::to_string(bytes.size()) + " bytes",
                "at most 2 GiB", "keep weights as external data");
  google::protobuf::LogSilencer const quiet; // broken files are our errors, not lines on stderr
  onnx_detail::pb::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(error_code::parse, "", "bytes that are no protobuf message, or only a part of one",
                "an ONNX model");
  return onnx_detail::import_model(model, options);
}

/// As `parse_onnx`, from a file. External data is not read: extents and types suffice. Error `io`
/// when the file cannot be read.
[[nodiscard]] inline auto load_onnx(std::filesystem::path const& path,
                                    onnx_options const& options = {}) -> expected<onnx_import> {
  std::error_code status;
  if (std::filesystem::is_directory(path, status))
    return fail(error_code::io, path.string(), "a directory", "a readable file");
  std::ifstream in{path, std::ios::binary};
  std::string bytes;
  for (char buffer[1 << 16]; in;) {
    in.read(buffer, sizeof buffer);
    bytes.append(buffer, static_cast<std::size_t>(in.gcount()));
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) break;
  }
  if (bytes.empty() && !in.eof())
    return fail(error_code::io, path.string(), "nothing readable", "a readable file");
  return parse_onnx(bytes, options);
}

} // namespace mars::io
