// Makes the page handy: names at points, tables that sort and filter, all of it by pointer and by keyboard. Without it all is there to read.

const tip = document.getElementById('tip');

// Points, boxes: arrows go from one to the next, and what has the pointer or the focus says what it is.
for (const marks of document.querySelectorAll('.marks')) {
  const items = [...marks.children];
  if (items.length === 0) continue;
  marks.ownerSVGElement.setAttribute('role', 'group');
  for (const item of items) {
    const title = item.querySelector('title');
    item.setAttribute('role', 'img');
    item.setAttribute('aria-label', title.textContent);
    item.setAttribute('tabindex', '-1');
    title.remove(); // else the browser shows it too
    item.addEventListener('pointerenter', () => show(item));
    item.addEventListener('pointerleave', hide);
    item.addEventListener('focus', () => show(item));
    item.addEventListener('blur', hide);
    if (item.dataset.row) item.addEventListener('click', event => event.pointerType === 'touch' || goTo(item.dataset.row));
  }
  const place = item => item.getBoundingClientRect();
  const inOrder = () => items.toSorted((a, b) => place(a).left - place(b).left || place(a).top - place(b).top);
  items[0].setAttribute('tabindex', '0');
  marks.addEventListener('keydown', event => {
    const order = inOrder();
    const at = order.indexOf(document.activeElement);
    const next = {
      ArrowRight: order[at + 1],
      ArrowDown: order[at + 1],
      ArrowLeft: order[at - 1],
      ArrowUp: order[at - 1],
      Home: order[0],
      End: order.at(-1),
    };
    if (event.key in next) {
      event.preventDefault();
      if (!next[event.key]) return;
      document.activeElement.setAttribute('tabindex', '-1');
      next[event.key].setAttribute('tabindex', '0');
      next[event.key].focus();
    } else if (event.key === 'Enter' && document.activeElement.dataset.row) goTo(document.activeElement.dataset.row);
  });
}
document.addEventListener('keydown', event => {
  if (event.key === 'Escape') hide();
});

function show(item) {
  hide();
  const {row} = item.dataset;
  tip.replaceChildren(...(row ? factsOf(document.getElementById(row)) : [item.getAttribute('aria-label')]));
  for (const each of row ? document.querySelectorAll(`[data-row="${row}"],#${row}`) : [item]) each.classList.add('on');
  tip.hidden = false;
  const {left, right, top, bottom} = item.getBoundingClientRect();
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  const x = Math.min(Math.max(8, (left + right) / 2 + 12), innerWidth - width - 8);
  const above = Math.max(top, 0) - height - 8;
  tip.style.left = `${x}px`;
  tip.style.top = `${above >= 8 ? above : Math.min(Math.min(bottom, innerHeight) + 8, innerHeight - height - 8)}px`;
}

function hide() {
  tip.hidden = true;
  for (const each of document.querySelectorAll('.on')) each.classList.remove('on');
}

// A row as a list: the head of each column that says something, and what it says.
function factsOf(row) {
  const heads = row.closest('table').tHead.rows[0].cells;
  const name = document.createElement('strong');
  name.textContent = row.dataset.variant;
  const list = document.createElement('dl');
  for (const cell of [...row.cells].slice(1)) {
    if (cell.textContent === '') continue;
    const [term, fact] = [document.createElement('dt'), document.createElement('dd')];
    term.textContent = heads[cell.cellIndex].textContent;
    fact.textContent = cell.textContent;
    list.append(term, fact);
  }
  return [name, list];
}

function goTo(id) {
  const row = document.getElementById(id);
  const around = row.closest('details');
  if (around) around.open = true;
  row.hidden = false;
  location.replace(`#${id}`);
}

// Numbers from small to large, then the other way; what is not known stays last.
const words = new Intl.Collator('en', {numeric: true});
for (const table of document.querySelectorAll('table.sortable')) {
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => sort(table, head));
  }
}

function sort(table, head) {
  const down = head.getAttribute('aria-sort') === 'ascending';
  for (const each of table.tHead.rows[0].cells) each.removeAttribute('aria-sort');
  head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  const keyed = [...table.tBodies[0].rows].map(row => {
    const cell = row.cells[head.cellIndex];
    const {by} = cell.dataset;
    return {row, key: by === undefined ? cell.textContent : Number(by), isEmpty: cell.textContent === ''};
  });
  const compare = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : words.compare(a, b));
  keyed.sort((a, b) => a.isEmpty - b.isEmpty || (down ? compare(b.key, a.key) : compare(a.key, b.key)));
  table.tBodies[0].append(...keyed.map(({row}) => row));
}

for (const part of document.querySelectorAll('.filtered')) {
  const [text, dropped] = part.querySelectorAll('input');
  const rows = [...part.querySelectorAll('tbody tr')];
  const apply = () => {
    const wanted = text.value.toLowerCase();
    for (const row of rows)
      row.hidden = !row.textContent.toLowerCase().includes(wanted) || (dropped.checked && !row.classList.contains('is-dropped'));
    const count = rows.filter(row => !row.hidden).length;
    part.querySelector('output').textContent = count < rows.length ? `${count} of ${rows.length}` : '';
  };
  text.addEventListener('input', apply);
  dropped.addEventListener('change', apply);
  part.querySelector('.filter').hidden = false;
}

// On paper nothing can be opened.
let opened = [];
addEventListener('beforeprint', () => {
  opened = [...document.querySelectorAll('details:not([open])')];
  for (const each of opened) each.open = true;
});
addEventListener('afterprint', () => {
  for (const each of opened) each.open = false;
});
