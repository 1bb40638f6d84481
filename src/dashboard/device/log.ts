import type { BridgeEvent } from 'usmp-rx/bridge-client';
import { formatTransport } from '../format.js';

/** How far a command got. */
export type Delivery = 'sending' | 'delivered' | { readonly failed: string };

/** A line of the log. `n` rises by one from line to line. */
export type LogEntry = { readonly n: number; readonly atMs: number } & (
  | { readonly kind: 'received'; readonly payload: Uint8Array }
  | { readonly kind: 'sent'; readonly payload: Uint8Array; readonly delivery: Delivery }
  | { readonly kind: 'note'; readonly text: string; readonly isBad: boolean }
);

/** What happened between a device and whoever looks at its page. */
export interface Log {
  readonly entries: readonly LogEntry[];
  readonly nextN: number;
}

export const EMPTY_LOG: Log = { entries: [], nextN: 0 };
/** 2,000 messages of 1808 bytes are 3.6 MB. */
export const MAX_ENTRIES = 2_000;

type Unnumbered<T> = T extends LogEntry ? Omit<T, 'n'> : never;

/** The oldest lines go. */
export function withEntries(log: Log, added: readonly Unnumbered<LogEntry>[]): Log {
  const numbered = added.map((entry, at) => ({ ...entry, n: log.nextN + at }));
  return { entries: [...log.entries, ...numbered].slice(-MAX_ENTRIES), nextN: log.nextN + added.length };
}

/** Where that line is gone already nothing changes. */
export const withDelivery = (log: Log, n: number, delivery: Delivery): Log => ({
  ...log,
  entries: log.entries.map((entry) => (entry.n === n && entry.kind === 'sent' ? { ...entry, delivery } : entry)),
});

/** The line that an event of the device is worth; undefined for none. */
export function noteOf(event: BridgeEvent): Unnumbered<LogEntry> | undefined {
  const note = (text: string, isBad: boolean) => ({ kind: 'note', atMs: event.atMs, text, isBad }) as const;
  switch (event.event) {
    case 'session-opened':
      return note(`session over ${formatTransport(event.transport)} from ${event.remoteAddress}`, false);
    case 'session-closed':
      if (event.code !== null) return note(`session lost: ${event.code}, ${event.message}`, true);
      return note(event.origin === 'remote' ? 'the device said BYE' : 'the gateway said BYE', false);
    case 'handshake-failed':
      return note(`handshake failed: ${event.code}, ${event.message}`, true);
    case 'dropped':
      return note(`dropped ${event.count}: ${event.reason}`, true);
    case 'refused':
      return undefined;
  }
}
