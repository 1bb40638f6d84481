import { svg } from './dom.js';
import { sparklinePath } from './sparkline-path.js';

const WIDTH = 120;
const HEIGHT = 28;
/** Fewer values than these do not fill the width: two points would be a slope from edge to edge. */
const ENOUGH = 15;

/** A small chart in the colour of the text. */
export class Sparkline {
  readonly #line = svg('path', { class: 'sparkline-line' });
  readonly #area = svg('path', { class: 'sparkline-area' });
  readonly element = svg(
    'svg',
    { class: 'sparkline', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' },
    this.#area,
    this.#line,
  );
  #shown: readonly number[] | undefined;

  /** The newest value last. The label says what it shows. */
  show(values: readonly number[], label: string): void {
    this.element.setAttribute('aria-label', label);
    if (values === this.#shown) return;
    this.#shown = values;
    const path = sparklinePath(values, { width: WIDTH, height: HEIGHT, enough: ENOUGH });
    this.#line.setAttribute('d', path?.line ?? '');
    this.#area.setAttribute('d', path?.area ?? '');
  }
}
