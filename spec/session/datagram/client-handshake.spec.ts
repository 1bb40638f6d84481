import { describe, expect, it } from '@jest/globals';
import { encodeFrame, PacketType } from '../../../src/protocol/index.js';
import { LOW_ORDER_POINTS } from '../../protocol/handshake/low-order-points.js';
import { pattern } from '../../protocol/pair.js';
import { losesFirst, nameOf } from '../../testing/datagram-setting.js';
import { losesNamed } from './datagram-line.js';
import { acknowledgement, forged, OTHER_PSK, shakeHands } from './handshake-setting.js';

describe('a client’s handshake on datagrams', () => {
  it('repeats the plain HELLO until it is answered, also when it is acknowledged, and however often', async () => {
    const { time, client, say, sentMs } = shakeHands({ without: 'server', delayMs: 0 });
    await time.advance();
    say.toClient(acknowledgement.hello);
    await time.advance(25_000);

    expect(sentMs('> HELLO 0')).toEqual([0, 500, 1_500, 3_500, 7_500, 12_500, 17_500, 22_500]);
    expect(client.state).toBe('pending');
  });

  it('brings the cookie of a HELLO_RETRY back, in a HELLO of 66 bytes with sequence number 1', async () => {
    const { time, line, say } = shakeHands({ without: 'server', delayMs: 0 });
    say.toClient(forged.helloRetry(1));
    await time.advance();
    const [plain, , withCookie] = line.datagrams;

    expect(line.log).toEqual(['> HELLO 0', '< HELLO_RETRY 0', '> HELLO 1']);
    expect(withCookie).toHaveLength(66);
    expect(withCookie?.subarray(12)).toEqual(Uint8Array.from([...plain!.subarray(12), ...pattern(16, 1)]));
  });

  it('repeats HELLO with a cookie five times, and then gives up', async () => {
    const { time, client, say, sentMs } = shakeHands({ without: 'server', delayMs: 0 });
    say.toClient(forged.helloRetry(1));
    await time.advance(60_000);

    expect(sentMs('> HELLO 0')).toHaveLength(1);
    expect(sentMs('> HELLO 1')).toHaveLength(5);
    expect(client).toMatchObject({ state: 'TIMEOUT_HANDSHAKE', error: { message: expect.stringContaining('HELLO') } });
    expect(time.actions).toEqual([]);
  });

  it('does not repeat it once it is acknowledged, and waits for CHALLENGE', async () => {
    const { time, client, say, sentMs } = shakeHands({ without: 'server', delayMs: 0 });
    say.toClient(forged.helloRetry(1), acknowledgement.helloWithCookie);
    await time.advance(59_999);

    expect(sentMs('> HELLO 1')).toHaveLength(1);
    expect(client.state).toBe('pending');
  });

  it('accepts one HELLO_RETRY, and none after CHALLENGE', async () => {
    const { time, client, line, say, sentMs } = shakeHands();
    say.toClient(forged.helloRetry(1), forged.helloRetry(1), forged.helloRetry(2));
    await time.advance(15);
    expect(sentMs('> HELLO 1')).toHaveLength(1);
    await time.advance(10);
    say.toClient(forged.helloRetry(3));
    await time.advance(100);

    expect(client.drops.filter((reason) => reason === 'unexpected-frame').length).toBeGreaterThanOrEqual(3);
    expect(line.log.filter((entry) => entry.startsWith('> HELLO '))).toEqual(['> HELLO 0', '> HELLO 1']);
    expect(line.log).not.toContain('> UTACK HELLO_RETRY 0');
  });

  it('takes CHALLENGE for the acknowledgement of HELLO', async () => {
    const { time, client, sentMs } = shakeHands({ loses: losesNamed('UTACK HELLO 0') });
    await time.advance(1_000);

    expect(client.state).toBe('established');
    expect(sentMs('> HELLO 0')).toHaveLength(1);
  });

  it('learns the round trip from an answer as from an acknowledgement', async () => {
    const { time, sentMs } = shakeHands({ delayMs: 10, loses: losesFirst('toServer', 'HELLO_ACK 2') });
    await time.advance(1_000);

    // srtt 177.5 ms and four times rttvar 120 ms.
    expect(sentMs('> HELLO_ACK 2')).toEqual([20, 20 + 657.5]);
  });

  it('takes SESSION_OK for the acknowledgement of HELLO_ACK', async () => {
    const { time, client, sentMs } = shakeHands({ loses: losesNamed('UTACK HELLO_ACK 2') });
    await time.advance(1_000);

    expect(client.state).toBe('established');
    expect(sentMs('> HELLO_ACK 2')).toHaveLength(1);
  });

  it('acknowledges a repeated CHALLENGE again, and proves itself once', async () => {
    const { time, client, line, sentMs } = shakeHands({ loses: losesFirst('toServer', 'UTACK CHALLENGE 0', 3) });
    line.loses = (direction, datagram) =>
      direction === 'toServer' && ['UTACK CHALLENGE 0', 'HELLO_ACK 2'].includes(nameOf(datagram)) && time.frame < 1_600;
    await time.advance(5_000);

    expect(sentMs('> UTACK CHALLENGE 0').length).toBeGreaterThanOrEqual(3);
    expect(
      new Set(line.datagrams.filter((one) => nameOf(one) === 'HELLO_ACK 2').map((one) => one.join())),
    ).toHaveProperty('size', 1);
    expect(client.state).toBe('established');
  });

  it('gives up after five attempts to prove itself', async () => {
    const { time, client, sentMs } = shakeHands({ loses: losesNamed('HELLO_ACK 2') });
    await time.advance(20_000);

    expect(client).toMatchObject({
      state: 'TIMEOUT_HANDSHAKE',
      error: { message: expect.stringContaining('HELLO_ACK') },
    });
    expect(sentMs('> HELLO_ACK 2')).toHaveLength(5);
  });

  it.each<[string, string, Uint8Array]>([
    ['noise', 'malformed', pattern(60, 1)],
    ['a CHALLENGE that is cut', 'malformed', forged.challenge(1).subarray(0, 60)],
    ['a CHALLENGE of another length', 'unexpected-frame', encodeFrame(PacketType.CHALLENGE, 0, pattern(63, 1))],
    ['a HELLO_RETRY of another length', 'unexpected-frame', encodeFrame(PacketType.HELLO_RETRY, 0, pattern(15, 1))],
    ['SESSION_OK before its time', 'unexpected-frame', forged.sessionOk(1)],
    ['HELLO', 'unexpected-frame', forged.hello(1)],
    ['HELLO_ACK', 'unexpected-frame', forged.helloAck(1)],
    ['a sealed frame', 'unexpected-frame', encodeFrame(PacketType.DATA, 0, pattern(40, 1))],
    ['an acknowledgement of nothing', 'stray-acknowledgement', acknowledgement.helloAck],
    ['the acknowledgement of another HELLO', 'stray-acknowledgement', acknowledgement.helloWithCookie],
    ['a broken acknowledgement', 'stray-acknowledgement', Uint8Array.of(0xac, 0xac, 1)],
  ])('passes over %s as %s, and says nothing to it', async (_, reason, datagram) => {
    const { time, client, line, say } = shakeHands();
    say.toClient(datagram);
    await time.advance(10);
    expect(client.drops).toEqual([reason]);
    expect(line.log.filter((entry) => entry.startsWith('> '))).toEqual(['> HELLO 0']);
    await time.advance(100);

    expect(client.state).toBe('established');
  });

  it('reports ERROR, does not acknowledge it, and goes on', async () => {
    const { time, client, line, say } = shakeHands();
    say.toClient(forged.error(2));
    await time.advance(100);

    expect(client.peerErrors).toEqual([2]);
    expect(client.state).toBe('established');
    expect(line.log.filter((entry) => entry.includes('ERROR'))).toEqual(['< ERROR 0']);
  });
});

