// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string_view>

namespace mars::io::detail {

/// Follows `report_script`, in the same function: choosing panels, finding rows of tables, what a cell
/// or an operator is. The heat map is drawn again for another reference, by the rules of heat_map.hpp.
inline constexpr std::string_view study_script = R"js(
  const data = JSON.parse($('#mars-data').textContent);
  const extent = data.axes.map(a => a.length);
  const [NETWORK, COMPRESSION, PRIMITIVE, GENERATION, DESIGN] = [0, 1, 2, 3, 4];
  const cellAt = new Map(data.cells.map(c => [c[0], c]));
  const rejectedAt = new Map(data.rejected);
  const placeOf = index => {
    const at = [];
    for (let a = extent.length; a-- > 0;) {
      at[a] = index % extent[a];
      index = Math.floor(index / extent[a]);
    }
    return at;
  };
  const indexOf = at => at.reduce((i, k, a) => i * extent[a] + k, 0);
  const timeAt = at => cellAt.get(indexOf(at))?.[1];

  const prefixes = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, ''], [1e-3, 'm'], [1e-6, 'µ'], [1e-9, 'n']];
  const quantity = (v, unit) => {
    if (v === null || v === undefined) return '–';
    if (v === 0) return `0 ${unit}`;
    if (unit === 'B' && v < 999.5) return `${v} B`;
    const [scale, name] = prefixes.find(p => Math.abs(v) >= 0.99995 * p[0]) ?? prefixes.at(-1);
    const x = v / scale;
    return `${x.toFixed(x < 9.9995 ? 3 : x < 99.995 ? 2 : 1)} ${name}${unit}`;
  };
  const percent = v => `${(100 * v).toFixed(1)} %`;
  const factor = r => {
    const f = r < 1 ? 1 / r : r;
    return (r < 1 ? '÷' : '×') + f.toFixed(f < 9.995 ? 2 : f < 99.95 ? 1 : 0);
  };
  const nameOf = at => at.map((k, a) => data.axes[a][k]).join(' · ');
  const all_of = (at, axes) => {
    // Times of cells that agree with one but for some axes.
    let list = [at];
    for (const a of axes)
      list = list.flatMap(x => Array.from({length: extent[a]}, (_, k) => x.map((v, b) => b === a ? k : v)));
    return list.map(timeAt).filter(t => t !== undefined && t !== null);
  };
  const references = {
    block: at => Math.min(...all_of(at, [PRIMITIVE])),
    design: at => Math.min(...all_of(at, [PRIMITIVE, GENERATION])),
    row: at => Math.min(...all_of(at, [PRIMITIVE, GENERATION, DESIGN])),
    base: at => timeAt([at[NETWORK], data.base[COMPRESSION], data.base[PRIMITIVE], data.base[GENERATION], at[DESIGN]]),
  };
  const provenance = ['unknown', 'published', 'measured'];
  const cellText = index => {
    const at = placeOf(index), c = cellAt.get(index);
    if (!c) {
      const why = data.reasons[rejectedAt.get(index)];
      return [nameOf(at), why ? `cannot be: ${why[1]}\n(${why[0]})` : 'not studied'];
    }
    const [, time, reorders, weights, workspace, valid, executed, fallback, energy, accuracy, measured, modelled, share] = c;
    const base = references.base(at);
    const lines = [
      `${quantity(time, 's')}, reorders ${percent(reorders / time)}`,
      `${factor(time / references.design(at))} of the best on ${data.axes[DESIGN][at[DESIGN]]}` +
        (base ? `, ${factor(time / base)} of the base` : ''),
      `model ${quantity(weights, 'B')}, workspace ${quantity(workspace, 'B')}`,
      `${quantity(valid, 'MAC')} valid, ${quantity(executed, 'MAC')} executed`];
    if (fallback > 0) lines.push(`${percent(fallback)} of the MACs on a fallback`);
    if (energy !== null) lines.push(`energy ${quantity(energy, 'J')}`);
    if (accuracy < 0) lines.push('accuracy unknown');
    else {
      const [known, top1, reference, source, setting] = data.accuracy[accuracy];
      lines.push(`top-1 ${top1.toFixed(2)} %, ${provenance[known]}; uncompressed ${reference.toFixed(2)} %`,
                 source + (setting ? `: ${setting}` : ''));
    }
    if (measured !== undefined)
      lines.push(`measured ${quantity(measured, 's')}, ${factor(measured / modelled)} of the model's, over ${percent(share)} of the time`);
    return [nameOf(at), lines.join('\n')];
  };
  const hide = () => { tip.hidden = true; };
  const over = box => ({clientX: box.left + box.width / 2, clientY: box.top + box.height / 2});
  const point = (svg, event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
  const walk = (svg, move) => {
    svg.tabIndex = 0;
    svg.setAttribute('role', 'application');
    svg.addEventListener('keydown', event => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key === 'Escape') hide();
      if (!step[event.key]) return;
      event.preventDefault();
      move(...step[event.key]);
    });
  };

  // Panels that agree with all that is chosen in their card: `each` is of all that are not together.
  const fits = (mine, chosen) => chosen === '' || mine === undefined || mine === chosen || (mine === 'each' && chosen !== 'together');
  for (const card of all('section.card')) {
    const panels = all('.panel', card), selects = all('select[data-key]', card);
    const choose = () => {
      for (const p of panels) p.classList.toggle('on', selects.every(s => fits(p.dataset[s.dataset.key], s.value)));
      for (const box of all('.panels, .strips', card)) {
        let none = $('.nothing', box);
        if (!none) {
          none = document.createElement('p');
          none.className = 'nothing';
          none.textContent = 'Nothing of this kind for what was chosen.';
          box.append(none);
        }
        none.hidden = $('.panel.on', box) !== null;
      }
    };
    for (const s of selects) s.addEventListener('change', choose);
    choose();
  }

  // Rows that hold every word.
  for (const input of all('input[data-table]')) {
    const rows = all(`#${input.dataset.table} tbody tr`).map(r => [r, [...r.cells].map(c => c.textContent).join(' ').toLowerCase()]);
    input.addEventListener('input', () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(w => w !== '');
      for (const [row, text] of rows) row.hidden = !words.every(w => text.includes(w));
    });
  }

  // Marks that stand for cells: the nearest within reach.
  for (const svg of all('svg.marks')) {
    const marks = all('use[data-c]', svg).map(use => ({use, x: Number(use.getAttribute('x')), y: Number(use.getAttribute('y')),
      best: use.classList.contains('best')}));
    let on = null;
    const select = (m, event) => {
      if (on !== m) {
        on?.use.classList.remove('on');
        m?.use.classList.add('on');
        on = m;
      }
      if (m) showTip(event ?? over(m.use.getBoundingClientRect()), ...cellText(data.cells[m.use.dataset.c][0]));
      else hide();
    };
    svg.addEventListener('mousemove', event => {
      const p = point(svg, event);
      let nearest = null, least = 12 ** 2;
      for (const m of marks) {
        const d = (m.x - p.x) ** 2 + (m.y - p.y) ** 2 - (m.best ? 4 : 0);
        if (d < least) [nearest, least] = [m, d];
      }
      select(nearest, event);
    });
    svg.addEventListener('mouseleave', () => select(null));
    svg.addEventListener('blur', () => select(null));
    const inOrder = marks.filter(m => m.best).sort((a, b) => a.x - b.x || a.y - b.y);
    if (inOrder.length > 0)
      walk(svg, (right, down) => {
        const i = inOrder.indexOf(on);
        select(inOrder[Math.max(0, Math.min(inOrder.length - 1, i + right + down))]);
      });
  }

  // Strips of operators.
  for (const svg of all('svg.strip')) {
    const [total, operators] = data.best[svg.dataset.best];
    const width = svg.viewBox.baseVal.width;
    let on = -1;
    const explain = (i, event) => {
      on = i;
      const [name, algorithm, fastest, input, output, time, reorders] = operators[i];
      const lines = [`${data.names[algorithm]}, ${data.names[input]} → ${data.names[output]}`,
        `${quantity(time, 's')}, ${percent(time / total)} of the network`];
      if (reorders > 0) lines.push(`and ${quantity(reorders, 's')} to reorder its inputs`);
      if (fastest !== algorithm) lines.push(`${data.names[fastest]} would be faster if reorders were free`);
      showTip(event, `${i + 1}. ${data.names[name]}`, lines.join('\n'));
    };
    const at = event => Math.max(0, Math.min(operators.length - 1, Math.floor(point(svg, event).x / width * operators.length)));
    svg.addEventListener('mousemove', event => explain(at(event), event));
    svg.addEventListener('mouseleave', hide);
    svg.addEventListener('blur', hide);
    walk(svg, right => {
      const i = Math.max(0, Math.min(operators.length - 1, on + right)), box = svg.getBoundingClientRect();
      explain(i, {clientX: box.left + (i + 0.5) / operators.length * box.width, clientY: box.top + box.height / 2});
    });
  }

  const heat = $('#heat');
  if (heat) {
    const g = Object.fromEntries(Object.entries(heat.dataset).map(([k, v]) => [k, Number(v)]));
    const x = at => g.left + at[DESIGN] * g.design + at[GENERATION] * g.generation + at[PRIMITIVE] * g.cell;
    const y = at => g.top + at[NETWORK] * g.network + at[COMPRESSION] * g.row;
    const rectangle = at => `M${x(at)} ${y(at)}h${g.cell - 1}v${g.row - 1}h-${g.cell - 1}z`;
    const split = (v, pitch, n, size, count) => {
      // Block, and place in the block; nothing between blocks.
      const block = Math.floor(v / pitch), place = Math.floor((v - block * pitch) / size);
      return block >= 0 && block < n && place < count ? [block, place] : null;
    };
    const find = p => {
      const row = split(p.y - g.top, g.network, extent[NETWORK], g.row, extent[COMPRESSION]);
      const design = Math.floor((p.x - g.left) / g.design);
      if (!row || design < 0 || design >= extent[DESIGN]) return null;
      const column = split(p.x - g.left - design * g.design, g.generation, extent[GENERATION], g.cell, extent[PRIMITIVE]);
      return column && [row[0], row[1], column[1], column[0], design];
    };
    const cursor = $('#heat-cursor');
    let on = null;
    const select = (at, event) => {
      on = at ?? on;
      cursor.setAttribute('d', at ? rectangle(at) : '');
      if (at) showTip(event ?? over(cursor.getBoundingClientRect()), ...cellText(indexOf(at)));
      else hide();
    };
    heat.addEventListener('mousemove', event => select(find(point(heat, event)), event));
    heat.addEventListener('mouseleave', () => select(null));
    heat.addEventListener('blur', () => select(null));
    walk(heat, (right, down) => {
      if (!on) return select([0, 0, 0, 0, 0]);
      const row = on[NETWORK] * extent[COMPRESSION] + on[COMPRESSION] + down;
      const column = (on[DESIGN] * extent[GENERATION] + on[GENERATION]) * extent[PRIMITIVE] + on[PRIMITIVE] + right;
      const rows = extent[NETWORK] * extent[COMPRESSION], columns = extent[DESIGN] * extent[GENERATION] * extent[PRIMITIVE];
      if (row < 0 || row >= rows || column < 0 || column >= columns) return;
      const block = Math.floor(column / extent[PRIMITIVE]);
      select([Math.floor(row / extent[COMPRESSION]), row % extent[COMPRESSION], column % extent[PRIMITIVE],
              block % extent[GENERATION], Math.floor(block / extent[GENERATION])]);
    });
    const mode = $('#heat-mode');
    const draw = () => {
      const change = mode.value === 'base', paths = new Map(), known = new Map();
      const reference = at => {
        const key = mode.value === 'row' ? at[NETWORK] * extent[COMPRESSION] + at[COMPRESSION] :
          indexOf([at[NETWORK], change ? 0 : at[COMPRESSION], 0, mode.value === 'block' ? at[GENERATION] : 0, at[DESIGN]]);
        if (!known.has(key)) known.set(key, references[mode.value](at));
        return known.get(key);
      };
      for (const [index, time] of data.cells) {
        const at = placeOf(index), r = time / reference(at);
        const beyond = v => data.change.filter(s => v >= s).length;
        const name = !(r > 0) ? 'none' : change ? `d${3 + (r < 1 ? -beyond(1 / r) : beyond(r))}` :
          r <= 1 ? 'h0' : `h${1 + data.heat.filter(s => r >= s).length}`;
        paths.set(name, (paths.get(name) ?? '') + rectangle(at));
      }
      $('#heat-cells').replaceChildren(...[...paths].map(([name, d]) => {
        const path = document.createElementNS(heat.namespaceURI, 'path');
        path.setAttribute('class', name);
        path.setAttribute('d', d);
        return path;
      }));
      for (const legend of all('.legend.scale')) legend.hidden = (legend.dataset.scale === 'change') !== change;
    };
    mode.addEventListener('change', draw);
  }
  document.documentElement.dataset.ready = '1';
})();
)js";

} // namespace mars::io::detail
