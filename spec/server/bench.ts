import type { SchedulerLike } from 'rxjs';
import {
  memoryNetwork,
  type MemoryNetwork,
  SimulatedDevice,
  type SimulatedDeviceOptions,
  testEnvironment,
  type TestEnvironment,
  VirtualTime,
} from 'usmp-rx/testing';
import { nodeCrypto } from '../../src/crypto/node.js';
import type { UsmpError } from '../../src/protocol/index.js';
import type { HandshakeFailure, ServerEvent } from '../../src/server/server-event.js';
import type { ServerOptions } from '../../src/server/server-options.js';
import { UsmpServer } from '../../src/server/server.js';
import type { Session } from '../../src/session/session.js';
import type { MemoryLinkOptions } from '../../src/transport/memory.js';

export const PSK = 'the pre-shared key of the tests';
export const DEVICE_ID = '00:11:22:33:44:55';

/** `00:00:00:00:00:01` for 1. */
export const deviceIdOf = (n: number): string => `00:00:00:00:00:${n.toString(16).padStart(2, '0')}`;

interface BenchOptions<S extends SchedulerLike> {
  readonly scheduler: S;
  readonly server?: Partial<ServerOptions>;
  readonly link?: MemoryLinkOptions;
}

/** A server on a memory network, in virtual time, and what it said. */
export class Bench<S extends SchedulerLike> {
  readonly environment: TestEnvironment<S>;
  readonly network: MemoryNetwork;
  readonly server: UsmpServer;
  readonly sessions: Session[] = [];
  readonly failures: HandshakeFailure[] = [];
  readonly events: ServerEvent[] = [];

  constructor({ scheduler, server, link }: BenchOptions<S>) {
    this.environment = testEnvironment({ scheduler, provider: nodeCrypto });
    this.network = memoryNetwork({ scheduler, ...link });
    this.server = new UsmpServer({ psk: PSK, ...this.environment, ...server });
    this.server.events$.subscribe((event) => this.events.push(event));
    this.server.sessions$.subscribe((session) => this.sessions.push(session));
    this.server.handshakeFailures$.subscribe((failure) => this.failures.push(failure));
    // In virtual time a server may be closed before the promise settles, which is then rejected, by right.
    this.server.listen({ listeners: [this.network.listener('gateway')] }).catch((error: unknown) => {
      if ((error as UsmpError).code !== 'WRONG_STATE') throw error;
    });
  }

  get time(): S {
    return this.environment.scheduler;
  }

  /** A device on a host of its own, unless one is named. */
  device(options: Partial<SimulatedDeviceOptions> & { readonly host?: string } = {}): SimulatedDevice {
    const { host, ...deviceOptions } = options;
    return new SimulatedDevice({
      ...this.environment,
      dialer: this.network.dialer('gateway', host === undefined ? {} : { host }),
      deviceId: DEVICE_ID,
      psk: PSK,
      ...deviceOptions,
    });
  }

  /** What happened, without what sessions said. */
  get eventTypes(): string[] {
    return this.events.map(({ type }) => type).filter((type) => type !== 'session');
  }

  /** The codes of the handshakes that failed. */
  get failureCodes(): string[] {
    return this.failures.map(({ error }) => error.code);
  }
}

/** A bench whose clock moves with `time.advance`. */
export const virtualBench = (server: Partial<ServerOptions> = {}, link: MemoryLinkOptions = {}): Bench<VirtualTime> =>
  new Bench({ scheduler: new VirtualTime(), server, link });

/** A device that has a session. */
export async function connectedDevice(
  bench: Bench<VirtualTime>,
  options: Parameters<Bench<VirtualTime>['device']>[0] = {},
): Promise<SimulatedDevice> {
  const device = bench.device(options);
  void device.connect();
  await bench.time.advance();
  if (device.state !== 'open') throw new Error(`the device is ${device.state}: ${bench.failureCodes.join()}`);
  return device;
}
