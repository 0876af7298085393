// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mars::io::detail {

/// Protocol Buffers by hand: the three kinds of fields that traces and annotations need.
/// A field is written even if its value is the default, as oneofs want it.
class wire_writer {
public:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>(value | 0x80U);
    bytes_ += static_cast<char>(value);
  }
  void number(std::uint32_t field, std::uint64_t value) {
    varint(std::uint64_t{field} << 3U);
    varint(value);
  }
  /// Negative numbers take ten bytes, as int32 and int64 do.
  void number(std::uint32_t field, std::int64_t value) {
    number(field, static_cast<std::uint64_t>(value));
  }
  void text(std::uint32_t field, std::string_view value) {
    varint(std::uint64_t{field} << 3U | 2U);
    varint(value.size());
    bytes_ += value;
  }
  void packed(std::uint32_t field, std::span<std::uint64_t const> values) {
    wire_writer list;
    for (auto const v : values) list.varint(v);
    text(field, list.bytes_);
  }
  /// The message behind its length, as streams of messages have it.
  void delimited(std::string_view message) {
    varint(message.size());
    bytes_ += message;
  }
  [[nodiscard]] auto bytes() const -> std::string const& { return bytes_; }

private:
  std::string bytes_;
};

} // namespace mars::io::detail
