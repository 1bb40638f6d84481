import type { Observable, VirtualTimeScheduler } from 'rxjs';
import { nobleCrypto } from '../crypto/noble.js';
import {
  FrameDecoder,
  KEY_BYTES,
  parseDeviceId,
  Secret,
  SESSION_ID_BYTES,
  swapDirections,
  type CryptoProvider,
  type DirectionKeys,
} from '../protocol/index.js';
import { sessionLimits, type SessionLimitOptions } from '../session/session-limits.js';
import type { Session } from '../session/session.js';
import { UsmpSession } from '../session/usmp-session.js';
import { memoryTransportPair, type MemoryLinkOptions } from '../transport/memory.js';
import type { FrameRecipe } from './peer-channel.js';
import type { PeerBehaviour } from './peer-session.js';
import { playFrames, playMessages } from './play.js';
import { SimulatedPeer } from './simulated-peer.js';

const MAX_DURATION_MS = 2 ** 31 - 1;
/** A scheduler of virtual time does not even set a timer for it. */
const NEVER_MS = Number.POSITIVE_INFINITY;

/** Options of the session, of its peer, and of the line between them. */
export interface PlayedSessionOptions extends SessionLimitOptions, Omit<MemoryLinkOptions, 'scheduler'> {
  /** Whose time passes: the TestScheduler of a marble test, or a VirtualTime. */
  readonly scheduler: VirtualTimeScheduler;
  /** The default is `nobleCrypto`; give one of `testEnvironment` where session ids and keys have to be the same in each run. */
  readonly crypto?: CryptoProvider;
  /** The default is `00:11:22:33:44:55`. */
  readonly deviceId?: string | Uint8Array;
  /** Here the default is no limit, so that a diagram without an end has none. */
  readonly idleTimeoutMs?: number;
  /** PING goes out when nothing was sent, or heard, for this long; the default is never. */
  readonly keepaliveMs?: number;
  readonly peer?: Omit<PeerBehaviour, 'suite'>;
  readonly suite?: PeerBehaviour['suite'];
}

/** A session as a server has it, and the simulated peer at its other end, which shows what was sent to it. */
export type PlayedSession = Session & { readonly peer: SimulatedPeer };

/**
 * A real session whose peer plays `messages$`, for pipelines to be tested with marbles and without a socket: each value is a
 * message that arrives at that virtual time, completion is BYE, an error cuts the connection. The session stands at once;
 * `messages$` is subscribed to at once and until the session ends. Without latency an answer to a message reaches
 * `peer.messages$` in the same frame.
 */
export function sessionFromMessages(
  messages$: Observable<Uint8Array | string>,
  options: PlayedSessionOptions,
): PlayedSession {
  const session = openSession(options);
  playMessages(session.peer, messages$);
  return session;
}

/** The same one level below: each value is a recipe of a frame to seal, or bytes that are sent as they are. */
export function sessionFromFrames(
  frames$: Observable<FrameRecipe | Uint8Array>,
  options: PlayedSessionOptions,
): PlayedSession {
  const session = openSession(options);
  playFrames(session.peer, frames$);
  return session;
}

/** A real session and the simulated peer at its other end, which does what it is told. */
export function openSession({ peer: behaviour, ...options }: PlayedSessionOptions): PlayedSession {
  const { scheduler, crypto = nobleCrypto, deviceId = '00:11:22:33:44:55', suite = 'aes-256-gcm' } = options;
  const limits = sessionLimits(options, { idleTimeoutMs: MAX_DURATION_MS, keepaliveMs: options.keepaliveMs });
  const [ours, theirs] = memoryTransportPair(options);
  const ids = { deviceId: parseDeviceId(deviceId), sessionId: crypto.randomBytes(SESSION_ID_BYTES) };
  const keys = (): Secret => new Secret(crypto.randomBytes(KEY_BYTES));
  const serverKeys: DirectionKeys = { sending: keys(), receiving: keys() };

  const peer = new SimulatedPeer({ ...behaviour, scheduler, crypto, suite });
  peer.adopt({
    transport: theirs,
    decoder: new FrameDecoder(),
    established: { ...ids, role: 'client', keys: swapDirections(serverKeys) },
  });
  const session = new UsmpSession(
    {
      transport: ours,
      decoder: new FrameDecoder(),
      established: { ...ids, role: 'server', keys: serverKeys },
    },
    {
      crypto,
      suite,
      scheduler,
      limits: options.idleTimeoutMs === undefined ? { ...limits, idleTimeoutMs: NEVER_MS } : limits,
    },
  );
  session.start();
  return Object.assign(session, { peer });
}
