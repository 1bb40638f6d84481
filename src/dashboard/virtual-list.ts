import { visibleRange } from './visible-range.js';

/** A row of a list: an element that shows one item after another. */
export interface Row<Item> {
  readonly element: HTMLElement;
  /** @param index among all items */
  show(item: Item, index: number): void;
}

export interface VirtualListOptions<Item> {
  /** Holds nothing but the rows; all of them have the height of the custom property `--row-height` there, in pixels. */
  readonly list: HTMLElement;
  /** What scrolls, somewhere around the list. */
  readonly scroller: HTMLElement;
  readonly keyOf: (item: Item) => string | number;
  readonly newRow: () => Row<Item>;
}

/** Any number of items, of which only those that are seen have rows in the document. */
export class VirtualList<Item> {
  readonly #options: VirtualListOptions<Item>;
  readonly #rows = new Map<string | number, Row<Item>>();
  readonly #spare: Row<Item>[] = [];
  readonly #resizes = new ResizeObserver(() => this.#render());
  #items: readonly Item[] = [];

  constructor(options: VirtualListOptions<Item>) {
    this.#options = options;
    options.list.classList.add('virtual-list');
    options.scroller.addEventListener('scroll', this.#onScroll, { passive: true });
    this.#resizes.observe(options.scroller);
  }

  get rowHeight(): number {
    return Number.parseFloat(getComputedStyle(this.#options.list).getPropertyValue('--row-height')) || 40;
  }

  show(items: readonly Item[]): void {
    this.#items = items;
    this.#render();
  }

  /** Brings the row of that index into view and returns it; undefined where there is none. */
  reveal(index: number): HTMLElement | undefined {
    const item = this.#items[index];
    if (item === undefined) return undefined;
    const { scroller } = this.#options;
    const { rowHeight } = this;
    const above = index * rowHeight - this.#viewport().top;
    // One more row of room, for what sticks to the scroller's top.
    if (above < rowHeight) scroller.scrollTop += above - rowHeight;
    else if (above > scroller.clientHeight - 2 * rowHeight)
      scroller.scrollTop += above - scroller.clientHeight + 2 * rowHeight;
    this.#render();
    return this.#rows.get(this.#options.keyOf(item))?.element;
  }

  close(): void {
    this.#options.scroller.removeEventListener('scroll', this.#onScroll);
    this.#resizes.disconnect();
  }

  readonly #onScroll = (): void => this.#render();

  #viewport(): { readonly top: number; readonly height: number } {
    const { list, scroller } = this.#options;
    const top = scroller.getBoundingClientRect().top - list.getBoundingClientRect().top;
    return { top, height: scroller.clientHeight };
  }

  #render(): void {
    const { list, keyOf } = this.#options;
    const { rowHeight } = this;
    const { first, end } = visibleRange(this.#viewport(), rowHeight, this.#items.length);
    const visible = this.#items.slice(first, end);
    const focused = document.activeElement;
    this.#retire(new Set(visible.map(keyOf)));

    let place = list.firstElementChild;
    visible.forEach((item, at) => {
      const row = this.#rowOf(keyOf(item));
      row.show(item, first + at);
      row.element.style.transform = `translateY(${(first + at) * rowHeight}px)`;
      // In the order of the items also in the document, which is the order of the Tab key.
      if (row.element === place) place = place.nextElementSibling;
      else list.insertBefore(row.element, place);
    });
    const height = `${this.#items.length * rowHeight}px`;
    if (list.style.height !== height) list.style.height = height;
    if (focused instanceof HTMLElement && focused !== document.activeElement && list.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  #retire(wanted: ReadonlySet<string | number>): void {
    for (const [key, row] of this.#rows) {
      if (wanted.has(key)) continue;
      row.element.remove();
      this.#rows.delete(key);
      this.#spare.push(row);
    }
  }

  #rowOf(key: string | number): Row<Item> {
    let row = this.#rows.get(key);
    if (!row) {
      row = this.#spare.pop() ?? this.#options.newRow();
      this.#rows.set(key, row);
    }
    return row;
  }
}
