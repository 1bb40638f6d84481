import type { SchedulerLike, Subscription } from 'rxjs';
import { StopAndWait } from '../../protocol/datagram/stop-and-wait.js';
import type { DatagramTransport } from '../../transport/datagram.js';

/** Runs stop-and-wait (protocol.md section 7) on a transport and a scheduler: one datagram, repeated until it is acknowledged. */
export class Delivery {
  /** Is told when a datagram is given up. */
  onLost: (datagram: Uint8Array) => void = () => {};
  readonly #transport: DatagramTransport;
  readonly #scheduler: SchedulerLike;
  readonly #machine = new StopAndWait();
  #timer: Subscription | undefined;

  constructor(transport: DatagramTransport, scheduler: SchedulerLike) {
    this.#transport = transport;
    this.#scheduler = scheduler;
  }

  /** What waits for its acknowledgement. */
  get outstanding(): Uint8Array | undefined {
    return this.#machine.outstanding;
  }

  /** Sends a datagram, when none is outstanding. */
  send(datagram: Uint8Array, maxAttempts?: number): void {
    this.#machine.send(datagram, this.#scheduler.now(), maxAttempts);
    this.#transport.send(datagram);
    this.#wait();
  }

  /** The acknowledgement came, or something that implies it. */
  acknowledged(): void {
    this.#machine.acknowledged(this.#scheduler.now());
    this.#timer?.unsubscribe();
  }

  /** Repeats nothing any more. */
  stop(): void {
    this.#machine.abandon();
    this.#timer?.unsubscribe();
  }

  #wait(): void {
    const { dueMs } = this.#machine;
    if (dueMs === undefined) return;
    const delayMs = Math.max(0, dueMs - this.#scheduler.now());
    this.#timer = this.#scheduler.schedule(() => this.#expired(), delayMs);
  }

  #expired(): void {
    const { outstanding } = this.#machine;
    if (!outstanding) return;
    const fate = this.#machine.expire(this.#scheduler.now());
    if (fate === 'lost') return this.onLost(outstanding);
    if (fate === 'repeat') this.#transport.send(outstanding);
    this.#wait();
  }
}
