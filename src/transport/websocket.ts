import { asapScheduler, interval, Observable, type SchedulerLike, type Subscription } from 'rxjs';
import { checkOptions, checkText } from '../protocol/check-option.js';
import { ConfigError, ConnectionClosedError } from '../protocol/errors.js';
import { ReadBuffer } from './read-buffer.js';
import { connectError } from './socket-address.js';
import type { Dialer, Transport, TransportSink } from './transport.js';
import { BROKEN, closeCause, messagesOf, ORDERLY, textMessageError, USMP_SUBPROTOCOL } from './websocket-protocol.js';

/** `write` asks for a pause from this many unsent bytes on, and for more again from half of it on. */
const HIGH_WATER_MARK_BYTES = 128 * 1024;
/** A WebSocket has no event for bytes that have left: so often it is asked, while somebody waits for it. */
const DRAIN_POLL_MS = 10;
/** What may arrive in one message, and while the sink is paused. */
const MAX_KEPT_BYTES = 1024 * 1024;

/** What is used of the web's `WebSocket`; the one of the package `ws` has it too. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly protocol: string;
  readonly readyState: number;
  /** Is given a Uint8Array. */
  send(data: unknown): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open', listener: () => void): void;
  addEventListener(type: 'error', listener: (event: { readonly error?: unknown }) => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number; readonly reason: string }) => void): void;
}

export interface WebSocketTransportOptions {
  /** The default is the one of the runtime. Node has one from version 22 on; the one of the package `ws` is as good. */
  readonly WebSocket?: new (
    url: string,
    subprotocol: string,
  ) => WebSocketLike;
  /** Where time passes; the default is real time. */
  readonly scheduler?: SchedulerLike;
}

/**
 * Dials USMP over WebSocket, from browsers and everywhere else: a byte stream in binary messages, subprotocol `usmp.v2`.
 *
 * `CONNECT_FAILED` has what the runtime says as its cause; browsers say little. A browser can't stop reading: where more than
 * 1 MiB arrives while the inbox of a session is full, the session ends with ConnectionClosedError `INBOX_FULL`. After our own
 * orderly end a browser delivers nothing more.
 * @param url `ws://host:port/path` or `wss://…`
 * @throws ConfigError `CONFIG_OPTION` for a URL that is none, or where there is no WebSocket
 */
export function webSocketTransport(url: string, options: WebSocketTransportOptions = {}): Dialer {
  const { WebSocket = globalThis.WebSocket, scheduler = asapScheduler } = checkOptions('options', options);
  const target = checkUrl(url);
  if (typeof WebSocket !== 'function') {
    throw new ConfigError(
      'CONFIG_OPTION',
      'WebSocket: this runtime has none, so give one, like that of the package ws',
    );
  }
  return {
    kind: 'websocket',
    dial: () =>
      new Observable<Transport>((subscriber) => {
        const fail = (cause: unknown): void => subscriber.error(connectError(target.where, asError(cause)));
        let socket: WebSocketLike;
        try {
          socket = new WebSocket(target.href, USMP_SUBPROTOCOL);
        } catch (cause) {
          // A page that came over https may not dial ws://, for example.
          return fail(cause);
        }
        socket.binaryType = 'arraybuffer';
        let handedOver = false;
        // Which of them comes, and whether it says why, depends on the runtime.
        socket.addEventListener('error', ({ error }) => {
          if (!handedOver) fail(error);
        });
        socket.addEventListener('close', () => {
          if (!handedOver) fail(undefined);
        });
        socket.addEventListener('open', () => {
          if (subscriber.closed) return;
          if (socket.protocol !== USMP_SUBPROTOCOL) {
            return fail(new Error(`the server does not choose the subprotocol ${USMP_SUBPROTOCOL}`));
          }
          handedOver = true;
          subscriber.next(new WebSocketTransport(socket, target.address, scheduler));
          subscriber.complete();
        });
        return () => {
          if (!handedOver) socket.close();
        };
      }),
  };
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'ws:': '80', 'wss:': '443' };

interface Target {
  readonly href: string;
  /** `address:port` */
  readonly address: string;
  /** What errors show: a query may hold a secret. */
  readonly where: string;
}

