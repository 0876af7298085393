// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The one place where the version is written; CMakeLists.txt reads it from here.
#define MARS_VERSION_MAJOR 0
#define MARS_VERSION_MINOR 1
#define MARS_VERSION_PATCH 0
