// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/study.hpp>
#include <mars/io/report/detail/page_data.hpp>
#include <mars/io/report/detail/text.hpp>
#include <mars/io/study/detail/chart.hpp>
#include <mars/io/study/detail/heat_map.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace mars::io::detail {

/// Six digits, as short as they are; `null` for what is not a number.
[[nodiscard]] inline auto json_number(double v) -> std::string {
  return std::isfinite(v) ? fmt::format("{:.6g}", v) : std::string{"null"};
}
/// Number of a cell in the product, the last axis fastest.
[[nodiscard]] inline auto product_index(exploration::study const& s,
                                        exploration::coordinate const& at) -> std::size_t {
  std::size_t i = 0;
  for (std::size_t a = 0; a < exploration::axis_count; ++a)
    i = i * s.axes[a].elements.size() + at[a];
  return i;
}

/// Names, each once.
class name_table {
public:
  [[nodiscard]] auto index(std::string const& name) -> std::size_t {
    auto const [at, added] = numbers_.try_emplace(name, names_.size());
    if (added) names_.push_back(name);
    return at->second;
  }
  [[nodiscard]] auto json() const -> std::string {
    return json_list(names_, [](auto const& n) { return json_text(n); });
  }

private:
  std::map<std::string, std::size_t> numbers_;
  std::vector<std::string> names_;
};

/// What the script needs. Times in seconds, indices of names where names repeat:
///   axes      names of the elements, by axis
///   base      an element of each
///   cells     number in the product, time, reorders, bytes of the model, of the workspace, valid and
///             executed MACs, share on fallback, energy or null, accuracy or −1, and, where it ran,
///             measured and modelled time and the share they cover
///   accuracy  provenance, top-1, reference, source, setting
///   rejected  number in the product, reason
///   best      number of its network, …, operators: name, algorithm, fastest, formats, time, reorders
[[nodiscard]] inline auto study_data(exploration::study const& s) -> std::string {
  std::string out = "{\"axes\":" + json_list(s.axes, [](auto const& a) {
                      return json_list(a.elements, [](auto const& e) { return json_text(e.name); });
                    });
  out += ",\"base\":" + json_list(s.base, [](auto i) { return std::to_string(i); });
  out += ",\"heat\":" + json_list(heat_steps, json_number);
  out += ",\"change\":" + json_list(change_steps, json_number);

  std::vector<exploration::cell_accuracy> accuracies;
  auto const accuracy = [&](exploration::cell_accuracy const& a) -> std::string {
    if (a.known == exploration::provenance::unknown) return "-1";
    auto const same = [&](auto const& b) {
      return std::tie(a.known, a.top1, a.reference, a.source, a.setting) ==
             std::tie(b.known, b.top1, b.reference, b.source, b.setting);
    };
    auto const at = std::find_if(accuracies.begin(), accuracies.end(), same);
    auto const i = at - accuracies.begin();
    if (at == accuracies.end()) accuracies.push_back(a);
    return std::to_string(i);
  };
  out += ",\"cells\":" + json_list(s.cells, [&](auto const& c) {
           auto row = fmt::format("\n[{},{},{},{},{},{},{},{},{},{}", product_index(s, c.at),
                                  json_number(c.time.count()), json_number(c.reorders.count()),
                                  c.weights.count(), c.workspace.count(), c.valid.count(),
                                  json_number(c.executed), json_number(c.fallback),
                                  json_number(c.energy.count()), accuracy(c.accuracy));
           if (c.run)
             row += "," + json_number(c.run->measured.count()) + "," +
                    json_number(c.run->modelled.count()) + "," + json_number(c.run->share);
           return row + "]";
         });
  out += ",\"accuracy\":" + json_list(accuracies, [](auto const& a) {
           return fmt::format("\n[{},{},{},{},{}]", static_cast<int>(a.known), json_number(a.top1),
                              json_number(a.reference), json_text(a.source), json_text(a.setting));
         });
  out += ",\"rejected\":" + json_list(s.rejected, [&](auto const& r) {
           return fmt::format("[{},{}]", product_index(s, r.at), r.why);
         });
  out += ",\"reasons\":" + json_list(s.rejections, [](auto const& r) {
           return "[" + json_text(r.relation) + "," + json_text(r.reason) + "]";
         });

  name_table names;
  out += ",\"best\":" + json_list(s.best, [&](auto const& b) {
           return fmt::format("\n[{},", json_number(b.time.count())) +
                  json_list(b.operators,
                            [&](auto const& o) {
                              std::string row =
                                  "["; // one after another: names are numbered as they come
                              for (auto const* n : {&o.name, &o.algorithm, &o.fastest,
                                                    &o.input_format, &o.output_format})
                                row += std::to_string(names.index(*n)) + ",";
                              return row + json_number(o.time.count()) + "," +
                                     json_number(o.reorders.count()) + "]";
                            }) +
                  "]";
         });
  return out + ",\"names\":" + names.json() + "}";
}

} // namespace mars::io::detail
