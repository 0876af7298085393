// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

namespace mars_test {

/// Under the address sanitiser random cases take ten times as long and are run again: a fifth of them find
/// what it finds. All of them run without it.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

} // namespace mars_test
