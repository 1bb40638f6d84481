import { copyBytes } from '../protocol/bytes.js';
import { InvalidStateError, type UsmpError } from '../protocol/errors.js';

/** Tells the sender what became of a message: the error, or undefined. */
export type Settle = (error?: UsmpError) => void;

/** A message on its way to some session, in this one or the next. */
export interface OutgoingMessage {
  readonly message: Uint8Array;
  readonly settle: Settle;
  /** Takes it back from where it waits now. */
  takeBack: () => void;
}

/** Messages that wait for a session, in the order of the calls. */
export class Backlog {
  readonly #maxBytes: number;
  readonly #waiting = new Set<OutgoingMessage>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /**
   * Keeps a copy of a message.
   * @throws InvalidStateError `OUTBOX_FULL`
   */
  add(message: Uint8Array, settle: Settle): OutgoingMessage {
    if (this.#bytes + message.length > this.#maxBytes) {
      throw new InvalidStateError('OUTBOX_FULL', `more than ${this.#maxBytes} bytes wait for a connection`);
    }
    const outgoing = { message: copyBytes(message, 0), settle, takeBack: () => {} };
    this.put(outgoing);
    return outgoing;
  }

  /** Keeps what was accepted before, and nobody else will change. */
  put(outgoing: OutgoingMessage): void {
    this.#waiting.add(outgoing);
    this.#bytes += outgoing.message.length;
    outgoing.takeBack = () => this.#remove(outgoing);
  }

  /** Hands messages over in order, those that are added meanwhile too, as long as `goesOn`. */
  drain(goesOn: () => boolean, handOver: (outgoing: OutgoingMessage) => void): void {
    for (const outgoing of this.#waiting) {
      if (!goesOn()) return;
      this.#remove(outgoing);
      handOver(outgoing);
    }
  }

  /** Everything that waits; the backlog is empty after. */
  takeAll(): OutgoingMessage[] {
    const all = [...this.#waiting];
    for (const outgoing of all) this.#remove(outgoing);
    return all;
  }

  #remove(outgoing: OutgoingMessage): void {
    if (!this.#waiting.delete(outgoing)) return;
    this.#bytes -= outgoing.message.length;
    outgoing.takeBack = () => {};
  }
}
