import { writeUint32 } from './bytes.js';
import type { Aead } from './crypto-provider.js';
import { CryptoError, FrameError, SequenceError } from './errors.js';
import { writeCrc, writeHeader, type Frame } from './frame.js';
import { packetTypeName, type SealedType } from './packet-type.js';
import { ADDITIONAL_DATA_BYTES, HEADER_BYTES, NONCE_BYTES, SEAL_OVERHEAD_BYTES, SEQ_LIMIT } from './sizes.js';

/** The nonce of protocol.md section 4: seq as u32 || the first 8 bytes of session_id. */
export function nonceFor(sessionId: Uint8Array, seq: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  writeUint32(nonce, 0, seq);
  nonce.set(sessionId.subarray(0, 8), 4);
  return nonce;
}

/** Whether a sealed frame carries this nonce. It is public, so the comparison need not be constant-time. */
export function hasNonce(frame: Uint8Array, nonce: Uint8Array): boolean {
  for (let i = 0; i < NONCE_BYTES; i++) if (frame[HEADER_BYTES + i] !== nonce[i]) return false;
  return true;
}

/** The length in bytes of the sealed frame of a plaintext. */
export const sealedFrameBytes = (plaintextBytes: number): number => HEADER_BYTES + SEAL_OVERHEAD_BYTES + plaintextBytes;

/** One sending key and its sequence numbers: each number seals once, for ever. */
export class FrameSealer {
  readonly #aead: Aead;
  readonly #nonce: Uint8Array;
  readonly #additionalData = new Uint8Array(ADDITIONAL_DATA_BYTES);
  #seq: number;

  constructor(aead: Aead, sessionId: Uint8Array, firstSeq = 0) {
    this.#aead = aead;
    this.#nonce = nonceFor(sessionId, firstSeq);
    this.#seq = firstSeq;
  }

  /** The number that the next frame gets. */
  get nextSeq(): number {
    return this.#seq;
  }

  /**
   * Seals a plaintext of 0 to 452 bytes into a whole frame at `out[at]` and returns the frame's length in bytes. The sequence
   * number is spent whatever becomes of the frame.
   * @throws SequenceError `SEQ_EXHAUSTED` (section 5)
   */
  seal(type: SealedType, plaintext: Uint8Array, out: Uint8Array, at: number): number {
    if (this.#seq >= SEQ_LIMIT) {
      throw new SequenceError('SEQ_EXHAUSTED', 'all sequence numbers of this key are used', { origin: 'local' });
    }
    const seq = this.#seq++;
    const payloadBytes = plaintext.length + SEAL_OVERHEAD_BYTES;
    writeHeader(out, at, type, seq, payloadBytes);
    for (let i = 0; i < ADDITIONAL_DATA_BYTES; i++) this.#additionalData[i] = out[at + i] as number;
    writeUint32(this.#nonce, 0, seq);
    out.set(this.#nonce, at + HEADER_BYTES);
    this.#aead.seal(this.#nonce, this.#additionalData, plaintext, out, at + HEADER_BYTES + NONCE_BYTES);
    writeCrc(out, at, payloadBytes);
    return HEADER_BYTES + payloadBytes;
  }

  wipe(): void {
    this.#aead.wipe();
  }
}

/** One receiving key of a byte stream and the sequence number it expects. Nothing moves before the tag is verified. */
export class FrameOpener {
  readonly #aead: Aead;
  readonly #nonce: Uint8Array;
  #seq: number;

  constructor(aead: Aead, sessionId: Uint8Array, firstSeq = 0) {
    this.#aead = aead;
    this.#nonce = nonceFor(sessionId, firstSeq);
    this.#seq = firstSeq;
  }

  /** The only number that the next frame may have. */
  get expectedSeq(): number {
    return this.#seq;
  }

  /**
   * The plaintext, fresh, 0 to 452 bytes.
   * @throws FrameError, SequenceError or CryptoError; the opener is then as it was before.
   */
  open(frame: Frame): Uint8Array {
    if (frame.bytes.length < HEADER_BYTES + SEAL_OVERHEAD_BYTES) {
      throw new FrameError(
        'FRAME_LENGTH',
        `${packetTypeName(frame.type)} with a payload of ${frame.bytes.length - HEADER_BYTES} bytes, at least ${SEAL_OVERHEAD_BYTES} are needed`,
      );
    }
    if (this.#seq >= SEQ_LIMIT)
      throw new SequenceError('SEQ_EXHAUSTED', 'the peer used all sequence numbers of its key');
    if (frame.seq !== this.#seq) {
      throw new SequenceError('SEQ_UNEXPECTED', `expected sequence number ${this.#seq}, got ${frame.seq}`);
    }
    writeUint32(this.#nonce, 0, frame.seq);
    if (!hasNonce(frame.bytes, this.#nonce)) throw new CryptoError('CRYPTO_NONCE', 'the nonce of the frame is wrong');
    const sealed = frame.bytes.subarray(HEADER_BYTES + NONCE_BYTES);
    const plaintext = this.#aead.open(this.#nonce, frame.additionalData, sealed);
    if (!plaintext) throw new CryptoError('CRYPTO_TAG', 'the tag of the frame is wrong');
    this.#seq++;
    return plaintext;
  }

  wipe(): void {
    this.#aead.wipe();
  }
}