/** @throws ConfigError `CONFIG_OPTION` */
function checkUrl(text: string): Target {
  const url = URL.canParse(checkText('url', text)) ? new URL(text) : undefined;
  const defaultPort = DEFAULT_PORTS[url?.protocol ?? ''];
  if (!url || defaultPort === undefined || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw new ConfigError('CONFIG_OPTION', 'url: expected one like ws://host:port/path, without a fragment or a user');
  }
  const { href, protocol, hostname, port, pathname } = url;
  const address = `${hostname}:${port === '' ? defaultPort : port}`;
  return { href, address, where: `${protocol}//${address}${pathname}` };
}

/** Not `instanceof`: the error of a runtime may come from another realm than this code. */
const asError = (cause: unknown): Error =>
  typeof cause === 'object' && cause !== null && 'message' in cause
    ? (cause as Error)
    : new Error('the runtime does not say why; a browser does in its console');

/** An open WebSocket of a client. */
class WebSocketTransport implements Transport {
  readonly kind = 'websocket';
  readonly remoteAddress: string;
  readonly #socket: WebSocketLike;
  readonly #received: ReadBuffer;
  readonly #scheduler: SchedulerLike;
  #drainPoll: Subscription | undefined;
  #ended = false;
  #failure: unknown;

  constructor(socket: WebSocketLike, remoteAddress: string, scheduler: SchedulerLike) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    this.#scheduler = scheduler;
    this.#received = new ReadBuffer(scheduler);
    socket.addEventListener('message', ({ data }) => this.#take(data));
    socket.addEventListener('error', ({ error }) => {
      this.#failure = error;
    });
    socket.addEventListener('close', ({ code, reason }) => {
      this.#stopWriting();
      this.#received.end(this.#failure ?? closeCause(code, reason));
    });
  }

  attach(sink: TransportSink): void {
    this.#received.attach(sink);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended || this.#socket.readyState !== OPEN) return true;
    for (const message of messagesOf(bytes)) this.#socket.send(message);
    if (this.#socket.bufferedAmount >= HIGH_WATER_MARK_BYTES) this.#pollForDrain();
    return this.#drainPoll === undefined;
  }

  pause(): void {
    this.#received.pause();
  }

  resume(): void {
    this.#received.resume();
  }

  end(): void {
    this.#close(ORDERLY);
  }

  destroy(): void {
    this.#received.stop();
    this.#close(ORDERLY);
  }

  reset(): void {
    this.#received.stop();
    this.#close(BROKEN, 'reset');
  }

  #take(data: unknown): void {
    if (typeof data === 'string') return this.#breakOff(textMessageError(), 'text message');
    const bytes = new Uint8Array(data as ArrayBuffer);
    if (bytes.length > MAX_KEPT_BYTES) {
      const error = new Error(`the peer sent a message of ${bytes.length} bytes, more than ${MAX_KEPT_BYTES}`);
      return this.#breakOff(error, 'message too large');
    }
    this.#received.data(bytes);
    if (this.#received.keptBytes > MAX_KEPT_BYTES) this.#breakOff(inboxFullError(), 'inbox full');
  }

  /** First the socket: a sink that is told may close us in its own way. */
  #breakOff(cause: Error, reason: string): void {
    this.#close(BROKEN, reason);
    this.#received.endNow(cause);
  }

  #close(code: number, reason?: string): void {
    this.#stopWriting();
    this.#socket.close(code, reason);
  }

  #stopWriting(): void {
    this.#ended = true;
    this.#drainPoll?.unsubscribe();
  }

  #pollForDrain(): void {
    const scheduler = this.#scheduler;
    this.#drainPoll ??= interval(DRAIN_POLL_MS, scheduler).subscribe(() => {
      if (this.#socket.bufferedAmount > HIGH_WATER_MARK_BYTES / 2) return;
      this.#drainPoll?.unsubscribe();
      this.#drainPoll = undefined;
      this.#received.drain();
    });
  }
}

/** `readyState` of a WebSocket that is open. */
const OPEN = 1;

const inboxFullError = (): ConnectionClosedError =>
  new ConnectionClosedError(
    'INBOX_FULL',
    `more than ${MAX_KEPT_BYTES} bytes arrived behind a full inbox, and a WebSocket client can't make its peer wait`,
    { origin: 'local' },
  );
