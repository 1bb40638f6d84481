import { InvalidStateError, type UsmpError } from '../protocol/errors.js';

export interface BackloggedMessage {
  readonly message: Uint8Array;
  readonly settle: (error?: UsmpError) => void;
}

/** Messages that wait for a session, in the order of the calls. */
export class Backlog {
  readonly #maxBytes: number;
  readonly #messages = new Set<BackloggedMessage>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isEmpty(): boolean {
    return this.#messages.size === 0;
  }

  /** Takes a message in, or settles it with InvalidStateError `OUTBOX_FULL`. Returns what takes it back. */
  add(entry: BackloggedMessage): () => void {
    const { length } = entry.message;
    if (this.#bytes + length > this.#maxBytes) {
      entry.settle(new InvalidStateError('OUTBOX_FULL', `more than ${this.#maxBytes} bytes wait for a connection`));
      return () => {};
    }
    this.#messages.add(entry);
    this.#bytes += length;
    return () => {
      if (this.#messages.delete(entry)) this.#bytes -= length;
    };
  }

  /** Everything that waits; the backlog is empty after. */
  takeAll(): BackloggedMessage[] {
    const all = [...this.#messages];
    this.#messages.clear();
    this.#bytes = 0;
    return all;
  }
}
