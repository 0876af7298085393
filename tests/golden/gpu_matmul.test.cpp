// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/statistics.hpp>
#include <mars/hardware/gpu_device.hpp>
#include <mars/hardware/presets/gpu_device.hpp>
#include <mars/workload/builder.hpp>
#include <mars/workload/shard.hpp>

#include <cstdint>
#include <utility>
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
// What the same authors charge a call of PyTorch's matmul on it: hardware_model/compute_module.py.
constexpr mars::seconds call{2.1e-5};

auto agreement_with(mars::seconds gap) -> mars::agreement {
  auto design = mars::presets::find_device("a100_sxm").value();
  design.limits.overheads.gap = gap;
  std::vector<double> predicted, measured;
  for (auto const& t : a100) {
    mars::builder b{"product", 16};
    b.output(b.matmul(b.input("a", {t.m, t.k}), b.constant("b", {t.k, t.n})));
    auto const g = std::move(b).build().value();
    predicted.push_back(design.time(mars::shard{op(g, *operators(g).begin())}).total.count());
    measured.push_back(t.milliseconds * 1e-3);
  }
  return mars::agreement_of(predicted, measured);
}

} // namespace gpu_matmul_test

// dlas.md, section 9: "minimum" is 20 %, "good" 11 %.
TEST_CASE("gpu: matrix products of LLMCompass's A100", "[golden]") {
  using namespace gpu_matmul_test;
  auto const a = agreement_with(call);
  auto const bare = agreement_with(mars::launch_overheads{}.gap);
  WARN("off by " << 100 * a.mape << " % on average, " << 100 * a.worst << " % at worst; "
                 << 100 * bare.mape << " % without the authors' overhead of a call");
  CHECK(a.n == 20);
  CHECK(a.mape < 0.11);
  CHECK(a.tau_b.value() > 0.98);
}
