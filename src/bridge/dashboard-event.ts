import type { ServerEvent } from '../server/server-event.js';
import type { BridgeEvent } from './protocol.js';

const MAX_TEXT_CHARACTERS = 1_000;

/** What the protocol has room for. */
export const clipped = (text: string): string => text.slice(0, MAX_TEXT_CHARACTERS);

type Told = Extract<ServerEvent, { readonly type: 'session-opened' | 'session-closed' | 'handshake-failed' }>;

/** What happens one at a time, as dashboards see it. */
export function dashboardEvent(event: Told, atMs: number): BridgeEvent {
  switch (event.type) {
    case 'session-opened': {
      const { deviceId, transport, remoteAddress } = event.session;
      return { event: 'session-opened', atMs, deviceId, transport, remoteAddress: clipped(remoteAddress) };
    }
    case 'session-closed': {
      const { session, info } = event;
      const message = clipped(info.error?.message ?? 'the session ended with BYE');
      const code = info.error?.code ?? null;
      return { event: 'session-closed', atMs, deviceId: session.deviceId, origin: info.origin, code, message };
    }
    case 'handshake-failed': {
      const { deviceId = null, transport, error } = event;
      const remoteAddress = clipped(event.remoteAddress);
      const { code, message } = error;
      return { event: 'handshake-failed', atMs, deviceId, transport, remoteAddress, code, message: clipped(message) };
    }
  }
}
