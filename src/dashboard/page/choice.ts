import { el, setAttribute } from '../dom.js';

/** A few buttons of which one is pressed. */
export interface Choice<Value extends string> {
  readonly element: HTMLElement;
  show(value: Value): void;
}

export function choice<Value extends string>(
  label: string,
  values: readonly Value[],
  nameOf: (value: Value) => string,
  onChoose: (value: Value) => void,
): Choice<Value> {
  const buttons = values.map((value) =>
    el('button', { text: nameOf(value), attributes: { type: 'button' }, on: { click: () => onChoose(value) } }),
  );
  return {
    element: el('div', { class: 'choice', attributes: { role: 'group', 'aria-label': label } }, ...buttons),
    show(chosen) {
      buttons.forEach((button, at) => setAttribute(button, 'aria-pressed', String(values[at] === chosen)));
    },
  };
}
