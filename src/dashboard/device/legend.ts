import { el, setAttribute, setText } from '../dom.js';

/** The names and values of a chart's lines; a click hides or shows one. */
export class Legend {
  readonly element = el('div', { class: 'legend', attributes: { role: 'group', 'aria-label': 'Fields' } });
  readonly #onToggle: () => void;
  readonly #entries = new Map<string, { button: HTMLElement; swatch: HTMLElement; value: HTMLElement }>();
  readonly #hidden = new Set<string>();

  constructor(onToggle: () => void) {
    this.#onToggle = onToggle;
  }

  isShown(field: string): boolean {
    return !this.#hidden.has(field);
  }

  /** What has the colour of the field. */
  swatchOf(field: string): Element {
    return this.#entryOf(field).swatch;
  }

  show(field: string, value: string): void {
    const { button, value: shown } = this.#entryOf(field);
    setText(shown, value);
    setAttribute(button, 'aria-pressed', String(this.isShown(field)));
  }

  #entryOf(field: string) {
    let entry = this.#entries.get(field);
    if (!entry) {
      const swatch = el('span', { class: `swatch colour-${this.#entries.size}` });
      const value = el('span', { class: 'legend-value' });
      const name = el('span', { class: 'legend-name', text: field });
      const button = el(
        'button',
        { attributes: { type: 'button', title: `${field}: hide or show` }, on: { click: () => this.#toggle(field) } },
        swatch,
        name,
        value,
      );
      entry = { button, swatch, value };
      this.#entries.set(field, entry);
      this.element.append(button);
    }
    return entry;
  }

  #toggle(field: string): void {
    if (!this.#hidden.delete(field)) this.#hidden.add(field);
    this.#onToggle();
  }
}
