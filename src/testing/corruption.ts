import { concatBytes, copyBytes } from '../protocol/bytes.js';
import type { SeededRandom } from './seeded-random.js';

const MAX_FLIPPED_BITS = 3;
const MAX_APPENDED_BYTES = 16;

/** A copy that differs: 1 to 3 bits are flipped, or the end is missing, or 1 to 16 bytes follow; an empty one only grows. */
export function corrupted(datagram: Uint8Array, random: SeededRandom): Uint8Array {
  const ways = datagram.length === 0 ? [appended] : [flipped, truncated, appended];
  return ways[random.below(ways.length)]!(datagram, random);
}

function flipped(datagram: Uint8Array, random: SeededRandom): Uint8Array {
  const bits = new Set<number>();
  const count = 1 + random.below(MAX_FLIPPED_BITS);
  while (bits.size < count) bits.add(random.below(8 * datagram.length));
  const copy = copyBytes(datagram, 0);
  for (const bit of bits) copy[bit >>> 3]! ^= 1 << (bit & 7);
  return copy;
}

const truncated = (datagram: Uint8Array, random: SeededRandom): Uint8Array =>
  copyBytes(datagram, 0, random.below(datagram.length));

const appended = (datagram: Uint8Array, random: SeededRandom): Uint8Array =>
  concatBytes(
    datagram,
    Uint8Array.from({ length: 1 + random.below(MAX_APPENDED_BYTES) }, () => random.below(256)),
  );
