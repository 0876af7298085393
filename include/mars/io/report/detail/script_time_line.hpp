// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string_view>

namespace mars::io::detail {

/// The time line: zoom, tooltips of operators and of gaps, the critical path; memory on the same axis.
/// Drawn by the rules of detail/gantt.hpp and detail/memory_chart.hpp, only what lies in the window.
inline constexpr std::string_view time_line_script = R"js(
  const svg = $('#gantt');
  const source = $('#mars-data');
  if (!svg || !source) { document.documentElement.dataset.ready = '1'; return; }
  const data = JSON.parse(source.textContent);
  const left = Number(svg.dataset.left), plot = Number(svg.dataset.plot), bar = Number(svg.dataset.bar);
  const parts = data.causes.length;
  const ops = data.ops.map((o, index) => ({
    index, name: o[0], kind: o[1], set: o[2], sharding: o[3], start: o[4], end: o[5], parts: o.slice(6, 6 + parts),
    critical: o[6 + parts] === 1, cause: o[7 + parts], on: o[8 + parts], stream: o[9 + parts]}));
  const ends = o => o.start !== null && o.end !== null;
  const byNumber = (list, key) => {
    const map = new Map();
    for (const x of list) map.has(key(x)) ? map.get(key(x)).push(x) : map.set(key(x), [x]);
    return map;
  };
  const sent = data.transfers.map(t => ({from: t[0], to: t[1], bytes: t[2], start: t[3], end: t[4]}));
  const sentTo = byNumber(sent, t => t.to), sentBy = byNumber(sent, t => t.from);
  const opsOfSet = byNumber(ops.filter(ends), o => o.set);
  const gapsOfGroup = byNumber(data.gaps.map(g => ({
    gap: true, group: g[0], start: g[1], end: g[2], cause: g[3], on: g[4], busy: g[5], previous: g[6], next: g[7]})), g => g.group);
  // Of each band its operators and gaps by time, and when the last of the first i ends. An accelerator
  // rests when none of its streams runs: gaps are shown on the first of them.
  const latest = list => {
    let most = -Infinity;
    return Float64Array.from(list, x => most = Math.max(most, x.end));
  };
  const byTime = (a, b) => a.start - b.start || a.end - b.end;
  const overlapped = data.semantics === 1 || data.semantics === 3;
  const shows = (stream, o) => stream < 0 || stream === o.stream;
  const bands = data.bands.map(([g, stream], b) => {
    const [sets, accelerators] = data.groups[g];
    const mine = sets.flatMap(s => opsOfSet.get(s) ?? []).filter(o => shows(stream, o)).sort(byTime);
    const isFirst = b === 0 || data.bands[b - 1][0] !== g;
    const gaps = isFirst ? (gapsOfGroup.get(g) ?? []).sort(byTime) : [];
    const arriving = !overlapped ? [] :
      mine.flatMap(o => sentTo.get(o.index) ?? []).filter(t => t.end !== null && t.end > t.start).sort(byTime);
    return {sets, accelerators, stream, ops: mine, opsEnd: latest(mine), gaps, gapsEnd: latest(gaps),
            arriving, arrivingEnd: latest(arriving),
            bars: all(`#bars-${b} .bars`), on: all(`#bars-${b} .on`), underline: $(`#bars-${b} .underline`),
            arrives: $(`#bars-${b} .arriving`)};
  });
  const firstEndingAfter = (ends, t) => {
    let low = 0, high = ends.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (ends[mid] > t) high = mid; else low = mid + 1;
    }
    return low;
  };
  const units = [[1, 's'], [1e-3, 'ms'], [1e-6, 'µs'], [1e-9, 'ns'], [1e-12, 'ps']];
  const unitFor = span => units.find(u => span >= u[0] * 0.999) ?? units[4];
  const number = x => x.toFixed(x < 9.9995 ? 3 : x < 99.995 ? 2 : 1);
  const time = s => {
    if (s === 0) return '0 s';
    const [scale, unit] = units.find(u => s / u[0] >= 0.99995) ?? units[4];
    return number(s / scale) + ' ' + unit;
  };
  const size = b => {
    const [scale, unit] = [[1e12, 'TB'], [1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']].find(u => b / u[0] >= 0.99995) ?? [1, 'B'];
    return (scale === 1 ? b.toFixed(0) : number(b / scale)) + ' ' + unit;
  };
  let from = 0, to = data.span;
  const x = t => left + (t - from) * plot / (to - from);
  const isWhole = () => to - from >= data.span * 0.9999;

  const thinLine = y => {
    let path = '', line = null;
    const flush = () => {
      if (line && line[0] < left + plot && line[1] > left)
        path += `M${Math.max(left, line[0]).toFixed(2)} ${y}H${Math.min(left + plot, line[1]).toFixed(2)}`;
      line = null;
    };
    return {
      add: (a, b) => {
        if (line && a - line[1] <= 0.5) { line[1] = Math.max(line[1], b); return; }
        flush();
        line = [a, Math.max(b, a + 1)];
      },
      finish: () => { flush(); return path; }};
  };
  const rectangles = () => {
    const paths = new Array(parts).fill('');
    let run = null;
    const emit = (c, a, b) => {
      const x = Math.max(left, a), w = Math.min(left + plot, b) - x;
      if (w > 0) paths[c] += `M${x.toFixed(2)} 0h${(w > 3 ? w - 0.6 : w).toFixed(2)}v${bar}h-${(w > 3 ? w - 0.6 : w).toFixed(2)}z`;
    };
    const flush = () => {
      if (run) emit(run.share.indexOf(Math.max(...run.share)), run.begin, Math.max(run.end, run.begin + 0.6));
      run = null;
    };
    return {
      add: (c, a, b) => {
        if (b - a >= 1) { flush(); emit(c, a, b); return; }
        if (run && a - run.end > 0.5) flush();
        run ??= {begin: a, end: a, share: new Array(parts).fill(0)};
        run.share[c] += b - a;
        run.end = b;
        if (run.end - run.begin >= 1) flush();
      },
      finish: () => { flush(); return paths; }};
  };
  const paint = band => {
    const bars = rectangles(), on = rectangles(), critical = thinLine(bar + 1.5), arriving = thinLine(-1.5);
    const highlighted = svg.classList.contains('critical');
    for (let i = firstEndingAfter(band.opsEnd, from); i < band.ops.length && band.ops[i].start < to; ++i) {
      const o = band.ops[i];
      let at = o.start;
      for (const c of data.order) {
        if (!(o.parts[c] > 0)) continue;
        (highlighted && o.critical ? on : bars).add(c, x(at), x(at + o.parts[c]));
        at += o.parts[c];
      }
      if (o.critical) critical.add(x(o.start), x(o.end));
    }
    for (let i = firstEndingAfter(band.arrivingEnd, from); i < band.arriving.length && band.arriving[i].start < to; ++i)
      arriving.add(x(band.arriving[i].start), x(band.arriving[i].end));
    bars.finish().forEach((d, c) => band.bars[c]?.setAttribute('d', d));
    on.finish().forEach((d, c) => band.on[c]?.setAttribute('d', d));
    band.underline?.setAttribute('d', critical.finish());
    band.arrives?.setAttribute('d', arriving.finish());
  };
  const make = (name, attributes, text) => {
    const e = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
    if (text !== undefined) e.textContent = text;
    return e;
  };
  const lanes = all('.lane', svg).map(lane => ({
    y: Number(lane.getAttribute('y')), band: Number(lane.dataset.band), accelerator: Number(lane.dataset.accelerator)}));
  const lanesOfSet = new Map(data.sets.map((_, s) => [s, lanes.filter(l => bands[l.band].sets.includes(s))]));
  const lanesOf = o => lanesOfSet.get(o.set).filter(l => shows(bands[l.band].stream, o));

  // Tensors between two operators, from the lane of one to the next lane of the other.
  const connect = (a, b) => {
    if (!ends(a) || !ends(b)) return '';
    if (Math.max(a.end, b.start) < from || Math.min(a.end, b.start) > to) return '';
    const senders = lanesOf(a), receivers = lanesOf(b);
    let best = null;
    for (const s of senders)
      for (const r of receivers)
        if (!best || Math.abs(s.y - r.y) < Math.abs(best[0].y - best[1].y)) best = [s, r];
    if (!best || (best[0] === best[1] && x(b.start) - x(a.end) < 1)) return '';
    const clamp = v => Math.max(left - 50, Math.min(left + plot + 50, v));
    const [x1, x2] = [clamp(x(a.end)), clamp(x(b.start))], [y1, y2] = best.map(l => l.y + bar / 2);
    return `M${x1.toFixed(1)} ${y1}L${x2.toFixed(1)} ${y2}m-4 -3l4 3l-4 3`;
  };
  const chain = ops.filter(o => o.critical && ends(o)).sort(byTime);
  const drawChain = () => {
    let path = '';
    if (svg.classList.contains('critical'))
      for (let i = 1, n = 0; i < chain.length && n < 400; ++i) {
        const arrow = connect(chain[i - 1], chain[i]);
        path += arrow;
        n += arrow !== '';
      }
    $('#chain').setAttribute('d', path);
  };

  const drawAxis = (axis, top, bottom) => {
    axis.replaceChildren();
    const raw = (to - from) / 9, power = 10 ** Math.floor(Math.log10(raw));
    const step = power * ([1, 2, 5].find(k => k * power >= raw * 0.999) ?? 10);
    const [unit, name] = unitFor(isWhole() ? to : Math.max(step, to / 1000));
    const digits = Math.min(9, Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9)));
    for (let i = Math.ceil(from / step - 1e-6); i * step <= to + step * 1e-6; ++i) {
      const at = x(i * step).toFixed(1);
      axis.append(make('path', {class: 'grid', d: `M${at} ${top - 6}V${bottom}`}),
                  make('text', {class: 'tick', x: at, y: top - 12}, (i * step / unit).toFixed(digits) + ' ' + name));
    }
  };
  const drawNames = () => {
    const names = $('#names');
    names.replaceChildren();
    const named = new Set(); // the first lane of each band
    for (const lane of lanes) {
      if (named.has(lane.band)) continue;
      named.add(lane.band);
      const band = bands[lane.band];
      for (let i = firstEndingAfter(band.opsEnd, from), n = 0; i < band.ops.length && band.ops[i].start < to && n < 400; ++i) {
        const o = band.ops[i];
        const begin = o.start + o.parts[1] + o.parts[5]; // inputs and weights come first
        const a = Math.max(left, x(begin)), b = Math.min(left + plot, x(begin + o.parts[0]));
        const letters = Math.floor((b - a - 8) / 6.6);
        if (letters < 4 || (letters < o.name.length && letters < 8)) continue;
        names.append(make('text', {class: o.critical ? 'on-path' : '', x: (a + 4).toFixed(1), y: lane.y + 12},
                          o.name.length > letters ? o.name.slice(0, letters - 1) + '…' : o.name));
        ++n;
      }
    }
  };

  const memory = $('#memory');
  const stepAt = (steps, t) => {
    let low = 0, high = steps.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (steps[mid][0] > t) high = mid; else low = mid + 1;
    }
    return Math.max(0, low - 1);
  };
  const memoryRows = !memory ? [] : data.memory.map(([group, capacity, steps]) => ({
    capacity, steps, group, paths: all('path', $('#memory-' + group)), lane: $(`.lane[data-row="${group}"]`, memory)}));
  const drawMemory = () => {
    const h = Number(memory.dataset.height), share = Number(memory.dataset.share);
    for (const row of memoryRows)
      for (let layer = 0; layer < 3; ++layer) {
        let path = `M${left} ${h}`, drawn = -1, first = true;
        for (let i = stepAt(row.steps, from); i < row.steps.length && row.steps[i][0] < to; ++i) {
          const s = row.steps[i];
          const y = (h - h * (s[1] + (layer > 0 ? s[2] : 0) + (layer > 1 ? s[3] : 0)) / (share * row.capacity)).toFixed(1);
          if (y === drawn) continue;
          path += `H${(first ? left : Math.max(left, x(s[0]))).toFixed(1)}V${y}`;
          first = false;
          drawn = y;
        }
        row.paths[2 - layer].setAttribute('d', path + `H${left + plot}V${h}z`);
      }
    drawAxis($('.axis', memory), Number(svg.dataset.top), Number(memory.dataset.bottom));
  };

  let waiting = 0;
  const draw = () => {
    cancelAnimationFrame(waiting);
    waiting = 0;
    bands.forEach(paint);
    drawNames();
    drawChain();
    drawAxis($('#axis'), Number(svg.dataset.top), Number(svg.dataset.bottom));
    if (memory) drawMemory();
    svg.classList.toggle('zoomed', !isWhole());
    $('#window').textContent = isWhole() ? '' : `${time(from)} – ${time(to)}`;
  };
  const show = (a, b) => {
    const width = Math.min(data.span, Math.max(data.span * 1e-6, b - a));
    from = Math.min(Math.max(0, a), data.span - width);
    to = from + width;
    svg.dataset.from = from;
    svg.dataset.to = to;
    waiting ||= requestAnimationFrame(draw);
  };
  const zoom = (factor, around) => {
    const t = around ?? (from + to) / 2;
    show(t - (t - from) * factor, t + (to - t) * factor);
  };

  // What is said of an operator and of a gap.
  const places = set => {
    const names = data.sets[set].map(a => data.accelerators[a]);
    return names.length > 3 ? `${names[0]} … ${names[names.length - 1]}` : names.join(', ');
  };
  const who = index => `${ops[index].name} on ${places(ops[index].set)}`;
  const because = ({cause, on, busy}) => [
    () => '', () => `the result of ${who(on)}`, () => `a transfer from ${who(on)}`,
    () => busy >= 0 ? `${data.accelerators[busy]}, which runs ${ops[on].name}` : `an accelerator that runs ${ops[on].name}`,
    () => `its turn: one operator runs after another, ${who(on)} just before`, () => 'nothing that is known'][cause]();
  const share = s => (100 * s / data.span).toFixed(2) + ' % of the whole';
  const describe = item => {
    const when = `${time(item.start)} → ${time(item.end)}, `;
    if (item.gap) {
      const why = item.cause !== 0 ? `waits for ${because(item)}` : item.previous < 0 ? 'runs nothing' : 'nothing left to do';
      const place = item.cause === 0 ? '' : item.previous < 0 ? `\nbefore its first operator, ${ops[item.next].name}` :
        `\nafter ${ops[item.previous].name}, before ${ops[item.next].name}`;
      return ['idle: ' + why, `${when}${time(item.end - item.start)} (${share(item.end - item.start)})${place}`];
    }
    const length = item.end - item.start;
    const lines = data.causes.map((c, i) => [c, item.parts[i]]).filter(c => c[1] > 0)
      .map(([c, s]) => `${c}  ${time(s)}  (${(100 * s / length).toFixed(1)} %)`);
    if (data.semantics !== 0 && item.cause !== 0) lines.push(`waited for ${because(item)}`);
    const inputs = sentTo.get(item.index) ?? [];
    for (const t of inputs.slice(0, 4)) lines.push(`← ${size(t.bytes)} from ${ops[t.from].name}`);
    if (inputs.length > 4) lines.push(`← … ${inputs.length - 4} more`);
    if (data.semantics !== 0 && item.critical) lines.push('on the critical path');
    const stream = data.semantics === 3 ? ` · stream ${item.stream}` : '';
    return [item.name, `${item.kind} · set ${item.set}${stream} · ${item.sharding}\n${when}takes ${time(length)} (${share(length)})\n` +
      lines.join('\n')];
  };
  const marker = $('#marker');
  const hide = () => {
    tip.hidden = true;
    marker.setAttribute('d', '');
    $('#transfers').setAttribute('d', '');
    $('#memory-marker')?.setAttribute('d', '');
  };
  const point = (event, item, lane) => {
    const a = Math.max(left, x(item.start)), b = Math.min(left + plot, Math.max(a + 1, x(item.end)));
    const marked = item.gap ? [lane] : lanesOf(item);
    marker.setAttribute('d', marked.map(l => `M${a} ${l.y - 0.5}H${b}V${l.y + bar + 0.5}H${a}z`).join(''));
    const near = item.gap ? [] : [...(sentTo.get(item.index) ?? []), ...(sentBy.get(item.index) ?? [])].slice(0, 40);
    $('#transfers').setAttribute('d', near.map(t => connect(ops[t.from], ops[t.to])).join(''));
    showTip(event, ...describe(item));
  };

  const place = event => {
    const box = svg.getBoundingClientRect();
    const k = svg.viewBox.baseVal.width / box.width;
    return {x: (event.clientX - box.left) * k, y: (event.clientY - box.top) * k};
  };
  const timeAt = at => from + (Math.min(Math.max(at, left), left + plot) - left) / plot * (to - from);
  const itemAt = (lane, t) => {
    const band = bands[lane.band];
    const slack = 2 / plot * (to - from);
    const over = (list, ends, t, slack) => {
      const item = list[firstEndingAfter(ends, t - slack)];
      return item && item.start <= t + slack ? item : null;
    };
    const gap = over(band.gaps, band.gapsEnd, t, 0);
    return over(band.ops, band.opsEnd, t, 0) ?? (gap && x(gap.end) - x(gap.start) > 3 ? gap : null) ??
      over(band.ops, band.opsEnd, t, slack) ?? gap;
  };

  svg.addEventListener('wheel', event => {
    const p = place(event);
    if (p.x < left) return;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      if (isWhole()) return;
      event.preventDefault();
      const shift = (event.deltaX || event.deltaY) / plot * (to - from);
      return show(from + shift, to + shift);
    }
    if (isWhole() && event.deltaY > 0) return; // let the page scroll
    event.preventDefault();
    zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.004), timeAt(p.x));
  }, {passive: false});
  const selection = $('#selection');
  let drag = null;
  svg.addEventListener('pointerdown', event => {
    if (event.button !== 0) return;
    drag = {x: place(event).x, from, to, moves: event.shiftKey || event.pointerType === 'touch'};
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener('pointerup', event => {
    if (drag && !drag.moves && Math.abs(place(event).x - drag.x) > 4) {
      const [a, b] = [drag.x, place(event).x].map(timeAt).sort((a, b) => a - b);
      show(a, b);
    }
    drag = null;
    selection.setAttribute('width', 0);
  });
  svg.addEventListener('pointercancel', () => { drag = null; selection.setAttribute('width', 0); });
  svg.addEventListener('dblclick', () => show(0, data.span));
  svg.addEventListener('pointerleave', hide);
  svg.addEventListener('pointermove', event => {
    const p = place(event);
    if (drag) {
      hide();
      if (drag.moves) {
        const shift = (drag.x - p.x) / plot * (drag.to - drag.from);
        return show(drag.from + shift, drag.to + shift);
      }
      const [a, b] = [drag.x, Math.min(Math.max(p.x, left), left + plot)].sort((a, b) => a - b);
      selection.setAttribute('x', Math.max(a, left));
      selection.setAttribute('width', Math.max(0, b - Math.max(a, left)));
      return;
    }
    const lane = lanes.find(l => p.y >= l.y && p.y <= l.y + bar);
    const item = lane && p.x >= left && p.x <= left + plot ? itemAt(lane, timeAt(p.x)) : null;
    if (item) point(event, item, lane); else hide();
  });
  memory?.addEventListener('pointerleave', hide);
  memory?.addEventListener('pointermove', event => {
    const box = memory.getBoundingClientRect();
    const k = memory.viewBox.baseVal.width / box.width;
    const px = (event.clientX - box.left) * k, py = (event.clientY - box.top) * k;
    const row = memoryRows.find(r => {
      const y = Number(r.lane.getAttribute('y'));
      return py >= y && py <= y + Number(memory.dataset.height);
    });
    if (!row || px < left || px > left + plot) return hide();
    const t = timeAt(px), s = row.steps[stepAt(row.steps, t)];
    const total = s[1] + s[2] + s[3];
    $('#memory-marker').setAttribute('d', `M${px.toFixed(1)} ${Number(svg.dataset.top) - 6}V${memory.dataset.bottom}`);
    showTip(event, `${size(total)} of ${size(row.capacity)} (${(100 * total / row.capacity).toFixed(1)} %)`,
      `${data.groups[row.group][1].map(a => data.accelerators[a]).slice(0, 4).join(', ')} at ${time(t)}\n` +
      `weights  ${size(s[1])}\nresults  ${size(s[2])}\nbuffers  ${size(s[3])}`);
  });

  // Keys: + − 0 zoom, arrows step through what a row does, with shift they move the window.
  const cursor = {lane: 0, item: -1};
  const items = () => {
    const band = bands[lanes[cursor.lane].band];
    return band.items ??= [...band.ops.filter(o => o.end > o.start), ...band.gaps].sort(byTime);
  };
  const step = by => {
    const list = items();
    if (list.length === 0) return;
    const seen = cursor.item >= 0 && list[cursor.item].end > from && list[cursor.item].start < to;
    cursor.item = seen ? cursor.item + by : list.findIndex(i => i.end > from);
    cursor.item = Math.max(0, Math.min(list.length - 1, cursor.item));
    const item = list[cursor.item], lane = lanes[cursor.lane];
    if (item.start < from || item.end > to) {
      const width = Math.max(to - from, Math.min(data.span, (item.end - item.start) * 1.2));
      show((item.start + item.end - width) / 2, (item.start + item.end + width) / 2);
    }
    const box = svg.getBoundingClientRect(), k = box.width / svg.viewBox.baseVal.width;
    point({clientX: box.left + k * Math.min(left + plot, Math.max(left, x((item.start + item.end) / 2))),
           clientY: box.top + k * (lane.y + bar)}, item, lane);
  };
  const toggle = $('#critical');
  const highlight = () => {
    const on = svg.classList.toggle('critical');
    toggle.setAttribute('aria-pressed', on);
    draw();
  };
  svg.tabIndex = 0;
  svg.setAttribute('role', 'application');
  svg.addEventListener('blur', hide);
  svg.addEventListener('keydown', event => {
    const move = by => show(from + by * (to - from), to + by * (to - from));
    const change = by => {
      const t = cursor.item >= 0 ? items()[cursor.item].start : from;
      cursor.lane = Math.max(0, Math.min(lanes.length - 1, cursor.lane + by));
      cursor.item = items().findIndex(i => i.end > t);
      step(0);
    };
    const keys = {
      '+': () => zoom(0.5), '=': () => zoom(0.5), '-': () => zoom(2), '0': () => show(0, data.span),
      Home: () => show(0, data.span), Escape: hide, c: () => toggle && highlight(),
      ArrowLeft: () => event.shiftKey ? move(-0.25) : step(-1), ArrowRight: () => event.shiftKey ? move(0.25) : step(1),
      ArrowUp: () => change(-1), ArrowDown: () => change(1)};
    if (event.ctrlKey || event.altKey || event.metaKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  toggle?.addEventListener('click', highlight);
  $('#zoom-in').addEventListener('click', () => zoom(0.5));
  $('#zoom-out').addEventListener('click', () => zoom(2));
  $('#zoom-all').addEventListener('click', () => show(0, data.span));
  draw();
  document.documentElement.dataset.ready = '1';
})();
)js";

} // namespace mars::io::detail
