import { createCipheriv } from 'node:crypto';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { AeadBatch } from '../../../src/protocol/aead-batch.js';

/** One text of a burst, by lengths in bytes; `gap` is how many bytes of others stand before it. */
export interface TextShape {
  readonly textBytes: number;
  readonly additionalDataBytes: number;
  readonly gap: number;
}

/** A burst as it lies in one array, before and after it is sealed with node:crypto, and its texts one by one. */
export interface Burst {
  readonly batch: AeadBatch;
  readonly open: Uint8Array;
  readonly sealed: Uint8Array;
  readonly plaintexts: readonly Uint8Array[];
}

/** Bytes that look random, the same for the same seed. */
export function bytesOf(seed: number, length: number): Uint8Array {
  const key = Buffer.alloc(32);
  key.writeUInt32LE(seed);
  return Uint8Array.from(createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length)));
}

/** A random whole number of 0 to `below` - 1 for each call, the same row for the same seed. */
export function dice(seed: number): (below: number) => number {
  const bytes = Buffer.from(bytesOf(seed, 65_536));
  let at = 0;
  return (below) => bytes.readUInt32LE((at = (at + 4) % (bytes.length - 4))) % below;
}

/** Each text stands behind its additional data and its nonce, as in a frame. */
export function burstOf(key: Uint8Array, seed: number, shapes: readonly TextShape[]): Burst {
  const plain = nodeCrypto.aead('aes-256-gcm', key);
  const batch = new AeadBatch();
  let end = 0;
  for (const { textBytes, additionalDataBytes, gap } of shapes) {
    const at = end + gap;
    batch.add(at, additionalDataBytes, at + additionalDataBytes, at + additionalDataBytes + 12, textBytes);
    end = at + additionalDataBytes + 12 + textBytes + 16;
  }
  const open = bytesOf(seed, end + 5);
  const sealed = Uint8Array.from(open);
  const plaintexts = textsOf(batch).map(({ additionalDataAt, additionalDataBytes, nonceAt, textAt, textBytes }) => {
    const plaintext = open.slice(textAt, textAt + textBytes);
    const nonce = open.slice(nonceAt, nonceAt + 12);
    const additionalData = open.slice(additionalDataAt, additionalDataAt + additionalDataBytes);
    plain.seal(nonce, additionalData, plaintext, sealed, textAt);
    return plaintext;
  });
  return { batch, open, sealed, plaintexts };
}

/** The ranges of a batch by name. */
export const textsOf = ({ count, ranges }: AeadBatch) =>
  Array.from({ length: count }, (_, text) => {
    const [additionalDataAt = 0, additionalDataBytes = 0, nonceAt = 0, textAt = 0, textBytes = 0] = ranges.subarray(
      5 * text,
    );
    return { additionalDataAt, additionalDataBytes, nonceAt, textAt, textBytes };
  });

/** `count` texts of random lengths. */
export const randomShapes = (count: number, roll: (below: number) => number, longest = 500): TextShape[] =>
  Array.from({ length: count }, () => ({
    textBytes: roll(longest + 1),
    additionalDataBytes: roll(41),
    gap: roll(18),
  }));
