import { createServer, STATUS_CODES, type IncomingMessage, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SchedulerLike, Subscription } from 'rxjs';
import { checkText } from '../protocol/check-option.js';
import { ConfigError } from '../protocol/errors.js';
import { formatSocketAddress, listenError, type SocketAddress } from './socket-address.js';

/** Connections that are no WebSocket yet; where there are more, the oldest goes. */
const MAX_PENDING = 256;
/** In how many pieces a message may come: each costs memory, however short. Options of a WebSocketServer of `ws`. */
export const PIECES = { maxFragments: 1024, maxBufferedChunks: 1024 } as const;
/** How long a peer that is refused may take to read it. */
const REFUSAL_MS = 1_000;

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

interface PortOptions extends Required<SocketAddress> {
  readonly path: string;
  readonly handshakeTimeoutMs: number;
  readonly scheduler: SchedulerLike;
}

export interface Port {
  /** `address:port` */
  readonly address: string;
  /** Frees the port; connections that have been upgraded live on. */
  readonly close: () => void;
}

/** @throws ConfigError `CONFIG_OPTION` */
export function checkPath(path: unknown): string {
  if (/^\/[^?#]*$/.test(checkText('path', path))) return path as string;
  throw new ConfigError('CONFIG_OPTION', `path: expected one like /usmp, got ${JSON.stringify(path)}`);
}

/** Opens a port that is there for upgrades to a path and nothing else. Rejects with ConfigError `CONFIG_ADDRESS`. */
export function openPort(
  { host, port, path, handshakeTimeoutMs, scheduler }: PortOptions,
  take: UpgradeHandler,
): Promise<Port> {
  const pending = new Map<Duplex, Subscription>();
  const settle = (socket: Duplex): void => {
    pending.get(socket)?.unsubscribe();
    pending.delete(socket);
  };
  const server = createServer((_request, response) => {
    response.writeHead(426, { Connection: 'close', Upgrade: 'websocket', 'Content-Type': 'text/plain' });
    response.end('This port is for WebSocket alone.\n');
  });
  server.on('connection', (socket) => {
    if (pending.size >= MAX_PENDING) pending.keys().next().value?.destroy();
    pending.set(
      socket,
      scheduler.schedule(() => socket.destroy(), handshakeTimeoutMs),
    );
    socket.once('close', () => settle(socket));
  });
  takeUpgrades(server, path, (request, socket, head) => {
    settle(socket);
    take(request, socket, head);
  });
  const close = (): void => {
    server.close();
    for (const socket of [...pending.keys()]) {
      settle(socket);
      socket.destroy();
    }
  };
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(listenError(formatSocketAddress({ host, port }), cause)));
    server.listen({ host, port }, () => {
      // A failed accept (no file descriptors left) hurts the newcomer alone.
      server.on('error', () => {});
      const bound = server.address() as AddressInfo;
      resolve({ address: formatSocketAddress({ host: bound.address, port: bound.port }), close });
    });
  });
}

/**
 * Takes the upgrades to a path of a server. Those to paths that were not taken here are left to whoever else listens for
 * upgrades, and get 404 where nobody does.
 * @returns what gives the path back
 * @throws ConfigError `CONFIG_ADDRESS` where the path is taken
 */
export function takeUpgrades(server: HttpServer, path: string, take: UpgradeHandler): () => void {
  const router = routers.get(server) ?? new UpgradeRouter(server);
  routers.set(server, router);
  return router.take(path, take);
}

/** One for each server: only together can those who take paths know that a path is nobody's. */
const routers = new WeakMap<HttpServer, UpgradeRouter>();

class UpgradeRouter {
  readonly #server: HttpServer;
  readonly #takers = new Map<string, UpgradeHandler>();
  readonly #onUpgrade: UpgradeHandler = (...upgrade) => this.#route(...upgrade);

  constructor(server: HttpServer) {
    this.#server = server;
  }

  take(path: string, take: UpgradeHandler): () => void {
    if (this.#takers.has(path)) {
      throw new ConfigError('CONFIG_ADDRESS', `the upgrades to ${path} of this server are taken already`);
    }
    if (this.#takers.size === 0) this.#server.on('upgrade', this.#onUpgrade);
    this.#takers.set(path, take);
    return () => {
      this.#takers.delete(path);
      if (this.#takers.size === 0) this.#server.off('upgrade', this.#onUpgrade);
    };
  }

  #route(...[request, socket, head]: Parameters<UpgradeHandler>): void {
    const take = this.#takers.get(request.url?.split('?', 1)[0] ?? '');
    if (take) take(request, socket, head);
    else if (this.#server.listenerCount('upgrade') === 1) refuse(request, 404, 'There is no WebSocket at this path.');
  }
}

/** Answers a request for an upgrade with an HTTP status instead, and what was wrong. */
export function refuse({ socket }: IncomingMessage, status: 400 | 403 | 404 | 503, text: string): void {
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  // What was asked before on the same connection, and is not read, stands before this.
  socket.setTimeout(REFUSAL_MS, () => socket.destroy());
  const headers = `Connection: close\r\nContent-Type: text/plain\r\nContent-Length: ${text.length + 1}`;
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers}\r\n\r\n${text}\n`);
}
