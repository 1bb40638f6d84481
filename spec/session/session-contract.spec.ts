import { describe } from '@jest/globals';
import { tcpDialer, tcpListener } from '../../src/transport/tcp.js';
import { udpDialer, udpListener } from '../../src/transport/udp.js';
import { datagramNetwork, memoryNetwork, VirtualTime } from '../../src/testing/index.js';
import { openSessions } from './open-sessions.js';
import { sessionContract } from './session-contract.js';

const LOOPBACK = '127.0.0.1';
const portOf = (address: string): number => Number(address.split(':').at(-1));

describe('a session in memory', () => {
  sessionContract((limits) => {
    const time = new VirtualTime();
    const network = memoryNetwork({ scheduler: time, latencyMs: 5 });
    const listener = network.listener('gateway');
    return openSessions({ listener, dialer: () => network.dialer('gateway'), time }, limits);
  });
});

describe('a session over TCP', () => {
  const listener = () => tcpListener({ host: LOOPBACK, port: 0 });
  const dialer = (address: string) => tcpDialer({ host: LOOPBACK, port: portOf(address) });
  sessionContract((limits) => openSessions({ listener: listener(), dialer }, limits));
});

describe.each([
  ['a good network', {}],
  ['a slow network that duplicates and reorders', { duplication: 0.2, reordering: 0.1, jitterMs: 10 }],
])('a session over datagrams on %s', (_, conditions) => {
  sessionContract((limits) => {
    const time = new VirtualTime();
    const way = { delayMs: 5, ...conditions };
    const network = datagramNetwork({ scheduler: time, toServer: way, toClient: way });
    const listener = network.listener('gateway');
    return openSessions({ listener, dialer: () => network.dialer('gateway'), time }, limits);
  });
});

describe('a session over UDP', () => {
  const listener = () => udpListener({ host: LOOPBACK, port: 0 });
  const dialer = (address: string) => udpDialer({ host: LOOPBACK, port: portOf(address) });
  sessionContract((limits) => openSessions({ listener: listener(), dialer }, limits));
});
