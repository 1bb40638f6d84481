import { asapScheduler, type SchedulerLike } from 'rxjs';
import type { TransportSink } from './transport.js';

/** What an array costs beside its bytes: many short messages must not take much more memory than their bound says. */
const ARRAY_COST_BYTES = 128;

/**
 * What arrives, on its way to the sink of a transport: in order, and kept while there is no sink or it does not want more. For
 * transports that may get bytes while they are paused.
 */
export class ReadBuffer {
  readonly #scheduler: SchedulerLike;
  #sink: TransportSink | undefined;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #paused = false;
  #delivering = false;
  #end: { readonly cause: unknown; readonly isUrgent: boolean } | undefined;
  #stopped = false;

  /** @param scheduler where what was kept is delivered; the default is a microtask */
  constructor(scheduler: SchedulerLike = asapScheduler) {
    this.#scheduler = scheduler;
  }

  /** Whether what arrives now is delivered at once. */
  get isFlowing(): boolean {
    return this.#sink !== undefined && !this.#paused;
  }

  /** The memory that is taken by what was not delivered yet, in bytes. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  attach(sink: TransportSink): void {
    if (this.#stopped) return;
    this.#sink = sink;
    this.#deliverSoon();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliverSoon();
  }

  data(bytes: Uint8Array): void {
    if (this.#stopped || this.#end || bytes.length === 0) return;
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length + ARRAY_COST_BYTES;
    this.#deliver();
  }

  drain(): void {
    this.#sink?.drain();
  }

  /** Nothing arrives any more. The sink is told after everything that is kept. */
  end(cause: unknown): void {
    if (this.#stopped || this.#end) return;
    this.#end = { cause, isUrgent: false };
    this.#deliver();
  }

  /** The same at once, also to a sink that is paused: it gets what is kept, in one piece, and the end. */
  endNow(cause: unknown): void {
    if (this.#stopped || this.#end) return;
    this.#end = { cause, isUrgent: true };
    this.#kept = [joined(this.#kept)].filter(({ length }) => length > 0);
    this.#deliver();
  }

  /** Tells nobody anything any more. */
  stop(): void {
    this.#stopped = true;
    this.#sink = undefined;
    this.#kept = [];
    this.#keptBytes = 0;
  }

  #deliverSoon(): void {
    if (this.#kept.length > 0 || this.#end) this.#scheduler.schedule(() => this.#deliver(), 0);
  }

  /** A sink may attach another one, pause, or stop us while it takes something. */
  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    while (this.#sink && (!this.#paused || this.#end?.isUrgent)) {
      const bytes = this.#kept.shift();
      if (bytes) {
        this.#keptBytes -= bytes.length + ARRAY_COST_BYTES;
        this.#sink.data(bytes);
      } else {
        if (this.#end) this.#deliverEnd(this.#sink, this.#end.cause);
        break;
      }
    }
    this.#delivering = false;
  }

  #deliverEnd(sink: TransportSink, cause: unknown): void {
    this.stop();
    sink.end(cause);
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
