// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/hardware/gpu_device.hpp>
#include <mars/hardware/host_traffic.hpp>
#include <mars/workload/shard.hpp>

#include <concepts>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mars {

/// Any design behind one type, for choice at run time; copies share it. Powers that the wrapped
/// design lacks have neutral answers: it supports what has a finite time, knows no energy, lists no
/// algorithms, reorders for nothing, has infinite roofs, launches no kernels, and is valid. A call costs one virtual call.
class any_design {
public:
  template <class D>
  requires(!std::same_as<std::remove_cvref_t<D>, any_design> &&
           AcceleratorDesign<std::remove_cvref_t<D>>) any_design(D&& design)
      : self_{std::make_shared<holder<std::remove_cvref_t<D>> const>(std::forward<D>(design))} {}

  [[nodiscard]] auto name() const -> std::string_view { return self_->name(); }
  [[nodiscard]] auto time(shard const& s) const -> time_breakdown { return self_->time(s); }
  [[nodiscard]] auto supports(shard const& s) const -> bool { return self_->supports(s); }
  [[nodiscard]] auto energy(shard const& s) const -> joules { return self_->energy(s); }
  [[nodiscard]] auto algorithms(shard const& s) const -> std::vector<algorithm_time> {
    return self_->algorithms(s);
  }
  [[nodiscard]] auto reorder(bytes size, std::string_view from, std::string_view to) const
      -> seconds {
    return self_->reorder(size, from, to);
  }
  /// Is the wrapped design a ReorderingDesign, so that the user chooses among its algorithms?
  [[nodiscard]] auto reorders() const -> bool { return self_->reorders(); }
  [[nodiscard]] auto peak(int element_bits) const -> flops_per_second {
    return self_->peak(element_bits);
  }
  [[nodiscard]] auto memory_bandwidth() const -> bytes_per_second {
    return self_->memory_bandwidth();
  }
  [[nodiscard]] auto host_traffic(shard const& s) const -> host_bytes {
    return self_->host_traffic(s);
  }
  /// Null: it is no GPU with streams (`KernelDesign`).
  [[nodiscard]] auto device() const -> gpu_device const* { return self_->device(); }
  [[nodiscard]] auto kernels(shard const& s) const -> std::vector<kernel> {
    return self_->kernels(s);
  }
  [[nodiscard]] auto validate() const -> expected<void> { return self_->validate(); }

  /// The wrapped design if it is a `D`, else null: for writers that must name its parameters.
  template <AcceleratorDesign D>
  [[nodiscard]] auto get_if() const -> D const* {
    return self_->tag == tag_of<D>() ? &static_cast<holder<D> const&>(*self_).design : nullptr;
  }

  /// Copies of one wrapper are equal, and so are wrappers of one type with equal designs.
  friend auto operator==(any_design const& a, any_design const& b) -> bool {
    return a.self_ == b.self_ || (a.self_->tag == b.self_->tag && a.self_->equals(*b.self_));
  }

private:
  /// The address of a variable per type: run-time types without RTTI.
  template <class D>
  [[nodiscard]] static auto tag_of() -> void const* {
    static char const tag{};
    return &tag;
  }

  struct base {
    void const* tag;

