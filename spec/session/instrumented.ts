import { Subscription, type SchedulerAction, type SchedulerLike } from 'rxjs';
import { nodeCrypto } from '../../src/crypto/node.js';
import {
  FrameDecoder,
  Secret,
  swapDirections,
  type CryptoProvider,
  type EstablishedSession,
} from '../../src/protocol/index.js';
import { sessionLimits, type SessionLimitOptions } from '../../src/session/session-limits.js';
import { UsmpSession } from '../../src/session/usmp-session.js';
import { SimulatedPeer, VirtualTime } from '../../src/testing/index.js';
import { memoryTransportPair } from '../../src/transport/memory.js';
import type { Transport } from '../../src/transport/transport.js';
import { DEVICE_ID, pattern, SESSION_ID } from '../protocol/pair.js';

/** A session that writes into `log` what it does to the world around it, and its peer. */
export interface Instrumented {
  readonly session: UsmpSession;
  readonly peer: SimulatedPeer;
  readonly time: VirtualTime;
  readonly log: string[];
  readonly established: EstablishedSession;
  /** Actions that wait for their time. */
  readonly pendingActions: () => number;
}

export function instrumentedSession(
  options: SessionLimitOptions & { readonly keepaliveMs?: number } = {},
): Instrumented {
  const log: string[] = [];
  const time = new VirtualTime();
  const scheduler = new CountingScheduler(time);
  const [ours, theirs] = memoryTransportPair({ scheduler: time });
  const keys = { sending: new Secret(pattern(32, 3)), receiving: new Secret(pattern(32, 2)) };
  const ids = { deviceId: DEVICE_ID, sessionId: SESSION_ID };

  const peer = new SimulatedPeer({ scheduler: time, crypto: nodeCrypto });
  const theirKeys = swapDirections(keys);
  peer.adopt({
    transport: theirs,
    decoder: new FrameDecoder(),
    established: { ...ids, role: 'client', keys: theirKeys },
  });
  const established: EstablishedSession = { ...ids, role: 'server', keys };
  const session = new UsmpSession(
    {
      transport: logged(ours, (entry) => log.push(`${entry}, ${scheduler.pending} timers`)),
      decoder: new FrameDecoder(),
      established,
    },
    {
      crypto: wipesLogged(() => log.push('a key is wiped')),
      suite: 'aes-256-gcm',
      scheduler,
      limits: sessionLimits(options, { idleTimeoutMs: 60_000, keepaliveMs: options.keepaliveMs }),
    },
  );
  session.start();
  return { session, peer, time, log, established, pendingActions: () => scheduler.pending };
}

class CountingScheduler implements SchedulerLike {
  pending = 0;
  readonly #behind: SchedulerLike;

  constructor(behind: SchedulerLike) {
    this.#behind = behind;
  }

  now(): number {
    return this.#behind.now();
  }

  schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delayMs = 0, state?: T): Subscription {
    const counter = new Subscription(() => this.pending--);
    this.pending++;
    const action = this.#behind.schedule(work, delayMs, state);
    // An action that ran and did not schedule itself again is closed, and so is one that is unsubscribed from.
    action.add(counter);
    return action;
  }
}

function logged(transport: Transport, enter: (entry: string) => void): Transport {
  return {
    kind: transport.kind,
    remoteAddress: transport.remoteAddress,
    attach: (sink) => transport.attach(sink),
    write(bytes) {
      enter(`write ${bytes.length}`);
      return transport.write(bytes);
    },
    pause: () => transport.pause(),
    resume: () => transport.resume(),
    end() {
      enter('end');
      transport.end();
    },
    destroy() {
      enter('destroy');
      transport.destroy();
    },
    reset: () => transport.reset(),
  };
}

const wipesLogged = (onWipe: () => void): CryptoProvider => ({
  ...nodeCrypto,
  aead(suite, key) {
    const aead = nodeCrypto.aead(suite, key);
    return {
      seal: (...of) => aead.seal(...of),
      open: (...of) => aead.open(...of),
      wipe() {
        onWipe();
        aead.wipe();
      },
    };
  },
});
