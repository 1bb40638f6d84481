import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nodeCrypto } from '../../../src/crypto/node.js';
import type { UsmpError } from '../../../src/protocol/index.js';
import type { Session } from '../../../src/session/session.js';
import { datagramNetwork, VirtualTime } from '../../../src/testing/index.js';
import { SealLedger } from '../../protocol/seal-ledger.js';
import { openSessions } from '../open-sessions.js';

const side = fc.constantFrom('client' as const, 'server' as const);

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('send' as const), side, bytes: fc.nat(1_804), cancel: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(1_500) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ping' as const), side }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rekey' as const), side }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('consume' as const), side, consumes: fc.boolean() }) },
);

const percent = (most: number) => fc.nat(most).map((n) => n / 100);
const way = fc.record({
  loss: percent(20),
  duplication: percent(20),
  reordering: percent(20),
  corruption: percent(5),
  delayMs: fc.nat(40),
  jitterMs: fc.nat(40),
});

const limits = fc.record({
  maxInboxMessages: fc.integer({ min: 1, max: 20 }),
  rekey: fc.record({ everyFrames: fc.integer({ min: 3, max: 100 }), everyMs: fc.integer({ min: 100, max: 10_000 }) }),
});

const numberIn = (message: Uint8Array): number => new DataView(message.buffer, message.byteOffset).getUint32(0);

/** One direction: what was sent, what became of it, and what came. */
class Direction {
  /** `resolved`, or the code of the rejection. */
  readonly settled: (string | undefined)[] = [];
  readonly received: number[] = [];

  send(session: Session, bytes: number, cancel: boolean): void {
    const number = this.settled.push(undefined) - 1;
    const message = new Uint8Array(bytes + 4);
    new DataView(message.buffer).setUint32(0, number);
    const giveUp = new AbortController();
    session.send(message, giveUp).then(
      () => (this.settled[number] = 'resolved'),
      (error: unknown) => (this.settled[number] = (error as UsmpError).code),
    );
    if (cancel) giveUp.abort();
    // Whoever sends may use the array again at once.
    message.fill(0xee, 4);
  }
}

describe('two sessions that do whatever they may on a bad network', () => {
  it('deliver every accepted message once and in order, report every other, and never seal twice with a key and a number', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 100, size: 'max' }),
        fc.record({ toServer: way, toClient: way }),
        limits,
        limits,
        fc.integer(),
        async (steps, conditions, ofClient, ofServer, seed) => {
          const ledger = new SealLedger();
          const time = new VirtualTime();
          const network = datagramNetwork({ scheduler: time, seed });
          const pair = await openSessions(
            {
              listener: network.listener('gateway'),
              dialer: () => network.dialer('gateway'),
              crypto: ledger.watch(nodeCrypto),
              time,
            },
            { client: { ...ofClient, keepaliveMs: 5_000 }, server: ofServer },
          );
          network.setConditions(conditions);
          const toServer = new Direction();
          const toClient = new Direction();
          const directions = { client: toServer, server: toClient };
          const consume = (who: 'client' | 'server') =>
            pair[who].messages$.subscribe({
              next: (message) => directions[who === 'client' ? 'server' : 'client'].received.push(numberIn(message)),
              error: () => {},
            });
          const consumers = { client: consume('client'), server: consume('server') };

          for (const now of steps) {
            if (now.do === 'send') directions[now.side].send(pair[now.side], now.bytes, now.cancel);
            else if (now.do === 'wait') await time.advance(now.ms);
            else if (now.do === 'ping') void pair[now.side].ping();
            else if (now.do === 'rekey') void pair[now.side].rekey();
            else {
              consumers[now.side].unsubscribe();
              if (now.consumes) consumers[now.side] = consume(now.side);
            }
          }
          for (const who of ['client', 'server'] as const) {
            consumers[who].unsubscribe();
            consume(who);
          }
          network.setConditions({ toServer: {}, toClient: {} });
          await time.advance(30_000);
          for (const session of [pair.client, pair.server]) void session.bye();
          await time.advance(10_000);

          const failures = new Set<string>();
          for (const { error } of await Promise.all([pair.client.closed, pair.server.closed])) {
            if (error) failures.add(error.code);
          }
          for (const { settled, received } of [toServer, toClient]) {
            expect(received).toEqual([...new Set(received)].sort((a, b) => a - b));
            const missing = settled.flatMap((became, number) =>
              became === 'resolved' && !received.includes(number) ? [number] : [],
            );
            expect(missing).toEqual([]);
            const reasons = new Set(settled);
            for (const expected of ['resolved', 'ABORTED', 'CLOSED_BEFORE_SEND', ...failures]) reasons.delete(expected);
            expect([...reasons]).toEqual([]);
            if (failures.size === 0) expect(settled).not.toContain('CLOSED_BEFORE_SEND');
          }
          for (const failure of failures) expect(['TIMEOUT_ACKNOWLEDGEMENT', 'TIMEOUT_IDLE']).toContain(failure);
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});
