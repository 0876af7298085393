// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/detail/channel_classes.hpp>
#include <mars/core/checked.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/hash.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::compression::detail {

/// Which elements of the classes are kept.
///
/// Elements that relations tie are one *channel*: it goes as a whole. Channels with elements in the same
/// classes are alike and form a *family*, of which any number may go: the widths of a residual stage, one
/// input of a concatenation. `keep` of each family stays, rounded up to whole blocks of `multiple` (the
/// channels of a started block cost no time), and the first ones, for only their number counts.
template <deferred D = when_called>
class basic_channel_choice {
public:
  using classes = basic_channel_classes<D>;
  using index = typename classes::index;

  struct family {
    index member{}; ///< the first class in which it has elements
    std::int64_t channels{};
    std::int64_t kept{};
    bool fixed{};
    later<std::vector<index>, D> classes_of; ///< all classes in which it has elements, ascending
  };

  basic_channel_choice(classes const& c, double keep, std::int64_t multiple)
      : classes_{&c}, base_(c.size(), 0) {
    std::size_t elements = 1; // the first one is tied to what is fixed
    for (index i = 0; i < c.size(); ++i)
      if (c.root(i) == i) {
        base_[i] = elements;
        elements += static_cast<std::size_t>(c.extent(i));
      }
    parent_.resize(elements);
    for (std::size_t i = 0; i < elements; ++i) parent_[i] = i;
    for (index i = 0; i < c.size(); ++i)
      if (c.root(i) == i && c.is_fixed(i))
        for (std::int64_t p = 0; p < c.extent(i); ++p) unite(0, element(i, p));
    for (auto const& r : c.relations())
      for (std::int64_t p = 0; p < c.extent(r.whole); ++p) {
        auto const v = r.stride == 0 ? p - r.offset : p / r.stride % c.extent(r.part);
        if (v >= 0 && v < c.extent(r.part)) unite(element(r.whole, p), element(r.part, v));
      }
    form_families();
    choose(keep, multiple);
  }

  [[nodiscard]] auto families() const -> later<std::vector<family>, D> const& { return families_; }
  /// Elements of class `c` that are kept, of those before `position` or of all.
  [[nodiscard]] auto kept_before(index c, std::int64_t position) const -> std::int64_t {
    c = classes_->root(c);
    auto const p = std::clamp<std::int64_t>(position, 0, classes_->extent(c));
    return rank_[base_[c] + static_cast<std::size_t>(p)] - rank_[base_[c]];
  }
  [[nodiscard]] auto kept(index c) const -> std::int64_t {
    return kept_before(c, classes_->extent(c));
  }
  [[nodiscard]] auto is_kept(index c, std::int64_t position) const -> bool {
    return kept_before(c, position + 1) != kept_before(c, position);
  }

private:
  [[nodiscard]] auto element(index c, std::int64_t p) const -> std::size_t {
    return base_[classes_->root(c)] + static_cast<std::size_t>(p);
  }
  auto find_root(std::size_t e) -> std::size_t {
    while (parent_[e] != e) e = parent_[e] = parent_[parent_[e]];
    return e;
  }
  void unite(std::size_t a, std::size_t b) {
    a = find_root(a);
    b = find_root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

  void form_families() {
    // A channel's classes, as a hash of their numbers in ascending order.
    later<std::vector<std::uint64_t>, D> where(parent_.size(), 0);
    for_each_element([&](index c, std::size_t e) {
      auto& h = where[find_root(e)];
      h = hash_combine(h, c);
    });
    later<std::unordered_map<std::uint64_t, std::size_t>, D> known;
    family_of_.assign(parent_.size(), 0);
    for_each_element([&](index c, std::size_t e) {
      auto const channel = find_root(e);
      auto const key = channel == 0 ? hash_combine(0, c) : where[channel];
      auto const [it, is_new] = known.try_emplace(key, families_.size());
      if (is_new) families_.push_back({.member = c, .fixed = channel == 0, .classes_of = {}});
      auto& f = families_[it->second];
      if (channel == e || (channel == 0 && f.member == c)) ++f.channels;
      if (f.classes_of.empty() || f.classes_of.back() < c) f.classes_of.push_back(c);
      family_of_[e] = it->second;
    });
  }

  void choose(double keep, std::int64_t multiple) {
    for (auto& f : families_) {
      // Less a rounding error: 0.55 of 20 is 11.
      auto const least =
          static_cast<std::int64_t>(std::ceil(keep * static_cast<double>(f.channels) - 1e-9));
      auto const blocks = ceil_div(std::max<std::int64_t>(1, least), multiple);
      f.kept = f.fixed ? f.channels : std::min(f.channels, blocks * multiple);
    }
    later<std::vector<std::int64_t>, D> taken(families_.size(), 0);
    later<std::vector<bool>, D> stays(parent_.size(), false);
    stays[0] = true;
    for_each_element([&](index, std::size_t e) {
      auto const f = family_of_[e];
      if (find_root(e) == e) stays[e] = taken[f]++ < families_[f].kept;
    });
    rank_.assign(parent_.size() + 1, 0);
    for (std::size_t e = 0; e < parent_.size(); ++e)
      rank_[e + 1] = rank_[e] + (stays[find_root(e)] ? 1 : 0);
  }

  template <class F>
  void for_each_element(F const& f) {
    for (index c = 0; c < classes_->size(); ++c)
      if (classes_->root(c) == c)
        for (std::int64_t p = 0; p < classes_->extent(c); ++p) f(c, element(c, p));
  }

  classes const* classes_;
  later<std::vector<std::size_t>, D> base_;
  later<std::vector<std::size_t>, D>
      parent_; ///< union-find over elements; the smallest is the root
  later<std::vector<std::size_t>, D> family_of_;
  later<std::vector<family>, D> families_;
  later<std::vector<std::int64_t>, D> rank_; ///< kept elements before each
};

} // namespace mars::compression::detail
