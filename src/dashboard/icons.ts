import { svg } from './dom.js';

/** Outlines in a box of 24 by 24. */
const PATHS = {
  fleet: 'M4 6h16M4 12h16M4 18h10',
  failures: 'M12 4 21 20H3ZM12 10v4M12 17v.5',
  system: 'M12 3a9 9 0 1 0 0 18ZM12 3a9 9 0 0 1 0 18',
  light:
    'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5',
  dark: 'M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5Z',
  help: 'M9 9a3 3 0 1 1 4.2 2.7c-.8.4-1.2 1-1.2 1.9M12 17v.5M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z',
  back: 'M15 5l-7 7 7 7',
  send: 'M4 12h14M12 6l6 6-6 6',
  ping: 'M3 12h4l3-7 4 14 3-7h4',
  end: 'M7 7l10 10M17 7 7 17',
  down: 'M12 5v13M6 12l6 6 6-6',
  search: 'M11 5a6 6 0 1 0 0 12 6 6 0 0 0 0-12ZM15.5 15.5 20 20',
} as const;
export type IconName = keyof typeof PATHS;

/** For decoration: what it stands for has to be said in words beside it, or in a label. */
export const icon = (name: IconName): SVGSVGElement =>
  svg('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, svg('path', { d: PATHS[name] }));