    explicit base(void const* t) : tag{t} {}
    base(base const&) = delete;
    auto operator=(base const&) -> base& = delete;
    virtual ~base() = default;
    [[nodiscard]] virtual auto name() const -> std::string_view = 0;
    [[nodiscard]] virtual auto time(shard const&) const -> time_breakdown = 0;
    [[nodiscard]] virtual auto supports(shard const&) const -> bool = 0;
    [[nodiscard]] virtual auto energy(shard const&) const -> joules = 0;
    [[nodiscard]] virtual auto algorithms(shard const&) const -> std::vector<algorithm_time> = 0;
    [[nodiscard]] virtual auto reorder(bytes, std::string_view, std::string_view) const
        -> seconds = 0;
    [[nodiscard]] virtual auto reorders() const -> bool = 0;
    [[nodiscard]] virtual auto peak(int) const -> flops_per_second = 0;
    [[nodiscard]] virtual auto memory_bandwidth() const -> bytes_per_second = 0;
    [[nodiscard]] virtual auto host_traffic(shard const&) const -> host_bytes = 0;
    [[nodiscard]] virtual auto device() const -> gpu_device const* = 0;
    [[nodiscard]] virtual auto kernels(shard const&) const -> std::vector<kernel> = 0;
    [[nodiscard]] virtual auto validate() const -> expected<void> = 0;
    /// Precondition: `other` has the same tag.
    [[nodiscard]] virtual auto equals(base const& other) const -> bool = 0;
  };

  template <class D>
  struct holder final : base {
    D design;

    template <class Argument>
    explicit holder(Argument&& d) : base{tag_of<D>()}, design{std::forward<Argument>(d)} {}
    [[nodiscard]] auto name() const -> std::string_view override { return design.name(); }
    [[nodiscard]] auto time(shard const& s) const -> time_breakdown override {
      return design.time(s);
    }
    [[nodiscard]] auto supports(shard const& s) const -> bool override {
      if constexpr (ChoosyDesign<D>)
        return design.supports(s);
      else
        return is_supported(design.time(s));
    }
    [[nodiscard]] auto energy([[maybe_unused]] shard const& s) const -> joules override {
      if constexpr (EnergyDesign<D>)
        return design.energy(s);
      else
        return unknown_joules;
    }
    [[nodiscard]] auto algorithms([[maybe_unused]] shard const& s) const
        -> std::vector<algorithm_time> override {
      std::vector<algorithm_time> all;
      if constexpr (AlgorithmicDesign<D>)
        for (auto const& a : design.algorithms(s)) all.push_back(a);
      return all;
    }
    [[nodiscard]] auto reorder([[maybe_unused]] bytes size, [[maybe_unused]] std::string_view from,
                               [[maybe_unused]] std::string_view to) const -> seconds override {
      if constexpr (ReorderingDesign<D>)
        return design.reorder(size, from, to);
      else
        return {};
    }
    [[nodiscard]] auto reorders() const -> bool override { return ReorderingDesign<D>; }
    [[nodiscard]] auto peak([[maybe_unused]] int element_bits) const -> flops_per_second override {
      if constexpr (RooflineDesign<D>)
        return design.peak(element_bits);
      else
        return flops_per_second{std::numeric_limits<double>::infinity()};
    }
    [[nodiscard]] auto memory_bandwidth() const -> bytes_per_second override {
      if constexpr (states_bandwidth<D>)
        return design.memory_bandwidth();
      else
        return bytes_per_second{std::numeric_limits<double>::infinity()};
    }
    [[nodiscard]] auto host_traffic(shard const& s) const -> host_bytes override {
      return mars::host_traffic(design, s);
    }
    [[nodiscard]] auto device() const -> gpu_device const* override {
      if constexpr (KernelDesign<D>)
        return &design.device();
      else
        return nullptr;
    }
    [[nodiscard]] auto kernels([[maybe_unused]] shard const& s) const
        -> std::vector<kernel> override {
      std::vector<kernel> all;
      if constexpr (KernelDesign<D>)
        for (auto const& k : design.kernels(s)) all.push_back(k);
      return all;
    }
    [[nodiscard]] auto validate() const -> expected<void> override {
      if constexpr (CheckedDesign<D>)
        return design.validate();
      else
        return {};
    }
    [[nodiscard]] auto equals([[maybe_unused]] base const& other) const -> bool override {
      if constexpr (std::equality_comparable<D>)
        return design == static_cast<holder const&>(other).design;
      else
        return false;
    }
  };

  std::shared_ptr<base const> self_;
};

} // namespace mars
