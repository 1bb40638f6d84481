import { el, setAttribute, setText } from '../dom.js';
import { formatAgo, formatCount, formatDateTime, formatTime } from '../format.js';
import { hashOf } from '../router.js';
import type { Row } from '../virtual-list.js';
import type { Incident, IncidentGroup, IncidentKind, Incidents } from './incidents.js';

export const KIND_NAMES: Readonly<Record<IncidentKind, string>> = {
  handshake: 'Handshake',
  session: 'Session lost',
  drop: 'Dropped',
  refusal: 'Refused',
};

/** From when on they are known; nothing where there are none. */
export const sinceWhen = ({ sinceMs }: Incidents): string => (sinceMs === null ? '' : `since ${formatTime(sinceMs)}`);

const cell = (name: string): HTMLElement => el('span', { class: `cell-${name}`, attributes: { role: 'cell' } });

/** The device as a link, or the address where no device is known. */
function who(): { readonly element: HTMLElement; show(incident: Incident): void } {
  const link = el('a', { class: 'mono' });
  const address = el('span', { class: 'mono muted' });
  const element = cell('who');
  element.append(link, address);
  return {
    element,
    show({ deviceId, remoteAddress }) {
      setText(link, deviceId ?? '');
      setAttribute(link, 'href', deviceId === null ? undefined : hashOf({ name: 'device', deviceId }));
      setText(address, remoteAddress ?? (deviceId === null ? 'outside of sessions' : ''));
    },
  };
}

/** One line of the list of all. */
export function incidentRow(): Row<Incident> {
  const time = cell('time');
  const kind = el('span', { class: 'badge' });
  const kindCell = cell('kind');
  kindCell.append(kind);
  const subject = who();
  const cause = cell('cause');
  const detail = cell('detail');
  return {
    element: el('div', { class: 'row', attributes: { role: 'row' } }, time, kindCell, subject.element, cause, detail),
    show(incident) {
      setText(time, formatTime(incident.atMs));
      setAttribute(time, 'title', formatDateTime(incident.atMs));
      setText(kind, KIND_NAMES[incident.kind]);
      setAttribute(kind, 'data-kind', incident.kind);
      subject.show(incident);
      setText(cause, incident.count > 1 ? `${incident.cause} × ${formatCount(incident.count)}` : incident.cause);
      setText(detail, incident.detail);
      setAttribute(detail, 'title', incident.detail);
    },
  };
}

/** A cause, how often, and when last. */
export interface GroupItem {
  readonly group: IncidentGroup;
  /** The gateway's time. */
  readonly nowMs: number;
}

export function groupRow(): Row<GroupItem> {
  const count = cell('count');
  const kind = el('span', { class: 'badge' });
  const kindCell = cell('kind');
  kindCell.append(kind);
  const subject = who();
  const cause = cell('cause');
  const last = cell('last');
  return {
    element: el('div', { class: 'row', attributes: { role: 'row' } }, count, kindCell, subject.element, cause, last),
    show({ group: { latest, count: times }, nowMs }) {
      setText(count, formatCount(times));
      setText(kind, KIND_NAMES[latest.kind]);
      setAttribute(kind, 'data-kind', latest.kind);
      subject.show(latest);
      setText(cause, latest.cause);
      setText(last, formatAgo(nowMs - latest.atMs));
      setAttribute(last, 'title', formatDateTime(latest.atMs));
    },
  };
}
