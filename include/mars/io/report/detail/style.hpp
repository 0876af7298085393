// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string_view>

namespace mars::io::detail {

/// Colours stand in custom properties: `c0` … `c7` causes, `s0` … `s11` sets, `l0` … `l4` link load.
inline constexpr std::string_view report_style = R"css(
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --line: #e1e5ea; --ink: #1b2430; --muted: #5c6878; --faint: #eef1f4;
  --accent: #2c5fa8; --good: #24785a; --bad: #b3261e; --bad-page: #fdecea; --warn: #8a5a00; --warn-page: #fff6e0;
  --c0: #4674b4; --c1: #e59132; --c2: #8c66c4; --c3: #d2506a; --c4: #2f9e8f;
  --c5: #93a1b0; --c6: #a8993a; --c7: #c9d0d8;
  --l0: #c9d0d8; --l1: #f2c078; --l2: #ec9442; --l3: #d95d39; --l4: #a31f34;
  --s0: #86b6dc; --s1: #f3c17a; --s2: #a5cf8d; --s3: #d9a9cd; --s4: #e5d873; --s5: #8fd2ca;
  --s6: #cfb094; --s7: #b7abe2; --s8: #f0a196; --s9: #a9bccb; --s10: #c8da78; --s11: #e6abba;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11151a; --card: #191f26; --line: #2c343e; --ink: #e6ebf1; --muted: #98a4b3; --faint: #222a33;
    --accent: #7fb0ee; --good: #6cc9a1; --bad: #ff8a80; --bad-page: #3a1c1b; --warn: #f0c36a; --warn-page: #33290f;
    --c0: #6596d8; --c1: #eda453; --c2: #a98ae0; --c3: #e5738a; --c4: #4dbcac;
    --c5: #76869a; --c6: #c4b557; --c7: #46505c;
    --l0: #46505c; --l1: #8a6a3a; --l2: #c9822f; --l3: #ea6a3c; --l4: #ff5a6e;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  -webkit-font-smoothing: antialiased; }
main { max-width: 1220px; margin: 0 auto; padding: 32px 24px 56px; }
header { margin-bottom: 20px; }
h1 { margin: 0; font-size: 26px; line-height: 1.25; font-weight: 650; letter-spacing: -0.015em; overflow-wrap: anywhere; }
h1 .to { color: var(--muted); font-weight: 400; padding: 0 6px; }
header p { margin: 4px 0 0; color: var(--muted); }
h2 { margin: 0 0 12px; font-size: 15px; font-weight: 650; }
h2 small { font-size: 12.5px; font-weight: 400; color: var(--muted); margin-left: 8px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin-top: 16px;
  min-width: 0; }
.pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 16px; margin-top: 16px; align-items: stretch; }
.pair > .card, .stack > .card { margin-top: 0; }
.stack { display: grid; gap: 16px; align-content: start; min-width: 0; }
@media (max-width: 900px) { .pair { grid-template-columns: minmax(0, 1fr); } }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 13px 16px 12px; min-width: 0; }
.tile b { display: block; font-size: 12px; font-weight: 500; color: var(--muted); }
.tile strong { display: block; margin: 2px 0 1px; font-size: 22px; line-height: 1.25; font-weight: 650;
  letter-spacing: -0.01em; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tile span { display: block; font-size: 12px; color: var(--muted); overflow-wrap: anywhere; }
.tile.good strong { color: var(--good); } .tile.bad strong { color: var(--bad); }
.note { border-radius: 10px; padding: 13px 18px; margin: 0 0 16px; border: 1px solid; }
.note h2 { margin-bottom: 4px; } .note ul { margin: 0; padding-left: 18px; }
.note.bad { background: var(--bad-page); border-color: var(--bad); } .note.bad h2 { color: var(--bad); }
.note.warn { background: var(--warn-page); border-color: var(--warn); } .note.warn h2 { color: var(--warn); }
.muted, .notes { color: var(--muted); }
.notes { font-size: 13px; } .notes ul { margin: 0; padding-left: 18px; } .notes li { margin: 3px 0; }
svg { display: block; width: 100%; height: auto; font: 11px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans",
  Arial, sans-serif; font-variant-numeric: tabular-nums; }
svg text { fill: var(--ink); } svg .tick, svg .row-name, svg .label { fill: var(--muted); }
svg .tick { text-anchor: middle; } svg .set-name { font-weight: 600; }
svg .grid { stroke: var(--line); stroke-width: 1; fill: none; } svg .lane { fill: var(--faint); }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
.c0 { fill: var(--c0); background: var(--c0); } .c1 { fill: var(--c1); background: var(--c1); }
.c2 { fill: var(--c2); background: var(--c2); } .c3 { fill: var(--c3); background: var(--c3); }
.c4 { fill: var(--c4); background: var(--c4); } .c5 { fill: var(--c5); background: var(--c5); }
.c6 { fill: var(--c6); background: var(--c6); } .c7 { fill: var(--c7); background: var(--c7); }
.s0 { fill: var(--s0); background: var(--s0); } .s1 { fill: var(--s1); background: var(--s1); }
.s2 { fill: var(--s2); background: var(--s2); } .s3 { fill: var(--s3); background: var(--s3); }
.s4 { fill: var(--s4); background: var(--s4); } .s5 { fill: var(--s5); background: var(--s5); }
.s6 { fill: var(--s6); background: var(--s6); } .s7 { fill: var(--s7); background: var(--s7); }
.s8 { fill: var(--s8); background: var(--s8); } .s9 { fill: var(--s9); background: var(--s9); }
.s10 { fill: var(--s10); background: var(--s10); } .s11 { fill: var(--s11); background: var(--s11); }
.l0 { stroke: var(--l0); } .l1 { stroke: var(--l1); } .l2 { stroke: var(--l2); } .l3 { stroke: var(--l3); }
.l4 { stroke: var(--l4); }
.links path { fill: none; } .links path:hover { stroke: var(--accent); }
.nodes circle, .nodes rect { stroke: var(--card); stroke-width: 2; } .nodes text { text-anchor: middle; font-weight: 600; }
.nodes .on { fill: #17202a; } .nodes .other { fill: var(--muted); } .nodes .off { fill: var(--faint); stroke: var(--l0); }
.nodes .inverse { fill: var(--card); font-weight: 600; font-size: 10px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 12px 0 0; padding: 0; list-style: none; font-size: 12.5px;
  color: var(--muted); }
.legend li { display: flex; align-items: center; gap: 7px; min-width: 0; overflow-wrap: anywhere; }
.legend b { font-weight: 600; color: var(--ink); }
.swatch { flex: none; width: 12px; height: 12px; border-radius: 3px; display: inline-block; }
.legend svg { width: 26px; height: 10px; flex: none; }
.bar-head { display: flex; justify-content: space-between; gap: 12px; font-size: 13px; margin-top: 10px; }
.bar-head span { color: var(--muted); font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar-head b { font-weight: 500; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
.row { display: grid; grid-template-columns: minmax(56px, auto) minmax(80px, 1fr) auto 58px; gap: 12px; align-items: center;
  font-size: 13px; padding: 2px 0; font-variant-numeric: tabular-nums; white-space: nowrap; }
.row b { font-weight: 500; } .row span { color: var(--muted); text-align: right; } .row .track { margin: 0; }
.track { display: flex; height: 14px; margin-top: 4px; background: var(--faint); border-radius: 3px; overflow: hidden; }
.track i { display: block; height: 100%; } .track i + i { box-shadow: inset 1px 0 0 var(--card); }
.track .part { opacity: 0.5; } .track .over { background: var(--bad); }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th { font-weight: 500; color: var(--muted); text-align: left; border-bottom: 1px solid var(--line); padding: 5px 10px 5px 0;
  white-space: nowrap; }
td { padding: 4px 10px 4px 0; border-bottom: 1px solid var(--faint); vertical-align: baseline; }
td:last-child, th:last-child { padding-right: 0; } .num { text-align: right; white-space: nowrap; }
td .swatch { margin-right: 7px; vertical-align: -1px; } td.name { overflow-wrap: anywhere; }
tr.sum td { font-weight: 600; border-bottom: 0; } .causes { margin-top: 14px; }
.scroll { overflow: auto; max-height: 620px; } .scroll th { position: sticky; top: 0; background: var(--card); z-index: 1; }
th[data-sort] { cursor: pointer; } th[data-sort]:hover { color: var(--ink); }
details > summary { cursor: pointer; font-size: 15px; font-weight: 650; } details[open] > summary { margin-bottom: 12px; }
summary small { font-size: 12.5px; font-weight: 400; color: var(--muted); margin-left: 8px; }
.head { display: flex; justify-content: space-between; align-items: baseline; gap: 12px; flex-wrap: wrap; }
.tools { display: none; gap: 6px; align-items: center; font-size: 12.5px; color: var(--muted); }
.js .tools { display: flex; }
button { font: inherit; color: var(--ink); background: var(--faint); border: 1px solid var(--line); border-radius: 6px;
  min-width: 30px; height: 28px; padding: 0 9px; cursor: pointer; }
button:hover { border-color: var(--muted); } button:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); }
.js #gantt { touch-action: pan-y; } #names text { pointer-events: none; fill: #fff;
  font-size: 10px; font-weight: 600; } .bars { opacity: var(--dimmed, 1); }
.underline { stroke: var(--ink); stroke-width: 3; fill: none; opacity: var(--underlined, 0); }
.arriving { stroke: var(--c1); stroke-width: 2.4; fill: none; }
#gantt.critical { --dimmed: 0.3; --underlined: 1; } #gantt.critical #names text:not(.on-path) { opacity: 0.5; }
#chain, #transfers { fill: none; stroke: var(--ink); stroke-width: 1.3; pointer-events: none; }
#transfers { stroke: var(--muted); stroke-dasharray: 3 2; }
#selection { fill: var(--accent); opacity: 0.2; pointer-events: none; }
.js #gantt, .js #memory { cursor: crosshair; user-select: none; } #gantt:focus-visible { outline: 2px solid var(--accent);
  outline-offset: 3px; border-radius: 4px; } #memory-marker { stroke: var(--ink); fill: none; pointer-events: none; }
