import type { ServerEvent } from '../server/server-event.js';

interface Counts {
  sessions: number;
  messages: number;
  bytes: number;
  pings: number;
  drops: number;
  failures: number;
}

const COLUMNS = ['sessions', 'messages', 'bytes', 'pings', 'drops', 'failures'] as const;

/** What each device did, by device id, or by address where a failure has none. */
export class Summary {
  readonly #counts = new Map<string, Counts>();

  record(event: ServerEvent): void {
    switch (event.type) {
      case 'session-opened':
        this.#of(event.session.deviceId).sessions++;
        break;
      case 'session':
        if (event.event.type === 'dropped') this.#of(event.session.deviceId).drops++;
        if (event.event.type === 'ping') this.#of(event.session.deviceId).pings++;
        if (event.event.type === 'message') this.#message(event.session.deviceId, event.event.bytes);
        break;
      case 'session-closed':
        if (event.info.error) this.#of(event.session.deviceId).failures++;
        break;
      case 'handshake-failed':
        this.#of(event.deviceId ?? event.remoteAddress).failures++;
        break;
      default:
    }
  }

  /** A table for a terminal; `names` are those of known devices. */
  format(names: ReadonlyMap<string, string>): string {
    if (this.#counts.size === 0) return 'nobody came';
    const rows = [...this.#counts].map(([who, counts]) => [
      names.get(who) ?? '',
      who,
      ...COLUMNS.map((column) => counts[column].toLocaleString('en')),
    ]);
    return [['', 'device', ...COLUMNS], ...rows].map((cells) => cells.map(padded).join('  ')).join('\n');
  }

  #of(who: string): Counts {
    let counts = this.#counts.get(who);
    if (!counts) {
      counts = { sessions: 0, messages: 0, bytes: 0, pings: 0, drops: 0, failures: 0 };
      this.#counts.set(who, counts);
    }
    return counts;
  }

  #message(deviceId: string, bytes: number): void {
    const counts = this.#of(deviceId);
    counts.messages++;
    counts.bytes += bytes;
  }
}

const padded = (cell: string, column: number): string =>
  column === 0 ? cell.padEnd(12) : column === 1 ? cell.padEnd(21) : cell.padStart(9);
