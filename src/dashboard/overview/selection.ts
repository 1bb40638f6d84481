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
  const valueOf = ({ deviceId }: BridgeDevice): string => fleet.traces.get(deviceId)?.summary ?? '';
  const isSelected = (device: BridgeDevice): boolean =>
    (presence === 'all' || device.isOnline === (presence === 'online')) &&
    (wanted === '' || searchable(device, valueOf(device)).includes(wanted));
  const sign = isDescending ? -1 : 1;
  const compared = compare(sortKey, valueOf);
  return fleet.devices.filter(isSelected).sort((a, b) => sign * compared(a, b) || byId(a, b));
}

const searchable = ({ deviceId, remoteAddress, transport }: BridgeDevice, value: string): string =>
  `${deviceId} ${remoteAddress} ${transport} ${value}`.toLowerCase();

type Comparison = (a: BridgeDevice, b: BridgeDevice) => number;

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byId: Comparison = (a, b) => compareTexts(a.deviceId, b.deviceId);

function compare(key: SortKey, valueOf: (device: BridgeDevice) => string): Comparison {
  switch (key) {
    case 'device':
      return byId;
    case 'transport':
      return (a, b) => compareTexts(a.transport, b.transport);
    case 'address':
      return (a, b) => compareTexts(a.remoteAddress, b.remoteAddress);
    case 'since':
      return (a, b) => a.sinceMs - b.sinceMs;
    case 'last-seen':
      return (a, b) => a.lastSeenMs - b.lastSeenMs;
    case 'rate':
      return (a, b) => a.messagesPerSecond - b.messagesPerSecond;
    case 'value':
      return (a, b) => compareTexts(valueOf(a), valueOf(b));
  }
}
