import type { SchedulerLike, Subscription } from 'rxjs';
import { copyBytes } from '../../protocol/bytes.js';
import { TimeoutError, type UsmpError } from '../../protocol/errors.js';
import { sealedMessageBytes } from '../../protocol/fragmentation.js';
import { PacketType } from '../../protocol/packet-type.js';
import { MAX_CONTROL_FRAMES } from '../../protocol/control-flood.js';
import {
  CONTROL_FRAME_BYTES,
  REKEY_FRAME_BYTES,
  type ControlType,
  type SecureChannel,
} from '../../protocol/secure-channel.js';
import type { Transport } from '../../transport/transport.js';
import type { Settle } from '../link.js';
import { notSent, outboxFull } from '../send-errors.js';
import type { OutboxLimits } from '../session-limits.js';
import { BurstBuffer } from './burst-buffer.js';

interface OutboxOptions extends Required<OutboxLimits> {
  readonly transport: Transport;
  readonly channel: SecureChannel;
  readonly scheduler: SchedulerLike;
  /** A frame was sealed: whether it is data, and the message where there is one. */
  readonly onSealed: (message: Uint8Array | undefined) => void;
  /** The session has to end. */
  readonly onFailure: (error: UsmpError) => void;
}

interface QueuedMessage {
  readonly message: Uint8Array;
  readonly settle: Settle;
}

/** A burst this long leaves at once, before the tick is over, so that a full transport is noticed in time. */
const MAX_BURST_BYTES = 64 * 1024;

