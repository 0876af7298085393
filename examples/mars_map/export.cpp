// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "export.hpp"

#include "check.hpp"
#include "run.hpp"

#include <mars/io/export.hpp>

#include <utility>

namespace mars_map {

namespace {

[[nodiscard]] auto in_format(options const& o, workload const& w, mars::any_system const& system,
                             mars::mapping const& mapping) -> mars::expected<mars::io::exported> {
  switch (o.format) {
  case format_name::onnx: return export_onnx_model(o, w, system, mapping);
  case format_name::sdy: return mars::io::export_shardy(w.graph, system, mapping);
  case format_name::jax: return mars::io::export_partition_spec(w.graph, system, mapping);
  case format_name::device_map: return mars::io::export_device_map(w.graph, system, mapping);
  case format_name::chakra: break;
  }
  auto const priced = price_mapping(o, w.graph, system, mapping);
  if (!priced) return mars::unexpected{priced.error()};
  return mars::io::export_chakra(w.graph, system, mapping, priced->plan.evaluation);
}

} // namespace

auto export_mapping(options const& o, workload const& w, mars::any_system const& system)
    -> mars::expected<mars::io::exported> {
  auto const& file = o.files.front();
  auto const mapping = load_json_mapping(file, w.graph, system);
  if (!mapping) return mars::unexpected{mapping.error()};
  auto const verdict = check_mapping(w.graph, system, *mapping);
  if (!verdict.wrong.empty())
    return mars::fail(mars::error_code::invalid_mapping, file, {}, {}, verdict.wrong.front());
  auto found = in_format(o, w, system, *mapping);
  if (!found) return mars::unexpected{in_file(file, std::move(found).error())};
  for (auto const& shortage : verdict.lacking)
    found->not_expressed.push_back(std::string{"It does not fit: "} + shortage);
  return found;
}

} // namespace mars_map
