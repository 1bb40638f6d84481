import { svg } from '../dom.js';

/** The same as icon.svg. */
export const logo = (): SVGSVGElement =>
  svg(
    'svg',
    { class: 'logo', viewBox: '0 0 32 32', 'aria-hidden': 'true' },
    svg('rect', { class: 'logo-ground', width: '32', height: '32', rx: '8' }),
    svg('path', { class: 'logo-line', d: 'M6 18h4l3-9 5 15 3.5-10 1.5 4h3' }),
  );
