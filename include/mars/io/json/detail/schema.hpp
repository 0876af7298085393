// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/json/reader.hpp>

#include <string>
#include <string_view>

namespace mars::io::detail {

[[nodiscard]] inline auto has_schema(reader const& root, std::string_view wanted) -> bool {
  auto const schema = root.find("schema");
  return schema && schema->is_text() && schema->text() == wanted;
}

/// The key that says what a document is.
inline void read_schema(reader const& root, std::string_view wanted) {
  auto const schema = root["schema"];
  if (schema.is_text() && schema.text() != wanted)
    schema.reject(error_code::unsupported, std::string{"\""} + std::string{wanted} + "\"");
  else
    (void)schema.text();
}

} // namespace mars::io::detail
