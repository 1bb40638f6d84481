import { describe, expect, it } from '@jest/globals';
import { fastNodeCrypto } from '../../src/crypto/fast-node.js';
import {
  CONTROL_FRAME_BYTES,
  decodeFrame,
  encodeFrame,
  FrameSealer,
  MAX_MESSAGE_BYTES,
  PacketType,
  REKEY_FRAME_BYTES,
  sealedMessageBytes,
  type ControlType,
} from '../../src/protocol/index.js';
import { failureOf } from '../crypto/failure-of.js';
import {
  channelPair,
  CLIENT_TO_SERVER_KEY,
  clientSealer,
  framesOf,
  open,
  pattern,
  sealControl,
  sealMessage,
  SERVER_TO_CLIENT_KEY,
  SESSION_ID,
  sealWith,
} from './pair.js';
import { anyCrypto, PROVIDERS_AND_SUITES } from './providers.js';

const NOTHING = new Uint8Array(0);
const CONTROL_TYPES: readonly ControlType[] = [PacketType.PING, PacketType.PONG, PacketType.BYE];

describe.each(PROVIDERS_AND_SUITES)('a session with %s and %s', (_provider, suite, crypto) => {
  it('carries messages and control frames both ways', () => {
    const { client, server } = channelPair(crypto, suite);
    for (const [from, to] of [[client, server] as const, [server, client] as const]) {
      expect(open(to, sealMessage(from, pattern(452, 1)))).toEqual({
        type: PacketType.DATA,
        plaintext: pattern(452, 1),
        rekeyedBy: [],
      });
      for (const type of CONTROL_TYPES) {
        expect(open(to, sealControl(from, type))).toEqual({ type, plaintext: NOTHING, rekeyedBy: [] });
      }
    }
  });

  it('is refused by a peer of the other suite with a wrong tag', () => {
    const other = suite === 'aes-256-gcm' ? 'chacha20-poly1305' : 'aes-256-gcm';
    const sealed = sealMessage(channelPair(crypto, suite).client, pattern(5, 1));
    expect(failureOf(() => open(channelPair(crypto, other).server, sealed))).toBe('CryptoError CRYPTO_TAG remote');
  });
});

describe('a sealed frame', () => {
  /** What the server makes of a frame, which must leave it ready for the genuine one. */
  function refusal(bytes: Uint8Array): string {
    const { client, server } = channelPair();
    const genuine = sealMessage(client, pattern(3, 3));
    const failure = failureOf(() => open(server, bytes));
    expect(open(server, genuine).plaintext).toEqual(pattern(3, 3));
    return failure;
  }

  it('with the nonce of another session is refused before its tag', () => {
    const otherSession = new FrameSealer(anyCrypto.aead('aes-256-gcm', CLIENT_TO_SERVER_KEY), pattern(16, 99));
    expect(refusal(sealWith(otherSession, PacketType.DATA, NOTHING))).toBe('CryptoError CRYPTO_NONCE remote');
  });

  it('with any other of its 12 nonce bytes is refused', () => {
    const genuine = decodeFrame(sealWith(clientSealer(), PacketType.DATA, pattern(5, 1)));
    for (let at = 0; at < 12; at++) {
      const payload = genuine.payload.slice();
      payload[at] = (payload[at] as number) ^ 0x10;
      expect(refusal(encodeFrame(PacketType.DATA, 0, payload))).toBe('CryptoError CRYPTO_NONCE remote');
    }
  });

  it('sealed with the key of the other direction is refused', () => {
    const reflected = new FrameSealer(anyCrypto.aead('aes-256-gcm', SERVER_TO_CLIENT_KEY), SESSION_ID);
    expect(refusal(sealWith(reflected, PacketType.DATA, NOTHING))).toBe('CryptoError CRYPTO_TAG remote');
  });

  it('passed off as one of another type is refused', () => {
    const ping = decodeFrame(sealWith(clientSealer(), PacketType.PING, NOTHING));
    expect(refusal(encodeFrame(PacketType.BYE, 0, ping.payload))).toBe('CryptoError CRYPTO_TAG remote');
  });

  it.each([0, 1, 12, 27])('with a payload of %i bytes is too short for nonce and tag', (length) => {
    const bytes = encodeFrame(PacketType.DATA, 0, new Uint8Array(length));
    expect(refusal(bytes)).toBe('FrameError FRAME_LENGTH remote');
  });

  const handshakeTypes = [
    PacketType.HELLO,
    PacketType.CHALLENGE,
    PacketType.HELLO_ACK,
    PacketType.SESSION_OK,
    PacketType.HELLO_RETRY,
  ];
  it.each(handshakeTypes)('is all that a session takes: type %i of the handshake is refused', (type) => {
    const sealed = decodeFrame(sealWith(clientSealer(), PacketType.DATA, NOTHING));
    expect(refusal(encodeFrame(type, 0, sealed.payload))).toBe('SequenceError SEQ_UNEXPECTED remote');
  });

  it('opens to the type it was sealed as, for all sealed types', () => {
    for (const type of [5, 6, 7, 8, 9] as const) {
      expect(open(channelPair().server, sealWith(clientSealer(), type, NOTHING)).type).toBe(type);
    }
  });
});

