import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Observable } from 'rxjs';
import {
  checkSocketAddress,
  connectError,
  formatSocketAddress,
  listenError,
  type SocketAddress,
} from './socket-address.js';
import type { Dialer, Listener, Transport, TransportSink } from './transport.js';

/** `write` asks for a pause from this many unsent bytes on. */
const HIGH_WATER_MARK_BYTES = 128 * 1024;
/** A peer that vanished without a word is noticed by probes from this much silence on. */
const TCP_KEEPALIVE_MS = 30_000;

/** Its listeners are the same functions for all sockets: a connection that has sent nothing yet must cost little memory. */
const TRANSPORT = Symbol('transport');
type TransportSocket = Socket & { [TRANSPORT]: TcpTransport };

function onData(this: TransportSocket, { buffer, byteOffset, length }: Buffer): void {
  // A Buffer is no plain Uint8Array: its slice() would not copy.
  this[TRANSPORT].received(new Uint8Array(buffer, byteOffset, length));
}
function onDrain(this: TransportSocket): void {
  this[TRANSPORT].drained();
}
function onError(this: TransportSocket, error: Error): void {
  this[TRANSPORT].failed(error);
}
function onEnd(this: TransportSocket): void {
  this[TRANSPORT].ended();
}

/** A connected TCP socket; paused until a sink is attached. */
class TcpTransport implements Transport {
  readonly kind = 'tcp';
  readonly remoteAddress: string;
  readonly #socket: Socket;
  #sink: TransportSink | undefined;
  #cause: unknown;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.remoteAddress = formatSocketAddress({ host: socket.remoteAddress ?? '?', port: socket.remotePort ?? 0 });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
    (socket as TransportSocket)[TRANSPORT] = this;
    socket.on('data', onData).on('drain', onDrain).on('error', onError).on('end', onEnd).on('close', onEnd);
    socket.pause();
  }

  attach(sink: TransportSink): void {
    const first = this.#sink === undefined;
    this.#sink = sink;
    if (first && this.#socket.destroyed) this.ended();
    else if (first) this.#socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.writable ? this.#socket.write(bytes) : true;
  }

  /** What the kernel took at once leaves the socket's queue at once. */
  get isFlushed(): boolean {
    return this.#socket.writableLength === 0;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#sink = SILENT;
    this.#socket.destroy();
  }

  reset(): void {
    this.#sink = SILENT;
    this.#socket.resetAndDestroy();
  }

  received(bytes: Uint8Array): void {
    this.#sink?.data(bytes);
  }

  drained(): void {
    this.#sink?.drain();
  }

  failed(cause: unknown): void {
    this.#cause = cause;
  }

  /** The stream ended, or the socket closed. */
  ended(): void {
    const sink = this.#sink;
    if (!sink) return;
    this.#sink = SILENT;
    sink.end(this.#cause);
  }
}

const SILENT: TransportSink = { data() {}, drain() {}, end() {} };

export type TcpAddress = SocketAddress;

/** Dials TCP. Errors with ConnectionClosedError `CONNECT_FAILED`, whose cause is Node's, for any failure to connect. */
export function tcpDialer(address: TcpAddress): Dialer {
  const { host, port } = checkSocketAddress(address);
  return {
    kind: 'tcp',
    dial: () =>
      new Observable<Transport>((subscriber) => {
        const socketOptions = { host, port, highWaterMark: HIGH_WATER_MARK_BYTES };
        const socket = connect(socketOptions);
        const onConnectError = (cause: Error): void =>
          subscriber.error(connectError(formatSocketAddress({ host, port }), cause));
        let handedOver = false;
        socket.once('error', onConnectError);
        socket.once('connect', () => {
          socket.off('error', onConnectError);
          handedOver = true;
          subscriber.next(new TcpTransport(socket));
          subscriber.complete();
        });
        return () => {
          if (!handedOver) socket.destroy();
        };
      }),
  };
}

/** Listens on TCP; port 0 takes a free one. `listen` rejects with ConfigError `CONFIG_ADDRESS` where it can't. */
export function tcpListener(address: TcpAddress): Listener {
  const { host, port } = checkSocketAddress(address);
  let server: Server | undefined;
  return {
    kind: 'tcp',
    listen: (accept) =>
      new Promise<string>((resolve, reject) => {
        const made = createServer({ pauseOnConnect: true, highWaterMark: HIGH_WATER_MARK_BYTES }, (socket) =>
          accept(new TcpTransport(socket)),
        );
        made.once('error', (cause) => reject(listenError(formatSocketAddress({ host, port }), cause)));
        made.listen({ host, port }, () => {
          server = made;
          // A failed accept (no file descriptors left) hurts the newcomer alone.
          made.on('error', () => {});
          const bound = made.address() as AddressInfo;
          resolve(formatSocketAddress({ host: bound.address, port: bound.port }));
        });
      }),
    close: () =>
      new Promise<void>((resolve) => {
        if (!server) return resolve();
        // Its callback would wait for the connections that live on.
        server.close();
        resolve();
      }),
  };
}
