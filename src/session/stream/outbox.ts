import type { Subscription } from 'rxjs';
import { copyBytes } from '../../protocol/bytes.js';
import { TimeoutError, type UsmpError } from '../../protocol/errors.js';
import { sealedMessageBytes } from '../../protocol/fragmentation.js';
import { PacketType } from '../../protocol/packet-type.js';
import { MAX_CONTROL_FRAMES } from '../../protocol/control-flood.js';
import { CONTROL_FRAME_BYTES, REKEY_FRAME_BYTES, type ControlType } from '../../protocol/secure-channel.js';
import type { Settle } from '../link.js';
import type { CloseInfo } from '../session.js';
import { endError, notSent, outboxFull } from '../send-errors.js';
import { BurstBuffer, MAX_BURST_BYTES } from './burst-buffer.js';
import type { StreamParts } from './link.js';

/** A message, or a control frame by its type. No closures: each message would allocate them. */
type BurstContent = Uint8Array | ControlType | typeof PacketType.REKEY;

function bytesOf(content: BurstContent): number {
  if (typeof content !== 'number') return sealedMessageBytes(content.length);
  return content === PacketType.REKEY ? REKEY_FRAME_BYTES : CONTROL_FRAME_BYTES;
}

interface QueuedMessage {
  readonly message: Uint8Array;
  readonly settle: Settle;
}

/**
 * What leaves: frames sealed in the order of the calls, all frames of a tick as one write. While the transport is above its
 * high-water mark nothing is sealed, so that what waits can still be taken back, and no sequence number is spent on it.
 */
export class Outbox {
  readonly #parts: StreamParts;
  readonly #burst = new BurstBuffer();
  /** Messages that wait, once any has. */
  #messages: Set<QueuedMessage> | undefined;
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

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#lastSentMs = parts.settings.scheduler.now();
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
    if (this.#hasToWait) return undefined;
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
    if (!this.#hasToWait) {
      this.#inBurst.push(settle);
      this.#stageMessage(message);
      return () => {};
    }
    const { maxOutboxBytes } = this.#parts.settings.limits;
    if (this.#queuedBytes + message.length > maxOutboxBytes) {
      throw outboxFull(maxOutboxBytes);
    }
    // The caller may use its array again; the copy is made only for a peer that is slow.
    const queued = { message: copyBytes(message, 0), settle };
    this.#messages ??= new Set();
    this.#messages.add(queued);
    this.#queuedBytes += message.length;
    return () => {
      if (this.#messages?.delete(queued)) this.#queuedBytes -= message.length;
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
      this.#stage(PacketType.REKEY);
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

  /** Nothing is sealed or written after. Whoever waits is told why, or that nothing of the message was sent. */
  end(info: CloseInfo): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#flush?.unsubscribe();
    this.#drainLimit?.unsubscribe();
    this.#burst.discard();
    const sealed = [...this.#undrained, ...this.#inBurst];
    const queued = [...(this.#messages ?? [])];
    this.#undrained = [];
    this.#inBurst = [];
    this.#messages = undefined;
    this.#controls = [];
    if (sealed.length + queued.length === 0) return;
    const error = endError(info);
    const unsent = notSent(error);
    for (const settle of sealed) settle(error);
    for (const { message, settle } of queued) settle(unsent, message);
  }

  /** Whether a message that comes now has to. */
  get #hasToWait(): boolean {
    return this.#congested || (this.#messages !== undefined && this.#messages.size > 0);
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
    this.#stage(message);
    this.#parts.observer.onSealed(message);
  }

  #sealControl(type: ControlType): void {
    this.#stage(type);
    this.#parts.observer.onSealed(undefined);
  }

  #stage(content: BurstContent): void {
    if (this.#ended) return;
    const { channel, transport } = this.#parts;
    const at = this.#burst.reserve(bytesOf(content), transport);
    const { bytes } = this.#burst;
    try {
      if (typeof content !== 'number') channel.stageMessage(content, bytes, at);
      else if (content === PacketType.REKEY) channel.stageRekey(bytes, at);
      else channel.stageControl(content, bytes, at);
    } catch (error) {
      // What stands in the burst is incomplete: the stream can't go on.
      return this.#parts.fail(error as UsmpError);
    }
    // Once a burst, since a clock costs as much as a frame.
    if (at === 0) this.#lastSentMs = this.#parts.settings.scheduler.now();
    if (this.#burst.length >= MAX_BURST_BYTES) this.#flushNow();
    else this.#flush ??= this.#parts.settings.scheduler.schedule(() => this.#flushNow(), 0);
  }

  #flushNow(): void {
    this.#flush?.unsubscribe();
    this.#flush = undefined;
    if (this.#ended || this.#burst.length === 0) return;
    const { channel, transport, fail } = this.#parts;
    try {
      channel.sealStaged(this.#burst.bytes);
    } catch (error) {
      return fail(error as UsmpError);
    }
    const settled = this.#inBurst;
    this.#inBurst = [];
    this.#burstSent = undefined;
    if (this.#burst.writeTo(transport)) {
      for (const settle of settled) settle();
      return;
    }
    for (const settle of settled) this.#undrained.push(settle);
    if (this.#congested) return;
    this.#congested = true;
    this.#drainLimit = this.#parts.settings.scheduler.schedule(() => {
      this.#parts.fail(
        new TimeoutError(
          'TIMEOUT_SEND',
          `the peer did not read what was sent within ${this.#parts.settings.limits.sendTimeoutMs} ms`,
        ),
      );
    }, this.#parts.settings.limits.sendTimeoutMs);
  }

  #sealQueued(): void {
    for (; this.#pendingPongs > 0 && !this.#congested; this.#pendingPongs--) this.#sealControl(PacketType.PONG);
    while (this.#controls.length > 0 && !this.#congested) this.#controls.shift()?.();
    for (const queued of this.#messages ?? []) {
      if (this.#congested) return;
      this.#messages?.delete(queued);
      this.#queuedBytes -= queued.message.length;
      this.#inBurst.push(queued.settle);
      this.#stageMessage(queued.message);
    }
  }

  #finishIfEmpty(): void {
    if (!this.#hasToWait && this.#controls.length === 0) this.#onEmpty?.();
  }
}
