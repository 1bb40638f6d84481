import { fromEvent, interval, map, Subscription, type Observable } from 'rxjs';
import { devicePage } from '../device/device-page.js';
import { el } from '../dom.js';
import { failuresPage } from '../failures/failures-page.js';
import { drawnEvery, type Live } from '../live.js';
import { overviewPage } from '../overview/overview-page.js';
import { hashOf, type Route } from '../router.js';
import { applyTheme, nextTheme, storedTheme } from '../theme.js';
import { connectionStatus } from './connection-status.js';
import { header } from './header.js';
import { showHelp } from './help.js';
import type { Page } from './page.js';
import { actionOf, isTextField } from './shortcuts.js';

function pageOf(live: Live, route: Route): Page {
  if (route.name === 'device') return devicePage(live, route.deviceId);
  return route.name === 'failures' ? failuresPage(live) : overviewPage(live);
}

/** The header and, below it, the page of the address; until it is unsubscribed from. */
export function showShell(root: HTMLElement, live: Live, routes$: Observable<Route>): Subscription {
  const running = new Subscription();
  const status = connectionStatus();
  const bar = header(status.badge, toggleTheme, showHelp);
  const main = el('main', { attributes: { id: 'main', tabindex: '-1' } });
  let page: Page | undefined;

  function toggleTheme(): void {
    const theme = nextTheme(storedTheme(localStorage));
    applyTheme(theme, document.documentElement, localStorage);
    bar.showTheme(theme);
  }

  function show(route: Route): void {
    page?.leave();
    const isFirst = page === undefined;
    page = pageOf(live, route);
    main.replaceChildren(page.element);
    document.title = `${page.title} · USMP`;
    bar.showRoute(route);
    // Where a reader of the screen goes on after the old page is gone.
    if (!isFirst) main.focus({ preventScroll: true });
  }

  const keys = {
    '1': () => (window.location.hash = hashOf({ name: 'overview' })),
    '2': () => (window.location.hash = hashOf({ name: 'failures' })),
    t: toggleTheme,
    '?': showHelp,
  };
  function onKey(event: KeyboardEvent): void {
    const focused = document.activeElement;
    if (event.key === 'Escape' && isTextField(focused) && focused instanceof HTMLElement) return focused.blur();
    const isDialogOpen = document.querySelector('dialog[open]') !== null;
    const action = actionOf(event, isTextField(focused), isDialogOpen, { ...page?.keys, ...keys });
    if (!action) return;
    event.preventDefault();
    action();
  }

  root.replaceChildren(bar.element, status.notice, main);
  bar.showTheme(storedTheme(localStorage));
  running.add(routes$.subscribe(show));
  running.add(fromEvent<KeyboardEvent>(document, 'keydown').subscribe(onKey));
  running.add(live.state$.subscribe((state) => status.showState(state)));
  running.add(live.missed$.pipe(drawnEvery(500)).subscribe((missed) => status.showMissed(missed)));
  running.add(live.refusal$.subscribe((why) => status.showRefusal(why)));
  running.add(interval(1_000).subscribe(() => status.tick()));
  const failures$ = live.incidents$.pipe(
    drawnEvery(500),
    map(({ counts }) => counts.handshake + counts.session + counts.refusal),
  );
  running.add(failures$.subscribe((count) => bar.showFailures(count)));
  running.add(() => page?.leave());
  return running;
}
