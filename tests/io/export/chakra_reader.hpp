// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Reads Chakra execution traces as their schema says, refusing what it does not know, and runs them
// as ASTRA-sim issues nodes: to see that all ranks come to an end.

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace mars_test::chakra {

struct node {
  std::uint64_t id{};
  std::string name;
  std::uint64_t type{};
  std::vector<std::uint64_t> deps;
  std::uint64_t micros{};
  std::map<std::string, std::pair<std::uint32_t, std::uint64_t>> numbers; ///< oneof member, value
  std::string group;

  [[nodiscard]] auto at(std::string const& attribute, std::uint32_t member) const -> std::int64_t {
    auto const& [has, value] = numbers.at(attribute);
    if (has != member) throw std::runtime_error{attribute + " is of another type"};
    return static_cast<std::int64_t>(value);
  }
};

class wire_reader {
public:
  explicit wire_reader(std::string_view bytes) : rest_{bytes} {}

  [[nodiscard]] auto done() const -> bool { return rest_.empty(); }
  auto varint() -> std::uint64_t {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (rest_.empty()) throw std::runtime_error{"cut off"};
      auto const byte = static_cast<unsigned char>(rest_[0]);
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) return value;
    }
    throw std::runtime_error{"a varint too long"};
  }
  auto block() -> std::string_view {
    auto const size = varint();
    if (size > rest_.size()) throw std::runtime_error{"cut off"};
    auto const b = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return b;
  }
  /// Field number; the wire type must be the one.
  auto field(unsigned& wire) -> std::uint32_t {
    auto const tag = varint();
    wire = static_cast<unsigned>(tag & 7U);
    return static_cast<std::uint32_t>(tag >> 3U);
  }

private:
  std::string_view rest_;
};

inline void want(bool ok, char const* what) {
  if (!ok) throw std::runtime_error{what};
}

inline void read_attribute(std::string_view bytes, node& n) {
  wire_reader r{bytes};
  unsigned wire = 0;
  want(r.field(wire) == 1 && wire == 2, "an attribute begins with its name");
  std::string const name{r.block()};
  auto const member = r.field(wire);
  if (name == "pg_name") {
    want(member == 29 && wire == 2, "pg_name is a string");
    n.group = std::string{r.block()};
    want(std::to_string(std::stoi(n.group)) == n.group, "pg_name is a number");
  } else {
    want(wire == 0, "a number");
    want(n.numbers.emplace(name, std::pair{member, r.varint()}).second, "an attribute twice");
  }
  want(r.done(), "one value an attribute");
}

inline auto read_node(std::string_view bytes) -> node {
  node n;
  for (wire_reader r{bytes}; !r.done();) {
    unsigned wire = 0;
    switch (r.field(wire)) {
    case 1: want(wire == 0, "id"), n.id = r.varint(); break;
    case 2: want(wire == 2, "name"), n.name = std::string{r.block()}; break;
    case 3: want(wire == 0, "type"), n.type = r.varint(); break;
    case 5:
      want(wire == 2, "data_deps are packed");
      for (wire_reader list{r.block()}; !list.done();) n.deps.push_back(list.varint());
      break;
    case 7: want(wire == 0, "duration"), n.micros = r.varint(); break;
    case 10: want(wire == 2, "attr"), read_attribute(r.block(), n); break;
    default: throw std::runtime_error{"an unknown field"};
    }
  }
  // Each kind has the attributes that the reader of ASTRA-sim looks for, with their types.
  want(n.at("is_cpu_op", 27) == 0, "is_cpu_op");
  std::size_t expected = 1;
  switch (n.type) {
  case 4:
    want(n.at("num_ops", 9) >= 0 && n.at("tensor_size", 13) > 0, "a computation");
    expected = 3;
    break;
  case 5:
  case 6:
    (void)n.at("comm_src", 7), (void)n.at("comm_dst", 7), (void)n.at("comm_tag", 7);
    want(n.at("comm_size", 9) > 0, "an empty message");
    expected = 5;
    break;
  case 7: {
    auto const kind = n.at("comm_type", 9);
    want(kind == 0 || kind == 2 || kind == 6 || kind == 7, "a collective nobody simulates");
    want(n.at("comm_size", 9) > 0, "an empty collective");
    expected = 3;
    break;
  }
  default: throw std::runtime_error{"a type of node nobody simulates"};
  }
  want(n.numbers.size() == expected, "another attribute");
  return n;
}

