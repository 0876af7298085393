// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string_view>

namespace mars::io::detail {

/// Follows `report_style`. `k0` … `k9` categories (Okabe and Ito's, for every eye), `h0` … `h5` slower
/// than the best, `d0` … `d6` from faster to slower than the base.
inline constexpr std::string_view study_style = R"css(
:root {
  --k0: #0072b2; --k1: #e08e00; --k2: #009e73; --k3: #cc6fa5; --k4: #4fb0e8; --k5: #c94f00; --k6: #6a51a3; --k7: #7d8794;
  --k8: #9c8a00; --k9: #1b2430; --joint: #aab3bd;
  --h0: #0c2c84; --h1: #225ea8; --h2: #1d91c0; --h3: #57bcc4; --h4: #a8dcb5; --h5: #e6f2b2;
  --d0: #08519c; --d1: #4393c3; --d2: #a6cde3; --d3: #e9ecef; --d4: #f8c78f; --d5: #e5852a; --d6: #97480a;
  --hatching: #c2c9d1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --k0: #4a9fdc; --k1: #f0ab3c; --k2: #2fc497; --k3: #e296c2; --k4: #8fd0f7; --k5: #f07c3c; --k6: #a493e0; --k7: #98a4b3;
    --k8: #d1c04a; --k9: #e6ebf1; --joint: #5a6674;
    --h0: #f6f7a8; --h1: #a9dd9a; --h2: #56b9a6; --h3: #3b8bb0; --h4: #34609c; --h5: #2c3568;
    --d0: #58aef5; --d1: #3d7fb8; --d2: #2f5273; --d3: #343d47; --d4: #6f5330; --d5: #c07a2c; --d6: #ffb056;
    --hatching: #47525f;
  }
}
.k0 { fill: var(--k0); background: var(--k0); } .k1 { fill: var(--k1); background: var(--k1); }
.k2 { fill: var(--k2); background: var(--k2); } .k3 { fill: var(--k3); background: var(--k3); }
.k4 { fill: var(--k4); background: var(--k4); } .k5 { fill: var(--k5); background: var(--k5); }
.k6 { fill: var(--k6); background: var(--k6); } .k7 { fill: var(--k7); background: var(--k7); }
.k8 { fill: var(--k8); background: var(--k8); } .k9 { fill: var(--k9); background: var(--k9); }
.h0 { fill: var(--h0); background: var(--h0); } .h1 { fill: var(--h1); background: var(--h1); }
.h2 { fill: var(--h2); background: var(--h2); } .h3 { fill: var(--h3); background: var(--h3); }
.h4 { fill: var(--h4); background: var(--h4); } .h5 { fill: var(--h5); background: var(--h5); }
.d0 { fill: var(--d0); background: var(--d0); } .d1 { fill: var(--d1); background: var(--d1); }
.d2 { fill: var(--d2); background: var(--d2); } .d3 { fill: var(--d3); background: var(--d3); }
.d4 { fill: var(--d4); background: var(--d4); } .d5 { fill: var(--d5); background: var(--d5); }
.d6 { fill: var(--d6); background: var(--d6); }
.none { fill: none; stroke: var(--line); background: var(--card); box-shadow: inset 0 0 0 1px var(--line); }
.joint { background: var(--joint); } .legal { background: var(--accent); }
.swatch.part { opacity: 0.5; } .track.tall { height: 26px; margin: 0 0 14px; } .track.tall .part { opacity: 0.5; }
svg.defs { position: absolute; width: 0; height: 0; }
.card > .head h2 { margin-bottom: 4px; } .see { margin: 0 0 14px; max-width: 88ch; color: var(--muted); font-size: 13px; }
.spread { stroke: var(--ink); fill: var(--ink); stroke-width: 1.2; } h3 small { font-weight: 400; color: var(--muted); margin-left: 8px; }
h3 { margin: 18px 0 8px; font-size: 13.5px; font-weight: 650; }
nav.contents { margin: 14px 0 0; display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: 13px; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
section[id] { scroll-margin-top: 12px; }
.findings { display: grid; grid-template-columns: repeat(auto-fit, minmax(260px, 1fr)); gap: 12px; margin: 16px 0 12px; }
.finding { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--muted); border-radius: 10px;
  padding: 12px 16px; min-width: 0; overflow-wrap: anywhere; } .finding p { margin: 0 0 6px; } .finding ul { margin: 0; padding-left: 16px; font-size: 12.5px; color: var(--muted); } .finding p::first-letter { text-transform: uppercase; }
