// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string_view>

namespace mars::io::detail {

/// Tooltips and sorting of tables; `time_line_script` follows in the same function. Without them the
/// page shows the same figures.
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
  tip.setAttribute('role', 'status'); // read out when it changes
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
    if (!owner.classList.contains('row-name')) owner.setAttribute('aria-label', title.textContent);
    title.remove();
  }

  // Tables: a click on a column, or Enter, sorts by it.
  for (const table of all('table.sortable')) {
    const body = $('tbody', table);
    all('th', table).forEach((th, column) => {
      th.dataset.sort = '';
      th.tabIndex = 0;
      const sort = () => {
        const down = th.dataset.sort === 'up';
        for (const other of all('th', table)) {
          other.dataset.sort = '';
          other.removeAttribute('aria-sort');
        }
        th.dataset.sort = down ? 'down' : 'up';
        th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const key = row => row.cells[column].dataset.v ?? row.cells[column].textContent;
        const numeric = th.classList.contains('num');
        const order = (a, b) => numeric ? Number(key(a)) - Number(key(b)) : key(a).localeCompare(key(b));
        body.append(...[...body.rows].sort((a, b) => down ? order(b, a) : order(a, b)));
      };
      th.addEventListener('click', sort);
      th.addEventListener('keydown', event => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        sort();
      });
    });
  }
)js";

} // namespace mars::io::detail
