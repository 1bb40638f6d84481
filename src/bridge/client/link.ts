import { EMPTY, interval, mergeMap, Observable, throwError, type SchedulerLike, type Subscriber } from 'rxjs';
import { decodeMessageFrame } from '../payload-frame.js';
import {
  BridgeProtocolError,
  MAX_TIME_MS,
  parseServerMessage,
  type ClientMessage,
  type Role,
  type ServerMessage,
} from '../protocol.js';
import type { BridgeMessage } from './bridge-connection.js';
import { BridgeError, bridgeError } from './bridge-error.js';
import type { WebSocketLike } from './web-socket.js';

/** How often silence is noticed. Asked at the second time in a row, the bridge has until the third. */
const CHECK_MS = 10_000;
/** No exchange has it. */
const PROBE_ID = 0;

/** What the bridge says under an id: control messages, and messages of devices. */
export type Answer =
  | Exclude<ServerMessage, { type: 'welcome' | 'refused' }>
  | { readonly type: 'message'; readonly id: number; readonly message: BridgeMessage };

/** The answer of the bridge when `T` are the types that it may have. */
export type AnswerOf<T extends Answer['type']> = Extract<Answer, { type: T }>;

/** What this side sends. */
export type Frame = string | ArrayBuffer;

interface Exchange {
  readonly types: readonly Answer['type'][];
  readonly subscriber: Subscriber<Answer>;
}

/** A WebSocket that the bridge has welcomed: exchanges with it, each under an id of its own. */
export class Link {
  readonly role: Role;
  readonly #socket: WebSocketLike;
  readonly #exchanges = new Map<number, Exchange>();
  #lastId = PROBE_ID;
  #silentChecks = 0;

  constructor(socket: WebSocketLike, role: Role) {
    this.#socket = socket;
    this.role = role;
  }

  /**
   * Cold: sends the opening frame and emits the answers, which may be of these types. Errors with the BridgeError of a refusal,
   * and with what `opening` throws. Unsubscribing sends the closing frame, if there is one and it was not refused.
   */
  exchange<A extends Answer>(
    types: readonly Answer['type'][],
    opening: (id: number) => Frame,
    closing?: (id: number) => Frame,
  ): Observable<A> {
    const answers$ = new Observable<Answer>((subscriber) => {
      const id = ++this.#lastId;
      const frame = opening(id);
      this.#exchanges.set(id, { types, subscriber });
      this.#socket.send(frame);
      return () => {
        if (this.#exchanges.delete(id) && closing) this.#socket.send(closing(id));
      };
    });
    return answers$ as Observable<A>;
  }

  /**
   * Never emits; errors with TIMEOUT once nothing has come for 20 to 30 s, although the bridge was asked for a sign of life: a
   * connection of which the other end is gone without a word would stand for hours.
   */
  silence$(scheduler: SchedulerLike): Observable<never> {
    return interval(CHECK_MS, scheduler).pipe(
      mergeMap(() => {
        this.#silentChecks++;
        if (this.#silentChecks > 2)
          return throwError(() => bridgeError('TIMEOUT', 'the bridge does not answer any more'));
        if (this.#silentChecks === 2) this.#probe();
        return EMPTY;
      }),
    );
  }

  /** The WebSocket closes: what is given up from now on is given up without a word. */
  end(): void {
    this.#exchanges.clear();
  }

  /** @throws BridgeProtocolError */
  receive(data: unknown): void {
    this.#silentChecks = 0;
    const answer = typeof data === 'string' ? parseServerMessage(data) : messageOf(data);
    if (answer.type === 'welcome') throw new BridgeProtocolError('a second welcome');
    const { id } = answer;
    if (id > this.#lastId) throw new BridgeProtocolError(`id ${id} was never used`);
    const exchange = this.#exchanges.get(id);
    // What was given up meanwhile may still be answered.
    if (!exchange) return;
    if (answer.type === 'refused') {
      this.#exchanges.delete(id);
      return exchange.subscriber.error(new BridgeError(answer.code, answer.message));
    }
    if (!exchange.types.includes(answer.type)) throw new BridgeProtocolError(`${answer.type} does not answer id ${id}`);
    exchange.subscriber.next(answer);
  }

  /** The bridge answers that there is no such subscription. */
  #probe(): void {
    this.#socket.send(JSON.stringify({ type: 'unsubscribe', id: PROBE_ID } satisfies ClientMessage));
  }
}

function messageOf(data: unknown): Answer {
  const { id, ...message } = decodeMessageFrame(new Uint8Array(data as ArrayBuffer));
  const { atMs } = message;
  if (!(atMs >= 0 && atMs <= MAX_TIME_MS)) throw new BridgeProtocolError(`${atMs} is no time`);
  return { type: 'message', id, message };
}
