import {
  BehaviorSubject,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  finalize,
  map,
  ReplaySubject,
  scan,
  share,
  switchMap,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import { checkInteger } from '../../protocol/check-option.js';
import { normalizeDeviceId } from '../../protocol/device-id.js';
import {
  MAX_KEPT_EVENTS,
  MAX_SAMPLE_MS,
  MIN_SAMPLE_MS,
  type BridgeDevice,
  type BridgeEvent,
  type ClientMessage,
  type SubscriptionKind,
} from '../protocol.js';
import type { BridgeMessage, MessagesOptions } from './bridge-connection.js';
import type { LinkOrReason } from './connector.js';
import { nextDeviceList, type DevicesAnswer } from './device-list.js';
import { Link, type Answer, type AnswerOf } from './link.js';

/** What a subscription says besides its id and its kind. */
type Choice = Pick<Extract<ClientMessage, { type: 'subscribe' }>, 'deviceIds' | 'everyMs'>;

/** What comes without a request for each: one subscription on the wire however many subscribe here, renewed with each link. */
export class Subscriptions {
  readonly devices$: Observable<readonly BridgeDevice[]>;
  readonly events$: Observable<BridgeEvent>;
  readonly missed$: Observable<number>;

  readonly #link$: Observable<LinkOrReason>;
  readonly #missed$ = new BehaviorSubject(0);
  readonly #messagesByChoice = new Map<string, Observable<BridgeMessage>>();

  constructor(link$: Observable<LinkOrReason>) {
    this.#link$ = link$;
    this.missed$ = this.#missed$.asObservable();
    link$.subscribe({ complete: () => this.#missed$.complete() });
    this.devices$ = this.#subscription<DevicesAnswer>('devices', ['devices', 'devices-changed']).pipe(
      scan(nextDeviceList, undefined as readonly BridgeDevice[] | undefined),
      filter((list) => list !== undefined),
      distinctUntilChanged(),
      share({ connector: () => new ReplaySubject(1) }),
    );
    this.events$ = this.#subscription<AnswerOf<'event'>>('events', ['event']).pipe(
      map(({ event }) => event),
      unseen(),
      share({ connector: () => new ReplaySubject(MAX_KEPT_EVENTS) }),
    );
  }

  /** @throws ConfigError */
  messages$(deviceId: string | undefined, { everyMs }: MessagesOptions): Observable<BridgeMessage> {
    const choice: Choice = {
      ...(deviceId !== undefined && { deviceIds: [normalizeDeviceId(deviceId)] }),
      ...(everyMs !== undefined && { everyMs: checkInteger('everyMs', everyMs, MIN_SAMPLE_MS, MAX_SAMPLE_MS) }),
    };
    const key = JSON.stringify(choice);
    const shared = this.#messagesByChoice;
    return defer(() => {
      const present$ = shared.get(key);
      if (present$) return present$;
      const messages$ = this.#subscription<AnswerOf<'message'>>('messages', ['message'], choice).pipe(
        map(({ message }) => message),
        finalize(() => shared.delete(key)),
        share(),
      );
      shared.set(key, messages$);
      return messages$;
    });
  }

  #subscription<A extends Answer>(
    kind: SubscriptionKind,
    contents: readonly A['type'][],
    choice: Choice = {},
  ): Observable<A> {
    const frame = (message: ClientMessage): string => JSON.stringify(message);
    return this.#link$.pipe(
      switchMap((link) =>
        link instanceof Link
          ? link.exchange<A | AnswerOf<'result' | 'missed'>>(
              ['result', 'missed', ...contents],
              (id) => frame({ type: 'subscribe', id, kind, ...choice }),
              (id) => frame({ type: 'unsubscribe', id }),
            )
          : EMPTY,
      ),
      filter((answer: Answer): answer is A => {
        if (answer.type === 'missed') this.#missed$.next(this.#missed$.value + answer.count);
        return answer.type !== 'missed' && answer.type !== 'result';
      }),
    );
  }
}

/** After a reconnect the bridge tells its last events again: leaves out those that are among the last ones here. */
const unseen = (): MonoTypeOperatorFunction<BridgeEvent> => (events$) =>
  defer(() => {
    const seen = new Set<string>();
    return events$.pipe(
      filter((event) => {
        const before = seen.size;
        seen.add(JSON.stringify(event));
        const isNew = seen.size > before;
        const [oldest] = seen;
        if (seen.size > MAX_KEPT_EVENTS) seen.delete(oldest!);
        return isNew;
      }),
    );
  });
