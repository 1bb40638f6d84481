import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeAcknowledgement,
  decodeFrame,
  encodeAcknowledgement,
  isAcknowledgement,
  isAuthenticAcknowledgement,
  isSealedType,
  PacketType,
  sealAcknowledgement,
  toHex,
  type CryptoProvider,
  type Frame,
} from '../../../src/protocol/index.js';
import { describeVectors, fromHex } from '../../vectors.js';
import { ALL_TYPES, seq } from '../arbitraries.js';
import { pattern, type Role } from '../pair.js';
import { anyCrypto, PROVIDERS } from '../providers.js';
import type { Transcript } from '../transcripts.js';

const SEALED_TYPES = ALL_TYPES.filter(isSealedType);
const HANDSHAKE_TYPES = ALL_TYPES.filter((type) => !isSealedType(type) && type !== PacketType.ERROR);
const KEY = pattern(32, 1);

const sealedType = fc.constantFrom(...SEALED_TYPES);

/** A recorded UTACK and the frame that it acknowledges, with the key of that frame where it was sealed. */
interface Exchange {
  readonly utack: Uint8Array;
  readonly frame: Frame;
  readonly key: Uint8Array;
  /** All other keys of the session, of both directions and before and after each rekeying. */
  readonly otherKeys: readonly Uint8Array[];
}

/** Every UTACK acknowledges the last frame of the other side. */
function exchangesOf(transcript: Transcript): Exchange[] {
  const epochs = [transcript, ...transcript.rekeys].map(
    ({ clientToServerKey, serverToClientKey }): Record<Role, Uint8Array> => ({
      client: fromHex(clientToServerKey),
      server: fromHex(serverToClientKey),
    }),
  );
  const allKeys = epochs.flatMap(({ client, server }) => [client, server]);
  const exchanges: Exchange[] = [];
  const last: Partial<Record<Role, { frame: Frame; key: Uint8Array }>> = {};
  let epoch = 0;
  for (const { from, what, bytes } of transcript.steps) {
    if (what === 'UTACK') {
      const { frame, key } = last[from === 'client' ? 'server' : 'client']!;
      exchanges.push({ utack: fromHex(bytes), frame, key, otherKeys: allKeys.filter((other) => other !== key) });
      continue;
    }
    last[from] = { frame: decodeFrame(fromHex(bytes)), key: epochs[epoch]![from] };
    if (what === 'REKEY') epoch++;
  }
  return exchanges;
}

const acknowledgementOf = (crypto: CryptoProvider, { type, seq }: Frame, key: Uint8Array): Uint8Array =>
  isSealedType(type) ? sealAcknowledgement(crypto, key, type, seq) : encodeAcknowledgement(type, seq);

describeVectors('transcripts.json', (transcripts: readonly Transcript[]) => {
  const overUdp = transcripts.filter(({ transport }) => transport === 'udp');

  it('holds sessions over UDP with both cipher suites and REKEYs of both sides', () => {
    expect(new Set(overUdp.map(({ cipher }) => cipher)).size).toBe(2);
    for (const { rekeys } of overUdp) expect(new Set(rekeys.map(({ initiator }) => initiator)).size).toBe(2);
  });

  describe.each(overUdp)('$name', (transcript) => {
    const exchanges = exchangesOf(transcript);

    it('acknowledges every frame but HELLO_RETRY', () => {
      const frames = transcript.steps.filter(({ what }) => what !== 'UTACK' && what !== 'HELLO_RETRY');
      expect(exchanges).toHaveLength(frames.length);
    });

    describe.each(PROVIDERS)('with the provider %s', (_provider, crypto) => {
      it('has every UTACK byte for byte, under the key that the frame was sealed with', () => {
        for (const { utack, frame, key } of exchanges) {
          expect(toHex(acknowledgementOf(crypto, frame, key))).toBe(toHex(utack));
        }
      });

      it('has UTACKs that decode to type and number of the frame, and are authentic under its key and no other', () => {
        for (const { utack, frame, key, otherKeys } of exchanges) {
          expect(isAcknowledgement(utack)).toBe(true);
          const acknowledgement = decodeAcknowledgement(utack)!;
          expect(acknowledgement).toMatchObject({ type: frame.type, seq: frame.seq });
          expect(isAuthenticAcknowledgement(crypto, key, acknowledgement)).toBe(isSealedType(frame.type));
          expect(otherKeys).toHaveLength(5);
          for (const other of otherKeys) expect(isAuthenticAcknowledgement(crypto, other, acknowledgement)).toBe(false);
        }
      });
    });
  });
});

