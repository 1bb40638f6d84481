import type { Aead, CipherSuite, CryptoProvider } from './crypto-provider.js';
import { InvalidStateError, PayloadError, SequenceError, UsmpError, type ErrorOrigin } from './errors.js';
import { checkMessageLength, forEachFragment } from './fragmentation.js';
import type { FrameDecoder } from './frame-decoder.js';
import type { Frame } from './frame.js';
import { deriveRekeyedKeys, swapDirections, wipeKeys, type DirectionKeys } from './key-schedule.js';
import { isDataType, isSealedType, PacketType, packetTypeName, type SealedType } from './packet-type.js';
import type { OpenedFrame } from './reassembly.js';
import { FrameOpener, FrameSealer, sealedFrameBytes } from './sealed-frame.js';
import { MAX_PLAINTEXT_BYTES, SALT_BYTES } from './sizes.js';

/** The control frames without plaintext. */
export type ControlType = typeof PacketType.PING | typeof PacketType.PONG | typeof PacketType.BYE;

/** What a handshake comes to. */
export interface EstablishedSession {
  readonly role: 'client' | 'server';
  /** 6 bytes. */
  readonly deviceId: Uint8Array;
  /** 16 bytes. */
  readonly sessionId: Uint8Array;
  readonly keys: DirectionKeys;
}

export interface ReceivedFrame extends OpenedFrame {
  /** Whose REKEYs took effect with this frame, in order; hardly ever any. */
  readonly rekeyedBy: readonly ErrorOrigin[];
}

const NOBODY: readonly ErrorOrigin[] = Object.freeze([]);

/**
 * Where rekeying stands. REKEY has no acknowledgement, so its initiator goes on receiving under the old key until the first
 * authentic frame under the new one.
 */
type Rekeying =
  | { readonly awaits: 'nothing' }
  | {
      /** Our REKEY is sent, the peer may not have read it yet. */
      readonly awaits: 'peer-switch';
      readonly before: DirectionKeys;
      readonly next: FrameOpener;
    }
  | {
      /** The peer's REKEY crossed ours, and ours stands: frames under the peer's keys come until it has read ours. */
      readonly awaits: 'peer-switch-after-crossing';
      readonly next: FrameOpener;
    };

const SETTLED: Rekeying = Object.freeze({ awaits: 'nothing' });
const NO_SEALERS: readonly FrameSealer[] = Object.freeze([]);
const NO_PLAINTEXT = new Uint8Array(0);

/**
 * The established half of the protocol on a byte stream: seals and opens frames, counts sequence numbers and rekeys
 * (protocol.md sections 4 to 6). After an error of `open` the session is over; the caller ends it.
 */
export class SecureChannel {
  readonly #crypto: CryptoProvider;
  readonly #suite: CipherSuite;
  readonly #role: 'client' | 'server';
  readonly #sessionId: Uint8Array;
  #keys: DirectionKeys;
  #sealer: FrameSealer;
  #retiring: readonly FrameSealer[] = NO_SEALERS;
  #opener: FrameOpener;
  #rekeying: Rekeying = SETTLED;
  #wiped = false;

  constructor(crypto: CryptoProvider, suite: CipherSuite, { role, sessionId, keys }: EstablishedSession) {
    this.#crypto = crypto;
    this.#suite = suite;
    this.#role = role;
    this.#sessionId = sessionId;
    this.#keys = keys;
    this.#sealer = new FrameSealer(this.#aead(keys.sending), sessionId);
    this.#opener = new FrameOpener(this.#aead(keys.receiving), sessionId);
  }

  /** Whether our REKEY waits for its confirmation; another one can't start before it. */
  get rekeyPending(): boolean {
    return this.#rekeying.awaits !== 'nothing';
  }

  /** Frames sent or received under the present keys, whichever are more. */
  get framesUnderKeys(): number {
    return Math.max(this.#sealer.nextSeq, this.#opener.expectedSeq);
  }

  /**
   * Writes a message of 0 to 1808 bytes as 1 to 4 frames at `out[at]`, to be sealed by `sealStaged`; returns their length,
   * `sealedMessageBytes`.
   * @throws PayloadError `PAYLOAD_TOO_LARGE` before anything is written, SequenceError `SEQ_EXHAUSTED`, InvalidStateError
   *   after `wipe`
   */
  stageMessage(message: Uint8Array, out: Uint8Array, at: number): number {
    this.#checkNotWiped();
    checkMessageLength(message.length);
    return message.length <= MAX_PLAINTEXT_BYTES
      ? this.#sealer.stage(PacketType.DATA, message, out, at)
      : this.#stageFragments(message, out, at);
  }

  #stageFragments(message: Uint8Array, out: Uint8Array, at: number): number {
    let end = at;
    forEachFragment(message, (type, plaintext) => {
      end += this.#sealer.stage(type, plaintext, out, end);
    });
    return end - at;
  }

