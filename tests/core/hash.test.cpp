// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/hash.hpp>

#include <set>

// Fowler, Noll, Vo: test vectors of draft-eastlake-fnv.
TEST_CASE("hash: FNV-1a known answers", "[core]") {
  CHECK(mars::fnv1a("") == 0xcbf29ce484222325U);
  CHECK(mars::fnv1a("a") == 0xaf63dc4c8601ec8cU);
  CHECK(mars::fnv1a("foobar") == 0x85944171f73967e8U);
}

// The first outputs of SplitMix64 from state 0: mix64 of multiples of the golden gamma.
TEST_CASE("hash: SplitMix64 known answers", "[core]") {
  constexpr auto gamma = 0x9E3779B97F4A7C15U;
  CHECK(mars::mix64(gamma) == 0xe220a8397b1dcdafU);
  CHECK(mars::mix64(2 * gamma) == 0x6e789e6aa1b965f4U);
  CHECK(mars::mix64(3 * gamma) == 0x06c45d188009454fU);
}

TEST_CASE("hash: order, boundaries and kinds count", "[core]") {
  using mars::stable_hash;
  CHECK(stable_hash{}.add(1).add(2).digest() != stable_hash{}.add(2).add(1).digest());
  CHECK(stable_hash{}.add("ab").add("c").digest() != stable_hash{}.add("a").add("bc").digest());
  CHECK(stable_hash{}.add("").digest() != stable_hash{}.digest());
  CHECK(stable_hash{}.add(0).digest() != stable_hash{}.digest());
  CHECK(stable_hash{}.add(0.0).digest() == stable_hash{}.add(-0.0).digest());
  CHECK(stable_hash{}.add(1.0).digest() != stable_hash{}.add(2.0).digest());
  static_assert(stable_hash{}.add(7).digest() == stable_hash{}.add(7L).digest());
}

TEST_CASE("hash: small neighbours do not collide", "[core]") {
  std::set<std::uint64_t> seen;
  for (unsigned a = 0; a < 200; ++a)
    for (unsigned b = 0; b < 200; ++b) seen.insert(mars::hash_combine(mars::hash_combine(0, a), b));
  CHECK(seen.size() == 40'000);
}