describe('an acknowledgement', () => {
  it('starts with AC AC, a frame never', () => {
    expect(isAcknowledgement(Uint8Array.of(0xac, 0xac))).toBe(true);
    for (const start of [[], [0xac], [0xac, 0xab], [0xcd, 0xab], [0xcd, 0xac]]) {
      expect(isAcknowledgement(Uint8Array.from(start))).toBe(false);
    }
  });

  it.each(HANDSHAKE_TYPES)('of handshake frame %i is 7 bytes and proves nothing', (type) => {
    fc.assert(
      fc.property(seq, (number) => {
        const datagram = encodeAcknowledgement(type, number);
        expect(datagram).toHaveLength(7);
        const acknowledgement = decodeAcknowledgement(datagram)!;
        expect(acknowledgement).toEqual({ type, seq: number, mac: undefined });
        expect(isAuthenticAcknowledgement(anyCrypto, KEY, acknowledgement)).toBe(false);
      }),
    );
  });

  it.each(SEALED_TYPES)('of sealed frame %i is 15 bytes and authentic', (type) => {
    fc.assert(
      fc.property(seq, (number) => {
        const datagram = sealAcknowledgement(anyCrypto, KEY, type, number);
        expect(datagram).toHaveLength(15);
        const acknowledgement = decodeAcknowledgement(datagram)!;
        expect(acknowledgement).toEqual({ type, seq: number, mac: datagram.slice(7) });
        expect(isAuthenticAcknowledgement(anyCrypto, KEY, acknowledgement)).toBe(true);
      }),
    );
  });

  it('is found where a datagram lies within a larger buffer', () => {
    const datagram = sealAcknowledgement(anyCrypto, KEY, PacketType.DATA, 0xffff_fffe);
    const chunk = new Uint8Array(40);
    chunk.set(datagram, 11);
    expect(decodeAcknowledgement(chunk.subarray(11, 26))).toEqual(decodeAcknowledgement(datagram));
  });

  it.each([
    ['no datagram of 7 or 15 bytes', [0, 1, 2, 6, 8, 14, 16, 492], PacketType.DATA],
    ['a sealed type without its 8 bytes', [7], PacketType.DATA],
    ['a handshake type with 8 bytes more', [15], PacketType.HELLO_ACK],
    ['HELLO_RETRY with 8 bytes more', [15], PacketType.HELLO_RETRY],
    ['ERROR, which nobody acknowledges', [7, 15], PacketType.ERROR],
    ['the unknown type 0', [7, 15], 0],
    ['an unknown type after the last', [7, 15], 0x0c],
  ])('is not %s', (_what, lengths, type) => {
    for (const length of lengths) {
      const datagram = new Uint8Array(length);
      datagram.set([0xac, 0xac, type].slice(0, length));
      expect(decodeAcknowledgement(datagram)).toBeUndefined();
    }
  });

  it('is not what does not start with AC AC', () => {
    for (const [at, value] of [
      [0, 0xcd],
      [1, 0xab],
    ] as const) {
      const datagram = sealAcknowledgement(anyCrypto, KEY, PacketType.DATA, 0);
      datagram[at] = value;
      expect(decodeAcknowledgement(datagram)).toBeUndefined();
    }
  });

  it('is authentic no longer when any bit of it is changed', () => {
    fc.assert(
      fc.property(sealedType, seq, fc.nat(15 * 8 - 1), (type, number, bit) => {
        const datagram = sealAcknowledgement(anyCrypto, KEY, type, number);
        datagram[bit >> 3]! ^= 1 << (bit & 7);
        const forged = decodeAcknowledgement(datagram);
        expect(forged !== undefined && isAuthenticAcknowledgement(anyCrypto, KEY, forged)).toBe(false);
      }),
    );
  });

  it('is decoded from no bytes with an exception, and from any it is decoded as they are', () => {
    const lengths = fc.oneof(fc.constantFrom(7, 15), fc.nat(20));
    const datagrams = lengths.chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
    const near = fc.tuple(datagrams, fc.constantFrom(...ALL_TYPES)).map(([bytes, type]) => {
      bytes.set([0xac, 0xac, type].slice(0, bytes.length));
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(near, datagrams), (datagram) => {
        const decoded = decodeAcknowledgement(datagram);
        if (!decoded) return;
        const { type, seq: number, mac } = decoded;
        const again = [...encodeAcknowledgement(type, number), ...(mac ?? [])];
        expect(again).toEqual([...datagram]);
      }),
    );
  });
});
