import { asapScheduler, type SchedulerLike } from 'rxjs';
import type { Transport, TransportSink } from './transport.js';

/** How bytes travel between the two ends. */
export interface MemoryLinkOptions {
  /** Where time passes; the default delivers in a microtask. */
  readonly scheduler?: SchedulerLike;
  /** One way, in milliseconds; the default is 0, which is still not within the call of `write`. */
  readonly latencyMs?: number;
  /** Cuts what is written into chunks of at most this many bytes. */
  readonly chunkBytes?: number;
  /** `write` returns false from this many bytes on that the peer has not read; the default is 64 KiB. */
  readonly highWaterMarkBytes?: number;
}

export interface MemoryPairOptions extends MemoryLinkOptions {
  /** The addresses of the two ends; each is what the other end calls `remoteAddress`. */
  readonly addresses?: readonly [string, string];
}

/** Two ends of a byte stream in memory. */
export function memoryTransportPair(options: MemoryPairOptions = {}): [MemoryTransport, MemoryTransport] {
  const [left, right] = options.addresses ?? ['memory:left', 'memory:right'];
  const a = new MemoryTransport(right, options);
  const b = new MemoryTransport(left, options);
  a.connectTo(b);
  b.connectTo(a);
  return [a, b];
}

type Parcel =
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly cause?: unknown };

/** One end of a byte stream in memory. Whatever it tells its sink, it tells from the scheduler. */
export class MemoryTransport implements Transport {
  readonly kind = 'memory';
  readonly remoteAddress: string;
  readonly #scheduler: SchedulerLike;
  readonly #latencyMs: number;
  readonly #chunkBytes: number;
  readonly #highWaterMarkBytes: number;
  #peer: MemoryTransport | undefined;
  #sink: TransportSink | undefined;
  #arrived: Parcel[] = [];
  #paused = false;
  #delivering = false;
  /** Bytes that we wrote and the peer has not read. */
  #unread = 0;
  #needsDrain = false;
  #writable = true;
  /** Nothing arrives any more. */
  #deaf = false;

  constructor(remoteAddress: string, options: MemoryLinkOptions) {
    this.remoteAddress = remoteAddress;
    this.#scheduler = options.scheduler ?? asapScheduler;
    this.#latencyMs = options.latencyMs ?? 0;
    this.#chunkBytes = options.chunkBytes ?? Number.POSITIVE_INFINITY;
    this.#highWaterMarkBytes = options.highWaterMarkBytes ?? 64 * 1024;
  }

  /** Whether nothing can be written and nothing arrives any more. */
  get closed(): boolean {
    return this.#deaf && !this.#writable;
  }

  /** Used once, by `memoryTransportPair`. */
  connectTo(peer: MemoryTransport): void {
    this.#peer = peer;
  }

  attach(sink: TransportSink): void {
    this.#sink = sink;
    this.#deliverSoon();
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#writable) return true;
    for (let at = 0; at < bytes.length; at += this.#chunkBytes) {
      const chunk = bytes.slice(at, Math.min(bytes.length, at + this.#chunkBytes));
      this.#unread += chunk.length;
      this.#post({ kind: 'data', bytes: chunk });
    }
    this.#needsDrain ||= this.#unread >= this.#highWaterMarkBytes;
    return !this.#needsDrain;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliverSoon();
  }

  end(): void {
    this.#endWith(undefined);
  }

  destroy(): void {
    this.end();
    this.#deaf = true;
    this.#arrived = [];
    this.#sink = undefined;
  }

  reset(): void {
    this.#endWith(new Error('the peer reset the connection'));
    this.destroy();
  }

  /** What a cut cable or a reset does: both ends see the stream break, and what is under way is lost. */
  cut(cause: unknown = new Error('the connection was cut')): void {
    this.#peer?.break(cause);
    this.break(cause);
  }

  /** Breaks this end; used by the peer, and where only one end notices. */
  break(cause: unknown): void {
    if (this.#deaf) return;
    this.#writable = false;
    this.#deaf = true;
    this.#paused = false;
    this.#arrived.push({ kind: 'end', cause });
    this.#deliverSoon();
  }

  #endWith(cause: unknown): void {
    if (!this.#writable) return;
    this.#writable = false;
    this.#post({ kind: 'end', cause });
  }

  #post(parcel: Parcel): void {
    this.#scheduler.schedule(() => this.#peer?.take(parcel), this.#latencyMs);
  }

  /** A parcel arrives; used by the peer alone. */
  take(parcel: Parcel): void {
    if (this.#deaf) return;
    this.#arrived.push(parcel);
    this.#deliver();
  }

  #deliverSoon(): void {
    if (this.#arrived.length > 0) this.#scheduler.schedule(() => this.#deliver(), 0);
  }

  /** A sink may attach another one, pause, or destroy us while it takes a parcel. */
  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    while (this.#sink && !this.#paused) {
      const parcel = this.#arrived.shift();
      if (!parcel) break;
      if (parcel.kind === 'data') {
        this.#peer?.wasRead(parcel.bytes.length);
        this.#sink.data(parcel.bytes);
      } else {
        this.#deliverEnd(this.#sink, parcel.cause);
      }
    }
    this.#delivering = false;
  }

  /** As a socket does by default, we end our direction when the peer has ended its own. */
  #deliverEnd(sink: TransportSink, cause: unknown): void {
    this.end();
    this.#deaf = true;
    this.#sink = undefined;
    sink.end(cause);
  }

  /** The peer read these bytes; used by the peer alone. */
  wasRead(bytes: number): void {
    this.#unread -= bytes;
    if (!this.#needsDrain || this.#unread > 0) return;
    this.#needsDrain = false;
    this.#scheduler.schedule(() => {
      if (this.#writable) this.#sink?.drain();
    }, this.#latencyMs);
  }
}
