// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/io/onnx/detail/proto.hpp>
#include <mars/workload/shape.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail {

/// Elements up to which the values of a constant are kept: shapes, indices, positions, scalars.
inline constexpr std::int64_t max_literal = std::int64_t{1} << 14;

/// A small tensor whose values are known: what shape arithmetic works on. One of the two vectors
/// holds the elements, row by row.
struct literal {
  int type{element::int64};
  tensor_shape shape;
  std::vector<std::int64_t> integers;
  std::vector<double> reals;

  [[nodiscard]] auto real() const -> bool { return is_floating(type); }
  [[nodiscard]] auto size() const -> std::size_t { return real() ? reals.size() : integers.size(); }
  [[nodiscard]] auto as_real(std::size_t i) const -> double {
    return real() ? reals[i] : static_cast<double>(integers[i]);
  }
  /// Element i as an integer, rounded to zero, clamped to the range of 64 bits.
  [[nodiscard]] auto as_integer(std::size_t i) const -> std::int64_t;
  void push(literal const& from, std::size_t i) {
    if (real())
      reals.push_back(from.as_real(i));
    else
      integers.push_back(from.as_integer(i));
  }
};

[[nodiscard]] inline auto to_integer(double x) -> std::int64_t {
  if (std::isnan(x)) return 0;
  if (x >= 9.2e18) return std::numeric_limits<std::int64_t>::max();
  if (x <= -9.2e18) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(x);
}

inline auto literal::as_integer(std::size_t i) const -> std::int64_t {
  return real() ? to_integer(reals[i]) : integers[i];
}

[[nodiscard]] inline auto integer_vector(std::vector<std::int64_t> values) -> literal {
  auto const n = static_cast<std::int64_t>(values.size());
  return {element::int64, {n}, std::move(values), {}};
}
[[nodiscard]] inline auto integer_scalar(std::int64_t v) -> literal {
  return {element::int64, {}, {v}, {}};
}

/// The values of `l` in another shape of as many elements.
[[nodiscard]] inline auto reshaped(literal l, tensor_shape shape) -> literal {
  l.shape = std::move(shape);
  return l;
}

/// The number of elements of a stored shape: extents may be 0, never negative. The product of the
/// others stays below 2^55, so that strides of an empty tensor are safe too.
[[nodiscard]] inline auto stored_elements(tensor_shape const& shape) -> expected<std::int64_t> {
  bool empty = false;
  std::int64_t n = 1;
  for (auto const e : shape) {
    if (e < 0)
      return fail(error_code::out_of_range, "dims", to_string(shape), "extents of at least 0");
    empty |= e == 0;
    if (e > max_elements / n)
      return fail(error_code::overflow, "dims", to_string(shape), "at most 2^55 elements");
    if (e != 0) n *= e;
  }
  return empty ? 0 : n;
}

[[nodiscard]] inline auto half_to_double(std::uint16_t h) -> double {
  int const exponent = (h >> 10) & 31;
  int const mantissa = h & 1023;
  double const sign = (h & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 31) return mantissa != 0 ? std::nan("") : sign * HUGE_VAL;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(mantissa + 1024, exponent - 25);
}
[[nodiscard]] inline auto bfloat_to_double(std::uint16_t b) -> double {
  return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(b) << 16));
}

/// Element `i` of little-endian raw data, appended. Precondition: the element is there.
template <class T>
[[nodiscard]] auto raw_element(std::string_view raw, std::size_t i) -> T {
  using bits = std::conditional_t<
      sizeof(T) == 1, std::uint8_t,
      std::conditional_t<sizeof(T) == 2, std::uint16_t,
                         std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;
  bits b = 0;
  for (std::size_t k = 0; k < sizeof(T); ++k)
    b = static_cast<bits>(
        b | static_cast<bits>(static_cast<bits>(static_cast<unsigned char>(raw[i * sizeof(T) + k]))
                              << (8 * k)));
  return std::bit_cast<T>(b);
}

/// The values of a stored tensor of `n` elements, unless it is large, external, of a type shape
/// arithmetic never meets, or does not hold them.
[[nodiscard]] inline auto read_literal(pb::TensorProto const& t, tensor_shape shape, std::int64_t n)
    -> std::optional<literal> {
  if (n > max_literal || t.data_location() == pb::TensorProto::EXTERNAL) return std::nullopt;
  auto const count = static_cast<std::size_t>(n);
  literal l{t.data_type(), std::move(shape), {}, {}};
  if (n == 0) return l;
  auto const& raw = t.raw_data();
  bool const is_raw = !raw.empty();
  auto const from_raw = [&]<class T>(T, auto convert) {
    if (raw.size() / sizeof(T) < count) return false;
    for (std::size_t i = 0; i < count; ++i) {
      if (l.real())
        l.reals.push_back(static_cast<double>(convert(raw_element<T>(raw, i))));
      else
        l.integers.push_back(static_cast<std::int64_t>(convert(raw_element<T>(raw, i))));
    }
    return true;
  };
  auto const from_field = [&](auto const& field, auto convert) {
    if (static_cast<std::size_t>(field.size()) < count) return false;
    for (std::size_t i = 0; i < count; ++i) {
      auto const x = convert(field.Get(static_cast<int>(i)));
      if (l.real())
        l.reals.push_back(static_cast<double>(x));
      else
        l.integers.push_back(static_cast<std::int64_t>(x));
    }
    return true;
  };
  auto const same = [](auto x) { return x; };
  auto const half = [](auto x) { return half_to_double(static_cast<std::uint16_t>(x)); };
  auto const bfloat = [](auto x) { return bfloat_to_double(static_cast<std::uint16_t>(x)); };
  auto const take = [&]<class T>(T zero, auto const& field, auto convert) {
    return is_raw ? from_raw(zero, convert) : from_field(field, convert);
  };
  bool found = false;
  switch (t.data_type()) {
  case element::float32: found = take(0.0F, t.float_data(), same); break;
  case element::float64: found = take(0.0, t.double_data(), same); break;
  case element::int64: found = take(std::int64_t{}, t.int64_data(), same); break;
  case element::uint64: found = take(std::uint64_t{}, t.uint64_data(), same); break;
  case element::uint32: found = take(std::uint32_t{}, t.uint64_data(), same); break;
  case element::int32: found = take(std::int32_t{}, t.int32_data(), same); break;
  case element::int16: found = take(std::int16_t{}, t.int32_data(), same); break;
  case element::uint16: found = take(std::uint16_t{}, t.int32_data(), same); break;
  case element::int8: found = take(std::int8_t{}, t.int32_data(), same); break;
  case element::uint8: found = take(std::uint8_t{}, t.int32_data(), same); break;
  case element::boolean: found = take(std::uint8_t{}, t.int32_data(), same); break;
  case element::float16: found = take(std::uint16_t{}, t.int32_data(), half); break;
  case element::bfloat16: found = take(std::uint16_t{}, t.int32_data(), bfloat); break;
  default: break;
  }
  if (!found) return std::nullopt;
  return l;
}

} // namespace mars::io::onnx_detail
