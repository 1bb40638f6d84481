import { createCipheriv } from 'node:crypto';
import { nodeCrypto } from '../../../src/crypto/node.js';
import type { Aead } from '../../../src/protocol/crypto-provider.js';
import { writeCrc } from '../../../src/protocol/frame.js';
import { PacketType } from '../../../src/protocol/packet-type.js';
import { FrameSealer, sealedFrameBytes } from '../../../src/protocol/sealed-frame.js';

/** Data frames one behind the other in one array, before and after they are sealed with node:crypto. */
export interface Burst {
  readonly sessionId: Uint8Array;
  readonly firstSeq: number;
  /** With headers, nonces and plaintexts, and some bytes before and behind them that belong to others. */
  readonly staged: Uint8Array;
  readonly sealed: Uint8Array;
  /** Where the frames begin. */
  readonly starts: readonly number[];
  /** Where the last one ends. */
  readonly end: number;
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

/** Seals nothing yet. */
const staging = { sealFrames() {} } as unknown as Aead;

/** A burst of plaintexts of these lengths, 0 to 452 bytes; every third frame is a fragment. */
export function burstOf(key: Uint8Array, seed: number, lengths: readonly number[], firstSeq = seed): Burst {
  const sessionId = bytesOf(seed, 16);
  const from = seed % 9;
  const starts: number[] = [];
  let end = from;
  for (const length of lengths) {
    starts.push(end);
    end += sealedFrameBytes(length);
  }
  const staged = bytesOf(seed + 1, end + 5);
  const sealed = Uint8Array.from(staged);
  const [stager, sealer] = [
    new FrameSealer(staging, sessionId, firstSeq),
    new FrameSealer(nodeCrypto.aead('aes-256-gcm', key), sessionId, firstSeq),
  ];
  const plaintexts = lengths.map((length, n) => {
    const type = n % 3 === 2 ? PacketType.DATA_FRAG : PacketType.DATA;
    const plaintext = bytesOf(seed + 1000 * n, length);
    stager.stage(type, plaintext, staged, starts[n]!);
    sealer.seal(type, plaintext, sealed, starts[n]!);
    return plaintext;
  });
  return { sessionId, firstSeq, staged, sealed, starts, end, plaintexts };
}

/** The frame of this number with one bit flipped and a CRC that is right for it. */
export function forgeBit({ sealed, starts, plaintexts }: Burst, frame: number, bit: number): Uint8Array {
  const forged = Uint8Array.from(sealed);
  const at = starts[frame]!;
  forged[at + (bit >>> 3)]! ^= 0x80 >>> (bit & 7);
  writeCrc(forged, at, sealedFrameBytes(plaintexts[frame]!.length) - 12);
  return forged;
}

/** `count` lengths of plaintexts. */
export const randomLengths = (count: number, roll: (below: number) => number, longest = 452): number[] =>
  Array.from({ length: count }, () => roll(longest + 1));
