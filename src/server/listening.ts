import { ConfigError } from '../protocol/errors.js';
import { tcpListener, type TcpAddress } from '../transport/tcp.js';
import type { Listener, Transport } from '../transport/transport.js';

/** Where a server listens; at least one of them. */
export interface ListenOptions {
  /** Port 0 takes a free one. The host is by default this machine's loopback; `0.0.0.0` is every IPv4 address of it. */
  readonly tcp?: TcpAddress;
  /** Any other listeners, such as those of the memory network in `usmp-rx/testing`. */
  readonly listeners?: readonly Listener[];
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
export function listenersOf({ tcp, listeners = [] }: ListenOptions): readonly Listener[] {
  const all = tcp ? [tcpListener(tcp), ...listeners] : [...listeners];
  if (all.length > 0) return all;
  throw new ConfigError('CONFIG_OPTION', 'listen: expected tcp or listeners, got neither');
}

/** The result of `listen` from the addresses of `listenersOf`, in their order. */
export function boundAddresses<Options extends ListenOptions>(
  { tcp, listeners }: Options,
  addresses: readonly string[],
): BoundAddresses<Options> {
  const [first, ...rest] = addresses;
  const bound = {
    ...(tcp && { tcp: new BoundAddress(first as string) }),
    ...(listeners && { listeners: tcp ? rest : addresses }),
  };
  return bound as BoundAddresses<Options>;
}

/**
 * Opens all listeners or none; resolves with their addresses.
 * @throws ConfigError `CONFIG_ADDRESS`
 */
export async function openAll(
  listeners: readonly Listener[],
  accept: (transport: Transport) => void,
): Promise<readonly string[]> {
  const results = await Promise.allSettled(listeners.map(async (listener) => listener.listen(accept)));
  const failure = results.find((result) => result.status === 'rejected');
  if (!failure) return results.map((result) => (result as PromiseFulfilledResult<string>).value);
  await closeAll(listeners.filter((_, at) => results[at]?.status === 'fulfilled'));
  const cause: unknown = failure.reason;
  throw cause instanceof ConfigError ? cause : new ConfigError('CONFIG_ADDRESS', 'could not listen', { cause });
}

/** Closes what was opened. Never rejects: a listener that can't be closed is not the others' trouble. */
export async function closeAll(listeners: readonly Listener[]): Promise<void> {
  await Promise.allSettled(listeners.map(async (listener) => listener.close()));
}
