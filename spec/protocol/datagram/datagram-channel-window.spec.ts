import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  ADDITIONAL_DATA_BYTES,
  decodeFrame,
  encodeFrame,
  FrameSealer,
  MAX_PAYLOAD_BYTES,
  NONCE_BYTES,
  PacketType,
  SEAL_OVERHEAD_BYTES,
  type ControlType,
} from '../../../src/protocol/index.js';
import type { DatagramChannel } from '../../../src/protocol/datagram/datagram-channel.js';
import { ALL_TYPES, frameBytes } from '../arbitraries.js';
import { CLIENT_TO_SERVER_KEY, clientSealer, pattern, sealWith, SESSION_ID } from '../pair.js';
import { anyCrypto } from '../providers.js';
import { datagramPair, fateOf, open, sealOne, stateOf, take } from './datagram-pair.js';

const LAST = 0xffff_ffff;
/** DATA with this number, sealed by somebody who knows the client's key. */
const sealedAt = (seq: number): Uint8Array => sealWith(clientSealer(seq), PacketType.DATA, pattern(3, seq));
const serverAfter = (...seqs: readonly number[]): DatagramChannel => {
  const { server } = datagramPair();
  for (const seq of seqs) take(server, sealedAt(seq));
  return server;
};

/** The same by hand, since a FrameSealer refuses the last number. */
function sealedByHandAt(seq: number): Uint8Array {
  const header = encodeFrame(PacketType.DATA, seq, new Uint8Array(SEAL_OVERHEAD_BYTES)).slice(0, ADDITIONAL_DATA_BYTES);
  const payload = new Uint8Array(SEAL_OVERHEAD_BYTES);
  payload.set(header.subarray(4, 8));
  payload.set(SESSION_ID.subarray(0, 8), 4);
  const aead = anyCrypto.aead('aes-256-gcm', CLIENT_TO_SERVER_KEY);
  aead.seal(payload.slice(0, NONCE_BYTES), header, new Uint8Array(0), payload, NONCE_BYTES);
  return encodeFrame(PacketType.DATA, seq, payload);
}

describe('the window of 64 sequence numbers', () => {
  it('takes each number in it once, in any order', () => {
    const server = serverAfter(100);
    const order = Array.from({ length: 63 }, (_, i) => 37 + ((i * 11) % 63));
    for (const seq of order) expect(fateOf(server, sealedAt(seq))).toBe('taken');
    for (const seq of [...order, 100]) expect(fateOf(server, sealedAt(seq))).toBe('repeated');
  });

  it('drops what is older than it, whether it was here before or not', () => {
    const server = serverAfter(35, 100);
    for (const seq of [0, 35, 36]) expect(fateOf(server, sealedAt(seq))).toBe('too-old');
    expect(fateOf(server, sealedAt(37))).toBe('taken');
  });

  it('moves on with the highest number that was taken', () => {
    const server = serverAfter(0);
    expect(fateOf(server, sealedAt(63))).toBe('taken');
    expect(fateOf(server, sealedAt(0))).toBe('repeated');
    expect(fateOf(server, sealedAt(64))).toBe('taken');
    expect(fateOf(server, sealedAt(0))).toBe('too-old');
    expect(fateOf(server, sealedAt(1))).toBe('taken');
  });

  it('tells whether a frame follows directly on the last one', () => {
    const server = serverAfter();
    const inSequence = [0, 1, 3, 2, 4, 5].map((seq) => take(server, sealedAt(seq)).inSequence);
    expect(inSequence).toEqual([true, true, false, false, true, true]);
  });

  it('takes any number up to 0xFFFFFFFE from a peer that knows the key', () => {
    const server = serverAfter(LAST - 1);
    expect(server.framesUnderKeys).toBe(LAST);
    expect(fateOf(server, sealedAt(LAST - 63))).toBe('taken');
    expect(fateOf(server, sealedAt(LAST - 1))).toBe('repeated');
    expect(fateOf(server, sealedAt(LAST - 65))).toBe('too-old');
  });

  it('never takes 0xFFFFFFFF, even with a right tag', () => {
    const server = serverAfter(0);
    const before = stateOf(server);
    expect(fateOf(server, sealedByHandAt(LAST))).toBe('not-authentic');
    expect(stateOf(server)).toEqual(before);
    expect(take(server, sealedAt(1)).inSequence).toBe(true);
    expect(fateOf(server, sealedByHandAt(LAST - 1))).toBe('taken');
  });

  it.each(['none', 'by the client', 'by the server'])(
    'starts anew with new keys; a rekeying of this kind: %s',
    (who) => {
      const { client, server } = datagramPair();
      for (let i = 0; i < 70; i++) take(server, sealOne(client).datagram);
      if (who !== 'none') {
        const [initiator, responder] = who === 'by the client' ? [client, server] : [server, client];
        take(responder, initiator.sealRekey().datagram);
        initiator.rekeyAcknowledged();
      }
      const { datagram } = sealOne(client, pattern(3, 1));
      expect(decodeFrame(datagram).seq).toBe(who === 'none' ? 70 : 0);
      expect(take(server, datagram)).toMatchObject({ plaintext: pattern(3, 1), inSequence: true });
    },
  );
});

