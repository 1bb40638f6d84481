import { filter, firstValueFrom } from 'rxjs';
import {
  nobleCrypto,
  UsmpClient,
  webSocketTransport,
  type ClientOptions,
  type ConnectionState,
  type Session,
  type UsmpError,
} from 'usmp-rx';

/*
 * What the page of the WebSocket spec can do: a USMP client in a browser. Everything that goes in and comes out is JSON.
 */

let client: UsmpClient;
/** The one that `connect` told about. */
let session: Session;

/** Makes a client; it is not connected yet. */
export function open(url: string, options: Omit<ClientOptions, 'transport' | 'crypto'>): void {
  client = new UsmpClient({ transport: webSocketTransport(url), crypto: nobleCrypto, ...options });
}

/** Connects and tells about the session. */
export async function connect(): Promise<object> {
  session = await client.connect();
  const { sessionId, transport, remoteAddress } = session;
  return { sessionId, transport, remoteAddress };
}

/** Sends a message of each length, all at once, and returns the lengths of those that came back unharmed. */
export async function exchange(lengths: readonly number[]): Promise<number[]> {
  const messages = lengths.map((length, n) => Uint8Array.from({ length }, (_, at) => at * 7 + n));
  const sends = Promise.all(messages.map((message) => client.send(message)));
  const unharmed: number[] = [];
  for (const message of messages) {
    const answer = await client.recv({ timeoutMs: 10_000 });
    if (answer.length === message.length && answer.every((byte, at) => byte === message[at]))
      unharmed.push(answer.length);
  }
  await sends;
  return unharmed;
}

export const ping = (): Promise<number> => session.ping();

export const rekey = (): Promise<void> => session.rekey();

export const close = (): Promise<void> => client.close();

/** Waits until the client is in this state; tells the error where there is one. */
export async function state(name: ConnectionState['name']): Promise<object> {
  const reached = await firstValueFrom(client.connection$.pipe(filter((one) => one.name === name)));
  return JSON.parse(JSON.stringify({ error: 'error' in reached ? reached.error : undefined })) as object;
}

/** Waits for the end of the session, then reads what it left; nothing is read before. */
export async function leftByEnd(): Promise<{ error: object | undefined; messages: number }> {
  const { error } = await session.closed;
  let messages = 0;
  try {
    for await (const message of session) if (message[0] === messages % 256) messages++;
  } catch {
    // The error is the one of `closed`.
  }
  return { error: error?.toJSON(), messages };
}

/** Sends numbered messages one after the other; returns how many, and the error that ended it. */
export async function sendMany(count: number, length: number): Promise<{ sent: number; error: object | undefined }> {
  let sent = 0;
  try {
    for (; sent < count; sent++) await client.send(new Uint8Array(length).fill(sent));
  } catch (error) {
    return { sent, error: (error as UsmpError).toJSON() };
  }
  return { sent, error: undefined };
}
