import type { SchedulerLike, Subscription } from 'rxjs';
import { MAX_CONTROL_FRAMES } from '../protocol/control-flood.js';
import type { UsmpError } from '../protocol/errors.js';
import { abortable } from './abort.js';

interface HeartbeatOptions {
  readonly scheduler: SchedulerLike;
  /** PING goes out by itself when nothing was sent, or nothing was heard, for this long; undefined: never. */
  readonly keepaliveMs: number | undefined;
  readonly lastSentMs: () => number;
  readonly lastHeardMs: () => number;
  /** Sends a PING as soon as pacing and the transport allow; `onSealed` is told when it leaves. */
  readonly sendPing: (onSealed: () => void) => void;
}

interface Waiter {
  readonly resolve: (roundTripMs: number) => void;
  readonly reject: (error: UsmpError) => void;
}

/** PINGs that wait for their PONG at most; a peer that never answers fills no memory. */
const MAX_UNANSWERED = MAX_CONTROL_FRAMES;
/** An answer that took longer is one that does not come: a peer that could not read answers few of the PINGs it finds. */
const MAX_ROUND_TRIP_MS = 60_000;

/** PINGs of ours and their PONGs. A PONG carries nothing, so it answers the oldest PING that has none. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #waiters = new Set<Waiter>();
  #pingsSentMs: number[] = [];
  #pingQueued = false;
  #lastKeepaliveMs = 0;
  #timer: Subscription | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    const { keepaliveMs, scheduler } = options;
    if (keepaliveMs === undefined) return;
    const keepAlive = (): number => this.#keepAlive(keepaliveMs);
    this.#timer = scheduler.schedule(function () {
      this.schedule(undefined, keepAlive());
    }, keepaliveMs);
  }

  /** Resolves with the round trip in milliseconds of the PING that is under way, or of a new one. */
  ping(signal?: AbortSignal): Promise<number> {
    return abortable(signal, (resolve, reject) => {
      const waiter = { resolve, reject };
      this.#waiters.add(waiter);
      if (this.#isOverdue(this.#pingsSentMs.at(-1))) this.#send();
      return () => this.#waiters.delete(waiter);
    });
  }

  /** A PING left; beside ours the one that belongs to REKEY. */
  pingSent(): void {
    if (this.#pingsSentMs.length < MAX_UNANSWERED) this.#pingsSentMs.push(this.#options.scheduler.now());
  }

  /** A PONG came. Returns the round trip in milliseconds, or undefined for one that nobody asked for. */
  pong(): number | undefined {
    while (this.#pingsSentMs.length > 1 && this.#isOverdue(this.#pingsSentMs[0])) this.#pingsSentMs.shift();
    const sentMs = this.#pingsSentMs.shift();
    if (sentMs === undefined) return undefined;
    const roundTripMs = this.#options.scheduler.now() - sentMs;
    for (const waiter of this.#waiters) waiter.resolve(roundTripMs);
    this.#waiters.clear();
    return roundTripMs;
  }

  /** No PING leaves by itself after this. */
  stopKeepalive(): void {
    this.#timer?.unsubscribe();
  }

  end(error: UsmpError): void {
    this.stopKeepalive();
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters.clear();
  }

  /** Whether there is nothing to wait for any more. */
  #isOverdue(pingSentMs: number | undefined): boolean {
    return pingSentMs === undefined || this.#options.scheduler.now() - pingSentMs > MAX_ROUND_TRIP_MS;
  }

  #send(): void {
    if (this.#pingQueued) return;
    this.#pingQueued = true;
    this.#options.sendPing(() => {
      this.#pingQueued = false;
      this.pingSent();
    });
  }

  /** Sends PING where it is due and returns the milliseconds until it can be due next. */
  #keepAlive(keepaliveMs: number): number {
    const { scheduler, lastSentMs, lastHeardMs } = this.#options;
    const now = scheduler.now();
    const dueMs = Math.max(Math.min(lastSentMs(), lastHeardMs()), this.#lastKeepaliveMs) + keepaliveMs;
    if (dueMs > now) return dueMs - now;
    this.#lastKeepaliveMs = now;
    this.#send();
    return keepaliveMs;
  }
}
