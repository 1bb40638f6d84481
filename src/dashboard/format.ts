/*
 * Numbers, times and sizes as people read them. Times are in milliseconds since 1970, unless said otherwise.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `12 s`, `4 min`, `3 h 20 min`, `2 d 5 h`; below zero, which clocks that disagree make of it, `0 s`. */
export function formatSpan(ms: number): string {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return twoUnits(ms, HOUR, 'h', MINUTE, 'min');
  return twoUnits(ms, DAY, 'd', HOUR, 'h');
}

function twoUnits(ms: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % big) / small);
  return `${Math.floor(ms / big)} ${bigName}${rest > 0 ? ` ${rest} ${smallName}` : ''}`;
}

export const formatAgo = (ms: number): string => (ms < SECOND ? 'now' : `${formatSpan(ms)} ago`);

const pad = (n: number, digits = 2): string => String(n).padStart(digits, '0');

/** `14:03:07` in the reader's time zone. */
export function formatTime(atMs: number): string {
  const at = new Date(atMs);
  return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

/** `14:03:07.042` */
export const formatPreciseTime = (atMs: number): string =>
  `${formatTime(atMs)}.${pad(new Date(atMs).getMilliseconds(), 3)}`;

/** `2026-11-22 14:03:07` */
export function formatDateTime(atMs: number): string {
  const at = new Date(atMs);
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${formatTime(atMs)}`;
}

const counts = new Intl.NumberFormat('en');
export const formatCount = (n: number): string => counts.format(n);

/** A second: `0`, `0.4`, `2.0`, `12`, `4,980`. */
export function formatRate(perSecond: number): string {
  if (perSecond < 0.05) return '0';
  return perSecond < 9.95 ? perSecond.toFixed(1) : formatCount(Math.round(perSecond));
}

/** Up to six significant digits. */
export function formatNumber(n: number): string {
  const rounded = Number(n.toPrecision(6));
  return Math.abs(rounded) >= 1e9 || (rounded !== 0 && Math.abs(rounded) < 1e-4)
    ? rounded.toExponential()
    : String(rounded);
}

/** `64 B`, `1.8 kB`, `12 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1_000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const amount = bytes / 1_000 ** power;
  return `${power > 0 && amount < 10 ? amount.toFixed(1) : Math.floor(amount)} ${units[power]!}`;
}

/** `0.8 ms`, `14 ms`, `1.2 s`. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

const TRANSPORT_NAMES: Readonly<Record<string, readonly [name: string, short: string]>> = {
  tcp: ['TCP', 'TCP'],
  udp: ['UDP', 'UDP'],
  websocket: ['WebSocket', 'WS'],
  memory: ['Memory', 'MEM'],
};

/** How people write it; what is not known stays as it is. */
export const formatTransport = (transport: string): string => TRANSPORT_NAMES[transport]?.[0] ?? transport;

/** The same in three letters. */
export const abbreviateTransport = (transport: string): string => TRANSPORT_NAMES[transport]?.[1] ?? transport;
