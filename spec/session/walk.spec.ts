import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fastNodeCrypto } from '../../src/crypto/fast-node.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import type { UsmpError } from '../../src/protocol/index.js';
import type { UsmpSession } from '../../src/session/usmp-session.js';
import { SealLedger } from '../protocol/seal-ledger.js';
import { sessionPair } from './session-pair.js';

const side = fc.constantFrom('client' as const, 'server' as const);

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('send' as const), side, bytes: fc.nat(1_804), cancel: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ping' as const), side }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rekey' as const), side }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('consume' as const), side, consumes: fc.boolean() }) },
);

const line = fc.record({
  latencyMs: fc.nat(40),
  chunkBytes: fc.integer({ min: 20, max: 3_000 }),
  highWaterMarkBytes: fc.integer({ min: 1, max: 10_000 }),
});

const limits = fc.record({
  maxInboxMessages: fc.integer({ min: 1, max: 20 }),
  rekey: fc.record({ everyFrames: fc.integer({ min: 3, max: 300 }), everyMs: fc.integer({ min: 100, max: 10_000 }) }),
  keepaliveMs: fc.integer({ min: 500, max: 20_000 }),
});

const numberIn = (message: Uint8Array): number => new DataView(message.buffer, message.byteOffset).getUint32(0);

/** One direction: what was sent, what became of it, and what came. */
class Direction {
  readonly settled: ('resolved' | 'taken back' | undefined)[] = [];
  readonly received: number[] = [];
  readonly failures: unknown[] = [];

  send(session: UsmpSession, bytes: number, cancel: boolean): void {
    const number = this.settled.push(undefined) - 1;
    const message = new Uint8Array(bytes + 4);
    new DataView(message.buffer).setUint32(0, number);
    const giveUp = new AbortController();
    session.send(message, giveUp).then(
      () => (this.settled[number] = 'resolved'),
      (error: unknown) => {
        if ((error as UsmpError).code === 'ABORTED') this.settled[number] = 'taken back';
        else this.failures.push(error);
      },
    );
    if (cancel) giveUp.abort();
    // Whoever sends may use the array again at once.
    message.fill(0xee, 4);
  }
}

describe('two sessions that do whatever they may', () => {
  it.each([
    ['one by one', nodeCrypto],
    ['by the burst', fastNodeCrypto],
  ])(
    'lose nothing, repeat nothing, keep the order, and never seal twice with a key and a number: frames %s',
    async (_, crypto) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 120, size: 'max' }),
          line,
          limits,
          limits,
          async (steps, link, ofClient, ofServer) => {
            const ledger = new SealLedger();
            const pair = sessionPair({ ...link, client: ofClient, server: ofServer, crypto: ledger.watch(crypto) });
            const { time } = pair;
            const toServer = new Direction();
            const toClient = new Direction();
            const directions = { client: toServer, server: toClient };
            const consume = (who: 'client' | 'server') =>
              pair[who].messages$.subscribe((message) =>
                directions[who === 'client' ? 'server' : 'client'].received.push(numberIn(message)),
              );
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
            await time.advance(20_000);

            for (const { settled, received, failures } of [toServer, toClient]) {
              expect(failures).toEqual([]);
              expect(settled).not.toContain(undefined);
              expect(received).toEqual([...new Set(received)].sort((a, b) => a - b));
              const missing = settled.flatMap((became, number) =>
                became === 'resolved' && !received.includes(number) ? [number] : [],
              );
              expect(missing).toEqual([]);
            }
            expect([pair.client.closeInfo, pair.server.closeInfo]).toEqual([undefined, undefined]);

            void pair.client.bye();
            await time.advance(5_000);
            expect([pair.client.closeInfo, pair.server.closeInfo]).toEqual([{ origin: 'local' }, { origin: 'remote' }]);
          },
        ),
        { numRuns: 100 },
      );
    },
    60_000,
  );
});
