import { describe, expect, it } from '@jest/globals';
import {
  decodeFrame,
  encodeFrame,
  PacketType,
  stepClientHandshake,
  stepServerHandshake,
  toHex,
  type HandshakeStep,
} from '../../../src/protocol/index.js';
import { DEVICE_ID, pattern } from '../pair.js';
import { anyCrypto, PROVIDERS } from '../providers.js';
import { scriptedCrypto } from '../scripted-crypto.js';
import { LOW_ORDER_POINTS } from './low-order-points.js';
import { frameInput, PSK, psksInput, rehearse, sentBy, summaryOf, type HandshakeFrameName } from './rehearsal.js';

const { client, server, frames, sessions } = rehearse();

/** What the receiver of each handshake frame makes of these bytes in its place. */
const receive: Readonly<Record<HandshakeFrameName, (bytes: Uint8Array) => HandshakeStep<{ readonly name: string }>>> = {
  HELLO: (bytes) => stepServerHandshake(server.ExpectHello, frameInput(bytes), anyCrypto),
  CHALLENGE: (bytes) => stepClientHandshake(client.ExpectChallenge, frameInput(bytes), anyCrypto),
  HELLO_ACK: (bytes) => stepServerHandshake(server.ExpectHelloAck, frameInput(bytes), anyCrypto),
  SESSION_OK: (bytes) => stepClientHandshake(client.ExpectSessionOk, frameInput(bytes), anyCrypto),
};
const ALL_FRAMES = Object.keys(receive) as HandshakeFrameName[];

/** Protocol.md section 2. */
const PAYLOAD_BYTES: Readonly<Record<HandshakeFrameName, readonly number[]>> = {
  HELLO: [38, 54],
  CHALLENGE: [64],
  HELLO_ACK: [32],
  SESSION_OK: [48],
};

describe.each(ALL_FRAMES)('%s', (name) => {
  const genuine = decodeFrame(frames[name]);

  it('is sent with the length of its payload in section 2', () => {
    expect(genuine.payload).toHaveLength(PAYLOAD_BYTES[name][0] as number);
  });

  it('is sent with its sequence number of section 3', () => {
    expect(genuine.seq).toBe(name === 'HELLO_ACK' ? 2 : 0);
  });

  it('is refused with a payload of any other length', () => {
    const longest = Uint8Array.of(...genuine.payload, ...pattern(480 - genuine.payload.length, 1));
    for (let length = 0; length <= 100; length++) {
      if (PAYLOAD_BYTES[name].includes(length)) continue;
      const { state, outputs } = receive[name](encodeFrame(genuine.type, 0, longest.subarray(0, length)));
      expect(state.name).toBe('Failed');
      expect([length, summaryOf(outputs)]).toEqual([length, 'failed HandshakeError HANDSHAKE_PAYLOAD_LENGTH remote']);
    }
    expect(summaryOf(receive[name](encodeFrame(genuine.type, 0, longest)).outputs)).toContain('PAYLOAD_LENGTH');
  });

  it('is taken with any sequence number', () => {
    const usual = receive[name](frames[name]);
    for (const seq of [1, 2, 7, 0xffff_ffff]) {
      const { state, outputs } = receive[name](encodeFrame(genuine.type, seq, genuine.payload));
      expect(state.name).toBe(usual.state.name);
      expect(summaryOf(outputs)).toBe(summaryOf(usual.outputs));
    }
  });
});

describe('HELLO with 16 bytes more', () => {
  it('is taken, and the 16 bytes are ignored', () => {
    const hello = decodeFrame(frames.HELLO).payload;
    const challengeTo = (payload: Uint8Array): string => {
      const script = { privateKeys: [pattern(32, 1)], randomBytes: [pattern(32, 2)] };
      const pskNeeded = receive.HELLO(encodeFrame(PacketType.HELLO, 0, payload));
      expect(pskNeeded.outputs).toEqual([{ kind: 'pskNeeded', deviceId: DEVICE_ID }]);
      const state = pskNeeded.state as Parameters<typeof stepServerHandshake>[0];
      return toHex(sentBy(stepServerHandshake(state, psksInput(PSK), scriptedCrypto(anyCrypto, script))));
    };
    expect(challengeTo(Uint8Array.of(...hello, ...pattern(16, 8)))).toBe(challengeTo(hello));
  });
});

