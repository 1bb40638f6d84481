import type { SchedulerLike, Subscription } from 'rxjs';
import { TimeoutError, type PacketType, type UsmpError } from '../protocol/index.js';
import type { Acknowledgement } from '../protocol/datagram/acknowledgement.js';
import type { DatagramBehaviour } from './datagram-behaviour.js';

const ATTEMPTS = 5;
const FIXED_WAIT_MS = 500;

/** A frame on its way. */
export interface Outgoing {
  readonly frame: Uint8Array;
  /** Whether an acknowledgement of its type and number is to be believed. */
  believes(acknowledgement: Acknowledgement): boolean;
}

/** A frame that is to be delivered. */
export interface Parcel {
  /** Makes the frame when its turn comes. */
  prepare(): Outgoing;
  /** How often it is sent at most; the default is 5 times. */
  readonly attempts?: number;
  delivered?(): void;
  /** It was given up, or the connection ended before. */
  failed?(error: UsmpError): void;
}

interface PeerDeliveryOptions {
  readonly timer: DatagramBehaviour['timer'];
  readonly scheduler: SchedulerLike;
  readonly transmit: (frame: Uint8Array) => void;
  /** Nothing waits any more. */
  readonly onIdle: () => void;
  /** A frame was given up. */
  readonly onLost: (error: UsmpError) => void;
}

interface Outstanding extends Outgoing {
  readonly parcel: Parcel;
  attempt: number;
  sentMs: number;
  wait: Subscription | undefined;
}

/** Stop-and-wait as firmware has it (protocol.md section 7): one frame after the other, each until it is acknowledged. */
export class PeerDelivery {
  readonly #options: PeerDeliveryOptions;
  readonly #queue: Parcel[] = [];
  #outstanding: Outstanding | undefined;
  #smoothedMs = 200;
  #variationMs = 100;
  #timeoutMs = 500;
  #isOver = false;

  constructor(options: PeerDeliveryOptions) {
    this.#options = options;
  }

  /** Whether a frame waits for its acknowledgement. */
  get isBusy(): boolean {
    return this.#outstanding !== undefined;
  }

  deliver(parcel: Parcel): void {
    this.#queue.push(parcel);
    this.#next();
  }

  acknowledge(acknowledgement: Acknowledgement): void {
    const outstanding = this.#outstanding;
    if (!outstanding) return;
    const { frame, attempt, sentMs } = outstanding;
    const { type, seq } = acknowledgement;
    if (typeOf(frame) !== type || seqOf(frame) !== seq || !outstanding.believes(acknowledgement)) return;
    if (attempt === 1) this.#learn(this.#options.scheduler.now() - sentMs);
    this.#settle(outstanding);
  }

  /** What came is as good as the acknowledgement of a frame of this type. */
  answered(type: PacketType): void {
    const outstanding = this.#outstanding;
    if (outstanding && typeOf(outstanding.frame) === type) this.#settle(outstanding);
  }

  stop(error: UsmpError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const outstanding = this.#outstanding;
    this.#outstanding = undefined;
    outstanding?.wait?.unsubscribe();
    outstanding?.parcel.failed?.(error);
    for (const parcel of this.#queue.splice(0)) parcel.failed?.(error);
  }

  #next(): void {
    if (this.#isOver || this.#outstanding) return;
    const parcel = this.#queue.shift();
    if (!parcel) {
      this.#options.onIdle();
      return;
    }
    this.#outstanding = { ...parcel.prepare(), parcel, attempt: 0, sentMs: 0, wait: undefined };
    this.#transmit(this.#outstanding);
  }

  #transmit(outstanding: Outstanding): void {
    const { scheduler, transmit, timer } = this.#options;
    const backedOffMs = Math.min(Math.max(this.#timeoutMs * 2 ** outstanding.attempt, 50), 5_000);
    outstanding.attempt++;
    outstanding.sentMs = scheduler.now();
    // First the timer: where nothing delays a datagram, its acknowledgement comes within `transmit`.
    outstanding.wait = scheduler.schedule(
      () => this.#expire(outstanding),
      timer === 'fixed' ? FIXED_WAIT_MS : backedOffMs,
    );
    transmit(outstanding.frame);
  }

  #expire(outstanding: Outstanding): void {
    const { attempts = ATTEMPTS } = outstanding.parcel;
    if (outstanding.attempt < attempts) this.#transmit(outstanding);
    else this.#options.onLost(new TimeoutError('TIMEOUT_SEND', `none of ${attempts} attempts was acknowledged`));
  }

  #settle(outstanding: Outstanding): void {
    outstanding.wait?.unsubscribe();
    this.#outstanding = undefined;
    outstanding.parcel.delivered?.();
    this.#next();
  }

  #learn(sampleMs: number): void {
    this.#variationMs = (3 * this.#variationMs + Math.abs(this.#smoothedMs - sampleMs)) / 4;
    this.#smoothedMs = (7 * this.#smoothedMs + sampleMs) / 8;
    this.#timeoutMs = Math.min(Math.max(this.#smoothedMs + 4 * this.#variationMs, 100), 5_000);
  }
}

export const typeOf = (frame: Uint8Array): PacketType => frame[3] as PacketType;

export const seqOf = (frame: Uint8Array): number =>
  new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(4, true);