describe('ERROR within a session', () => {
  it('touches nothing, whatever it says', () => {
    const { client, server } = channelPair();
    const genuine = sealMessage(client, pattern(9, 9));
    for (const length of [0, 3, 28, 480]) {
      expect(server.open(decodeFrame(encodeFrame(PacketType.ERROR, 0, pattern(length, 1))))).toBeUndefined();
    }
    expect(open(server, genuine).plaintext).toEqual(pattern(9, 9));
  });
});

describe('a control frame', () => {
  it.each(CONTROL_TYPES)('of type %i has an empty plaintext', (type) => {
    for (const length of [1, 32, 452]) {
      const bytes = sealWith(clientSealer(), type, new Uint8Array(length));
      expect(failureOf(() => open(channelPair().server, bytes))).toBe('PayloadError PAYLOAD_LENGTH remote');
    }
  });

  it.each([0, 1, 31, 33, 64, 452])('of type REKEY with %i bytes is refused and changes no key', (length) => {
    const { server } = channelPair();
    const sealer = clientSealer();
    const bytes = sealWith(sealer, PacketType.REKEY, new Uint8Array(length));
    expect(failureOf(() => open(server, bytes))).toBe('PayloadError PAYLOAD_LENGTH remote');
    expect(open(server, sealWith(sealer, PacketType.DATA, pattern(4, 4))).plaintext).toEqual(pattern(4, 4));
  });
});

describe('a message', () => {
  it('of more than 1808 bytes is refused before anything is sealed', () => {
    const { client } = channelPair();
    const tooLarge = new Uint8Array(MAX_MESSAGE_BYTES + 1);
    const out = new Uint8Array(4_000);
    expect(failureOf(() => client.stageMessage(tooLarge, out, 0))).toBe('PayloadError PAYLOAD_TOO_LARGE local');
    expect(out.every((byte) => byte === 0)).toBe(true);
    expect(client.framesUnderKeys).toBe(0);
  });

  it('is sealed where it is asked for, and takes the announced length', () => {
    for (const length of [0, 1, 452, 453, 904, 905, 1808]) {
      const { client, server } = channelPair();
      const out = new Uint8Array(3_000).fill(0xee);
      const sealed = client.stageMessage(pattern(length, 1), out, 100);
      client.sealStaged(out);
      expect(sealed).toBe(sealedMessageBytes(length));
      expect(out.subarray(0, 100).every((byte) => byte === 0xee)).toBe(true);
      expect(out.subarray(100 + sealed).every((byte) => byte === 0xee)).toBe(true);
      const plaintexts = framesOf(out.subarray(100, 100 + sealed)).map(({ bytes }) => open(server, bytes).plaintext);
      expect(Uint8Array.from(Buffer.concat(plaintexts))).toEqual(pattern(length, 1));
    }
  });

  it('that is staged to be sealed with others stands right behind them', () => {
    const { client } = channelPair(fastNodeCrypto);
    const out = new Uint8Array(200);
    expect(client.stageMessage(pattern(3, 1), out, 10)).toBe(43);
    expect(failureOf(() => client.stageMessage(pattern(3, 2), out, 54))).toBe('InvalidStateError WRONG_STATE local');
    client.stageMessage(pattern(3, 2), out, 53);
    client.sealStaged(out);
    client.stageMessage(pattern(3, 3), out, 0);
  });

  it('leaves what was given as it was', () => {
    const message = pattern(1808, 5);
    sealMessage(channelPair().client, message);
    expect(message).toEqual(pattern(1808, 5));
  });
});

describe('frame lengths', () => {
  it('are 40 bytes for a control frame and 72 for REKEY', () => {
    const { client } = channelPair();
    const out = new Uint8Array(100);
    expect([CONTROL_FRAME_BYTES, client.stageControl(PacketType.PING, out, 0)]).toEqual([40, 40]);
    expect([REKEY_FRAME_BYTES, client.stageRekey(out, 0)]).toEqual([72, 72]);
  });
});
