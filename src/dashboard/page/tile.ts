import { el, setText, type Child } from '../dom.js';

/** A number with its name, large enough to be read from afar. */
export interface Tile {
  readonly element: HTMLElement;
  show(value: string, note?: string): void;
}

export function tile(name: string, ...more: readonly Child[]): Tile {
  const value = el('span', { class: 'tile-value', text: '–' });
  const note = el('span', { class: 'tile-note' });
  const figure = el('p', { class: 'tile-figure' }, value, note);
  return {
    element: el('div', { class: 'tile' }, el('h2', { class: 'tile-name', text: name }), figure, ...more),
    show(shown, shownNote = '') {
      setText(value, shown);
      setText(note, shownNote);
    },
  };
}
