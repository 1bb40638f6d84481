import { sinceWhen } from '../failures/incident-row.js';
import type { Incidents } from '../failures/incidents.js';
import { formatCount, formatRate } from '../format.js';
import { el, setClass } from '../dom.js';
import { tile } from '../page/tile.js';
import { Sparkline } from '../sparkline.js';
import { totalsOf, type Fleet } from './fleet.js';

/** The fleet in four numbers. */
export interface FleetTiles {
  readonly element: HTMLElement;
  show(fleet: Fleet, incidents: Incidents): void;
}

export function fleetTiles(): FleetTiles {
  const sparkline = new Sparkline();
  const online = tile('Online');
  const rate = tile('Messages a second', sparkline.element);
  const failures = tile('Failed handshakes');
  const drops = tile('Dropped frames');
  return {
    element: el(
      'section',
      { class: 'tiles', attributes: { 'aria-label': 'The fleet in numbers' } },
      ...[online, rate, failures, drops].map(({ element }) => element),
    ),
    show(fleet, incidents) {
      if (!fleet.isKnown) return;
      const totals = totalsOf(fleet);
      online.show(formatCount(totals.online), `of ${formatCount(totals.devices)}`);
      rate.show(formatRate(totals.messagesPerSecond));
      sparkline.show(fleet.totalRates, 'messages a second of the whole fleet, the last minute');
      failures.show(formatCount(incidents.counts.handshake), sinceWhen(incidents));
      setClass(failures.element, 'is-bad', incidents.counts.handshake > 0);
      drops.show(formatCount(totals.drops));
      setClass(drops.element, 'is-bad', totals.drops > 0);
    },
  };
}
