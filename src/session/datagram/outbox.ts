import { copyBytes } from '../../protocol/bytes.js';
import { MAX_CONTROL_FRAMES } from '../../protocol/control-flood.js';
import type { CryptoProvider } from '../../protocol/crypto-provider.js';
import { MAX_ATTEMPTS } from '../../protocol/datagram/stop-and-wait.js';
import type { ControlType } from '../../protocol/secure-channel.js';
import type { DatagramChannel, SealedDatagram } from '../../protocol/datagram/datagram-channel.js';
import { TimeoutError, type UsmpError } from '../../protocol/errors.js';
import { PacketType, packetTypeName } from '../../protocol/packet-type.js';
import type { Settle } from '../link.js';
import type { CloseInfo } from '../session.js';
import { endError, notSent, outboxFull } from '../send-errors.js';
import type { Delivery } from './delivery.js';

interface OutboxOptions {
  readonly crypto: CryptoProvider;
  readonly channel: DatagramChannel;
  /** A server's SESSION_OK may be outstanding in it. */
  readonly delivery: Delivery;
  readonly maxOutboxBytes: number;
  /** A frame was sealed: the message where it is one. */
  readonly onSealed: (message: Uint8Array | undefined) => void;
  /** The session has to end. */
  readonly onFailure: (error: UsmpError) => void;
}

interface QueuedMessage {
  message: Uint8Array;
  readonly settle: Settle;
}

/** What is sealed and under way: its frames one after the other, then `done`. */
interface Consignment {
  readonly frames: readonly SealedDatagram[];
  /** The frame that is outstanding. */
  at: number;
  readonly isRekey: boolean;
  readonly done: (error?: UsmpError) => void;
}

const nothing = (): void => {};

/**
 * What leaves by stop-and-wait: one frame is outstanding, all of a message before anything else, control frames before messages
 * that wait. Only what is under way is sealed.
 */
