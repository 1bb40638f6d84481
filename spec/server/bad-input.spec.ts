import { describe, expect, it } from '@jest/globals';
import {
  MISBEHAVIOURS,
  seededCrypto,
  type SimulatedDevice,
  text,
  withLowOrderKey,
  withWrongProof,
} from 'usmp-rx/testing';
import { nodeCrypto } from '../../src/crypto/node.js';
import {
  concatBytes,
  CryptoError,
  encodeFrame,
  PacketType,
  UsmpError,
  type ErrorCode,
  type KeyPair,
} from '../../src/protocol/index.js';
import type { PskFunction } from '../../src/server/psk-source.js';
import type { Session } from '../../src/session/session.js';
import { connectedDevice, deviceIdOf, PSK, virtualBench } from './bench.js';

type VirtualBench = ReturnType<typeof virtualBench>;

const echo = async (session: Session): Promise<void> => {
  for await (const message of session) await session.send(message);
};

/** Every test: whatever a peer does, another device's session goes on exchanging messages, and the server goes on accepting. */
async function withBystander(test: (bench: VirtualBench) => Promise<void>): Promise<void> {
  const bench = virtualBench();
  bench.server.onSession(echo);
  const bystander = await connectedDevice(bench, { deviceId: deviceIdOf(1) });
  const answers: string[] = [];
  bystander.messages$.subscribe((message) => answers.push(text(message)));
  bystander.send('before');
  await bench.time.advance();
  await test(bench);
  bystander.send('after');
  await bench.time.advance();

  expect(answers).toEqual(['before', 'after']);
  expect((await connectedDevice(bench, { deviceId: deviceIdOf(2) })).state).toBe('open');
}

const { HELLO, HELLO_ACK, DATA } = PacketType;
const hello = encodeFrame(HELLO, 0, concatBytes(new Uint8Array(6).fill(7), nodeCrypto.generateKeyPair().publicKey));
const helloAck = encodeFrame(HELLO_ACK, 2, new Uint8Array(32));
const changed = (frame: Uint8Array, at: number, value: number): Uint8Array =>
  frame.map((byte, index) => (index === at ? value : byte));

