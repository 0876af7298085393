// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The one place that includes ONNX's generated classes: 0.9 s of compile time.
#ifndef ONNX_ML
#define ONNX_ML 1
#endif
#ifndef ONNX_NAMESPACE
#define ONNX_NAMESPACE onnx
#endif
#include <google/protobuf/unknown_field_set.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace mars::io::onnx_detail {

namespace pb = ONNX_NAMESPACE;

/// Numbers of TensorProto.DataType; newer than the generated enumeration, hence ours.
namespace element {
inline constexpr int undefined = 0;
inline constexpr int float32 = 1;
inline constexpr int uint8 = 2;
inline constexpr int int8 = 3;
inline constexpr int uint16 = 4;
inline constexpr int int16 = 5;
inline constexpr int int32 = 6;
inline constexpr int int64 = 7;
inline constexpr int text = 8;
inline constexpr int boolean = 9;
inline constexpr int float16 = 10;
inline constexpr int float64 = 11;
inline constexpr int uint32 = 12;
inline constexpr int uint64 = 13;
inline constexpr int bfloat16 = 16;
} // namespace element

/// Bits of one element as ONNX stores it; 64 at most (a complex128 or a string counts as 64), 32
/// for types nobody knows yet.
[[nodiscard]] inline auto bits_of_type(int type) -> int {
  static constexpr std::array<int, 27> bits{32, 32, 8,  8, 16, 16, 32, 64, 64, 8, 16, 64, 32, 64,
                                            64, 64, 16, 8, 8,  8,  8,  4,  4,  4, 8,  2,  2};
  return type >= 0 && type < static_cast<int>(bits.size()) ? bits[static_cast<std::size_t>(type)]
                                                           : 32;
}

[[nodiscard]] inline auto is_floating(int type) -> bool {
  return type == 0 || type == 1 || type == 10 || type == 11 || (type >= 14 && type <= 20) ||
         type == 23 || type == 24;
}

/// Masks, indices and strings: constants of these types are no parameters.
[[nodiscard]] inline auto is_index_like(int type) -> bool {
  return type == element::int64 || type == element::int32 || type == element::boolean ||
         type == element::text || type == element::uint32 || type == element::uint64;
}

/// The default domain has two names.
[[nodiscard]] inline auto canonical(std::string_view domain) -> std::string_view {
  return domain == "ai.onnx" ? std::string_view{} : domain;
}

/// Text of a file as text for people and JSON: control characters and broken UTF-8 become `?`.
[[nodiscard]] inline auto printable(std::string_view text) -> std::string {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    auto const c = static_cast<unsigned char>(text[i]);
    std::size_t const length = c < 0x80                ? 1
                               : c >= 0xC2 && c < 0xE0 ? 2
                               : (c & 0xF0) == 0xE0    ? 3
                               : c >= 0xF0 && c < 0xF5 ? 4
                                                       : 0;
    bool good = length != 0 && i + length <= text.size() && c >= 0x20 && c != 0x7F;
    for (std::size_t k = 1; good && k < length; ++k)
      good = (static_cast<unsigned char>(text[i + k]) & 0xC0) == 0x80;
    if (good && length > 2) { // overlong forms, surrogates, beyond U+10FFFF
      auto const d = static_cast<unsigned char>(text[i + 1]);
      good = !(c == 0xE0 && d < 0xA0) && !(c == 0xED && d > 0x9F) && !(c == 0xF0 && d < 0x90) &&
             !(c == 0xF4 && d > 0x8F);
    }
    out += good ? text.substr(i, length) : std::string_view{"?"};
    i += good ? length : 1;
  }
  return out;
}

/// `"text"`, printable.
[[nodiscard]] inline auto in_quotes(std::string_view text) -> std::string {
  return std::string(1, '"').append(printable(text)).append(1, '"');
}

/// A string field that this version of the generated classes does not have yet.
template <class Message>
[[nodiscard]] auto newer_text(Message const& message, int field) -> std::string {
  auto const& unknown = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i)
    if (auto const& f = unknown.field(i);
        f.number() == field && f.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      return f.length_delimited();
  return {};
}

/// `overload` (IR 10) of a node or a function.
template <class Message>
[[nodiscard]] auto overload_of(Message const& message) -> std::string {
  if constexpr (requires { message.overload(); })
    return message.overload();
  else
    return newer_text(message, std::is_same_v<Message, pb::NodeProto> ? 8 : 13);
}

} // namespace mars::io::onnx_detail
