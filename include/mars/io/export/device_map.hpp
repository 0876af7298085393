// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/export/exported.hpp>
#include <mars/io/report/detail/text.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io {

namespace detail {

/// Modules as a tree: `encoder.layer.0.output` from `encoder/layer/0/output`.
struct module_tree {
  std::map<std::string, module_tree, std::less<>> parts{};
  std::optional<std::uint32_t> device{}; ///< of everything below, once `agree` was asked
  std::size_t first{};                   ///< the earliest operator below
  bool is_operator{false};

  /// The one device of all operators below, if there is one.
  auto agree() -> std::optional<std::uint32_t> {
    for (auto& [name, part] : parts) {
      auto const below = part.agree();
      if (!is_operator && &part == &parts.begin()->second)
        device = below;
      else if (device != below)
        device.reset();
    }
    return device;
  }
  void list(std::string const& path,
            std::vector<std::pair<std::size_t, std::pair<std::string, std::uint32_t>>>& out) const {
    if (device) return out.push_back({first, {path, *device}});
    for (auto const& [name, part] : parts) part.list(path.empty() ? name : path + "." + name, out);
  }
};

} // namespace detail

/// Accelerate's `device_map` (Hugging Face): `device_map.json`, module path → accelerator number, in
/// the order of the operators. Operators are modules, their names paths: '.' and '/' separate. A
/// module that is on one accelerator as a whole is listed once, for all that it contains; "" is
/// everything. Errors: as `features_of`; `unsupported`, naming the first operator that more than one
/// accelerator runs, or that is inside another operator of another accelerator.
template <WorkloadGraph G, class System>
[[nodiscard]] auto export_device_map(G const& g, System const& system, mapping const& m)
    -> expected<exported> {
  auto const uses = features_of(g, m, system.accelerators.size());
  if (!uses) return unexpected{uses.error()};
  static constexpr std::size_t most_levels = 256; // the tree is walked by recursion
  detail::module_tree root;
  for (operator_id const v : operators(g)) {
    operation const& o = op(g, v);
    auto const& set = m.sets[m.operators[v.index()].set.index()].accelerators;
    auto const path = std::string{"operators["} + std::to_string(v.index()) + "]";
    if (set.size() != 1)
      return fail(error_code::unsupported, path,
                  std::string{"'"} + o.name + "' on " + std::to_string(set.size()) +
                      " accelerators",
                  "every operator whole on one accelerator", "a device_map divides no module");
    auto* at = &root;
    std::size_t depth = 0;
    for (std::string_view rest = o.name; !rest.empty();) {
      auto const end = std::min(rest.find_first_of("./"), rest.size());
      auto const part = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (part.empty()) continue;
      auto const [entry, fresh] = at->parts.try_emplace(std::string{part});
      at = &entry->second;
      if (fresh) at->first = v.index();
      if (++depth > most_levels)
        return fail(error_code::unsupported, path,
                    std::to_string(depth) + " modules in one another",
                    std::string{"at most "} + std::to_string(most_levels));
    }
    auto const device = set.front().value;
    if (at->is_operator && at->device != device)
      return fail(error_code::unsupported, path, std::string{"'"} + o.name + "'",
                  "a module path of its own", "an operator elsewhere has the same");
    at->is_operator = true;
    at->device = device;
  }
  (void)root.agree();
  // An operator with operators inside it is one module: its key covers them.
  std::optional<error> torn;
  auto const check_inside = [&](auto const& self, detail::module_tree const& t,
                                std::string const& path) -> void {
    if (t.is_operator && !t.device && !torn)
      torn = error{error_code::unsupported,
                   std::string{"operators["} + std::to_string(t.first) + "]",
                   std::string{"'"} + path + "' and parts of it on different accelerators",
                   "a module on one accelerator",
                   {}};
    for (auto const& [name, part] : t.parts)
      self(self, part, path.empty() ? name : path + "." + name);
  };
  check_inside(check_inside, root, {});
  if (torn) return unexpected{*std::move(torn)};

  std::vector<std::pair<std::size_t, std::pair<std::string, std::uint32_t>>> entries;
  root.list({}, entries);
  std::sort(entries.begin(), entries.end());
  std::string text{"{"};
  for (std::size_t i = 0; i < entries.size(); ++i)
    text += std::string{i == 0 ? "\n  " : ",\n  "} + detail::json_text(entries[i].second.first) +
            ": " + std::to_string(entries[i].second.second);
  exported out{{{"device_map.json", text + "\n}\n"}}, {}};
  auto const tell = [&out](std::string sentence) {
    out.not_expressed.push_back(std::move(sentence));
  };
  if (uses->designs_differ) tell("The designs of the accelerators: they differ, and have no key.");
  if (uses->on_streams)
    tell(said(uses->on_streams) + "are on streams beside the first, which nothing says.");
  if (uses->scheduled) tell("The launch order: modules run in the order of the program.");
  if (uses->streamed)
    tell(said(uses->streamed) +
         "have streamed weights; \"cpu\" would also place them there, one module at a time.");
  return out;
}

} // namespace mars::io
