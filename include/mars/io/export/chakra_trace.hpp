// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/export/detail/wire.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Chakra execution traces (mlcommons/chakra): one file a rank, messages behind their lengths, first
// the version, then the nodes. Written for the readers there are: every ordering edge is a data
// dependency (they ignore control dependencies), every attribute has the type they look for.

namespace mars::io::chakra {

enum class node_type : std::uint8_t { compute = 4, send = 5, receive = 6, collective = 7 };

/// The four that ASTRA-sim simulates.
enum class collective_type : std::uint8_t {
  all_reduce = 0,
  all_gather = 2,
  all_to_all = 6,
  reduce_scatter = 7
};

struct node {
  std::uint64_t id{};
  std::string name;
  node_type type{node_type::compute};
  std::vector<std::uint64_t> depends_on; ///< ids of this rank
  std::uint64_t micros{};                ///< duration of a computation
  std::int64_t operations{};             ///< of a computation
  std::uint64_t tensor_bytes{};          ///< of a computation
  collective_type collective{};
  std::int64_t bytes{};   ///< of a communication: the input buffer of one rank
  std::int32_t source{};  ///< of a message: a rank
  std::int32_t target{};  ///< of a message: a rank
  std::int32_t tag{};     ///< of a message: equal at both ends
  std::uint32_t group{0}; ///< of a collective: a communicator group, 0 is all ranks
};

namespace detail {

/// One AttributeProto: `field` is the member of the oneof.
[[nodiscard]] inline auto attribute(std::string_view name, std::uint32_t field, std::int64_t value)
    -> std::string {
  io::detail::wire_writer w;
  w.text(1, name);
  w.number(field, value);
  return w.bytes();
}

inline constexpr std::uint32_t as_int32 = 7;
inline constexpr std::uint32_t as_int64 = 9;
inline constexpr std::uint32_t as_uint64 = 13;
inline constexpr std::uint32_t as_bool = 27;
inline constexpr std::uint32_t as_string = 29;

} // namespace detail

/// One Node message.
[[nodiscard]] inline auto encode(node const& n) -> std::string {
  io::detail::wire_writer w;
  if (n.id != 0) w.number(1, n.id);
  w.text(2, n.name);
  w.number(3, static_cast<std::uint64_t>(n.type));
  if (!n.depends_on.empty()) w.packed(5, n.depends_on);
  if (n.type == node_type::compute) w.number(7, n.micros);
  auto const attribute = [&w](std::string_view name, std::uint32_t field, std::int64_t value) {
    w.text(10, detail::attribute(name, field, value));
  };
  attribute("is_cpu_op", detail::as_bool, 0);
  switch (n.type) {
  case node_type::compute:
    attribute("num_ops", detail::as_int64, n.operations);
    attribute("tensor_size", detail::as_uint64, static_cast<std::int64_t>(n.tensor_bytes));
    break;
  case node_type::collective: {
    attribute("comm_type", detail::as_int64, static_cast<std::int64_t>(n.collective));
    attribute("comm_size", detail::as_int64, n.bytes);
    if (n.group == 0) break;
    io::detail::wire_writer group;
    group.text(1, "pg_name");
    group.text(detail::as_string, std::to_string(n.group));
    w.text(10, group.bytes());
    break;
  }
  case node_type::send:
  case node_type::receive:
    attribute("comm_src", detail::as_int32, n.source);
    attribute("comm_dst", detail::as_int32, n.target);
    attribute("comm_tag", detail::as_int32, n.tag);
    attribute("comm_size", detail::as_int64, n.bytes);
    break;
  }
  return w.bytes();
}

/// The `.et` file of one rank.
[[nodiscard]] inline auto encode(std::vector<node> const& nodes) -> std::string {
  io::detail::wire_writer metadata;
  metadata.text(1, "0.0.4");
  io::detail::wire_writer file;
  file.delimited(metadata.bytes());
  for (auto const& n : nodes) file.delimited(encode(n));
  return file.bytes();
}

} // namespace mars::io::chakra
