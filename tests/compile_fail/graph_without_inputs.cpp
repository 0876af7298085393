// expect: lists_inputs
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/hardware/system.hpp>
#include <mars/mapper.hpp>

#include <vector>

namespace user {
struct bag {};
auto operators(bag const&) -> std::vector<mars::operator_id>;
auto op(bag const&, mars::operator_id) -> mars::operation const&;
} // namespace user

auto attempt(user::bag const& g, mars::any_system const& s) { return mars::mapper{}(g, s); }
