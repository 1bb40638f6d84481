import { describe, expect, it } from '@jest/globals';
import { udpProxy, type LinkConditions } from 'usmp-rx/testing';
import { udpListener, UsmpClient, UsmpServer } from '../../src/node.js';
import { pattern } from '../protocol/pair.js';

const SESSIONS = 50;
const WITHIN_MS = 300_000;
const BAD: LinkConditions = { loss: 0.3, corruption: 0.3 };
const PSK = pattern(32, 1);

const deviceIdOf = (n: number): string => `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`;

describe('50 sessions over real sockets at 30 % loss and 30 % corruption each way', () => {
  it(
    'all stand within 300 s',
    async () => {
      const server = new UsmpServer({ psk: PSK });
      const { udp } = await server.listen({ udp: { port: 0 } });
      const proxy = await udpProxy({
        listener: udpListener({ port: 0 }),
        target: { address: udp.host, port: udp.port },
        upstream: () => udpListener({ port: 0 }),
        toServer: BAD,
        toClient: BAD,
      });
      const clients = Array.from(
        { length: SESSIONS },
        (_, n) => new UsmpClient({ transport: 'udp', port: proxy.port, deviceId: deviceIdOf(n), psk: PSK }),
      );
      const signal = AbortSignal.timeout(WITHIN_MS);
      await Promise.all(clients.map((client) => client.connect({ signal })));
      const { lost, corrupted, sent } = proxy.counters.toServer;

      expect(lost / sent).toBeCloseTo(0.3, 1);
      expect(corrupted / (sent - lost)).toBeCloseTo(0.3, 1);
      proxy.setConditions({ toServer: {}, toClient: {} });
      await Promise.all(clients.map((client) => client.close()));
      await server.close();
      proxy.close();
    },
    WITHIN_MS + 30_000,
  );
});
