// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/study.hpp>
#include <mars/io/report/detail/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the plots of a study share: scales and ticks, marks that differ in shape as well as in colour,
// panels to choose from.

namespace mars::io::detail {

/// A value's place on a line of pixels.
struct plot_scale {
  double low{}, high{1};   ///< values
  double from{}, to{};     ///< pixels
  bool logarithmic{false}; ///< then values are positive

  [[nodiscard]] auto operator()(double v) const -> double {
    auto const at = [&](double x) { return logarithmic ? std::log(x) : x; };
    return from + (to - from) * (at(v) - at(low)) / (at(high) - at(low));
  }
};

/// The range of what was added, widened a little, so that no mark stands on the frame.
class value_range {
public:
  void add(double v) {
    if (!std::isfinite(v)) return;
    low_ = known_ ? std::min(low_, v) : v;
    high_ = known_ ? std::max(high_, v) : v;
    known_ = true;
  }
  [[nodiscard]] auto known() const -> bool { return known_; }
  /// By at least `least` on either side, or a share of the span.
  [[nodiscard]] auto linear(double from, double to, double least) const -> plot_scale {
    auto const margin = std::max(least, 0.06 * (high_ - low_));
    return {low_ - margin, high_ + margin, from, to};
  }
  /// Precondition: what was added is positive.
  [[nodiscard]] auto logarithmic(double from, double to) const -> plot_scale {
    auto const margin = std::max(1.08, std::pow(high_ / low_, 0.05));
    return {low_ / margin, high_ * margin, from, to, true};
  }

private:
  double low_{1}, high_{1};
  bool known_{};
};

/// Powers of ten that lie apart, and, where there is room for their labels, 2 and 5 times them.
[[nodiscard]] inline auto log_ticks(plot_scale const& scale) -> std::vector<double> {
  std::vector<double> ticks;
  auto const decades = std::log10(scale.high / scale.low);
  auto const pixels = std::abs(scale.to - scale.from) / decades; // of a decade
  bool const vertical = scale.from > scale.to;                   // upwards: pixels fall
  auto const room = vertical ? 14.0 : 38.0;
  bool const fine = 0.3 * pixels >= room; // from 1 to 2, and from 5 to 10
  auto const skip = std::max(1.0, std::ceil(room / pixels));
  for (double d = std::floor(std::log10(scale.low)); d <= std::ceil(std::log10(scale.high)); ++d)
    for (double const k : {1.0, 2.0, 5.0}) {
      if (k > 1 && !fine) break;
      if (std::fmod(std::abs(d), skip) != 0) continue;
      auto const v = k * std::pow(10.0, d);
      if (v >= scale.low * 0.999 && v <= scale.high * 1.001) ticks.push_back(v);
    }
  return ticks;
}

/// At most three digits, no trailing zeros: "2 ms", "12.5 MB".
[[nodiscard]] inline auto short_text(double value, std::string_view unit) -> std::string {
  auto text = quantity_text(value, unit);
  auto const space = text.find(' ');
  if (space == text.npos) return text;
  auto number = text.substr(0, space);
  if (auto const point = number.find('.'); point != number.npos) {
    number.resize(std::min(number.size(), std::max<std::size_t>(4, point)));
    while (number.back() == '0') number.pop_back();
    if (number.back() == '.') number.pop_back();
  }
  return number + text.substr(space);
}

/// exp(ln): "×1.92" is slower, "÷1.92" faster.
[[nodiscard]] inline auto factor_text(double ln) -> std::string {
  if (!std::isfinite(ln)) return "–";
  auto const factor = std::exp(std::abs(ln));
  if (factor < 1.005) return "×1";
  return fmt::format("{}{:.{}f}", ln < 0 ? "÷" : "×", factor,
                     factor < 9.995   ? 2
                     : factor < 99.95 ? 1
                                      : 0);
}
/// "1.92× faster".
[[nodiscard]] inline auto speed_text(double ln) -> std::string {
  if (!std::isfinite(ln)) return "–";
  if (std::abs(ln) < 0.005) return "as fast";
  return factor_text(std::abs(ln)).substr(std::string_view{"×"}.size()) +
         (ln < 0 ? "× faster" : "× slower");
}
/// Ticks of an axis of factors, in ln: powers of two, or of four, or of ten.
[[nodiscard]] inline auto factor_ticks(plot_scale const& x) -> std::vector<double> {
  auto const span = x.high - x.low;
  auto const step = span < 7 ? std::log(2.0) : span < 14 ? std::log(4.0) : std::log(10.0);
  std::vector<double> ticks;
  for (double i = std::ceil(x.low / step - 1e-9); i * step <= x.high + 1e-9; ++i)
    ticks.push_back(i * step);
  return ticks;
}
/// What a table sorts a number by: the script reads it.
[[nodiscard]] inline auto sort_key(double v) -> std::string {
  return fmt::format("{:.9g}", std::isfinite(v) ? v : 1e99);
}
/// A tick of a linear axis with its sign: "−0.5", "0".
[[nodiscard]] inline auto plain_text(double v) -> std::string {
  if (std::abs(v) < 1e-9) return "0";
  return (v < 0 ? "−" : "+") + fmt::format("{:g}", std::abs(v));
}
[[nodiscard]] inline auto signed_text(double v, int digits) -> std::string {
  if (!std::isfinite(v)) return "–";
  auto const text = fmt::format("{:.{}f}", std::abs(v), digits);
  bool const zero = text.find_first_not_of("0.") == text.npos;
  return (zero ? "" : v < 0 ? "−" : "+") + text;
}

/// Marks of a category: shape `m…`, colour `k…`; both repeat after eight, not in step.
inline constexpr std::size_t mark_shapes = 6;
inline constexpr std::size_t mark_colours = 10;
[[nodiscard]] inline auto mark_shapes_svg() -> std::string {
  return "<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>"
         "<circle id=\"m0\" r=\"4.4\"/>"
         "<path id=\"m1\" d=\"M-4-4h8v8h-8z\"/>"
         "<path id=\"m2\" d=\"M0-5.2 5.2 4h-10.4z\"/>"
         "<path id=\"m3\" d=\"M0-5.6 5.6 0 0 5.6-5.6 0z\"/>"
         "<path id=\"m4\" d=\"M0 5.2 5.2-4h-10.4z\"/>"
         "<path id=\"m5\" d=\"M-1.8-5.2h3.6v3.4h3.4v3.6h-3.4v3.4h-3.6v-3.4h-3.4v-3.6h3.4z\"/>"
         // Smaller: what is beaten.
         "<circle id=\"b0\" r=\"2.7\"/>"
         "<path id=\"b1\" d=\"M-2.4-2.4h4.8v4.8h-4.8z\"/>"
         "<path id=\"b3\" d=\"M0-3.4 3.4 0 0 3.4-3.4 0z\"/>"
         "<path id=\"tick\" d=\"M-1-7h2v14h-2z\"/>"
         "<pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" "
         "patternTransform=\"rotate(45)\"><path class=\"hatching\" d=\"M0 0V5\"/></pattern>"
         "</defs></svg>\n";
}
[[nodiscard]] inline auto mark(std::size_t shape, std::string_view style, double x, double y,
                               std::string const& title) -> std::string {
  return fmt::format("<use class=\"{}\" href=\"#m{}\" x=\"{:.1f}\" y=\"{:.1f}\"><title>{}</title>"
                     "</use>\n",
                     style, shape % mark_shapes, x, y, html_text(title));
}
[[nodiscard]] inline auto colour_class(std::size_t i) -> std::string {
  return fmt::format("k{}", i % mark_colours);
}

/// Colours of primitives, the same on the whole page; what else an operator may run comes after them.
class algorithm_colours {
public:
  explicit algorithm_colours(exploration::study const& s) {
    for (auto const& e : s.elements(exploration::axis_id::primitive)) names_.push_back(e.name);
    for (auto const& b : s.best)
      for (auto const& o : b.operators) {
        (void)add(o.algorithm);
        (void)add(o.fastest);
      }
  }
  [[nodiscard]] auto names() const -> std::vector<std::string> const& { return names_; }
  /// Precondition: a primitive, or an algorithm of `best`.
  [[nodiscard]] auto index(std::string const& name) const -> std::size_t {
    return static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
  }
  /// Of those that `occurs`, by index, is true of.
  template <class Occurs>
  [[nodiscard]] auto legend(Occurs&& occurs) const -> std::string {
    std::string out;
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (occurs(i))
        out += fmt::format("<li><i class=\"swatch {}\"></i>{}</li>", colour_class(i),
                           html_text(names_[i]));
    return out;
  }

private:
  auto add(std::string const& name) -> std::size_t {
    auto const i = index(name);
    if (i == names_.size()) names_.push_back(name);
    return i;
  }
  std::vector<std::string> names_;
};

[[nodiscard]] inline auto element_name(exploration::study const& s, exploration::axis_id a,
                                       std::size_t i) -> std::string const& {
  return s.elements(a)[i].name;
}
/// "resnet18 · int8 · direct · tuned · server_cpu"
[[nodiscard]] inline auto cell_name(exploration::study const& s, exploration::coordinate const& at)
    -> std::string {
  std::string out;
  for (auto const a : exploration::all_axes) out += (out.empty() ? "" : " · ") + s.name_of(at, a);
  return out;
}
[[nodiscard]] inline auto position(exploration::coordinate const& at, exploration::axis_id a)
    -> std::uint16_t {
  return at[static_cast<std::size_t>(a)];
}

/// Where shapes tell code generations apart.
[[nodiscard]] inline auto generation_legend(exploration::study const& s) -> std::string {
  std::string out;
  auto const& generations = s.elements(exploration::axis_id::code_generation);
  for (std::size_t g = 0; g < generations.size(); ++g)
    out += fmt::format("<li><svg class=\"box\" viewBox=\"-7 -7 14 14\"><use class=\"key\" "
                       "href=\"#m{}\"/></svg>{}</li>",
                       g % mark_shapes, html_text(generations[g].name));
  return out;
}

/// Something to choose among panels by: the script hides those whose `data-KEY` differs.
struct panel_choice {
  enum class start : std::uint8_t { all, together, first, last };
  std::string_view key; ///< "network"
  std::vector<std::string> names;
  std::vector<std::uint16_t> shown; ///< of `names`: those that some panel has
  start begin{start::all};          ///< `together`: a panel shows all in one
};
[[nodiscard]] inline auto choice_tools(std::vector<panel_choice> const& choices) -> std::string {
  using start = panel_choice::start;
  auto const option = [](std::string const& value, std::string const& name, bool selected) {
    return fmt::format("<option value=\"{}\"{}>{}</option>", value, selected ? " selected" : "",
                       name);
  };
  std::string out = "<div class=\"tools\">";
  for (auto const& c : choices) {
    if (c.shown.size() < 2 && c.begin != start::together) continue;
    out += fmt::format("<label>{} <select data-key=\"{}\">", c.key, c.key);
    if (c.begin == start::together) out += option("together", "all in one", true);
    out += option("", "all", c.begin == start::all);
    for (std::size_t i = 0; i < c.shown.size(); ++i)
      out += option(std::to_string(c.shown[i]), html_text(c.names[c.shown[i]]),
                    (c.begin == start::first && i == 0) ||
                        (c.begin == start::last && i + 1 == c.shown.size()));
    out += "</select></label> ";
  }
  return out + "</div>";
}
[[nodiscard]] inline auto names_of(exploration::study const& s, exploration::axis_id a)
    -> std::vector<std::string> {
  std::vector<std::string> all;
  for (auto const& e : s.elements(a)) all.push_back(e.name);
  return all;
}
/// What `f` gives for each of a list, each once, in order.
template <class List, class F>
[[nodiscard]] auto distinct(List const& list, F&& f) -> std::vector<std::uint16_t> {
  std::vector<std::uint16_t> all;
  for (auto const& x : list) all.push_back(f(x));
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// Lanes of a dot plot, named on the left, some under a heading of their own: grounds first, then a grid
/// that the caller draws over all of them, then marks.
class dot_lanes {
public:
  dot_lanes(double left, double right, double pitch) : left_{left}, right_{right}, pitch_{pitch} {}

  void heading(std::string const& name) {
    if (y_ > top) y_ += 8;
    grounds_ += fmt::format("<text class=\"set-name\" x=\"0\" y=\"{:.1f}\">{}</text>\n",
                            centre() + 4, html_text(name));
  }
  void lane(std::string const& name) {
    grounds_ += fmt::format("<path class=\"lane\" d=\"M{0:.0f} {1:.1f}H{2:.0f}v{3:.0f}H{0:.0f}z\"/>"
                            "<text class=\"label end\" x=\"{4:.0f}\" y=\"{5:.1f}\">{6}</text>\n",
                            left_, y_ + 1.5, right_, pitch_ - 3, left_ - 8, centre() + 3.8,
                            html_text(name));
  }
  void add(std::string const& marks) { marks_ += marks; }
  void note(std::string const& text) {
    marks_ += fmt::format("<text class=\"label\" x=\"{:.0f}\" y=\"{:.1f}\">{}</text>\n",
                          right_ + 10, centre() + 3.8, text);
  }
  void next() { y_ += pitch_; }
  [[nodiscard]] auto centre() const -> double { return y_ + pitch_ / 2; }
  [[nodiscard]] auto bottom() const -> double { return y_ + 3; }
  [[nodiscard]] auto empty() const -> bool { return marks_.empty(); }
  /// `below`: pixels for what stands under the lanes.
  [[nodiscard]] auto svg(std::string_view label, std::string const& grid, double below) const
      -> std::string {
    return fmt::format("<svg class=\"wide\" viewBox=\"0 0 1120 {:.0f}\" role=\"img\" "
                       "aria-label=\"{}\">\n{}{}{}</svg>\n",
                       bottom() + below, label, grounds_, grid, marks_);
  }

  static constexpr double top = 6;

private:
  double left_, right_, pitch_, y_{top};
  std::string grounds_, marks_;
};

/// A card: heading, tools, what to see in it, and the plot.
[[nodiscard]] inline auto study_card(std::string_view id, std::string_view title,
                                     std::string_view small, std::string const& tools,
                                     std::string const& caption, std::string const& content)
    -> std::string {
  return fmt::format("<section class=\"card\" id=\"{}\"><div class=\"head\"><h2>{}<small>{}</small>"
                     "</h2>{}</div>\n<p class=\"see\">{}</p>\n{}</section>\n",
                     id, title, small, tools, caption, content);
}

} // namespace mars::io::detail
