import { map, type SchedulerLike } from 'rxjs';
import { defaultScheduler } from '../session/default-scheduler.js';
import type { Dialer, Transport, TransportSink } from '../transport/transport.js';

export interface LineFaults {
  /** Writes go out in pieces of at most this many bytes … */
  readonly pieceBytes?: number;
  /** … and one piece each this many milliseconds; the default is 0. */
  readonly pieceIntervalMs?: number;
  /** The connection breaks when this many bytes went out; they still arrive. */
  readonly cutAfterBytes?: number;
  /** The default is real time. */
  readonly scheduler?: SchedulerLike;
}

/** The same way to the same server over a bad line, which dribbles or breaks; for any kind of transport. */
export const faultyDialer = (dialer: Dialer, faults: LineFaults): Dialer => ({
  kind: dialer.kind,
  dial: () => dialer.dial().pipe(map((transport) => new FaultyTransport(transport, faults))),
});

/** Sends what is written piece by piece; all else is left to the transport behind it. */
class FaultyTransport implements Transport {
  readonly kind: Transport['kind'];
  readonly remoteAddress: string;
  readonly #line: Transport;
  readonly #faults: LineFaults;
  readonly #scheduler: SchedulerLike;
  #waiting: Uint8Array[] = [];
  #bytesLeft: number;
  #sink: TransportSink | undefined;
  #isSending = false;
  #ends = false;
  #isOver = false;

  constructor(line: Transport, faults: LineFaults) {
    this.kind = line.kind;
    this.remoteAddress = line.remoteAddress;
    this.#line = line;
    this.#faults = faults;
    this.#scheduler = faults.scheduler ?? defaultScheduler;
    this.#bytesLeft = faults.cutAfterBytes ?? Number.POSITIVE_INFINITY;
  }

  attach(sink: TransportSink): void {
    this.#sink = sink;
    this.#line.attach(sink);
  }

  write(bytes: Uint8Array): boolean {
    const { pieceBytes = bytes.length } = this.#faults;
    for (let at = 0; at < bytes.length; at += pieceBytes) this.#waiting.push(bytes.slice(at, at + pieceBytes));
    if (!this.#isSending) this.#sendNext();
    return true;
  }

  pause(): void {
    this.#line.pause();
  }

  resume(): void {
    this.#line.resume();
  }

  end(): void {
    this.#ends = true;
    if (!this.#isSending) this.#line.end();
  }

  destroy(): void {
    this.#isOver = true;
    this.#line.destroy();
  }

  reset(): void {
    this.#isOver = true;
    this.#line.reset();
  }

  #sendNext(): void {
    const piece = this.#isOver ? undefined : this.#waiting.shift();
    this.#isSending = piece !== undefined;
    if (!piece) {
      if (this.#ends) this.#line.end();
      return;
    }
    const sent = piece.subarray(0, this.#bytesLeft);
    this.#bytesLeft -= sent.length;
    if (sent.length > 0) this.#line.write(sent);
    if (this.#bytesLeft === 0) return this.#cut();
    this.#scheduler.schedule(() => this.#sendNext(), this.#faults.pieceIntervalMs ?? 0);
  }

  #cut(): void {
    this.#isOver = true;
    const sink = this.#sink;
    this.#line.end();
    this.#line.attach({ data() {}, drain() {}, end() {} });
    this.#scheduler.schedule(() => sink?.end(new Error('the line broke')));
  }
}
