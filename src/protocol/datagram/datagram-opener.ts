import type { CryptoProvider, CipherSuite, Aead } from '../crypto-provider.js';
import type { Frame } from '../frame.js';
import type { SealedType } from '../packet-type.js';
import { hasNonce, nonceOf, sealedText } from '../sealed-frame.js';
import type { Secret } from '../secret.js';
import { HEADER_BYTES, SEAL_OVERHEAD_BYTES, SEQ_LIMIT } from '../sizes.js';
import { sealAcknowledgement } from './acknowledgement.js';
import { ReplayWindow } from './replay-window.js';

/** Why a frame does not open. */
export type OpeningFailure =
  /** Too short to be sealed, a wrong nonce, a number that is never used, or a wrong tag. */
  | 'not-authentic'
  /** Older than the window of 64, so that nobody can tell whether it was here before. */
  | 'too-old';

/** A frame whose tag was verified; nothing has moved yet. */
export interface AuthenticFrame {
  /** 0 to 452 bytes. */
  readonly plaintext: Uint8Array;
  /** Whether it is here for the first time. */
  readonly isFresh: boolean;
  /** Whether its number follows directly on the last one that was accepted. */
  readonly inSequence: boolean;
}

/** One receiving key on datagrams: the window of the sequence numbers under it, and acknowledgements with it. */
export class DatagramOpener {
  readonly #crypto: CryptoProvider;
  readonly #key: Secret;
  readonly #aead: Aead;
  readonly #sessionId: Uint8Array;
  readonly #window = new ReplayWindow();

  /** @param key it is the opener's, which wipes it */
  constructor(crypto: CryptoProvider, suite: CipherSuite, key: Secret, sessionId: Uint8Array) {
    this.#crypto = crypto;
    this.#key = key;
    this.#aead = crypto.aead(suite, key.expose());
    this.#sessionId = sessionId;
  }

  /** Frames received, lost ones included. */
  get nextSeq(): number {
    return this.#window.highest + 1;
  }

  /** Verifies a frame; what it says of it holds until the next `accept`. */
  open(frame: Frame): AuthenticFrame | OpeningFailure {
    const { seq, length } = frame;
    if (length < HEADER_BYTES + SEAL_OVERHEAD_BYTES || seq >= SEQ_LIMIT) return 'not-authentic';
    const age = this.#window.check(seq);
    if (age === 'too-old') return 'too-old';
    if (!hasNonce(frame, this.#sessionId)) return 'not-authentic';
    const plaintext = this.#aead.open(nonceOf(frame), frame.additionalData, sealedText(frame));
    if (!plaintext) return 'not-authentic';
    return { plaintext, isFresh: age === 'fresh', inSequence: seq === this.nextSeq };
  }

  /** Takes note of an authentic frame's number, so that it is fresh only once. */
  accept(seq: number): void {
    this.#window.accept(seq);
  }

  /** The acknowledgement of an authentic frame, 15 bytes. */
  acknowledge(type: SealedType, seq: number): Uint8Array {
    return sealAcknowledgement(this.#crypto, this.#key.expose(), type, seq);
  }

  wipe(): void {
    this.#aead.wipe();
    this.#key.wipe();
  }
}
