import { describe, expect, it } from '@jest/globals';
import { encodeFrame, HandshakeError, PacketType, type Secret } from '../../../src/protocol/index.js';
import { withLowOrderKey } from '../../../src/testing/index.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { pattern } from '../../protocol/pair.js';
import { losesFirst, nameOf } from '../../testing/datagram-setting.js';
import { losesNamed } from './datagram-line.js';
import { acknowledgement, DEVICE_ID, forged, OTHER_PSK, PSK, shakeHands } from './handshake-setting.js';

describe('a server’s handshake on datagrams', () => {
  it('repeats CHALLENGE on its timer alone: a repeated HELLO is acknowledged and no more', async () => {
    const { time, server, say, line, sentMs } = shakeHands({ without: 'client', delayMs: 0 });
    const hello = encodeFrame(PacketType.HELLO, 1, pattern(54, 1));
    for (let n = 0; n < 5; n++) {
      say.toServer(hello);
      await time.advance(90);
    }
    expect(line.log).toEqual([
      '> HELLO 1',
      '< UTACK HELLO 1',
      '< CHALLENGE 0',
      ...repeated(4, '> HELLO 1', '< UTACK HELLO 1'),
    ]);
    await time.advance(20_000);

    expect(sentMs('< CHALLENGE 0')).toEqual([0, 500, 1_500, 3_500, 7_500]);
    expect(server).toMatchObject({
      state: 'TIMEOUT_HANDSHAKE',
      endedMs: 12_500,
      error: { message: expect.stringContaining('CHALLENGE') },
    });
    expect(time.actions).toEqual([]);
  });

  it('does not repeat a CHALLENGE that is acknowledged, and waits for HELLO_ACK', async () => {
    const { time, server, say, sentMs } = shakeHands({ without: 'client', delayMs: 0 });
    say.toServer(forged.hello(1), acknowledgement.challenge);
    await time.advance(59_999);

    expect(sentMs('< CHALLENGE 0')).toHaveLength(1);
    expect(server.state).toBe('pending');
  });

  it('takes HELLO_ACK for the acknowledgement of CHALLENGE', async () => {
    const { time, server, sentMs } = shakeHands({ loses: losesNamed('UTACK CHALLENGE 0') });
    await time.advance(5_000);

    expect(server.state).toBe('established');
    expect(sentMs('< CHALLENGE 0')).toHaveLength(1);
  });

  it('stands before SESSION_OK has arrived, which goes on being repeated on its timer', async () => {
    const { time, server, client, sentMs } = shakeHands({ loses: losesFirst('toClient', 'SESSION_OK 0', 2) });
    await time.advance(30);
    expect(server.state).toBe('established');
    expect(server.result?.delivery.outstanding).toBeDefined();
    await time.advance(5_000);

    expect(client.state).toBe('established');
    expect(sentMs('< SESSION_OK 0').length).toBeGreaterThanOrEqual(3);
  });

  it('acknowledges a repeated HELLO_ACK and sends no second SESSION_OK for it', async () => {
    const { time, server, line } = shakeHands({ loses: losesNamed('SESSION_OK 0', 'UTACK HELLO_ACK 2') });
    await time.advance(31);
    const helloAck = line.datagrams.find((datagram) => nameOf(datagram) === 'HELLO_ACK 2')!;

    expect(server.result?.answered.answerTo(helloAck)).toEqual(acknowledgement.helloAck);
    expect(line.log.filter((entry) => entry === '< SESSION_OK 0')).toHaveLength(1);
  });

  it.each<[string, string, Uint8Array]>([
    ['noise', 'malformed', pattern(60, 1)],
    ['another HELLO', 'unexpected-frame', forged.hello(9)],
    ['CHALLENGE', 'unexpected-frame', forged.challenge(9)],
    ['SESSION_OK', 'unexpected-frame', forged.sessionOk(9)],
    ['HELLO_RETRY', 'unexpected-frame', forged.helloRetry(9)],
    ['a HELLO_ACK of another length', 'unexpected-frame', encodeFrame(PacketType.HELLO_ACK, 2, pattern(31, 9))],
    ['a sealed frame', 'unexpected-frame', encodeFrame(PacketType.DATA, 0, pattern(40, 9))],
    ['an acknowledgement of nothing', 'stray-acknowledgement', acknowledgement.sessionOk],
  ])('passes over %s as %s, and says nothing to it', async (_, reason, datagram) => {
    const { time, server, line } = shakeHands();
    await time.advance(15);
    const before = line.log.length;
    line.server.deliver(datagram);
    expect(line.log).toHaveLength(before);
    expect(server.drops).toEqual([reason]);
    await time.advance(100);

    expect(server.state).toBe('established');
  });

  it('passes over a HELLO of another length, and takes the right one after it', async () => {
    const { time, server, line } = shakeHands();
    line.server.deliver(encodeFrame(PacketType.HELLO, 0, pattern(39, 1)));
    line.server.deliver(forged.helloAck(1));
    await time.advance(100);

    expect(server.drops).toEqual(['unexpected-frame', 'unexpected-frame']);
    expect(server.state).toBe('established');
  });

  it('reports ERROR and goes on', async () => {
    const { time, server, line } = shakeHands();
    line.server.deliver(forged.error(6));
    await time.advance(100);

    expect([server.peerErrors, server.state]).toEqual([[6], 'established']);
  });

  it('fails at once for a client key of low order', async () => {
    const { time, server } = shakeHands({ clientCrypto: withLowOrderKey(nodeCrypto) });
    await time.advance(10);

    expect(server.error).toMatchObject({ code: 'CRYPTO_LOW_ORDER_POINT' });
  });
});

