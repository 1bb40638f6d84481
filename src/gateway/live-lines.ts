import { filter, map, type Observable } from 'rxjs';
import { fragmentCount } from '../protocol/fragmentation.js';
import type { SessionEvent } from '../session/session-event.js';
import type { CloseInfo } from '../session/session.js';
import type { ServerEvent } from '../server/server-event.js';

/** One thing that happened. `who` is a device id, or an address where there is none. */
interface LiveLine {
  readonly who: string;
  readonly what: string;
  readonly isBad: boolean;
}

/**
 * What is worth a line among a server's events, with the time in front and the names of known devices: sizes, and never
 * contents. Ends as `events$` does.
 */
export function liveLines(events$: Observable<ServerEvent>, names: ReadonlyMap<string, string>): Observable<string> {
  return events$.pipe(
    map(describe),
    filter((line) => line !== undefined),
    map(({ who, what, isBad }) => {
      const time = new Date().toTimeString().slice(0, 8);
      return `${time} ${isBad ? '!' : ' '} ${(names.get(who) ?? '').padEnd(12)} ${who.padEnd(21)} ${what}`;
    }),
  );
}

const good = (who: string, what: string): LiveLine => ({ who, what, isBad: false });
const bad = (who: string, what: string): LiveLine => ({ who, what, isBad: true });

function describe(event: ServerEvent): LiveLine | undefined {
  switch (event.type) {
    case 'session-opened':
      return good(
        event.session.deviceId,
        `session ${event.session.sessionId.slice(0, 8)} over ${event.session.transport.toUpperCase()} from ${event.session.remoteAddress}`,
      );
    case 'session':
      return describeSession(event.session.deviceId, event.event);
    case 'session-closed':
      return describeEnd(event.session.deviceId, event.info);
    case 'handshake-failed':
      return bad(event.deviceId ?? event.remoteAddress, `refused, ${event.error.code}: ${event.error.message}`);
    case 'connection-refused':
      return bad(event.remoteAddress, `connection refused: ${event.reason}`);
    case 'session-rejected':
      return bad(
        event.deviceId,
        event.reason === 'has-session' ? 'refused: the device has a session' : 'refused: too many sessions',
      );
    case 'warning':
      return bad('gateway', event.message);
    default:
      return undefined;
  }
}

function describeSession(who: string, event: SessionEvent): LiveLine | undefined {
  switch (event.type) {
    case 'message': {
      const frames = fragmentCount(event.bytes);
      return good(who, `message, ${event.bytes} bytes${frames > 1 ? ` in ${frames} frames` : ''}`);
    }
    case 'ping':
      return good(who, 'PING, answered');
    case 'rekeyed':
      return good(who, `new keys, started by ${event.initiator === 'local' ? 'the gateway' : 'the device'}`);
    case 'paused':
      return bad(who, 'sends faster than it is read: its socket waits');
    default:
      return undefined;
  }
}

function describeEnd(who: string, { origin, error }: CloseInfo): LiveLine {
  if (error) return bad(who, `session lost, ${error.code}: ${error.message}`);
  return good(who, origin === 'remote' ? 'BYE' : 'BYE from the gateway');
}
