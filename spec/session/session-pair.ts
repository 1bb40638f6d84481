import { fastNodeCrypto } from '../../src/crypto/fast-node.js';
import {
  FrameDecoder,
  Secret,
  swapDirections,
  type CryptoProvider,
  type DirectionKeys,
} from '../../src/protocol/index.js';
import { sessionLimits, type SessionLimitOptions } from '../../src/session/session-limits.js';
import { UsmpSession } from '../../src/session/usmp-session.js';
import { VirtualTime } from '../../src/testing/index.js';
import { memoryTransportPair, type MemoryLinkOptions, type MemoryTransport } from '../../src/transport/memory.js';
import { DEVICE_ID, pattern, SESSION_ID } from '../protocol/pair.js';

type Limits = SessionLimitOptions & { readonly keepaliveMs?: number };

export interface SessionPairOptions extends Omit<MemoryLinkOptions, 'scheduler'> {
  readonly client?: Limits;
  readonly server?: Limits;
  readonly crypto?: CryptoProvider;
}

export interface SessionPair {
  readonly client: UsmpSession;
  readonly server: UsmpSession;
  readonly line: MemoryTransport;
  readonly time: VirtualTime;
}

/** Two real sessions with each other, on virtual time. */
export function sessionPair({
  client = {},
  server = {},
  crypto = fastNodeCrypto,
  ...link
}: SessionPairOptions = {}): SessionPair {
  const time = new VirtualTime();
  const [clientEnd, serverEnd] = memoryTransportPair({ ...link, scheduler: time });
  const ids = { deviceId: DEVICE_ID, sessionId: SESSION_ID };
  const serverKeys = (): DirectionKeys => ({
    sending: new Secret(pattern(32, 3)),
    receiving: new Secret(pattern(32, 2)),
  });
  const open = (role: 'client' | 'server', options: Limits): UsmpSession => {
    const session = new UsmpSession(
      {
        transport: role === 'client' ? clientEnd : serverEnd,
        decoder: new FrameDecoder(),
        established: { ...ids, role, keys: role === 'client' ? swapDirections(serverKeys()) : serverKeys() },
      },
      {
        crypto,
        suite: 'aes-256-gcm',
        scheduler: time,
        limits: sessionLimits(options, { idleTimeoutMs: 2 ** 31 - 1, keepaliveMs: options.keepaliveMs }),
      },
    );
    session.start();
    return session;
  };
  return { client: open('client', client), server: open('server', server), line: clientEnd, time };
}
