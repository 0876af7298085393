// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/hardware/designs/gpu.hpp>
#include <mars/hardware/designs/roofline.hpp>
#include <mars/scheduling.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace scheduler_models {
using namespace mars;

/// The least a user writes: everything on one stream.
struct least {
  [[nodiscard]] auto name() const -> std::string_view { return "least"; }
  [[nodiscard]] auto operator()(stream_problem const& p, stream_context const&) const
      -> stream_solution {
    stream_solution s;
    for (std::uint32_t v = 0; v < p.size(); ++v) {
      s.schedule.stream_of.emplace_back(std::size_t{0});
      s.schedule.launch_order.push_back(v);
    }
    s.timeline = simulate_streams(p, s.schedule);
    return s;
  }
};
struct without_a_name {
  auto operator()(stream_problem const&, stream_context const&) const -> stream_solution;
};
struct without_a_context : least {
  auto operator()(stream_problem const&) const -> stream_solution;
};
struct that_answers_a_schedule : least {
  auto operator()(stream_problem const&, stream_context const&) const -> stream_schedule;
};
struct that_changes_itself : least {
  auto operator()(stream_problem const&, stream_context const&) -> stream_solution;
};
struct that_cannot_be_copied : least {
  std::unique_ptr<int> state;
};

/// A design of kernels, and what is none.
struct of_kernels {
  [[nodiscard]] auto name() const -> std::string_view { return "kernels"; }
  [[nodiscard]] auto time(shard const&) const -> time_breakdown { return {}; }
  [[nodiscard]] auto kernels(shard const&) const -> std::vector<kernel> { return {}; }
  [[nodiscard]] auto device() const -> gpu_device const& { return limits; }
  gpu_device limits{};
};
struct of_no_device {
  [[nodiscard]] auto name() const -> std::string_view { return "kernels"; }
  [[nodiscard]] auto time(shard const&) const -> time_breakdown { return {}; }
  [[nodiscard]] auto kernels(shard const&) const -> std::vector<kernel> { return {}; }
};
struct of_numbers : of_no_device {
  [[nodiscard]] auto kernels(shard const&) const -> std::vector<int> { return {}; }
  [[nodiscard]] auto device() const -> gpu_device const&;
};
} // namespace scheduler_models

static_assert(mars::StreamScheduler<scheduler_models::least>);
static_assert(!mars::StreamScheduler<scheduler_models::without_a_name>);
static_assert(!mars::StreamScheduler<scheduler_models::without_a_context>);
static_assert(!mars::StreamScheduler<scheduler_models::that_answers_a_schedule>);
static_assert(!mars::StreamScheduler<scheduler_models::that_changes_itself>);
static_assert(!mars::StreamScheduler<scheduler_models::that_cannot_be_copied>);
static_assert(mars::StreamScheduler<mars::scheduling::sequential>);
static_assert(mars::StreamScheduler<mars::scheduling::path_cover>);
static_assert(mars::StreamScheduler<mars::scheduling::chain_cover>);
static_assert(mars::StreamScheduler<mars::scheduling::opara>);
static_assert(mars::StreamScheduler<mars::scheduling::ios>);
static_assert(mars::StreamScheduler<mars::scheduling::ios_greedy>);
static_assert(mars::StreamScheduler<mars::scheduling::critical_path>);
static_assert(mars::StreamScheduler<mars::scheduling::best>);
static_assert(mars::StreamScheduler<mars::scheduling::any_scheduler>);

static_assert(mars::KernelDesign<scheduler_models::of_kernels>);
static_assert(!mars::KernelDesign<scheduler_models::of_no_device>);
static_assert(!mars::KernelDesign<scheduler_models::of_numbers>);
static_assert(mars::KernelDesign<mars::hardware::gpu>);
static_assert(!mars::KernelDesign<mars::hardware::roofline>);

TEST_CASE("a scheduler of the user's own behind one type") {
  mars::gpu_device d;
  d.peak_rate = mars::flops_per_second{1e12};
  d.bandwidth = mars::bytes_per_second{1e11};
  mars::kernel const k{.work = mars::flops{1000}};
  auto const p =
      mars::stream_problem::make({"two", {{"a", {k}, {}}, {"b", {k}, {0}}}, {}}, d).value();
  mars::scheduling::any_scheduler const wrapped{scheduler_models::least{}};
  CHECK(wrapped.name() == "least");
  CHECK(wrapped(p, {}).timeline == mars::scheduling::sequential{}(p, {}).timeline);
}
