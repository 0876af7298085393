// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../host.hpp"

int main() { return check_version(EXPECTED_VERSION); }
