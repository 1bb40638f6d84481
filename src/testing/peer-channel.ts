import {
  concatBytes,
  deriveRekeyedKeys,
  encodeFrame,
  FrameOpener,
  FrameSealer,
  isSealedType,
  NONCE_BYTES,
  PacketType,
  packetTypeName,
  SALT_BYTES,
  SEAL_OVERHEAD_BYTES,
  sealedFrameBytes,
  Secret,
  SequenceError,
  swapDirections,
  ADDITIONAL_DATA_BYTES,
  type CipherSuite,
  type CryptoProvider,
  type DirectionKeys,
  type EstablishedSession,
  type Frame,
  type OpenedFrame,
  type SealedType,
} from '../protocol/index.js';
import { nonceFor } from '../protocol/sealed-frame.js';

/** A sealed frame with anything in it, right or wrong. */
export interface FrameRecipe {
  /** Any type, also one that is never sealed. */
  readonly type: PacketType;
  /** 0 to 452 bytes. */
  readonly plaintext?: Uint8Array;
  /** The default is the next number, which the frame then takes; a number that is given takes none. */
  readonly seq?: number;
  /** 12 bytes; the default is the one that goes with `seq`. */
  readonly nonce?: Uint8Array;
  /** Flips a bit of the tag. The CRC is right all the same. */
  readonly corruptTag?: boolean;
}

const NO_PLAINTEXT = new Uint8Array(0);

export interface PeerChannelOptions {
  readonly crypto: CryptoProvider;
  readonly suite: CipherSuite;
  /** As fielded initiators do; otherwise frames under the old keys are read until the first one under the new. */
  readonly switchKeysAtOnce: boolean;
}

/**
 * The established half of the protocol as firmware has it: plain, and with its keys at hand, so that it can also break every
 * rule. Only a simulated peer has any use for that.
 */
export class PeerChannel {
  readonly #options: PeerChannelOptions;
  readonly #role: EstablishedSession['role'];
  readonly #sessionId: Uint8Array;
  #keys: DirectionKeys;
  #sealer: FrameSealer;
  #opener: FrameOpener;
  /** The old receiving side, while our REKEY may not have been read. */
  #before: { readonly keys: DirectionKeys; opener: FrameOpener } | undefined;

  constructor({ role, sessionId, keys }: EstablishedSession, options: PeerChannelOptions) {
    this.#options = options;
    this.#role = role;
    this.#sessionId = sessionId;
    this.#keys = copyKeys(keys);
    this.#sealer = this.#newSealer();
    this.#opener = this.#newOpener(this.#keys);
  }

  /** The sequence number of the next frame. */
  get nextSeq(): number {
    return this.#sealer.nextSeq;
  }

  seal(type: SealedType, plaintext: Uint8Array = NO_PLAINTEXT): Uint8Array {
    const frame = new Uint8Array(sealedFrameBytes(plaintext.length));
    this.#sealer.seal(type, plaintext, frame, 0);
    return frame;
  }

  /** REKEY and a PING under the new keys, as initiator. */
  sealRekey(): Uint8Array {
    const { crypto, switchKeysAtOnce } = this.#options;
    const salt = crypto.randomBytes(SALT_BYTES);
    const rekey = this.seal(PacketType.REKEY, salt);
    const before = { keys: this.#keys, opener: this.#opener };
    this.#switchTo(deriveRekeyedKeys(crypto, this.#keys, salt, this.#sessionId));
    if (!switchKeysAtOnce) this.#before = before;
    return concatBytes(rekey, this.seal(PacketType.PING));
  }

  /** The bytes of a frame after a recipe. */
  forge({ type, plaintext = NO_PLAINTEXT, seq, nonce, corruptTag }: FrameRecipe): Uint8Array {
    const spent = seq ?? this.#spendSeq();
    const used = nonce ?? nonceFor(this.#sessionId, spent);
    const payload = new Uint8Array(SEAL_OVERHEAD_BYTES + plaintext.length);
    const additionalData = encodeFrame(type, spent, payload).subarray(0, ADDITIONAL_DATA_BYTES);
    payload.set(used);
    const { crypto, suite } = this.#options;
    crypto.aead(suite, this.#keys.sending.expose()).seal(used, additionalData, plaintext, payload, NONCE_BYTES);
    if (corruptTag) payload.set([payload[payload.length - 1]! ^ 1], payload.length - 1);
    return encodeFrame(type, spent, payload);
  }

  /** @throws UsmpError for everything that protocol.md forbids. */
  open(frame: Frame): OpenedFrame {
    if (!isSealedType(frame.type)) {
      throw new SequenceError('SEQ_UNEXPECTED', `${packetTypeName(frame.type)} within an established session`);
    }
    const opened = { type: frame.type, plaintext: this.#openEither(frame) };
    if (opened.type === PacketType.REKEY) this.#takeRekey(opened.plaintext);
    return opened;
  }

  #openEither(frame: Frame): Uint8Array {
    const before = this.#before;
    if (!before) return this.#opener.open(frame);
    try {
      const plaintext = this.#opener.open(frame);
      this.#before = undefined;
      return plaintext;
    } catch {
      return before.opener.open(frame);
    }
  }

  #takeRekey(salt: Uint8Array): void {
    const { crypto } = this.#options;
    const before = this.#before?.keys ?? this.#keys;
    const theirs = deriveRekeyedKeys(crypto, swapDirections(before), salt, this.#sessionId);
    // Two that cross: the client's stands, and the server sends under its own until it has read the client's.
    if (this.#before && this.#role === 'client') this.#before.opener = this.#newOpener(swapDirections(theirs));
    else this.#switchTo(swapDirections(theirs));
  }

  #switchTo(keys: DirectionKeys): void {
    this.#keys = keys;
    this.#sealer = this.#newSealer();
    this.#opener = this.#newOpener(keys);
    this.#before = undefined;
  }

  #newSealer(firstSeq = 0): FrameSealer {
    const { crypto, suite } = this.#options;
    return new FrameSealer(crypto.aead(suite, this.#keys.sending.expose()), this.#sessionId, firstSeq);
  }

  #newOpener(keys: DirectionKeys): FrameOpener {
    const { crypto, suite } = this.#options;
    return new FrameOpener(crypto.aead(suite, keys.receiving.expose()), this.#sessionId);
  }

  /** Takes the next sequence number for a frame that the sealer itself would not make. */
  #spendSeq(): number {
    const seq = this.#sealer.nextSeq;
    this.#sealer = this.#newSealer(seq + 1);
    return seq;
  }
}

/** Whoever else has a session's keys may wipe them. */
const copyKeys = ({ sending, receiving }: DirectionKeys): DirectionKeys => ({
  sending: new Secret(sending.expose()),
  receiving: new Secret(receiving.expose()),
});
