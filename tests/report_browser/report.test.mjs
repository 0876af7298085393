// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reports in a real browser: node report.test.mjs <chromium> <make_reports> [folder for screenshots]
// They open without a word on the console and without a request; hovering explains operators and gaps; wheel, buttons,
// dragging and keys zoom; the critical path and the table's order change when asked to.
// Pages of studies: study.mjs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Browser } from './browser.mjs';
import { studyTests } from './study.mjs';

const [chromium, makeReports, pictures] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'mars-reports-'));
if (pictures) mkdirSync(pictures, { recursive: true });
execFileSync(makeReports, [folder]);
let browser;
try {
  browser = await Browser.open(chromium, join(folder, 'profile'));
} catch (error) {
  rmSync(folder, { recursive: true, force: true });
  console.log(`skipped: ${error.message}`);
  process.exit(77);
}
const url = name => pathToFileURL(join(folder, `${name}.html`)).href;

/// Opens a report and checks what holds for each.
async function open(name, options = {}) {
  await browser.show(url(name), options);
  assert.equal(await browser.ask('document.documentElement.dataset.ready'), '1', `${name}: the script runs to its end`);
  await silent(name);
  if (pictures)
    writeFileSync(join(pictures, `${name}${options.dark ? '-dark' : ''}-${options.width ?? 1280}.png`), await browser.screenshot());
}
function silent(name) {
  assert.deepEqual(browser.complaints, [], `${name}: the console is empty`);
  assert.deepEqual(browser.requests.filter(r => !r.startsWith('data:')), [url(name)], `${name}: nothing else is loaded`);
}

const box = selector => browser.ask(`(() => { const b = document.querySelector(${JSON.stringify(selector)})
  .getBoundingClientRect(); return {x: b.x, y: b.y, width: b.width, height: b.height}; })()`);
const centre = async selector => { const b = await box(selector); return [b.x + b.width / 2, b.y + b.height / 2]; };
const press = async selector => browser.click(...await centre(selector));
const tip = () => browser.ask(`(() => { const t = document.querySelector('#tip'); return t.hidden ? '' : t.innerText; })()`);
const view = () => browser.ask(`(() => { const g = document.querySelector('#gantt');
  return [Number(g.dataset.from ?? 0), Number(g.dataset.to ?? NaN)]; })()`);
const bars = () => browser.ask(`[...document.querySelectorAll('#gantt .bars')].map(p => p.getAttribute('d')).join('|')`);
/// Where a moment, as a share of what is shown, lies in an accelerator's row.
async function at(accelerator, share) {
  const b = await box(`#gantt .lane[data-accelerator="${accelerator}"]`);
  return [b.x + b.width * share, b.y + b.height / 2];
}
async function hover(accelerator, share) {
  await browser.hover(...await at(accelerator, share));
  return tip();
}
function says(text, ...parts) {
  for (const part of parts) assert.ok(text.includes(part), `"${part}" in "${text}"`);
}