.m0 { opacity: 1; } .m1 { opacity: 0.62; } .m2 { opacity: 0.38; } .capacity { stroke: var(--bad); stroke-dasharray: 5 4; fill: none; }
.hint { display: none; margin: 8px 0 0; font-size: 12px; color: var(--muted); } .js .hint { display: block; }
button[aria-pressed="true"] { background: var(--ink); color: var(--card); border-color: var(--ink); }
tr.critical td:first-child { box-shadow: inset 3px 0 0 var(--ink); }
#marker { fill: none; stroke: var(--ink); stroke-width: 1.2; pointer-events: none; }
#tip { position: fixed; z-index: 9; max-width: 380px; padding: 9px 12px; border-radius: 8px; pointer-events: none;
  background: var(--card); color: var(--ink); border: 1px solid var(--line); box-shadow: 0 6px 24px rgb(0 0 0 / 22%);
  font-size: 12.5px; line-height: 1.45; white-space: pre-line; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
#tip b { display: block; font-weight: 650; } #tip[hidden] { display: none; }
@media (max-width: 760px) { main { padding: 20px 12px 40px; } .card { overflow-x: auto; padding: 14px 14px; }
  svg.wide { min-width: 720px; } .row { gap: 8px; grid-template-columns: minmax(48px, auto) minmax(40px, 1fr) auto 50px; } td, th { white-space: nowrap; } td.name { white-space: normal; min-width: 90px; } }
@media print { body { background: #fff; } .card, .tile { break-inside: avoid; } .scroll { max-height: none; } .tools { display: none !important; } }
)css";

} // namespace mars::io::detail
