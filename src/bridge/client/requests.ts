import { defer, finalize, map, merge, mergeMap, skip, take, throwError, timeout, type Observable } from 'rxjs';
import { bridgeError } from './bridge-error.js';
import type { BridgeSettings } from './bridge-options.js';
import type { Connector } from './connector.js';
import { Link, type AnswerOf, type Frame } from './link.js';

const MAX_PENDING = 256;

export type Result = AnswerOf<'result'>;

/** Requests that each have one answer: it comes in time, in the same connection, or the request fails. */
export class Requests {
  readonly #connector: Connector;
  readonly #settings: BridgeSettings;
  #pending = 0;

  constructor(connector: Connector, settings: BridgeSettings) {
    this.#connector = connector;
    this.#settings = settings;
  }

  /**
   * Resolves with what `read` makes of the answer. Rejects with what `frame` or `read` throw, and with BridgeError: the refusal
   * of the bridge, DISCONNECTED, CONNECTION_LOST, TIMEOUT, TOO_MANY_REQUESTS. Never an unhandled rejection.
   */
  make<T>(frame: (id: number) => Frame, read: (result: Result) => T): Promise<T> {
    const answer = new Promise<T>((resolve, reject) => {
      defer(() => this.#result(frame))
        .pipe(map(read), take(1))
        .subscribe({ next: resolve, error: reject });
    });
    answer.catch(() => {});
    return answer;
  }

  #result(frame: (id: number) => Frame): Observable<Result> {
    const { requestTimeoutMs, scheduler } = this.#settings;
    const { link, link$ } = this.#connector;
    if (!(link instanceof Link)) {
      throw bridgeError('DISCONNECTED', `nothing was sent, there is no connection: ${link.message}`, link);
    }
    if (this.#pending >= MAX_PENDING) {
      throw bridgeError('TOO_MANY_REQUESTS', `nothing was sent, ${MAX_PENDING} requests wait for an answer`);
    }
    this.#pending++;
    const lost$ = link$.pipe(
      skip(1),
      mergeMap((reason) => throwError(() => unanswered('CONNECTION_LOST', (reason as Error).message, reason))),
    );
    const tooLate$ = throwError(() => unanswered('TIMEOUT', `no answer within ${requestTimeoutMs} ms`));
    return merge(link.exchange<Result>(['result'], frame), lost$).pipe(
      timeout({ first: requestTimeoutMs, scheduler, with: () => tooLate$ }),
      finalize(() => this.#pending--),
    );
  }
}

const unanswered = (code: 'CONNECTION_LOST' | 'TIMEOUT', why: string, cause?: unknown) =>
  bridgeError(code, `${why}; nobody knows whether the request reached the device`, cause);
