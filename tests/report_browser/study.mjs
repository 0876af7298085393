// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pages of studies: hovering and walking explain cells, operators and reasons; panels are chosen, tables sorted and
// searched; the heat map changes its reference. The study is that of support/synthetic_study.hpp.
import assert from 'node:assert/strict';

export const studyTests = ({ browser, open, silent, box, press, tip, says }) => {
  const choose = (selector, value) => browser.ask(`(() => { const s = document.querySelector(${JSON.stringify(selector)});
    s.value = ${JSON.stringify(value)}; s.dispatchEvent(new Event('change')); s.scrollIntoView({block: 'center'}); return s.value; })()`);
  const shown = card => browser.ask(`[...document.querySelectorAll('#${card} figure.panel, #${card} .strip-row')]
    .filter(p => p.checkVisibility()).length`);
  const show = selector => browser.ask(`document.querySelector(${JSON.stringify(selector)}).scrollIntoView({block: 'center'})`);
  /// Middle of a cell of the heat map, in the window.
  const heatCell = async ([network, compression, primitive, generation, design]) => {
    await show('#heat');
    return browser.ask(`(() => { const h = document.querySelector('#heat'), g = h.dataset, n = k => Number(g[k]);
      const p = new DOMPoint(n('left') + ${design} * n('design') + ${generation} * n('generation') + (${primitive} + 0.5) * n('cell'),
        n('top') + ${network} * n('network') + (${compression} + 0.5) * n('row')).matrixTransform(h.getScreenCTM());
      return [p.x, p.y]; })()`);
  };

  return {
    async cells_explain_themselves() {
      await open('study');
      await browser.hover(...await heatCell([0, 1, 2, 1, 2]));
      says(await tip(), 'resnet18 · weight_pruning_80 · csr_direct · tuned · this_cpu', 'of the best on this_cpu', 'of the base',
           'model ', 'MAC valid', 'published; uncompressed 69.76 %', 'a table of the makers', 'measured ', 'over 97.0 % of the time');
      await browser.hover(...await heatCell([0, 0, 2, 0, 0]));
      says(await tip(), 'cannot be: the primitive keeps no zeros out of dense weights', 'accepts_for');
      await browser.hover(5, 5);
      assert.equal(await tip(), '');
      // By keyboard: from the first cell one down, to the right over the gap between code generations.
      await open('study');
      await browser.ask(`document.querySelector('#heat').focus()`);
      for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight']) await browser.key(key);
      says(await tip(), 'resnet18 · weight_pruning_80 · direct · tuned · server_cpu');
      await browser.key('Escape');
      assert.equal(await tip(), '');
      silent('study');
    },

    async another_reference() {
      await open('study');
      const state = () => browser.ask(`({cells: [...document.querySelectorAll('#heat-cells path')].map(p => [p.getAttribute('class'),
        (p.getAttribute('d').match(/z/g) ?? []).length]), legends: [...document.querySelectorAll('.legend.scale')].map(l => l.hidden)})`);
      const sum = s => s.cells.reduce((n, [, k]) => n + k, 0);
      const before = await state();
      // One winner in each block that has a cell: 3 networks, 4 compressions, 2 codes, 3 designs, less int8 on the mobile GPU.
      assert.equal(Object.fromEntries(before.cells).h0, 3 * 2 * (4 * 3 - 1));
      await choose('#heat-mode', 'base');
      const change = await state();
      assert.equal(sum(change), sum(before), 'all cells are drawn');
      assert.ok(change.cells.every(([name]) => /^d[0-6]$/.test(name)));
      assert.deepEqual(change.legends, [true, false]);
      await choose('#heat-mode', 'row');
      assert.equal(Object.fromEntries((await state()).cells).h0, 3 * 4);
      await choose('#heat-mode', 'block');
      const again = await state();
      assert.deepEqual(Object.fromEntries(again.cells), Object.fromEntries(before.cells.filter(([, n]) => n > 0)),
                       'the script and the page draw alike');
    },

    async panels_are_chosen() {
      await open('study');
      assert.equal(await shown('pareto'), 6); // all networks in one; a panel a design, of known accuracy and of unknown
      await choose('#pareto select[data-key=network]', '2');
      const both = await shown('pareto');
      await choose('#pareto select[data-key=design]', '1');
      assert.ok(await shown('pareto') < both);
      await choose('#pareto select[data-key=network]', '0');
      const mark = '#pareto figure.on use.best';
      await show(mark);
      const b = await box(mark);
      await browser.hover(b.x + b.width / 2 + 3, b.y + b.height / 2);
      says(await tip(), 'resnet18', 'mobile_gpu', 'top-1');
      await browser.ask(`document.querySelector('#pareto figure.on svg').focus()`);
      await browser.key('ArrowRight');
      says(await tip(), 'resnet18', 'mobile_gpu');
      assert.equal(await browser.ask(`document.querySelectorAll('#pareto use.on').length`), 1);
      assert.equal(await shown('algorithms'), 3);
      await choose('#algorithms select[data-key=network]', '1');
      assert.equal(await shown('algorithms'), 1);
      const strip = await box('#algorithms .on .strip');
      await browser.hover(strip.x + 0.5 * strip.width / 36, strip.y + 8);
      says(await tip(), '1. layer0.conv0', 'nchw → nchw', 'of the network');
      silent('study');
    },

    async tables_sort_and_search() {
      await open('study');
      const rows = table => browser.ask(`[...document.querySelectorAll('#${table} tbody tr')].filter(r => !r.hidden)
        .map(r => [...r.cells].map(c => c.textContent))`);
      await show('#correlations');
      await press('#correlations th:nth-child(3)');
      const taus = (await rows('correlations')).map(r => r[2]).filter(t => t !== 'constant').map(t => Number(t.replace('−', '-')));
      assert.ok(taus.length > 50);
      assert.deepEqual(taus, [...taus].sort((a, b) => a - b));
      await browser.ask(`(() => { const i = document.querySelector('input[data-table=correlations]');
        i.value = 'MACs direct this_cpu'; i.dispatchEvent(new Event('input')); })()`);
      const found = await rows('correlations');
      assert.equal(found.length, 4); // valid and executed; direct and csr_direct
      for (const r of found) says(r.join(' '), 'MACs', 'direct', 'this_cpu');
      silent('study');
    },

    async studies_dark_and_narrow() {
      const ground = () => browser.ask(`getComputedStyle(document.body).backgroundColor`);
      await open('study', { dark: true });
      const dark = await ground();
      await open('study', { width: 420 });
      assert.notEqual(await ground(), dark);
      assert.ok(await browser.ask(`document.documentElement.scrollWidth <= 420`), 'nothing is wider than the window');
    },

    async thousands_of_cells() {
      await open('stack');
      const spent = await browser.ask(`(() => { const begin = performance.now(), m = document.querySelector('#heat-mode');
        m.value = 'row'; m.dispatchEvent(new Event('change')); document.body.getBoundingClientRect(); return performance.now() - begin; })()`);
      console.log(`  another reference for 4480 cells: ${spent.toFixed(0)} ms`);
      assert.ok(spent < 2000);
      await browser.hover(...await heatCell([3, 4, 0, 1, 4]));
      says(await tip(), 'resnet50 · bf16 · direct · tuned · mobile_cpu');
      silent('stack');
    },
  };
};