describe('a forged SESSION_OK', () => {
  it('before the right one costs nothing', async () => {
    const { time, client, say } = shakeHands();
    await time.advance(25);
    say.toClient(forged.sessionOk(1), forged.sessionOk(2), forged.sessionOk(3));
    await time.advance(100);

    expect(client.state).toBe('established');
    expect(client.endedMs).toBe(40);
  });

  it('ends the handshake with AUTH_HMAC after 3 s where the right one does not come', async () => {
    const { time, client, line, say } = shakeHands({ loses: losesNamed('SESSION_OK 0') });
    await time.advance(25);
    line.client.deliver(forged.sessionOk(1));
    await time.advance(2_999);
    expect(client.state).toBe('pending');
    say.toClient(forged.sessionOk(2));
    await time.advance(1);

    expect(client.error).toMatchObject({ name: 'AuthError', code: 'AUTH_HMAC' });
    expect(line.client.state).toBe('destroyed');
  });

  it('ends it at the 64th, of which the same one counts once', async () => {
    const { time, client, line } = shakeHands({ loses: losesNamed('SESSION_OK 0') });
    await time.advance(25);
    for (let seed = 1; seed < 64; seed++) {
      line.client.deliver(forged.sessionOk(seed));
      line.client.deliver(forged.sessionOk(seed));
    }
    expect(client.state).toBe('pending');
    line.client.deliver(forged.sessionOk(64));

    expect(client.state).toBe('AUTH_HMAC');
    expect(client.ends).toBe(1);
    expect(line.log.filter((entry) => entry === '> UTACK SESSION_OK 0')).toHaveLength(2 * 63 + 1);
  });
});

describe('a CHALLENGE with a point of low order', () => {
  const lowOrder = encodeFrame(PacketType.CHALLENGE, 0, Uint8Array.from([...pattern(32, 1), ...LOW_ORDER_POINTS[2]!]));

  it('is passed over, unacknowledged: the right one may follow', async () => {
    const { time, client, line, say } = shakeHands();
    say.toClient(lowOrder);
    await time.advance(100);

    expect(client.state).toBe('established');
    expect(client.drops).toEqual(['unexpected-frame']);
    expect(line.log.filter((entry) => entry === '> UTACK CHALLENGE 0')).toHaveLength(1);
  });

  it('tells why the handshake failed, where nothing better comes', async () => {
    const { time, client, say } = shakeHands({ without: 'server', timeoutMs: 5_000 });
    say.toClient(lowOrder);
    await time.advance(5_000);

    expect(client.error).toMatchObject({ name: 'CryptoError', code: 'CRYPTO_LOW_ORDER_POINT' });
    expect(client.endedMs).toBe(5_000);
  });

  it('tells so also where an attempt is given up before', async () => {
    const { time, client, say } = shakeHands({ without: 'server', delayMs: 0 });
    say.toClient(forged.helloRetry(1), lowOrder);
    await time.advance(20_000);

    expect(client.state).toBe('CRYPTO_LOW_ORDER_POINT');
  });
});

describe('a client with another PSK', () => {
  it('is told nothing, and fails when its time is over', async () => {
    const { time, client, server } = shakeHands({ clientPsk: OTHER_PSK, timeoutMs: 10_000 });
    await time.advance(10_000);

    expect([client.state, server.state]).toEqual(['TIMEOUT_HANDSHAKE', 'AUTH_HMAC']);
  });
});
