import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import type { SimulatedDevice, VirtualTime } from 'usmp-rx/testing';
import { bridge, type Bridge, type BridgeActivity, type BridgeOptions } from '../../src/bridge/index.js';
import { decodeMessageFrame, encodeCommandFrame, type MessageFrame } from '../../src/bridge/payload-frame.js';
import {
  BRIDGE_SUBPROTOCOL,
  parseServerMessage,
  TOKEN_SUBPROTOCOL_PREFIX,
  type BridgeDevice,
  type ClientMessage,
  type ServerMessage,
} from '../../src/bridge/protocol.js';
import type { ServerOptions } from '../../src/server/server-options.js';
import { connectedDevice, DEVICE_ID, type Bench, virtualBench } from '../server/bench.js';

export const READ_TOKEN = 'a token that may read';
export const COMMAND_TOKEN = 'a token that may send';

/** What a dashboard hears: messages of the bridge, and of devices. */
export type Heard = ServerMessage | ({ readonly type: 'message' } & MessageFrame);

/** A dashboard of the tests: real sockets, and everything that it hears is checked against the protocol. */
export class Dashboard {
  readonly webSocket: WebSocket;
  /** How the WebSocket was closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #heard: Heard[] = [];
  #waiting: { resolve(heard: Heard): void; reject(error: Error): void } | undefined;

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
    webSocket.on('message', (data: Buffer, isBinary) =>
      this.#hear(isBinary ? { type: 'message', ...decodeMessageFrame(data) } : parseServerMessage(data.toString())),
    );
    webSocket.on('error', () => {});
    this.closed = once(webSocket, 'close').then(([code, reason]) => {
      this.#waiting?.reject(new Error(`closed with ${code}: ${reason}`));
      return { code: code as number, reason: String(reason) };
    });
  }

  /** What comes next, or has come and was not asked for. */
  next(): Promise<Heard> {
    const heard = this.#heard.shift();
    if (heard) return Promise.resolve(heard);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.webSocket.readyState === WebSocket.CLOSED) reject(new Error('closed'));
    });
  }

  /** What comes next of this type; what comes before is lost. */
  async nextOf<T extends Heard['type']>(type: T): Promise<Extract<Heard, { type: T }>> {
    for (;;) {
      const heard = await this.next();
      if (heard.type === type) return heard as Extract<Heard, { type: T }>;
    }
  }

  say(message: ClientMessage | object | string | Uint8Array): void {
    const isRaw = typeof message === 'string' || message instanceof Uint8Array;
    this.webSocket.send(isRaw ? message : JSON.stringify(message));
  }

  /** Subscribes and waits for the `result`, which must be what comes next. */
  async subscribe(
    id: number,
    kind: 'devices' | 'messages' | 'events',
    options: { readonly deviceIds?: readonly string[]; readonly everyMs?: number } = {},
  ): Promise<void> {
    this.say({ type: 'subscribe', id, kind, ...options });
    const answer = await this.next();
    if (answer.type !== 'result' || answer.id !== id) throw new Error(`not subscribed: ${JSON.stringify(answer)}`);
  }

  command(id: number, deviceId: string, payload: Uint8Array | string): void {
    this.say(encodeCommandFrame({ id, deviceId, payload: Buffer.from(payload) }));
  }

  /** Everything that the bridge has sent by now. */
  async heardByNow(): Promise<Heard[]> {
    this.webSocket.ping();
    await Promise.race([once(this.webSocket, 'pong'), this.closed]);
    return this.#heard.splice(0);
  }

  #hear(heard: Heard): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting.resolve(heard);
    else this.#heard.push(heard);
  }
}

export interface BridgeBench {
  readonly bench: Bench<VirtualTime>;
  readonly time: VirtualTime;
  readonly bridge: Bridge;
  readonly url: string;
  readonly activities: BridgeActivity[];
  /** Opens a WebSocket, with whatever subprotocols; nothing is said on it. */
  dial(subprotocols?: readonly string[], options?: ClientOptions): Promise<Dashboard>;
  /** A dashboard that was welcomed. */
  dashboard(token?: string): Promise<Dashboard>;
  device(deviceId?: string): Promise<SimulatedDevice>;
}

const opened: Bridge[] = [];
const dialed: WebSocket[] = [];

/** For `afterEach`. */
export async function closeBenches(): Promise<void> {
  for (const webSocket of dialed.splice(0)) webSocket.terminate();
  await Promise.all(opened.splice(0).map((one) => one.close()));
}

export const TOKENS: BridgeOptions['tokens'] = [
  { token: READ_TOKEN, role: 'read' },
  { token: COMMAND_TOKEN, role: 'command' },
];

export const inHeader = (token: string): string =>
  `${TOKEN_SUBPROTOCOL_PREFIX}${Buffer.from(token).toString('base64url')}`;

/** A server with devices in virtual time, and its bridge on a real port. */
export const bridgeBench = (
  options: Partial<BridgeOptions> = {},
  serverOptions: Partial<ServerOptions> = {},
): Promise<BridgeBench> => bridgeFor(virtualBench(serverOptions), options);

/** A bridge for a server that is there already; `ownUrl` is that of the HTTP server where the options have one. */
export async function bridgeFor(
  bench: Bench<VirtualTime>,
  options: Partial<BridgeOptions> = {},
  ownUrl?: string,
): Promise<BridgeBench> {
  const place = options.server ? {} : { port: 0 };
  const made = bridge(bench.server, { tokens: TOKENS, scheduler: bench.time, ...place, ...options });
  const activities: BridgeActivity[] = [];
  made.events$.subscribe((activity) => activities.push(activity));
  opened.push(made);
  const address = await made.listen();
  const url = ownUrl ?? `ws://${address}/bridge`;

  const dial: BridgeBench['dial'] = async (subprotocols = [BRIDGE_SUBPROTOCOL], clientOptions = {}) => {
    const webSocket = new WebSocket(url, [...subprotocols], clientOptions);
    dialed.push(webSocket);
    const dashboard = new Dashboard(webSocket);
    await once(webSocket, 'open');
    return dashboard;
  };
  return {
    bench,
    time: bench.time,
    bridge: made,
    url,
    activities,
    dial,
    dashboard: async (token = COMMAND_TOKEN) => {
      const dashboard = await dial([BRIDGE_SUBPROTOCOL, inHeader(token)]);
      await dashboard.nextOf('welcome');
      return dashboard;
    },
    device: (deviceId = DEVICE_ID) => connectedDevice(bench, { deviceId }),
  };
}

/** Resolves when the bridge says that something happened. */
export function activity({ bridge: watched }: BridgeBench, type: BridgeActivity['type']): Promise<BridgeActivity> {
  return new Promise((resolve) => {
    const subscription = watched.events$.subscribe((one) => {
      if (one.type !== type) return;
      subscription.unsubscribe();
      resolve(one);
    });
  });
}

/** The device of a list. */
export const deviceIn = (devices: readonly BridgeDevice[], deviceId = DEVICE_ID): BridgeDevice | undefined =>
  devices.find((device) => device.deviceId === deviceId);