describe('a wrong proof of a client', () => {
  it('is acknowledged, and fails the handshake with AUTH_HMAC 3 s later', async () => {
    const { time, server, line } = shakeHands({ clientPsk: OTHER_PSK });
    await time.advance(30);
    expect(line.log.slice(-1)).toEqual(['< UTACK HELLO_ACK 2']);
    await time.advance(2_999);
    expect(server.state).toBe('pending');
    await time.advance(1);

    expect(server.error).toMatchObject({ name: 'AuthError', code: 'AUTH_HMAC' });
    expect(line.server.state).toBe('destroyed');
  });

  it('that an outsider forged does not keep the right one out', async () => {
    const { time, server, line, client } = shakeHands();
    await time.advance(15);
    for (const seed of [1, 2, 3]) line.server.deliver(forged.helloAck(seed));
    await time.advance(100);

    expect([client.state, server.state]).toEqual(['established', 'established']);
  });

  it('fails it at the 64th, of which the same one counts once', async () => {
    const { time, server, line } = shakeHands({ loses: losesNamed('HELLO_ACK 2') });
    await time.advance(15);
    for (let seed = 1; seed < 64; seed++) {
      line.server.deliver(forged.helloAck(seed));
      line.server.deliver(forged.helloAck(seed));
    }
    expect(server.state).toBe('pending');
    line.server.deliver(forged.helloAck(64));

    expect([server.state, server.ends]).toEqual(['AUTH_HMAC', 1]);
  });

  it('looks the same to a device that nobody knows as to one with another PSK', async () => {
    const talk = async (psks: readonly Secret[]): Promise<[string, readonly unknown[]]> => {
      const { time, server, line } = shakeHands({ clientPsk: OTHER_PSK, lookUp: () => psks });
      await time.advance(20_000);
      return [server.state, line.log.map((entry, at) => [entry, line.times[at], line.datagrams[at]?.length])];
    };
    const [[known, toKnown], [unknown, toUnknown]] = [await talk([PSK]), await talk([])];

    expect([known, unknown]).toEqual(['AUTH_HMAC', 'AUTH_UNKNOWN_DEVICE']);
    expect(toUnknown).toEqual(toKnown);
  });

  it('is none where one of two valid PSKs fits', async () => {
    const { time, server } = shakeHands({ clientPsk: OTHER_PSK, lookUp: () => [PSK, OTHER_PSK] });
    await time.advance(100);

    expect(server.state).toBe('established');
  });
});

describe('the lookup of a PSK', () => {
  it('gets the device id, once for a HELLO that is repeated meanwhile', async () => {
    const asked: Uint8Array[] = [];
    const { time, server } = shakeHands({
      lookUp: async (deviceId) => {
        asked.push(deviceId);
        return new Promise((resolve) => time.schedule(() => resolve([PSK]), 2_000));
      },
    });
    await time.advance(2_100);

    expect(asked).toEqual([DEVICE_ID]);
    expect(server.state).toBe('established');
  });

  it.each<[string, () => readonly Secret[] | Promise<readonly Secret[]>]>([
    [
      'throws',
      () => {
        throw new Error('the database is gone');
      },
    ],
    ['rejects', () => Promise.reject(new Error('the database is gone'))],
  ])('that %s fails this handshake with PSK_LOOKUP_FAILED', async (_, lookUp) => {
    const { time, server, line } = shakeHands({ lookUp });
    await time.advance(10);

    expect(server.error).toMatchObject({ code: 'PSK_LOOKUP_FAILED', cause: { message: 'the database is gone' } });
    expect(line.server.state).toBe('destroyed');
    expect(line.log.filter((entry) => entry === '< CHALLENGE 0')).toEqual([]);
  });

  it('that throws a UsmpError fails it with that', async () => {
    const refusal = new HandshakeError('HANDSHAKE_REFUSED', 'turned away');
    const { time, server } = shakeHands({
      lookUp: () => {
        throw refusal;
      },
    });
    await time.advance(10);

    expect(server.error).toBe(refusal);
  });

  it.each<[string, () => Promise<readonly Secret[]>]>([
    ['answers', () => Promise.resolve([PSK])],
    ['fails', () => Promise.reject(new Error('too late'))],
  ])('that %s after the end has no effect', async (_, answer) => {
    let late = (): void => {};
    const { time, server, line } = shakeHands({
      timeoutMs: 1_000,
      lookUp: () => new Promise((resolve, reject) => (late = () => void answer().then(resolve, reject))),
    });
    await time.advance(1_000);
    expect(server.state).toBe('TIMEOUT_HANDSHAKE');
    late();
    await time.advance(10);

    expect(server.ends).toBe(1);
    expect(line.log.filter((entry) => entry === '< CHALLENGE 0')).toEqual([]);
  });
});

function repeated(times: number, ...entries: readonly string[]): string[] {
  return Array<readonly string[]>(times).fill(entries).flat();
}
