import type { CipherSuite, CryptoProvider } from '../crypto-provider.js';
import { InvalidStateError, type ErrorOrigin } from '../errors.js';
import { checkMessageLength, forEachFragment } from '../fragmentation.js';
import type { Frame } from '../frame.js';
import { deriveRekeyedKeys, swapDirections, wipeKeys, type DirectionKeys } from '../key-schedule.js';
import { isDataType, isSealedType, PacketType, type SealedType } from '../packet-type.js';
import { FrameSealer, sealedFrameBytes } from '../sealed-frame.js';
import type { ControlType, EstablishedSession, ReceivedFrame } from '../secure-channel.js';
import { SALT_BYTES } from '../sizes.js';
import { sealAcknowledgement } from './acknowledgement.js';
import { DatagramOpener, type AuthenticFrame, type OpeningFailure } from './datagram-opener.js';
import type { SequencedFrame } from './datagram-reassembly.js';

export type FrameDrop =
  | OpeningFailure
  /** A type that has no place in a session. */
  | 'unexpected-frame'
  /** The peer's plaintext ERROR, which proves nothing. */
  | 'error-frame'
  /** Authentic, but a control frame with a plaintext of the wrong length. */
  | 'control-plaintext'
  /** Authentic, but a new one under keys that its sender has replaced. */
  | 'replaced-keys'
  /** The peer's REKEY that crossed ours, where ours stands. */
  | 'crossing-rekey';

/** A frame that was taken: here for the first time, and its number is noted. */
export interface ReceivedDatagram extends ReceivedFrame, SequencedFrame {}

/** What becomes of a frame. Acknowledgements are 15 bytes and to be sent back. */
export type Opened =
  | { readonly outcome: 'taken'; readonly frame: ReceivedDatagram; readonly acknowledgement: Uint8Array }
  /** It was taken before; its acknowledgement may have been lost. */
  | { readonly outcome: 'repeated'; readonly acknowledgement: Uint8Array }
  /** It is authentic, but can't be taken now; nothing has moved, and the peer will repeat it. */
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'dropped'; readonly reason: FrameDrop };

/** A frame to be delivered by stop-and-wait. */
export interface SealedDatagram {
  /** 40 to 492 bytes. */
  readonly datagram: Uint8Array;
  /**
   * 15 bytes each: any of these is its acknowledgement. REKEY has two, since fielded peers acknowledge a repeated one under
   * the new key.
   */
  readonly acknowledgements: readonly Uint8Array[];
}

/**
 * Where rekeying stands. By stop-and-wait one frame at a time is under way, so new sending keys are taken up only when REKEY is
 * acknowledged, or answered with a frame under the new keys.
 */
type Rekeying =
  | { readonly awaits: 'nothing' }
  | {
      /** Our REKEY is outstanding; the peer may have read it and send under the next keys. */
      readonly awaits: 'acknowledgement';
      readonly keys: DirectionKeys;
      readonly next: DatagramOpener;
    }
  | {
      /** Ours is acknowledged; what the peer had outstanding still comes under the old key. */
      readonly awaits: 'peer-switch';
      readonly older: DatagramOpener;
    }
  | {
      /** The peer's was read; until it sends under its new key, it may repeat that REKEY under the old one. */
      readonly awaits: 'peer-proof';
      readonly older: DatagramOpener;
    };

const NOBODY: readonly ErrorOrigin[] = Object.freeze([]);
const SETTLED: Rekeying = Object.freeze({ awaits: 'nothing' });
const NO_PLAINTEXT = new Uint8Array(0);
const drop = (reason: FrameDrop): Opened => ({ outcome: 'dropped', reason });

/**
 * The established half of the protocol on datagrams (protocol.md sections 4 to 7): seals what stop-and-wait delivers, opens frames with
 * a window of 64, acknowledges, and rekeys. No datagram that is not authentic moves anything, and none makes it throw.
 */
export class DatagramChannel {
  readonly #crypto: CryptoProvider;
  readonly #suite: CipherSuite;
  readonly #role: 'client' | 'server';
  readonly #sessionId: Uint8Array;
  #keys: DirectionKeys;
  #sealer: FrameSealer;
  #opener: DatagramOpener;
  #rekeying: Rekeying = SETTLED;
  #wiped = false;

  constructor(crypto: CryptoProvider, suite: CipherSuite, { role, sessionId, keys }: EstablishedSession) {
    this.#crypto = crypto;
    this.#suite = suite;
    this.#role = role;
    this.#sessionId = sessionId;
    this.#keys = keys;
    this.#sealer = this.#newSealer(keys);
    this.#opener = this.#newOpener(keys);
  }

  /** Whether a rekeying of either side waits for its confirmation; we start none before it. */
  get rekeyPending(): boolean {
    return this.#rekeying.awaits !== 'nothing';
  }

