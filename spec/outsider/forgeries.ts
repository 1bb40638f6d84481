import { concatBytes, crc16, encodeAcknowledgement, PacketType } from '../../src/protocol/index.js';
import { writeUint32 } from '../../src/protocol/bytes.js';
import { pattern } from '../protocol/pair.js';

/** More than a datagram of IPv4 carries. */
const LARGEST_PAYLOAD = 65_535 - 12;

export const ALL_TYPES = Array.from({ length: 256 }, (_, type) => type);
/** Those with a name, and some without. */
export const SOME_TYPES = [0x00, ...Object.values(PacketType), 0x0c, 0x80, 0xfe];
const LENGTHS = [0, 12, 27, 28, 29, 480];

/** Sequence numbers at every edge of a window whose next number is `next`. */
export const seqEdges = (next: number): number[] =>
  [
    ...new Set([0, 1, next - 65, next - 64, next - 63, next - 1, next, next + 1, next + 63, next + 64]),
    2 ** 31,
    0xffff_fffe,
    0xffff_ffff,
  ].filter((seq) => seq >= 0);

interface Recipe {
  readonly type: number;
  readonly seq: number;
  readonly payload: Uint8Array;
  /** What the header says of the payload's length. */
  readonly announced?: number;
}

/** A datagram with the right magic, version and CRC. */
export function forgedFrame({ type, seq, payload, announced = payload.length }: Recipe): Uint8Array {
  const out = concatBytes(Uint8Array.of(0xcd, 0xab, 2, type, 0, 0, 0, 0, announced, announced >>> 8, 0, 0), payload);
  writeUint32(out, 4, seq);
  return withRightCrc(out);
}

export function withRightCrc(frame: Uint8Array): Uint8Array {
  if (frame.length < 12) return frame;
  const crc = crc16(frame, 12, frame.length, crc16(frame, 0, 10));
  frame[10] = crc;
  frame[11] = crc >>> 8;
  return frame;
}

/** A payload with the nonce that belongs there, which is no secret, as far as it fits. */
function sealedLooking(length: number, seq: number, sessionId: string): Uint8Array {
  const payload = pattern(length, seq);
  const nonce = new Uint8Array(12);
  writeUint32(nonce, 0, seq);
  nonce.set(Buffer.from(sessionId, 'hex').subarray(0, 8), 4);
  payload.set(nonce.subarray(0, length));
  return payload;
}

/** Every combination of types, sequence numbers and payload lengths, and some lengths that can't be. */
export function forgedFrames(types: readonly number[], seqs: readonly number[], sessionId: string): Uint8Array[] {
  const frame = (type: number, seq: number, length: number, announced = length): Uint8Array =>
    forgedFrame({ type, seq, payload: sealedLooking(length, seq, sessionId), announced });
  const frames = types.flatMap((type) => seqs.flatMap((seq) => LENGTHS.map((length) => frame(type, seq, length))));
  const impossible = types.flatMap((type) => [
    frame(type, 0, 481),
    frame(type, 0, 29, 28),
    frame(type, 0, 28, 29),
    frame(type, 0, 0, 0xffff),
  ]);
  return [...frames, ...impossible, frame(PacketType.DATA, 0, LARGEST_PAYLOAD)];
}

/** For every type and number an acknowledgement of 7 bytes, and of 15 with a wrong proof. */
export function forgedAcknowledgements(types: readonly number[], seqs: readonly number[]): Uint8Array[] {
  return types.flatMap((type) =>
    seqs.flatMap((seq) => {
      const plain = encodeAcknowledgement(type as PacketType, seq);
      return [plain, concatBytes(plain, new Uint8Array(8)), concatBytes(plain, pattern(8, seq)), plain.subarray(0, 6)];
    }),
  );
}

/** Every truncation and every single flipped bit of a datagram; the latter also with the CRC set right again. */
export function mutationsOf(datagram: Uint8Array): Uint8Array[] {
  const truncated = Array.from(datagram, (_, length) => datagram.slice(0, length));
  const flipped = Array.from({ length: 8 * datagram.length }, (_, bit) => {
    const copy = datagram.slice();
    copy[bit >> 3]! ^= 1 << (bit & 7);
    return copy;
  });
  const isFrame = datagram[0] === 0xcd;
  const isInCrc = (bit: number): boolean => bit >> 3 === 10 || bit >> 3 === 11;
  const plausible = isFrame ? flipped.filter((_, bit) => !isInCrc(bit)).map((copy) => withRightCrc(copy.slice())) : [];
  return [...truncated, ...flipped, ...plausible];
}
