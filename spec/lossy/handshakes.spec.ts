import { describe, expect, it } from '@jest/globals';
import { catchError, EMPTY, mergeMap, range } from 'rxjs';
import { datagramNetwork, testEnvironment } from 'usmp-rx/testing';
import { nodeCrypto, UsmpClient, UsmpServer } from '../../src/node.js';
import { parseDeviceId, Secret } from '../../src/protocol/index.js';
import { runClientHandshake } from '../../src/session/handshake.js';
import { pattern } from '../protocol/pair.js';

const HANDSHAKES = 1_000;
const WITHIN_MS = 30_000;
const BAD = { loss: 0.3, delayMs: 20, jitterMs: 20 };
const PSK = pattern(32, 1);

const deviceIdOf = (n: number): string => `02:00:00:00:${hex(n >> 8)}:${hex(n & 0xff)}`;
const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

async function listening() {
  const environment = testEnvironment({ seed: 'handshakes', provider: nodeCrypto });
  const network = datagramNetwork({
    scheduler: environment.scheduler,
    seed: 'handshakes',
    toServer: BAD,
    toClient: BAD,
  });
  const server = new UsmpServer({ psk: PSK, ...environment, maxHandshakesPerSecond: 10 * HANDSHAKES });
  await server.listen({ listeners: [network.listener('gateway')] });
  return { environment, time: environment.scheduler, network, server };
}

describe('1,000 handshakes at 30 % loss each way', () => {
  it('stand within 30 s, at least 99 % of them, with clients that try again', async () => {
    const { environment, time, network, server } = await listening();
    const clients = Array.from(
      { length: HANDSHAKES },
      (_, n) =>
        new UsmpClient({ transport: network.dialer('gateway'), deviceId: deviceIdOf(n), psk: PSK, ...environment }),
    );
    const stoodAtMs: number[] = [];
    for (const client of clients)
      client.connect().then(
        () => stoodAtMs.push(time.now()),
        () => {},
      );
    await time.advance(WITHIN_MS);

    expect(network.counters.toServer.lost / network.counters.toServer.sent).toBeCloseTo(0.3, 1);
    expect(stoodAtMs.length).toBeGreaterThanOrEqual(0.99 * HANDSHAKES);
    expect(server.sessions.size).toBeGreaterThanOrEqual(0.99 * HANDSHAKES);
    for (const client of clients) void client.close();
    void server.close();
    await time.advance(60_000);
  }, 60_000);

  it('stand within 30 s, at least 99 % of them, at the first attempt', async () => {
    const { environment, time, network, server } = await listening();
    const stoodAtMs: number[] = [];
    const handshakes$ = range(0, HANDSHAKES).pipe(
      mergeMap((n) =>
        network
          .dialer('gateway')
          .dial()
          .pipe(
            mergeMap((transport) =>
              runClientHandshake(transport, parseDeviceId(deviceIdOf(n)), new Secret(PSK), {
                ...environment,
                timeoutMs: WITHIN_MS,
              }),
            ),
            catchError(() => EMPTY),
          ),
      ),
    );
    handshakes$.subscribe(() => stoodAtMs.push(time.now()));
    await time.advance(WITHIN_MS);

    expect(stoodAtMs.length).toBeGreaterThanOrEqual(0.99 * HANDSHAKES);
    void server.close();
    await time.advance(60_000);
  }, 60_000);
});