  /** Frames sent or received under the present keys, whichever are more. */
  get framesUnderKeys(): number {
    return Math.max(this.#sealer.nextSeq, this.#opener.nextSeq);
  }

  /** Whether our REKEY is to be repeated until it is acknowledged. Nothing may be sealed meanwhile. */
  get rekeyOutstanding(): boolean {
    return this.#rekeying.awaits === 'acknowledgement';
  }

  /**
   * Seals a message of 0 to 1808 bytes as 1 to 4 datagrams, to be sent in their order before anything else. They are sealed
   * together, since a message keeps the keys that it began with.
   * @throws PayloadError `PAYLOAD_TOO_LARGE` before anything is sealed, SequenceError `SEQ_EXHAUSTED`, InvalidStateError while
   *   `rekeyOutstanding` and after `wipe`
   */
  sealMessage(message: Uint8Array): readonly SealedDatagram[] {
    checkMessageLength(message.length);
    const sealed: SealedDatagram[] = [];
    forEachFragment(message, (type, plaintext) => sealed.push(this.#seal(type, plaintext)));
    return sealed;
  }

  /** @throws as `sealMessage` */
  sealControl(type: ControlType): SealedDatagram {
    return this.#seal(type, NO_PLAINTEXT);
  }

  /**
   * REKEY, the last frame under the present keys. Tell `rekeyAcknowledged`, and send a PING then: its PONG confirms the change.
   * @throws as `sealMessage`, and InvalidStateError while `rekeyPending`
   */
  sealRekey(): SealedDatagram {
    if (this.rekeyPending) throw new InvalidStateError('WRONG_STATE', 'a rekeying waits for its confirmation already');
    const salt = this.#crypto.randomBytes(SALT_BYTES);
    const seq = this.#sealer.nextSeq;
    const { datagram, acknowledgements } = this.#seal(PacketType.REKEY, salt);
    const keys = deriveRekeyedKeys(this.#crypto, this.#keys, salt, this.#sessionId);
    const underNewKey = sealAcknowledgement(this.#crypto, keys.sending.expose(), PacketType.REKEY, seq);
    this.#rekeying = { awaits: 'acknowledgement', keys, next: this.#newOpener(keys) };
    return { datagram, acknowledgements: [...acknowledgements, underNewKey] };
  }

  /** Our REKEY has arrived: sending goes on under the new keys. Harmless when it is known already. */
  rekeyAcknowledged(): void {
    if (this.#rekeying.awaits !== 'acknowledgement') return;
    const { keys, next } = this.#rekeying;
    const older = this.#opener;
    this.#switchTo(keys, next);
    this.#rekeying = { awaits: 'peer-switch', older };
  }

  /**
   * Opens a frame.
   * @param admits whether frames of its type can be taken now; asked only of authentic ones
   */
  open(frame: Frame, admits: (type: SealedType) => boolean): Opened {
    const { type } = frame;
    if (this.#wiped) return drop('not-authentic');
    if (type === PacketType.ERROR) return drop('error-frame');
    if (!isSealedType(type)) return drop('unexpected-frame');
    const underPresent = this.#opener.open(frame);
    if (typeof underPresent === 'object') return this.#takePresent(type, frame, underPresent, admits);
    const rekeying = this.#rekeying;
    if (rekeying.awaits === 'nothing') return drop(underPresent);
    if (rekeying.awaits === 'acknowledgement') {
      const underNext = rekeying.next.open(frame);
      if (typeof underNext !== 'object') return drop(underPresent);
      return this.#takeNext(rekeying.next, type, frame, underNext, admits);
    }
    const underOlder = rekeying.older.open(frame);
    return typeof underOlder === 'object' ? this.#takeOlder(type, frame, underOlder, admits) : drop(underPresent);
  }

  /** Forgets all keys; nothing opens after, and whoever seals gets an InvalidStateError. */
  wipe(): void {
    if (this.#wiped) return;
    this.#wiped = true;
    wipeKeys(this.#keys);
    this.#sealer.wipe();
    this.#opener.wipe();
    if (this.#rekeying.awaits === 'acknowledgement') {
      wipeKeys(this.#rekeying.keys);
      this.#rekeying.next.wipe();
    } else if (this.#rekeying.awaits !== 'nothing') {
      this.#rekeying.older.wipe();
    }
  }

  #seal(type: SealedType, plaintext: Uint8Array): SealedDatagram {
    if (this.#wiped) throw new InvalidStateError('WRONG_STATE', 'the keys of this session were wiped');
    if (this.rekeyOutstanding) throw new InvalidStateError('WRONG_STATE', 'REKEY waits for its acknowledgement');
    const datagram = new Uint8Array(sealedFrameBytes(plaintext.length));
    const seq = this.#sealer.nextSeq;
    this.#sealer.seal(type, plaintext, datagram, 0);
    const acknowledgement = sealAcknowledgement(this.#crypto, this.#keys.sending.expose(), type, seq);
    return { datagram, acknowledgements: [acknowledgement] };
  }

  /** A frame under the key that we expect. */
  #takePresent(type: SealedType, frame: Frame, opened: AuthenticFrame, admits: Admits): Opened {
    const verdict = this.#judge(this.#opener, type, frame, opened, admits);
    if (verdict) return verdict;
    if (type === PacketType.REKEY && this.#rekeying.awaits === 'acknowledgement' && this.#role === 'client') {
      // Both sides started: the client's stands. The server learns that from ours, and forgets its own.
      return drop('crossing-rekey');
    }
    return this.#settle(type, frame, opened);
  }

  /** The peer sends under the keys of our REKEY, so it has read it. */
  #takeNext(next: DatagramOpener, type: SealedType, frame: Frame, opened: AuthenticFrame, admits: Admits): Opened {
    const verdict = this.#judge(next, type, frame, opened, admits);
    if (verdict) return verdict;
    this.rekeyAcknowledged();
    return this.#settle(type, frame, opened);
  }

  /** The first frame under the present keys settles a rekeying of either side. */
  #settle(type: SealedType, frame: Frame, opened: AuthenticFrame): Opened {
    const rekeying = this.#rekeying;
    const rekeyedBy = rekeying.awaits === 'peer-switch' ? LOCAL : NOBODY;
    if (rekeying.awaits === 'peer-switch' || rekeying.awaits === 'peer-proof') {
      rekeying.older.wipe();
      this.#rekeying = SETTLED;
    }
    return this.#take(type, frame, opened, rekeyedBy);
  }

  /** A frame under the key that was in use before. */
  #takeOlder(type: SealedType, frame: Frame, opened: AuthenticFrame, admits: Admits): Opened {
    const { awaits, older } = this.#rekeying as Rekeying & { awaits: 'peer-switch' | 'peer-proof' };
    const verdict = this.#judge(older, type, frame, opened, admits);
    if (verdict) return verdict;
    if (awaits === 'peer-proof') return drop('replaced-keys');
    if (type === PacketType.REKEY) return drop('crossing-rekey');
    return this.#note(older, type, frame, opened, NOBODY);
  }

  /** What can be said of an authentic frame without taking it. */
  #judge(
    opener: DatagramOpener,
    type: SealedType,
    { seq }: Frame,
    { isFresh, plaintext }: AuthenticFrame,
    admits: Admits,
  ): Opened | undefined {
    if (!isFresh) return { outcome: 'repeated', acknowledgement: opener.acknowledge(type, seq) };
    const expectedBytes = type === PacketType.REKEY ? SALT_BYTES : 0;
    if (!isDataType(type) && plaintext.length !== expectedBytes) return drop('control-plaintext');
    return admits(type) ? undefined : { outcome: 'refused' };
  }

  #take(type: SealedType, frame: Frame, opened: AuthenticFrame, rekeyedBy: readonly ErrorOrigin[]): Opened {
    if (type !== PacketType.REKEY) return this.#note(this.#opener, type, frame, opened, rekeyedBy);
    const taken = this.#note(this.#opener, type, frame, { ...opened, plaintext: NO_PLAINTEXT }, [
      ...rekeyedBy,
      'remote',
    ]);
    this.#takeRekey(opened.plaintext);
    return taken;
  }

  #note(
    opener: DatagramOpener,
    type: SealedType,
    { seq }: Frame,
    { plaintext, inSequence }: AuthenticFrame,
    rekeyedBy: readonly ErrorOrigin[],
  ): Opened {
    opener.accept(seq);
    const frame = { type, plaintext, inSequence, rekeyedBy };
    return { outcome: 'taken', frame, acknowledgement: opener.acknowledge(type, seq) };
  }

  #takeRekey(salt: Uint8Array): void {
    const rekeying = this.#rekeying;
    if (rekeying.awaits === 'acknowledgement') {
      // Ours crossed it and is void; the peer will not acknowledge it.
      wipeKeys(rekeying.keys);
      rekeying.next.wipe();
    }
    const before = this.#keys;
    const after = swapDirections(deriveRekeyedKeys(this.#crypto, swapDirections(before), salt, this.#sessionId));
    const older = this.#opener;
    this.#switchTo(after, this.#newOpener(after));
    this.#rekeying = { awaits: 'peer-proof', older };
  }

  /** The old receiving key lives on with its opener. */
  #switchTo(keys: DirectionKeys, opener: DatagramOpener): void {
    this.#keys.sending.wipe();
    this.#sealer.wipe();
    this.#keys = keys;
    this.#sealer = this.#newSealer(keys);
    this.#opener = opener;
  }

  #newSealer({ sending }: DirectionKeys): FrameSealer {
    return new FrameSealer(this.#crypto.aead(this.#suite, sending.expose()), this.#sessionId);
  }

  #newOpener({ receiving }: DirectionKeys): DatagramOpener {
    return new DatagramOpener(this.#crypto, this.#suite, receiving, this.#sessionId);
  }
}

type Admits = (type: SealedType) => boolean;
const LOCAL: readonly ErrorOrigin[] = Object.freeze(['local']);