/// The nodes of a file; ids rise, dependencies point back.
inline auto read_trace(std::string_view bytes) -> std::vector<node> {
  wire_reader file{bytes};
  wire_reader metadata{file.block()};
  unsigned wire = 0;
  want(metadata.field(wire) == 1 && wire == 2 && metadata.block() == "0.0.4", "version");
  std::vector<node> nodes;
  std::set<std::uint64_t> ids;
  while (!file.done()) {
    auto n = read_node(file.block());
    want(nodes.empty() || n.id > nodes.back().id, "ids do not rise");
    for (auto const d : n.deps) want(ids.contains(d), "a dependency on a later node");
    ids.insert(n.id);
    nodes.push_back(std::move(n));
  }
  return nodes;
}

/// Runs all ranks: a node runs when its dependencies have; a message when both ends are ready or the
/// send is done; a collective when every member of its group has come to its next one. Returns the
/// nodes in an order they can run in, by rank and position; throws if some never run.
inline auto run(std::vector<std::vector<node>> const& ranks,
                std::map<std::string, std::vector<std::size_t>> const& groups)
    -> std::vector<std::pair<std::size_t, std::size_t>> {
  std::vector<std::set<std::uint64_t>> done(ranks.size());
  std::vector<std::pair<std::size_t, std::size_t>> order;
  std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>> sent;
  std::size_t total = 0;
  for (auto const& r : ranks) total += r.size();
  auto const ready = [&](std::size_t r, node const& n) {
    for (auto const d : n.deps)
      if (!done[r].contains(d)) return false;
    return !done[r].contains(n.id);
  };
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t r = 0; r < ranks.size(); ++r)
      for (std::size_t i = 0; i < ranks[r].size(); ++i) {
        auto const& n = ranks[r][i];
        if (!ready(r, n)) continue;
        if (n.type == 5 || n.type == 6) {
          auto const self = static_cast<std::int64_t>(r);
          auto const key = std::tuple{n.at("comm_src", 7), n.at("comm_dst", 7), n.at("comm_tag", 7),
                                      n.at("comm_size", 9)};
          if (n.type == 5) {
            want(std::get<0>(key) == self && std::get<1>(key) != self, "not the sender");
            want(sent.insert(key).second, "a message twice");
          } else {
            want(std::get<1>(key) == self, "not the receiver");
            if (sent.erase(key) == 0) continue;
          }
        }
        if (n.type == 7) {
          // The members' first collectives of this group that have not run must be alike and ready.
          bool all = true;
          std::vector<std::pair<std::size_t, std::size_t>> calls;
          for (auto const member : groups.at(n.group)) {
            for (std::size_t k = 0; k < ranks[member].size(); ++k) {
              auto const& other = ranks[member][k];
              if (other.type != 7 || other.group != n.group || done[member].contains(other.id))
                continue;
              want(other.numbers == n.numbers, "collectives that differ");
              all = all && ready(member, other);
              calls.emplace_back(member, k);
              break;
            }
          }
          want(calls.size() == groups.at(n.group).size(), "a member that does not take part");
          if (!all) continue;
          for (auto const& [member, k] : calls) {
            done[member].insert(ranks[member][k].id);
            order.emplace_back(member, k);
          }
          moved = true;
          continue;
        }
        done[r].insert(n.id);
        order.emplace_back(r, i);
        moved = true;
      }
  }
  want(order.size() == total, "some nodes never run");
  want(sent.empty(), "a message nobody receives");
  return order;
}

} // namespace mars_test::chakra
