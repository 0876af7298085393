// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

namespace mars {

/// Heads a function that a program compiles only if it calls it:
///
///     template <deferred = when_called>
///     [[nodiscard]] auto f(operation const& op) -> expected<graph> { … }
///
/// The body of an inline function is compiled in every unit that includes it, with all it takes
/// from the standard library; that of a function template is not. As the library is headers only,
/// what does real work says so, and `inline` is left for one-liners. Calls do not change.
enum deferred : bool { when_called };

} // namespace mars
