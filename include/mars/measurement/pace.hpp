// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/measurement/buffer.hpp>
#include <mars/measurement/detail/probe_kernels.hpp>
#include <mars/measurement/timing.hpp>

#include <cstddef>
#include <memory>

namespace mars::measurement {

/// A little arithmetic and a little reading, some tens of microseconds: timed beside candidates it tells how fast
/// the machine was meanwhile. Cores that are shared run at four fifths of their speed for minutes, which no
/// number of samples within these minutes can undo.
class pace_probe {
public:
  void operator()() const {
    auto const sum = probe_.multiply_add(10000) + probe_.read(data_->data(), data_->size());
    keep(&sum);
  }

private:
  detail::probe probe_{detail::widest_probe()};
  std::shared_ptr<buffer<float> const> data_{std::make_shared<buffer<float>>(
      std::size_t{1} << 18)}; ///< copies may share what is only read
};

} // namespace mars::measurement
