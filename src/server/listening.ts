import { ConfigError } from '../protocol/errors.js';
import type { AnyTransport } from '../transport/any.js';
import type { DatagramListener } from '../transport/datagram.js';
import { tcpListener, type TcpAddress } from '../transport/tcp.js';
import type { Listener } from '../transport/transport.js';
import { udpListener, type UdpAddress } from '../transport/udp.js';
import { webSocketListener, type WebSocketListenOptions } from '../transport/websocket-listener.js';

/** Where a server listens; at least one of them. */
export interface ListenOptions {
  /** Port 0 takes a free one. The host is by default this machine's loopback; `0.0.0.0` is every IPv4 address of it. */
  readonly tcp?: TcpAddress;
  /** The same; it may be the port number that TCP has. */
  readonly udp?: UdpAddress;
  /** A port of its own, or an HTTP server that listens already; see `docs/websocket.md`. */
  readonly websocket?: WebSocketListenOptions;
  /** Any other listeners, such as those of the networks in `usmp-rx/testing`. */
  readonly listeners?: readonly AnyListener[];
}

export type AnyListener = Listener | DatagramListener;

/** Where connections come from. */
export interface Entrance {
  /** Starts to accept; resolves with the bound address, rejects with ConfigError `CONFIG_ADDRESS`. */
  listen(accept: (transport: AnyTransport) => void): Promise<string>;
  /** Accepts nothing more; what was accepted lives on. */
  close(): Promise<void>;
}

/** An address that a server can be reached at; as a text, `127.0.0.1:9000`. */
export class BoundAddress {
  readonly host: string;
  readonly port: number;
  readonly #text: string;

  /** @param text `host:port` */
  constructor(text: string) {
    const colon = text.lastIndexOf(':');
    this.host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
    this.port = Number(text.slice(colon + 1));
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What was bound, under the names of what was asked for; of `listeners` the addresses in their order. */
export type BoundAddresses<Options extends ListenOptions> = {
  readonly [Name in keyof Options]: Name extends 'listeners' ? readonly string[] : BoundAddress;
};

/** @throws ConfigError `CONFIG_OPTION` where there is nothing to listen on */
export function listenersOf({ tcp, udp, websocket, listeners = [] }: ListenOptions): readonly AnyListener[] {
  const all = [
    ...(tcp ? [tcpListener(tcp)] : []),
    ...(udp ? [udpListener(udp)] : []),
    ...(websocket ? [webSocketListener(websocket)] : []),
    ...listeners,
  ];
  if (all.length > 0) return all;
  throw new ConfigError('CONFIG_OPTION', 'listen: expected tcp, udp, websocket or listeners, got none of them');
}

/** The result of `listen` from the addresses of `listenersOf`, in their order. */
export function boundAddresses<Options extends ListenOptions>(
  { tcp, udp, websocket, listeners }: Options,
  addresses: readonly string[],
): BoundAddresses<Options> {
  const rest = [...addresses];
  const bound = {
    ...(tcp && { tcp: new BoundAddress(rest.shift() as string) }),
    ...(udp && { udp: new BoundAddress(rest.shift() as string) }),
    ...(websocket && { websocket: new BoundAddress(rest.shift() as string) }),
    ...(listeners && { listeners: rest }),
  };
  return bound as BoundAddresses<Options>;
}

/**
 * Opens all entrances or none; resolves with their addresses.
 * @throws ConfigError `CONFIG_ADDRESS`
 */
export async function openAll(
  entrances: readonly Entrance[],
  accept: (transport: AnyTransport) => void,
): Promise<readonly string[]> {
  const results = await Promise.allSettled(entrances.map(async (entrance) => entrance.listen(accept)));
  const failure = results.find((result) => result.status === 'rejected');
  if (!failure) return results.map((result) => (result as PromiseFulfilledResult<string>).value);
  await closeAll(entrances.filter((_, at) => results[at]?.status === 'fulfilled'));
  const cause: unknown = failure.reason;
  throw cause instanceof ConfigError ? cause : new ConfigError('CONFIG_ADDRESS', 'could not listen', { cause });
}

/** Closes what was opened. Never rejects: an entrance that can't be closed is not the others' trouble. */
export async function closeAll(entrances: readonly Entrance[]): Promise<void> {
  await Promise.allSettled(entrances.map(async (entrance) => entrance.close()));
}
