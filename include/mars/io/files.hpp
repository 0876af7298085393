// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/files.hpp>

namespace mars::io {

using mars::default_size_limit;
using mars::read_file;
using mars::write_file;

} // namespace mars::io
