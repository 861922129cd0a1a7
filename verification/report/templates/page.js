// The filter: it hides what does not have all of its words. Escape empties it. Without this script the page shows everything.
(() => {
  const main = document.getElementById('main');
  const field = document.getElementById('filter');
  const status = document.getElementById('filtered');
  const menu = document.getElementById('menu');
  const contents = document.getElementById('contents');
  const rows = [...main.querySelectorAll('tbody tr')].filter(row => !row.closest('.whole'));
  const units = [...main.querySelectorAll('.whole'), ...rows].filter(unit => !unit.parentElement.closest('.whole'));
  const groups = [...main.querySelectorAll('section, details, table, .matrix')].filter(group => !group.closest('.whole')).reverse();
  const texts = new Map();
  const opened = new Set();

  // The words of a unit, with those of its heads: `Q1` finds its row, and `wrong claims` every claim that is wrong.
  const text = unit => {
    if (!texts.has(unit)) texts.set(unit, unit.textContent.toLowerCase());
    return texts.get(unit);
  };

  const show = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const active = words.length > 0;
    let shown = 0;
    document.body.classList.toggle('filtering', active);
    for (const unit of units) {
      unit.hidden = active && !words.every(word => text(unit).includes(word));
      shown += unit.hidden ? 0 : 1;
    }
    for (const group of groups) {
      const inside = units.some(unit => !unit.hidden && group.contains(unit));
      group.hidden = active && !inside;
      if (group.tagName === 'DETAILS' && active && inside && !group.open) {
        group.open = true;
        opened.add(group);
      }
    }
    if (!active) {
      opened.forEach(group => { group.open = false; });
      opened.clear();
    }
    for (const link of contents.querySelectorAll('a')) {
      const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
      link.parentElement.hidden = active && target.hidden;
    }
    status.textContent = active ? `${shown} of ${units.length} entries` : '';
  };

  // A reference may lead to what is hidden or folded: it is shown, whatever the filter.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest('[hidden]')) {
      field.value = '';
      show();
    }
    for (let part = target; part; part = part.parentElement) {
      if (part.tagName === 'DETAILS') part.open = true;
    }
    target.scrollIntoView();
  };

  const toggle = open => {
    contents.classList.toggle('open', open);
    menu.setAttribute('aria-expanded', String(open));
  };

  // On a narrow screen each row stands as a block: its cells keep their meaning by roles, and are labelled by the heads of the columns.
  for (const table of main.querySelectorAll('table.rows')) {
    const heads = [...table.tHead.rows[0].cells].map(cell => cell.textContent);
    const roles = [[table, 'table'], [table.tHead, 'rowgroup'], [table.tBodies[0], 'rowgroup']];
    for (const row of table.rows) {
      roles.push([row, 'row']);
      [...row.cells].forEach((cell, i) => {
        roles.push([cell, cell.tagName === 'TD' ? 'cell' : cell.scope === 'col' ? 'columnheader' : 'rowheader']);
        cell.dataset.head = heads[i];
      });
    }
    roles.forEach(([element, role]) => element.setAttribute('role', role));
  }

  document.documentElement.classList.add('scripted');
  document.querySelector('.find').hidden = false;
  field.addEventListener('input', show);
  menu.addEventListener('click', () => toggle(menu.getAttribute('aria-expanded') !== 'true'));
  contents.addEventListener('click', event => { if (event.target.closest('a')) toggle(false); });
  addEventListener('keydown', event => {
    if (event.key !== 'Escape') return;
    if (contents.classList.contains('open')) {
      toggle(false);
      menu.focus();
    } else if (document.activeElement === field) {
      field.value = '';
      show();
    }
  });
  addEventListener('hashchange', reveal);
  show();
  reveal();
})();
