import type { BridgeDevice } from 'usmp-rx/bridge-client';
import type { Fleet } from './fleet.js';

export const SORT_KEYS = ['device', 'transport', 'address', 'since', 'last-seen', 'rate', 'value'] as const;
export type SortKey = (typeof SORT_KEYS)[number];
export const PRESENCES = ['all', 'online', 'offline'] as const;
export type Presence = (typeof PRESENCES)[number];

/** Which devices the overview lists, and in which order. */
export interface Selection {
  /** In the id, the address, the transport or the last value. */
  readonly text: string;
  readonly presence: Presence;
  readonly sortKey: SortKey;
  readonly isDescending: boolean;
}

export const EVERYTHING: Selection = { text: '', presence: 'all', sortKey: 'device', isDescending: false };

/** What one looks for in times and rates is at their upper end. */
const DESCENDING_FIRST: readonly SortKey[] = ['since', 'last-seen', 'rate'];

/** By another column, or the other way round by the same. */
export const sortedBy = (selection: Selection, sortKey: SortKey): Selection => ({
  ...selection,
  sortKey,
  isDescending: sortKey === selection.sortKey ? !selection.isDescending : DESCENDING_FIRST.includes(sortKey),
});

/** The devices to list; those that are equal in the sorted column stay in the order of their ids. */
export function selected(fleet: Fleet, { text, presence, sortKey, isDescending }: Selection): readonly BridgeDevice[] {
  const wanted = text.trim().toLowerCase();
  const summaryOf = ({ deviceId }: BridgeDevice): string => fleet.traces.get(deviceId)?.summary ?? '';
  const isSelected = (device: BridgeDevice): boolean =>
    (presence === 'all' || device.isOnline === (presence === 'online')) &&
    (wanted === '' || searchable(device, summaryOf(device)).includes(wanted));
  const sign = isDescending ? -1 : 1;
  const compared = comparison(sortKey, summaryOf);
  return fleet.devices.filter(isSelected).sort((a, b) => sign * compared(a, b) || byId(a, b));
}

const searchable = ({ deviceId, remoteAddress, transport }: BridgeDevice, summary: string): string =>
  `${deviceId} ${remoteAddress} ${transport} ${summary}`.toLowerCase();

type Comparison = (a: BridgeDevice, b: BridgeDevice) => number;

/** Port 9000 comes before port 10000. */
const { compare: compareTexts } = new Intl.Collator('en', { numeric: true });
const byId: Comparison = (a, b) => (a.deviceId < b.deviceId ? -1 : a.deviceId > b.deviceId ? 1 : 0);
const byNumber =
  (numberOf: (device: BridgeDevice) => number): Comparison =>
  (a, b) =>
    numberOf(a) - numberOf(b);
const byText =
  (textOf: (device: BridgeDevice) => string): Comparison =>
  (a, b) =>
    compareTexts(textOf(a), textOf(b));
/** The longest session is the greatest; without one, it is none. */
const uptime = ({ isOnline, sinceMs }: BridgeDevice): number => (isOnline ? -sinceMs : -Number.MAX_SAFE_INTEGER);

function comparison(key: SortKey, summaryOf: (device: BridgeDevice) => string): Comparison {
  switch (key) {
    case 'device':
      return byId;
    case 'transport':
      return byText((device) => device.transport);
    case 'address':
      return byText((device) => device.remoteAddress);
    case 'since':
      return byNumber(uptime);
    case 'last-seen':
      return byNumber((device) => device.lastSeenMs);
    case 'rate':
      return byNumber((device) => device.messagesPerSecond);
    case 'value':
      return byText(summaryOf);
  }
}
