// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/cost/concept.hpp>
#include <mars/cost/question.hpp>
#include <mars/workload/shard.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace mars::cost {

/// Remembers the answers of a slow model.
///
/// Prefer it for models that simulate, measure or ask another process, when several problems are
/// built from one network; a single problem already asks each question once. Copies share the
/// memory. Thread-safe: a lock is held while looking up, not while the model runs, so two threads
/// may ask the model the same question at the same time and keep the first answer.
/// Precondition: a name means one design (semantics 2 of AcceleratorDesign) and, as everywhere
/// where signatures are hashed, 64 bits do not collide.
template <CostModel Model>
class cached {
public:
  explicit cached(Model model = {}) : model_{std::move(model)} {}

  template <class D>
  requires CostModelFor<Model, D>
  [[nodiscard]] auto operator()(shard const& s, D const& design) const -> shard_cost {
    auto key = question_of(s, std::string_view{design.name()});
    {
      std::lock_guard const lock{memory_->mutex};
      if (auto const it = memory_->answers.find(key); it != memory_->answers.end()) {
        ++memory_->hits;
        return it->second;
      }
      ++memory_->misses;
    }
    shard_cost const answer = model_(s, design);
    std::lock_guard const lock{memory_->mutex};
    return memory_->answers.try_emplace(std::move(key), answer).first->second;
  }

  /// Not remembered: their names belong to the design.
  template <class D>
  requires AlgorithmCostModelFor<Model, D>
  [[nodiscard]] auto algorithms(shard const& s, D const& design) const {
    return model_.algorithms(s, design);
  }

  [[nodiscard]] auto model() const -> Model const& { return model_; }
  /// Questions answered from memory, and those the model was asked.
  [[nodiscard]] auto hits() const -> std::int64_t {
    return locked([](auto& m) { return m.hits; });
  }
  [[nodiscard]] auto misses() const -> std::int64_t {
    return locked([](auto& m) { return m.misses; });
  }
  void forget() {
    std::lock_guard const lock{memory_->mutex};
    memory_->answers.clear();
  }

private:
  struct memory {
    std::mutex mutex;
    std::unordered_map<question, shard_cost, question_hash> answers;
    std::int64_t hits{};
    std::int64_t misses{};
  };
  template <class Read>
  [[nodiscard]] auto locked(Read const& read) const -> std::int64_t {
    std::lock_guard const lock{memory_->mutex};
    return read(*memory_);
  }

  Model model_;
  std::shared_ptr<memory> memory_{std::make_shared<memory>()};
};

} // namespace mars::cost
