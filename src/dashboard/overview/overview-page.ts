import { BehaviorSubject, combineLatest, Subscription } from 'rxjs';
import { el, setAttribute, setText } from '../dom.js';
import { formatCount } from '../format.js';
import { icon } from '../icons.js';
import { drawnEvery, type Live } from '../live.js';
import { choice } from '../page/choice.js';
import type { Page } from '../page/page.js';
import { VirtualList } from '../virtual-list.js';
import { columnHeads, sortMenu } from './column-heads.js';
import { deviceRow, type DeviceItem } from './device-row.js';
import type { Fleet } from './fleet.js';
import { fleetTiles } from './fleet-tiles.js';
import { EVERYTHING, PRESENCES, selected, sortedBy, type Presence, type Selection, type SortKey } from './selection.js';

const DRAW_MS = 500;
const PRESENCE_NAMES: Readonly<Record<Presence, string>> = { all: 'All', online: 'Online', offline: 'Offline' };
/** As it was left, for who comes back from a device. */
const selection$ = new BehaviorSubject<Selection>(EVERYTHING);

export function overviewPage({ fleet$, incidents$, now }: Live): Page {
  const change = (part: Partial<Selection>): void => selection$.next({ ...selection$.value, ...part });
  const sort = (key: SortKey): void => selection$.next(sortedBy(selection$.value, key));
  const tiles = fleetTiles();
  const presence = choice(
    'Which devices',
    PRESENCES,
    (value) => PRESENCE_NAMES[value],
    (value) => change({ presence: value }),
  );
  const heads = columnHeads(sort);
  const menu = sortMenu(sort);
  const search = el('input', {
    attributes: { type: 'search', placeholder: 'Find a device', 'aria-label': 'Find a device', spellcheck: 'false' },
    on: { input: () => change({ text: search.value }) },
  });
  search.value = selection$.value.text;
  const listed = el('span', { class: 'muted listed', attributes: { role: 'status' } });
  const empty = el('p', { class: 'empty' });
  const rows = el('div', { class: 'rows', attributes: { role: 'rowgroup' } });
  const table = el(
    'div',
    { class: 'card fleet', attributes: { role: 'table', 'aria-label': 'Devices' } },
    heads.element,
    rows,
    empty,
  );
  const element = el(
    'div',
    { class: 'page overview' },
    tiles.element,
    el(
      'div',
      { class: 'toolbar' },
      el('label', { class: 'search' }, icon('search'), search),
      presence.element,
      menu.element,
      listed,
    ),
    table,
  );
  const list = new VirtualList<DeviceItem>({
    list: rows,
    scroller: element,
    keyOf: ({ device }) => device.deviceId,
    newRow: deviceRow,
  });

  let items: readonly DeviceItem[] = [];
  const draw = (fleet: Fleet, selection: Selection): void => {
    const devices = selected(fleet, selection);
    const nowMs = now();
    items = devices.map((device) => ({ device, fleet, nowMs }));
    list.show(items);
    presence.show(selection.presence);
    heads.show(selection);
    menu.show(selection);
    setText(listed, devices.length === fleet.devices.length ? '' : `${formatCount(devices.length)} listed`);
    setAttribute(table, 'aria-rowcount', String(items.length + 1));
    setText(empty, devices.length > 0 ? '' : emptiness(fleet));
  };
  const move = (by: number): void => {
    const focused = items.findIndex(({ device }) => document.activeElement?.textContent === device.deviceId);
    const next = focused < 0 ? 0 : Math.max(0, Math.min(items.length - 1, focused + by));
    list.reveal(next)?.querySelector('a')?.focus({ preventScroll: true });
  };

  const running = new Subscription();
  const drawn$ = fleet$.pipe(drawnEvery(DRAW_MS));
  running.add(combineLatest([drawn$, selection$]).subscribe(([fleet, selection]) => draw(fleet, selection)));
  running.add(
    combineLatest([fleet$, incidents$])
      .pipe(drawnEvery(DRAW_MS))
      .subscribe(([fleet, incidents]) => tiles.show(fleet, incidents)),
  );
  running.add(() => list.close());

  return {
    title: 'Fleet',
    element,
    keys: {
      '/': () => search.focus(),
      j: () => move(1),
      k: () => move(-1),
    },
    leave: () => running.unsubscribe(),
  };
}

function emptiness({ isKnown, devices }: Fleet): string {
  if (!isKnown) return 'Asking the gateway who is here …';
  return devices.length > 0 ? 'No device is like that.' : 'No device has come yet.';
}
