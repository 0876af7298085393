// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../host.hpp"

#ifdef WITH_JSON
#include <mars/io/json.hpp>
#endif
#ifdef WITH_ONNX
#include <mars/io/onnx.hpp>
#endif
#ifdef WITH_ONEDNN
#include <mars/measurement/onednn.hpp>
#endif

int main() { return check_version(EXPECTED_VERSION); }
