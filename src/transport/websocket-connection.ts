import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { interval, Subscription, type SchedulerLike } from 'rxjs';
import { WebSocket } from 'ws';
import { ReadBuffer } from './read-buffer.js';
import { formatSocketAddress } from './socket-address.js';
import type { Transport, TransportSink } from './transport.js';
import { BROKEN, closeCause, messagesOf, ORDERLY, textMessageError } from './websocket-protocol.js';

/** `write` asks for a pause from this many unsent bytes on, and for more again from half of it on. */
const HIGH_WATER_MARK_BYTES = 128 * 1024;
/** A peer that vanished while we do not read is noticed by probes of TCP from this much silence on. */
const TCP_KEEPALIVE_MS = 30_000;
/** How long a peer that we are through with may take for its side of the closing. */
const LINGER_MS = 1_000;

interface ConnectionOptions {
  readonly scheduler: SchedulerLike;
  /** A peer that is silent so long is sent a ping, and is dead when it does not answer for as long. */
  readonly pingIntervalMs: number;
}

/** A WebSocket that a server has accepted; paused until a sink is attached. */
export class WebSocketConnection implements Transport {
  readonly kind = 'websocket';
  readonly remoteAddress: string;
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  readonly #scheduler: SchedulerLike;
  readonly #received: ReadBuffer;
  readonly #timers = new Subscription();
  readonly #onSent = (): void => this.#sent();
  #needsDrain = false;
  #ended = false;
  #failure: unknown;
  /** Since we last looked. */
  #heard = true;
  #pinged = false;

  /** @param socket what the WebSocket is spoken on */
  constructor(webSocket: WebSocket, socket: Duplex, { scheduler, pingIntervalMs }: ConnectionOptions) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#scheduler = scheduler;
    this.#received = new ReadBuffer();
    this.remoteAddress = addressOf(socket);
    if (socket instanceof Socket) socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
    webSocket.pause();
    webSocket.on('message', (data, isBinary) => this.#take(data as Buffer, isBinary));
    webSocket.on('ping', () => this.#alive());
    webSocket.on('pong', () => this.#alive());
    // The peer does not speak WebSocket, or sends too much at once.
    webSocket.on('error', (error) => this.#breakOff(error, ''));
    socket.on('error', (error) => {
      this.#failure = error;
    });
    webSocket.on('close', (code, reason) => {
      this.#ended = true;
      this.#timers.unsubscribe();
      this.#received.end(this.#failure ?? closeCause(code, reason.toString()));
    });
    this.#timers.add(interval(pingIntervalMs, scheduler).subscribe(() => this.#checkLiveness()));
  }

  attach(sink: TransportSink): void {
    this.#received.attach(sink);
    this.#readOrNot();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended || this.#webSocket.readyState !== WebSocket.OPEN) return true;
    for (const message of messagesOf(bytes)) this.#webSocket.send(message, this.#onSent);
    this.#needsDrain ||= this.#webSocket.bufferedAmount >= HIGH_WATER_MARK_BYTES;
    return !this.#needsDrain;
  }

  pause(): void {
    this.#received.pause();
    this.#readOrNot();
  }

  resume(): void {
    this.#received.resume();
    this.#readOrNot();
  }

  end(): void {
    this.#ended = true;
    this.#webSocket.close(ORDERLY);
  }

  destroy(): void {
    this.#received.stop();
    this.#closeSoon(ORDERLY, '');
  }

  reset(): void {
    this.#received.stop();
    this.#ended = true;
    // Only this also takes back what the kernel still holds for a peer that does not read; TLS has nothing like it.
    if (this.#socket instanceof Socket && !(this.#socket instanceof TLSSocket)) this.#socket.resetAndDestroy();
    else this.#webSocket.terminate();
  }

  #take(data: Buffer, isBinary: boolean): void {
    this.#alive();
    if (!isBinary) return this.#breakOff(textMessageError(), 'text message');
    // A Buffer is no plain Uint8Array: its slice() would not copy.
    this.#received.data(new Uint8Array(data.buffer, data.byteOffset, data.length));
  }

  #sent(): void {
    if (!this.#needsDrain || this.#ended || this.#webSocket.bufferedAmount > HIGH_WATER_MARK_BYTES / 2) return;
    this.#needsDrain = false;
    this.#received.drain();
  }

  #breakOff(cause: Error, reason: string): void {
    this.#closeSoon(BROKEN, reason);
    this.#received.endNow(cause);
  }

  /** What the peer says until it closes too is read, since data that was never read would turn the closing into a reset. */
  #closeSoon(code: number, reason: string): void {
    this.#ended = true;
    if (this.#webSocket.readyState === WebSocket.CLOSED) return;
    this.#webSocket.close(code, reason);
    this.#webSocket.resume();
    this.#timers.add(this.#scheduler.schedule(() => this.#webSocket.terminate(), LINGER_MS));
  }

  #readOrNot(): void {
    if (this.#received.isFlowing) this.#webSocket.resume();
    else this.#webSocket.pause();
  }

  #alive(): void {
    this.#heard = true;
    this.#pinged = false;
  }

  /** Silence of a peer that we do not read is our own doing. */
  #checkLiveness(): void {
    if (this.#webSocket.isPaused) {
      this.#alive();
    } else if (this.#heard) {
      this.#heard = false;
    } else if (this.#pinged) {
      this.#failure = new Error('the peer does not answer pings any more');
      this.#webSocket.terminate();
    } else {
      this.#pinged = true;
      this.#webSocket.ping();
    }
  }
}

const addressOf = (socket: Duplex): string =>
  formatSocketAddress(
    socket instanceof Socket
      ? { host: socket.remoteAddress ?? '?', port: socket.remotePort ?? 0 }
      : { host: '?', port: 0 },
  );