const tests = {
  // The schedule, in µs (see make_reports.cpp): stem 0–300 on chips 0 and 1; left_1 300–700, left_2 700–900 on chip 0;
  // right_1 340–590, right_2 590–1490 on chip 1; side 650–1350 on chips 2 and 3; join 1610–1960 on 0 and 1; head 2160–2660.
  async hovering() {
    await open('overlapped');
    const end = 2660;
    says(await hover(0, 500 / end), 'left_1', 'Conv', 'set 0', 'whole', '300.0 µs → 700.0 µs', 'result of stem on chip0, chip1');
    says(await hover(1, 1750 / end), 'join', 'k:2', 'transfer from right_2 on chip1', '120.0 kB from right_2', 'on the critical path');
    says(await hover(0, 1200 / end), 'idle: waits for the result of right_2 on chip1', '900.0 µs → 1.490 ms', 'after left_2, before join');
    says(await hover(0, 1550 / end), 'idle: waits for a transfer from right_2 on chip1');
    says(await hover(2, 200 / end), 'idle: waits for the result of stem', 'before its first operator, side');
    says(await hover(3, 480 / end), 'idle: waits for a transfer from stem');
    says(await hover(1, 2400 / end), 'idle: nothing left to do');
    await browser.hover(5, 5);
    assert.equal(await tip(), '');
    const row = await box('#memory .lane');
    await browser.hover(row.x + row.width / 2, row.y + 10);
    says(await tip(), 'of 1.000 MB', 'weights 300.0 kB', 'chip0');
    silent('overlapped');
  },

  async waiting_for_an_accelerator_or_a_turn() {
    await open('sequential'); // stem is alone with set 1; head, too
    says(await hover(0, 0.02), 'idle: waits for', 'stem');
    assert.equal(await browser.ask(`document.querySelector('#critical')`), null);
    await open('staged');
    says(await hover(1, 0.13), 'right_1', 'inputs loaded 40.00 µs', 'results stored 20.00 µs');
    assert.ok(await browser.ask(`document.body.innerText.includes('as part of its time')`));
  },

  // In µs: stem 0–200 and left 200–700 on stream 0 of chip 0, right 200–500 and join 900–1200 on its stream 3; far
  // 300–700 on chip 1.
  async a_row_for_each_stream() {
    await open('streamed');
    const rows = await browser.ask(`[...document.querySelectorAll('#gantt .row-name')].map(t => t.firstChild.data)`);
    assert.deepEqual(rows, ['chip0 stream 0', 'chip0 stream 3', 'chip1']);
    const lanes = await browser.ask(`[...document.querySelectorAll('#gantt .lane')].map(l => {
      const b = l.getBoundingClientRect(); return {x: b.x, y: b.y + b.height / 2, width: b.width}; })`);
    const over = async (row, us) => {
      await browser.hover(lanes[row].x + lanes[row].width * us / 1200, lanes[row].y);
      return tip();
    };
    says(await over(0, 100), 'stem', 'stream 0');
    says(await over(0, 400), 'left', 'set 0 · stream 0', '200.0 µs → 700.0 µs');
    says(await over(1, 400), 'right', 'set 0 · stream 3', '200.0 µs → 500.0 µs', 'result of stem on chip0');
    says(await over(1, 1000), 'join', 'stream 3', 'transfer from far on chip1');
    says(await over(2, 500), 'far', 'transfer from stem');
    says(await over(0, 850), 'idle: waits for a transfer from far'); // no stream of chip 0 runs
    assert.equal(await over(1, 600), '', 'a stream at rest is not an accelerator at rest');
    assert.equal(await over(1, 850), '');
    await press('#critical');
    // stem, then far (300 µs to 700 µs), then join: a line on each of the three rows.
    const lines = await browser.ask(`[...document.querySelectorAll('#gantt .underline')].map(l => l.getAttribute('d').match(/M/g)?.length ?? 0)`);
    assert.deepEqual(lines, [1, 1, 1]);
    await browser.wheel(lanes[1].x + lanes[1].width / 2, lanes[1].y, -240);
    assert.ok(await browser.ask(`[...document.querySelectorAll('#bars-1 .on')].some(p => p.getAttribute('d') !== '')`));
    silent('streamed');
    const trace = JSON.parse(readFileSync(join(folder, 'streamed.json'), 'utf8')).traceEvents;
    const threads = trace.filter(e => e.name === 'thread_name' && e.pid === 1).map(e => e.args.name);
    assert.deepEqual(threads, ['stream 0', 'stream 3', 'arriving tensors']);
    const tid = name => trace.find(e => e.ph === 'X' && e.name === name).tid;
    assert.equal(tid('stem'), tid('left'));
    assert.equal(tid('right'), tid('join'));
    assert.notEqual(tid('left'), tid('right'));
  },

  async zooming() {
    await open('overlapped');
    const whole = await bars();
    const changed = async what => {
      const [from, to] = await view();
      assert.ok(to - from < 0.9 * 2.66e-3, `${what}: less is shown (${from} – ${to})`);
      assert.notEqual(await bars(), whole, `${what}: the bars are drawn anew`);
      assert.notEqual(await browser.ask(`document.querySelector('#window').textContent`), '');
      return [from, to];
    };
    const restored = async what => assert.equal(await bars(), whole, `${what}: all is as it was`);

    await browser.wheel(...await at(0, 0.25), -240);
    const [from, to] = await changed('wheel');
    assert.ok(Math.abs((0.25 * 2.66e-3 - from) / (to - from) - 0.25) < 0.01, 'the wheel keeps what is under the pointer');
    const memory = await browser.ask(`document.querySelector('#memory .axis').textContent`);
    assert.equal(memory, await browser.ask(`document.querySelector('#axis').textContent`), 'memory has the same axis');
    await press('#zoom-all');
    await restored('whole');

    await press('#zoom-in');
    await changed('+');
    await press('#zoom-out');
    await restored('−');

    const [x1, y] = await at(0, 0.5), [x2] = await at(0, 0.75);
    await browser.drag(x1, y, x2, y);
    let shown = await changed('dragging');
    assert.ok(Math.abs(shown[0] - 0.5 * 2.66e-3) < 1e-5 && Math.abs(shown[1] - 0.75 * 2.66e-3) < 1e-5, `dragged: ${shown}`);
    await browser.drag(x1, y, x2, y, 8); // with shift: a quarter of the width to the left
    shown = await changed('moving');
    assert.ok(Math.abs(shown[0] - 0.4375 * 2.66e-3) < 1e-5, `moved: ${shown}`);
    await browser.click(x1, y, 2);
    await restored('double click');

    await browser.ask(`document.querySelector('#gantt').focus()`);
    await browser.key('+');
    await changed('key +');
    await browser.key('0');
    await restored('key 0');
    await browser.key('ArrowRight');
    says(await tip(), 'stem');
    await browser.key('ArrowRight');
    says(await tip(), 'left_1');
    await browser.key('ArrowDown');
    says(await tip(), 'idle: waits for a transfer from stem'); // chip 1, at the same time
    await browser.key('Escape');
    assert.equal(await tip(), '');
    silent('overlapped');
  },

  async critical_path() {
    await open('overlapped');
    const state = () => browser.ask(`(() => { const lines = [...document.querySelectorAll('#gantt .underline')];
      const style = getComputedStyle(lines[0]);
      return {pressed: document.querySelector('#critical').getAttribute('aria-pressed'), shown: style.opacity,
        dimmed: getComputedStyle(document.querySelector('#gantt .bars')).opacity,
        lines: lines.map(l => (l.getAttribute('d').match(/M/g) ?? []).length),
        on: document.querySelectorAll('#gantt .on:not([d=""])').length,
        arrows: document.querySelector('#chain').getAttribute('d').match(/L/g)?.length ?? 0}; })()`);
    assert.deepEqual(await state(), { pressed: 'false', shown: '0', dimmed: '1', lines: [2, 3, 1], on: 0, arrows: 0 });
    await press('#critical');
    // stem, right_1, right_2, join, head; three transfers lie between them.
    assert.deepEqual(await state(), { pressed: 'true', shown: '1', dimmed: '0.3', lines: [2, 3, 1], on: 3, arrows: 3 });
    if (pictures) writeFileSync(join(pictures, 'critical.png'), await browser.screenshot());
    await browser.ask(`document.querySelector('#gantt').focus()`);
    await browser.key('c');
    assert.equal((await state()).pressed, 'false');
    silent('overlapped');
  },

  async rows_of_a_set_look_the_same() {
    await open('overlapped'); // the second row of set 2 refers to the first
    for (const dimmed of [false, true]) {
      if (dimmed) await press('#critical');
      const rows = [];
      for (const chip of [2, 3]) {
        const [x, y] = await at(chip, 1000 / 2660), [end] = await at(chip, 1600 / 2660);
        const clip = { x: Math.round(x), y: Math.round(y) - 4, width: Math.round(end - x), height: 8, scale: 1 };
        rows.push((await browser.send('Page.captureScreenshot', { format: 'png', clip })).data);
      }
      assert.equal(rows[0], rows[1], `highlighted: ${dimmed}`);
    }
  },

  async sorting() {
    await open('overlapped');
    const column = () => browser.ask(`[...document.querySelectorAll('table.sortable tbody tr')].map(r => r.cells[1].textContent)`);
    const inOrder = await column();
    const head = n => `table.sortable th:nth-child(${n})`;
    await browser.ask(`document.querySelector('table.sortable').scrollIntoView()`);
    await press(head(2));
    assert.deepEqual(await column(), [...inOrder].sort());
    await press(head(2));
    assert.deepEqual(await column(), [...inOrder].sort().reverse());
    await press(head(7)); // takes
    assert.equal((await column())[0], 'left_2');
    await browser.ask(`document.querySelector('${head(1)}').focus()`);
    await browser.key('Enter');
    assert.deepEqual(await column(), inOrder);
    assert.equal(await browser.ask(`document.querySelector('${head(1)}').getAttribute('aria-sort')`), 'ascending');
  },

  async dark_and_narrow() {
    const ground = () => browser.ask(`getComputedStyle(document.body).backgroundColor`);
    await open('overlapped', { dark: true });
    const dark = await ground();
    await open('sequential', { dark: true, width: 420 });
    await open('overlapped', { width: 420 });
    assert.notEqual(await ground(), dark);
    assert.ok(await browser.ask(`document.documentElement.scrollWidth <= 420`), 'nothing is wider than the window');
  },

  async ten_thousand_operators() {
    await open('large');
    await browser.ask(`window.scrollTo(0, 0)`);
    const [x, y] = await at(0, 0.5);
    const times = await browser.ask(`(async () => {
      const svg = document.querySelector('#gantt'), spent = [];
      for (let i = 0; i < 12; ++i) {
        await new Promise(done => requestAnimationFrame(done));
        const begin = performance.now();
        svg.dispatchEvent(new WheelEvent('wheel', {clientX: ${x}, clientY: ${y}, deltaY: i < 6 ? -60 : 60, cancelable: true}));
        await new Promise(done => requestAnimationFrame(() => { spent.push(performance.now() - begin); done(); }));
      }
      return spent;
    })()`);
    console.log(`  a zoom step of 10 000 operators: ${times.map(t => t.toFixed(0)).join(' ')} ms`);
    assert.ok(Math.min(...times) < 500);
    assert.ok((await bars()).length < 400_000, 'no more bars than pixels');
    says(await hover(0, 0.5), 'µs');
    silent('large');
  },

  ...studyTests({ browser, open, silent, box, press, tip, says }),

  // None of this must pass when the script is broken.
  async a_broken_script_is_noticed() {
    const text = readFileSync(join(folder, 'staged.html'), 'utf8');
    writeFileSync(join(folder, 'broken.html'), text.replace('const lanes = ', 'const lanes = undefined_name + '));
    await browser.show(url('broken'));
    assert.equal(browser.complaints.length, 1);
    assert.notEqual(await browser.ask('document.documentElement.dataset.ready'), '1');
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  const begin = performance.now();
  try {
    await test();
    console.log(`passed: ${name} (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
  } catch (error) {
    ++failed;
    console.log(`FAILED: ${name}\n${error.stack}`);
  }
}
await browser.close();
rmSync(folder, { recursive: true, force: true });
process.exit(failed === 0 ? 0 : 1);
