// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "support/fake_gpu.hpp"

#include <mars/core/expected.hpp>
#include <mars/runtime/concept.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mars_test {

/// A `GpuApi` that speaks to a `fake_gpu`.
class fake_gpu_api {
  template <int>
  struct named {
    fake_gpu::handle id{};
  };

public:
  using stream = named<0>;
  using event = named<1>;
  using graph = named<2>;
  using node = named<3>;
  using executable = named<4>;

  explicit fake_gpu_api(fake_gpu& gpu) : gpu_{&gpu} {}

  [[nodiscard]] auto create_stream() const -> mars::expected<stream> {
    stream s;
    auto const code = gpu_->create_stream(s.id);
    return made(s, code);
  }
  [[nodiscard]] auto create_event() const -> mars::expected<event> { return new_event(false); }
  [[nodiscard]] auto create_timed_event() const -> mars::expected<event> { return new_event(true); }
  [[nodiscard]] auto record(event e, stream s) const { return checked(gpu_->record(e.id, s.id)); }
  [[nodiscard]] auto wait(stream s, event e) const { return checked(gpu_->wait(s.id, e.id)); }
  [[nodiscard]] auto synchronize(stream s) const { return checked(gpu_->synchronize(s.id)); }
  [[nodiscard]] auto begin_capture(stream s) const { return checked(gpu_->begin_capture(s.id)); }
  [[nodiscard]] auto end_capture(stream s) const -> mars::expected<graph> {
    graph g;
    auto const code = gpu_->end_capture(s.id, g.id);
    return made(g, code);
  }
  [[nodiscard]] auto create_graph() const -> mars::expected<graph> {
    graph g;
    auto const code = gpu_->create_graph(g.id);
    return made(g, code);
  }
  [[nodiscard]] auto add_kernel(graph g, std::span<node const> after,
                                mars::kernel_launch const& k) const -> mars::expected<node> {
    std::vector<fake_gpu::handle> ids;
    for (auto const n : after) ids.push_back(n.id);
    node n;
    auto const code = gpu_->add_kernel(n.id, g.id, ids, launch_of(k));
    return made(n, code);
  }
  [[nodiscard]] auto instantiate(graph g) const -> mars::expected<executable> {
    executable x;
    auto const code = gpu_->instantiate(x.id, g.id);
    return made(x, code);
  }
  [[nodiscard]] auto upload(executable x, stream s) const {
    return checked(gpu_->upload(x.id, s.id));
  }
  [[nodiscard]] auto launch(executable x, stream s) const {
    return checked(gpu_->launch_graph(x.id, s.id));
  }
  [[nodiscard]] auto launch(mars::kernel_launch const& k, stream s) const {
    return checked(gpu_->launch_kernel(launch_of(k), s.id));
  }
  [[nodiscard]] auto elapsed(event from, event to) const -> mars::expected<double> {
    double ms{};
    auto const code = gpu_->elapsed(from.id, to.id, ms);
    return made(ms, code);
  }
  [[nodiscard]] auto attributes(void const* f) const -> mars::expected<mars::kernel_attributes> {
    fake_kernel k;
    auto const code = gpu_->function(f, k);
    return made(mars::kernel_attributes{k.registers, k.shared}, code);
  }
  /// Attributes are numbered as `device_limit` here.
  [[nodiscard]] auto limit(mars::device_limit l) const -> mars::expected<std::int64_t> {
    int value{};
    auto const code = gpu_->attribute(static_cast<int>(l), value);
    return made(static_cast<std::int64_t>(value), code);
  }

  void destroy(stream s) const { static_cast<void>(gpu_->destroy_stream(s.id)); }
  void destroy(event e) const { static_cast<void>(gpu_->destroy_event(e.id)); }
  void destroy(graph g) const { static_cast<void>(gpu_->destroy_graph(g.id)); }
  void destroy(executable x) const { static_cast<void>(gpu_->destroy_executable(x.id)); }

private:
  [[nodiscard]] auto launch_of(mars::kernel_launch const& k) const -> fake_gpu::node {
    return gpu_->launch_of(k.function, k.grid, k.block, k.shared, k.arguments);
  }
  [[nodiscard]] auto new_event(bool timed) const -> mars::expected<event> {
    event e;
    auto const code = gpu_->create_event(e.id, timed);
    return made(e, code);
  }
  [[nodiscard]] auto failed(fake_gpu::status code) const -> mars::error {
    auto const& call = gpu_->log.back();
    return {mars::error_code::device, call.substr(0, call.find('(')), fake_gpu::name(code),
            "cudaSuccess", ""};
  }
  [[nodiscard]] auto checked(fake_gpu::status code) const -> mars::expected<void> {
    if (code != fake_gpu::success) return mars::unexpected{failed(code)};
    return {};
  }
  template <class T>
  [[nodiscard]] auto made(T const& value, fake_gpu::status code) const -> mars::expected<T> {
    if (code != fake_gpu::success) return mars::unexpected{failed(code)};
    return value;
  }

  fake_gpu* gpu_;
};
static_assert(mars::ProfilingApi<fake_gpu_api>);

} // namespace mars_test
