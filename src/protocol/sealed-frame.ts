import { readUint32, writeUint32 } from './bytes.js';
import type { Aead } from './crypto-provider.js';
import { CryptoError, FrameError, InvalidStateError, SequenceError } from './errors.js';
import { payloadLength, writeCrc, writeHeader, type Frame } from './frame.js';
import { isDataType, packetTypeName, type PacketType, type SealedType } from './packet-type.js';
import type { OpenedFrame } from './reassembly.js';
import { ADDITIONAL_DATA_BYTES, HEADER_BYTES, NONCE_BYTES, SEAL_OVERHEAD_BYTES, SEQ_LIMIT } from './sizes.js';

/** Bytes of the session id that are part of the nonce. */
const NONCE_ID_BYTES = 8;

/** Writes the nonce of protocol.md section 4 at `out[at]`: seq as u32 || the first 8 bytes of session_id. */
function writeNonce(out: Uint8Array, at: number, sessionId: Uint8Array, seq: number): void {
  writeUint32(out, at, seq);
  for (let i = 0; i < NONCE_ID_BYTES; i++) out[at + 4 + i] = sessionId[i] as number;
}

/** The same as a fresh array of 12 bytes. */
export function nonceFor(sessionId: Uint8Array, seq: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  writeNonce(nonce, 0, sessionId, seq);
  return nonce;
}

/**
 * Whether a sealed frame carries the nonce of its own sequence number in this session. It is public, so the comparison need not be
 * constant-time.
 */
export function hasNonce({ source, at, seq }: Frame, sessionId: Uint8Array): boolean {
  if (readUint32(source, at + HEADER_BYTES) !== seq) return false;
  for (let i = 0; i < NONCE_ID_BYTES; i++) if (source[at + HEADER_BYTES + 4 + i] !== sessionId[i]) return false;
  return true;
}

/** Where the sealed frame says that its nonce is: a view of 12 bytes. */
export const nonceOf = ({ source, at }: Frame): Uint8Array => source.subarray(at + HEADER_BYTES, at + TEXT_AT);

/** Ciphertext and tag of a sealed frame: a view. */
export const sealedText = ({ source, at, length }: Frame): Uint8Array => source.subarray(at + TEXT_AT, at + length);

/** Where the text of a sealed frame begins. */
const TEXT_AT = HEADER_BYTES + NONCE_BYTES;

const NO_FRAMES: readonly OpenedFrame[] = Object.freeze([]);

/** The length in bytes of the sealed frame of a plaintext. */
export const sealedFrameBytes = (plaintextBytes: number): number => HEADER_BYTES + SEAL_OVERHEAD_BYTES + plaintextBytes;

/** One sending key and its sequence numbers: each number seals once, for ever. */
export class FrameSealer {
  readonly #aead: Aead;
  readonly #sessionId: Uint8Array;
  /** Where the frames that are staged begin and end. */
  #stagedFrom = 0;
  #stagedTo = 0;
  #seq: number;

  constructor(aead: Aead, sessionId: Uint8Array, firstSeq = 0) {
    this.#aead = aead;
    this.#sessionId = sessionId;
    this.#seq = firstSeq;
  }

  /** The number that the next frame gets. */
  get nextSeq(): number {
    return this.#seq;
  }

  /** Whether frames wait for `sealStaged`. */
  get hasStaged(): boolean {
    return this.#stagedTo > this.#stagedFrom;
  }

  /**
   * Seals a plaintext of 0 to 452 bytes into a whole frame at `out[at]` and returns the frame's length in bytes. The sequence
   * number is spent whatever becomes of the frame.
   * @throws SequenceError `SEQ_EXHAUSTED` (section 5)
   */
  seal(type: SealedType, plaintext: Uint8Array, out: Uint8Array, at: number): number {
    const payloadBytes = this.#begin(type, plaintext.length, out, at);
    const additionalData = out.subarray(at, at + ADDITIONAL_DATA_BYTES);
    const nonce = out.subarray(at + HEADER_BYTES, at + TEXT_AT);
    this.#aead.seal(nonce, additionalData, plaintext, out, at + TEXT_AT);
    writeCrc(out, at, payloadBytes);
    return HEADER_BYTES + payloadBytes;
  }

