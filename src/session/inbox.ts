import { Observable, type SchedulerLike, type Subscriber } from 'rxjs';
import { ConnectionClosedError, InvalidStateError, UsmpError } from '../protocol/errors.js';
import { checkDurationMs } from '../protocol/check-option.js';
import { abortable } from './abort.js';
import type { ReceiveOptions } from './session.js';
import { Waiters } from './waiters.js';

export interface InboxLimits {
  /** Messages that wait at most; the default is 1,024. */
  readonly maxInboxMessages?: number;
  /** Bytes that wait at most, and one message more; the default is 1 MiB. */
  readonly maxInboxBytes?: number;
}

/** Who fills an inbox. */
export interface InboxOwner {
  /** When the peer last gave an authentic sign of life, in milliseconds of the scheduler's clock. */
  readonly lastHeardMs: number;
  /** Once full, an inbox stays so until it holds less than this part of its limits, from 0 to 1. */
  readonly roomBelow: number;
  /** There is room again after `full`. */
  onRoom(): void;
}

/** How the messages end: a UsmpError, or `bye`. */
type End = UsmpError | 'bye';

/** Messages that wait for a consumer, and the one way of consuming that is in use: `messages$`, or `recv` and iterators. */
export class Inbox {
  readonly #owner: InboxOwner;
  readonly #limits: Required<InboxLimits>;
  readonly #scheduler: SchedulerLike;
  #messages$: Observable<Uint8Array> | undefined;
  #queue: Uint8Array[] = [];
  #head = 0;
  #bytes = 0;
  #wasFull = false;
  /** Never changed, always replaced: who is told may subscribe or unsubscribe. */
  #subscribers: readonly Subscriber<Uint8Array>[] = NOBODY;
  #draining = false;
  #waiters: Waiters<Uint8Array> | undefined;
  #iterators = 0;
  #end: End | undefined;

  constructor(owner: InboxOwner, limits: Required<InboxLimits>, scheduler: SchedulerLike) {
    this.#owner = owner;
    this.#limits = limits;
    this.#scheduler = scheduler;
  }

  get messages$(): Observable<Uint8Array> {
    this.#messages$ ??= new Observable((subscriber) => this.#attach(subscriber));
    return this.#messages$;
  }

  get #length(): number {
    return this.#queue.length - this.#head;
  }

  /** Whether the peer has to wait. */
  get full(): boolean {
    const { maxInboxMessages, maxInboxBytes } = this.#limits;
    const fraction = this.#wasFull ? this.#owner.roomBelow : 1;
    this.#wasFull = this.#length >= maxInboxMessages * fraction || this.#bytes >= maxInboxBytes * fraction;
    return this.#wasFull;
  }

  /** Whether nothing is left and nothing will come. */
  get exhausted(): boolean {
    return this.#end !== undefined && this.#length === 0;
  }

  deliver(message: Uint8Array): void {
    if (this.#subscribers.length > 0 && !this.#draining) return this.#tell(message);
    const waiter = this.#waiters?.shift();
    if (waiter) return waiter.resolve(message);
    this.#queue.push(message);
    this.#bytes += message.length;
  }

  /** Nothing comes after; what waits stays to be consumed. */
  end(end: End): void {
    if (this.#end) return;
    this.#end = end;
    for (const waiter of this.#waiters?.takeAll() ?? []) waiter.reject(end === 'bye' ? this.#closedError() : end);
    if (!this.#draining) this.#finish(end);
  }

  recv({ timeoutMs, signal }: ReceiveOptions = {}, silentSinceMs = this.#scheduler.now()): Promise<Uint8Array> {
    return abortable(signal, (resolve, reject) => {
      if (timeoutMs !== undefined) checkDurationMs('timeoutMs', timeoutMs);
      if (this.#subscribers.length > 0) {
        reject(twoConsumers('messages$ is subscribed'));
        return () => {};
      }
      if (this.#length > 0) {
        resolve(this.#shift());
        return () => {};
      }
      if (this.#end) {
        reject(this.#closedError());
        return () => {};
      }
      const silentMs = (): number => this.#scheduler.now() - Math.max(silentSinceMs, this.#owner.lastHeardMs);
      this.#waiters ??= new Waiters(this.#scheduler);
      return this.#waiters.add({ resolve, reject }, { timeoutMs, silentMs });
    });
  }

  /** An iterator whose `return` also ends a `next` that waits. */
  iterate(): AsyncIterableIterator<Uint8Array> {
    const left = new AbortController();
    const messages = this.#iterate(left.signal);
    return {
      next: () => messages.next(),
      return: () => {
        left.abort();
        return messages.return();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  async *#iterate(left: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#subscribers.length > 0) throw twoConsumers('messages$ is subscribed');
    this.#iterators++;
    try {
      while (!this.exhausted) {
        const next = await this.recv({ signal: left }).catch((error: unknown) => {
          if (this.#end === undefined && !left.aborted) throw error;
        });
        if (next) yield next;
        else if (left.aborted) return;
      }
      const end = this.#end;
      if (end instanceof UsmpError) throw end;
    } finally {
      this.#iterators--;
    }
  }

  /** The first to subscribe gets what waits; all that are subscribed get what comes. */
  #attach(subscriber: Subscriber<Uint8Array>): (() => void) | undefined {
    if (this.#waiters?.isEmpty === false || this.#iterators > 0) {
      subscriber.error(twoConsumers('recv() or an iterator is waiting'));
      return undefined;
    }
    // A spread would reserve room for many, and there is nearly always one.
    this.#subscribers = this.#subscribers.length === 0 ? [subscriber] : [...this.#subscribers, subscriber];
    if (!this.#draining) this.#drain();
    return () => {
      this.#subscribers = this.#subscribers.filter((one) => one !== subscriber);
    };
  }

  #drain(): void {
    this.#draining = true;
    while (this.#length > 0 && this.#isSubscribed) this.#tell(this.#shift());
    this.#draining = false;
    if (this.#end && this.#length === 0) this.#finish(this.#end);
  }

  /** One that unsubscribes within its own subscribe is closed before it is taken off. */
  get #isSubscribed(): boolean {
    return this.#subscribers.some(({ closed }) => !closed);
  }

  #tell(message: Uint8Array): void {
    for (const subscriber of this.#subscribers) subscriber.next(message);
  }

  #finish(end: End): void {
    const subscribers = this.#subscribers;
    this.#subscribers = NOBODY;
    for (const subscriber of subscribers) {
      if (end === 'bye') subscriber.complete();
      else subscriber.error(end);
    }
  }

  #shift(): Uint8Array {
    const message = this.#queue[this.#head] as Uint8Array;
    this.#queue[this.#head++] = EMPTY;
    if (this.#head === this.#queue.length || this.#head === 1024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    this.#bytes -= message.length;
    if (this.#wasFull && !this.full) this.#owner.onRoom();
    return message;
  }

  #closedError(): ConnectionClosedError {
    return this.#end === 'bye' || this.#end === undefined
      ? new ConnectionClosedError('CLOSED_BY_BYE', 'the session ended with BYE')
      : new ConnectionClosedError('CLOSED', 'the session is over', { cause: this.#end, origin: this.#end.origin });
  }
}

const EMPTY = new Uint8Array(0);
const NOBODY: readonly Subscriber<Uint8Array>[] = Object.freeze([]);

const twoConsumers = (why: string): InvalidStateError =>
  new InvalidStateError('TWO_CONSUMERS', `a session has one way of consuming at a time, and ${why}`);
