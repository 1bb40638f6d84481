import { concatBytes } from './bytes.js';
import type { FrameError } from './errors.js';
import { decodeChecked, frameLength, type Frame } from './frame.js';
import { HEADER_BYTES, MAX_FRAME_BYTES } from './sizes.js';

const EMPTY = new Uint8Array(0);

/**
 * Cuts a byte stream into frames, whatever its chunks (protocol.md section 1). A frame that lies within one chunk is a view of
 * it; one that straddles chunks is copied once. Holds at most one frame beside the chunk that is being read.
 *
 * Pull `next()` until it returns undefined, then `push` the next chunk; the order of frames and the error at the end do not
 * depend on how the stream was cut.
 */
export class FrameDecoder {
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  #straddling: Uint8Array | undefined;
  #held = 0;
  #failure: FrameError | undefined;

  /** Bytes received and not yet returned as a frame. */
  get bufferedBytes(): number {
    return this.#held + this.#chunk.length - this.#at;
  }

  /**
   * Takes the next bytes of the stream; the decoder keeps a view of them, so they must not be modified after. A decoder that
   * failed takes nothing more.
   */
  push(chunk: Uint8Array): void {
    if (this.#failure) return;
    const unread = this.#chunk.length - this.#at;
    this.#chunk = unread === 0 ? chunk : concatBytes(this.#chunk.subarray(this.#at), chunk);
    this.#at = 0;
  }

  /**
   * The next whole frame, or undefined until more bytes are pushed.
   * @throws FrameError (MagicError, VersionError, CrcError); from then on every call throws the same error.
   */
  next(): Frame | undefined {
    if (this.#failure) throw this.#failure;
    try {
      const frame = this.#straddling ? this.#nextStraddling(this.#straddling) : this.#nextWithin();
      if (!frame) this.#release();
      return frame;
    } catch (error) {
      this.#failure = error as FrameError;
      this.#release();
      throw error;
    }
  }

  /**
   * The bytes of the stream that are not read yet begin in `chunk` at index `at`; none are shown while a frame straddles chunks. Whoever
   * takes whole frames from there says so with `skip`.
   */
  get chunk(): Uint8Array {
    return this.#straddling ? EMPTY : this.#chunk;
  }

  get at(): number {
    return this.#at;
  }

  /** The next bytes of `chunk` were read. */
  skip(bytes: number): void {
    this.#at += bytes;
    if (this.#at === this.#chunk.length) this.#release();
  }

  #nextWithin(): Frame | undefined {
    const available = this.#chunk.length - this.#at;
    const length = frameLength(this.#chunk, this.#at, available);
    if (length !== undefined && available >= length) {
      const at = this.#at;
      this.#at += length;
      return decodeChecked(this.#chunk, at, length);
    }
    if (available > 0) {
      this.#straddling = new Uint8Array(MAX_FRAME_BYTES);
      this.#fill(this.#straddling, available);
    }
    return undefined;
  }

  #nextStraddling(frame: Uint8Array): Frame | undefined {
    this.#fill(frame, HEADER_BYTES);
    const length = frameLength(frame, 0, this.#held);
    if (length !== undefined && this.#held >= HEADER_BYTES) this.#fill(frame, length);
    if (length === undefined || this.#held < length) return undefined;
    this.#straddling = undefined;
    this.#held = 0;
    return decodeChecked(frame, 0, length);
  }

  /** Copies from the chunk until `wanted` bytes of the frame are held, or the chunk is used up. */
  #fill(frame: Uint8Array, wanted: number): void {
    const count = Math.min(wanted - this.#held, this.#chunk.length - this.#at);
    if (count <= 0) return;
    frame.set(this.#chunk.subarray(this.#at, this.#at + count), this.#held);
    this.#held += count;
    this.#at += count;
  }

  /** A chunk that is used up must not be kept alive by an idle connection. */
  #release(): void {
    this.#chunk = EMPTY;
    this.#at = 0;
  }
}