  /**
   * Writes a control frame without plaintext at `out[at]`, to be sealed by `sealStaged`; returns its length, 40 bytes.
   * @throws SequenceError `SEQ_EXHAUSTED`, InvalidStateError after `wipe`
   */
  stageControl(type: ControlType, out: Uint8Array, at: number): number {
    this.#checkNotWiped();
    return this.#sealer.stage(type, NO_PLAINTEXT, out, at);
  }

  /**
   * Writes REKEY at `out[at]` as the last frame under the present keys, to be sealed by `sealStaged`, and sends under new ones
   * from then on. Returns its length, 72 bytes. Send a PING next: its PONG confirms the change.
   * @throws InvalidStateError while `rekeyPending` or after `wipe`, SequenceError `SEQ_EXHAUSTED`
   */
  stageRekey(out: Uint8Array, at: number): number {
    this.#checkNotWiped();
    if (this.rekeyPending) throw new InvalidStateError('WRONG_STATE', 'a rekeying waits for its confirmation already');
    const salt = this.#crypto.randomBytes(SALT_BYTES);
    const length = this.#sealer.stage(PacketType.REKEY, salt, out, at);
    const before = this.#keys;
    this.#keys = deriveRekeyedKeys(this.#crypto, before, salt, this.#sessionId);
    this.#replaceSealer();
    this.#rekeying = { awaits: 'peer-switch', before, next: this.#newOpener(this.#keys) };
    return length;
  }

  /**
   * Seals all frames that were staged, each under the key it was staged for; `out` holds them where they were written. Nothing of
   * it may leave before.
   */
  sealStaged(out: Uint8Array): void {
    this.#checkNotWiped();
    for (const sealer of this.#retiring) {
      sealer.sealStaged(out);
      sealer.wipe();
    }
    this.#retiring = NO_SEALERS;
    this.#sealer.sealStaged(out);
  }

  /**
   * The next frame of a stream, where it is a data frame that could be opened together with others; otherwise `open` is to be asked for
   * it. What it is not asked for stays in the decoder.
   * @throws InvalidStateError after `wipe`
   */
  openAhead(decoder: FrameDecoder): OpenedFrame | undefined {
    this.#checkNotWiped();
    const opener = this.#opener;
    let frame = opener.takeAhead();
    if (!frame && this.#rekeying.awaits === 'nothing') {
      opener.openAhead(decoder.chunk, decoder.at);
      frame = opener.takeAhead();
    }
    if (!frame) return undefined;
    decoder.skip(sealedFrameBytes(frame.plaintext.length));
    return frame;
  }

  /**
   * Opens a frame. Nothing in this channel moves before its tag is verified. ERROR, which is never authentic, opens to
   * undefined and touches nothing (section 2).
   * @throws SequenceError, CryptoError, FrameError, PayloadError (a control frame of the wrong size), InvalidStateError after
   *   `wipe`; the session is then over.
   */
  open(frame: Frame): ReceivedFrame | undefined {
    this.#checkNotWiped();
    const { type } = frame;
    if (type === PacketType.ERROR) return undefined;
    if (!isSealedType(type)) {
      throw new SequenceError('SEQ_UNEXPECTED', `${packetTypeName(type)} within an established session`);
    }
    const pending = this.#rekeying;
    if (pending.awaits === 'nothing') return this.#received(type, this.#opener.open(frame), NOBODY);
    const underNext = this.#openUnderNext(frame, pending.next);
    if (!underNext) return this.#received(type, this.#opener.open(frame), NOBODY);
    this.#settle(pending);
    return this.#received(type, underNext, ['local']);
  }