.finding h2 { margin-bottom: 4px; font-size: 13px; color: var(--muted); display: flex; gap: 8px; align-items: center; }
.finding h2 i { font-style: normal; width: 18px; height: 18px; border-radius: 50%; background: var(--muted); color: var(--card);
  display: grid; place-items: center; font-size: 12px; line-height: 1; }
.finding.holds { border-left-color: var(--good); } .finding.holds h2 { color: var(--good); } .finding.holds i { background: var(--good); }
.finding.fails { border-left-color: var(--bad); } .finding.fails h2 { color: var(--bad); } .finding.fails i { background: var(--bad); }
select, input { font: inherit; color: var(--ink); background: var(--faint); border: 1px solid var(--line); border-radius: 6px;
  height: 28px; padding: 0 6px; max-width: 340px; }
select:focus-visible, input:focus-visible, svg:focus-visible, th:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.tools { flex-wrap: wrap; gap: 4px 12px; } .search { display: none; font-size: 12.5px; color: var(--muted); } .js .search { display: block; margin-bottom: 8px; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(330px, 100%), 1fr)); gap: 14px 18px; }
.panels.one { grid-template-columns: minmax(0, 1fr); } .panels.two { grid-template-columns: repeat(auto-fill, minmax(min(460px, 100%), 1fr)); }
.halves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); gap: 14px 24px; }
figure { margin: 0; min-width: 0; } figcaption { font-size: 12.5px; color: var(--muted); margin-bottom: 4px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; } figcaption b { color: var(--ink); font-weight: 600; }
.js .panel:not(.on) { display: none; } .strip-row { margin-bottom: 8px; } .strips:empty::after, .nothing { color: var(--muted); }
.strip-row .bar-head { margin: 0 0 3px; flex-wrap: wrap; gap: 0 14px; } .strip-row .bar-head span { white-space: normal; }
html:not(.js) .strips, html:not(.js) .panels { max-height: 900px; overflow: auto; }
use { stroke: var(--card); stroke-width: 0.8; } use.beaten { opacity: 0.36; stroke: none; } use.move { opacity: 0.62; } use.key { fill: var(--muted); }
use.pooled { fill: var(--ink); stroke: var(--card); stroke-width: 1.5; } use.median { fill: var(--ink); stroke: none; pointer-events: none; }
use.on { stroke: var(--ink); stroke-width: 2; opacity: 1; }
.front { fill: none; stroke: var(--ink); stroke-width: 1.4; opacity: 0.65; } .dashed { stroke-dasharray: 5 3; }
.band { fill: var(--good); opacity: 0.14; } .band-key { background: var(--good); opacity: 0.3; } .diagonal { stroke: var(--ink); stroke-width: 1.2; opacity: 0.6; fill: none; }
.bar { fill: var(--accent); } .zero { stroke: var(--muted); stroke-width: 1.2; fill: none; } .small { font-size: 10px; } svg .strong { font-weight: 650; }
.span { stroke: var(--line); stroke-width: 3; fill: none; } .span.changes { stroke: var(--warn); opacity: 0.55; }
.bracket { stroke: var(--muted); fill: none; } .hatched { fill: url(#hatch); } .hatching { stroke: var(--hatching); stroke-width: 1.3; fill: none; }
.reorders { stroke: var(--ink); stroke-width: 1.6; fill: none; } #heat-cursor { fill: none; stroke: var(--ink); stroke-width: 1.6; pointer-events: none; }
.js #heat, .js .marks, .js .strip { cursor: crosshair; } .scroll-x { overflow-x: auto; } .scroll.low { max-height: 380px; }
.legend svg.box { width: 14px; height: 14px; } .row.shares { grid-template-columns: minmax(90px, 260px) minmax(80px, 1fr) 62px; } .row.shares b { white-space: normal; overflow-wrap: anywhere; }
summary.minor { font-size: 13px; font-weight: 550; color: var(--accent); margin-top: 12px; } .legend[hidden] { display: none; }
.axes { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 8px 20px; margin: 0; font-size: 13px; } .axes dt { color: var(--muted); }
.axes dd { margin: 0; } .axes ul { margin: 0; padding: 0; list-style: none; } .axes b { font-weight: 600; } code { font-size: 12px; }
@media (max-width: 760px) { .card { overflow-x: visible; } .card > svg.wide, .card .strips { min-width: 0; } .card { overflow-x: auto; }
  .axes { grid-template-columns: minmax(0, 1fr); } select { max-width: 100%; } .strips { overflow-x: auto; } }
)css";

} // namespace mars::io::detail
