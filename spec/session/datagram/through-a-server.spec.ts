import { describe, expect, it } from '@jest/globals';
import { datagramNetwork, VirtualTime } from '../../../src/testing/index.js';
import type { DatagramListener } from '../../../src/transport/datagram.js';
import { losesFirst, nameOf, type Loses } from '../../testing/datagram-setting.js';
import { openSessions } from '../open-sessions.js';
import { textsOf } from './observed.js';

/** Two sessions through a real server on a network that loses what it is told to, and a log of all that was sent. */
async function openLosing(loses: Loses) {
  const time = new VirtualTime();
  const way = { delayMs: 10 };
  const network = datagramNetwork({ scheduler: time, toServer: way, toClient: way });
  const log: string[] = [];
  network.sent$.subscribe(({ direction, datagram }) => {
    log.push(`${direction === 'toServer' ? '>' : '<'} ${nameOf(datagram)}`);
  });
  const listener = losing(network.listener('gateway'), loses, log);
  const sessions = await openSessions({ listener, dialer: () => network.dialer('gateway'), time });
  return { ...sessions, time, log };
}

/** Where a socket is bound that some datagrams never reach, and some never leave. */
function losing(listener: DatagramListener, loses: Loses, log: string[]): DatagramListener {
  return {
    kind: 'udp',
    bind: async (receive) => {
      const socket = await listener.bind((datagram, from) => {
        if (!loses('toServer', datagram)) receive(datagram, from);
      });
      return {
        address: socket.address,
        send: (datagram, to) => {
          if (loses('toClient', datagram)) log.push(`< ${nameOf(datagram)}`);
          else socket.send(datagram, to);
        },
        close: () => socket.close(),
      };
    },
  };
}

describe('through a server', () => {
  it.each<[string, Loses]>([
    ['the first HELLO', losesFirst('toServer', 'HELLO 0')],
    ['the acknowledgement of HELLO', losesFirst('toClient', 'UTACK HELLO 0')],
    ['HELLO_RETRY', losesFirst('toClient', 'HELLO_RETRY 0', 2)],
    ['HELLO with the cookie', losesFirst('toServer', 'HELLO 1', 2)],
    ['the acknowledgement of SESSION_OK', losesFirst('toServer', 'UTACK SESSION_OK 0', 2)],
  ])('a session stands, though %s is lost, and carries messages both ways', async (_, loses) => {
    const { client, server, time } = await openLosing(loses);
    const received = [textsOf(client), textsOf(server)];
    void client.send('to the server');
    void server.send('to the client');
    await time.advance(1_000);

    expect(received).toEqual([['to the client'], ['to the server']]);
  });

  it.each([
    ['client', 'toClient'],
    ['server', 'toServer'],
  ] as const)('the BYE of a %s is acknowledged again when its peer is closed already', async (who, direction) => {
    const { client, server, time, log } = await openLosing(losesFirst(direction, 'UTACK BYE 0', 2));
    const [ours, theirs] = who === 'client' ? [client, server] : [server, client];
    let closedMs = 0;
    void ours.bye().then(() => (closedMs = time.frame));
    const saidMs = time.frame;
    await time.advance(4_000);

    expect(closedMs - saidMs).toBeGreaterThan(100);
    expect(closedMs - saidMs).toBeLessThan(4_000);
    expect(await Promise.all([ours.closed, theirs.closed])).toEqual([{ origin: 'local' }, { origin: 'remote' }]);
    const acknowledgements = log.filter((entry) => entry.includes('UTACK BYE'));
    expect(acknowledgements).toHaveLength(3);
  });
});
