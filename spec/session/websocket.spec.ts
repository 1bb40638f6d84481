import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { lastValueFrom, toArray } from 'rxjs';
import { WebSocket, WebSocketServer } from 'ws';
import { webSocketListener } from '../../src/transport/websocket-listener.js';
import { webSocketTransport } from '../../src/transport/websocket.js';
import { pattern } from '../protocol/pair.js';
import { received, upTo } from './contract-vocabulary.js';
import { openSessions, type OpenedSessions, type PairLimits } from './open-sessions.js';
import { sessionContract } from './session-contract.js';

const listener = () => webSocketListener({ port: 0 });
const dialer = (address: string) => webSocketTransport(`ws://${address}/`, { WebSocket });

describe('a session over WebSocket', () => {
  sessionContract((limits) => openSessions({ listener: listener(), dialer }, limits));
});

describe('a session over WebSocket', () => {
  let opened: OpenedSessions | undefined;
  const closers: (() => void)[] = [];

  async function open(limits: PairLimits, dial = dialer): Promise<OpenedSessions> {
    opened = await openSessions({ listener: listener(), dialer: dial }, limits);
    return opened;
  }

  afterEach(async () => {
    await opened?.close();
    for (const close of closers.splice(0)) close();
  });

  it('ends with INBOX_FULL where nobody consumes a client’s messages, and loses none that came', async () => {
    const { client, server } = await open({ client: { maxInboxMessages: 3 } });
    const ends = Promise.all([lastValueFrom(client.events$.pipe(toArray())), server.closed]);
    const sends = Promise.allSettled(upTo(700).map((n) => server.send(pattern(1_808, n))));
    const [events, atServer] = await ends;

    const error = { name: 'ConnectionClosedError', code: 'INBOX_FULL', advice: expect.stringContaining('inbox') };
    expect(events.map(({ type }) => type).filter((type) => type !== 'message')).toEqual(['paused', 'closed']);
    expect(await client.closed).toMatchObject({ origin: 'local', error });
    expect(atServer.error).toMatchObject({
      code: 'CLOSED_WITHOUT_BYE',
      message: expect.stringContaining('inbox full'),
    });

    await sends;
    let read = 0;
    const reading = (async () => {
      for await (const message of client) if (Buffer.compare(message, pattern(1_808, read)) === 0) read++;
    })();
    await expect(reading).rejects.toMatchObject(error);
    expect(read).toBeGreaterThan((1024 * 1024) / 2_000);
  });

  it('is the same through a relay that cuts the stream anew, in the middle of frames', async () => {
    const relay = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    closers.push(() => relay.close());
    await once(relay, 'listening');
    const { client, server } = await open({}, (address) => {
      relay.on('connection', (left) => {
        const right = new WebSocket(`ws://${address}/`, 'usmp.v2');
        const opening = once(right, 'open');
        left.on('message', (data) => void opening.then(() => sendInPieces(right, data as Buffer)));
        right.on('message', (data) => sendInPieces(left, data as Buffer));
        left.on('close', (code) => right.close(code));
        right.on('close', (code) => left.close(code));
      });
      return dialer(`127.0.0.1:${(relay.address() as AddressInfo).port}`);
    });
    const messages = upTo(40).map((n) => pattern((n * 631) % 1_809, n));
    const arrived = Promise.all([received(server, 40), received(client, 40)]);
    for (const message of messages) for (const session of [client, server]) void session.send(message);

    expect(await arrived).toEqual([messages, messages]);
    await client.bye();
    expect(await server.closed).toEqual({ origin: 'remote' });
  });
});

function sendInPieces(to: WebSocket, bytes: Buffer): void {
  const lengths = [1, 11, 0, 300, 2];
  for (let at = 0, n = 0; at < bytes.length; n++) to.send(bytes.subarray(at, (at += lengths[n % lengths.length]!)));
}
