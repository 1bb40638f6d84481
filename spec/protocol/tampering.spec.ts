import { describe, expect, it } from '@jest/globals';
import type { SecureChannel } from '../../src/protocol/index.js';
import { crc16, decodeFrame, PacketType, UsmpError, type Frame, type SealedType } from '../../src/protocol/index.js';
import { failureOf } from '../crypto/failure-of.js';
import { channelPair, open, pattern, sealMessage, sealRekey } from './pair.js';
import { PROVIDERS_AND_SUITES } from './providers.js';

/** A channel and the genuine frame that comes next to it. */
interface Scene {
  readonly receiver: SecureChannel;
  readonly bytes: Uint8Array;
  readonly type: SealedType;
}

const PLAINTEXT = pattern(20, 9);

const isOfCrc = (bit: number): boolean => bit >= 80 && bit < 96;

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const wrong = bytes.slice();
  wrong[bit >> 3] = (wrong[bit >> 3] as number) ^ (1 << (bit & 7));
  return wrong;
}

/** With the CRC that an attacker computes. */
function withRightCrc(bytes: Uint8Array): Uint8Array {
  const crc = crc16(bytes, 12, bytes.length, crc16(bytes, 0, 10));
  return Object.assign(bytes.slice(), { 10: crc & 0xff, 11: crc >> 8 });
}

/** The frame, or undefined where decoding refuses it with a UsmpError. */
function decoded(bytes: Uint8Array): Frame | undefined {
  try {
    return decodeFrame(bytes);
  } catch (error) {
    if (error instanceof UsmpError) return undefined;
    throw error;
  }
}

const scenes: Readonly<Record<string, (...pair: Parameters<typeof channelPair>) => Scene>> = {
  'between rekeyings'(...pair) {
    const { client, server } = channelPair(...pair);
    return { receiver: server, bytes: sealMessage(client, PLAINTEXT), type: PacketType.DATA };
  },
  'under the old key while our REKEY waits for its confirmation'(...pair) {
    const { client, server } = channelPair(...pair);
    sealRekey(client);
    return { receiver: client, bytes: sealMessage(server, PLAINTEXT), type: PacketType.DATA };
  },
  'under the new key while our REKEY waits for its confirmation'(...pair) {
    const { client, server } = channelPair(...pair);
    open(server, sealRekey(client));
    return { receiver: client, bytes: sealMessage(server, PLAINTEXT), type: PacketType.DATA };
  },
  "under the peer's key after both REKEYs crossed"(...pair) {
    const { client, server } = channelPair(...pair);
    sealRekey(client);
    open(client, sealRekey(server));
    return { receiver: client, bytes: sealMessage(server, PLAINTEXT), type: PacketType.DATA };
  },
  'as the REKEY itself'(...pair) {
    const { client, server } = channelPair(...pair);
    return { receiver: server, bytes: sealRekey(client), type: PacketType.REKEY };
  },
};

describe.each(Object.entries(scenes))('a sealed frame %s', (_name, stage) => {
  const { bytes } = stage();
  const bits = Array.from({ length: bytes.length * 8 }, (_, bit) => bit);

  it('with any single bit flipped is no frame', () => {
    expect(bits.filter((bit) => decoded(flipped(bytes, bit)))).toEqual([]);
  });

  it('cut off anywhere is no frame', () => {
    const lengths = Array.from({ length: bytes.length }, (_, length) => length);
    expect(lengths.filter((length) => decoded(bytes.subarray(0, length)))).toEqual([]);
  });

  it.each(PROVIDERS_AND_SUITES)(
    'with any single bit flipped and the CRC made right has no effect but a UsmpError (%s, %s)',
    (_provider, suite, crypto) => {
      // One channel takes all of them: each error must leave it as it was.
      const { receiver, bytes: genuine, type } = stage(crypto, suite);
      const stateOf = (channel: SecureChannel) => `${channel.framesUnderKeys} ${channel.rekeyPending}`;
      const before = stateOf(receiver);
      const forged = bits.filter((bit) => !isOfCrc(bit)).map((bit) => decoded(withRightCrc(flipped(genuine, bit))));
      const frames = forged.filter((frame) => frame !== undefined);
      const effects = frames.map(
        (frame) => `${failureOf(() => receiver.open(frame)).split(' ')[2]}, ${stateOf(receiver)}`,
      );
      expect(new Set(effects)).toEqual(new Set([`remote, ${before}`]));
      // All of seq, payload and some types pass as a frame.
      expect(frames.length).toBeGreaterThan((genuine.length - 12) * 8 + 32);
      expect(open(receiver, genuine).type).toBe(type);
    },
  );
});