/**
 * What leaves: frames sealed in the order of the calls, all frames of a tick as one write. While the transport is above its
 * high-water mark nothing is sealed, so that what waits can still be taken back, and no sequence number is spent on it.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #burst = new BurstBuffer();
  readonly #messages = new Set<QueuedMessage>();
  #queuedBytes = 0;
  #controls: (() => void)[] = [];
  #pendingPongs = 0;
  #inBurst: Settle[] = [];
  /** What the messages share that came by `sendAtOnce` and are in the burst. */
  #burstSent: Promise<void> | undefined;
  #lastSentMs: number;
  #undrained: Settle[] = [];
  #flush: Subscription | undefined;
  #drainLimit: Subscription | undefined;
  #congested = false;
  #onEmpty: (() => void) | undefined;
  #finished = false;
  #ended = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#lastSentMs = options.scheduler.now();
  }

  /** When a frame was last sealed, in milliseconds of the scheduler's clock. */
  get lastSentMs(): number {
    return this.#lastSentMs;
  }

  /**
   * Sends a message of 0 to 1808 bytes with what leaves next. Returns the promise that all messages of that burst share, or
   * undefined where this one would have to wait.
   */
  sendAtOnce(message: Uint8Array): Promise<void> | undefined {
    if (this.#congested || this.#messages.size > 0) return undefined;
    this.#burstSent ??= this.#promiseOfBurst();
    const sent = this.#burstSent;
    this.#stageMessage(message);
    return sent;
  }

  /**
   * Sends a message of 0 to 1808 bytes. Returns what takes it back, as long as it is not sealed.
   * @throws InvalidStateError `OUTBOX_FULL`
   */
  send(message: Uint8Array, settle: Settle): () => void {
    if (!this.#congested && this.#messages.size === 0) {
      this.#inBurst.push(settle);
      this.#stageMessage(message);
      return () => {};
    }
    const { maxOutboxBytes } = this.#options;
    if (this.#queuedBytes + message.length > maxOutboxBytes) {
      throw outboxFull(maxOutboxBytes);
    }
    // The caller may use its array again; the copy is made only for a peer that is slow.
    const queued = { message: copyBytes(message, 0), settle };
    this.#messages.add(queued);
    this.#queuedBytes += message.length;
    return () => {
      if (this.#messages.delete(queued)) this.#queuedBytes -= message.length;
    };
  }

  /**
   * PONG goes at once. A peer that asks and does not read gets few answers: they come to it in one burst, together with PINGs
   * and a REKEY of ours, and must not look like a flood.
   */
  pong(): void {
    if (this.#finished) return;
    if (!this.#congested) return this.#sealControl(PacketType.PONG);
    this.#pendingPongs = Math.min(this.#pendingPongs + 1, MAX_CONTROL_FRAMES / 2);
  }

  /** Sends PING before any message that still waits; `onSealed` is told when it leaves. */
  ping(onSealed: () => void): void {
    this.#control(() => {
      this.#sealControl(PacketType.PING);
      onSealed();
    });
  }

  /** Sends REKEY and a PING under the new keys, before any message that still waits. */
  rekey(onSealed: () => void): void {
    this.#control(() => {
      this.#seal(REKEY_FRAME_BYTES, (out, at) => this.#options.channel.stageRekey(out, at));
      this.#sealControl(PacketType.PING);
      onSealed();
    });
  }

  /** Sends everything that waits, then BYE; calls `done` when the transport has it all. */
  finish(done: () => void): void {
    this.#onEmpty = () => {
      this.#onEmpty = undefined;
      this.#sealControl(PacketType.BYE);
      this.#finished = true;
      this.#flushNow();
      done();
    };
    this.#finishIfEmpty();
  }

  drained(): void {
    if (!this.#congested || this.#ended) return;
    this.#congested = false;
    this.#drainLimit?.unsubscribe();
    const settled = this.#undrained;
    this.#undrained = [];
    for (const settle of settled) settle();
    this.#sealQueued();
    this.#finishIfEmpty();
  }

  /** Nothing is sealed or written after. Whoever waits is told `error`, or that nothing of the message was sent. */
  end(error: UsmpError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#flush?.unsubscribe();
    this.#drainLimit?.unsubscribe();
    const unsent = notSent(error);
    const sealed = [...this.#undrained, ...this.#inBurst];
    const queued = [...this.#messages];
    this.#undrained = [];
    this.#inBurst = [];
    this.#messages.clear();
    this.#controls = [];
    for (const settle of sealed) settle(error);
    for (const { message, settle } of queued) settle(unsent, message);
  }

  #control(action: () => void): void {
    if (this.#congested) this.#controls.push(action);
    else action();
  }

  #promiseOfBurst(): Promise<void> {
    const sent = new Promise<void>((resolve, reject) => {
      this.#inBurst.push((error) => (error ? reject(error) : resolve()));
    });
    // Who does not wait for it learns of a failure from the session.
    sent.catch(() => {});
    return sent;
  }

  #stageMessage(message: Uint8Array): void {
    this.#seal(sealedMessageBytes(message.length), (out, at) => this.#options.channel.stageMessage(message, out, at));
    this.#options.onSealed(message);
  }

  #sealControl(type: ControlType): void {
    this.#seal(CONTROL_FRAME_BYTES, (out, at) => this.#options.channel.stageControl(type, out, at));
    this.#options.onSealed(undefined);
  }

  #seal(bytes: number, seal: (out: Uint8Array, at: number) => void): void {
    if (this.#ended) return;
    const at = this.#burst.reserve(bytes);
    try {
      seal(this.#burst.bytes, at);
    } catch (error) {
      // What stands in the burst is incomplete: the stream can't go on.
      return this.#options.onFailure(error as UsmpError);
    }
    // Once a burst, since a clock costs as much as a frame.
    if (at === 0) this.#lastSentMs = this.#options.scheduler.now();
    if (this.#burst.length >= MAX_BURST_BYTES) this.#flushNow();
    else this.#flush ??= this.#options.scheduler.schedule(() => this.#flushNow(), 0);
  }

  #flushNow(): void {
    this.#flush?.unsubscribe();
    this.#flush = undefined;
    if (this.#ended || this.#burst.length === 0) return;
    const { channel, transport, onFailure } = this.#options;
    try {
      channel.sealStaged(this.#burst.bytes);
    } catch (error) {
      return onFailure(error as UsmpError);
    }
    const settled = this.#inBurst;
    this.#inBurst = [];
    this.#burstSent = undefined;
    if (transport.write(this.#burst.take())) {
      for (const settle of settled) settle();
      return;
    }
    for (const settle of settled) this.#undrained.push(settle);
    if (this.#congested) return;
    this.#congested = true;
    this.#drainLimit = this.#options.scheduler.schedule(() => {
      this.#options.onFailure(
        new TimeoutError(
          'TIMEOUT_SEND',
          `the peer did not read what was sent within ${this.#options.sendTimeoutMs} ms`,
        ),
      );
    }, this.#options.sendTimeoutMs);
  }

  #sealQueued(): void {
    for (; this.#pendingPongs > 0 && !this.#congested; this.#pendingPongs--) this.#sealControl(PacketType.PONG);
    while (this.#controls.length > 0 && !this.#congested) this.#controls.shift()?.();
    for (const queued of this.#messages) {
      if (this.#congested) return;
      this.#messages.delete(queued);
      this.#queuedBytes -= queued.message.length;
      this.#inBurst.push(queued.settle);
      this.#stageMessage(queued.message);
    }
  }

  #finishIfEmpty(): void {
    if (!this.#congested && this.#messages.size === 0 && this.#controls.length === 0) this.#onEmpty?.();
  }
}
