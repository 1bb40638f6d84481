import { AeadBatch } from './aead-batch.js';
import { readUint32, writeUint32 } from './bytes.js';
import type { Aead } from './crypto-provider.js';
import { CryptoError, FrameError, SequenceError } from './errors.js';
import { payloadLength, writeCrc, writeHeader, type Frame } from './frame.js';
import { packetTypeName, type SealedType } from './packet-type.js';
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

/** Used by one burst after the other; nothing stays in it. */
const batch = new AeadBatch();

const addToBatch = (frameAt: number, textBytes: number): void =>
  batch.add(frameAt, ADDITIONAL_DATA_BYTES, frameAt + HEADER_BYTES, frameAt + TEXT_AT, textBytes);

const NOTHING: readonly never[] = Object.freeze([]);

/** The length in bytes of the sealed frame of a plaintext. */
export const sealedFrameBytes = (plaintextBytes: number): number => HEADER_BYTES + SEAL_OVERHEAD_BYTES + plaintextBytes;

/** One sending key and its sequence numbers: each number seals once, for ever. */
export class FrameSealer {
  readonly #aead: Aead;
  readonly #sessionId: Uint8Array;
  /** Where the frames begin that are staged. */
  #staged: number[] = [];
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
    return this.#staged.length > 0;
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
   * The same for a frame that leaves with others: it need not be sealed before `sealStaged`. Until then its plaintext may stand in
   * `out`, at the same place.
   * @throws SequenceError `SEQ_EXHAUSTED` (section 5)
   */
  stage(type: SealedType, plaintext: Uint8Array, out: Uint8Array, at: number): number {
    if (!this.#aead.sealBatch) return this.seal(type, plaintext, out, at);
    const payloadBytes = this.#begin(type, plaintext.length, out, at);
    out.set(plaintext, at + TEXT_AT);
    this.#staged.push(at);
    return HEADER_BYTES + payloadBytes;
  }

  /** Seals what is staged in `out`. */
  sealStaged(out: Uint8Array): void {
    if (this.#staged.length === 0) return;
    const staged = this.#staged;
    this.#staged = [];
    batch.clear();
    for (const at of staged) addToBatch(at, payloadLength(out, at) - SEAL_OVERHEAD_BYTES);
    this.#aead.sealBatch?.(out, batch);
    for (const at of staged) writeCrc(out, at, payloadLength(out, at));
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
  /** Frames that were opened before anybody asked for them, what came of them, and the number of the first. */
  #ahead: readonly Frame[] = NOTHING;
  #plaintextsAhead: readonly (Uint8Array | undefined)[] = NOTHING;
  #aheadFrom = 0;

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
   * Frames that came together in one array, and that `open` will be asked for one after the other: does the work for all of them
   * at once where that is cheaper. Changes nothing else, whatever the frames are.
   */
  openAhead(frames: readonly Frame[]): void {
    const [first] = frames;
    if (!this.#aead.openBatch || !first || frames.length === 1) return;
    batch.clear();
    for (const frame of frames) {
      const { at, length } = frame;
      if (length < HEADER_BYTES + SEAL_OVERHEAD_BYTES || !this.#isExpected(frame, this.#seq + batch.count)) break;
      addToBatch(at, length - HEADER_BYTES - SEAL_OVERHEAD_BYTES);
    }
    if (batch.count === 0) return;
    this.#plaintextsAhead = this.#aead.openBatch(first.source, batch);
    this.#ahead = frames;
    this.#aheadFrom = this.#seq;
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
    const plaintext = this.#wasOpened(frame) ? this.#takeOpened() : this.#openNow(frame);
    if (!plaintext) throw new CryptoError('CRYPTO_TAG', 'the tag of the frame is wrong');
    this.#seq++;
    return plaintext;
  }

  wipe(): void {
    this.#forgetAhead();
    this.#aead.wipe();
  }

  /** Whether the frame has this number and, below `SEQ_LIMIT`, the nonce that belongs to it. */
  #isExpected(frame: Frame, seq: number): boolean {
    return frame.seq === seq && seq < SEQ_LIMIT && hasNonce(frame, this.#sessionId);
  }

  #wasOpened(frame: Frame): boolean {
    const index = this.#seq - this.#aheadFrom;
    return index < this.#plaintextsAhead.length && this.#ahead[index] === frame;
  }

  #takeOpened(): Uint8Array | undefined {
    const index = this.#seq - this.#aheadFrom;
    const plaintext = this.#plaintextsAhead[index];
    if (index === this.#plaintextsAhead.length - 1) this.#forgetAhead();
    return plaintext;
  }

  #forgetAhead(): void {
    this.#ahead = NOTHING;
    this.#plaintextsAhead = NOTHING;
  }

  #openNow(frame: Frame): Uint8Array | undefined {
    if (!this.#isExpected(frame, this.#seq)) {
      throw new CryptoError('CRYPTO_NONCE', 'the nonce of the frame is wrong');
    }
    return this.#aead.open(nonceOf(frame), frame.additionalData, sealedText(frame));
  }
}
