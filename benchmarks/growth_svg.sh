#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# sh growth_svg.sh BUILD.csv >growth.svg
#
# Three log–log plots from the CSV of bench_build: milliseconds over operators, MiB over operators, milliseconds over
# accelerators. A series is what names differ in besides the numbers plotted.
set -eu
awk '
function bare(s) { gsub(/"/, "", s); return s }
function log10(x) { return log(x) / log(10) }
function note(panel, series, x, y) {
  if (y <= 0) return
  if (!((panel, series) in count)) { names[panel, ++series_of[panel]] = series }
  n = ++count[panel, series]; xs[panel, series, n] = x; ys[panel, series, n] = y
  if (!(panel in low_x) || x < low_x[panel]) low_x[panel] = x
  if (!(panel in high_x) || x > high_x[panel]) high_x[panel] = x
  if (!(panel in low_y) || y < low_y[panel]) low_y[panel] = y
  if (!(panel in high_y) || y > high_y[panel]) high_y[panel] = y
}
function floor(x) { i = int(x); return i > x ? i - 1 : i }
function ceil(x) { return -floor(-x) }
function label(e) { return e >= 0 && e <= 5 ? sprintf("%d", 10 ^ e) : sprintf("%g", 10 ^ e) }
function text(x, y, anchor, s) {
  printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, s
}
function plot(panel, left, title, under,    a, b, c, d, e, k, j, s, x, y, path) {
  a = floor(log10(low_x[panel]) + 1e-9); b = ceil(log10(high_x[panel]) - 1e-9); if (b == a) ++b
  c = floor(log10(low_y[panel]) + 1e-9); d = ceil(log10(high_y[panel]) - 1e-9); if (d == c) ++d
  printf "<g class=\"grid\">\n"
  for (e = a; e <= b; ++e) { x = left + wide * (e - a) / (b - a)
    printf "<path d=\"M%.1f %dV%d\"/>\n", x, top, top + high }
  for (e = c; e <= d; ++e) { y = top + high - high * (e - c) / (d - c)
    printf "<path d=\"M%.1f %.1fH%.1f\"/>\n", left, y, left + wide }
  print "</g>"
  for (e = a; e <= b; ++e) text(left + wide * (e - a) / (b - a), top + high + 16, "middle", label(e))
  for (e = c; e <= d; ++e) text(left - 6, top + high - high * (e - c) / (d - c) + 4, "end", label(e))
  text(left, top - 12, "start", title)
  text(left + wide / 2, top + high + 34, "middle", under)
  for (k = 1; k <= series_of[panel]; ++k) {
    s = names[panel, k]; path = ""
    for (j = 1; j <= count[panel, s]; ++j) {
      x = left + wide * (log10(xs[panel, s, j]) - a) / (b - a)
      y = top + high - high * (log10(ys[panel, s, j]) - c) / (d - c)
      path = path sprintf("%s%.1f %.1f", j == 1 ? "M" : "L", x, y)
      printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", x, y, colour[k]
    }
    printf "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"/>\n", path, colour[k]
    printf "<path d=\"M%.1f %dh14\" stroke=\"%s\" stroke-width=\"3\"/>\n", left + 8, top + 10 + 15 * (k - 1), colour[k]
    text(left + 27, top + 14 + 15 * (k - 1), "start", s)
  }
}
BEGIN { FS = ","; split("#1f5fa8 #c8501e #2f8f4e #7a4fa3 #8a6d1f", colour, " "); wide = 270; high = 240; top = 46 }
!columns && /^name,/ { for (i = 1; i <= NF; ++i) at[bare($i)] = i; columns = 1; next }
columns && /^"/ {
  name = bare($1); unit = $(at["time_unit"])
  ms = $(at["cpu_time"]) * (unit == "ns" ? 1e-6 : unit == "us" ? 1e-3 : unit == "s" ? 1e3 : 1)
  split(name, part, "/")
  if (name ~ /\/system:/) note("accelerators", part[2] ", " $(at["operators"]) " operators", $(at["accelerators"]), ms)
  else if (name ~ /operators:/) {
    note("operators", part[2] ", " $(at["accelerators"]) " accelerators", $(at["operators"]), ms)
    note("memory", part[2] ", " $(at["accelerators"]) " accelerators", $(at["operators"]), $(at["peak_mib"]))
  }
}
END {
  print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1020 350\" font-family=\"sans-serif\" font-size=\"11\" fill=\"#222\">"
  print "<title>Building a problem: time and memory over operators, time over accelerators</title>"
  print "<style>.grid path{stroke:#ddd;fill:none}</style><rect width=\"1020\" height=\"350\" fill=\"#fff\"/>"
  plot("operators", 50, "CPU milliseconds", "operators")
  plot("memory", 390, "peak memory, MiB", "operators")
  plot("accelerators", 730, "CPU milliseconds", "accelerators")
  print "</svg>"
}' "$1"
