import fc from 'fast-check';
import type { Frame } from '../../src/protocol/index.js';
import {
  encodeFrame,
  MAX_MESSAGE_BYTES,
  MAX_PAYLOAD_BYTES,
  PacketType,
  decodeFrame,
} from '../../src/protocol/index.js';

export const ALL_TYPES = Object.values(PacketType);

export const seq = fc.oneof(fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff), fc.nat(0xffff_ffff));
export const payload = fc.uint8Array({ maxLength: MAX_PAYLOAD_BYTES, size: 'max' });
export const message = fc.uint8Array({ maxLength: MAX_MESSAGE_BYTES, size: 'max' });

/** Whole frames of any type with any payload, right in everything that needs no key. */
export const frameBytes = fc
  .tuple(fc.constantFrom(...ALL_TYPES), seq, fc.oneof(fc.uint8Array({ maxLength: 40 }), payload))
  .map(([type, number, content]) => encodeFrame(type, number, content));

export const frame: fc.Arbitrary<Frame> = frameBytes.map(decodeFrame);

/** Cuts a stream at any places into chunks, empty ones among them. */
export const chunkings = (bytes: Uint8Array): fc.Arbitrary<Uint8Array[]> =>
  fc.array(fc.nat(bytes.length), { maxLength: 12 }).map((cuts) => {
    const ends = [...cuts, bytes.length].sort((a, b) => a - b);
    return ends.map((end, i) => bytes.slice(ends[i - 1] ?? 0, end));
  });
