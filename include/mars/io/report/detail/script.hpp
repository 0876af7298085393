// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string_view>

namespace mars::io::detail {

/// Tooltips, sorting of tables, zoom of the time line. Without it the page shows the same figures.
/// The time line is drawn by the rules of detail/gantt.hpp, only what lies in the window.
inline constexpr std::string_view report_script = R"js(
(() => {
  'use strict';
  const $ = (q, at = document) => at.querySelector(q);
  const all = (q, at = document) => [...at.querySelectorAll(q)];
  document.documentElement.classList.add('js');

  // Tooltips: what <title> says, at once and in our own box.
  const tip = document.body.appendChild(document.createElement('div'));
  tip.id = 'tip';
  tip.hidden = true;
  const showTip = (event, head, text) => {
    tip.replaceChildren();
    const b = document.createElement('b');
    b.textContent = head;
    tip.append(b, text);
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const x = event.clientX + 14 + box.width > innerWidth ? event.clientX - box.width - 10 : event.clientX + 14;
    const y = event.clientY + 16 + box.height > innerHeight ? event.clientY - box.height - 10 : event.clientY + 16;
    tip.style.left = Math.max(4, x) + 'px';
    tip.style.top = Math.max(4, y) + 'px';
  };
  for (const title of all('svg title')) {
    const [head, ...rest] = title.textContent.split('\n');
    const owner = title.parentNode;
    owner.addEventListener('mousemove', e => showTip(e, head, rest.join('\n')));
    owner.addEventListener('mouseleave', () => { tip.hidden = true; });
    owner.setAttribute('aria-label', title.textContent);
    title.remove();
  }

  // Tables: click a column to sort by it.
  for (const table of all('table.sortable')) {
    const body = $('tbody', table);
    all('th', table).forEach((th, column) => {
      th.dataset.sort = '';
      th.addEventListener('click', () => {
        const down = th.dataset.sort === 'up';
        all('th', table).forEach(other => { other.dataset.sort = ''; });
        th.dataset.sort = down ? 'down' : 'up';
        const key = row => row.cells[column].dataset.v ?? row.cells[column].textContent;
        const numeric = th.classList.contains('num');
        const order = (a, b) => numeric ? Number(key(a)) - Number(key(b)) : key(a).localeCompare(key(b));
        body.append(...[...body.rows].sort((a, b) => down ? order(b, a) : order(a, b)));
      });
    });
  }

  // The time line.
  const svg = $('#gantt');
  const source = $('#mars-data');
  if (!svg || !source) { document.documentElement.dataset.ready = '1'; return; }
  const data = JSON.parse(source.textContent);
  const left = Number(svg.dataset.left), plot = Number(svg.dataset.plot), bar = Number(svg.dataset.bar);
  const top = Number(svg.dataset.top), bottom = Number(svg.dataset.bottom);
  const causes = ['computation', 'redistribution', 'rotation wait', 'partial sums', 'state exchange'];
  const inTime = [1, 0, 2, 3, 4];
  const start = o => o[4];
  const end = o => o[4] + o[5] + o[6] + o[7] + o[8] + o[9];
  const bySet = new Map();
  for (const o of data.ops) {
    if (!bySet.has(o[2])) bySet.set(o[2], []);
    bySet.get(o[2]).push(o);
  }
  for (const ops of bySet.values()) ops.sort((a, b) => start(a) - start(b));
  const firstEndingAfter = (ops, t) => {
    let low = 0, high = ops.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (end(ops[mid]) > t) high = mid; else low = mid + 1;
    }
    return low;
  };
  const units = [[1, 's'], [1e-3, 'ms'], [1e-6, 'µs'], [1e-9, 'ns'], [1e-12, 'ps']];
  const unitFor = span => units.find(u => span >= u[0] * 0.999) ?? units[4];
  const time = s => {
    if (s === 0) return '0 s';
    const [scale, unit] = units.find(u => s / u[0] >= 0.99995) ?? units[4];
    const x = s / scale;
    return x.toFixed(x < 9.9995 ? 3 : x < 99.995 ? 2 : 1) + ' ' + unit;
  };
  let from = 0, to = data.span;

  const paint = ops => {
    const paths = ['', '', '', '', ''];
    const scale = plot / (to - from);
    const emit = (c, a, b) => {
      const x = Math.max(left, a), w = Math.min(left + plot, b) - x;
      if (w > 0) paths[c] += `M${x.toFixed(2)} 0h${(w > 3 ? w - 0.6 : w).toFixed(2)}v${bar}h-${(w > 3 ? w - 0.6 : w).toFixed(2)}z`;
    };
    let run = null;
    const flush = () => {
      if (run) emit(run.share.indexOf(Math.max(...run.share)), run.begin, Math.max(run.end, run.begin + 0.6));
      run = null;
    };
    for (let i = firstEndingAfter(ops, from); i < ops.length && start(ops[i]) < to; ++i) {
      let at = start(ops[i]);
      for (const c of inTime) {
        const a = left + (at - from) * scale, b = left + (at + ops[i][5 + c] - from) * scale;
        at += ops[i][5 + c];
        if (!(b > a)) continue;
        if (b - a >= 1) { flush(); emit(c, a, b); continue; }
        if (run && a - run.end > 0.5) flush();
        run ??= {begin: a, end: a, share: [0, 0, 0, 0, 0]};
        run.share[c] += b - a;
        run.end = b;
        if (run.end - run.begin >= 1) flush();
      }
    }
    flush();
    return paths;
  };
  const ns = 'http://www.w3.org/2000/svg';
  const make = (name, attributes, text) => {
    const e = document.createElementNS(ns, name);
    for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
    if (text !== undefined) e.textContent = text;
    return e;
  };
  const lanes = all('.lane', svg).map(lane => ({
    set: Number(lane.dataset.set), y: Number(lane.getAttribute('y')), ops: bySet.get(Number(lane.dataset.set)) ?? []}));
  const draw = () => {
    for (const [set, ops] of bySet) {
      const bars = all('path', $('#bars-' + set));
      paint(ops).forEach((d, c) => bars[c].setAttribute('d', d));
    }
    const scale = plot / (to - from);
    const names = $('#names');
    names.replaceChildren();
    const named = new Set(); // the first lane of each set
    for (const lane of lanes) {
      if (named.has(lane.set)) continue;
      named.add(lane.set);
      let i = firstEndingAfter(lane.ops, from);
      for (let n = 0; i < lane.ops.length && start(lane.ops[i]) < to && n < 400; ++i) {
        const o = lane.ops[i];
        const a = Math.max(left, left + (start(o) + o[6] - from) * scale);
        const b = Math.min(left + plot, left + (start(o) + o[6] + o[5] - from) * scale);
        const letters = Math.floor((b - a - 8) / 6.6);
        if (letters < 4 || (letters < o[0].length && letters < 8)) continue;
        const text = o[0].length > letters ? o[0].slice(0, letters - 1) + '…' : o[0];
        names.append(make('text', {x: (a + 4).toFixed(1), y: lane.y + 12}, text));
        ++n;
      }
    }
    const axis = $('#axis');
    axis.replaceChildren();
    const raw = (to - from) / 9, power = 10 ** Math.floor(Math.log10(raw));
    const step = power * ([1, 2, 5].find(k => k * power >= raw * 0.999) ?? 10);
    const [unit, name] = unitFor(to - from < data.span ? Math.max(step, to / 1000) : to);
    const digits = Math.min(9, Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9)));
    for (let i = Math.ceil(from / step - 1e-6); i * step <= to + step * 1e-6; ++i) {
      const x = (left + (i * step - from) * scale).toFixed(1);
      axis.append(make('path', {class: 'grid', d: `M${x} ${top - 6}V${bottom}`}),
                  make('text', {class: 'tick', x, y: top - 12}, (i * step / unit).toFixed(digits) + ' ' + name));
    }
    svg.classList.toggle('zoomed', to - from < data.span * 0.9999);
    $('#window').textContent = to - from < data.span * 0.9999 ? `${time(from)} – ${time(to)}` : '';
  };
  const show = (a, b) => {
    const least = data.span * 1e-6;
    let width = Math.min(data.span, Math.max(least, b - a));
    from = Math.min(Math.max(0, a), data.span - width);
    to = from + width;
    draw();
  };
  const zoom = (factor, around) => {
    const t = around ?? (from + to) / 2;
    show(t - (t - from) * factor, t + (to - t) * factor);
  };
  const place = event => {
    const box = svg.getBoundingClientRect();
    const k = svg.viewBox.baseVal.width / box.width;
    return {x: (event.clientX - box.left) * k, y: (event.clientY - box.top) * k, k};
  };
  const timeAt = x => from + (Math.min(Math.max(x, left), left + plot) - left) / plot * (to - from);

  svg.addEventListener('wheel', event => {
    const p = place(event);
    const whole = to - from >= data.span * 0.9999;
    if (p.x < left || (whole && event.deltaY > 0)) return; // let the page scroll
    event.preventDefault();
    zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.004), timeAt(p.x));
  }, {passive: false});
  let drag = null;
  svg.addEventListener('pointerdown', event => {
    if (event.button !== 0) return;
    drag = {x: place(event).x, from, to};
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener('pointerup', () => { drag = null; });
  svg.addEventListener('pointercancel', () => { drag = null; });
  svg.addEventListener('dblclick', () => show(0, data.span));
  const marker = $('#marker');
  const hide = () => { tip.hidden = true; marker.setAttribute('d', ''); };
  svg.addEventListener('pointerleave', hide);
  svg.addEventListener('pointermove', event => {
    const p = place(event);
    if (drag) {
      const shift = (drag.x - p.x) / plot * (drag.to - drag.from);
      if (shift !== 0) show(drag.from + shift, drag.to + shift);
      return hide();
    }
    const lane = lanes.find(l => p.y >= l.y && p.y <= l.y + bar);
    if (!lane || p.x < left || p.x > left + plot) return hide();
    const t = timeAt(p.x);
    const slack = 2 / plot * (to - from);
    const o = lane.ops[firstEndingAfter(lane.ops, t - slack)];
    if (!o || start(o) > t + slack) return hide();
    const scale = plot / (to - from);
    const a = Math.max(left, left + (start(o) - from) * scale);
    const b = Math.min(left + plot, Math.max(a + 1, left + (end(o) - from) * scale));
    marker.setAttribute('d', lanes.filter(l => l.set === lane.set)
      .map(l => `M${a} ${l.y - 0.5}H${b}V${l.y + bar + 0.5}H${a}z`).join(''));
    const lines = causes.map((c, i) => [c, o[5 + i]]).filter(c => c[1] > 0)
      .map(([c, s]) => `${c}  ${time(s)}  (${(100 * s / (end(o) - start(o))).toFixed(1)} %)`);
    showTip(event, o[0], `${o[1]} · set ${o[2]} · ${o[3]}\n${time(start(o))} → ${time(end(o))}, takes ` +
      `${time(end(o) - start(o))} (${(100 * (end(o) - start(o)) / data.span).toFixed(2)} % of the whole)\n` + lines.join('\n'));
  });
  $('#zoom-in').addEventListener('click', () => zoom(0.5));
  $('#zoom-out').addEventListener('click', () => zoom(2));
  $('#zoom-all').addEventListener('click', () => show(0, data.span));
  draw();
  document.documentElement.dataset.ready = '1';
})();
)js";

} // namespace mars::io::detail
