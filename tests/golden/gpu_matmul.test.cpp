// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/statistics.hpp>
#include <mars/hardware/presets/gpu_device.hpp>
#include <mars/workload/builder.hpp>
#include <mars/workload/shard.hpp>

#include <cstdint>
#include <vector>

namespace gpu_matmul_test {

struct timing {
  std::int64_t m, k, n;
  double milliseconds;
};
// Measured by others on an A100 SXM 80 GB, fp16, PyTorch: Zhang, Ning, Prabhakar, Wentzlaff, "LLMCompass",
// ISCA 2024; PrincetonUniversity/LLMCompass (BSD-3), ae/figure5/ab/real_hardware/matmul_A100.csv@b95c6c9.
constexpr timing a100[] = {
    {64, 12288, 12288, 0.1900},     {128, 12288, 12288, 0.2003},   {256, 12288, 12288, 0.3185},
    {512, 12288, 12288, 0.6118},    {1024, 12288, 12288, 1.1990},  {2048, 12288, 12288, 2.3586},
    {4096, 12288, 12288, 4.4576},   {8192, 12288, 12288, 8.6216},  {16384, 12288, 12288, 17.0307},
    {32768, 12288, 12288, 35.4407}, {8192, 64, 64, 0.0296},        {8192, 128, 128, 0.0310},
    {8192, 256, 256, 0.0356},       {8192, 512, 512, 0.0471},      {8192, 1024, 1024, 0.0927},
    {8192, 2048, 2048, 0.2818},     {8192, 4096, 4096, 1.0210},    {8192, 8192, 8192, 3.9614},
    {8192, 16384, 16384, 15.0087},  {8192, 32768, 32768, 61.1346},
};
// What one call took that does nothing, the same authors: hardware_model/compute_module.py.
constexpr mars::seconds call{2.1e-5};

} // namespace gpu_matmul_test

// dlas.md, section 9: "minimum" is 20 %, "good" 11 %.
TEST_CASE("gpu: matrix products of LLMCompass's A100", "[golden]") {
  using namespace gpu_matmul_test;
  auto design = mars::presets::find_device("a100_sxm").value();
  design.limits.overheads.gap = call;
  std::vector<double> predicted, measured;
  for (auto const& t : a100) {
    mars::builder b{"product", 16};
    b.output(b.matmul(b.input("a", {t.m, t.k}), b.constant("b", {t.k, t.n})));
    auto const g = std::move(b).build().value();
    mars::shard const s{op(g, *operators(g).begin())};
    predicted.push_back(design.time(s).total.count());
    measured.push_back(t.milliseconds * 1e-3);
    UNSCOPED_INFO(t.m << " x " << t.k << " x " << t.n << ": " << predicted.back() * 1e3 << " for "
                      << t.milliseconds << " ms, " << predicted.back() / measured.back());
  }
  auto const a = mars::agreement_of(predicted, measured);
  CAPTURE(a.mape, a.worst, a.within_10, a.tau_b.value());
  CHECK(a.mape < 0.11);
  CHECK(a.tau_b.value() > 0.98);
}
