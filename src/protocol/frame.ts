import { readUint32, writeUint32 } from './bytes.js';
import { crc16 } from './crc16.js';
import { CrcError, FrameError, MagicError, VersionError } from './errors.js';
import { isPacketType, packetTypeName, type PacketType } from './packet-type.js';
import { ADDITIONAL_DATA_BYTES, HEADER_BYTES, MAX_PAYLOAD_BYTES } from './sizes.js';

/** Protocol.md section 1: 0xABCD in little-endian order. */
const MAGIC_0 = 0xcd;
const MAGIC_1 = 0xab;
export const PROTOCOL_VERSION = 0x02;

/** The first four bytes of a frame of this type; they also open the input of the handshake's HMACs. */
export const framePrefix = (type: PacketType): Uint8Array => Uint8Array.of(MAGIC_0, MAGIC_1, PROTOCOL_VERSION, type);

/** A whole frame that was checked: magic, version, type, length and CRC are right. Nothing in it is authentic yet. */
export class Frame {
  readonly type: PacketType;
  readonly seq: number;
  /** What the frame lies in, to be read and not modified. */
  readonly source: Uint8Array;
  /** Where in `source` it begins. */
  readonly at: number;
  /** Its length, 12 to 492 bytes. */
  readonly length: number;

  constructor(type: PacketType, seq: number, source: Uint8Array, at: number, length: number) {
    this.type = type;
    this.seq = seq;
    this.source = source;
    this.at = at;
    this.length = length;
  }

  /** The whole frame: a view of what was received, made anew by each call. */
  get bytes(): Uint8Array {
    const { source, at, length } = this;
    return length === source.length ? source : source.subarray(at, at + length);
  }

  /** A view, 0 to 480 bytes. */
  get payload(): Uint8Array {
    return this.source.subarray(this.at + HEADER_BYTES, this.at + this.length);
  }

  /** Header bytes 0..9, which the AEAD authenticates: a view of 10 bytes. */
  get additionalData(): Uint8Array {
    return this.source.subarray(this.at, this.at + ADDITIONAL_DATA_BYTES);
  }
}

/** Writes header bytes 0..9 at `out[at]`; `writeCrc` completes the header once the payload stands behind it. */
export function writeHeader(out: Uint8Array, at: number, type: PacketType, seq: number, payloadBytes: number): void {
  out[at] = MAGIC_0;
  out[at + 1] = MAGIC_1;
  out[at + 2] = PROTOCOL_VERSION;
  out[at + 3] = type;
  writeUint32(out, at + 4, seq);
  out[at + 8] = payloadBytes;
  out[at + 9] = payloadBytes >>> 8;
}

/** What the header at `bytes[at]` says of the length of its payload. */
export const payloadLength = (bytes: Uint8Array, at: number): number =>
  (bytes[at + 8] as number) | ((bytes[at + 9] as number) << 8);

/** Computes and writes header bytes 10..11. */
export function writeCrc(out: Uint8Array, at: number, payloadBytes: number): void {
  const crc = frameCrc(out, at, payloadBytes);
  out[at + 10] = crc;
  out[at + 11] = crc >>> 8;
}

function frameCrc(bytes: Uint8Array, at: number, payloadBytes: number): number {
  const header = crc16(bytes, at, at + ADDITIONAL_DATA_BYTES);
  return crc16(bytes, at + HEADER_BYTES, at + HEADER_BYTES + payloadBytes, header);
}

/**
 * A frame with a plaintext payload of 0 to 480 bytes.
 * @throws FrameError `FRAME_LENGTH` where the payload is longer.
 */
export function encodeFrame(type: PacketType, seq: number, payload: Uint8Array): Uint8Array {
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new FrameError('FRAME_LENGTH', `payload of ${payload.length} bytes, at most ${MAX_PAYLOAD_BYTES} fit`, {
      origin: 'local',
    });
  }
  const out = new Uint8Array(HEADER_BYTES + payload.length);
  writeHeader(out, 0, type, seq, payload.length);
  out.set(payload, HEADER_BYTES);
  writeCrc(out, 0, payload.length);
  return out;
}

/**
 * The length in bytes of the frame that starts at `bytes[at]`, or undefined while fewer than the 10 bytes that tell it are
 * there. Whatever is there already is checked, so a wrong byte is found when it arrives.
 * @throws MagicError, VersionError, FrameError `FRAME_TYPE` or `FRAME_LENGTH`.
 */
export function frameLength(bytes: Uint8Array, at: number, available: number): number | undefined {
  if (available >= 1 && bytes[at] !== MAGIC_0) throw wrongMagic();
  if (available >= 2 && bytes[at + 1] !== MAGIC_1) throw wrongMagic();
  if (available >= 3 && bytes[at + 2] !== PROTOCOL_VERSION) {
    throw new VersionError('FRAME_VERSION', `expected protocol version ${PROTOCOL_VERSION}, got ${bytes[at + 2]}`);
  }
  if (available >= 4 && !isPacketType(bytes[at + 3] as number)) {
    throw new FrameError('FRAME_TYPE', `unknown packet type ${packetTypeName(bytes[at + 3] as number)}`);
  }
  if (available < ADDITIONAL_DATA_BYTES) return undefined;
  const payloadBytes = payloadLength(bytes, at);
  if (payloadBytes > MAX_PAYLOAD_BYTES) {
    throw new FrameError(
      'FRAME_LENGTH',
      `payload of ${payloadBytes} bytes announced, at most ${MAX_PAYLOAD_BYTES} fit`,
    );
  }
  return HEADER_BYTES + payloadBytes;
}

const wrongMagic = (): MagicError => new MagicError('FRAME_MAGIC', 'expected a frame to start with the bytes CD AB');

/**
 * Makes a Frame of the `length` bytes at `source[at]`; `frameLength` told the length.
 * @throws CrcError where the CRC is wrong.
 */
export function decodeChecked(source: Uint8Array, at: number, length: number): Frame {
  const crc = (source[at + 10] as number) | ((source[at + 11] as number) << 8);
  if (crc !== frameCrc(source, at, length - HEADER_BYTES)) {
    throw new CrcError('FRAME_CRC', 'the CRC of the frame is wrong');
  }
  return new Frame(source[at + 3] as PacketType, readUint32(source, at + 4), source, at, length);
}

/**
 * Decodes exactly one whole frame.
 * @throws FrameError (MagicError, VersionError, CrcError) where `bytes` is not that.
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  const length = frameLength(bytes, 0, bytes.length);
  if (length !== bytes.length) {
    const expected = length === undefined ? `at least ${HEADER_BYTES}` : `${length}`;
    throw new FrameError('FRAME_LENGTH', `expected ${expected} bytes, got ${bytes.length}`);
  }
  return decodeChecked(bytes, 0, bytes.length);
}