describe('unsafe handshakes of older texts', () => {
  it('with a session id of 4 bytes are refused', () => {
    const { payload } = decodeFrame(frames.SESSION_OK);
    const short = Uint8Array.of(...payload.subarray(0, 4), ...payload.subarray(16));
    expect(summaryOf(receive.SESSION_OK(encodeFrame(PacketType.SESSION_OK, 0, short)).outputs)).toBe(
      'failed HandshakeError HANDSHAKE_PAYLOAD_LENGTH remote',
    );
  });

  it('with HMACs that leave out the public keys are refused', () => {
    const { payload: challenge } = decodeFrame(frames.CHALLENGE);
    const nonce = challenge.subarray(0, 32);
    const sessionId = pattern(16, 3);
    const clientProof = anyCrypto.hmacSha256(PSK, Uint8Array.of(0xcd, 0xab, 2, 3, ...nonce, ...DEVICE_ID));
    const serverProof = anyCrypto.hmacSha256(PSK, Uint8Array.of(0xcd, 0xab, 2, 4, ...nonce, ...sessionId));
    expect(summaryOf(receive.HELLO_ACK(encodeFrame(PacketType.HELLO_ACK, 2, clientProof)).outputs)).toBe(
      'failed AuthError AUTH_HMAC remote',
    );
    const sessionOk = encodeFrame(PacketType.SESSION_OK, 0, Uint8Array.of(...sessionId, ...serverProof));
    expect(summaryOf(receive.SESSION_OK(sessionOk).outputs)).toBe('failed AuthError AUTH_HMAC remote');
  });

  it('with one key for both directions do not happen', () => {
    const { sending, receiving } = sessions.client.keys;
    expect(toHex(sending.expose())).not.toBe(toHex(receiving.expose()));
  });
});

describe.each(PROVIDERS)('low-order public keys with the provider %s', (_provider, crypto) => {
  const cases = LOW_ORDER_POINTS.map((point): [string, Uint8Array] => [toHex(point), point]);

  it.each(cases)('%s fails the handshake at the server', (_digits, point) => {
    const hello = encodeFrame(PacketType.HELLO, 0, Uint8Array.of(...DEVICE_ID, ...point));
    const pskNeeded = stepServerHandshake(server.ExpectHello, frameInput(hello), crypto);
    const { state, outputs } = stepServerHandshake(pskNeeded.state, psksInput(PSK), crypto);
    expect(state.name).toBe('Failed');
    expect(summaryOf(outputs)).toBe('failed CryptoError CRYPTO_LOW_ORDER_POINT remote');
  });

  it.each(cases)('%s fails the handshake at the client', (_digits, point) => {
    const states = rehearse({ clientCrypto: crypto }).client;
    const challenge = encodeFrame(PacketType.CHALLENGE, 0, Uint8Array.of(...pattern(32, 1), ...point));
    const { state, outputs } = stepClientHandshake(states.ExpectChallenge, frameInput(challenge), crypto);
    expect(state.name).toBe('Failed');
    expect(summaryOf(outputs)).toBe('failed CryptoError CRYPTO_LOW_ORDER_POINT remote');
  });
});

describe('what a handshake remembers', () => {
  it('are copies, so that no chunk of the network stays alive with a session', () => {
    // The network gives Buffers, whose own slice() would be a view.
    const chunk = (bytes: Uint8Array): Uint8Array =>
      Buffer.concat([bytes, Buffer.alloc(60_000)]).subarray(0, bytes.length);
    const pskNeeded = receive.HELLO(chunk(frames.HELLO));
    expect(memoryOf(pskNeeded.state)).toEqual({ deviceId: 6, clientPublicKey: 32 });
    const proof = receive.CHALLENGE(chunk(frames.CHALLENGE));
    const { transcript } = proof.state as unknown as { transcript: object };
    expect(memoryOf(transcript)).toEqual({ deviceId: 6, clientPublicKey: 32, serverPublicKey: 32, nonce: 32 });
    const [established] = receive.SESSION_OK(chunk(frames.SESSION_OK)).outputs;
    if (established?.kind !== 'established') throw new Error('not established');
    expect(memoryOf(established.session)).toEqual({ deviceId: 6, sessionId: 16 });
  });

  /** How much memory each array of an object keeps alive. */
  const memoryOf = (holder: object): Record<string, number> =>
    Object.fromEntries(
      Object.entries(holder).flatMap(([name, value]) =>
        value instanceof Uint8Array ? [[name, value.buffer.byteLength]] : [],
      ),
    );
});