export class DatagramOutbox {
  readonly #options: OutboxOptions;
  readonly #messages = new Set<QueuedMessage>();
  #queuedBytes = 0;
  #pings: (() => void)[] = [];
  #rekey: (() => void) | undefined;
  #pendingPongs = 0;
  #onEmpty: (() => void) | undefined;
  #underWay: Consignment | undefined;
  #finished = false;
  #ended = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    options.delivery.onLost = (datagram) => this.#lost(datagram);
  }

  /**
   * Sends a message of 0 to 1808 bytes. Returns what takes it back, as long as it is not sealed.
   * @throws InvalidStateError `OUTBOX_FULL`
   */
  send(message: Uint8Array, settle: Settle): () => void {
    const { maxOutboxBytes } = this.#options;
    if (this.#isBusy && this.#queuedBytes + message.length > maxOutboxBytes) {
      throw outboxFull(maxOutboxBytes);
    }
    const queued = { message, settle };
    this.#messages.add(queued);
    this.#queuedBytes += message.length;
    this.#sendNext();
    // The caller may use its array again.
    if (this.#messages.has(queued)) queued.message = copyBytes(message, 0);
    return () => {
      if (this.#messages.delete(queued)) this.#queuedBytes -= message.length;
    };
  }

  /** A peer that asks often and acknowledges slowly gets few answers. */
  pong(): void {
    if (this.#finished) return;
    this.#pendingPongs = Math.min(this.#pendingPongs + 1, MAX_CONTROL_FRAMES / 2);
    this.#sendNext();
  }

  ping(onSealed: () => void): void {
    this.#pings.push(onSealed);
    this.#sendNext();
  }

  /** Waits for a rekeying of the peer that is not confirmed yet. */
  rekey(onSealed: () => void): void {
    this.#rekey = onSealed;
    this.#sendNext();
  }

  /** Sends everything that waits, then BYE; calls `done` when that has arrived, or was given up. */
  finish(onSealed: () => void, done: () => void): void {
    this.#onEmpty = () => {
      this.#onEmpty = undefined;
      this.#finished = true;
      this.#sealControl(PacketType.BYE, done);
      onSealed();
    };
    this.#sendNext();
  }

  /** Takes an acknowledgement; returns whether it is the authentic one of what is outstanding. */
  takeAcknowledgement(datagram: Uint8Array): boolean {
    const frame = this.#underWay?.frames[this.#underWay.at];
    if (!frame?.acknowledgements.some((expected) => this.#options.crypto.equal(expected, datagram))) return false;
    this.#options.channel.rekeyAcknowledged();
    this.#arrived();
    return true;
  }

  /** The first frame of the peer shows that SESSION_OK has arrived, and may show that REKEY has. */
  heard(): void {
    const { delivery, channel } = this.#options;
    if (!this.#underWay) delivery.acknowledged();
    else if (this.#underWay.isRekey && !channel.rekeyOutstanding) return this.#arrived();
    this.#sendNext();
  }

  /** SESSION_OK was acknowledged; returns whether it was outstanding. */
  handshakeAcknowledged(): boolean {
    const { delivery } = this.#options;
    if (this.#underWay || !delivery.outstanding) return false;
    delivery.acknowledged();
    this.#sendNext();
    return true;
  }

  /** Nothing is sealed or sent after. Whoever waits is told why, or that nothing of the message was sent. */
  end(info: CloseInfo): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.delivery.stop();
    const queued = [...this.#messages];
    const underWay = this.#underWay;
    this.#messages.clear();
    this.#pings = [];
    this.#underWay = undefined;
    if (!underWay && queued.length === 0) return;
    const error = endError(info);
    const unsent = notSent(error);
    underWay?.done(error);
    for (const { message, settle } of queued) settle(unsent, message);
  }

  get #isBusy(): boolean {
    return this.#underWay !== undefined || this.#options.delivery.outstanding !== undefined;
  }

  #sendNext(): void {
    const { channel, onSealed } = this.#options;
    if (this.#isBusy || this.#ended || this.#finished) return;
    if (this.#pendingPongs > 0) {
      this.#pendingPongs--;
      return this.#sealControl(PacketType.PONG);
    }
    if (this.#rekey && !channel.rekeyPending) {
      const sealed = this.#rekey;
      this.#rekey = undefined;
      // PING goes next, under the new keys; its sender was told of both.
      this.#pings.unshift(nothing);
      this.#seal(() => [channel.sealRekey()], nothing, true);
      onSealed(undefined);
      return sealed();
    }
    const ping = this.#pings.shift();
    if (ping) {
      this.#sealControl(PacketType.PING);
      return ping();
    }
    const [queued] = this.#messages;
    if (!queued) return this.#onEmpty?.();
    this.#messages.delete(queued);
    this.#queuedBytes -= queued.message.length;
    this.#seal(() => channel.sealMessage(queued.message), queued.settle);
    onSealed(queued.message);
  }

  #sealControl(type: ControlType, done = nothing): void {
    this.#seal(() => [this.#options.channel.sealControl(type)], done);
    this.#options.onSealed(undefined);
  }

  #seal(seal: () => readonly SealedDatagram[], done: Consignment['done'], isRekey = false): void {
    try {
      this.#underWay = { frames: seal(), at: 0, isRekey, done };
      this.#sendFrame(this.#underWay);
    } catch (error) {
      done(error as UsmpError);
      this.#options.onFailure(error as UsmpError);
    }
  }

  #sendFrame({ frames, at }: Consignment): void {
    this.#options.delivery.send((frames[at] as SealedDatagram).datagram);
  }

  /** The frame that was outstanding is with the peer. */
  #arrived(): void {
    const underWay = this.#underWay as Consignment;
    this.#options.delivery.acknowledged();
    underWay.at++;
    if (underWay.at < underWay.frames.length) return this.#sendFrame(underWay);
    this.#underWay = undefined;
    underWay.done();
    this.#sendNext();
  }

  /** A BYE that is not acknowledged may have arrived all the same: its receiver closes. */
  #lost(datagram: Uint8Array): void {
    if (this.#finished) return this.#arrived();
    // A client that has read SESSION_OK stands all the same; one that has not is silent until the session times out.
    if (!this.#underWay) return this.#sendNext();
    const type = packetTypeName(datagram[3] as number);
    this.#options.onFailure(
      new TimeoutError(
        'TIMEOUT_ACKNOWLEDGEMENT',
        `the peer acknowledged none of ${MAX_ATTEMPTS} attempts to send ${type}`,
      ),
    );
  }
}