const MALFORMED: readonly [string, Uint8Array, ErrorCode][] = [
  ['wrong magic', changed(hello, 0, 0xce), 'FRAME_MAGIC'],
  ['wrong second byte of the magic', changed(hello, 1, 0), 'FRAME_MAGIC'],
  ['HTTP', new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'), 'FRAME_MAGIC'],
  ['version 1', changed(hello, 2, 1), 'FRAME_VERSION'],
  ['version 3', changed(hello, 2, 3), 'FRAME_VERSION'],
  ['an unknown type', changed(hello, 3, 0x0c), 'FRAME_TYPE'],
  ['type 0', changed(hello, 3, 0), 'FRAME_TYPE'],
  ['a length of 65,535', changed(changed(hello, 8, 0xff), 9, 0xff), 'FRAME_LENGTH'],
  ['a length of 481', changed(changed(hello, 8, 0xe1), 9, 1), 'FRAME_LENGTH'],
  ['a wrong CRC', changed(hello, 10, hello[10]! ^ 1), 'FRAME_CRC'],
  ['a flipped payload bit', changed(hello, 20, hello[20]! ^ 1), 'FRAME_CRC'],
];

const helloOf = (bytes: number): Uint8Array => encodeFrame(HELLO, 0, new Uint8Array(bytes).fill(9));
const helloAckOf = (bytes: number): Uint8Array => encodeFrame(HELLO_ACK, 2, new Uint8Array(bytes));

/** A raw connection that has said this, each part after the answer to the one before. */
async function said(bench: VirtualBench, ...parts: readonly Uint8Array[]): Promise<SimulatedDevice> {
  const device = bench.device();
  void device.connectRaw();
  await bench.time.advance();
  for (const part of parts) {
    device.sendRaw(part);
    await bench.time.advance();
  }
  return device;
}

describe('instead of HELLO', () => {
  it.each(MALFORMED)('%s ends that connection with its error', async (_, bytes, code) => {
    await withBystander(async (bench) => {
      const device = await said(bench, bytes);

      expect(bench.failureCodes).toEqual([code]);
      expect(bench.failures[0]).toMatchObject({ deviceId: undefined, error: { origin: 'remote' } });
      expect(device.state).toBe('closed');
    });
  });

  it.each(Object.entries(PacketType).filter(([name]) => name !== 'HELLO' && name !== 'ERROR'))(
    '%s ends that connection',
    async (_, type) => {
      await withBystander(async (bench) => {
        await said(bench, encodeFrame(type, 0, new Uint8Array(38)));

        expect(bench.failureCodes).toEqual(['HANDSHAKE_UNEXPECTED_FRAME']);
      });
    },
  );

  it.each([0, 1, 37, 39, 53, 55, 480])('a HELLO of %i bytes ends that connection', async (length) => {
    await withBystander(async (bench) => {
      await said(bench, helloOf(length));

      expect(bench.failureCodes).toEqual(['HANDSHAKE_PAYLOAD_LENGTH']);
    });
  });
});

describe('after HELLO', () => {
  it.each(MALFORMED)('%s ends that connection with its error', async (_, bytes, code) => {
    await withBystander(async (bench) => {
      const device = await said(bench, hello, bytes);

      expect(bench.failureCodes).toEqual([code]);
      expect(bench.failures[0]?.deviceId).toBe('07:07:07:07:07:07');
      expect(device.state).toBe('closed');
    });
  });

  it.each(Object.entries(PacketType).filter(([name]) => name !== 'HELLO_ACK' && name !== 'ERROR'))(
    '%s instead of HELLO_ACK ends that connection',
    async (_, type) => {
      await withBystander(async (bench) => {
        await said(bench, hello, encodeFrame(type, 2, new Uint8Array(38)));

        expect(bench.failureCodes).toEqual(['HANDSHAKE_UNEXPECTED_FRAME']);
      });
    },
  );

  it.each([0, 31, 33, 480])('a HELLO_ACK of %i bytes ends that connection', async (length) => {
    await withBystander(async (bench) => {
      await said(bench, hello, helloAckOf(length));

      expect(bench.failureCodes).toEqual(['HANDSHAKE_PAYLOAD_LENGTH']);
    });
  });

  it('anything at all ends that connection while the PSK is being looked up', async () => {
    const bench = virtualBench({ psk: () => new Promise(() => {}) });
    await said(bench, hello, helloAck);

    expect(bench.failureCodes).toEqual(['HANDSHAKE_UNEXPECTED_FRAME']);
  });
});

describe('a proof that is none', () => {
  const crypto = seededCrypto('a bad device', nodeCrypto);

  it.each<[string, Parameters<VirtualBench['device']>[0], ErrorCode]>([
    ['a PSK that is not the right one', { psk: 'another pre-shared key' }, 'AUTH_HMAC'],
    ['a wrong HMAC', { crypto: withWrongProof(crypto, 'client') }, 'AUTH_HMAC'],
    ['a public key of low order', { crypto: withLowOrderKey(crypto) }, 'CRYPTO_LOW_ORDER_POINT'],
  ])('%s fails that handshake', async (_, options, code) => {
    await withBystander(async (bench) => {
      const device = bench.device(options);
      const connected = device.connect();
      await bench.time.advance();

      await expect(connected).rejects.toBeInstanceOf(UsmpError);
      expect(bench.failureCodes).toEqual([code]);
      expect(device.state).toBe('closed');
    });
  });
});

describe('a crypto provider that fails', () => {
  it.each<[string, PskFunction]>([
    ['at once', () => PSK],
    ['later', () => Promise.resolve(PSK)],
  ])('fails the handshake alone whose PSK was found %s', async (_, psk) => {
    let fails = false;
    const generateKeyPair = (): KeyPair => {
      if (fails) throw new CryptoError('CRYPTO_FAILURE', 'no entropy', { origin: 'local' });
      return nodeCrypto.generateKeyPair();
    };
    const bench = virtualBench({ psk, crypto: { ...nodeCrypto, generateKeyPair } });
    const bystander = await connectedDevice(bench, { deviceId: deviceIdOf(1) });
    fails = true;
    void bench.device().connect();
    await bench.time.advance();

    expect(bench.failures.map(({ error }) => error)).toEqual([
      expect.objectContaining({ code: 'CRYPTO_FAILURE', origin: 'local' }),
    ]);
    expect(bystander.state).toBe('open');
  });
});

describe('over a session that stands', () => {
  it.each(Object.entries(MISBEHAVIOURS))('%s ends it with its error', async (_, { run, code }) => {
    await withBystander(async (bench) => {
      const device = await connectedDevice(bench);
      run(device);
      await bench.time.advance();

      expect(await bench.sessions[1]?.closed).toMatchObject({ origin: 'remote', error: { code } });
      expect(device.state).toBe('closed');
      expect(bench.server.counters.sessionsClosed).toEqual({ [code]: 1 });
    });
  });

  it('a whole stream of garbage after a message ends it, and the message is still received', async () => {
    const bench = virtualBench();
    const device = await connectedDevice(bench);
    device.send('the last good one');
    device.sendRaw(new Uint8Array(100_000).fill(0xcd));
    await bench.time.advance();

    expect(await bench.sessions[0]?.recv().then(text)).toBe('the last good one');
    expect(await bench.sessions[0]?.closed).toMatchObject({ error: { code: 'FRAME_MAGIC' } });
  });

  it('another cipher suite shows as a wrong tag of the first frame', async () => {
    await withBystander(async (bench) => {
      const device = await connectedDevice(bench, { suite: 'chacha20-poly1305' });
      device.send('one');
      await bench.time.advance();

      expect(await bench.sessions[1]?.closed).toMatchObject({ error: { name: 'CryptoError', code: 'CRYPTO_TAG' } });
    });
  });

  it('an ERROR frame, which anybody can forge, changes nothing', async () => {
    await withBystander(async (bench) => {
      const device = await connectedDevice(bench);
      device.sendRaw(encodeFrame(PacketType.ERROR, 0, Uint8Array.of(2, 0, 0)));
      device.send('one');
      await bench.time.advance();

      expect(device.state).toBe('open');
      expect(bench.events).toContainEqual(
        expect.objectContaining({ type: 'session', event: { type: 'dropped', reason: 'error-frame' } }),
      );
    });
  });

  it('a peer that stops reading ends it with TIMEOUT_SEND after sendTimeoutMs', async () => {
    const bench = virtualBench({ sendTimeoutMs: 2_000, idleTimeoutMs: 3_600_000 });
    const device = await connectedDevice(bench);
    device.stopReading();
    const message = new Uint8Array(1_808);
    const sends = Array.from({ length: 100 }, () => bench.sessions[0]!.send(message));
    await bench.time.advance(1_999);
    expect(bench.server.sessions.size).toBe(1);
    await bench.time.advance(1);

    expect(await bench.sessions[0]?.closed).toMatchObject({ error: { code: 'TIMEOUT_SEND' } });
    const results = await Promise.allSettled(sends);
    expect(results.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED_BEFORE_SEND' } });
  });

  it('a DATA frame of a peer that was never authenticated reaches nobody', async () => {
    const bench = virtualBench();
    await said(bench, hello, concatBytes(helloAck, encodeFrame(DATA, 0, new Uint8Array(40))));

    expect(bench.failureCodes).toEqual(['AUTH_HMAC']);
    expect(bench.sessions).toEqual([]);
  });
});