  /**
   * The same for a frame that leaves with others and stands right behind the one staged before, if any: it need not be sealed before
   * `sealStaged`. Until then its plaintext may stand in `out`, at the same place.
   * @throws SequenceError `SEQ_EXHAUSTED` (section 5), InvalidStateError `WRONG_STATE` where it would leave a gap
   */
  stage(type: SealedType, plaintext: Uint8Array, out: Uint8Array, at: number): number {
    if (!this.#aead.sealFrames) return this.seal(type, plaintext, out, at);
    if (this.hasStaged && at !== this.#stagedTo) throw new InvalidStateError('WRONG_STATE', 'staged frames have a gap');
    const length = HEADER_BYTES + this.#begin(type, plaintext.length, out, at);
    out.set(plaintext, at + TEXT_AT);
    if (!this.hasStaged) this.#stagedFrom = at;
    this.#stagedTo = at + length;
    return length;
  }

  /** Seals what is staged in `out`. */
  sealStaged(out: Uint8Array): void {
    const [from, to] = [this.#stagedFrom, this.#stagedTo];
    this.#stagedTo = this.#stagedFrom = 0;
    if (from < to) this.#aead.sealFrames?.(out, from, to);
  }

  wipe(): void {
    this.#aead.wipe();
  }

  /** Writes header and nonce; returns the length of the payload. */
  #begin(type: SealedType, plaintextBytes: number, out: Uint8Array, at: number): number {
    if (this.#seq >= SEQ_LIMIT) {
      throw new SequenceError('SEQ_EXHAUSTED', 'all sequence numbers of this key are used', { origin: 'local' });
    }
    const seq = this.#seq++;
    const payloadBytes = plaintextBytes + SEAL_OVERHEAD_BYTES;
    writeHeader(out, at, type, seq, payloadBytes);
    writeNonce(out, at + HEADER_BYTES, this.#sessionId, seq);
    return payloadBytes;
  }
}

/** One receiving key of a byte stream and the sequence number it expects. Nothing moves before the tag is verified. */
export class FrameOpener {
  readonly #aead: Aead;
  readonly #sessionId: Uint8Array;
  #seq: number;
  /** Frames that were opened together, and how many of them were taken. */
  #ahead: readonly OpenedFrame[] = NO_FRAMES;
  #taken = 0;

  constructor(aead: Aead, sessionId: Uint8Array, firstSeq = 0) {
    this.#aead = aead;
    this.#sessionId = sessionId;
    this.#seq = firstSeq;
  }

  /** The only number that the next frame may have. */
  get expectedSeq(): number {
    return this.#seq;
  }

  /**
   * Opens the next frames together where they are data frames, are all right and stand whole in `bytes` from index `at` on, and where
   * that is cheaper. Each is to be had from `takeAhead` then, before any other is opened.
   */
  openAhead(bytes: Uint8Array, at: number): void {
    // Anything else is not worth a look at what comes behind it.
    const isWholeDataFrame =
      isDataType(bytes[at + 3] as PacketType) && at + HEADER_BYTES + payloadLength(bytes, at) <= bytes.length;
    if (this.#aead.openFrames && isWholeDataFrame) {
      this.#ahead = this.#aead.openFrames(bytes, at, this.#seq, this.#sessionId);
    }
  }

  /** The next of the frames that were opened together, if any is left. */
  takeAhead(): OpenedFrame | undefined {
    if (this.#taken === this.#ahead.length) return undefined;
    const frame = this.#ahead[this.#taken++];
    this.#seq++;
    if (this.#taken === this.#ahead.length) this.#forgetAhead();
    return frame;
  }

  /**
   * The plaintext, fresh, 0 to 452 bytes.
   * @throws FrameError, SequenceError or CryptoError; the opener is then as it was before.
   */
  open(frame: Frame): Uint8Array {
    const { type, seq, length } = frame;
    if (length < HEADER_BYTES + SEAL_OVERHEAD_BYTES) {
      throw new FrameError(
        'FRAME_LENGTH',
        `${packetTypeName(type)} with a payload of ${length - HEADER_BYTES} bytes, at least ${SEAL_OVERHEAD_BYTES} are needed`,
      );
    }
    if (this.#seq >= SEQ_LIMIT)
      throw new SequenceError('SEQ_EXHAUSTED', 'the peer used all sequence numbers of its key');
    if (seq !== this.#seq) {
      throw new SequenceError('SEQ_UNEXPECTED', `expected sequence number ${this.#seq}, got ${seq}`);
    }
    if (!hasNonce(frame, this.#sessionId)) throw new CryptoError('CRYPTO_NONCE', 'the nonce of the frame is wrong');
    const plaintext = this.#aead.open(nonceOf(frame), frame.additionalData, sealedText(frame));
    if (!plaintext) throw new CryptoError('CRYPTO_TAG', 'the tag of the frame is wrong');
    this.#seq++;
    return plaintext;
  }

  wipe(): void {
    this.#forgetAhead();
    this.#aead.wipe();
  }

  #forgetAhead(): void {
    this.#ahead = NO_FRAMES;
    this.#taken = 0;
  }
}