  /** Forgets all keys; whoever uses the channel after gets an InvalidStateError. */
  wipe(): void {
    if (this.#wiped) return;
    this.#wiped = true;
    wipeKeys(this.#keys);
    for (const sealer of this.#retiring) sealer.wipe();
    this.#sealer.wipe();
    this.#opener.wipe();
    if (this.#rekeying.awaits === 'peer-switch') wipeKeys(this.#rekeying.before);
    if (this.#rekeying.awaits !== 'nothing') this.#rekeying.next.wipe();
  }

  /**
   * The plaintext where the frame is one under the new key. Where both keys expect its number, a wrong tag under the new one
   * says only that the old one is to be tried.
   */
  #openUnderNext(frame: Frame, next: FrameOpener): Uint8Array | undefined {
    if (frame.seq !== next.expectedSeq) return undefined;
    try {
      return next.open(frame);
    } catch (error) {
      if (error instanceof UsmpError && error.code === 'CRYPTO_TAG' && this.#opener.expectedSeq === frame.seq) {
        return undefined;
      }
      throw error;
    }
  }

  #received(type: SealedType, plaintext: Uint8Array, rekeyedBy: readonly ErrorOrigin[]): ReceivedFrame {
    if (isDataType(type)) return { type, plaintext, rekeyedBy };
    const expected = type === PacketType.REKEY ? SALT_BYTES : 0;
    if (plaintext.length !== expected) {
      throw new PayloadError(
        'PAYLOAD_LENGTH',
        `${packetTypeName(type)} with a plaintext of ${plaintext.length} bytes, expected ${expected}`,
      );
    }
    if (type !== PacketType.REKEY) return { type, plaintext, rekeyedBy };
    this.#takeRekey(plaintext);
    return { type, plaintext: NO_PLAINTEXT, rekeyedBy: this.rekeyPending ? rekeyedBy : [...rekeyedBy, 'remote'] };
  }

  #takeRekey(salt: Uint8Array): void {
    switch (this.#rekeying.awaits) {
      case 'nothing':
        return this.#switchToPeers(this.#keys, salt);
      case 'peer-switch':
        return this.#role === 'client'
          ? this.#takeCrossingAsWinner(this.#rekeying, salt)
          : this.#takeCrossingAsLoser(this.#rekeying, salt);
      case 'peer-switch-after-crossing':
        throw new SequenceError('SEQ_UNEXPECTED', 'a second REKEY before the first was confirmed');
    }
  }

  /** `before`: the keys under which the peer sealed its REKEY, as we see them. */
  #switchToPeers(before: DirectionKeys, salt: Uint8Array): void {
    const after = swapDirections(deriveRekeyedKeys(this.#crypto, swapDirections(before), salt, this.#sessionId));
    wipeKeys(before);
    this.#keys = after;
    this.#replaceSealer();
    this.#replaceOpener(this.#newOpener(after));
  }

  /** Where both sides start at once the client's stands; the server's frames until it has read ours are under its own. */
  #takeCrossingAsWinner(ours: Rekeying & { awaits: 'peer-switch' }, salt: Uint8Array): void {
    const theirs = deriveRekeyedKeys(this.#crypto, swapDirections(ours.before), salt, this.#sessionId);
    this.#replaceOpener(new FrameOpener(this.#aead(theirs.sending), this.#sessionId));
    wipeKeys(theirs);
    wipeKeys(ours.before);
    this.#rekeying = { awaits: 'peer-switch-after-crossing', next: ours.next };
  }

  #takeCrossingAsLoser(ours: Rekeying & { awaits: 'peer-switch' }, salt: Uint8Array): void {
    wipeKeys(this.#keys);
    ours.next.wipe();
    this.#rekeying = SETTLED;
    this.#switchToPeers(ours.before, salt);
  }

  #settle(pending: Exclude<Rekeying, { awaits: 'nothing' }>): void {
    if (pending.awaits === 'peer-switch') wipeKeys(pending.before);
    this.#replaceOpener(pending.next);
    this.#rekeying = SETTLED;
  }

  /** Frames that are staged under the old key still need it. */
  #replaceSealer(): void {
    if (this.#sealer.hasStaged) this.#retiring = [...this.#retiring, this.#sealer];
    else this.#sealer.wipe();
    this.#sealer = new FrameSealer(this.#aead(this.#keys.sending), this.#sessionId);
  }

  #replaceOpener(opener: FrameOpener): void {
    this.#opener.wipe();
    this.#opener = opener;
  }

  #newOpener(keys: DirectionKeys): FrameOpener {
    return new FrameOpener(this.#aead(keys.receiving), this.#sessionId);
  }

  #aead(key: DirectionKeys['sending']): Aead {
    return this.#crypto.aead(this.#suite, key.expose());
  }

  #checkNotWiped(): void {
    if (this.#wiped) throw new InvalidStateError('WRONG_STATE', 'the keys of this session were wiped');
  }
}

/** The length in bytes of a control frame without plaintext. */
export const CONTROL_FRAME_BYTES = sealedFrameBytes(0);
/** The length in bytes of a REKEY frame. */
export const REKEY_FRAME_BYTES = sealedFrameBytes(SALT_BYTES);
