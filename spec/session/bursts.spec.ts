import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fastNodeCrypto } from '../../src/crypto/fast-node.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import {
  encodeFrame,
  FrameDecoder,
  PacketType,
  SecureChannel,
  toHex,
  type CryptoProvider,
} from '../../src/protocol/index.js';
import type { SessionEvent } from '../../src/session/session-event.js';
import { sessionLimits } from '../../src/session/session-limits.js';
import { UsmpSession } from '../../src/session/usmp-session.js';
import { VirtualTime } from '../../src/testing/index.js';
import { memoryTransportPair, type MemoryTransport } from '../../src/transport/memory.js';
import { establishedAs, pattern, sealControl, sealMessage, sealRekey } from '../protocol/pair.js';

/** A server's session, and the end of the stream that its client would have. */
function serverSession(crypto: CryptoProvider, maxInboxMessages = 1_024) {
  const time = new VirtualTime();
  const [clientEnd, transport] = memoryTransportPair({ scheduler: time, highWaterMarkBytes: 1e9 });
  const limits = sessionLimits({ maxInboxMessages }, { idleTimeoutMs: 60_000, keepaliveMs: undefined });
  const session = new UsmpSession(
    { transport, decoder: new FrameDecoder(), established: establishedAs('server') },
    { crypto, suite: 'aes-256-gcm', scheduler: time, limits },
  );
  session.start();
  return { session, clientEnd, time };
}

const item = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('message' as const), bytes: fc.nat(500) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('message' as const), bytes: fc.nat(1_808) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ping' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pong' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('error' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rekey' as const) }) },
);
type Item = typeof item extends fc.Arbitrary<infer T> ? T : never;

/** What a client sends, in one piece. A rekeying is never confirmed to it, so there is one at most. */
function streamOf(items: readonly Item[]): Uint8Array {
  const client = new SecureChannel(nodeCrypto, 'aes-256-gcm', establishedAs('client'));
  const parts = items.map((one, n) => {
    if (one.kind === 'message') return sealMessage(client, pattern(one.bytes, n));
    if (one.kind === 'error') return encodeFrame(PacketType.ERROR, 0, Uint8Array.of(2, 0, 0));
    if (one.kind === 'rekey') return client.rekeyPending ? new Uint8Array(0) : sealRekey(client);
    return sealControl(client, one.kind === 'ping' ? PacketType.PING : PacketType.PONG);
  });
  return Uint8Array.from(Buffer.concat(parts));
}

/** Writes in pieces of these lengths, over and over. */
function writeInPieces(end: MemoryTransport, bytes: Uint8Array, pieces: readonly number[]): void {
  let at = 0;
  for (let n = 0; at < bytes.length; n++) {
    const piece = pieces[n % pieces.length]!;
    end.write(bytes.slice(at, at + piece));
    at += piece;
  }
}

/** An event without what differs by design: when we read, and what of a plaintext is shown. */
function told(event: SessionEvent): string {
  if (event.type === 'message') return `message ${toHex(event.data)}`;
  if (event.type === 'closed') return `closed ${event.info.origin} ${event.info.error?.code}`;
  if (event.type === 'dropped') return `dropped ${event.reason}`;
  return event.type;
}

/** What comes of it at a session whose messages are subscribed, or received one by one out of an inbox of three. */
async function outcome(crypto: CryptoProvider, bytes: Uint8Array, pieces: readonly number[], isSubscribed: boolean) {
  const { session, clientEnd, time } = serverSession(crypto, isSubscribed ? undefined : 3);
  const events: string[] = [];
  const consumed: string[] = [];
  session.events$.subscribe((event) => {
    if (event.type !== 'paused' && event.type !== 'resumed') events.push(told(event));
  });
  writeInPieces(clientEnd, bytes, pieces);
  if (isSubscribed) session.messages$.subscribe({ next: (one) => consumed.push(toHex(one)), error: () => {} });
  else void receiveAll(session, consumed);
  await time.advance(1_000);
  return { consumed, events };
}

async function receiveAll(session: UsmpSession, consumed: string[]): Promise<void> {
  try {
    for (;;) consumed.push(toHex(await session.recv()));
  } catch {
    // Why is told by events$; here it depends on whether the end found somebody waiting.
  }
}

describe('frames that come together', () => {
  const pieces = fc.array(fc.oneof(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 70_000 })), {
    minLength: 1,
    maxLength: 8,
  });

  it.each([
    ['subscribed', true],
    ['received one by one', false],
  ])(
    'give what they give one by one, with messages %s, whatever the stream holds and however it is cut',
    async (_, isSubscribed) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(item, { maxLength: 150, size: 'max' }),
          pieces,
          fc.option(
            fc.record({ part: fc.double({ min: 0, max: 0.999, noNaN: true }), flip: fc.integer({ min: 1, max: 255 }) }),
          ),
          async (items, cut, damage) => {
            const bytes = streamOf(items);
            if (damage && bytes.length > 0) bytes[Math.floor(damage.part * bytes.length)]! ^= damage.flip;
            const expected = await outcome(nodeCrypto, bytes, [100_000], isSubscribed);
            expect(await outcome(fastNodeCrypto, bytes, [100_000], isSubscribed)).toEqual(expected);
            expect(await outcome(fastNodeCrypto, bytes, cut, isSubscribed)).toEqual(expected);
          },
        ),
        { numRuns: 150 },
      );
    },
  );

  it('are all delivered before the one that is forged ends the session', async () => {
    const items = Array.from({ length: 60 }, () => ({ kind: 'message' as const, bytes: 100 }));
    const bytes = streamOf(items);
    bytes[40 * 140 + 139]! ^= 1;
    const { consumed, events } = await outcome(fastNodeCrypto, bytes, [100_000], true);
    expect(consumed).toHaveLength(40);
    // The CRC is wrong too, and is looked at first.
    expect(events.at(-1)).toBe('closed remote FRAME_CRC');
  });

  it('stop where a consumer closes the session, and nothing of the rest is shown', async () => {
    const { session, clientEnd, time } = serverSession(fastNodeCrypto);
    writeInPieces(clientEnd, streamOf(Array.from({ length: 60 }, () => ({ kind: 'message', bytes: 10 }))), [100_000]);
    let received = 0;
    session.messages$.subscribe({
      next: () => {
        received++;
        if (received === 5) session.onEnd({ origin: 'local' });
      },
      error: () => {},
    });
    await time.advance(1_000);
    expect(received).toBe(5);
  });

  it('are opened under the old key though a consumer starts a rekeying among them', async () => {
    const { session, clientEnd, time } = serverSession(fastNodeCrypto);
    const items = Array.from({ length: 60 }, () => ({ kind: 'message' as const, bytes: 10 }));
    const received: string[] = [];
    session.messages$.subscribe((one) => {
      received.push(toHex(one));
      if (received.length === 5) void session.rekey();
    });
    writeInPieces(clientEnd, streamOf(items), [2_000, 1, 400]);
    await time.advance(1_000);
    expect(received).toEqual(items.map(({ bytes }, n) => toHex(pattern(bytes, n))));
    expect(session.closeInfo).toBeUndefined();
  });
});
