import { el, setAttribute, setText } from '../dom.js';
import { SORT_KEYS, type Selection, type SortKey } from './selection.js';

const NAMES: Readonly<Record<SortKey, string>> = {
  device: 'Device',
  transport: 'Over',
  address: 'Address',
  since: 'Up for',
  'last-seen': 'Last seen',
  rate: 'Rate',
  value: 'Last value',
};

export interface SortControl {
  readonly element: HTMLElement;
  show(selection: Selection): void;
}

/** The head of the table: a click on a column sorts by it. */
export function columnHeads(onSort: (key: SortKey) => void): SortControl {
  const heads = SORT_KEYS.map((key) =>
    el(
      'span',
      { class: `cell-${key}`, attributes: { role: 'columnheader' } },
      el('button', { text: NAMES[key], attributes: { type: 'button' }, on: { click: () => onSort(key) } }),
    ),
  );
  const spark = el('span', { class: 'cell-spark', text: 'Last minute', attributes: { role: 'columnheader' } });
  return {
    element: el('div', { class: 'row row-heads', attributes: { role: 'row' } }, ...heads, spark),
    show({ sortKey, isDescending }) {
      SORT_KEYS.forEach((key, at) =>
        setAttribute(heads[at]!, 'aria-sort', key === sortKey ? (isDescending ? 'descending' : 'ascending') : 'none'),
      );
    },
  };
}

/** The same for where there is no room for a head. */
export function sortMenu(onSort: (key: SortKey) => void): SortControl {
  const options = SORT_KEYS.map((key) => el('option', { text: NAMES[key], attributes: { value: key } }));
  const menu = el('select', { attributes: { 'aria-label': 'Sort by' } }, ...options);
  menu.addEventListener('change', () => onSort(SORT_KEYS[menu.selectedIndex]!));
  const direction = el('button', {
    attributes: { type: 'button', 'aria-label': 'Turn the order round' },
    on: { click: () => onSort(SORT_KEYS[menu.selectedIndex]!) },
  });
  return {
    element: el('span', { class: 'sort-menu' }, menu, direction),
    show({ sortKey, isDescending }) {
      menu.value = sortKey;
      setText(direction, isDescending ? '↓' : '↑');
    },
  };
}
