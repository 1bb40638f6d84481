import { createServer, STATUS_CODES, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SchedulerLike, Subscription } from 'rxjs';
import { formatSocketAddress, listenError, type SocketAddress } from './socket-address.js';

/** Connections that are no WebSocket yet; where there are more, the oldest goes. */
const MAX_PENDING = 256;

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

interface PortOptions extends Required<SocketAddress> {
  readonly handshakeTimeoutMs: number;
  readonly scheduler: SchedulerLike;
}

export interface Port {
  /** `address:port` */
  readonly address: string;
  /** Frees the port; connections that have been upgraded live on. */
  readonly close: () => void;
}

/** Opens a port that is there for upgrades and nothing else. Rejects with ConfigError `CONFIG_ADDRESS`. */
export function openPort(
  { host, port, handshakeTimeoutMs, scheduler }: PortOptions,
  onUpgrade: UpgradeHandler,
): Promise<Port> {
  const pending = new Map<Duplex, Subscription>();
  const settle = (socket: Duplex): void => {
    pending.get(socket)?.unsubscribe();
    pending.delete(socket);
  };
  const server = createServer((_request, response) => {
    response.writeHead(426, { Connection: 'close', Upgrade: 'websocket' }).end();
  });
  server.on('connection', (socket) => {
    if (pending.size >= MAX_PENDING) pending.keys().next().value?.destroy();
    pending.set(
      socket,
      scheduler.schedule(() => socket.destroy(), handshakeTimeoutMs),
    );
    socket.once('close', () => settle(socket));
  });
  server.on('upgrade', (request, socket, head) => {
    settle(socket);
    onUpgrade(request, socket, head);
  });
  const close = (): void => {
    server.close();
    for (const socket of pending.keys()) socket.destroy();
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

/** Answers a request for an upgrade with an HTTP status instead. */
export function refuse(socket: Duplex, status: 400 | 404): void {
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
