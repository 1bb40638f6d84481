import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { losesFirst, type Loses } from '../../testing/datagram-setting.js';
import { DEVICE_ID, acknowledgement, forged, shakeHands } from './handshake-setting.js';

const FRAMES = ['HELLO 0', 'CHALLENGE 0', 'HELLO_ACK 2', 'SESSION_OK 0'];
const DATAGRAMS = FRAMES.flatMap((name) => [name, `UTACK ${name}`]);

/** Loses the first of this name, whoever sends it. */
function losesFirstOf(name: string, count: number): Loses {
  const [up, down] = [losesFirst('toServer', name, count), losesFirst('toClient', name, count)];
  return (direction, datagram) => up(direction, datagram) || down(direction, datagram);
}

describe('a handshake on datagrams', () => {
  it('comes to the same session on both sides, with keys that fit, in two round trips', async () => {
    const { time, line, client, server } = shakeHands({ delayMs: 10 });
    await time.advance(100);

    expect([client.endedMs, server.endedMs]).toEqual([40, 30]);
    const [c, s] = [client.result?.established, server.result?.established];
    expect(c?.sessionId).toEqual(s?.sessionId);
    expect(s?.deviceId).toEqual(DEVICE_ID);
    expect(c?.keys.sending.expose()).toEqual(s?.keys.receiving.expose());
    expect(c?.keys.receiving.expose()).toEqual(s?.keys.sending.expose());
    expect([line.client.state, line.server.state]).toEqual(['claimed', 'claimed']);
    expect([client.subscription?.closed, server.subscription?.closed]).toEqual([true, true]);
  });

  it('sends each frame once, acknowledged by 7 bytes, where nothing is lost', async () => {
    const { time, line } = shakeHands();
    await time.advance(100);

    expect(line.log).toEqual([
      '> HELLO 0',
      '< UTACK HELLO 0',
      '< CHALLENGE 0',
      '> UTACK CHALLENGE 0',
      '> HELLO_ACK 2',
      '< UTACK HELLO_ACK 2',
      '< SESSION_OK 0',
      '> UTACK SESSION_OK 0',
    ]);
    expect(line.datagrams.map(({ length }) => length)).toEqual([50, 7, 76, 7, 44, 7, 60, 7]);
  });

  it.each(DATAGRAMS.flatMap((name) => [1, 2, 3, 4].map((count) => [name, count] as const)))(
    'outlives the loss of %s, %p times',
    async (name, count) => {
      const { time, client, server } = shakeHands({ loses: losesFirstOf(name, count) });
      await time.advance(15_000);

      expect([client.state, server.state]).toEqual(['established', 'established']);
    },
  );

  it.each(FRAMES.map((name) => `UTACK ${name}`))(
    'outlives the loss of every %s: the answer implies it',
    async (name) => {
      const { time, line, client, server } = shakeHands({ loses: losesFirstOf(name, Number.POSITIVE_INFINITY) });
      await time.advance(100);
      expect([client.state, server.state]).toEqual(['established', 'established']);

      const repeated = (frame: string): number => line.log.filter((entry) => entry.endsWith(`> ${frame}`)).length;
      expect(['HELLO 0', 'HELLO_ACK 2'].map(repeated)).toEqual([1, 1]);
    },
  );

  it('stands on any network that lets one of four attempts through, in any order and however often', async () => {
    const fate = fc.record({ lost: fc.boolean(), delayMs: fc.nat(400), copies: fc.integer({ min: 1, max: 3 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { minLength: 60, maxLength: 60 }), async (fates) => {
        const { time, line, client, server } = shakeHands({ delayMs: 0 });
        const losses = new Map<string, number>();
        let count = 0;
        line.loses = (direction, datagram) => {
          const { lost, delayMs, copies } = fates[count++ % fates.length]!;
          const name = `${direction} ${datagram.join()}`;
          const lostBefore = losses.get(name) ?? 0;
          losses.set(name, lostBefore + 1);
          if (lost && lostBefore < 3) return true;
          const end = direction === 'toServer' ? line.server : line.client;
          for (let n = 0; n < copies; n++) time.schedule(() => end.deliver(datagram), delayMs + n * 50);
          return true;
        };
        await time.advance(30_000);

        expect([client.state, server.state]).toEqual(['established', 'established']);
        expect(client.result?.established.sessionId).toEqual(server.result?.established.sessionId);
        expect([client.ends, server.ends]).toEqual([1, 1]);
      }),
      { numRuns: 50 },
    );
  });

  it('is not confused by anything that an outsider sends to both sides all the while, but proofs', async () => {
    const { time, client, server, say } = shakeHands({ delayMs: 10 });
    const toBoth = [
      new Uint8Array(0),
      forged.hello(1),
      forged.error(2),
      forged.hello(2).subarray(0, 40),
      Uint8Array.of(0xac, 0xac),
      Uint8Array.of(0xac, 0xac, 5, 0, 0, 0, 0),
    ];
    await time.advance(5);
    for (let ms = 0; ms < 40; ms += 10) {
      say.toClient(...toBoth, forged.helloAck(3), acknowledgement.challenge);
      if (ms > 0) say.toServer(...toBoth, forged.challenge(4), forged.sessionOk(5), forged.helloRetry(6));
      await time.advance(10);
    }

    expect([client.state, server.state]).toEqual(['established', 'established']);
  });
});

describe('the end of a handshake on datagrams', () => {
  it('comes with TIMEOUT_HANDSHAKE when its time is over, and closes the transport', async () => {
    for (const without of ['client', 'server'] as const) {
      const { time, line, client, server } = shakeHands({ timeoutMs: 3_000, without });
      await time.advance(2_999);
      const outcome = without === 'client' ? server : client;
      expect(outcome.state).toBe('pending');
      await time.advance(1);

      expect(outcome.state).toBe('TIMEOUT_HANDSHAKE');
      expect(outcome.error?.name).toBe('TimeoutError');
      expect(line[without === 'client' ? 'server' : 'client'].state).toBe('destroyed');
      expect(time.actions).toEqual([]);
    }
  });

  it('comes with HANDSHAKE_INTERRUPTED when the transport ends', async () => {
    const cause = new Error('another handshake was begun from the address');
    const { time, line, client, server } = shakeHands();
    await time.advance(15);
    line.client.end(cause);
    line.server.end(cause);

    for (const outcome of [client, server])
      expect(outcome.error).toMatchObject({ code: 'HANDSHAKE_INTERRUPTED', cause });
    await time.advance(20);
    expect(time.actions).toEqual([]);
  });

  it('comes silently when it is unsubscribed: the transport closes, no timer is left', async () => {
    for (const afterMs of [0, 5, 15, 25]) {
      const { time, line, client, server } = shakeHands();
      await time.advance(afterMs);
      client.subscription?.unsubscribe();
      server.subscription?.unsubscribe();
      expect([line.client.state, line.server.state]).toEqual(['destroyed', 'destroyed']);
      const sent = line.log.length;
      await time.advance(10);

      expect([client.ends, server.ends, line.log.length]).toEqual([0, 0, sent]);
      expect(time.actions).toEqual([]);
    }
  });

  it('is told once, whatever comes after', async () => {
    const { time, line, client, server, say } = shakeHands({ loses: losesFirstOf('UTACK SESSION_OK 0', 1) });
    await time.advance(100);
    const late = line.datagrams.map((datagram) => Uint8Array.from(datagram));
    say.toClient(...late, forged.sessionOk(1));
    say.toServer(...late, forged.helloAck(1));
    client.subscription?.unsubscribe();
    server.subscription?.unsubscribe();
    await time.advance(60_000);

    expect([client.ends, server.ends]).toEqual([1, 1]);
    expect([line.client.state, line.server.state]).toEqual(['claimed', 'claimed']);
    expect(time.actions).toEqual([]);
  });
});
