import { describe, expect, it } from '@jest/globals';
import { catchError, EMPTY, filter, mergeMap } from 'rxjs';
import { datagramNetwork, testEnvironment, type LinkConditions } from 'usmp-rx/testing';
import { nodeCrypto, UsmpClient, UsmpServer } from '../../src/node.js';
import { pattern } from '../protocol/pair.js';

const MESSAGES = 100_000;
/** So many wait for their turn at a time. */
const WINDOW = 100;
const PSK = pattern(32, 1);
const BAD: LinkConditions = {
  loss: 0.05,
  duplication: 0.05,
  reordering: 0.2,
  reorderingMs: 30,
  delayMs: 5,
  jitterMs: 5,
};

const numbered = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);
const numberIn = (message: Uint8Array): number => new DataView(message.buffer, message.byteOffset).getUint32(0, true);

describe('100,000 messages at 5 % loss, 5 % duplication and 20 % reordering, rekeyed every 500', () => {
  it('are delivered exactly once and in order where send resolves; every other one is reported to its sender', async () => {
    const environment = testEnvironment({ seed: 'messages', provider: nodeCrypto });
    const time = environment.scheduler;
    const network = datagramNetwork({ scheduler: time, seed: 'messages', toServer: BAD, toClient: BAD });
    const server = new UsmpServer({ psk: PSK, ...environment });
    const arrived: number[] = [];
    let rekeyings = 0;
    server.sessions$
      .pipe(mergeMap(({ messages$ }) => messages$.pipe(catchError(() => EMPTY))))
      .subscribe((message) => arrived.push(numberIn(message)));
    server.events$
      .pipe(filter((event) => event.type === 'session' && event.event.type === 'rekeyed'))
      .subscribe(() => rekeyings++);
    await server.listen({ listeners: [network.listener('gateway')] });
    const client = new UsmpClient({
      transport: network.dialer('gateway'),
      deviceId: '00:11:22:33:44:55',
      psk: PSK,
      rekey: { everyFrames: 500 },
      ...environment,
    });
    void client.connect();
    const accepted = new Set<number>();
    const rejected = new Set<number>();
    const sendFrom = async (first: number): Promise<void> => {
      for (let n = first; n < MESSAGES; n += WINDOW) {
        await client.send(numbered(n)).then(
          () => accepted.add(n),
          () => rejected.add(n),
        );
      }
    };
    void Promise.all(Array.from({ length: WINDOW }, (_, first) => sendFrom(first)));
    while (accepted.size + rejected.size < MESSAGES) await time.advance(10_000);

    expect(new Set(arrived).size).toBe(arrived.length);
    expect(arrived.filter((n) => !accepted.has(n) && !rejected.has(n))).toEqual([]);
    const there = new Set(arrived);
    expect([...accepted].filter((n) => !there.has(n))).toEqual([]);
    expect(rejected.size).toBeLessThan(10);
    expect(rekeyings).toBeGreaterThanOrEqual(MESSAGES / 500);
    const { sent, lost, reordered } = network.counters.toServer;
    expect(lost / sent).toBeCloseTo(0.05, 2);
    expect(reordered / sent).toBeCloseTo(0.2, 1);
  }, 120_000);
});
