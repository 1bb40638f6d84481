import {
  deriveRekeyedKeys,
  HEADER_BYTES,
  NONCE_BYTES,
  PacketType,
  SALT_BYTES,
  SEQ_LIMIT,
  swapDirections,
  TAG_BYTES,
  type Aead,
  type CipherSuite,
  type CryptoProvider,
  type DirectionKeys,
  type EstablishedSession,
  type Frame,
  type SealedType,
} from '../protocol/index.js';
import { isAuthenticAcknowledgement, type Acknowledgement } from '../protocol/datagram/acknowledgement.js';
import { nonceFor } from '../protocol/sealed-frame.js';
import type { DatagramBehaviour } from './datagram-behaviour.js';
import { PeerChannel, type FrameRecipe } from './peer-channel.js';
import type { Outgoing } from './peer-delivery.js';

const WINDOW = 64;

interface DatagramPeerChannelOptions {
  readonly crypto: CryptoProvider;
  readonly suite: CipherSuite;
  readonly behaviour: DatagramBehaviour;
}

/** An authentic frame. */
export interface OpenedDatagram {
  readonly plaintext: Uint8Array;
  /** What it was opened with: two frames of the same epoch have keys and a numbering in common. */
  readonly epoch: Epoch;
  readonly isRepeat: boolean;
}

/** The keys between two rekeyings, and what was received with them. */
class Epoch {
  readonly keys: DirectionKeys;
  readonly sealing: PeerChannel;
  readonly #sessionId: Uint8Array;
  readonly #opening: Aead;
  readonly #received = new Set<number>();
  #highest = -1;

  constructor(session: EstablishedSession, { crypto, suite }: DatagramPeerChannelOptions) {
    this.keys = session.keys;
    this.sealing = new PeerChannel(session, { crypto, suite, switchKeysAtOnce: true });
    this.#sessionId = session.sessionId;
    this.#opening = crypto.aead(suite, session.keys.receiving.expose());
  }

  get receivingKey(): Uint8Array {
    return this.keys.receiving.expose();
  }

  open(frame: Frame): OpenedDatagram | undefined {
    const { seq, payload } = frame;
    if (seq === SEQ_LIMIT || seq <= this.#highest - WINDOW || payload.length < NONCE_BYTES + TAG_BYTES)
      return undefined;
    const nonce = nonceFor(this.#sessionId, seq);
    if (nonce.some((byte, i) => byte !== payload[i])) return undefined;
    const plaintext = this.#opening.open(nonce, frame.additionalData, frame.bytes.subarray(HEADER_BYTES + NONCE_BYTES));
    if (!plaintext) return undefined;
    const isRepeat = this.#received.has(seq);
    this.#received.add(seq);
    this.#highest = Math.max(this.#highest, seq);
    return { plaintext, epoch: this, isRepeat };
  }
}

/** The established half of the protocol on UDP as firmware has it: plain, and with its keys at hand. */
export class DatagramPeerChannel {
  readonly #options: DatagramPeerChannelOptions;
  readonly #session: EstablishedSession;
  #sending: Epoch;
  /** What frames are opened with, the likeliest first; without a bound, since one side may rekey often while the other is stuck. */
  #receiving: readonly Epoch[];
  /** The last REKEY of our own. */
  #ownRekey: { readonly from: Epoch; readonly to: Epoch } | undefined;
  #highestEver = -1;

  constructor(session: EstablishedSession, options: DatagramPeerChannelOptions) {
    this.#options = options;
    this.#session = session;
    this.#sending = new Epoch(session, options);
    this.#receiving = [this.#sending];
  }

  /** The sequence number of the next frame. */
  get nextSeq(): number {
    return this.#sending.sealing.nextSeq;
  }

  /** The key that the frames of the other side are sealed with, as far as is known at the moment. */
  get receivingKey(): Uint8Array {
    return this.#sending.receivingKey;
  }

  seal(type: SealedType, plaintext?: Uint8Array): Outgoing {
    const epoch = this.#sending;
    return {
      frame: epoch.sealing.seal(type, plaintext),
      believes: (acknowledgement) => this.#believes(acknowledgement, epoch),
    };
  }

  forge(recipe: FrameRecipe): Uint8Array {
    return this.#sending.sealing.forge(recipe);
  }

  /** REKEY; its keys are taken up by `completeRekey`. */
  sealRekey(): Outgoing {
    const { crypto, behaviour } = this.#options;
    const salt = crypto.randomBytes(SALT_BYTES);
    const from = this.#sending;
    const rekey = this.seal(PacketType.REKEY, salt);
    const to = this.#epochOf(deriveRekeyedKeys(crypto, from.keys, salt, this.#session.sessionId));
    this.#ownRekey = { from, to };
    if (!behaviour.switchKeysAtOnce) this.#keep(to);
    return rekey;
  }

  /** The other side has read our REKEY; without effect where its own one stands instead. */
  completeRekey(): void {
    if (this.#ownRekey?.from === this.#sending) this.#switchTo(this.#ownRekey.to);
  }

  /** Whether a frame shows that the other side has read the REKEY that we still wait with. */
  completesRekey({ epoch }: OpenedDatagram): boolean {
    return this.#ownRekey?.to === epoch && this.#ownRekey.from === this.#sending;
  }

  /** The keys after a REKEY of the other side. */
  takeRekey({ epoch: from, plaintext: salt }: OpenedDatagram): void {
    const { crypto, behaviour } = this.#options;
    const { role, sessionId } = this.#session;
    const theirs = deriveRekeyedKeys(crypto, swapDirections(from.keys), salt, sessionId);
    const to = this.#epochOf(swapDirections(theirs));
    // Two that cross: the client's stands, and the server goes on under its own until it has read the client's.
    const isCrossed = role === 'client' && (from !== this.#sending || from === this.#ownRekey?.from);
    if (isCrossed && !behaviour.switchKeysAtOnce) this.#keep(to);
    else this.#switchTo(to);
  }

  /** Undefined where it is not authentic or too old. */
  open(frame: Frame): OpenedDatagram | undefined {
    if (!this.#options.behaviour.resetsReplayMark && frame.seq <= this.#highestEver - WINDOW) return undefined;
    for (const epoch of this.#receiving) {
      const opened = epoch.open(frame);
      if (!opened) continue;
      this.#highestEver = Math.max(this.#highestEver, frame.seq);
      return opened;
    }
    return undefined;
  }

  #believes(acknowledgement: Acknowledgement, sealedIn: Epoch): boolean {
    const { crypto, behaviour } = this.#options;
    const epochs = [behaviour.switchKeysAtOnce ? this.#sending : sealedIn];
    // A fielded peer acknowledges the repeat of a REKEY with the new key.
    if (!behaviour.switchKeysAtOnce && acknowledgement.type === PacketType.REKEY && this.#ownRekey?.from === sealedIn) {
      epochs.push(this.#ownRekey.to);
    }
    return epochs.some(({ keys }) => isAuthenticAcknowledgement(crypto, keys.sending.expose(), acknowledgement));
  }

  #switchTo(epoch: Epoch): void {
    this.#sending = epoch;
    this.#keep(epoch);
    if (this.#options.behaviour.switchKeysAtOnce) this.#receiving = [epoch];
  }

  #keep(epoch: Epoch): void {
    this.#receiving = [epoch, ...this.#receiving.filter((kept) => kept !== epoch)];
  }

  #epochOf(keys: DirectionKeys): Epoch {
    return new Epoch({ ...this.#session, keys }, this.#options);
  }
}
