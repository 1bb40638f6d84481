import type { BridgeDevice } from 'usmp-rx/bridge-client';
import { el, setAttribute, setClass, setText } from '../dom.js';
import { abbreviateTransport, formatAgo, formatDateTime, formatRate, formatSpan } from '../format.js';
import { hashOf } from '../router.js';
import { Sparkline } from '../sparkline.js';
import type { Row } from '../virtual-list.js';
import { sparkOf, type Fleet } from './fleet.js';

/** A device, with what is known about it besides. */
export interface DeviceItem {
  readonly device: BridgeDevice;
  readonly fleet: Fleet;
  /** The gateway's time. */
  readonly nowMs: number;
}

const cell = (name: string, ...children: readonly Node[]): HTMLElement =>
  el('span', { class: `cell-${name}`, attributes: { role: 'cell' } }, ...children);

export function deviceRow(): Row<DeviceItem> {
  const presence = el('span', { class: 'presence' });
  const link = el('a', { class: 'row-link mono' });
  const transport = el('span', { class: 'badge' });
  const address = cell('address');
  const since = cell('since');
  const lastSeen = cell('last-seen');
  const rate = cell('rate');
  const value = cell('value');
  const sparkline = new Sparkline();
  const element = el(
    'div',
    { class: 'row', attributes: { role: 'row' } },
    cell('device', presence, link),
    cell('transport', transport),
    address,
    since,
    lastSeen,
    rate,
    value,
    cell('spark', sparkline.element),
  );

  return {
    element,
    show({ device, fleet, nowMs }, index) {
      const { deviceId, isOnline, sinceMs, lastSeenMs, messagesPerSecond } = device;
      // The heads are the first row.
      setAttribute(element, 'aria-rowindex', String(index + 2));
      setText(link, deviceId);
      setAttribute(link, 'href', hashOf({ name: 'device', deviceId }));
      setClass(element, 'is-offline', !isOnline);
      setAttribute(presence, 'title', isOnline ? 'online' : 'offline');
      setText(presence, isOnline ? 'online' : 'offline');
      setText(transport, abbreviateTransport(device.transport));
      setText(address, device.remoteAddress);
      setText(since, isOnline ? formatSpan(nowMs - sinceMs) : '–');
      setAttribute(since, 'title', isOnline ? `since ${formatDateTime(sinceMs)}` : 'no session');
      setText(lastSeen, formatAgo(nowMs - lastSeenMs));
      setAttribute(lastSeen, 'title', formatDateTime(lastSeenMs));
      setText(rate, `${formatRate(messagesPerSecond)}/s`);
      const summary = fleet.traces.get(deviceId)?.summary ?? '';
      setText(value, summary);
      setAttribute(value, 'title', summary);
      const spark = sparkOf(fleet, deviceId);
      sparkline.show(spark.values, `${spark.of}, the last minute`);
    },
  };
}
