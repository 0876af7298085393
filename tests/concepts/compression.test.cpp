// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/compression.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace {
using namespace mars;

/// The smallest compression: a name and a network.
struct halving {
  [[nodiscard]] auto name() const -> std::string { return "halving"; }
  [[nodiscard]] auto operator()(graph const& g) const -> expected<graph> { return g; }
};
struct halving_operators : halving {
  using halving::operator();
  [[nodiscard]] auto operator()(operation const&) const -> std::optional<operation> { return {}; }
};

struct compressing_without_a_name {
  [[nodiscard]] auto operator()(graph const& g) const -> expected<graph> { return g; }
};
struct with_a_name_that_somebody_else_owns : compressing_without_a_name {
  [[nodiscard]] auto name() const -> std::string_view { return "view"; }
};
struct without_a_network {
  [[nodiscard]] auto name() const -> std::string { return "x"; }
  [[nodiscard]] auto operator()(operation const&) const -> std::optional<operation> { return {}; }
};
struct with_a_network_for_certain : without_a_network {
  [[nodiscard]] auto operator()(graph const& g) const -> graph { return g; }
};
struct compressing_by_changing_itself : without_a_network {
  auto operator()(graph const& g) -> expected<graph> { return g; }
};
struct compressing_but_not_copied : halving {
  std::unique_ptr<int> state;
};
struct with_an_operator_for_certain : halving {
  using halving::operator();
  [[nodiscard]] auto operator()(operation const& o) const -> operation { return o; }
};

struct known : halving {
  static constexpr compression_effects effects{.element_bits = 4};
};

} // namespace

static_assert(Compression<halving>);
static_assert(!OperatorCompression<halving>);
static_assert(OperatorCompression<halving_operators>);
static_assert(!Compression<compressing_without_a_name>);
static_assert(!Compression<with_a_name_that_somebody_else_owns>);
static_assert(!Compression<without_a_network>);
static_assert(!Compression<with_a_network_for_certain>);
static_assert(!Compression<compressing_by_changing_itself>);
static_assert(!Compression<compressing_but_not_copied>);
static_assert(Compression<with_an_operator_for_certain>);
static_assert(!OperatorCompression<with_an_operator_for_certain>);
static_assert(effects_of<halving>() == compression_effects{});
static_assert(effects_of<known>().element_bits == 4);

static_assert(OperatorCompression<compression::none>);
static_assert(OperatorCompression<compression::weight_pruning>);
static_assert(OperatorCompression<compression::layerwise_weight_pruning>);
static_assert(OperatorCompression<compression::float16>);
static_assert(OperatorCompression<compression::bfloat16>);
static_assert(OperatorCompression<compression::int8>);
static_assert(Compression<compression::channel_pruning>);
static_assert(!OperatorCompression<compression::channel_pruning>);
static_assert(
    OperatorCompression<compression::then<compression::weight_pruning, compression::int8>>);
static_assert(Compression<compression::then<compression::channel_pruning, halving>>);
static_assert(
    !OperatorCompression<compression::then<compression::channel_pruning, compression::int8>>);
static_assert(!names_its_accuracy<compression::then<compression::int8, halving>>);

TEST_CASE("compressions of users combine with the library's") {
  compression::then const both{halving_operators{}, compression::int8{}};
  CHECK(both.name() == "halving+int8");
  CHECK(both(graph{}).value().size() == 0);
}
