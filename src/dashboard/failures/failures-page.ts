import { BehaviorSubject, combineLatest, interval, startWith, Subscription } from 'rxjs';
import { el, setClass, setText } from '../dom.js';
import { formatCount } from '../format.js';
import { drawnEvery, type Live } from '../live.js';
import { choice } from '../page/choice.js';
import type { Page } from '../page/page.js';
import { tile } from '../page/tile.js';
import { VirtualList, type Row } from '../virtual-list.js';
import { groupRow, incidentRow, KIND_NAMES, sinceWhen, type GroupItem } from './incident-row.js';
import {
  groupsOf,
  INCIDENT_KINDS,
  incidentsOf,
  type Incident,
  type IncidentKind,
  type Incidents,
} from './incidents.js';

const DRAW_MS = 500;
const CHOICES = ['all', ...INCIDENT_KINDS] as const;
const TILE_NAMES: Readonly<Record<IncidentKind, string>> = {
  handshake: 'Failed handshakes',
  session: 'Lost sessions',
  drop: 'Dropped frames',
  refusal: 'Refused connections',
};

/** A list in a card of its own, which scrolls by itself. */
function listCard<Item>(name: string, keyOf: (item: Item) => string | number, newRow: () => Row<Item>) {
  const rows = el('div', { class: 'rows', attributes: { role: 'rowgroup' } });
  const scroller = el(
    'div',
    { class: 'card-scroller', attributes: { role: 'table', 'aria-label': name, tabindex: '0' } },
    rows,
  );
  const empty = el('p', { class: 'empty' });
  const element = el(
    'section',
    { class: 'card' },
    el('div', { class: 'card-head' }, el('h2', { text: name })),
    scroller,
    empty,
  );
  return { element, scroller, empty, list: new VirtualList<Item>({ list: rows, scroller, keyOf, newRow }) };
}

export function failuresPage({ incidents$, now }: Live): Page {
  const chosen$ = new BehaviorSubject<IncidentKind | 'all'>('all');
  const tiles = INCIDENT_KINDS.map((kind) => ({ kind, tile: tile(TILE_NAMES[kind]) }));
  const kinds = choice(
    'Which failures',
    CHOICES,
    (value) => (value === 'all' ? 'All' : KIND_NAMES[value]),
    (value) => chosen$.next(value),
  );
  const since = el('span', { class: 'muted' });
  const groups = listCard<GroupItem>('By cause', ({ group }) => group.key, groupRow);
  const latest = listCard<Incident>('Latest first', ({ n }) => n, incidentRow);
  groups.element.classList.add('groups');
  latest.element.classList.add('incidents');
  const element = el(
    'div',
    { class: 'page failures' },
    el(
      'section',
      { class: 'tiles', attributes: { 'aria-label': 'Failures in numbers' } },
      ...tiles.map((each) => each.tile.element),
    ),
    el('div', { class: 'toolbar' }, kinds.element, since),
    el('div', { class: 'failures-columns' }, groups.element, latest.element),
  );

  let first: Incident | undefined;
  function draw(incidents: Incidents, chosen: IncidentKind | 'all'): void {
    for (const { kind, tile: shown } of tiles) {
      shown.show(formatCount(incidents.counts[kind]));
      setClass(shown.element, 'is-bad', incidents.counts[kind] > 0);
    }
    kinds.show(chosen);
    setText(since, sinceWhen(incidents));
    const nowMs = now();
    const shownGroups = groupsOf(incidents, chosen);
    groups.list.show(shownGroups.map((group) => ({ group, nowMs })));
    const shownIncidents = incidentsOf(incidents, chosen);
    const added = first ? shownIncidents.indexOf(first) : 0;
    latest.list.show(shownIncidents);
    // What one reads stays where it is while new lines come above it.
    if (added > 0 && latest.scroller.scrollTop > 0) latest.scroller.scrollTop += added * latest.list.rowHeight;
    [first] = shownIncidents;
    for (const { empty } of [groups, latest])
      setText(empty, shownIncidents.length > 0 ? '' : 'Nothing has failed so far.');
  }

  const running = new Subscription();
  const drawn$ = combineLatest([incidents$, interval(1_000).pipe(startWith(0))]).pipe(drawnEvery(DRAW_MS));
  running.add(combineLatest([drawn$, chosen$]).subscribe(([[incidents], chosen]) => draw(incidents, chosen)));
  for (const { list } of [groups, latest]) running.add(() => list.close());

  return { title: 'Failures', element, keys: {}, leave: () => running.unsubscribe() };
}
