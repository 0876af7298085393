// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "support/catch.hpp"

#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/operator_range.hpp>

#include <iterator>
#include <ranges>
#include <vector>

using mars::input_edge;
using mars::operator_id;
using mars::WorkloadGraph;

// Each namespace is a graph, the first one sound, the others lacking the one thing they are named
// for.

namespace least {
struct graph {};
auto operators(graph const&) -> std::vector<operator_id>;
auto op(graph const&, operator_id) -> mars::operation const&;
auto inputs(graph const&, operator_id) -> std::vector<input_edge>;
} // namespace least

namespace without_operators {
struct graph {};
auto op(graph const&, operator_id) -> mars::operation const&;
auto inputs(graph const&, operator_id) -> std::vector<input_edge>;
} // namespace without_operators

namespace without_op {
struct graph {};
auto operators(graph const&) -> std::vector<operator_id>;
auto inputs(graph const&, operator_id) -> std::vector<input_edge>;
} // namespace without_op

namespace without_inputs {
struct graph {};
auto operators(graph const&) -> std::vector<operator_id>;
auto op(graph const&, operator_id) -> mars::operation const&;
} // namespace without_inputs

namespace operators_are_integers {
struct graph {};
auto operators(graph const&) -> std::vector<int>;
auto op(graph const&, operator_id) -> mars::operation const&;
auto inputs(graph const&, operator_id) -> std::vector<input_edge>;
} // namespace operators_are_integers

namespace operators_are_accelerators {
struct graph {};
auto operators(graph const&) -> std::vector<mars::accelerator_id>;
auto op(graph const&, operator_id) -> mars::operation const&;
auto inputs(graph const&, operator_id) -> std::vector<input_edge>;
} // namespace operators_are_accelerators

namespace op_is_a_name {
struct graph {};
auto operators(graph const&) -> std::vector<operator_id>;
auto op(graph const&, operator_id) -> char const*;
auto inputs(graph const&, operator_id) -> std::vector<input_edge>;
} // namespace op_is_a_name

namespace inputs_are_operators {
struct graph {};
auto operators(graph const&) -> std::vector<operator_id>;
auto op(graph const&, operator_id) -> mars::operation const&;
auto inputs(graph const&, operator_id) -> std::vector<operator_id>;
} // namespace inputs_are_operators

namespace only_mutable {
struct graph {};
auto operators(graph&) -> std::vector<operator_id>;
auto op(graph&, operator_id) -> mars::operation const&;
auto inputs(graph&, operator_id) -> std::vector<input_edge>;
} // namespace only_mutable

static_assert(WorkloadGraph<least::graph>);
static_assert(!WorkloadGraph<without_operators::graph>);
static_assert(!WorkloadGraph<without_op::graph>);
static_assert(!WorkloadGraph<without_inputs::graph>);
static_assert(!WorkloadGraph<operators_are_integers::graph>);
static_assert(!WorkloadGraph<operators_are_accelerators::graph>);
static_assert(!WorkloadGraph<op_is_a_name::graph>);
static_assert(!WorkloadGraph<inputs_are_operators::graph>);
static_assert(!WorkloadGraph<only_mutable::graph>);
static_assert(!WorkloadGraph<int>);

static_assert(std::random_access_iterator<mars::operator_range::iterator>);
static_assert(std::ranges::random_access_range<mars::operator_range>);
static_assert(std::ranges::sized_range<mars::operator_range>);

TEST_CASE("an operator range counts") {
  mars::operator_range const range{3};
  CHECK(range.end() - range.begin() == 3);
  CHECK(*(range.begin() + 2) == operator_id{2});
  CHECK(mars::operator_range{}.empty());
}
