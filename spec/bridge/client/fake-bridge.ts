import type { SchedulerLike } from 'rxjs';
import { connectBridge, type BridgeConnection, type BridgeOptions } from '../../../src/bridge/client/index.js';
import type { WebSocketLike } from '../../../src/bridge/client/web-socket.js';
import { decodeCommandFrame, encodeMessageFrame, type CommandFrame } from '../../../src/bridge/payload-frame.js';
import {
  BRIDGE_SUBPROTOCOL,
  parseClientMessage,
  type BridgeDevice,
  type ClientMessage,
  type Role,
  type ServerMessage,
} from '../../../src/bridge/protocol.js';
import { utf8 } from '../../../src/protocol/index.js';
import { VirtualTime } from '../../../src/testing/virtual-time.js';

export const TOKEN = 'a token for the tests';
export const DEVICE_ID = '00:11:22:33:44:55';

interface Happening {
  readonly data: unknown;
  readonly code: number;
  readonly reason: string;
}
type Listener = (event: Happening) => void;

/** A WebSocket as a browser's: it does what the test says its other end does, and nothing by itself. */
export class FakeWebSocket implements WebSocketLike {
  readonly url: string;
  readonly protocols: readonly string[];
  protocol = '';
  binaryType = 'blob';
  /** What `close` was called with first. */
  closedBy: { code: number | undefined; reason: string | undefined } | undefined;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #sent: (string | ArrayBuffer)[] = [];
  #state: 'connecting' | 'open' | 'closed' = 'connecting';

  constructor(url: string, protocols: readonly string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: string | ArrayBuffer): void {
    if (this.#state === 'connecting') throw new Error('InvalidStateError');
    if (this.#state === 'open') this.#sent.push(data);
  }

  close(code?: number, reason?: string): void {
    this.closedBy ??= { code, reason };
    this.#state = 'closed';
  }

  /** What the client has sent since the last look, each of it valid. */
  take(): (ClientMessage | (CommandFrame & { type: 'command' }))[] {
    return this.#sent
      .splice(0)
      .map((data) =>
        typeof data === 'string'
          ? parseClientMessage(data)
          : { type: 'command', ...decodeCommandFrame(new Uint8Array(data)) },
      );
  }

  opens(protocol: string = BRIDGE_SUBPROTOCOL): void {
    this.protocol = protocol;
    this.#state = 'open';
    this.#emit('open');
  }

  welcomes(role: Role = 'command'): void {
    this.opens();
    this.says({ type: 'welcome', role });
  }

  says(message: ServerMessage): void {
    this.delivers(JSON.stringify(message));
  }

  passesOn(id: number, deviceId: string, text: string): void {
    this.delivers(encodeMessageFrame({ id, deviceId, atMs: 1_000, payload: utf8(text) }).buffer);
  }

  /** Also after `close`: what was under way then still arrives. */
  delivers(data: unknown): void {
    this.#emit('message', { data });
  }

  ends(code = 1006, reason = ''): void {
    this.#state = 'closed';
    if (code === 1006) this.#emit('error');
    this.#emit('close', { code, reason });
  }

  #emit(type: string, { data, code = 0, reason = '' }: Partial<Happening> = {}): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data, code, reason });
  }
}

/** A client whose WebSockets the test holds the other end of. */
export class Bench<S extends SchedulerLike = VirtualTime> {
  readonly sockets: FakeWebSocket[] = [];
  readonly time: S;

  constructor(time: S) {
    this.time = time;
  }

  /** The newest. */
  get socket(): FakeWebSocket {
    const newest = this.sockets.at(-1);
    if (!newest) throw new Error('no WebSocket was made');
    return newest;
  }

  connect(options: Partial<BridgeOptions> = {}): BridgeConnection {
    const { sockets, time } = this;
    const made = class extends FakeWebSocket {
      constructor(url: string, protocols: readonly string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    };
    const random = (): number => 0.5;
    return connectBridge({
      url: 'ws://gateway/bridge',
      token: TOKEN,
      scheduler: time,
      random,
      WebSocket: made,
      ...options,
    });
  }

  connected(options: Partial<BridgeOptions> = {}): BridgeConnection {
    const connection = this.connect(options);
    this.socket.welcomes();
    return connection;
  }
}

export const virtualBench = (): Bench => new Bench(new VirtualTime());

export const device = (deviceId: string, changes: Partial<BridgeDevice> = {}): BridgeDevice => ({
  deviceId,
  isOnline: true,
  transport: 'tcp',
  remoteAddress: '127.0.0.1:50000',
  sessionId: '00',
  sinceMs: 1,
  lastSeenMs: 2,
  messages: 0,
  bytes: 0,
  messagesPerSecond: 0,
  drops: 0,
  ...changes,
});
