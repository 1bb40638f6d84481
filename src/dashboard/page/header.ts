import { el, setAttribute, setText } from '../dom.js';
import { icon, type IconName } from '../icons.js';
import { hashOf, type Route } from '../router.js';
import type { Theme } from '../theme.js';
import { logo } from './logo.js';

const THEME_NAMES: Readonly<Record<Theme, string>> = {
  system: 'Theme: as the system has it',
  light: 'Theme: light',
  dark: 'Theme: dark',
};

export interface Header {
  readonly element: HTMLElement;
  readonly nav: HTMLElement;
  showRoute(route: Route): void;
  showTheme(theme: Theme): void;
  showFailures(count: number): void;
}

export function header(connection: HTMLElement, onTheme: () => void, onHelp: () => void): Header {
  const count = el('span', { class: 'nav-count' });
  const fleetLink = navLink('fleet', 'Fleet', hashOf({ name: 'overview' }));
  const failuresLink = navLink('failures', 'Failures', hashOf({ name: 'failures' }));
  failuresLink.append(count);
  const themeButton = el('button', { class: 'quiet round', attributes: { type: 'button' }, on: { click: onTheme } });
  const helpButton = el(
    'button',
    {
      class: 'quiet round',
      attributes: { type: 'button', title: 'Keyboard shortcuts (?)', 'aria-label': 'Keyboard shortcuts' },
      on: { click: onHelp },
    },
    icon('help'),
  );
  const nav = el('nav', { attributes: { 'aria-label': 'Pages' } }, fleetLink, failuresLink);
  const element = el(
    'header',
    { class: 'header' },
    el(
      'a',
      { class: 'brand', attributes: { href: hashOf({ name: 'overview' }), 'aria-label': 'USMP gateway' } },
      logo(),
      el('span', { text: 'USMP' }),
    ),
    nav,
    el('span', { class: 'spacer' }),
    connection,
    themeButton,
    helpButton,
  );
  return {
    element,
    nav,
    showRoute({ name }) {
      setAttribute(fleetLink, 'aria-current', name === 'failures' ? undefined : name === 'overview' ? 'page' : 'true');
      setAttribute(failuresLink, 'aria-current', name === 'failures' ? 'page' : undefined);
    },
    showTheme(theme) {
      themeButton.replaceChildren(icon(theme));
      setAttribute(themeButton, 'title', `${THEME_NAMES[theme]} (t)`);
      setAttribute(themeButton, 'aria-label', THEME_NAMES[theme]);
    },
    showFailures: (n) => setText(count, n === 0 ? '' : n > 99 ? '99+' : String(n)),
  };
}

const navLink = (name: IconName, text: string, href: string): HTMLElement =>
  el('a', { attributes: { href } }, icon(name), el('span', { text }));
