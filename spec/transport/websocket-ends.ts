import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { firstValueFrom } from 'rxjs';
import { WebSocket, WebSocketServer } from 'ws';
import type { Dialer, Listener, Transport } from '../../src/transport/transport.js';
import { webSocketListener, type WebSocketLimits } from '../../src/transport/websocket-listener.js';
import { webSocketTransport } from '../../src/transport/websocket.js';

export const portOf = (address: string): number => Number(address.split(':').at(-1));

/** A dialer with the WebSocket of the package ws, since Node 20 has none. */
export const dialerOf = (address: string): Dialer => webSocketTransport(`ws://${address}/`, { WebSocket });

/** What a test opens, to be closed after it. */
export class Opened {
  readonly #closers: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  /** A listener at a free port; `accepted` resolves with the first connection. */
  async listen(
    limits: WebSocketLimits = {},
  ): Promise<{ address: string; listener: Listener; accepted: Promise<Transport> }> {
    const listener = webSocketListener({ port: 0, ...limits });
    let accept: (transport: Transport) => void = () => {};
    const accepted = new Promise<Transport>((resolve) => {
      accept = resolve;
    });
    const address = await listener.listen((transport) => {
      this.add(() => transport.destroy());
      accept(transport);
    });
    this.add(() => listener.close());
    return { address, listener, accepted };
  }

  async dial(dialer: Dialer): Promise<Transport> {
    const transport = await firstValueFrom(dialer.dial());
    this.add(() => transport.destroy());
    return transport;
  }

  /** A WebSocket of the package ws, open. */
  async plainClient(address: string): Promise<WebSocket> {
    const client = new WebSocket(`ws://${address}/`, 'usmp.v2');
    this.add(() => client.terminate());
    await once(client, 'open');
    return client;
  }

  /** A server of the package ws, and the dialer of it; `accepted` resolves with the first WebSocket. */
  async plainServer(): Promise<{ dialer: Dialer; accepted: Promise<WebSocket>; server: WebSocketServer }> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    this.add(() => server.close());
    this.add(() => server.clients.forEach((client) => client.terminate()));
    const accepted = new Promise<WebSocket>((resolve) => server.once('connection', resolve));
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    return { server, dialer: dialerOf(`127.0.0.1:${port}`), accepted };
  }

  /** A TCP connection to where a WebSocket is expected. */
  async rawSocket(address: string, ...lines: readonly string[]): Promise<Socket> {
    const socket = connectTcp(portOf(address), '127.0.0.1');
    this.add(() => socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    if (lines.length > 0) socket.write(lines.map((line) => `${line}\r\n`).join(''));
    return socket;
  }

  /** One that has been upgraded, and from where on bytes are frames of WebSocket. */
  async rawPeer(address: string): Promise<Socket> {
    const socket = await this.rawSocket(address, ...upgrade());
    const head = (await once(socket, 'data'))[0] as Buffer;
    if (!head.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error('not upgraded');
    return socket;
  }
}

/** A good request for an upgrade. */
export const upgrade = (path = '/', subprotocol = 'usmp.v2'): string[] => [
  `GET ${path} HTTP/1.1`,
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  `Sec-WebSocket-Protocol: ${subprotocol}`,
  '',
];

/** Everything that a socket says until it is closed, as text. */
export async function lastWords(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

/** The code and the reason that a WebSocket is closed with. */
export async function closing(webSocket: WebSocket): Promise<[code: number, reason: string]> {
  const [code, reason] = (await once(webSocket, 'close')) as [number, Buffer];
  return [code, reason.toString()];
}