describe('nothing moves before the tag is verified:', () => {
  const controlTypes: readonly ControlType[] = [PacketType.PING, PacketType.PONG, PacketType.BYE];
  /** Wherever rekeying can stand, and what proves that it still stands there. */
  const stages: Readonly<Record<string, (server: DatagramChannel, client: DatagramChannel) => () => void>> = {
    'between rekeyings': (server, client) => () => {
      expect(take(server, sealOne(client).datagram).inSequence).toBe(true);
    },
    'while our REKEY is outstanding': (server, client) => {
      const { datagram } = server.sealRekey();
      return () => {
        expect(take(client, datagram).rekeyedBy).toEqual(['remote']);
        expect(take(server, sealOne(client).datagram)).toMatchObject({ rekeyedBy: ['local'], inSequence: true });
      };
    },
    'while frames in flight under the old keys are expected': (server, client) => {
      const old = sealOne(client);
      take(client, server.sealRekey().datagram);
      server.rekeyAcknowledged();
      return () => {
        expect(take(server, old.datagram)).toMatchObject({ rekeyedBy: [], inSequence: true });
        expect(take(server, sealOne(client).datagram)).toMatchObject({ rekeyedBy: ['local'], inSequence: true });
      };
    },
    'after the REKEY of the peer': (server, client) => {
      const { datagram } = client.sealRekey();
      take(server, datagram);
      client.rekeyAcknowledged();
      return () => {
        expect(fateOf(server, datagram)).toBe('repeated');
        expect(take(server, sealOne(client).datagram).inSequence).toBe(true);
        expect(server.rekeyPending).toBe(false);
      };
    },
  };
  const stagesByName = Object.keys(stages);

  /** Whatever is offered is dropped, and then the session goes on as if nothing had been. */
  function expectUntouched(stage: string, offered: (datagram: Uint8Array) => Uint8Array[]): void {
    const { client, server } = datagramPair();
    const goOn = stages[stage]!(server, client);
    const before = stateOf(server);
    // Not the client's, since a number of its own seals once.
    for (const datagram of offered(sealWith(clientSealer(5), PacketType.DATA, pattern(20, 1)))) {
      expect(open(server, datagram).outcome).toBe('dropped');
      expect(stateOf(server)).toEqual(before);
    }
    goOn();
  }

  it.each(stagesByName)('a frame with any bit of it flipped, %s', (stage) => {
    expectUntouched(stage, (datagram) =>
      // Magic, version and length are the decoder's business, and it mends the CRC.
      Array.from({ length: datagram.length * 8 }, (_, bit) => bit)
        .filter((bit) => bit >= 4 * 8 && ![8, 9, 10, 11].includes(bit >>> 3))
        .map((bit) => {
          const flipped = Uint8Array.from(datagram);
          flipped[bit >>> 3]! ^= 1 << (bit & 7);
          const seq = new DataView(flipped.buffer).getUint32(4, true);
          return encodeFrame(PacketType.DATA, seq, flipped.slice(12));
        }),
    );
  });

  it.each(stagesByName)('a frame of another type, or shorter, or with any number, %s', (stage) => {
    expectUntouched(stage, (datagram) => {
      const payload = datagram.slice(12);
      return [
        ...controlTypes.map((type) => encodeFrame(type, 5, payload)),
        encodeFrame(PacketType.REKEY, 5, payload),
        ...[0, 1, 27, 28, 40, payload.length - 1].map((bytes) =>
          encodeFrame(PacketType.DATA, 5, payload.slice(0, bytes)),
        ),
        ...[0, 1, 4, 6, 63, 64, 69, 0x7fff_ffff, 0x8000_0000, LAST - 1, LAST].flatMap((seq) =>
          ALL_TYPES.map((type) => encodeFrame(type, seq, payload)),
        ),
      ];
    });
  });

  it.each(stagesByName)('frames sealed with another key, right in everything else, %s', (stage) => {
    const stranger = (seq: number): FrameSealer =>
      new FrameSealer(anyCrypto.aead('aes-256-gcm', pattern(32, 99)), SESSION_ID, seq);
    expectUntouched(stage, () =>
      [0, 1, 63, 64, 1_000, LAST - 1].flatMap((seq) => [
        sealWith(stranger(seq), PacketType.DATA, pattern(3, 1)),
        sealWith(stranger(seq), PacketType.BYE, new Uint8Array(0)),
        sealWith(stranger(seq), PacketType.REKEY, pattern(32, 1)),
      ]),
    );
  });

  it('whatever anybody makes up, in every stage', () => {
    const longest = encodeFrame(PacketType.DATA, 0, new Uint8Array(MAX_PAYLOAD_BYTES));
    fc.assert(
      fc.property(fc.constantFrom(...stagesByName), fc.array(frameBytes, { maxLength: 8 }), (stage, datagrams) => {
        expectUntouched(stage, () => [longest, ...datagrams]);
      }),
    );
  });
});
