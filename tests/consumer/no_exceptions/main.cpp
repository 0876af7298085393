// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A host without exceptions and run-time type information, as LLVM's are: all of mars compiles and links there. Boost
// calls boost::throw_exception where it would throw; such a host defines it.
#include "../host.hpp"

#include <boost/throw_exception.hpp>

#include <cstdlib>
#include <exception>

#ifdef __cpp_exceptions
#error "this host is to be compiled with -fno-exceptions"
#endif

namespace boost {

void throw_exception(std::exception const& what) {
  std::fputs(what.what(), stderr);
  std::abort();
}

void throw_exception(std::exception const& what, boost::source_location const&) {
  throw_exception(what);
}

} // namespace boost

int main() { return 0; }
