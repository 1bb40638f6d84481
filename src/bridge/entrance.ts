import { createServer, STATUS_CODES, type IncomingMessage, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { BoundAddress } from '../server/listening.js';
import { formatSocketAddress, listenError } from '../transport/socket-address.js';
import type { BridgeSettings } from './bridge-options.js';
import { BRIDGE_SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX } from './protocol.js';

/** A WebSocket that is open, and nothing has been said on it. */
export interface Arrival {
  readonly webSocket: WebSocket;
  readonly socket: Duplex;
  /** `address:port` */
  readonly remoteAddress: string;
  /** What stood in the subprotocol header. */
  readonly token: Uint8Array | undefined;
}

/** Why a request became no WebSocket. */
export type EntranceRefusal =
  /** The page comes from another origin. */
  | 'origin'
  /** It does not offer the subprotocol of the bridge. */
  | 'subprotocol'
  /** There are too many connections. */
  | 'full';

interface EntranceOptions {
  readonly settings: BridgeSettings;
  readonly isFull: () => boolean;
  readonly onArrival: (arrival: Arrival) => void;
  readonly onRefused: (reason: EntranceRefusal, remoteAddress: string) => void;
}

const HTTP_STATUS = { origin: 403, subprotocol: 400, full: 503 } as const;
/** A dashboard that vanished without a word is noticed by probes from this much silence on. */
const TCP_KEEPALIVE_MS = 30_000;

/** Where WebSockets come in: at a path of a server that is there already, or of one of its own. */
export class Entrance {
  readonly #options: EntranceOptions;
  readonly #webSockets: WebSocketServer;
  readonly #server: HttpServer;
  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
    this.#upgrade(request, socket, head);

  constructor(options: EntranceOptions) {
    const { place, authTimeoutMs, maxPayloadBytes } = options.settings;
    this.#options = options;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: maxPayloadBytes,
      handleProtocols: () => BRIDGE_SUBPROTOCOL,
    });
    this.#server = 'port' in place ? ownServer(authTimeoutMs) : place;
  }

  /** Resolves with the bound address, if it is one of its own. @throws ConfigError `CONFIG_ADDRESS` */
  async listen(): Promise<BoundAddress | undefined> {
    const { place } = this.#options.settings;
    const server = this.#server;
    if (!('port' in place)) {
      server.on('upgrade', this.#onUpgrade);
      return undefined;
    }
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(listenError(formatSocketAddress(place), cause)));
      server.listen(place, resolve);
    });
    server.on('upgrade', this.#onUpgrade);
    // What goes wrong with one connection later is no reason to stop.
    server.on('error', () => {});
    const { address, port } = server.address() as AddressInfo;
    return new BoundAddress(formatSocketAddress({ host: address, port }));
  }

  /** Lets nobody in from now on. Resolves when an own server is closed, so after all its sockets. */
  async close(): Promise<void> {
    const server = this.#server;
    server.off('upgrade', this.#onUpgrade);
    if (server === this.#options.settings.place || !server.listening) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { settings, isFull, onArrival, onRefused } = this.#options;
    const { remoteAddress: host = '?', remotePort: port = 0 } = request.socket;
    const remoteAddress = formatSocketAddress({ host, port });
    const refuse = (reason: EntranceRefusal): void => {
      respond(socket, HTTP_STATUS[reason]);
      onRefused(reason, remoteAddress);
    };
    if (request.url?.split('?')[0] !== settings.path) {
      // Others may be waiting for it; where nobody is, it must not stay open.
      if (this.#server.listenerCount('upgrade') === 1) respond(socket, 404);
      return;
    }
    if (!settings.origins.admits(request.headers.origin, request.headers.host)) return refuse('origin');
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    if (!offered.includes(BRIDGE_SUBPROTOCOL)) return refuse('subprotocol');
    if (isFull()) return refuse('full');
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      request.socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
      onArrival({ webSocket, socket, remoteAddress, token: tokenOf(offered) });
    });
  }
}

function tokenOf(offered: readonly string[]): Uint8Array | undefined {
  const name = offered.find((one) => one.startsWith(TOKEN_SUBPROTOCOL_PREFIX));
  return name === undefined ? undefined : Buffer.from(name.slice(TOKEN_SUBPROTOCOL_PREFIX.length), 'base64url');
}

/** Answers what is no WebSocket, and lets nobody dawdle. */
function ownServer(timeoutMs: number): HttpServer {
  const timeouts = { headersTimeout: timeoutMs, requestTimeout: timeoutMs, connectionsCheckingInterval: 1_000 };
  return createServer(timeouts, (_request, response) => {
    response.writeHead(426, { upgrade: 'websocket', connection: 'close' }).end();
  });
}

function respond(socket: Duplex, status: number): void {
  // It is closed in any case.
  socket.on('error', () => {});
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
