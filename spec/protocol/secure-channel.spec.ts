import { describe, expect, it } from '@jest/globals';
import {
  CONTROL_FRAME_BYTES,
  decodeFrame,
  encodeFrame,
  FrameSealer,
  MAX_MESSAGE_BYTES,
  PacketType,
  REKEY_FRAME_BYTES,
  SecureChannel,
  sealedMessageBytes,
  type CryptoProvider,
  type SealedType,
} from '../../src/protocol/index.js';
import { failureOf } from '../crypto/failure-of.js';
import { ALL_TYPES } from './arbitraries.js';
import {
  channelPair,
  CLIENT_TO_SERVER_KEY,
  clientSealer,
  establishedAs,
  framesOf,
  open,
  pattern,
  sealControl,
  sealMessage,
  sealRekey,
  SERVER_TO_CLIENT_KEY,
  serverOpener,
  SESSION_ID,
  sealWith,
} from './pair.js';
import { anyCrypto, PROVIDERS_AND_SUITES } from './providers.js';

const NOTHING = new Uint8Array(0);
const CONTROL_TYPES: readonly SealedType[] = [PacketType.PING, PacketType.PONG, PacketType.BYE];

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

describe('sequence numbers', () => {
  it('start at 0 in each direction and count one per frame of any type', () => {
    const { client, server } = channelPair();
    const sealed = Uint8Array.of(
      ...sealMessage(client, pattern(1808, 1)),
      ...sealControl(client, PacketType.PING),
      ...sealMessage(client, NOTHING),
      ...sealRekey(client),
    );
    expect(framesOf(sealed).map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(decodeFrame(sealControl(server, PacketType.PONG)).seq).toBe(0);
  });

  it('start again at 0 in both directions with new keys', () => {
    const { client, server } = channelPair();
    open(server, sealMessage(client, NOTHING));
    open(client, sealMessage(server, NOTHING));
    open(server, sealRekey(client));
    expect(decodeFrame(sealMessage(client, NOTHING)).seq).toBe(0);
    expect(decodeFrame(sealMessage(server, NOTHING)).seq).toBe(0);
  });

  it('are demanded to be exactly the next: repeated, skipped and earlier ones are refused and change nothing', () => {
    const { client, server } = channelPair();
    const sealed = Array.from({ length: 5 }, (_, i) => sealMessage(client, Uint8Array.of(i)));
    open(server, sealed[0]!);
    open(server, sealed[1]!);
    for (const wrong of [0, 1, 3, 4]) {
      expect(failureOf(() => open(server, sealed[wrong]!))).toBe('SequenceError SEQ_UNEXPECTED remote');
    }
    for (const next of [2, 3, 4]) expect(open(server, sealed[next]!).plaintext).toEqual(Uint8Array.of(next));
  });

  it('must start with 0', () => {
    const { client, server } = channelPair();
    sealMessage(client, NOTHING);
    expect(failureOf(() => open(server, sealMessage(client, NOTHING)))).toBe('SequenceError SEQ_UNEXPECTED remote');
  });

  it('count as 32 bits without a sign', () => {
    for (const seq of [0x7fff_ffff, 0x8000_0000, 0xffff_fffd]) {
      const sealer = clientSealer(seq);
      const opener = serverOpener(seq);
      expect(opener.open(decodeFrame(sealWith(sealer, PacketType.DATA, Uint8Array.of(1))))).toEqual(Uint8Array.of(1));
      expect(opener.open(decodeFrame(sealWith(sealer, PacketType.DATA, Uint8Array.of(2))))).toEqual(Uint8Array.of(2));
      expect([sealer.nextSeq, opener.expectedSeq]).toEqual([seq + 2, seq + 2]);
    }
  });

  it('end at 0xFFFFFFFE: 0xFFFFFFFF is never sent', () => {
    const sealer = clientSealer(0xffff_fffe);
    expect(decodeFrame(sealWith(sealer, PacketType.DATA, NOTHING)).seq).toBe(0xffff_fffe);
    for (let i = 0; i < 3; i++) {
      expect(failureOf(() => sealWith(sealer, PacketType.DATA, NOTHING))).toBe('SequenceError SEQ_EXHAUSTED local');
    }
    expect(sealer.nextSeq).toBe(0xffff_ffff);
  });

  it('end at 0xFFFFFFFE: 0xFFFFFFFF is never accepted', () => {
    const opener = serverOpener(0xffff_fffe);
    const last = sealWith(clientSealer(0xffff_fffe), PacketType.DATA, NOTHING);
    expect(opener.open(decodeFrame(last))).toEqual(NOTHING);
    for (const seq of [0xffff_ffff, 0]) {
      const frame = decodeFrame(encodeFrame(PacketType.DATA, seq, decodeFrame(last).payload));
      expect(failureOf(() => opener.open(frame))).toBe('SequenceError SEQ_EXHAUSTED remote');
    }
  });

  it('are spent even where sealing fails', () => {
    let isBroken = true;
    const aead = anyCrypto.aead('aes-256-gcm', CLIENT_TO_SERVER_KEY);
    const sealer = new FrameSealer(
      {
        open: (...sealed) => aead.open(...sealed),
        wipe: () => aead.wipe(),
        seal(...plain) {
          if (isBroken) throw new Error('broken');
          aead.seal(...plain);
        },
      },
      SESSION_ID,
    );
    expect(() => sealWith(sealer, PacketType.DATA, NOTHING)).toThrow('broken');
    isBroken = false;
    expect(decodeFrame(sealWith(sealer, PacketType.DATA, NOTHING)).seq).toBe(1);
  });

  it('tell how many frames the present keys have seen, in the busier direction', () => {
    const { client, server } = channelPair();
    for (let i = 0; i < 3; i++) open(server, sealMessage(client, NOTHING));
    open(client, sealMessage(server, NOTHING));
    expect([client.framesUnderKeys, server.framesUnderKeys]).toEqual([3, 3]);
    open(server, sealRekey(client));
    expect(server.framesUnderKeys).toBe(0);
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
    expect(failureOf(() => client.sealMessage(tooLarge, out, 0))).toBe('PayloadError PAYLOAD_TOO_LARGE local');
    expect(out.every((byte) => byte === 0)).toBe(true);
    expect(client.framesUnderKeys).toBe(0);
  });

  it('is sealed where it is asked for, and takes the announced length', () => {
    for (const length of [0, 1, 452, 453, 904, 905, 1808]) {
      const { client, server } = channelPair();
      const out = new Uint8Array(3_000).fill(0xee);
      const sealed = client.sealMessage(pattern(length, 1), out, 100);
      expect(sealed).toBe(sealedMessageBytes(length));
      expect(out.subarray(0, 100).every((byte) => byte === 0xee)).toBe(true);
      expect(out.subarray(100 + sealed).every((byte) => byte === 0xee)).toBe(true);
      const plaintexts = framesOf(out.subarray(100, 100 + sealed)).map(({ bytes }) => open(server, bytes).plaintext);
      expect(Uint8Array.from(Buffer.concat(plaintexts))).toEqual(pattern(length, 1));
    }
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
    expect([CONTROL_FRAME_BYTES, client.sealControl(PacketType.PING, out, 0)]).toEqual([40, 40]);
    expect([REKEY_FRAME_BYTES, client.sealRekey(out, 0)]).toEqual([72, 72]);
  });
});

describe('a wiped session', () => {
  const wiped = (channel: SecureChannel): SecureChannel => {
    channel.wipe();
    channel.wipe();
    return channel;
  };

  it('neither seals nor opens', () => {
    const sealed = sealMessage(channelPair().client, NOTHING);
    const calls: readonly ((channel: SecureChannel) => unknown)[] = [
      (channel) => sealMessage(channel, NOTHING),
      (channel) => sealControl(channel, PacketType.BYE),
      sealRekey,
      (channel) => open(channel, sealed),
      ...ALL_TYPES.map((type) => (channel: SecureChannel) => channel.open(decodeFrame(encodeFrame(type, 0, NOTHING)))),
    ];
    for (const call of calls) {
      expect(failureOf(() => call(wiped(channelPair().server)))).toBe('InvalidStateError WRONG_STATE local');
    }
  });

  it('has overwritten its keys', () => {
    const established = establishedAs('client');
    wiped(new SecureChannel(anyCrypto, 'aes-256-gcm', established));
    expect(established.keys.sending.expose()).toEqual(new Uint8Array(32));
    expect(established.keys.receiving.expose()).toEqual(new Uint8Array(32));
  });

  it('has wiped every key that it ever used and its AEAD, wherever rekeying stood', () => {
    const stages: Readonly<Record<string, (pair: ReturnType<typeof channelPair>) => void>> = {
      settled: () => undefined,
      pending: ({ client }) => void sealRekey(client),
      confirmed: ({ client, server }) => {
        open(server, sealRekey(client));
        open(client, sealMessage(server, NOTHING));
      },
      crossing: ({ client, server }) => {
        const [fromClient, fromServer] = [sealRekey(client), sealRekey(server)];
        open(client, fromServer);
        open(server, fromClient);
      },
    };
    for (const [stage, rekey] of Object.entries(stages)) {
      const watch = watchWipes();
      const pair = channelPair(watch.crypto);
      rekey(pair);
      wiped(pair.client);
      wiped(pair.server);
      expect([stage, watch.unwiped()]).toEqual([stage, { aeads: 0, keys: 0 }]);
    }
  });

  function watchWipes() {
    const aeads = new Set<object>();
    const keys: Uint8Array[] = [];
    const crypto: CryptoProvider = {
      ...anyCrypto,
      aead(suite, key) {
        const aead = anyCrypto.aead(suite, key);
        aeads.add(aead);
        keys.push(key);
        return {
          seal: (...plain) => aead.seal(...plain),
          open: (...sealed) => aead.open(...sealed),
          wipe: () => void aeads.delete(aead),
        };
      },
    };
    const unwiped = () => ({ aeads: aeads.size, keys: keys.filter((key) => key.some((byte) => byte !== 0)).length });
    return { crypto, unwiped };
  }
});
